"""OpenBSD's dumps by sysctl(3), which a function plays."""

from __future__ import annotations

import errno
import select
import sys
from collections.abc import Sequence

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.errors import TransportError
from fastpfkey.session.dump import DumpAssembly
from fastpfkey.session.scan import Scanner
from fastpfkey.transport import header
from fastpfkey.transport.af_key import sysctl
from fastpfkey.transport.endpoint import ROOM
from fastpfkey.wire.dialects import codec

from .messages import ADD, DUMP, message

SPDDUMP = 16
OPENBSD = spec.dialect("openbsd")


def ask(kind: int, table: bytes) -> tuple[list[tuple[int, ...]], bytes]:
    """The names that were asked for, and what came of a request of this kind."""
    asked = []

    def system(name: Sequence[int]) -> bytearray:
        asked.append(tuple(name))
        return bytearray(table)

    endpoint = sysctl.endpoint(OPENBSD, system)
    poll = select.poll()
    poll.register(endpoint, select.POLLIN)
    assert not poll.poll(0)
    endpoint.send(message(kind=kind, seq=77, pid=endpoint.pid))
    assert poll.poll(0)
    buffer = bytearray(2 * ROOM)
    size = endpoint.receive(buffer, 0)
    assert not poll.poll(0)
    endpoint.close()
    return asked, bytes(buffer[:size])


@pytest.mark.parametrize(("kind", "operation"), [(DUMP, 1), (SPDDUMP, 2)])
def test_the_whole_table_comes_with_the_numbers_of_the_request(kind: int, operation: int) -> None:
    table = b"".join(message(size, kind=kind) for size in (200, 16, 304))
    asked, answer = ask(kind, table)
    assert asked == [(4, 30, 2, operation, 3)]
    assert len(answer) == len(table)
    view = memoryview(answer)
    heads = [(header.get(view, "seq", at), header.get(view, "pid", at)) for at in (0, 200, 216)]
    pid = heads[0][1]
    assert heads == [(77, pid), (77, pid), (0, pid)]
    assert pid > 0


def test_an_empty_table_is_answered_as_such() -> None:
    _, answer = ask(DUMP, b"")
    assert len(answer) == 16
    view = memoryview(answer)
    assert (header.get(view, "errno"), header.get(view, "seq"), header.length(view)) == (errno.ENOENT, 77, 16)


def test_what_is_no_message_behind_the_last_one_is_left_out() -> None:
    _, answer = ask(DUMP, message(24) + bytes(32))
    assert answer == message(24)[:8] + answer[8:16] + message(24)[16:]


def test_nothing_else_can_be_asked() -> None:
    endpoint = sysctl.endpoint(OPENBSD, lambda _: bytearray())
    with pytest.raises(TransportError, match="dumps only"):
        endpoint.send(message(kind=ADD))
    endpoint.close()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_session_reads_it_as_a_whole_dump(count: int) -> None:
    """As it does without these numbers, where the transport would have to tell of the end."""
    record = message(200, kind=DUMP)[:16] + bytes([23, 0, 200, 0]) + bytes(180)  # an extension nobody knows
    _, answer = ask(DUMP, record * count)
    pid = header.get(memoryview(answer), "pid")
    assembly = DumpAssembly(OPENBSD, pf.MessageType.DUMP, pid, 77)
    for scan in Scanner(codec(OPENBSD, sys.byteorder)).scan(memoryview(answer), 0, len(answer)):
        assembly.feed(scan)
    assert assembly.done
    assert (assembly.complete, assembly.count, assembly.error) == (True, count, 0)
