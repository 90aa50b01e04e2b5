"""Many datagrams with one system call: recvmmsg(2) and sendmmsg(2), which Python does not offer.

The idea: what the system has to be told about where to write is the same for every batch, so it is laid out once; a
batch then costs one call through ctypes, however many datagrams it has. They come into slots, from which the hot path
copies them back to back to where they are wanted.

struct mmsghdr and struct iovec are those of Linux. Other systems that have the calls make them of one call for each
datagram, so there is nothing to gain there.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import socket
from array import array
from collections.abc import Iterable, Sequence
from typing import Any

from ...hotpath import wipe


class _Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))


class _Datagram(ctypes.Structure):
    """struct msghdr."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_size", ctypes.c_uint),
        ("vectors", ctypes.c_void_p),
        ("vector_count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_size", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    )


class _Header(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = (("datagram", _Datagram), ("size", ctypes.c_uint))


def _function(name: str) -> Any:
    found: Any = getattr(ctypes.CDLL(None, use_errno=True), name)
    found.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
    found.restype = ctypes.c_int
    return found


_recvmmsg, _sendmmsg = _function("recvmmsg"), _function("sendmmsg")


class Headers:
    """Arrays of struct mmsghdr and struct iovec: `count` datagrams, each in `parts` pieces of memory."""

    def __init__(self, count: int, parts: int) -> None:
        self._vectors = (_Vector * (count * parts))()
        self._headers = (_Header * count)()
        self._words, words = _words(self._vectors), _words(self._headers)
        self._parts = parts
        pitch, word = ctypes.sizeof(_Header) // words.itemsize, ctypes.sizeof(_Vector) * parts
        begin = ctypes.addressof(self._vectors)
        words[_Datagram.vectors.offset // words.itemsize :: pitch] = array(
            "L", range(begin, begin + count * word, word)
        )
        words[_Datagram.vector_count.offset // words.itemsize :: pitch] = array("L", [parts]) * count
        self.address = ctypes.addressof(self._headers)
        numbers = memoryview(self._headers).cast("B").cast("I")
        self.lengths = numbers[_Header.size.offset // 4 :: ctypes.sizeof(_Header) // 4]
        """Bytes of each datagram that was received."""

    def point(self, part: int, begins: Iterable[int], sizes: Iterable[int]) -> None:
        """Say where this piece of each datagram is."""
        self._words[2 * part :: 2 * self._parts] = array("L", begins)
        self._words[2 * part + 1 :: 2 * self._parts] = array("L", sizes)


def _words(items: ctypes.Array[Any]) -> memoryview:
    """The memory of an array, as words of the size of a pointer."""
    return memoryview(items).cast("B").cast("L")


class Slots:
    """Memory for `count` datagrams, and a call that fills it.

    A datagram has `size` bytes where `pack` finds them, and what is beyond them in a place of its own, which is not
    touched until it is needed: few pages are in use though there is room for long ones.
    """

    def __init__(self, count: int, size: int, beyond: int) -> None:
        self.count, self.size, self._beyond = count, size, beyond
        self.memory, self._more = (memoryview(mmap.mmap(-1, count * each)) for each in (size, beyond))
        self._pins = [ctypes.c_char.from_buffer(each) for each in (self.memory, self._more)]
        self._headers = Headers(count, 2)
        for part, (pin, each) in enumerate(zip(self._pins, (size, beyond), strict=True)):
            begin = ctypes.addressof(pin)
            self._headers.point(part, range(begin, begin + count * each, each), [each] * count)
        self.lengths = self._headers.lengths
        """Bytes of each datagram; more than there is room for if the rest of it was lost."""
        self._long = False
        """Whether a datagram before those of now was longer than `size`, as far as it was looked at."""

    def fill(self, descriptor: int) -> int:
        """Receive what is there, without waiting, up to one datagram a slot; return how many. Raises OSError."""
        flags = socket.MSG_DONTWAIT | socket.MSG_TRUNC
        return _call(_recvmmsg, descriptor, self._headers.address, self.count, flags)

    def whole(self, number: int) -> bytearray:
        """A copy of all that there is of a datagram."""
        begin, more = number * self.size, number * self._beyond
        size = self.lengths[number]
        self._long = self._long or size > self.size
        head = self.memory[begin : begin + min(size, self.size)]
        return bytearray(head) + self._more[more : more + min(max(size - self.size, 0), self._beyond)]

    def wipe(self) -> None:
        """Leave no keys behind."""
        wipe(self.memory)
        if self._long or max(self.lengths) > self.size:
            wipe(self._more)
            self._long = False


def send(descriptor: int, messages: memoryview, begins: Sequence[int], sizes: Sequence[int]) -> int:
    """Send parts of a buffer as datagrams, without waiting; return how many went. Raises OSError if none did."""
    kind = ctypes.c_char * len(messages)
    pin = kind.from_buffer_copy(messages) if messages.readonly else kind.from_buffer(messages)
    headers = Headers(len(begins), 1)
    base = ctypes.addressof(pin)
    headers.point(0, (base + begin for begin in begins), sizes)
    return _call(_sendmmsg, descriptor, headers.address, len(begins), socket.MSG_DONTWAIT)


def _call(function: Any, descriptor: int, headers: int, count: int, flags: int) -> int:
    while (done := function(descriptor, headers, count, flags, None)) < 0:
        number = ctypes.get_errno()
        if number != errno.EINTR:
            raise OSError(number, os.strerror(number))
    return int(done)
