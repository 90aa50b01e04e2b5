"""Tables as Parquet and Arrow files, one after the other, so that a capture of any size fits.

A file is written beside its place and renamed when it is whole, and is its owner's alone if it holds keys. The schema
is that of the first table; which names a column has may differ from table to table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..columns.arrow import Export, record_batch
from ..columns.table import Table
from ..transport.files import replacing

if TYPE_CHECKING:
    from ..columns.arrow import Addresses

Tables = Table | Iterable[Table]
"""One table, or several of the same columns and dialect, such as `iter_tables` gives."""

Target = str | PathLike[str] | BinaryIO
"""A path, or a file that is open for writing bytes."""


def write_parquet(
    tables: Tables,
    target: Target,
    *,
    addresses: Addresses = "binary",
    names: bool = True,
    keys: bool = False,
    fingerprint: bytes | None = None,
    compression: str = "zstd",
) -> int:
    """Write Parquet, a row group for each table, and return the number of rows.

    Arguments are those of `Table.to_arrow`, and `compression` is pyarrow's. Raises ImportError without pyarrow,
    ValueError if there is no table or one differs in its columns, OSError.
    """
    from pyarrow import parquet

    def writer(file: BinaryIO, schema: Any) -> AbstractContextManager[Any]:
        opened: AbstractContextManager[Any] = parquet.ParquetWriter(file, schema, compression=compression)
        return opened

    return _write(tables, target, Export(addresses, names, keys, fingerprint), writer)


def write_arrow(
    tables: Tables,
    target: Target,
    *,
    addresses: Addresses = "binary",
    names: bool = True,
    keys: bool = False,
    fingerprint: bytes | None = None,
) -> int:
    """Write Arrow's streaming format, a batch for each table, and return the number of rows.

    Arguments and errors are those of `write_parquet`.
    """
    from pyarrow import ipc

    def writer(file: BinaryIO, schema: Any) -> AbstractContextManager[Any]:
        opened: AbstractContextManager[Any] = ipc.new_stream(file, schema)
        return opened

    return _write(tables, target, Export(addresses, names, keys, fingerprint), writer)


def _write(
    tables: Tables, target: Target, export: Export, writer: Callable[[BinaryIO, Any], AbstractContextManager[Any]]
) -> int:
    batches = _batches(tables, export)
    first = next(batches, None)
    if first is None:
        raise ValueError("there is no table to write, and without one no schema")

    def write(file: BinaryIO) -> int:
        with writer(file, first.schema) as out:
            out.write_batch(first)
            rows: int = first.num_rows
            for batch in batches:
                out.write_batch(batch)
                rows += batch.num_rows
        return rows

    if not isinstance(target, str | PathLike):
        return write(target)
    with replacing(Path(target), private=export.keys) as file:
        return write(file)


def _batches(tables: Tables, export: Export) -> Iterator[Any]:
    for table in [tables] if isinstance(tables, Table) else tables:
        yield record_batch(table, export)
