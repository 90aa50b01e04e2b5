"""The ground truth agrees with itself: index, bytes read by hand, setkey's text, iproute2's text and the timeline.

These tests judge the readers that judge the library. Each fact that two witnesses tell must be told alike by both.
"""

from __future__ import annotations

import pytest

from .groundtruth import answers, byhand, capture, facts, index, policies, policy_facts, setkey, text, xfrm
from .groundtruth.index import EXTENSIONS

RECEIVED = [
    "linux-mixed.bin",
    "linux-mixed-satype2.bin",
    "linux-mixed-satype3.bin",
    "linux-mixed-satype9.bin",
    "linux-policies.bin",
    "linux-policies-with-ro.bin",
    "linux-policies-empty.bin",
    "linux-sad-empty.bin",
    "linux-register-ah.bin",
    "linux-register-esp.bin",
    "linux-register-ipcomp.bin",
    "linux-register-unspec.bin",
    "linux-events.bin",
    "linux-events.sent.bin",
    "linux-errors.bin",
]


@pytest.mark.parametrize("name", RECEIVED)
def test_index_describes_the_bytes(name: str) -> None:
    """Every row's header fields and extensions, in order, are those of the datagram at its offset."""
    data, rows = capture(name), index.read_index(name)
    assert [len(message) for message in byhand.split(data)] == [row.size for row in rows]
    assert sum(row.size for row in rows) == len(data)
    for row in rows:
        message = row.cut(data)
        header = byhand.header(message)
        assert (header.version, header.type, header.satype, header.errno) == (2, row.type, row.satype, row.errno)
        assert (header.seq, header.pid, header.length * 8) == (row.seq, row.pid, row.size)
        listed = [(ext.number, ext.size, ext.faulty) for ext in row.extensions]
        assert listed == [(number, len(ext), False) for number, ext in byhand.extensions(message)]


def test_index_of_the_broken_requests_covers_their_bytes() -> None:
    """linux-errors.sent.bin cannot be walked by length fields, but its rows leave no gap."""
    data, rows = capture("linux-errors.sent.bin"), index.read_index("linux-errors.sent.bin")
    at = 0
    for row in rows:
        assert row.offset == at
        assert byhand.header(row.cut(data)).length * 8 == row.header_length
        at += row.size
    assert at == len(data)


@pytest.mark.parametrize(
    ("name", "printed", "with_ports"),
    [
        ("linux-mixed.bin", "linux-mixed.setkey.txt", False),
        ("setkey/sad.bin", "setkey/sad.txt", False),
        ("setkey/sad.bin", "setkey/sad.ports.txt", True),
    ],
)
def test_setkey_tells_what_the_bytes_tell(name: str, printed: str, with_ports: bool) -> None:
    """Every field that setkey printed is the one in the message, in the order of the dump."""
    messages = byhand.split(capture(name))
    sas = setkey.read_sas(text(printed), with_ports)
    assert len(sas) == len(messages)
    for sa, message in zip(sas, messages, strict=True):
        assert facts.contradictions(facts.of_setkey(sa), facts.through_double(facts.of_message(message))) == {}


def test_the_text_of_the_random_sad_carries_its_seq_and_pid() -> None:
    """setkey printed sad.bin itself, so unlike for the live dump its seq, pid and labels are those of the messages."""
    messages = byhand.split(capture("setkey/sad.bin"))
    for sa, message in zip(setkey.read_sas(text("setkey/sad.txt")), messages, strict=True):
        header, ext = byhand.header(message), byhand.extension(message, EXTENSIONS["SEC_CTX"])
        assert (sa.sadb_seq, sa.pid) == (header.seq, header.pid)
        assert (sa.sec_ctx is None) == (ext is None)
        if sa.sec_ctx and ext:
            algorithm, doi, label = byhand.sec_ctx(ext)
            assert sa.sec_ctx == setkey.PrintedLabel(doi, algorithm, len(label), label.removesuffix(b"\0"))


def test_iproute2_tells_what_the_bytes_tell() -> None:
    """Every SA of `ip xfrm state`, but the two helpers of tunnel-mode IPComp, in the order of the dump."""
    states = xfrm.read_states(text("linux-mixed.xfrm.txt"))
    messages = byhand.split(capture("linux-mixed.bin"))
    assert (len(states), len(messages)) == (53, 53)
    for state, message in zip(states, messages, strict=True):
        assert facts.contradictions(facts.of_xfrm(state), facts.of_message(message)) == {}


def test_setkey_and_iproute2_tell_alike() -> None:
    """The two programs agree on what both print, and the SAs that setkey calls larval have no algorithms yet."""
    states = xfrm.read_states(text("linux-mixed.xfrm.txt"))
    for sa, state in zip(setkey.read_sas(text("linux-mixed.setkey.txt")), states, strict=True):
        told, known = facts.of_setkey(sa), facts.of_xfrm(state)
        common = told.keys() & known.keys()
        assert {"spi", "src", "dst", "mode", "reqid", "replay", "flags", "hard_addtime"} <= common
        assert {name: told[name] for name in common} == {name: known[name] for name in common}
        has_algorithms = any((state.auth, state.enc, state.aead, state.comp))
        assert has_algorithms == (sa.state != setkey.STATES["larval"])


@pytest.mark.parametrize("satype", [2, 3, 9])
def test_dump_of_one_satype_is_its_part_of_the_whole(satype: int) -> None:
    """Apart from seq and pid, and what time changes, the three partial dumps hold the SAs of the whole one."""
    whole = [facts.of_message(message) for message in byhand.split(capture("linux-mixed.bin"))]
    part = [facts.of_message(message) for message in byhand.split(capture(f"linux-mixed-satype{satype}.bin"))]
    for sas in (whole, part):
        for sa in sas:
            del sa["seq"], sa["pid"]
    assert part == [sa for sa in whole if sa["satype"] == satype]


@pytest.mark.parametrize("printed", ["linux-policies.setkey.txt", "linux-policies.setkey-p.txt"])
def test_setkey_tells_the_policies_of_the_dump(printed: str) -> None:
    """Selectors, ids, priorities, times and requests; the policy that setkey cannot print is the one in mode beet."""
    messages = byhand.split(capture("linux-policies.bin"))
    for policy, message in zip(policies.read_policies(text(printed)), messages, strict=True):
        known = policy_facts.of_message(message)
        assert facts.contradictions(policy_facts.of_setkey(policy), known) == {}
        if policy.unprintable:
            assert [request[1] for request in known["requests"]] == [xfrm.MODES["beet"]]


def test_iproute2_tells_the_policies_of_the_dump() -> None:
    """All but the sub policy, in the order of the dump."""
    told = [policy for policy in xfrm.read_policies(text("linux-policies.xfrm.txt")) if policy.ptype == "main"]
    messages = byhand.split(capture("linux-policies.bin"))
    for policy, message in zip(told, messages, strict=True):
        assert facts.contradictions(policy_facts.of_xfrm(policy), policy_facts.of_message(message)) == {}


def test_timeline_tells_what_the_event_socket_heard() -> None:
    """The registered socket's rows of the timeline are the messages of the capture, one to one."""
    heard = [row for row in index.read_timeline("linux-events.timeline.tsv") if row.socket == "mon"]
    rows = index.read_index("linux-events.bin")
    data = capture("linux-events.bin")
    assert len(heard) == len(rows) == 68
    for told, row in zip(heard, rows, strict=True):
        assert told.header == row.cut(data)[:16]
        assert (told.step, told.type, told.satype, told.errno) == (row.note, row.type, row.satype, row.errno)
        assert (told.seq, told.pid, told.size) == (row.seq, row.pid, row.size)
        assert told.extensions == tuple(ext.number for ext in row.extensions)


def test_timeline_tells_what_was_sent() -> None:
    """The SENT rows are the messages of the other capture."""
    sent = [row for row in index.read_timeline("linux-events.timeline.tsv") if row.socket == "SENT"]
    rows = index.read_index("linux-events.sent.bin")
    assert [(row.step, row.type, row.seq, row.size) for row in sent] == [
        (row.note, row.type, row.seq, row.size) for row in rows
    ]


def test_table_of_answers_names_the_cases_of_the_index() -> None:
    """Every request of linux-errors.sent.bin has its line in linux-errors.md, which alone has sends under 16 bytes."""
    cases = answers.understood()
    notes = {row.note for row in index.read_index("linux-errors.sent.bin")}
    assert len(notes) == 224
    assert notes <= cases.keys()
    assert {"0 bytes", "8 bytes (half a header)", "15 bytes"} <= cases.keys() - notes
    assert cases["well-formed ADD"]
    assert cases["second ADD, same dst/proto/spi"]
    assert not cases["len field 0"]
    assert not cases["duplicate SA ext"]
