"""What people read instead of column numbers: labels for terms, text for addresses, None for what is absent.

Values are made a column at a time, and each distinct code or IPv6 address once, because a list of Python objects
costs far more than the column that it comes from.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..spec.model import Dialect
from ..spec.tables import Column, Table, presence, sources
from ..spec.terms import ExtensionType, Term
from .room import Array

if TYPE_CHECKING:
    import numpy.typing as npt

V4_MAPPED = np.frombuffer(bytes(10) + b"\xff\xff", np.uint8)

HEXADECIMAL = frozenset({"spi", "flags"})
"""Columns that a text table shows as people compare them: SPIs and bits."""


def addresses(column: Array) -> list[str]:
    """Text of 16-byte addresses: dotted where v4-mapped, else IPv6 as RFC 5952 writes it."""
    is_v4 = (column[:, :12] == V4_MAPPED).all(axis=1)
    dotted = iter(["{}.{}.{}.{}".format(*quad) for quad in column[is_v4, 12:].tolist()])
    colons = iter(_ipv6(column[~is_v4]))
    return [next(dotted if v4 else colons) for v4 in is_v4.tolist()]


def _ipv6(column: Array) -> list[str]:
    whole = np.ascontiguousarray(column).view("V16").ravel().tolist()
    texts = {raw: str(ipaddress.IPv6Address(raw)) for raw in set(whole)}
    return [texts[raw] for raw in whole]


def values(schema: Table, dialect: Dialect, arrays: dict[str, Array], name: str) -> list[Any]:
    """One column as Python values: str for terms and addresses, int for numbers, None where there is nothing."""
    column, array = schema.column(name), arrays[name]
    found: list[Any]
    if column.dtype == "16u1":
        found = addresses(array)
    elif name == "present":
        found = _spelled(*_distinct(array, _extension_labels))
    elif column.terms:
        found = _spelled(*coded(schema, dialect, arrays, column))
    else:
        found = array.tolist()
    missing = null(schema, dialect, arrays, name)
    if not missing.any():
        return found
    return [None if absent else value for absent, value in zip(missing.tolist(), found, strict=True)]


def null(schema: Table, dialect: Dialect, arrays: dict[str, Array], name: str) -> npt.NDArray[np.bool_]:
    """Rows in which a column holds no value: the message lacks the extension, or there is no address to the family."""
    if schema.column(name).dtype == "16u1" and f"{name}_family" in arrays:
        return ~np.isin(arrays[f"{name}_family"], (4, 6))
    bits = presence(schema, dialect, name)
    if bits is None or "present" not in arrays:
        return np.zeros(len(arrays[name]), np.bool_)
    absent: npt.NDArray[np.bool_] = arrays["present"] & np.uint64(bits) == 0
    return absent


def _distinct(array: Array, label: Callable[[int], str]) -> tuple[Array, list[str]]:
    """Which label each value has, and the labels of the values that occur, in the order of their codes."""
    places: Array
    if array.dtype.itemsize > 2:
        codes, places = np.unique(array, return_inverse=True)
    else:  # few enough codes to mark, which needs no sorting
        seen = np.zeros(1 << 8 * array.dtype.itemsize, np.bool_)
        seen[array] = True
        codes = np.flatnonzero(seen)
        number = np.zeros(len(seen), np.int32)
        number[codes] = np.arange(len(codes))
        places = number[array]
    return places.astype(np.int32, copy=False), [label(code) for code in codes.tolist()]


def _spelled(places: Array, labels: Sequence[str]) -> list[str]:
    return [labels[place] for place in places.tolist()]


def _extension_labels(present: int) -> str:
    return " ".join(ExtensionType(bit).label for bit in range(64) if present >> bit & 1)


def coded(schema: Table, dialect: Dialect, arrays: dict[str, Array], column: Column) -> tuple[Array, list[str]]:
    """A column of terms as labels: which one each row has (int32), and the labels, each once."""
    array = arrays[column.name]
    own = [source for source in sources(schema, dialect) if source.column == column.name]
    wire = any(not source.translate for source in own)
    choice = next((source.choice for source in own if source.choice is not None), None)
    labeller = _labeller(dialect, column.terms, wire) if choice is None else _label_of(type(choice.chosen))
    places, labels = _distinct(array, labeller)
    for source in own:
        if source.satype is not None:
            special = np.flatnonzero(arrays["satype"] == source.satype)
            found, more = _distinct(array[special], _labeller(dialect, source.terms, wire))
            places[special] = found + len(labels)
            labels += more
    unique = list(dict.fromkeys(labels))
    if len(unique) == len(labels):
        return places, labels
    return np.array([unique.index(label) for label in labels], np.int32)[places], unique


def _label_of(kind: type[Term]) -> Callable[[int], str]:
    return lambda code: kind(code).label


def _labeller(dialect: Dialect, terms: str, wire: bool) -> Callable[[int], str]:
    table = dialect.terms.get(terms)
    if table is None:
        return str
    return (lambda code: table.term(code).label) if wire else _label_of(table.kind)


def text_table(rows: Sequence[Sequence[str]], right: Iterable[int]) -> list[str]:
    """Lines with aligned columns; those whose number is in `right` are set flush right."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    flush = frozenset(right)
    return [
        "  ".join(
            cell.rjust(width) if place in flush else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
