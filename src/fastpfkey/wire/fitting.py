"""One extension in the layout of another dialect: what fits, and the names of what does not.

An extension is written as the target writes it and read back, so nothing has to be known of either layout. A field that
cannot be written goes back to its default; a list of algorithms or combinations loses the ones that the target does not
know; an extension that cannot do without what is lost goes whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from typing import TypeVar

from ..spec.terms import Term
from .dialects import MessageCodec
from .extensions import Address, AlgorithmInfo
from .faults import MisfitError
from .sockaddr import SocketAddress
from .value import ExtensionValue, Value

V = TypeVar("V", bound=Value)

LISTS = ("algorithms", "combinations", "satypes")
"""Fields whose items stand for themselves: one that does not fit goes, and the others stay."""

NESTED = re.compile(r"(\w+)\[(\d+)\]\.(\w+)")
"""A field of one item of a list, as a MisfitError names it."""

ANY_PROTOCOL = (0, 255)
HOST = {4: 32, 6: 128}


def fitted(value: ExtensionValue, writer: MessageCodec, satype: int, lost: list[str]) -> ExtensionValue | None:
    """What the target says of an extension; None if it can say nothing. Adds the names of the rest to `lost`."""
    number = writer.number(value.exttype)
    where = value.exttype.label
    if number is None or value.exttype.is_unknown:
        lost.append(where)
        return None
    value = _shortened(value, writer, satype, lost)
    reduced, path = _reduced(value, writer, satype)
    if reduced is None:
        lost += [f"{where}.{path}", where] if path else [where]
        return None
    found = writer.read(number, writer.write(reduced, satype), satype)
    lost += _differences(value, found, where)
    return found


def _shortened(value: ExtensionValue, writer: MessageCodec, satype: int, lost: list[str]) -> ExtensionValue:
    """The extension with those items of its lists that the target can say."""
    for name in LISTS:
        items = getattr(value, name, ())
        kept = []
        for place, item in enumerate(items):
            if _reduced(replace(value, **{name: (item,)}), writer, satype)[0] is not None:
                kept.append(item)
                continue
            term = item.id if isinstance(item, AlgorithmInfo) else item
            lost.append(f"{value.exttype.label}.{term.label if isinstance(term, Term) else f'{name}[{place}]'}")
        if len(kept) < len(items):
            value = replace(value, **{name: tuple(kept)})
    return value


def _reduced(value: ExtensionValue, writer: MessageCodec, satype: int) -> tuple[ExtensionValue | None, str]:
    """The extension without what the target cannot write; None and the name of what is in the way if that fails."""
    while True:
        try:
            for stranger in _strangers(value):
                raise MisfitError("it means nothing elsewhere", stranger)
            writer.write(value, satype)
        except MisfitError as misfit:
            less = _without(value, misfit.field)
            if less is None:
                return None, misfit.field
            value = less
        else:
            return value, ""


def _without(value: ExtensionValue, path: str) -> ExtensionValue | None:
    """The extension with the default in place of a field; None where there is none to put there.

    A term in an item of a list has none: a request for another mode would be another policy.
    """
    match = NESTED.fullmatch(path)
    if match is not None:
        name, place = match[1], int(match[2])
        items = getattr(value, name)
        reduced = None if isinstance(getattr(items[place], match[3]), Term) else _reset(items[place], match[3])
        return None if reduced is None else replace(value, **{name: (*items[:place], reduced, *items[place + 1 :])})
    return _reset(value, path)


def _reset(value: V, name: str) -> V | None:
    default = next((item.default for item in fields(value) if item.name == name), MISSING)
    return None if default is MISSING or getattr(value, name) == default else replace(value, **{name: default})


def _strangers(value: Value, path: str = "") -> Iterator[str]:
    """Fields with a number of the system that had no meaning even there: another system may have one for it."""
    for item in fields(value):
        told, name = getattr(value, item.name), path + item.name
        if _stranger(told) and item.name != "exttype":
            yield name
        elif isinstance(told, Value):
            yield from _strangers(told, f"{name}.")
        elif isinstance(told, tuple):
            for place, part in enumerate(told):
                if isinstance(part, Value):
                    yield from _strangers(part, f"{name}[{place}].")
                elif _stranger(part):
                    yield f"{name}[{place}]"


def _stranger(told: object) -> bool:
    if isinstance(told, SocketAddress):
        return told.af != 0
    return isinstance(told, Term) and told.is_unknown


def _differences(told: object, found: object, path: str) -> Iterator[str]:
    """Names of what one value says and the other does not."""
    if isinstance(told, tuple) and isinstance(found, tuple) and len(told) == len(found):
        for place, pair in enumerate(zip(told, found, strict=True)):
            yield from _differences(*pair, f"{path}[{place}]")
    elif isinstance(told, Value) and isinstance(found, Value):
        for item in fields(told):
            if not _implied(told, item.name):
                part = getattr(told, item.name)
                yield from _differences(part, getattr(found, item.name, None), f"{path}.{item.name}")
    elif told and told != found:
        yield path


def _implied(value: Value, name: str) -> bool:
    """Whether a field says nothing that its absence would not: the prefix of one host, any protocol."""
    if not isinstance(value, Address):
        return False
    return (name == "proto" and value.proto in ANY_PROTOCOL) or (
        name == "prefixlen" and value.prefixlen == HOST.get(value.family)
    )
