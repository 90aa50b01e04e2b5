"""Scripts: the messages that setkey was seen to send, and what is refused because setkey should not have sent it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.setkey.names import Numeric
from fastpfkey.setkey.rules import Command, Rules
from fastpfkey.setkey.script import script
from fastpfkey.setkey.words import FREEBSD, IPSEC_TOOLS

from .support import recorded


class Names(Numeric):
    """The names of the machine on which the vectors were recorded, and a host with several addresses."""

    def hosts(self, name: str) -> list[IPv4Address | IPv6Address]:
        known = {"localhost": ["127.0.0.1"], "both": ["192.0.2.1", "192.0.2.2", "2001:db8::1"]}
        return [ip_address(text) for text in known[name]]

    def service(self, name: str) -> int:
        return {"http": 80}[name]

    def interface(self, name: str) -> int:
        return {"eth0": 7}[name]


def read(text: str, dialect: str = "linux", **how: object) -> list[Command]:
    variant = FREEBSD if dialect == "freebsd" else IPSEC_TOOLS
    rules = {"variant": variant, "names": Names(), **how}
    return list(script(text, Rules(spec.dialect(dialect), **rules)))  # type: ignore[arg-type]


def sent(text: str, dialect: str = "linux", **how: object) -> list[pf.Message]:
    return [message for command in read(text, dialect, **how) for message in command.messages]


def refusal(text: str, dialect: str = "linux", **how: object) -> pf.ScriptError:
    with pytest.raises(pf.ScriptError) as caught:
        read(text, dialect, **how)
    return caught.value


class Vector(NamedTuple):
    """What setkey did with a line."""

    line: str
    told: str
    status: int
    messages: list[tuple[str, str]]


def vectors() -> Iterator[Vector]:
    for line in recorded("setkey/build_vectors.tsv").splitlines():
        if line.count("\t") == 3:
            text, told, status, messages = line.split("\t")
            yield Vector(text, told, int(status), [tuple(item.split(":")) for item in messages.split()])  # type: ignore[misc]


VECTORS = list(vectors())

SAFER = {
    "add 1.1.1.1 2.2.2.2 esp 0x100 -E des-cbc 0x123456789abcdef -A hmac-md5 0x0;": (
        "a key of 8 bits where 128 are needed",
        63,
    ),
    "add 1.1.1.1 2.2.2.2 esp 0x100000000 -E null;": ("a number above 4294967295", 25),
    "flush esp; flush ah; flush ipcomp; flush tcp;": ("linux has no such associations", 42),
    "add 1.1.1.1 2.2.2.2 ipcomp 100000 -C deflate -R;": ("a compression parameter index above 65535", 38),
}
"""Lines that setkey takes and that are refused here, with the reason and the column."""


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.line[:60] for vector in VECTORS])
@pytest.mark.parametrize("compat", [True, False], ids=["compat", "safe"])
def test_vectors(vector: Vector, compat: bool) -> None:
    if not compat and vector.line in SAFER:
        found = refusal(vector.line)
        assert (found.reason, found.column) == SAFER[vector.line]
    elif vector.status:
        found = refusal(vector.line, compat=compat)
        said = re.search(r"1: (.*?) at `(.*?)'", vector.told)
        if said is not None and "syntax" not in said[1]:
            assert found.reason == said[1]
    else:
        commands = read(vector.line, compat=compat)
        messages = [(m.type.name, m.encode(byteorder="little").hex()) for c in commands for m in c.messages]
        assert messages == vector.messages
        warnings = [warning for command in commands for warning in command.warnings]
        assert warnings == re.findall(r"WARNING: [^|]*?at `[^']*'", vector.told)


def test_there_are_as_many_vectors_as_recorded() -> None:
    assert len(VECTORS) == 46
    assert {vector.line for vector in VECTORS} >= SAFER.keys()


@pytest.mark.parametrize("name", ["linux-mixed.cf", "linux-policies.cf"])
def test_the_scripts_that_made_the_captures(name: str) -> None:
    """The kernel took every line of them."""
    text = recorded(name)
    statements = [part for part in re.sub(r"#.*", "", text).split(";") if part.strip()]
    assert len(read(text)) == len(statements)
    for message in sent(text):
        assert pf.decode(message.encode(), "linux")[0] == message


class TestRefused:
    """Where setkey is dangerous or wrong, and what it does with --compat."""

    def test_a_prefix_longer_than_its_address(self) -> None:
        line = "spdadd 1.1.1.1/33 2.2.2.2 any -P out none;"
        assert (refusal(line).reason, refusal(line).token) == ("a prefix longer than the address", "1.1.1.1/33")
        (message,) = sent(line, compat=True)
        assert message.address_src.prefixlen == 33  # type: ignore[union-attr]

    def test_a_replay_window_that_would_be_cut(self) -> None:
        line = "add 1.1.1.1 2.2.2.2 esp 256 -r 300 -E null;"
        assert refusal(line).reason == "a number above 255"
        (message,) = sent(line, compat=True)
        assert message.sa.replay == 44  # type: ignore[union-attr]

    def test_a_priority_out_of_its_range(self) -> None:
        line = "spdadd 1.1.1.1 2.2.2.2 any -P out prio high + 1073741824 none;"
        assert "1073741823 away" in refusal(line).reason
        (message,) = sent(line, compat=True)
        assert message.policy.priority == 0  # type: ignore[union-attr]

    def test_requests_of_a_policy_that_has_none(self) -> None:
        line = "spdadd 1.1.1.1 2.2.2.2 any -P out none esp/transport//use;"
        assert refusal(line).token == "esp/transport//use"

    @pytest.mark.parametrize(
        "line",
        [
            'add 1.1.1.1 2.2.2.2 esp 256 -E aes-cbc "topsecretword";',
            "add 1.1.1.1 2.2.2.2 esp 256 -E aes-cbc topsecretword;",
            'add 1.1.1.1 2.2.2.2 esp 256 -E "topsecretword";',
            "add 1.1.1.1 2.2.2.2 esp 256 -E aes-cbc 0x70707365637265740;",
            'add 1.1.1.1 2.2.2.2 esp 256 -E null "topsecretword";',
            "add 1.1.1.1 2.2.2.2 esp 256 -A hmac-md5 0xtopsecretword;",
            'add 1.1.1.1 2.2.2.2 esp 256 -E aes-cbc "topsecretword;',
        ],
    )
    @pytest.mark.parametrize("compat", [True, False])
    def test_keys_show_in_no_error(self, line: str, compat: bool) -> None:
        told = [read(line, compat=compat)] if _error(line, compat=compat) is None else [refusal(line, compat=compat)]
        assert "topsecret" not in repr(told) + str(told[0])
        assert "7365637265740" not in repr(told) + str(told[0])

    def test_places_are_told(self) -> None:
        text = "flush;\n# a comment; with semicolons\nadd 1.1.1.1\n   2.2.2.2 esp bad -E null;"
        found = refusal(text)
        assert str(found) == "line 4, column 16: syntax error at `bad'"

    def test_what_another_system_has_no_room_for(self) -> None:
        line = "spdadd 1.1.1.1 2.2.2.2 any -P out ipsec esp/transport//unique:70000;"
        assert "reqid" in refusal(line, "freebsd").reason
        assert sent(line)

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("spdadd 1.1.1.1 2.2.2.2 any -P sideways none;", "Invalid direction"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P out maybe;", "Invalid policy"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P ;", "Too few arguments"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P out ipsec tcp/transport//use;", "Invalid ipsec protocol"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P out ipsec esp/teleport//use;", "Invalid ipsec mode"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P out ipsec esp/transport//often;", "Invalid ipsec level"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P out ipsec esp/transport//use:5;", "Invalid ipsec level"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P out ipsec esp/tunnel//use;", "Invalid address specification"),
            ("spdadd 1.1.1.1 2.2.2.2 any -P out ipsec esp/tunnel/1.1.1.1-::1/use;", "Family mismatch"),
            ('spdadd tagged "x" -P out none;', "tags are no part of this grammar"),
            ("spdadd 1.1.1.1 2.2.2.2 nosuch -P out none;", "an unknown protocol"),
            ("spdadd nosuch 2.2.2.2 any -P out none;", "an unknown host"),
            ("get -n localhost 2.2.2.2 esp 256;", "a numeric address is needed"),
            ("get -6 1.1.1.1 2.2.2.2 esp 256;", "no address of this family"),
            ("get fe80::1%nosuch fe80::2 esp 256;", "an unknown interface"),
            ("add 1.1.1.1 2.2.2.2 esp 256 -E des-deriv 0x0011223344556677;", "algorithm mismatched"),
            ("add 1.1.1.1 2.2.2.2 esp 256;", "syntax error"),
            ("update 1.1.1.1 2.2.2.2 esp 256 -E null;", "syntax error"),
            ("flush", "syntax error"),
        ],
    )
    def test_reasons(self, line: str, reason: str) -> None:
        assert refusal(line).reason == reason


class TestStatements:
    def test_a_name_with_several_addresses_is_each_pair_of_a_family(self) -> None:
        found = sent("get both both esp 256;")
        ends = [(str(m.address_src.ip), str(m.address_dst.ip)) for m in found]  # type: ignore[union-attr]
        four = ("192.0.2.1", "192.0.2.2")
        assert ends == [*((a, b) for a in four for b in four), ("2001:db8::1", "2001:db8::1")]
        assert len(sent("get -4 both both esp 256;")) == 4
        assert len(sent("get -6 both both esp 256;")) == 1

    def test_zones(self) -> None:
        (named,) = sent("get fe80::1%eth0 fe80::2%3 esp 256;")
        assert (named.address_src.scope, named.address_dst.scope) == (7, 3)  # type: ignore[union-attr]

    def test_exit_ends_a_script(self) -> None:
        assert [command.verb for command in read("flush; quit; nonsense")] == ["flush"]

    def test_lines_are_told(self) -> None:
        assert [command.line for command in read("flush;\n\nspdflush;dump\nesp;")] == [1, 3, 3]

    def test_incoming_policies_are_sent_for_forwarded_packets_too(self) -> None:
        line = "spdadd 1.1.1.1 2.2.2.2 any -P in ipsec esp/transport//unique:7 ah/transport//unique:8;"
        first, second = (message.policy for message in sent(line))
        assert (first.dir, second.dir) == (pf.Direction.IN, pf.Direction.FWD)  # type: ignore[union-attr]
        assert [(r.level, r.reqid) for r in second.requests] == [  # type: ignore[union-attr]
            (pf.Level.REQUIRE, 0),
            (pf.Level.UNIQUE, 8),
        ]
        assert len(sent(line, forward=False)) == 1
        assert len(sent(line, "netbsd")) == 1

    def test_deleteall_is_one_request_where_systems_have_one(self) -> None:
        line = "deleteall both 192.0.2.9 esp;"
        (command,) = read(line)
        assert [message.type for message in command.messages] == [pf.MessageType.DUMP]
        assert command.between is not None
        assert len(command.between[1]) == 2
        (command,) = read(line, "freebsd")
        assert command.between is None
        assert [(m.type, m.sa) for m in command.messages] == [(pf.MessageType.DELETE, None)] * 2

    def test_esp_udp_without_an_original_address(self) -> None:
        (message,) = sent("add 1.1.1.1[500] 2.2.2.2[61234] esp-udp 256 -E null;")
        assert message.natt_oa is None
        assert (message.natt_sport.port, message.natt_dport.port) == (500, 61234)  # type: ignore[union-attr]

    def test_the_old_kinds(self) -> None:
        (message,) = sent("add 1.1.1.1 2.2.2.2 esp-old 256 -E des-32iv 0x0011223344556677;")
        assert message.sa.flags == 0x51  # type: ignore[union-attr]


class TestFreeBSD:
    """As described; a running FreeBSD was not asked."""

    def test_wide_windows_and_their_unit(self) -> None:
        line = "add 1.1.1.1 2.2.2.2 esp 256 -r {} -E aes-gcm-16 0x000102030405060708090a0b0c0d0e0f10111213;"
        (narrow,), (wide,) = sent(line.format(32), "freebsd"), sent(line.format(300), "freebsd")
        assert (narrow.sa.replay, narrow.sa_replay) == (256, None)  # type: ignore[union-attr]
        assert (wide.sa.replay, wide.sa_replay.replay) == (255 * 8, 2400)  # type: ignore[union-attr]

    def test_traversal(self) -> None:
        line = "add 1.1.1.1 2.2.2.2 esp 256 -esn -natt 10.0.0.1[4500] 10.0.0.2[500] -natt_mtu 1400 -hwif ix0 -E null;"
        (message,) = sent(line, "freebsd")
        names = [extension.exttype.name for extension in message.extensions]
        assert (
            names
            == (
                "KEY_ENCRYPT SA SA2 NATT_TYPE NATT_OA NATT_SPORT NATT_OAR NATT_DPORT NATT_FRAG IF_HW_OFFLOAD "
                "ADDRESS_SRC ADDRESS_DST"
            ).split()
        )
        assert message.sa.flags == 0x440  # type: ignore[union-attr]

    def test_tcp_md5(self) -> None:
        (message,) = sent('add 1.1.1.1 2.2.2.2 tcp 0x1000 -A tcp-md5 "password";', "freebsd")
        assert (message.satype, message.sa.auth) == (pf.SAType.TCPSIGNATURE, pf.AuthAlgorithm.TCP_MD5)  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        "line",
        [
            "add 1.1.1.1[5] 2.2.2.2 esp 256 -E null;",
            "getspi 1.1.1.1 2.2.2.2 esp 256;",
            "spdupdate 1.1.1.1 2.2.2.2 any -P out none;",
            "quit;",
            "add 1.1.1.1 2.2.2.2 esp-udp 256 -E null;",
            "add 1.1.1.1 2.2.2.2 esp 256 -bh 5 -E null;",
            'add 1.1.1.1 2.2.2.2 esp 256 -E 3des-cbc "012345678901234567890123";',
        ],
    )
    def test_what_it_has_not(self, line: str) -> None:
        assert refusal(line, "freebsd").reason == "syntax error"


PIECES = st.sampled_from(
    """
    add get delete deleteall flush spdadd spddelete spdupdate dump 1.1.1.1 ::1 10.0.0.0/8 /33 esp ah tcp ipcomp
    esp-udp any -P in out ipsec none esp/transport//use esp/tunnel/1.1.1.1-2.2.2.2/unique:5 prio high + - 5 -E -A null
    -C aes-cbc hmac-md5 deflate -r -m -f -lh 300 0x100 0x1 icmp 8,0 gre 1.2.3.4 -ctx -4 -n -46 [80] [any] [ ] % # " ; ;
    """.split()
)


@given(words=st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=20), compat=st.booleans())
@settings(max_examples=300)
def test_any_text_is_read_or_refused(words: list[str], compat: bool) -> None:
    text = " ".join(words)
    for dialect in ("linux", "freebsd", "openbsd"):
        error = _error(text, dialect, compat)
        assert error is None or 1 <= error.line <= text.count("\n") + 1


def _error(text: str, dialect: str = "linux", compat: bool = False) -> pf.ScriptError | None:
    """What is wrong with a script; its messages are encoded if nothing is."""
    try:
        messages = sent(text, dialect, compat=compat)
    except pf.ScriptError as error:
        return error
    assert all(message.encode() for message in messages)
    return None


def test_nothing_is_sent_for_an_empty_script() -> None:
    assert read("") == read(" ; # nothing\n;") == []
