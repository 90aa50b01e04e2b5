"""Tables as Apache Arrow: the same memory under names that every data frame library reads.

Columns of numbers and binary addresses are handed over as they are; only names, text and the bitmaps that tell nulls
are made. pyarrow does the rest, and is imported when it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ..spec.tables import Column
from . import readable
from .keys import KINDS, fingerprints
from .room import Array

if TYPE_CHECKING:
    from .table import Table

Addresses = Literal["binary", "text"]
"""How addresses are given: 16 bytes each, or as people write them."""


class Export(NamedTuple):
    """How a table becomes Arrow, as `Table.to_arrow` explains."""

    addresses: Addresses = "binary"
    names: bool = True
    keys: bool = False
    fingerprint: bytes | None = None
    columns: Sequence[str] | None = None
    """Names of the fields that are wanted, lists and keys among them; None for all that there are."""
    noted: Mapping[str, Sequence[str]] = {}
    """What numbers that were noted beside rows stand for, by the name of the field that they become."""


def record_batch(table: Table, export: Export) -> Any:
    """A table as a pyarrow.RecordBatch."""
    import pyarrow as pa

    if export.addresses not in ("binary", "text"):
        raise ValueError(f"addresses are 'binary' or 'text', not {export.addresses!r}")
    wanted = table.columns if export.columns is None else [name for name in export.columns if name in table.columns]
    named = [*_columns(table, wanted, export), *_lists(table, export), *_keys(table, export)]
    if export.columns is not None:
        fields = {field.name: (field, values) for field, values in named}
        named = [fields[name] for name in export.columns]
    named = [*_noted(table, export), *named]
    schema = pa.schema([field for field, _ in named], {"table": table.schema.name, "dialect": table.dialect.name})
    return pa.RecordBatch.from_arrays([values for _, values in named], schema=schema)


def _columns(table: Table, names: Sequence[str], export: Export) -> list[tuple[Any, Any]]:
    return [_named(name, _column(table, name, export), table.schema.column(name)) for name in names]


def _noted(table: Table, export: Export) -> list[tuple[Any, Any]]:
    import pyarrow as pa

    found = []
    for name, labels in export.noted.items():
        places = pa.array(table[name], pa.int32())
        found.append((name, pa.DictionaryArray.from_arrays(places, pa.array(labels, pa.string()))))
    return [(pa.field(name, values.type), values) for name, values in found]


def _lists(table: Table, export: Export) -> list[tuple[Any, Any]]:
    import pyarrow as pa

    found = []
    for name, (items, offsets) in table.lists().items():
        if export.columns is not None and name not in export.columns:
            continue
        members = _columns(items, items.columns, export)
        structures = pa.StructArray.from_arrays(
            [values for _, values in members], fields=[field for field, _ in members]
        )
        lists = pa.LargeListArray.from_arrays(pa.array(offsets), structures)
        found.append((pa.field(name, lists.type), lists))
    return found


def _keys(table: Table, export: Export) -> list[tuple[Any, Any]]:
    import pyarrow as pa

    found = []
    for kind in KINDS:
        if export.keys:
            material = pa.array([key or None for key in table.key_bytes(kind)], pa.binary())
            found.append((pa.field(f"key_{kind}", material.type), material))
        if export.fingerprint is not None:
            prints = pa.array(fingerprints(table.key_bytes(kind), export.fingerprint), pa.string())
            found.append((pa.field(f"key_{kind}_fingerprint", prints.type), prints))
    return found


def _named(name: str, values: Any, column: Column) -> tuple[Any, Any]:
    import pyarrow as pa

    metadata = {"meaning": column.meaning, **({"unit": column.unit} if column.unit else {})}
    return pa.field(name, values.type, metadata=metadata), values


def _column(table: Table, name: str, export: Export) -> Any:
    import pyarrow as pa

    array, missing = table[name], table.null(name)
    if array.ndim == 2:
        binary = _shared(pa.binary(16), array, missing)
        return binary if export.addresses == "binary" else _text(binary)
    coded = table._coded(name) if export.names else None
    if coded is None:
        return _shared(pa.from_numpy_dtype(array.dtype), array, missing)
    places, labels = coded
    return pa.DictionaryArray.from_arrays(_shared(pa.int32(), places, missing), pa.array(labels, pa.string()))


def _shared(kind: Any, array: Array, missing: Array) -> Any:
    """An Arrow array over the memory of a NumPy array."""
    import pyarrow as pa

    validity = pa.py_buffer(np.packbits(~missing, bitorder="little")) if missing.any() else None
    return pa.Array.from_buffers(kind, len(array), [validity, pa.py_buffer(np.ascontiguousarray(array))])


def _text(binary: Any) -> Any:
    """Text of 16-byte addresses, each distinct one written once."""
    import pyarrow as pa

    encoded = binary.dictionary_encode()
    distinct = np.frombuffer(b"".join(encoded.dictionary.to_pylist()), np.uint8).reshape(-1, 16)
    written = pa.array(readable.addresses(distinct), pa.string())
    return pa.DictionaryArray.from_arrays(encoded.indices, written).dictionary_decode()
