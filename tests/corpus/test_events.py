"""linux-events: what a socket registered for AH, ESP and IPComp heard while another one worked, against the timeline.

68 messages: replies and broadcasts of ADD, UPDATE, DELETE, FLUSH and the policy messages, ACQUIREs with and without
combinations, EXPIREs of larval and used SAs, a moved NAT mapping, and what netlink did. And what the other socket sent.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

import fastpfkey as pf

from . import decoded
from .groundtruth import byhand, capture, facts, policy_facts
from .groundtruth.index import EXTENSIONS, MESSAGES, TimelineRow, read_timeline

HEARD, SENT = "linux-events.bin", "linux-events.sent.bin"

both_captures = pytest.mark.parametrize("name", [HEARD, SENT])


def timeline(socket: str) -> list[TimelineRow]:
    return [row for row in read_timeline("linux-events.timeline.tsv") if row.socket == socket]


def heard(step: str, message_type: str) -> list[Any]:
    """The messages of one type heard in one step of the timeline."""
    batch = pf.decode(capture(HEARD), dialect="linux", byteorder="little")
    rows = timeline("mon")
    return [batch[i] for i, row in enumerate(rows) if (row.step, row.type) == (step, MESSAGES[message_type])]


@pytest.mark.parametrize(("name", "socket", "count"), [(HEARD, "mon", 68), (SENT, "SENT", 59)])
def test_the_timeline_said_so(name: str, socket: str, count: int) -> None:
    """Type, satype, errno, seq, pid, length and the extensions in their order, message by message."""
    batch = pf.decode(capture(name), dialect="linux", byteorder="little")
    rows = timeline(socket)
    assert len(batch) == len(rows) == count
    for message, row in zip(batch, rows, strict=True):
        assert (message.type, message.satype) == (row.type, facts.canonical_satype(row.satype))
        assert message.errno == row.errno
        assert (message.seq, message.pid, message.length) == (row.seq, row.pid, row.size)
        assert tuple(ext.exttype for ext in message.extensions) == row.extensions


@both_captures
@pytest.mark.parametrize("road", [decoded.associations_from_messages, decoded.associations_from_table])
def test_the_bytes_say_so(name: str, road: decoded.Road) -> None:
    """Every column of the SA table for messages of every type, most of which lack most extensions."""
    data = capture(name)
    for message, known in zip(byhand.split(data), road(data), strict=True):
        assert facts.contradictions(facts.canonical(facts.of_message(message)), known) == {}


@both_captures
def test_policies_are_as_the_bytes_say(name: str) -> None:
    """Policies of ACQUIRE and the SPD messages, with their requests."""
    count = 0
    for message, raw in zip(
        pf.decode(capture(name), dialect="linux", byteorder="little"), byhand.split(capture(name)), strict=True
    ):
        if byhand.extension(raw, EXTENSIONS["POLICY"]) is None:
            assert message.policy is None
            continue
        told = facts.canonical(policy_facts.of_message(raw))
        assert facts.contradictions(told, decoded.policy(message)) == {}
        count += 1
    assert count == {HEARD: 22, SENT: 13}[name]


def test_acquire_proposes_every_combination() -> None:
    """56 pairs of ESP algorithms and 7 of AH, all fields, against the bytes (R-2.3.7-01)."""
    for step, count in (("udp to port 5555 -> ACQUIRE with combs", 56), ("udp to port 5556 -> ACQUIRE with combs", 7)):
        (message,) = heard(step, "ACQUIRE")
        raw = capture(HEARD)[message.offset : message.offset + message.length]
        ext = byhand.extension(raw, EXTENSIONS["PROP"])
        assert ext is not None
        told = [
            (
                *(comb.auth, comb.encrypt, comb.flags),
                *(comb.auth_minbits, comb.auth_maxbits, comb.encrypt_minbits, comb.encrypt_maxbits),
                *(comb.soft_allocations, comb.hard_allocations, comb.soft_bytes, comb.hard_bytes),
                *(comb.soft_addtime, comb.hard_addtime, comb.soft_usetime, comb.hard_usetime),
            )
            for comb in message.proposal.combinations
        ]
        assert told == byhand.combinations(ext)
        assert len(told) == count
        assert message.proposal.replay == 32
        # A combination's lifetimes are the same constants of af_key.c in each: 20 h and 24 h, 7 h and 8 h.
        assert {comb[-4:] for comb in told} == {(72000, 86400, 25200, 28800)}


def test_acquire_without_algorithms() -> None:
    """For a template that PF_KEY made, the kernel proposes nothing; for IPComp it does not even send the extension."""
    (message,) = heard("ping -> ACQUIRE", "ACQUIRE")
    assert (message.proposal.combinations, message.proposal.replay) == ((), 32)
    (message,) = heard("udp to port 5557 -> ACQUIRE with combs", "ACQUIRE")
    assert message.proposal is None


def test_expire_tells_which_lifetime_ran_out() -> None:
    """The soft EXPIRE carries SOFT and the hard one HARD, never both, and always CURRENT (3.1.8)."""
    soft, hard = heard("add with soft 1 s hard 2 s", "EXPIRE")
    assert (soft.lifetime_hard, hard.lifetime_soft) == (None, None)
    assert (soft.lifetime_soft.addtime, hard.lifetime_hard.addtime) == (1, 2)
    assert soft.sa.state == pf.SAState.DYING
    assert hard.lifetime_current.addtime == soft.lifetime_current.addtime > 0


def test_byte_limits_run_out_by_traffic() -> None:
    """Soft at 100 bytes and hard at 300, with the bytes that had passed."""
    soft, hard, *_ = heard("ping x8 -> byte expiry", "EXPIRE")
    assert (soft.lifetime_soft.bytes, hard.lifetime_hard.bytes) == (100, 300)
    assert soft.lifetime_current.bytes >= 100
    assert hard.lifetime_current.bytes >= 300
    assert soft.lifetime_current.usetime > 0


def test_nat_mapping_moves_from_the_old_port_to_the_new() -> None:
    """The peer's packets came from 4999 instead of 4500: old end as source, new end as destination."""
    for message in heard("peer: outbound SA with sport 4999 + policy", "X_NAT_T_NEW_MAPPING"):
        assert message.sa.spi == 0x9001
        assert message.address_src.ip == message.address_dst.ip == ip_address("10.9.0.2")
        assert (message.natt_sport.port, message.natt_dport.port) == (4500, 4999)


def test_getspi_asks_for_a_range() -> None:
    """The three ranges sent, which are in host order although they are SPIs (R-2.3.9-01)."""
    batch = pf.decode(capture(SENT), dialect="linux", byteorder="little")
    ranges = [(message.spirange.min, message.spirange.max) for message in batch if message.spirange]
    assert ranges == [(0x1000, 0x1FFF), (0x2000, 0x2000), (0x100, 0xEFF)]


def test_migrate_carries_two_pairs_of_ends() -> None:
    """One request with the old ends, one with the new; the reply here is an error without them."""
    batch = pf.decode(capture(SENT), dialect="linux", byteorder="little")
    (policy,) = [decoded.policy(message) for message in batch if message.type == pf.MessageType.MIGRATE]
    ends = [(str(src[0]), str(dst[0])) for *_, src, dst in policy["requests"]]
    assert ends == [("10.9.0.1", "10.9.0.2"), ("10.9.0.1", "10.9.0.3")]
