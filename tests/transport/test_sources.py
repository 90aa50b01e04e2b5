"""The names of sources, and the made-up table as one of them."""

from __future__ import annotations

import errno
import os
import select
import socket
import time

import numpy as np
import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.readable import addresses
from fastpfkey.columns.synthetic import NOW, synthetic
from fastpfkey.errors import TransportError
from fastpfkey.transport import header
from fastpfkey.transport.endpoint import ROOM, Endpoint, Role
from fastpfkey.transport.loopback import Demo
from fastpfkey.transport.sources import MOST, source

from .messages import DUMP, HEADER

FLUSH = 9


def request(kind: int, satype: int = 0, pid: int = 4711) -> bytes:
    return HEADER.pack(2, kind, 0, satype, 2, 0, 5, pid)


def answers(endpoint: Endpoint, *requests: bytes) -> bytes:
    """All that comes of some requests, received as often as it takes."""
    for each in requests:
        endpoint.send(each)
    found, buffer = b"", bytearray(ROOM + 100)
    while size := endpoint.receive(buffer, 0):
        found += buffer[:size]
    endpoint.close()
    return found


class TestNames:
    @pytest.mark.parametrize("name", ["", "Kernel", "kernel2", "demo", "/dev/null", "unix:", "engine2"])
    def test_others_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="is no source: kernel, unix:PATH, engine and demo:N are"):
            source(name)

    @pytest.mark.parametrize("number", ["", "0", "-1", "1e3", "٣", str(MOST + 1), "9" * 5000])
    def test_numbers_that_cannot_be(self, number: str) -> None:
        with pytest.raises(ValueError, match="demo:N needs a number from 1 to 10,000,000"):
            source(f"demo:{number}")

    def test_they_are_kept(self) -> None:
        assert source("demo:12", "freebsd").name == "demo:12"
        assert source("demo:12", "freebsd").dialect.name == "freebsd"
        assert source("kernel").name == "kernel"
        assert source("kernel").dialect is spec.dialect("host")

    def test_the_kernel_of_a_system_without_key_sockets_says_so(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*arguments: int) -> None:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

        monkeypatch.setattr(socket, "socket", refuse)
        with pytest.raises(TransportError, match="has no PF_KEY"):
            source("kernel").open_endpoint(Role.REQUESTS)


def demo(count: int) -> Demo:
    """The made-up table of this system, taken when `synthetic` takes its own."""
    return Demo(count, spec.dialect("host"), wall=lambda: NOW + 0.25)


class TestDemo:
    def test_it_is_dumped_as_it_is_made(self) -> None:
        endpoint = demo(5000).open_endpoint(Role.DUMPS)
        assert endpoint.pid == os.getpid()
        assert answers(endpoint, request(DUMP)) == synthetic(5000, dialect="host").tobytes()

    def test_its_times_are_those_of_a_table_that_was_just_dumped(self) -> None:
        with pf.Client.open("demo:300", dialect="linux") as client:
            ages = time.time() - client.dump()["current_addtime"].astype(np.int64)
            client.add("ah", 0x1234, "192.0.2.77", "192.0.2.78", auth="md5-hmac", auth_key=bytes(range(16)))
            added = client.get("ah", 0x1234, "192.0.2.77", "192.0.2.78").lifetime_current
        assert ages.min() >= 0
        assert ages.min() < 3600
        assert added is not None
        assert abs(time.time() - added.addtime) < 60

    @pytest.mark.parametrize("system", ["linux", "openbsd"])
    def test_by_satype_it_is_numbered_anew(self, system: str) -> None:
        dialect = spec.dialect(system)
        wanted = dialect.satype(pf.SAType.AH)
        found = answers(source("demo:3000", system).open_endpoint(Role.DUMPS), request(DUMP, wanted, os.getpid()))
        table = pf.SATable.from_buffer(found, system)
        whole = pf.SATable.from_buffer(synthetic(3000, dialect=system).data, system)
        assert sorted(table["spi"]) == sorted(whole[whole["satype"] == pf.SAType.AH]["spi"])
        assert list(table["seq"]) == [*range(1, len(table)), 0]

    def test_what_it_does_not_have_is_no_entry(self) -> None:
        found = memoryview(answers(source("demo:3", "linux").open_endpoint(Role.DUMPS), request(DUMP, pf.SAType.AH)))
        assert (len(found), header.get(found, "errno"), header.get(found, "seq")) == (16, errno.ENOENT, 5)

    @pytest.mark.parametrize("name", ["linux", "freebsd", "netbsd", "openbsd", "macos", "illumos"])
    def test_it_takes_requests_as_any_engine_does(self, name: str) -> None:
        with pf.Client.open("demo:300", dialect=name) as client:
            before = client.dump(keys=True)
            assert len(before) == 300
            row = int(np.flatnonzero(before["key_auth_bits"] > 0)[0])
            satype = pf.SAType(before["satype"][row])
            src, dst = (addresses(before[name][[row]])[0] for name in ("src", "dst"))
            found = client.get(satype, int(before["spi"][row]), src, dst)
            assert found.key_auth is not None
            assert found.key_auth.material.reveal() == before.key_bytes("auth")[row]
            client.delete(satype, int(before["spi"][row]), src, dst)
            with pytest.raises(pf.ReplyError, match="ESRCH"):
                client.get(satype, int(before["spi"][row]), src, dst)
            client.add("ah", 0x1234, "192.0.2.77", "192.0.2.78", auth="md5-hmac", auth_key=bytes(range(16)))
            after = client.dump()
            assert set(after["spi"]) == {*before["spi"], 0x1234} - {before["spi"][row]}

    def test_endpoints_of_one_source_share_the_table(self) -> None:
        some = source("demo:10", "linux")
        answers(some.open_endpoint(Role.REQUESTS), request(FLUSH))
        found = memoryview(answers(some.open_endpoint(Role.DUMPS), request(DUMP)))
        assert header.get(found, "errno") == errno.ENOENT

    def test_what_is_made_up_does_not_age(self, monkeypatch: pytest.MonkeyPatch) -> None:
        some = source("demo:500", "linux")
        first = answers(some.open_endpoint(Role.DUMPS), request(DUMP))
        now = time.monotonic()
        monkeypatch.setattr(some._engine._core, "clock", lambda: now + 1e6)  # type: ignore[attr-defined]
        assert answers(some.open_endpoint(Role.DUMPS), request(DUMP)) == first

    def test_several_are_answered_in_turn(self) -> None:
        endpoint = demo(10).open_endpoint(Role.DUMPS)
        assert endpoint.send_many(request(DUMP) * 3, [0, 16, 32]) == 3
        assert answers(endpoint) == synthetic(10, dialect="host").tobytes() * 3

    def test_it_polls_as_readable_while_there_is_something(self) -> None:
        endpoint = source("demo:2").open_endpoint(Role.DUMPS)
        poll = select.poll()
        poll.register(endpoint.fileno(), select.POLLIN)
        assert not poll.poll(0)
        endpoint.send(request(DUMP))
        endpoint.send(request(DUMP))
        assert poll.poll(0)
        assert endpoint.receive(bytearray(ROOM), 0)
        assert not poll.poll(0)
        assert endpoint.receive(bytearray(ROOM), 0.01) == 0
        endpoint.close()
        endpoint.close()

    def test_a_buffer_without_room_is_refused(self) -> None:
        endpoint = source("demo:2").open_endpoint(Role.DUMPS)
        with pytest.raises(ValueError, match="65536 bytes or more"):
            endpoint.receive(bytearray(100))
        endpoint.close()
