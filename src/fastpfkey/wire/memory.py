"""Whatever offers its bytes, as one flat view of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Buffer


def byte_view(buffer: Buffer) -> memoryview:
    """A read-only view of a buffer's bytes, without a copy.

    Raises BufferError if the bytes are not contiguous, and TypeError for an object that is no buffer or has items that
    cannot be seen as bytes.
    """
    view = memoryview(buffer).toreadonly()
    if not view.c_contiguous:
        raise BufferError("the bytes of the buffer are not contiguous; a copy of it would be")
    if view.nbytes == 0:
        return memoryview(b"")
    try:
        return view.cast("B")
    except TypeError:
        raise TypeError(f"a buffer of items of format {view.format!r} cannot be seen as bytes") from None
