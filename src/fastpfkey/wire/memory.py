"""Whatever offers its bytes: one flat view of them, and how they are wiped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import hotpath

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


def wipe(buffer: Buffer) -> None:
    """Overwrite the bytes of a buffer with zeros.

    Raises BufferError if they are not contiguous or not writable, TypeError for an object that is no buffer.
    """
    with memoryview(buffer) as view:
        if view.readonly or not view.c_contiguous:
            raise BufferError("only bytes that are writable and contiguous can be wiped")
        if view.nbytes:
            hotpath.wipe(view.cast("B"))
