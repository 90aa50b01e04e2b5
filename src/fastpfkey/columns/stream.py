"""Tables from inputs of any length: a batch of messages at a time, so that memory does not grow with the input.

How the input is cut is `wire.windows`'s business and decoding is the table's. What is left is to count: a fault is told
with its place in the whole input.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from ..errors import wire_error
from ..spec.model import Dialect
from ..spec.plan import ByteOrder, swapped
from ..wire import windows
from ..wire.pool import BufferPool
from ..wire.recovery import OnError
from ..wire.windows import Limit, Window
from .associations import SATable
from .source import as_bytes
from .table import names_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

    Input: TypeAlias = str | os.PathLike[str] | BinaryIO | Buffer | Iterable[Buffer]

LARGEST = 64 << 20
"""Bytes of messages in a batch, and a message more: messages may be long."""


def iter_tables(
    source: Input,
    batch: int = 100_000,
    dialect: str | Dialect = "host",
    columns: Sequence[str] | None = None,
    byteorder: ByteOrder = "native",
    keys: bool = False,
    threads: int = 1,
    on_error: OnError = "raise",
    strict: bool = False,
    out: BufferPool | None = None,
) -> Iterator[SATable]:
    """The associations of an input of any length, as tables of `batch` messages each, the last one of what is left.

    `source` is a path, a buffer, a binary file object, or an iterable of chunks of bytes that may split messages
    anywhere. A file on a disk is mapped and not copied. A batch ends early when its messages take more than 64 MiB.
    Memory is bounded as long as the caller lets tables go; each is a table of its own, whose `message_offset` counts
    in its own batch.

    All other arguments are those of `SATable.from_buffer`. Faults have the place in the whole input: `offset`,
    `message_index` and `good`. With on_error="raise" the good messages before the fault are a last table, and asking
    for the next one raises; with "stop" that table has the `fault` and is the last; with "skip" each table tells what
    was left out of it.

    Raises ValueError for a batch below 1 and what `from_buffer` does; OSError for a path that cannot be read.
    """
    if batch < 1:
        raise ValueError(f"a batch has 1 message or more, not {batch}")
    decode = partial(
        SATable.from_buffer,
        dialect=dialect,
        columns=None if columns is None else names_of(columns),
        byteorder=byteorder,
        keys=keys,
        threads=threads,
        on_error="stop" if on_error == "raise" else on_error,
        strict=strict,
        out=out,
    )
    decode(b"")  # what is wrong with the arguments is told now, and not when the first table is asked for
    return _tables(_cut(source, swapped(byteorder), Limit(LARGEST, batch)), decode, on_error)


def _cut(source: Input, swap: bool, limit: Limit) -> Iterator[Window]:
    """The windows of any input."""
    if isinstance(source, str | os.PathLike):
        return windows.of_file(Path(source), swap, limit)
    if hasattr(source, "read1"):
        return windows.of_stream(cast("windows.Stream", source), swap, limit)
    if hasattr(source, "read"):
        return windows.of_chunks(iter(partial(source.read, windows.WINDOW), b""), swap, limit)
    try:
        buffer = memoryview(source)  # type: ignore[arg-type]
    except TypeError:
        return windows.of_chunks(source, swap, limit)  # type: ignore[arg-type]
    return windows.of_buffer(as_bytes(buffer), swap, limit)


def _tables(cut: Iterator[Window], decode: Callable[[memoryview], SATable], on_error: OnError) -> Iterator[SATable]:
    number = good = 0
    for window in cut:
        table = decode(window.messages)
        table.faults = tuple(
            wire_error(fault.fault, fault.offset + window.offset, fault.message_index + number, fault.good + good)
            for fault in table.faults
        )
        number, good, fault = number + len(table) + table.skipped, good + len(table), table.fault
        yield table
        del table, window  # before there are more of them
        if fault is not None and on_error != "skip":
            if on_error == "raise":
                raise fault
            return
