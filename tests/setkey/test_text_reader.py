"""Text of -D back into a table: what is printed of a table is what is read of the text."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.columns.synthetic import NOW, synthetic
from fastpfkey.setkey.text_reader import read_associations
from fastpfkey.setkey.words import FREEBSD, IPSEC_TOOLS

from .support import Associations, capture, printed, recorded

CARRIED = (
    "satype spi src src_family dst dst_family state mode reqid replay flags sa2_seq seq pid refcount natt_sport "
    "natt_dport natt_oa current_allocations current_addtime current_usetime hard_allocations hard_addtime hard_usetime "
    "soft_allocations soft_addtime soft_usetime"
).split()
"""Columns that any text carries as they are."""

SIZES = ["current_bytes", "hard_bytes", "soft_bytes"]


def read(text: str, dialect: str = "linux", **how: Any) -> pf.SATable:
    return read_associations(text, dialect, zone=UTC, keys=True, **how)


def compare(text: str, messages: Any, dialect: str = "linux", ports: bool = False) -> None:
    """The table of a text and that of the messages that it was printed from, in all columns that the text carries."""
    found, told = read(text, dialect), pf.SATable.from_buffer(messages, dialect, keys=True)
    assert len(found) == len(told) > 0
    lives = told["present"] & np.uint64(1 << pf.ExtensionType.LIFETIME_CURRENT.bit) != 0
    traverses = told["natt_type"] != 0
    for name in CARRIED + (["src_port", "dst_port"] if ports else []):
        expected = told[name]
        if name.split("_")[0] in ("current", "hard", "soft"):
            expected = np.where(lives, expected, 0)
        if name.startswith("natt"):
            expected = np.where(traverses if expected.ndim == 1 else traverses[:, None], expected, 0)
        np.testing.assert_array_equal(found[name], expected, err_msg=name)
    for name in SIZES:
        np.testing.assert_array_equal(found[name], np.where(lives, told[name], 0).astype(np.float64), err_msg=name)
    for kind, place in (("auth", pf.ExtensionType.KEY_AUTH), ("encrypt", pf.ExtensionType.KEY_ENCRYPT)):
        shown = told["present"] & np.uint64(1 << place.bit) != 0
        if kind == "encrypt":
            shown &= told["satype"] == pf.SAType.ESP
        algorithms = shown | (told["satype"] == pf.SAType.IPCOMP) if kind == "encrypt" else shown
        np.testing.assert_array_equal(found[kind], np.where(algorithms, told[kind], 0), err_msg=kind)
        keys = [key if there else b"" for key, there in zip(told.key_bytes(kind), shown.tolist(), strict=True)]
        assert found.key_bytes(kind) == keys


def test_the_text_of_a_kernel() -> None:
    compare(recorded("linux-mixed.setkey.txt").replace("pid=1157", "pid=1159"), capture("linux-mixed.bin"))


@pytest.mark.parametrize("ports", [False, True])
def test_random_associations(ports: bool) -> None:
    text = printed(Associations, capture("setkey/sad.bin"), now=NOW, dead=True, ports=ports)
    compare(text, capture("setkey/sad.bin"), ports=ports)


@pytest.mark.parametrize("dialect", ["linux", "netbsd", "freebsd"])
def test_every_variant(dialect: str) -> None:
    variant = FREEBSD if dialect == "freebsd" else IPSEC_TOOLS
    messages = synthetic(400, seed=4, dialect=dialect)
    text = printed(Associations, messages, dialect, now=NOW, dead=True, variant=variant)
    compare(text, messages, dialect)


def test_security_contexts_are_extensions() -> None:
    text = printed(Associations, capture("setkey/sad.bin"), now=NOW, dead=True)
    told = pf.SATable.from_buffer(capture("setkey/sad.bin"), "linux")
    assert list(read(text).extensions("sec_ctx")) == list(told.extensions("sec_ctx"))


BLOCK = """\
192.0.2.1[4500] 198.51.100.2[4500]
	esp-udp mode=tunnel spi=3237998081(0xc0ffee01) reqid=16385(0x00004001)
	NAT: OAI=10.0.0.1 OAR=10.0.0.2
	E: aes-gcm-16  00010203 04050607 08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f
 20212223
	A: hmac-sha2-256  00010203
	seq=0x00000005 replay=300 flags=0x00000000 state=mature
	created: TIMESTAMP	current: TIMESTAMP
	diff: 75(s)	hard: 3600(s)	soft: 2880(s)
	last:                     	hard: 0(s)	soft: 0(s)
	current: 123456(bytes)	hard: 0(bytes)	soft: 0(bytes)
	allocated: 10	hard: 0	soft: 0
	sadb_seq=2 pid=4242 refcnt=0"""


def test_what_reaches_us_from_consoles() -> None:
    """FreeBSD's form, sanitised times, carriage returns, no line end."""
    (row,) = read(BLOCK.replace("\n", "\r\n"), "freebsd").rows()
    assert (row["encrypt"], row["auth"], row["key_encrypt_bits"]) == ("aes-gcm-icv16", "sha2-256-hmac", 288)
    assert (row["replay"], row["natt_sport"], row["natt_oa"], row["hard_addtime"]) == (2400, 4500, "10.0.0.1", 3600)
    assert row["current_addtime"] == 0


def test_sanitised_numbers_are_0() -> None:
    text = BLOCK.replace("3237998081(0xc0ffee01)", "SPISPI(0xSPISPI)").replace("00010203", "XXXXXXXX")
    (row,) = read(text, "freebsd").rows()
    assert (row["spi"], row["key_encrypt_bits"]) == (0, 0)


@pytest.mark.parametrize("text", ["", "\n", "No SAD entries.\n", "No SAD entries."])
def test_nothing(text: str) -> None:
    assert len(read(text)) == 0


def test_one_bracket_is_a_port_where_the_text_has_ports() -> None:
    natt = BLOCK.replace("	NAT: OAI=10.0.0.1 OAR=10.0.0.2\n", "")
    plain = natt.replace("esp-udp", "esp").replace("4500", "500")
    assert read(natt, "netbsd")["natt_sport"].tolist() == [4500]
    both = read(f"{natt}\n{plain}", "netbsd")
    assert (both["natt_sport"].tolist(), both["src_port"].tolist()) == ([0, 0], [4500, 500])


def test_what_is_no_block_is_told_or_left_out() -> None:
    text = f"some words\n{BLOCK}\n192.0.2.1 no ADDRESS_DST extension.\n192.0.2.1 192.0.2.2\n\tnothing\n"
    with pytest.raises(pf.ScriptError, match="line 1: an address is needed at `some'"):
        read(text, "freebsd")
    table = read(text, "freebsd", on_error="skip")
    assert (len(table), table.skipped) == (1, 3)
    with pytest.raises(pf.ScriptError, match="line 2: an address is needed at `two'"):
        read("\n" + BLOCK.replace("198.51.100.2", "two"), "freebsd")


@given(cut=st.integers(0, len(BLOCK)), width=st.integers(1, 40), filler=st.text(max_size=8))
@settings(max_examples=120)
def test_damaged_text_is_read_or_refused(cut: int, width: int, filler: str) -> None:
    text = BLOCK[:cut] + filler + BLOCK[cut + width :]
    table = read(text, "freebsd", on_error="skip")
    assert len(table) + table.skipped >= 1


def test_no_key_in_an_error() -> None:
    text = re.sub(r"^192.*", "key 0011 0011", BLOCK)
    with pytest.raises(pf.ScriptError) as caught:
        read(text, "freebsd")
    assert "0001" not in str(caught.value)


@pytest.mark.parametrize("line", ["00010203", "00010203 04050607", "0001 0203", "\x1b]0;00010203 x"])
def test_what_is_left_of_a_key_is_in_no_error(line: str) -> None:
    """A continuation that lost the space it begins with looks like the line of addresses of the next block."""
    for text in (f"{BLOCK}{line}\n", f"{line}\n{BLOCK}", BLOCK.replace("198.51.100.2", line.split()[0])):
        try:
            shown = str(len(read(text, "freebsd")))
        except pf.ScriptError as error:
            shown = str(error)
        assert "0001" not in shown
        assert shown.isprintable()
