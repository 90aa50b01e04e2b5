"""Columns from anywhere: a mapping of arrays, checked, and completed by what its values imply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import EncodeError
from ..spec.model import Dialect
from ..spec.tables import ASSOCIATIONS, Column, sources
from ..spec.terms import ExtensionType as Ext
from ..wire.structs import HostOrder
from .associations import SATable
from .keys import KeyStore, Secret, Span
from .material import KEYS, Material, Strings, add_families, bits_name, set_flags
from .room import Array

ALWAYS = {Ext.SA: "spi", Ext.ADDRESS_SRC: "src", Ext.ADDRESS_DST: "dst"}
"""Extensions that a row has whatever its values are, if there is this column."""

COLUMNS: Mapping[str, Column] = {name: ASSOCIATIONS.column(name) for name in SATable.from_buffer(b"").columns}

KEY_NAMES = {f"key_{name}": kind for name, kind in KEYS.items()}
"""Names of keys in a mapping: arrays (rows, bytes), or lists of byte strings. `keys` is the store of a table."""


def material_of(mapping: Mapping[str, Any], dialect: Dialect, byteorder: HostOrder) -> Material:
    """The rows of a mapping. A single value stands for as many as there are rows.

    Raises KeyError for an unknown name, and EncodeError for a value that does not fit its column.
    """
    known = (*COLUMNS, *KEY_NAMES, "keys")
    for name in mapping:
        if name not in known:
            raise KeyError(f"no column {name!r}; there are {', '.join(known)}")
    columns = {name: _column(COLUMNS[name], mapping[name]) for name in COLUMNS if name in mapping}
    keys, kept = _keys(mapping)
    counts = {name: len(array) for name, array in columns.items() if array.ndim > (COLUMNS[name].dtype == "16u1")}
    counts |= {kind.label: len(span.bits) for kind, (_, span) in keys.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise EncodeError(f"the columns have different numbers of rows: {told}")
    rows = next(iter(counts.values()), 0)
    arrays = {
        name: np.ascontiguousarray(np.broadcast_to(array, (rows, 16) if COLUMNS[name].dtype == "16u1" else (rows,)))
        for name, array in columns.items()
    }
    for kind, (_, span) in keys.items():
        arrays[bits_name(kind)] = span.bits
    add_families(arrays)
    set_flags(dialect, arrays)
    if "present" not in arrays:
        arrays["present"] = _present(dialect, arrays, rows)
    strings = {kind: Strings(text, span.starts) for kind, (text, span) in keys.items()}
    return Material(dialect, byteorder, arrays, strings, kept)


def _column(column: Column, values: Any) -> Array:
    """Values as the column's type."""
    given = np.asarray(values)
    if column.dtype == "16u1":
        if given.dtype != np.uint8 or given.ndim not in (1, 2) or given.shape[-1] != 16:
            raise EncodeError(f"{column.name}: addresses are arrays of 16 bytes a row, IPv4 as v4-mapped IPv6")
        return given
    if given.ndim > 1 or (given.dtype.kind not in "iub" and given.size):
        raise EncodeError(f"{column.name}: numbers in one dimension are needed, not {given.dtype} in {given.ndim}")
    wanted = np.dtype(column.dtype)
    if given.size and given.dtype != wanted and not 0 <= int(given.min()) <= int(given.max()) <= np.iinfo(wanted).max:
        raise EncodeError(f"{column.name}: a value does not fit {8 * wanted.itemsize} bits")
    return given.astype(wanted)


def _keys(mapping: Mapping[str, Any]) -> tuple[dict[Ext, tuple[memoryview, Span]], object]:
    """The keys of a mapping, and what keeps them."""
    store = mapping.get("keys")
    if store is not None:
        if not isinstance(store, KeyStore):
            raise EncodeError(f"keys: the key store of a table is needed, not {type(store).__name__}")
        if KEY_NAMES.keys() & mapping.keys():
            raise EncodeError("keys: there is a key store and keys beside it")
        return {kind: store.places(name) for name, kind in KEYS.items()}, store
    secrets: list[Secret] = []
    found = {kind: _copied(name, mapping[name], secrets) for name, kind in KEY_NAMES.items() if name in mapping}
    return found, secrets


def _copied(name: str, values: Any, secrets: list[Secret]) -> tuple[memoryview, Span]:
    """Keys in memory that is wiped when the last secret is gone."""
    if isinstance(values, np.ndarray):
        if values.ndim != 2 or values.dtype != np.uint8:
            raise EncodeError(f"{name}: an array of keys is (rows, bytes) of uint8")
        sizes = np.full(len(values), values.shape[1], np.int64)
    elif isinstance(values, Sequence) and all(isinstance(item, (bytes, bytearray, memoryview)) for item in values):
        sizes = np.fromiter((len(item) for item in values), np.int64, len(values))
    else:
        raise EncodeError(f"{name}: an array (rows, bytes), or a list of byte strings is needed")
    if (sizes > np.iinfo(np.uint16).max // 8).any():
        raise EncodeError(f"{name}: a key is longer than its field can say")
    secret = Secret(int(sizes.sum()))
    memory = memoryview(secret.memory)
    starts = np.cumsum(sizes) - sizes
    if isinstance(values, np.ndarray):
        np.frombuffer(memory, np.uint8)[:] = values.ravel()
    else:
        for start, item in zip(starts.tolist(), values, strict=True):
            memory[start : start + len(item)] = item
    secrets.append(secret)
    return memory, Span(starts.astype(np.uint64), (sizes * 8).astype(np.uint16))


def _present(dialect: Dialect, arrays: Mapping[str, Array], rows: int) -> Array:
    """An extension for whatever is not 0: one bit for each, a row."""
    present = np.zeros(rows, np.uint64)
    for item in sources(ASSOCIATIONS, dialect):
        kind, name = item.extension, item.column
        told = arrays.get(name)
        if kind is None or told is None:
            continue
        if kind in ALWAYS:
            there = np.full(rows, ALWAYS[kind] in arrays)
        else:
            decisive = arrays.get(f"{name}_family", told)
            there = decisive != 0
        present |= there.astype(np.uint64) << np.uint64(kind.bit)
    return present
