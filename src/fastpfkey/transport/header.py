"""Fields of message headers in native byte order: the little of messages that transports look at."""

from __future__ import annotations

import sys

from ..spec.model import HEADER_SIZE, WORD
from ..spec.rfc2367 import MSG


def get(messages: memoryview, name: str, offset: int = 0) -> int:
    """A field of the header of the message that begins at `offset`."""
    field = MSG[name]
    begin = offset + field.offset
    return int.from_bytes(messages[begin : begin + field.size], sys.byteorder)


def put(messages: memoryview, name: str, value: int, offset: int = 0) -> None:
    """Write a field of the header of the message that begins at `offset`."""
    field = MSG[name]
    begin = offset + field.offset
    messages[begin : begin + field.size] = value.to_bytes(field.size, sys.byteorder)


def length(messages: memoryview, offset: int = 0) -> int:
    """Bytes of the message that begins at `offset`, as it says."""
    return get(messages, "len", offset) * WORD


def error(request: memoryview, errno: int) -> bytes:
    """The answer to a request that fails: its header alone, with an errno."""
    reply = memoryview(bytearray(request[:HEADER_SIZE]))
    put(reply, "len", HEADER_SIZE // WORD)
    put(reply, "errno", errno)
    return bytes(reply)
