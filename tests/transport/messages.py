"""Messages as a kernel of this machine's byte order writes them; what is in them does not matter to transports."""

from __future__ import annotations

import struct

HEADER = struct.Struct("=BBBBHHII")
ADD, DUMP = 3, 10


def message(size: int = 16, *, kind: int = ADD, seq: int = 0, pid: int = 0, errno: int = 0, claims: int = 0) -> bytes:
    """A message of `size` bytes, whose header may claim another length."""
    header = HEADER.pack(2, kind, errno, 3, (claims or size) // 8, 0, seq, pid)
    return header + bytes(seq % 255 + 1 for _ in range(size - len(header)))
