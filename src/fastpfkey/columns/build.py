"""Messages from tables, as many as there are rows, in one buffer.

Rows that look alike on the wire are found first. What they have in common is made once for all of them by the codec of
single messages, and judged once; then the hot path copies it for each row and writes the row's own values over it.
Everything that can be wrong is known before the first byte is written.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypedDict, Unpack, cast, get_args

import numpy as np

from .. import spec
from ..errors import EncodeError, UnusableRowsError
from ..hotpath import Lease, build, classify
from ..spec.building import BuildPlan, Templates, build_plan
from ..spec.model import Dialect
from ..spec.plan import ByteOrder
from ..spec.tables import ASSOCIATIONS
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType
from ..wire.dialects import host_order
from ..wire.keywords import only
from ..wire.pool import BufferPool
from .associations import SATable
from .forms import Kind
from .mapping import COLUMNS, material_of
from .material import KEYS, Material, Strings, add_families, bits_name, set_flags, size_name
from .room import Array
from .shapes import Shapes
from .undescribed import undescribed

OnUnusable = Literal["raise", "skip"]

Rows = SATable | Mapping[str, Any]
"""What messages are built from."""


class DumpOptions(TypedDict, total=False):
    """How to build."""

    dialect: str | Dialect
    """That of the messages; the table's, or the host's for a mapping."""
    byteorder: ByteOrder
    """Likewise."""
    on_error: OnUnusable
    """Whether rows that cannot be used are an error, or left out."""
    pool: BufferPool
    """Where the lease comes from."""


class Options(DumpOptions, total=False):
    """How to build requests."""

    seq: int
    """Number of the first message; the others count on. 1 unless given."""
    pid: int
    """Whose messages they are; this process's unless given."""


def build_add(table: Rows, **options: Unpack[Options]) -> Lease:
    """An ADD for each row, back to back; `.offsets` of the lease says where each begins.

    `table` is an SATable that was decoded with `keys=True`, or a mapping from its column names to arrays, with keys as
    `key_auth` and `key_encrypt`, arrays (rows, bytes) or lists of byte strings, or as `keys`, those of a table. Rows
    need satype, spi, src and dst, and an algorithm with its key where their SA type takes one. All are submitted as
    MATURE. Of a table's extensions those go in that the grammar lists for ADD, also those without columns, which are
    copied from the buffer that the table was decoded from.

    Rows that cannot be used are an UnusableRowsError, which has all of them with reasons, before anything is written;
    `on_error="skip"` leaves them out, and `.left_out` of the lease has them by reason. Raises EncodeError for a column
    that is missing or does not fit, LeaseError if the pool has no memory to lend.

    The lease holds keys, so it is wiped when it ends.
    """
    return _build(MessageType.ADD, table, options)


def build_update(table: Rows, **options: Unpack[Options]) -> Lease:
    """An UPDATE for each row. Everything is as in `build_add`."""
    return _build(MessageType.UPDATE, table, options)


def build_delete(table: Rows, **options: Unpack[Options]) -> Lease:
    """A DELETE for each row, from satype, spi, src and dst. Everything else is as in `build_add`."""
    return _build(MessageType.DELETE, table, options)


def build_get(table: Rows, **options: Unpack[Options]) -> Lease:
    """A GET for each row, from satype, spi, src and dst. Everything else is as in `build_add`."""
    return _build(MessageType.GET, table, options)


def build_dump(table: Rows, **options: Unpack[DumpOptions]) -> Lease:
    """The answer to a DUMP that tells of each row, as the engine would give it: a dumped table's own bytes again.

    Header and extensions are those of the rows. Where there is no column `seq` the messages count down to 0, with which
    a dump ends. Everything else is as in `build_add`, but that any row can be told of; unusable are only those with an
    extension that is in no column, and not in a buffer that the table has.
    """
    return _build(MessageType.DUMP, table, cast(Options, options))


@dataclass(frozen=True, eq=False)
class _Prepared:
    """Messages of which everything is known but their values."""

    material: Material
    plan: BuildPlan
    templates: Templates
    shapes: Array
    """Number of each row's template (uint32)."""
    unusable: Mapping[str, Array]
    """Rows without one, by reason."""

    @classmethod
    def of(cls, kind: Kind, material: Material, pid: int) -> _Prepared:
        """Make the templates, and find what rows cannot be used."""
        known = material.arrays
        names = tuple(name for name in COLUMNS if kind.takes(name) and (name in known or name == "seq"))
        seen = int(np.bitwise_or.reduce(known["present"], initial=0))
        extensions = kind.extensions & (kind.added | {item for item in kind.extensions if seen >> item.bit & 1})
        plan = build_plan(kind.dialect, ASSOCIATIONS, names, extensions, material.whole, material.byteorder)
        sizes = [size_name(item) for item in plan.strings if item in material.whole]
        makers = [*plan.shape, *(name for name in kind.judged if name in known), *sizes]
        columns = [known[name] for name in makers]
        shapes, firsts = np.empty((2, len(material)), np.uint32)
        widths = [column.itemsize for column in columns]
        count = classify([_octets(column) for column in columns], widths, len(material), shapes.data, firsts.data)
        templates, objections = Shapes(kind, plan, material, pid).templates(makers, firsts[:count])
        unusable: dict[str, Array] = {}
        for shape, reason in enumerate(objections):
            if reason is not None:
                rows = np.concatenate([unusable.get(reason, firsts[:0]), np.flatnonzero(shapes == shape)])
                unusable[reason] = np.sort(rows.astype(np.int64))
        return cls(material, plan, templates, shapes, unusable)

    def written(self, seq: Array, pool: BufferPool) -> Lease:
        """A lease with the messages."""
        rows, lengths = len(self.shapes), np.array(self.templates.lengths, np.uint32)
        total = int(lengths.take(self.shapes).sum(dtype=np.uint64)) if rows else 0
        arrays = {**self.material.arrays, "seq": seq}
        columns = [_octets(arrays[item.name]) for item in self.plan.columns]
        nothing = Strings(b"", np.zeros(rows, np.uint64))
        strings = [self.material.strings.get(item, nothing) for item in self.plan.strings]
        offsets = np.empty(rows, np.uint64)
        lease = pool.acquire(total)
        lease.holds_keys = bool(strings)
        try:
            places = [(text, starts.data) for text, starts in strings]
            with memoryview(lease) as out:
                build(self.plan, self.templates, self.shapes.data, columns, places, offsets.data, out)
        except BaseException:
            lease.release()
            raise
        lease.offsets = offsets
        return lease


def _build(type: MessageType, table: Rows, options: Options) -> Lease:
    only(DumpOptions if type is MessageType.DUMP else Options, options, f"build_{type.label}")
    on_error = options.get("on_error", "raise")
    if on_error not in get_args(OnUnusable):
        raise ValueError(f"on_error is raise or skip, not {on_error!r}")
    kind, material = _material(type, table, options)
    missing = [name for name in kind.needed if name not in material.arrays]
    if missing:
        raise EncodeError(f"{type.label}: columns are missing: {', '.join(missing)}")
    pid = 0 if kind.dumps else options.get("pid", os.getpid())
    prepared, left_out = _Prepared.of(kind, material, pid), None
    if prepared.unusable:
        if on_error == "raise":
            raise UnusableRowsError({why: rows.tolist() for why, rows in prepared.unusable.items()}, len(material))
        left_out = prepared.unusable
        good = np.setdiff1d(np.arange(len(material)), np.concatenate(list(left_out.values())))
        prepared = _Prepared.of(kind, material.take(good), pid)
    lease = prepared.written(_sequence(kind, prepared.material, options), options.get("pool") or _pool())
    lease.left_out = left_out
    return lease


@functools.cache
def _pool() -> BufferPool:
    """Where messages are built unless told."""
    return BufferPool(slab_size=1 << 20, slabs=0, max_slabs=16)


def _material(type: MessageType, table: Rows, options: DumpOptions) -> tuple[Kind, Material]:
    """What to build, and from what."""
    if not isinstance(table, SATable):
        kind = Kind(type, spec.dialect(options.get("dialect", "host")))
        return kind, material_of(table, kind.dialect, host_order(options.get("byteorder", "native")))
    kind = Kind(type, table.dialect)
    if "dialect" in options and spec.dialect(options["dialect"]) is not table.dialect:
        raise ValueError(f"the table is {table.dialect.name}'s, whose flags mean something else elsewhere")
    order = host_order(options.get("byteorder", table.byteorder or "native"))
    arrays = {name: np.ascontiguousarray(table[name]) for name in table.columns}
    arrays["present"] = table["present"]
    strings: dict[Ext, Strings] = {}
    if table.keys is not None:
        for name, key in KEYS.items():
            text, span = table.keys.places(name)
            strings[key], arrays[bits_name(key)] = Strings(text, span.starts), span.bits
    if order == table.byteorder:
        for found in undescribed(table, kind.copied):
            strings[found.kind] = Strings(found.text, found.starts)
            arrays[size_name(found.kind)] = found.sizes
    add_families(arrays)
    set_flags(table.dialect, arrays)
    return kind, Material(table.dialect, order, arrays, strings, table)


def _sequence(kind: Kind, material: Material, options: Options) -> Array:
    """The number of each message."""
    rows = len(material)
    if kind.dumps:
        found = material.arrays.get("seq")
        return np.arange(rows, dtype=np.uint32)[::-1].copy() if found is None else found
    first = options.get("seq", 1)
    if not 0 <= first <= first + rows <= 1 << 32:
        raise EncodeError(f"{kind.type.label}: seq counts from {first} past 32 bits")
    return np.arange(first, first + rows, dtype=np.uint32)


def _octets(column: Array) -> memoryview:
    """The bytes of a column."""
    return column.reshape(-1).view(np.uint8).data
