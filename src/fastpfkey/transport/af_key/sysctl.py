"""OpenBSD's dumps: sysctl(3) gives a whole table at once, where its key socket drops what does not fit.

OpenBSD leaves the numbers of these messages 0. They are written as its socket would: all carry the request's, the last
has sequence number 0, and an empty table is answered with the error that means it. Who reads cannot tell the two apart.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable, Sequence

from ...errors import TransportError
from ...hotpath import hop
from ...spec.model import PF_KEY_V2, Dialect
from ...spec.terms import MessageType
from .. import header
from ..answering import AnsweringEndpoint

CTL_NET = 4
OPERATIONS = {MessageType.DUMP: 1, MessageType.SPDDUMP: 2}
"""NET_KEY_SADB_DUMP and NET_KEY_SPD_DUMP."""

SPARE = 1 << 16
"""Bytes beyond what the system reckons: the table may grow between the two calls."""
ATTEMPTS = 8

Ask = Callable[[Sequence[int]], bytearray]


def endpoint(dialect: Dialect, ask: Ask | None = None) -> AnsweringEndpoint:
    """An endpoint for dumps, and for nothing else."""
    types = dialect.terms["message"]
    operations = {types.number(kind): operation for kind, operation in OPERATIONS.items()}

    def answer(request: memoryview) -> memoryview:
        operation = operations.get(header.get(request, "type"))
        if operation is None:
            raise TransportError(errno.EOPNOTSUPP, "this endpoint takes requests for dumps only")
        name = (CTL_NET, dialect.family, PF_KEY_V2, operation, header.get(request, "satype"))
        return _numbered((ask or sysctl)(name), request)

    return AnsweringEndpoint(answer)


def sysctl(name: Sequence[int]) -> bytearray:
    """What the system keeps under this name. Raises TransportError if it does not give it."""
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = (ctypes.c_int * len(name))(*name)
    size = ctypes.c_size_t(0)
    for _ in range(ATTEMPTS):
        if libc.sysctl(numbers, len(name), None, ctypes.byref(size), None, ctypes.c_size_t(0)):
            break
        found = bytearray(size.value + SPARE)
        size.value = len(found)
        into = (ctypes.c_char * len(found)).from_buffer(found)
        failed = libc.sysctl(numbers, len(name), into, ctypes.byref(size), None, ctypes.c_size_t(0))
        del into  # as long as it lives, the buffer cannot be cut
        if not failed:
            del found[size.value :]
            return found
        if ctypes.get_errno() != errno.ENOMEM:
            break
    number = ctypes.get_errno()
    raise TransportError(number, f"sysctl(3) says: {os.strerror(number)}; root alone may dump associations")


def _numbered(found: bytearray, request: memoryview) -> memoryview:
    """The messages as the answer to this request."""
    view = memoryview(found)
    end = hop(view, 0, len(view), False, len(view)).next
    if not end:
        return memoryview(header.error(request, errno.ENOENT))
    offset = last = 0
    while offset < end:
        header.put(view, "seq", header.get(request, "seq"), offset)
        header.put(view, "pid", header.get(request, "pid"), offset)
        last, offset = offset, offset + header.length(view, offset)
    header.put(view, "seq", 0, last)
    return view[:end]
