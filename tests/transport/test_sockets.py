"""Both ways of reading a key socket, held against datagrams of a pair of local sockets, which keep boundaries too."""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import cast

import pytest

from fastpfkey.errors import OverrunError, TransportError
from fastpfkey.transport.af_key.plain import SLOT, PlainEndpoint
from fastpfkey.transport.endpoint import ROOM, Role

from .messages import message

if sys.platform != "linux":
    pytest.skip("the calls are Linux's", allow_module_level=True)
from fastpfkey.transport.af_key.linux import SLOTS, SO_MEMINFO, STRIDE, LinuxEndpoint

WAYS: dict[str, Callable[[socket.socket], PlainEndpoint]] = {
    "plain": PlainEndpoint,
    "batches": partial(LinuxEndpoint, role=Role.DUMPS),
}


class Pair:
    """An endpoint, and the socket to the other side."""

    def __init__(self, way: Callable[[socket.socket], PlainEndpoint]) -> None:
        ours, self.kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
        self.endpoint = way(ours)

    def close(self) -> None:
        self.endpoint.close()
        self.kernel.close()

    def receive(self, room: int = ROOM, timeout: float | None = 0) -> bytes:
        buffer = bytearray(b"\xa5" * room)
        size = self.endpoint.receive(buffer, timeout)
        assert set(buffer[size:]) <= {0xA5} or type(self.endpoint) is PlainEndpoint
        return bytes(buffer[:size])


@pytest.fixture(params=WAYS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with closing(Pair(WAYS[request.param])) as opened:
        yield opened


@pytest.fixture
def batches() -> Iterator[Pair]:
    with closing(Pair(WAYS["batches"])) as opened:
        yield opened


class TestReceiving:
    def test_messages_come_back_to_back(self, pair: Pair) -> None:
        sent = [message(size, seq=size) for size in (16, 296, 24, 400, 16)]
        for each in sent:
            pair.kernel.send(each)
        assert pair.receive() == b"".join(sent)
        assert pair.receive() == b""

    def test_long_ones_come_whole(self, pair: Pair) -> None:
        sent = [message(16), message(STRIDE), message(STRIDE + 8, seq=3), message(SLOT, seq=4), message(24)]
        for each in sent:
            pair.kernel.send(each)
        assert pair.receive() == b"".join(sent)

    def test_nothing_is_left_of_long_ones_that_others_followed(self) -> None:
        """The memory goes to the next endpoint, and what was received there first is no length any more."""
        pair = Pair(WAYS["batches"])
        slots = cast("LinuxEndpoint", pair.endpoint)._slots
        for each in (message(SLOT, seq=4), message(16)):
            pair.kernel.send(each)
            assert pair.receive() == each
        assert any(slots._more)
        pair.close()
        assert not any(slots._more)
        assert not any(slots.memory)

    def test_more_than_a_batch_comes_in_several(self, batches: Pair) -> None:
        for number in range(SLOTS[Role.DUMPS] // 2):
            batches.kernel.send(message(24, seq=number))
        half = batches.receive()
        assert len(half) == 24 * (SLOTS[Role.DUMPS] // 2)

    def test_what_finds_no_room_comes_next_time(self, pair: Pair) -> None:
        sent = [message(12000, seq=number) for number in range(1, 8)]
        for each in sent:
            pair.kernel.send(each)
        found = b""
        while part := pair.receive():
            assert len(part) % 12000 == 0
            found += part
        assert found == b"".join(sent)

    def test_a_buffer_without_room_is_refused(self, pair: Pair) -> None:
        pair.kernel.send(message())
        with pytest.raises(ValueError, match=f"{ROOM} bytes or more, not {ROOM - 1}"):
            pair.receive(ROOM - 1)
        assert pair.receive() == message()

    def test_without_messages_it_waits_as_long_as_it_should(self, pair: Pair) -> None:
        assert pair.receive(timeout=0) == b""
        assert pair.receive(timeout=0.01) == b""

    @pytest.mark.parametrize("timeout", [None, 60])
    def test_a_message_ends_the_wait(self, pair: Pair, timeout: float | None) -> None:
        later = threading.Timer(0.02, pair.kernel.send, [message(seq=5)])
        later.start()
        assert pair.receive(timeout=timeout) == message(seq=5)
        later.join()

    def test_a_length_of_two_words_too_many_gives_way_to_the_datagrams(self, pair: Pair) -> None:
        """As NetBSD and macOS write into messages that carry others."""
        pair.kernel.send(message(40, seq=1, claims=56))
        pair.kernel.send(message(24, seq=2))
        assert pair.receive() == message(40, seq=1) + message(24, seq=2)

    @pytest.mark.parametrize("size", [8, 20, SLOT + 8])
    def test_what_is_no_whole_message_is_told_behind_the_rest(self, batches: Pair, size: int) -> None:
        batches.kernel.send(message(24, seq=1))
        batches.kernel.send(message(max(size, 16))[:size])
        batches.kernel.send(message(24, seq=2))
        assert batches.receive() == message(24, seq=1) + message(24, seq=2)
        with pytest.raises(OverrunError, match=f"there was room for {SLOT}"):
            batches.receive()
        assert batches.receive() == b""


class Full(socket.socket):
    """A socket that has queued more than it may, once."""

    queued = iter([(426_000, 425_984), (0, 425_984), (0, 425_984)])

    def getsockopt(self, level: int, option: int, size: int = 0) -> bytes:  # type: ignore[override]
        assert (level, option, size) == (socket.SOL_SOCKET, SO_MEMINFO, 8)
        return struct.pack("=II", *next(self.queued))


class TestLosses:
    def test_a_full_buffer_is_told_when_what_it_held_was_read(self) -> None:
        ours, kernel = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        endpoint = LinuxEndpoint(Full(fileno=ours.detach()), Role.EVENTS)
        kernel.send(message(24))
        buffer = bytearray(ROOM)
        assert endpoint.receive(buffer, 0) == 24
        with pytest.raises(OverrunError, match="may have been dropped: 426000 bytes are queued, of 425984"):
            endpoint.receive(buffer, 0)
        assert endpoint.receive(buffer, 0) == 0
        endpoint.close()
        kernel.close()


class TestSending:
    def test_one(self, pair: Pair) -> None:
        pair.endpoint.send(message(24, seq=9))
        assert pair.kernel.recv(100) == message(24, seq=9)

    @pytest.mark.parametrize("kind", [bytes, bytearray])
    def test_many(self, pair: Pair, kind: type[bytes] | type[bytearray]) -> None:
        sent = [message(16 + 8 * (number % 5), seq=number) for number in range(7)]
        offsets = [sum(map(len, sent[:number])) for number in range(7)]
        assert pair.endpoint.send_many(kind(b"".join(sent)), offsets[1:]) == 6
        assert [pair.kernel.recv(100) for _ in range(6)] == sent[1:]

    def test_none(self, pair: Pair) -> None:
        assert pair.endpoint.send_many(b"", []) == 0

    @pytest.mark.requirement("R-1.6-04")
    def test_as_many_as_are_not_refused(self, pair: Pair) -> None:
        huge = (1 << 19) - 8
        pair.endpoint._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        sent = message(16, seq=1) + message(16, seq=2) + message(huge) + message(16)
        assert pair.endpoint.send_many(sent, [0, 16, 32, 32 + huge]) == 2
        with pytest.raises(TransportError, match="the message is refused") as caught:
            pair.endpoint.send_many(sent, [32, 32 + huge])
        assert caught.value.errno == errno.EMSGSIZE
        with pytest.raises(TransportError, match="the message is refused"):
            pair.endpoint.send(message(huge))
        assert [pair.kernel.recv(100) for _ in range(2)] == [message(16, seq=1), message(16, seq=2)]

    def test_it_waits_where_the_other_side_is_slow(self, pair: Pair) -> None:
        count = 400  # more than a local socket queues

        def send() -> None:
            for number in range(count):
                pair.endpoint.send(message(seq=number))

        thread = threading.Thread(target=send)
        thread.start()
        assert [pair.kernel.recv(100) for _ in range(count)] == [message(seq=number) for number in range(count)]
        thread.join()


class TestLife:
    def test_closing_twice_is_fine_and_then_nothing_works(self, pair: Pair) -> None:
        pair.endpoint.close()
        pair.endpoint.close()
        assert pair.endpoint.fileno() == -1
        with pytest.raises(TransportError):
            pair.endpoint.send(message())
        with pytest.raises(TransportError):
            pair.receive()

    def test_memory_that_is_used_again_holds_nothing_of_before(self) -> None:
        with closing(Pair(WAYS["batches"])) as first:
            assert isinstance(first.endpoint, LinuxEndpoint)
            slots = first.endpoint._slots
            first.kernel.send(message(600, seq=7))
            first.receive()
            assert bytes([8]) * 100 in bytes(slots.memory)
        assert not any(slots.memory)
        assert not any(slots._more)
        with closing(Pair(WAYS["batches"])) as second:
            assert isinstance(second.endpoint, LinuxEndpoint)
            assert second.endpoint._slots is slots

    @pytest.mark.requirement("R-1.6-07")
    def test_a_fork_does_not_share_it(self, pair: Pair) -> None:
        owner = os.getpid()
        assert pair.endpoint.pid == owner
        child = os.fork()
        if not child:
            refused = 0
            for use in (pair.receive, lambda: pair.endpoint.send(message())):
                try:
                    use()
                except TransportError as error:
                    refused += f"process {owner} opened this endpoint" in str(error)
            os._exit(refused)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 2
        assert pair.receive() == b""
