"""Made-up dumps: as a Linux kernel shows them, sensible in their numbers, and the same for the same seed."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from corpus.groundtruth import byhand
from corpus.groundtruth.facts import of_message

from fastpfkey import spec
from fastpfkey.columns.associations import SATable
from fastpfkey.columns.synthetic import NOW, PID, SHAPES, synthetic
from fastpfkey.spec import tables
from fastpfkey.spec.terms import CompressAlgorithm, Mode, SAState, SAType
from fastpfkey.wire.decode import decode

from .support import INTERNAL, MIXED, expected

COUNT = 20_000
DUMP = synthetic(COUNT, byteorder="little")
TABLE = SATable.from_buffer(DUMP, "linux", byteorder="little", keys=True, strict=True)
SOME = byhand.split(DUMP[: int(TABLE["message_offset"][2000])].tobytes())
KEYS = (8, 9)


def test_messages_are_built_as_the_kernel_builds_them() -> None:
    """Extensions come in the order of a capture, none of a length that was not captured."""
    captured = [list(byhand.extensions(message)) for message in byhand.split(MIXED)]
    order = [number for number, _ in max(captured, key=len)]
    assert len(order) == 13
    sizes = {(number, len(body)) for message in captured for number, body in message if number not in KEYS}
    for message in SOME:
        found = [(number, len(body)) for number, body in byhand.extensions(message)]
        numbers = [number for number, _ in found]
        assert numbers == [number for number in order if number in numbers]
        assert {item for item in found if item[0] not in KEYS} <= sizes


def test_fields_that_are_the_same_in_every_capture_are_so_here() -> None:
    """The prefix lengths of hosts, the PROXY of any source, no refcount, no ports, one kind of UDP encapsulation."""
    names = "version refcount src_proto src_port proxy_prefixlen proxy_proto natt_type sa2_seq src_scope flags".split()
    real = [of_message(message) for message in byhand.split(MIXED)]
    told = {name: {facts[name] for facts in real if name in facts} for name in names}
    for message in SOME:
        for name, value in of_message(message).items():
            assert name not in told or value in told[name], name
    assert set(TABLE["src_prefixlen"][TABLE["src_family"] == 4].tolist()) == {32}
    assert set(TABLE["dst_prefixlen"][TABLE["dst_family"] == 6].tolist()) == {128}


def test_every_column_is_what_the_bytes_say() -> None:
    facts = [of_message(message) for message in SOME]
    for column in tables.ASSOCIATIONS.columns:
        if column.name not in INTERNAL and column.name not in ("message_offset", "other_extensions"):
            assert TABLE[column.name][:2000].tolist() == [expected(told, column) for told in facts], column.name
    assert TABLE.key_bytes("auth")[:2000] == [told["key_auth"] for told in facts]


def test_reserved_bytes_and_padding_are_zero() -> None:
    for message in decode(DUMP, "linux", "little")[:1000]:
        assert message.encode() == message.raw


def test_the_dump_is_counted_as_a_kernel_counts() -> None:
    """R-3.1.10"""
    assert TABLE["seq"].tolist() == [*range(1, COUNT), 0]
    assert set(TABLE["pid"].tolist()) == {PID}
    assert SATable.from_buffer(synthetic(1), "linux")["seq"].tolist() == [0]
    assert len(synthetic(0)) == 0


def test_an_spi_names_one_association() -> None:
    other = TABLE[TABLE["satype"] != SAType.IPCOMP]
    assert len(np.unique(other["spi"])) == len(other)
    assert other["spi"].min() > 255
    cpis = TABLE[TABLE["satype"] == SAType.IPCOMP]["spi"]
    assert 255 < cpis.min() <= cpis.max() < 61440


def test_times_and_states_agree() -> None:
    """Newest first; DYING past the soft limit and MATURE before it; nothing past its hard limit."""
    age = NOW - TABLE["current_addtime"].astype(np.int64)
    assert (np.diff(age) >= 0).all()
    assert (age < TABLE["hard_addtime"]).all()
    larval = TABLE["state"] == SAState.LARVAL
    past_soft = (age >= TABLE["soft_addtime"].astype(np.int64)) & ~larval
    assert np.array_equal(TABLE["state"] == SAState.DYING, past_soft)
    assert (TABLE["soft_addtime"] < TABLE["hard_addtime"]).all()
    assert 0.03 < past_soft.mean() < 0.3
    used = TABLE["current_usetime"] > 0
    assert (TABLE["current_usetime"] >= TABLE["current_addtime"])[used].all()
    assert (TABLE["current_usetime"] <= NOW).all()
    assert np.array_equal(used, TABLE["current_allocations"] > 0)
    assert np.array_equal(used, TABLE["current_bytes"] > 0)


def test_counters_are_below_their_limits() -> None:
    limited = TABLE[TABLE["hard_bytes"] > 0]
    assert 0.05 < len(limited) / COUNT < 0.2
    assert (limited["current_bytes"] < limited["soft_bytes"]).all()
    assert (limited["soft_bytes"] < limited["hard_bytes"]).all()
    assert not TABLE["soft_bytes"][TABLE["hard_bytes"] == 0].any()


def test_larval_associations_are_bare() -> None:
    larval = TABLE[TABLE["state"] == SAState.LARVAL]
    assert len(larval)
    for name in ("auth", "encrypt", "key_auth_bits", "proxy_family", "replay", "current_usetime", "soft_addtime"):
        assert not larval[name].any()
    assert set(larval["hard_addtime"].tolist()) == {30}


def test_the_mix_is_that_of_a_gateway() -> None:
    assert 270 < len(DUMP) / COUNT < 290
    kinds = {
        name: dict(zip(*np.unique(TABLE[name], return_counts=True), strict=True))
        for name in ("satype", "mode", "src_family")
    }
    assert kinds["satype"][SAType.ESP] > 0.9 * COUNT
    assert set(kinds["satype"]) == {SAType.AH, SAType.ESP, SAType.IPCOMP}
    assert kinds["mode"][Mode.TUNNEL] > kinds["mode"][Mode.TRANSPORT] > 0
    assert kinds["src_family"][4] > kinds["src_family"][6] > 0
    assert 0.1 < (TABLE["natt_type"] > 0).mean() < 0.3
    hidden = (TABLE["satype"] == SAType.ESP) & (TABLE["encrypt"] == 0) & (TABLE["state"] != SAState.LARVAL)
    assert 0.1 < hidden.mean() < 0.3
    assert set(TABLE["encrypt"][TABLE["satype"] == SAType.IPCOMP].tolist()) == {CompressAlgorithm.DEFLATE}
    assert {128, 160, 256, 384, 512} <= set(TABLE["key_auth_bits"].tolist())
    keys = [key for key in TABLE.key_bytes("encrypt") if key]
    assert len(set(keys)) == len(keys)


def test_all_shapes_are_there_and_mixed() -> None:
    """No message is like its neighbours often enough to be guessed."""
    shapes = list(zip(*(TABLE[name].tolist() for name in ("message_length", "present", "encrypt")), strict=True))
    assert len(set(shapes)) >= len(SHAPES) - 1
    assert np.mean([one == other for one, other in itertools.pairwise(shapes)]) < 0.2


def test_both_ends_are_told_apart() -> None:
    """One is the gateway, the other a peer; peers are many."""
    v4 = TABLE[TABLE["src_family"] == 4]
    gateway_first = v4["src"][:, 12] == 192
    assert 0.4 < gateway_first.mean() < 0.6
    assert ((v4["dst"][:, 12] == 10) == gateway_first).all()
    assert len(np.unique(v4["dst"][gateway_first], axis=0)) > 0.9 * gateway_first.sum()


def test_the_seed_decides() -> None:
    assert np.array_equal(synthetic(300, seed=5), synthetic(300, seed=5))
    assert not np.array_equal(synthetic(300, seed=5)[:1000], synthetic(300, seed=6)[:1000])


def test_when_it_was_taken_moves_times_alone() -> None:
    there, later = (SATable.from_buffer(synthetic(300, now=NOW + past), "linux", keys=True) for past in (0, 1000))
    for name in ("current_addtime", "current_usetime"):
        assert np.array_equal(later[name], there[name] + 1000 * (there[name] > 0).astype(np.uint64))
    assert {name for name in there.columns if not np.array_equal(there[name], later[name])} == {
        "current_addtime",
        "current_usetime",
    }


def test_nothing_is_in_the_future() -> None:
    assert time.time() > NOW


def test_arguments_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        synthetic(-1)
    with pytest.raises(ValueError, match="plan9"):
        synthetic(1, dialect="plan9")


@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("name", spec.DIALECTS)
def test_other_dialects_show_the_same_kinds_of_associations(name: str, byteorder: str) -> None:
    dump = synthetic(3000, dialect=name, byteorder=byteorder)
    table = SATable.from_buffer(dump, name, byteorder=byteorder, strict=True)
    assert len(table) == 3000
    assert set(table["src_family"].tolist()) == {4, 6}
    assert {SAState.MATURE, SAState.DYING} <= set(table["state"].tolist())
    assert SAType.ESP in table["satype"].tolist()
    assert set(table["dst_prefixlen"][~table.null("dst_prefixlen")].tolist()) in ({32, 128}, set())
    assert {0, 32} == set(table["replay"].tolist())
    assert table["spi"].min() > 255
