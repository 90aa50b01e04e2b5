"""The template of each shape, and where in it the parts lie that a plan writes over."""

from __future__ import annotations

import functools
from array import array
from collections.abc import Sequence

from ..spec.building import HEAD, IPV4, IPV6, PORT, SCOPE, SIZE, BuildPlan, Part, Templates, in_order
from ..spec.model import HEADER_SIZE, PF_KEY_V2, WORD
from ..spec.terms import ExtensionType as Ext
from ..wire.conversions import term_number
from ..wire.dialects import Header
from ..wire.faults import MisfitError, named
from ..wire.structs import HostOrder
from .forms import Kind, Values
from .material import Material, bits_name, size_name
from .pieces import Pieces
from .room import Array

Made = tuple[bytes, list[int], str | None]
"""A template, the places of the plan's parts in it, and why rows of it cannot be used, if they cannot."""

REMEMBERED = 1024
"""Templates that are kept of one kind of message and material."""


class Shapes:
    """Makes the templates of a kind of message for some material."""

    def __init__(self, kind: Kind, plan: BuildPlan, material: Material, pid: int) -> None:
        self.kind, self.plan, self.material, self.pid = kind, plan, material, pid
        self.pieces = Pieces(kind, plan, material)
        self._order = {item: place for place, item in enumerate(in_order(kind.dialect, kind.dialect.by_type))}

    def templates(self, names: Sequence[str], firsts: Array) -> tuple[Templates, list[str | None]]:
        """The template of each shape, and why rows of it cannot be used, if they cannot.

        `names` are the columns that make shapes, `firsts` a row of each. Shapes that earlier calls had are remembered,
        unless bytes of a row are in them.
        """
        material = self.material
        known = _remembered(
            self.kind,
            self.plan,
            tuple(names),
            frozenset(material.arrays),
            frozenset(material.strings),
            material.byteorder,
            self.pid,
        )
        octets = bytearray()
        lengths, places = array("i"), array("i")
        objections: list[str | None] = []
        columns = [self.material.arrays[name][firsts].tolist() for name in names]
        for row, *found in zip(firsts.tolist(), *columns, strict=True):
            made = known.get(tuple(found))
            if made is None or material.whole:
                made = self._template(dict(zip(names, found, strict=True)), row)
                if len(known) < REMEMBERED and not material.whole:
                    known[tuple(found)] = made
            template, where, objection = made
            objections.append(objection)
            octets += template
            lengths.append(len(template))
            places.extend(where)
        return Templates(bytes(octets), lengths, places), objections

    def _template(self, values: Values, row: int) -> Made:
        nowhere = [-1] * len(self.plan.parts)
        extensions = self.kind.extensions_of(values)
        objection = self.kind.objection(values, extensions)
        if objection is not None:
            return b"", nowhere, objection
        try:
            return (*self._made(values, extensions, row), None)
        except MisfitError as misfit:
            return b"", nowhere, f"with {misfit.field}: {misfit.reason}"

    def _made(self, values: Values, extensions: set[Ext], row: int) -> tuple[bytes, list[int]]:
        """The bytes of a template, and the places of the plan's parts. Raises MisfitError."""
        dialect = self.kind.dialect
        with named("satype"):
            satype = term_number(dialect, dialect.terms["satype"], values["satype"])
        number = term_number(dialect, dialect.terms["message"], self.kind.type)
        body, begins = bytearray(), {}
        for kind in sorted(extensions, key=self._order.__getitem__):
            begins[kind] = HEADER_SIZE + len(body)
            with named(kind.label):
                body += self.pieces.bytes_of(kind, values, satype, row)
        header = Header(PF_KEY_V2, number, 0, satype, (HEADER_SIZE + len(body)) // WORD, 0, 0, self.pid)
        with named("message"):
            head = self.pieces.codec.write_header(header)
        return head + bytes(body), [self._place(part, values, begins) for part in self.plan.parts]

    def _place(self, part: Part, values: Values, begins: dict[Ext, int]) -> int:
        """Offset of a part in the message, -1 where it is absent; or a size."""
        kind, what = part
        if kind is None:
            return 0
        if kind not in begins:
            return 0 if what == SIZE else -1
        if what == HEAD:
            return begins[kind]
        if what == SIZE:
            return values[size_name(kind)] if kind in self.material.whole else (values.get(bits_name(kind), 0) + 7) // 8
        within = self._in_sockaddr(what, self.pieces.version(kind, values))
        return -1 if within is None else begins[kind] + self.kind.dialect.by_type[kind].minimum + within

    def _in_sockaddr(self, what: str, version: int) -> int | None:
        """Offset of a part in a sockaddr; None where there is none."""
        if not version:
            return None
        family = self.kind.dialect.sockaddr.version(version)
        if what == PORT:
            return family.port
        if what == SCOPE:
            return family.scope
        return family.address if what == {4: IPV4, 6: IPV6}[version] else None


@functools.lru_cache(maxsize=16)
def _remembered(
    kind: Kind,
    plan: BuildPlan,
    names: tuple[str, ...],
    arrays: frozenset[str],
    strings: frozenset[Ext],
    byteorder: HostOrder,
    pid: int,
) -> dict[tuple[int, ...], Made]:
    """What was made from material that has the same, by the values of `names`: nothing else is in a template."""
    return {}
