"""Dumps through a client: whole, disturbed, refused, stalled and cut. Every test is of both kinds of client."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.transport.answering import AnsweringEndpoint
from fastpfkey.transport.endpoint import Role
from fastpfkey.wire.message import Message

from .fake import EBUSY, EINVAL, LINUX, FakeEndpoint, FakeEngine

Type = pf.MessageType


def fill(engine: FakeEngine, count: int) -> None:
    for spi in range(0x1000, 0x1000 + count):
        source = "10.1.0.1" if spi % 2 else "2001:db8::1"
        target = f"10.0.{spi % 4}.2" if spi % 2 else "2001:db8::2"
        request = pf.requests.add("ah", spi, source, target, auth="sha1-hmac", auth_key=bytes(20), dialect=LINUX)
        engine.table[pf.SAType.AH, spi] = request


class Answers:
    """A source whose dumps are answered with given bytes."""

    name = "answers"

    def __init__(self, dialect: str, answer: bytes, pid: int = 4711) -> None:
        self.dialect = spec.dialect(dialect)
        self.answer, self.pid = answer, pid

    def open_endpoint(self, role: Role) -> AnsweringEndpoint:
        return AnsweringEndpoint(lambda request: memoryview(self.answer), self.pid)


def test_a_table_as_large_as_it_gets(connect: Callable[..., Any]) -> None:
    """The bytes of the answer, wherever the memory had to grow, and the progress that was made."""
    answer = synthetic(50_000).tobytes()
    seen: list[int] = []
    table = connect(Answers("linux", answer)).dump(progress=seen.append, keys=True, threads=2)
    expected = pf.SATable.from_buffer(answer, "linux", keys=True)
    assert (table.complete, table.missing, table.error, table.faults) == (True, 0, None, ())
    for name in set(expected.columns):
        assert (table[name] == expected[name]).all(), name
    assert table.key_bytes("auth") == expected.key_bytes("auth")
    assert seen == sorted(seen)
    assert seen[-1] == 50_000
    assert len(seen) > 1


@pytest.mark.parametrize("name", ["linux", "freebsd", "openbsd", "illumos"])
def test_demo_tables_of_every_system(connect: Callable[..., Any], name: str) -> None:
    """A made-up table is counted and ended as the system does it."""
    table = connect("demo:200", dialect=name).dump("esp")
    assert (table.complete, table.missing) == (True, 0)
    assert set(table["satype"].tolist()) == {pf.SAType.ESP}
    assert table.dialect.name == name


def test_what_else_is_heard_is_left_out(client: Any, engine: FakeEngine) -> None:
    fill(engine, 50)

    def disturb(endpoint: FakeEndpoint, request: Message) -> bool:
        first = next(iter(engine.table.values()))
        engine.event(Type.ADD, first.sa, first.address_src)
        engine.on_dump(endpoint, request)
        queue = list(endpoint.queue)
        endpoint.queue.clear()
        event = first.replace(seq=9, pid=815).encode()
        endpoint.queue.extend(item for pair in zip(queue, [event] * len(queue), strict=True) for item in pair)
        return True

    engine.before = disturb
    table = client.dump()
    assert table["spi"].tolist() == list(range(0x1000, 0x1000 + 50))
    assert (table.complete, table.missing) == (True, 0)


def test_a_busy_socket_is_asked_again(client: Any, engine: FakeEngine) -> None:
    fill(engine, 3)
    refusals = [EBUSY, EBUSY]

    def refuse(endpoint: FakeEndpoint, request: Message) -> bool:
        if refusals:
            engine.tell(request.replace(errno=refusals.pop()), [endpoint])
            return True
        return False

    engine.before = refuse
    assert len(client.dump()) == 3
    assert engine.live == []
    refusals += [EBUSY] * 99
    with pytest.raises(pf.ReplyError, match=r"DUMP: EBUSY \(16\): another dump is under way"):
        client.dump()


def test_a_dump_that_lost_something_is_made_again(client: Any, engine: FakeEngine) -> None:
    fill(engine, 10)
    dumps = []

    def drop(endpoint: FakeEndpoint, request: Message) -> bool:
        dumps.append(request.seq)
        engine.on_dump(endpoint, request)
        if len(dumps) == 1:
            del endpoint.queue[3], endpoint.queue[3]
        return True

    engine.before = drop
    table = client.dump(attempts=1)
    assert (len(table), table.complete, table.missing) == (8, False, 2)
    dumps.clear()
    table = client.dump()
    assert (len(table), table.complete, table.missing) == (10, True, 0)
    assert len(set(dumps)) == 2


@pytest.mark.parametrize("probe_answers", [True, False])
def test_a_dump_without_an_end_does_not_hang(client: Any, engine: FakeEngine, probe_answers: bool) -> None:
    """The reply to something else behind it shows that no end will come; without one a second silence does."""
    fill(engine, 10)

    def cut(endpoint: FakeEndpoint, request: Message) -> bool:
        if request.type is Type.DUMP:
            engine.on_dump(endpoint, request)
            endpoint.queue.pop()
            return True
        return not probe_answers

    engine.before = cut
    table = client.dump(timeout=0.05, attempts=1)
    assert (len(table), table.complete, table.missing) == (9, False, None)
    assert [request.type for _, request in engine.requests] == [Type.DUMP, Type.GET]


def test_a_dump_that_only_paused_is_whole(client: Any, engine: FakeEngine) -> None:
    fill(engine, 10)
    held: list[bytes | None] = []

    def stall(endpoint: FakeEndpoint, request: Message) -> bool:
        if request.type is Type.DUMP:
            engine.on_dump(endpoint, request)
            held.extend(endpoint.queue.pop() for _ in range(5))
            return True
        engine.on_get(endpoint, request)
        endpoint.push(request.replace(errno=EINVAL).encode(), *reversed(held))
        return True

    engine.before = stall
    table = client.dump(timeout=0.05, attempts=1)
    assert (len(table), table.complete, table.missing) == (10, True, 0)


def test_silence_is_no_empty_table(client: Any, engine: FakeEngine) -> None:
    engine.before = lambda endpoint, request: True
    with pytest.raises(pf.NoReplyError, match=r"the end of DUMP did not come within 0.05 s"):
        client.dump(timeout=0.05)
    assert engine.live == []


def test_an_empty_table_is_one(client: Any) -> None:
    table = client.dump()
    assert (len(table), table.complete, table.missing) == (0, True, 0)


def test_a_loss_puts_an_uncounted_dump_in_doubt(client: Any, engine: FakeEngine) -> None:
    fill(engine, 4)

    def lose(endpoint: FakeEndpoint, request: Message) -> bool:
        engine.on_dump(endpoint, request)
        endpoint.queue.insert(2, None)
        return True

    engine.before = lose
    table = client.dump(attempts=1)
    assert (len(table), table.complete, table.missing) == (4, False, None)


def test_a_countdown_that_was_cut_is_not_waited_for(connect: Callable[..., Any]) -> None:
    """The endpoint says that messages were dropped: no timeout has to pass."""
    answer = synthetic(100, dialect="freebsd").tobytes()
    half = pf.decode(answer, "freebsd")[50].offset

    class Cut(Answers):
        def open_endpoint(self, role: Role) -> Any:
            endpoint = super().open_endpoint(role)
            receive = endpoint.receive

            def lossy(buffer: Any, timeout: float | None = None) -> int:
                size = receive(buffer, timeout)
                if not size:
                    raise pf.OverrunError(55, "dropped")
                return size

            endpoint.receive = lossy  # type: ignore[method-assign]
            return endpoint

    table = connect(Cut("freebsd", answer[:half]), timeout=None).dump(attempts=1)
    assert (len(table), table.complete, table.missing) == (50, False, 50)


def test_an_error_in_the_middle_leaves_what_came(client: Any, engine: FakeEngine) -> None:
    fill(engine, 4)

    def fail(endpoint: FakeEndpoint, request: Message) -> bool:
        engine.on_dump(endpoint, request)
        endpoint.queue.pop()
        engine.tell(request.replace(errno=EINVAL), [endpoint])
        return True

    engine.before = fail
    table = client.dump()
    assert (len(table), table.complete, table.missing) == (3, False, None)
    assert str(table.error).startswith("DUMP: EINVAL (22): an entry of the table, made through netlink, cannot be told")
    engine.table.clear()
    engine.before = lambda endpoint, request: bool(engine.tell(request.replace(errno=EINVAL), [endpoint])) or True
    with pytest.raises(pf.ReplyError, match="cannot be told in PF_KEY"):
        client.dump()


def test_an_unreadable_message_is_told_and_missing(connect: Callable[..., Any]) -> None:
    batch = pf.decode(synthetic(5).tobytes(), "linux")
    broken = bytearray(batch[2].raw)
    broken[16:18] = b"\0\0"
    answer = b"".join(bytes(broken) if place == 2 else item.raw for place, item in enumerate(batch))
    table = connect(Answers("linux", answer)).dump(attempts=1)
    assert (len(table), table.complete, table.missing, table.skipped) == (4, False, 1, 1)
    assert [fault.fault for fault in table.faults] == [pf.Fault.EXTENSION_EMPTY]


class TestNetworks:
    def test_linux_is_asked_to_choose(self, client: Any, engine: FakeEngine) -> None:
        client.dump("ah", src="10.0.0.0/8", dst="10.0.1.0/24")
        (_, request), *_ = engine.requests
        assert request.satype is pf.SAType.AH
        found = request.filter
        assert (found.family, found.splen, found.dplen) == (4, 8, 24)
        assert found.daddr[:4] == bytes([10, 0, 1, 0])

    @pytest.mark.parametrize(
        ("src", "dst"),
        [
            ("10.0.0.0/9", None),
            ("2001:db8::/33", "10.0.0.0/8"),
            (None, "192.0.2.4"),
            ("0.0.0.0/0", None),
            ("::/0", "::/0"),
        ],
    )
    def test_elsewhere_a_mask_chooses(self, connect: Callable[..., Any], src: str | None, dst: str | None) -> None:
        answer = synthetic(2000, dialect="netbsd").tobytes()
        client = connect(Answers("netbsd", answer))
        table = client.dump(src=src, dst=dst, columns=["spi"])

        def within(text: str | None, network: str | None) -> bool:
            return network is None or (text is not None and ip_address(text) in ip_network(network))

        rows = pf.SATable.from_buffer(answer, "netbsd").rows(["spi", "src", "dst"])
        assert table["spi"].tolist() == [
            row["spi"] for row in rows if within(row["src"], src) and within(row["dst"], dst)
        ]
        assert table.complete
