"""Sockets of systems that cannot be run here, played by scripts."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable

import pytest

from fastpfkey import spec
from fastpfkey.errors import OverrunError
from fastpfkey.transport.af_key.countdown import CountDownEndpoint, Room
from fastpfkey.transport.af_key.plain import PlainEndpoint
from fastpfkey.transport.endpoint import ROOM

from .messages import ADD, DUMP, message

SPDDUMP = 18


class Script(socket.socket):
    """A socket that gives these datagrams, or fails as these errors say, and then has nothing."""

    def __init__(self, answers: Iterable[bytes | OSError], room: int = 8192) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.answers = iter(answers)
        self.room = room

    def recv_into(self, view: memoryview) -> int:  # type: ignore[override]
        answer = next(self.answers, BlockingIOError())
        if isinstance(answer, OSError):
            raise answer
        view[: len(answer)] = answer
        return len(answer)

    def getsockopt(self, level: int, option: int) -> int:  # type: ignore[override]
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_RCVBUF)
        return self.room


def test_the_system_tells_that_it_dropped_messages() -> None:
    """SO_RERROR: recv(2) fails once, behind what was queued before."""
    endpoint = PlainEndpoint(Script([message(24), OSError(errno.ENOBUFS, "No buffer space available"), message(32)]))
    buffer = bytearray(ROOM)
    assert endpoint.receive(buffer, 0) == 24
    assert endpoint.receive(buffer, 0) == 32
    with pytest.raises(OverrunError, match="the system dropped messages") as caught:
        endpoint.receive(buffer, 0)
    assert caught.value.errno == errno.ENOBUFS
    assert endpoint.receive(buffer, 0) == 0
    endpoint.close()


def dump(total: int, kept: int, kind: int = DUMP) -> list[bytes | OSError]:
    """The first messages of a dump that is counted down."""
    return [message(296, kind=kind, seq=total - 1 - number) for number in range(kept)]


@pytest.fixture(params=["freebsd", "netbsd", "macos"])
def system(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def opened(system: str, answers: list[bytes | OSError], room: Room) -> CountDownEndpoint:
    return CountDownEndpoint(Script(answers), spec.dialect(system), room)


@pytest.mark.parametrize("kind", [DUMP, SPDDUMP])
def test_a_dump_that_was_cut_is_known_at_once_and_so_is_the_room_it_needs(system: str, kind: int) -> None:
    room = Room(0)
    endpoint = opened(system, [*dump(100, 25, kind)], room)
    buffer = bytearray(ROOM)
    assert endpoint.receive(buffer, None) == 25 * 296
    with pytest.raises(OverrunError, match="75 of the 100 messages of the dump were dropped"):
        endpoint.receive(buffer, None)
    assert 4 * 8192 <= room.size <= 5 * 8192
    assert endpoint.receive(buffer, 0) == 0
    endpoint.close()


@pytest.mark.parametrize("total", [1, 2, 100])
def test_a_whole_dump_is_no_loss(system: str, total: int) -> None:
    room = Room(0)
    endpoint = opened(system, [*dump(total, total), BlockingIOError(), *dump(2, 2)], room)
    buffer = bytearray(ROOM)
    assert endpoint.receive(buffer, 0) == total * 296
    assert endpoint.receive(buffer, 0) == 2 * 296
    assert endpoint.receive(buffer, 0) == 0
    assert room.size == 0
    endpoint.close()


def test_other_messages_and_errors_do_not_count(system: str) -> None:
    others: list[bytes | OSError] = [message(24, kind=ADD, seq=9), message(16, kind=DUMP, seq=9, errno=2)]
    endpoint = opened(system, [*others, *dump(3, 3), *others], Room(0))
    buffer = bytearray(ROOM)
    assert endpoint.receive(buffer, 0) == 3 * 296 + 2 * 40
    assert endpoint.receive(buffer, 0) == 0
    endpoint.close()
