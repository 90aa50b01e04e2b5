"""Tables as Parquet and Arrow files, one after the other, so that a capture of any size fits.

A file is written beside its place and renamed when it is whole, and is its owner's alone if it holds keys. The schema
is that of the first table; which names a column has may differ from table to table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    return write_batches(_batches(tables, Export(addresses, names, keys, fingerprint)), target, keys, compression)


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
    return write_batches(_batches(tables, Export(addresses, names, keys, fingerprint)), target, keys)


def available() -> bool:
    """Whether pyarrow, which writes these files, is installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


def write_batches(batches: Iterator[Any], target: Target, private: bool, compression: str | None = None) -> int:
    """Write record batches as Parquet with this compression, or as an Arrow stream, and return the number of rows.

    Raises ValueError if there is none or one has other columns, and OSError.
    """
    first = next(batches, None)
    if first is None:
        raise ValueError("there is no table to write, and without one no schema")

    def write(file: BinaryIO) -> int:
        with _writer(file, first.schema, compression) as out:
            out.write_batch(first)
            rows: int = first.num_rows
            for batch in batches:
                out.write_batch(batch)
                rows += batch.num_rows
        return rows

    if not isinstance(target, str | PathLike):
        return write(target)
    with replacing(Path(target), private=private) as file:
        return write(file)


def _writer(file: BinaryIO, schema: Any, compression: str | None) -> AbstractContextManager[Any]:
    from pyarrow import ipc, parquet

    opened: AbstractContextManager[Any]
    if compression is None:
        opened = ipc.new_stream(file, schema)
    else:
        opened = parquet.ParquetWriter(file, schema, compression=compression)
    return opened


def _batches(tables: Tables, export: Export) -> Iterator[Any]:
    for table in [tables] if isinstance(tables, Table) else tables:
        yield record_batch(table, export)
