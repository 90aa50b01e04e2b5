"""What all tables have in common: columns by name, selection of rows, order, concatenation and a readable repr.

A table is a set of NumPy arrays of equal length and the facts of where they came from. Rows are chosen the way NumPy
does it, and everything that chooses rows goes through one method, so what a kind of table carries beside its columns
follows in one place.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, Self, overload

import numpy as np

from ..errors import WireError
from ..spec import tables
from ..spec.model import Dialect
from ..wire.structs import HostOrder
from . import readable
from .room import Array, Selector

if TYPE_CHECKING:
    import numpy.typing as npt

    from .arrow import Addresses

PREVIEW_ROWS = 8
PREVIEW_WIDTH = 110
ROWS_AT_ONCE = 8192


@dataclass(frozen=True, eq=False)
class Origin:
    """Where a table's rows came from."""

    dialect: Dialect
    byteorder: HostOrder | None
    """Of the capture; None if rows of both orders were put together."""
    buffer: memoryview | None
    """The bytes that `message_offset` counts in; None if rows of several buffers were put together."""


class Table:
    """Columns of equal length, by name.

    `table["name"]` is the column: a contiguous array in native byte order, (rows, 16) bytes for addresses.
    `table[selection]` with a boolean mask, row numbers, a slice or one row number is a table of those rows. A slice
    shares memory with its table, as NumPy slices do; every other selection is a copy.
    """

    schema: ClassVar[tables.Table]
    _preview: ClassVar[tuple[str, ...]] = ()
    """Columns that say most about a row: all that the repr shows of a table that has them all."""

    def __init__(self, arrays: Mapping[str, Array], columns: tuple[str, ...], origin: Origin) -> None:
        self._arrays = dict(arrays)
        self._columns = columns
        self._origin = origin
        self.faults: tuple[WireError, ...] = ()
        """What was wrong with messages that are not in the table, in order; when skipping, the first 100 of them."""
        self.skipped = 0
        """Number of messages that were left out by on_error="skip"."""

    @property
    def fault(self) -> WireError | None:
        """The first fault that on_error="stop" or "skip" met; None without one, and for a selection."""
        return self.faults[0] if self.faults else None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, in order."""
        return self._columns

    @property
    def dialect(self) -> Dialect:
        """The dialect that the rows were decoded by."""
        return self._origin.dialect

    @property
    def buffer(self) -> memoryview | None:
        """The bytes that the rows were decoded from, keys included; None if rows of several were put together."""
        return self._origin.buffer

    @property
    def byteorder(self) -> HostOrder | None:
        """Byte order of the capture; None if captures of both orders were put together. Columns are always native."""
        return self._origin.byteorder

    def __len__(self) -> int:
        return len(next(iter(self._arrays.values())))

    __iter__ = None  # Neither rows nor columns are the obvious choice: `rows()` and `columns` say which is meant.

    @overload
    def __getitem__(self, key: str) -> Array: ...
    @overload
    def __getitem__(self, key: int | slice | Sequence[int] | Sequence[bool] | Array) -> Self: ...
    def __getitem__(self, key: str | int | slice | Sequence[int] | Sequence[bool] | Array) -> Array | Self:
        if isinstance(key, str):
            return self._column(key)
        return self._select(self._selector(key))

    def _column(self, name: str) -> Array:
        try:
            return self._arrays[name]
        except KeyError:
            self.schema.column(name)
            raise KeyError(f"column {name!r} was not decoded; this table has {', '.join(self._columns)}") from None

    def _selector(self, key: int | slice | Sequence[int] | Sequence[bool] | Array) -> Selector:
        count = len(self)
        if isinstance(key, slice):
            start, stop, step = key.indices(count)
            return slice(start, max(start, stop)) if step == 1 else np.arange(start, stop, step)
        if isinstance(key, (Sequence, np.ndarray)) and not isinstance(key, (bytes, bytearray, memoryview)):
            chosen = np.asarray(key)
            if chosen.ndim == 1 and chosen.dtype == np.bool_:
                if len(chosen) != count:
                    raise IndexError(f"a mask of {len(chosen)} values does not fit {count} rows")
                return np.flatnonzero(chosen)
            if chosen.ndim == 1 and (chosen.dtype.kind in "iu" or not chosen.size):
                return chosen.astype(np.intp)
            if chosen.ndim:
                raise TypeError("rows are selected by a mask or by row numbers in one dimension")
        row = operator.index(key)  # type: ignore[arg-type]
        if not -count <= row < count:
            raise IndexError(f"row {row} of {count}")
        return slice(row % count, row % count + 1)

    def _select(self, rows: Selector) -> Self:
        """A table of these rows, with all that the table carries beside its columns."""
        arrays = {name: array[rows] for name, array in self._arrays.items()}
        return type(self)(arrays, self._columns, self._origin, **self._carried(rows))

    def _carried(self, rows: Selector) -> dict[str, Any]:
        """Arguments of the constructor for a selection: what belongs to these rows beside the columns."""
        return {}

    @classmethod
    def _joined(cls, parts: Sequence[Self]) -> dict[str, Any]:
        """Arguments of the constructor for a concatenation."""
        return {}

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """The rows of all tables, one after the other, in new memory.

        Raises ValueError if there is none, or if they differ in dialect or columns.
        """
        if not parts:
            raise ValueError("concat needs one table or more")
        first = parts[0]
        for part in parts[1:]:
            if part.dialect is not first.dialect:
                raise ValueError(f"cannot put {first.dialect.name} and {part.dialect.name} tables together")
            if part.columns != first.columns:
                raise ValueError("cannot put tables with different columns together")
        buffers = {id(part._origin.buffer) for part in parts}
        orders = {part.byteorder for part in parts}
        origin = Origin(
            first.dialect,
            first.byteorder if len(orders) == 1 else None,
            first._origin.buffer if len(buffers) == 1 else None,
        )
        arrays = {name: np.concatenate([part._arrays[name] for part in parts]) for name in first._arrays}
        return cls(arrays, first.columns, origin, **cls._joined(parts))

    def head(self, n: int = 10) -> Self:
        """The first `n` rows."""
        return self[:n]

    def sort(self, *by: str, descending: bool = False) -> Self:
        """A table in the order of these columns, the first counting most. Rows that agree keep their order.

        A name behind a minus sign (`sort("state", "-current_bytes")`) counts the other way round, `descending=True`
        turns all of them. Enumerations are ordered by code, addresses by their bytes, so that IPv4 (v4-mapped) lies
        among IPv6.
        """
        if not by:
            raise ValueError("sort needs the name of a column")
        keys = []
        for name in reversed(by):
            if not isinstance(name, str):
                raise TypeError(f"sort takes names of columns, one after the other, not {type(name).__name__}")
            plain = name.removeprefix("-")
            turned = descending != (plain != name)
            # Columns are unsigned, so that the complement of a value counts the other way round.
            keys += [~key if turned else key for key in _sort_keys(self[plain])]
        return self._select(np.lexsort(keys))

    def where(self, question: str) -> Self:
        """A table of the rows for which the answer is yes: `table.where("state == 'mature' and dst in '10.0.0.0/8'")`.

        Columns are compared with numbers (`< <= > >= == !=`, with `+ - * /`), terms and addresses with strings; `in`
        takes a network or a list; `and`, `or` and `not` combine. `now` is Unix time: of what has a hard limit,
        `current_addtime + hard_addtime - now < 300` asks for what ends in five minutes. A comparison with what a row
        lacks is false, and `reqid is None` asks for that. Raises QueryError, which says what is wrong and where.
        """
        from .where import rows

        return self[rows(self, question)]

    def noted(self, name: str, number: int) -> Self:
        """The same table with a number beside each row, which follows it and is none of its columns."""
        arrays = {**self._arrays, name: np.full(len(self), number, np.uint32)}
        return type(self)(arrays, self._columns, self._origin, **self._carried(slice(None)))

    def detached(self) -> Self:
        """The same table without the buffer that it was decoded from, which lives no longer because of it."""
        origin = replace(self._origin, buffer=None)
        return type(self)(self._arrays, self._columns, origin, **self._carried(slice(None)))

    def null(self, name: str) -> npt.NDArray[np.bool_]:
        """Mask of the rows in which this column holds no value but 0, because the message lacks the extension."""
        self._column(name)
        return readable.null(self.schema, self.dialect, self._arrays, name)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Each row as a dict for people and JSON: labels for terms, text for addresses, None for what was absent.

        `present` becomes the names of the extensions, separated by spaces.
        """
        names = self._columns if columns is None else names_of(columns)
        for begin in range(0, len(self), ROWS_AT_ONCE):
            some = self[begin : begin + ROWS_AT_ONCE]
            lists = [some._values(name) for name in names]
            for row in zip(*lists, strict=True):
                yield dict(zip(names, row, strict=True))

    def _values(self, name: str) -> list[Any]:
        self._column(name)
        return readable.values(self.schema, self.dialect, self._arrays, name)

    def _coded(self, name: str) -> tuple[Array, list[str]] | None:
        """A column of terms as the place of each row's label (int32) and the labels; None for other columns."""
        column = self.schema.column(name)
        if not column.terms or column.terms not in self.dialect.terms:
            return None
        return readable.coded(self.schema, self.dialect, self._arrays, column)

    def lists(self) -> Mapping[str, tuple[Table, Array]]:
        """Tables of which each row has a list of rows, and where the lists begin, with one more for the end."""
        return {}

    def key_bytes(self, kind: str) -> list[bytes]:
        """The keys of one kind, a row each. Raises ValueError for a table without keys."""
        raise ValueError(f"{type(self).__name__} has no keys")

    def to_arrow(
        self,
        *,
        addresses: Addresses = "binary",
        names: bool = True,
        keys: bool = False,
        fingerprint: bytes | None = None,
    ) -> Any:
        """The table as a pyarrow.RecordBatch, which shares the memory of columns of numbers and binary addresses.

        Enumerations are dictionaries of their names, or the codes with `names=False`. Addresses are 16 bytes as in the
        table, or text with `addresses="text"`. What a message lacks is null. The schema's metadata names table and
        dialect, that of a field its meaning and unit. A policy's requests are a list of structures.

        `keys=True` adds the keys, which the table must have been decoded with; `fingerprint` adds a keyed hash of
        each instead, so that whoever has the same salt (16 bytes or more) can compare keys without seeing them.

        Raises ImportError without pyarrow, ValueError for keys that the table does not have.
        """
        from .arrow import Export, record_batch

        return record_batch(self, Export(addresses, names, keys, fingerprint))

    def __arrow_c_schema__(self) -> Any:
        """The schema of `to_arrow`, for readers that speak the Arrow PyCapsule interface."""
        return self.to_arrow().schema.__arrow_c_schema__()

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        """What `to_arrow` gives, as a structure array in capsules."""
        return self.to_arrow().__arrow_c_array__(requested_schema)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """What `to_arrow` gives, as a stream of one batch."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        telling = self._preview and set(self._preview) <= set(self._columns)
        order = self._preview if telling else self._columns
        shown = self.head(PREVIEW_ROWS)
        cells: list[list[str]] = []
        right: list[int] = []
        width = 0
        for name in order:
            found = shown._values(name)
            column = [name, *(_cell(name, value) for value in found)]
            width += max(map(len, column)) + 2
            if cells and width > PREVIEW_WIDTH:
                break
            if not any(isinstance(value, str) for value in found):
                right.append(len(cells))
            cells.append(column)
        lines = [f"{type(self).__name__}: {len(self):,} rows, {len(self._columns)} columns, {self.dialect.name}"]
        lines += readable.text_table(list(zip(*cells, strict=True)), right)
        hidden = [(len(self) - len(shown), "rows"), (len(self._columns) - len(cells), "columns")]
        more = ", ".join(f"{count:,} more {what}" for count, what in hidden if count)
        return "\n".join([*lines, f"... {more}"] if more else lines)

    def __reduce__(self) -> NoReturn:
        """Refuse: a table may hold keys, and refers to a buffer that does."""
        raise TypeError(f"{type(self).__name__} is not pickled: it refers to bytes that may hold keys")


def names_of(columns: Iterable[str]) -> tuple[str, ...]:
    """Names of columns that a caller gave. Raises TypeError for a single one, whose characters would be taken."""
    if isinstance(columns, str):
        raise TypeError(f"columns are a list of names, such as [{columns!r}], and not one name")
    return tuple(columns)


def _sort_keys(column: Array) -> list[Array]:
    """Keys for lexsort, the weightiest last."""
    if column.ndim == 1:
        return [column]
    halves = np.ascontiguousarray(column).view(">u8").astype(np.uint64)
    return [halves[:, 1], halves[:, 0]]


def _cell(name: str, value: object) -> str:
    if value is None:
        return "-"
    return f"{value:#010x}" if name in readable.HEXADECIMAL else str(value)
