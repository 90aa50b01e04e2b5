"""Whatever offers its bytes, as one flat view of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


def byte_view(buffer: Buffer) -> memoryview:
    """A read-only view of a buffer's bytes, without a copy.

    Raises BufferError if the bytes are not contiguous, TypeError for an object that is no buffer.
    """
    view = memoryview(buffer).toreadonly()
    if not view.c_contiguous:
        raise BufferError("the bytes of the buffer are not contiguous; a copy of it would be")
    return view.cast("B") if view.nbytes else memoryview(b"")
