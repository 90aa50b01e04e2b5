"""Requests: what is sent, how the reply is found, and what is said of errors. Every test is of both kinds of client."""

from __future__ import annotations

import asyncio
import errno
import gc
import inspect
import os
import threading
import time
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.transport.endpoint import Role

from .fake import EEXIST, ESRCH, FOREIGN, LINUX, FakeEndpoint, FakeEngine

SRC, DST = "192.0.2.1", "192.0.2.2"
KEY = bytes(range(16))
Type = pf.MessageType


def add(client: Any, spi: int, **more: Any) -> Any:
    return client.add("esp", spi, SRC, DST, encrypt="aes-cbc", encrypt_key=KEY, **more)


@pytest.mark.requirement("R-2.1-12", "R-2.1-13")
def test_one_association_from_its_spi_to_its_end(client: Any, engine: FakeEngine) -> None:
    spi = client.getspi("esp", SRC, DST, 0x1000, 0x1FFF)
    assert spi == 0x1000
    reply = add(client, 0x2000, hard=3600)
    assert (reply.type, reply.sa.spi) == (Type.ADD, 0x2000)
    assert client.get("esp", 0x2000, SRC, DST).key_encrypt.reveal() == KEY
    assert client.delete("esp", 0x2000, SRC, DST).type is Type.DELETE
    with pytest.raises(pf.ReplyError, match=r"GET: ESRCH \(3\): there is no such association") as raised:
        client.get("esp", 0x2000, SRC, DST)
    sent = [request for _, request in engine.requests]
    numbers = [request.seq for request in sent]
    assert (raised.value.errno, raised.value.seq, raised.value.message_type) == (ESRCH, numbers[-1], Type.GET)
    assert {request.pid for request in sent} == {os.getpid()}
    assert len(set(numbers)) == len(numbers)
    assert 0 not in numbers
    assert client.flush("esp").type is Type.FLUSH
    assert engine.table == {}


def test_no_key_stays_where_messages_are_received(client: Any, engine: FakeEngine) -> None:
    """Requests are echoed with their keys, to whoever monitors too; a dump goes where the caller wants it."""
    monitor = client.monitor(timeout=0.05)
    pool = pf.BufferPool(1 << 20, slabs=4)
    own = (client.subject if hasattr(client, "subject") else client)._context.pool
    for each in own, pool:
        for lease in [each.acquire() for _ in range(each.statistics.allocations)]:
            pf.wipe(lease)  # what the system gives may hold what was freed before
            lease.release()
    for spi in (0x2000, 0x2001):
        add(client, spi)
        table = client.dump(keys=True, out=pool)
        assert set(table.key_bytes("encrypt")) == {KEY}
    assert len(list(monitor)) == 2
    del table, monitor
    gc.collect()
    for each in own, pool:
        assert each.statistics.in_use == 0
        leases = [each.acquire() for _ in range(each.statistics.allocations)]
        assert each.statistics.allocations == len(leases)
        assert not any(KEY in bytes(lease) for lease in leases)


def test_reading_registers_nothing_and_has_endpoints_of_its_own(client: Any, engine: FakeEngine) -> None:
    add(client, 0x2000)
    client.dump()
    client.dump_policies()
    client.algorithms()
    client.get("esp", 0x2000, SRC, DST)
    assert [endpoint.role for endpoint in engine.endpoints] == [Role.REQUESTS, Role.DUMPS, Role.DUMPS, Role.EVENTS]
    assert [endpoint.closed for endpoint in engine.endpoints] == [False, True, True, True]
    assert not any(endpoint.registered for endpoint in engine.endpoints)
    client.close()
    assert engine.live == []
    with pytest.raises(pf.TransportError, match="the client is closed"):
        client.dump()


@pytest.mark.requirement("R-2.1-11")
def test_a_reply_is_found_among_everything_else(client: Any, engine: FakeEngine) -> None:
    """Echoes of others, stale replies, and a reply that somebody made up with this pid."""

    def noise(endpoint: FakeEndpoint, request: Any) -> bool:
        others = (
            request.replace(pid=FOREIGN),
            request.replace(seq=request.seq - 1, errno=EEXIST, extensions=()),
            request.replace(type=Type.UPDATE),
            request.replace(seq=0, pid=0, errno=1, extensions=()),
        )
        for other in others:
            engine.tell(other)
        return False

    engine.before = noise
    assert add(client, 0x2000).type is Type.ADD
    with pytest.raises(pf.ReplyError, match="EEXIST"):
        add(client, 0x2000)


def test_echoes_that_nobody_read_are_cleared_before_a_request(client: Any, engine: FakeEngine) -> None:
    add(client, 0x2000)
    for _ in range(500):
        engine.event(Type.FLUSH)
    (endpoint,) = engine.live
    engine.before = lambda endpoint, request: bool(endpoint.queue)  # no room for a reply: it is lost
    assert client.get("esp", 0x2000, SRC, DST).type is Type.GET
    assert len(endpoint.queue) == 0


@pytest.mark.parametrize("silence", [lambda endpoint, request: True])
def test_no_reply_in_time_is_an_error_that_says_so(client: Any, engine: FakeEngine, silence: Any) -> None:
    engine.before = silence
    begin = time.monotonic()
    with pytest.raises(pf.NoReplyError, match=r"the reply to ADD did not come within 0.2 s") as raised:
        add(client, 0x2000)
    assert time.monotonic() - begin >= 0.2
    assert isinstance(raised.value, TimeoutError)
    assert raised.value.errno == errno.ETIMEDOUT
    with pytest.raises(pf.NoReplyError, match=r"within 0.1 s"):
        client.request(pf.requests.flush(dialect=LINUX), timeout=0.1)
    # The reply that comes too late is not the next one's.
    engine.before = lambda endpoint, request: False
    engine.tell(engine.requests[0][1].replace(errno=EEXIST, extensions=()))
    assert add(client, 0x2001).sa.spi == 0x2001


def test_a_lost_echo_matters_only_if_it_was_the_reply(client: Any, engine: FakeEngine) -> None:
    add(client, 0x2000)
    (endpoint,) = engine.live

    def lose(endpoint: FakeEndpoint, request: Any) -> bool:
        endpoint.push(None)
        return False

    engine.before = lose
    assert client.get("esp", 0x2000, SRC, DST).type is Type.GET
    engine.before = lambda endpoint, request: lose(endpoint, request) or True
    with pytest.raises(pf.NoReplyError):
        client.get("esp", 0x2000, SRC, DST)
    assert not endpoint.closed


def test_a_refusal_names_what_the_engine_does_not_have(client: Any, engine: FakeEngine) -> None:
    """With the lists of a REGISTER reply at hand, the text says which algorithm."""

    def refuse(endpoint: FakeEndpoint, request: Any) -> bool:
        if request.type is Type.ADD:
            endpoint.push(request.replace(errno=38, extensions=()).encode())
            return True
        return False

    engine.before = refuse
    with pytest.raises(pf.ReplyError, match=r"ADD: ENOSYS \(38\): .*netlink alone$"):
        client.add("esp", 1, SRC, DST, encrypt="aes-gcm-icv16", encrypt_key=bytes(20))
    table = client.algorithms()
    assert "aes-cbc" in {row["id"] for row in table.rows()}
    with pytest.raises(pf.ReplyError, match=r"netlink alone; encryption algorithm aes-gcm-icv16 is not among"):
        client.add("esp", 1, SRC, DST, encrypt="aes-gcm-icv16", encrypt_key=bytes(20))


@pytest.mark.requirement("R-3.1.6-11")
def test_an_acquire_is_silent_unless_it_is_wrong(client: Any, engine: FakeEngine) -> None:
    """What was sent before the probe is dealt with when that is answered, so no time is lost in waiting."""
    client.timeout = None
    assert client.acquire_failure("esp", 110, seq=7) is None
    role, told = engine.requests[0]
    assert (role, told.type, told.errno, told.seq, told.extensions) == (Role.REQUESTS, Type.ACQUIRE, 110, 7, ())
    with pytest.raises(pf.ReplyError, match=r"ACQUIRE: EOPNOTSUPP \(95\): programs cannot ask"):
        client.acquire("esp", SRC, DST, [pf.requests.combination(encrypt="aes-cbc")])


@pytest.mark.requirement("R-3.1.1-03", "R-3.1.6-07")
def test_an_answer_to_an_acquire_has_its_number(client: Any, engine: FakeEngine) -> None:
    assert client.getspi("esp", SRC, DST, seq=42) == 0x100
    assert engine.requests[-1][1].seq == 42
    add(client, 0x100 + 1, seq=42)
    assert engine.requests[-1][1].seq == 42


def test_policies(client: Any, engine: FakeEngine) -> None:
    policy = pf.requests.policy("out", "ipsec", [pf.requests.transform("esp")])
    reply = client.spdadd("10.0.0.0/8", "10.1.0.0/16[443]", policy, proto="tcp")
    assert (reply.type, reply.policy.dir) == (Type.SPDADD, pf.Direction.OUT)
    table = client.dump_policies()
    assert (len(table), table.complete, table.missing) == (1, True, 0)
    assert table["dst_port"].tolist() == [443]
    assert client.spdflush().type is Type.SPDFLUSH
    assert len(client.dump_policies()) == 0


def test_what_a_source_does_not_take_is_an_error_at_once(client: Any) -> None:
    with pytest.raises(pf.TransportError, match="no such message"):
        client.migrate("10.0.0.0/8", "10.1.0.0/16", "out", [])
    with pytest.raises(pf.EncodeError, match="satype"):
        client.dump("nothing")
    with pytest.raises(ValueError, match="no source"):
        pf.Client.open("elsewhere")


def test_both_clients_have_the_same_face() -> None:
    """The same methods with the same parameters and the same texts, and both say how to call them."""
    names = {name for name in dir(pf.Client) if callable(getattr(pf.Client, name)) and not name.startswith("_")}
    assert names - set(dir(pf.aio.Client)) == {"cancel"}
    for name in names - {"cancel"}:
        ours, theirs = getattr(pf.Client, name), getattr(pf.aio.Client, name)
        assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters), name
        if name not in ("open", "monitor"):
            assert ours.__doc__ == theirs.__doc__
    assert list(inspect.signature(pf.Client.getspi).parameters)[1:6] == ["satype", "src", "dst", "min", "max"]


class TestCancelling:
    """Whatever waits can be ended from elsewhere, and the client is as good as before."""

    def test_a_thread_is_cancelled_by_another(self, engine: FakeEngine) -> None:
        engine.before = lambda endpoint, request: True
        with pf.Client.open(engine, timeout=None) as client:
            timer = threading.Timer(0.05, client.cancel)
            timer.start()
            with pytest.raises(pf.CancelledError):
                client.flush()
            timer.join()
            threading.Timer(0.05, client.cancel).start()
            with pytest.raises(pf.CancelledError):
                next(client.monitor())
            engine.before = lambda endpoint, request: False
            assert client.flush().type is Type.FLUSH

    @pytest.mark.parametrize("operation", ["flush", "dump"])
    def test_a_task_is_cancelled_as_any_other(self, engine: FakeEngine, operation: str) -> None:
        async def scenario() -> None:
            async with pf.aio.Client.open(engine, timeout=None) as client:
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.05):
                        await getattr(client, operation)()
                engine.before = lambda endpoint, request: False
                assert (await client.flush()).type is Type.FLUSH
                assert [endpoint.role for endpoint in engine.live] == [Role.REQUESTS]

        engine.before = lambda endpoint, request: True
        asyncio.run(scenario())

    def test_an_interrupt_closes_what_was_opened(self, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        engine.before = lambda endpoint, request: True

        def interrupted(self: object, wait: object) -> bool:
            raise KeyboardInterrupt

        monkeypatch.setattr("fastpfkey.transport.client.Waiter._wait", interrupted)
        with pf.Client.open(engine) as client, pytest.raises(KeyboardInterrupt):
            client.dump()
        assert engine.live == []


def test_tasks_take_turns_and_dumps_do_not(engine: FakeEngine) -> None:
    """Many tasks share a client; each gets its own reply."""

    async def scenario() -> None:
        async with pf.aio.Client.open(engine) as client:
            done = await asyncio.gather(
                *(client.add("ah", spi, SRC, DST, auth="sha1-hmac", auth_key=bytes(20)) for spi in range(300, 330)),
                client.dump(),
            )
            assert [reply.sa.spi for reply in done[:-1]] == list(range(300, 330))
            assert done[-1].complete

    asyncio.run(scenario())


def test_threads_take_turns(engine: FakeEngine) -> None:
    with pf.Client.open(engine) as client:
        found: dict[int, int] = {}

        def work(spi: int) -> None:
            found[spi] = client.add("ah", spi, SRC, DST, auth="sha1-hmac", auth_key=bytes(20)).sa.spi

        threads = [threading.Thread(target=work, args=(spi,)) for spi in range(300, 320)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {spi: spi for spi in range(300, 320)}
