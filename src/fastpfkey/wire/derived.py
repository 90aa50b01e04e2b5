"""Room for what a dialect has and the typed values have not: a new system takes data only.

The classes of the catalogue have a field for everything that the known systems put into an extension. Where a dialect
has more, a class derived from the one in the catalogue gets the missing fields, None unless set; so an association of
any system is an `SA`, and nothing of it is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, field, make_dataclass, replace
from typing import Any

from ..spec.layouts import Layout
from ..spec.model import Counted, Extension, KeyBits, Records, Requests, Sized, Sockaddrs, Tail, Text
from ..spec.terms import ExtensionType
from .catalogue import RECIPES, Recipe
from .value import ExtensionValue, Value

STRUCTURAL = frozenset({"len", "exttype"})
"""Members of an extension that say how long it is and which."""


def recipe_of(extension: Extension) -> Recipe | None:
    """How the values of an extension are made; None if its dialect knows nothing behind its header."""
    known = RECIPES.get(extension.type)
    if known is None:
        if not extension.tails and not list(_members(extension.layouts, STRUCTURAL)):
            return None
        title = extension.type.name.title().replace("_", "")
        known = Recipe(_grown(ExtensionValue, [], title))
    tails = {type(tail): _names(tail) for tail in extension.tails} | dict(known.tails)
    counts = {name for tail in extension.tails for name in counts_of(tail)}
    own = [name for tail in extension.tails for name in tails[type(tail)]]
    wanted = [*_members(extension.layouts, STRUCTURAL | counts), *own, *filter(None, [known.rest])]
    found = replace(known, value=_grown(known.value, wanted), tails=tails)
    for tail in extension.tails:
        found = _with_records(found, extension, tail)
    return found


def counts_of(tail: Tail) -> tuple[str, ...]:
    """Members of the fixed part that tell how much there is of a tail."""
    match tail:
        case Sized(fields=names):
            return names
        case Records(count=name) | Counted(count=name):
            return (name,) if name else ()
    return ()


def in_array(extension: Extension, recipe: Recipe) -> bool:
    """Whether a list of single bytes begins in an array of the fixed part, and is a field of its own."""
    return recipe.tails.get(Records, ("",))[0] in extension.layout.by_name


def _with_records(recipe: Recipe, extension: Extension, tail: Tail) -> Recipe:
    """The recipe with classes for the records of a list."""
    base = recipe.record or Value
    match tail:
        case Records(layout=layout) if not in_array(extension, recipe):
            return replace(recipe, record=_grown(base, _members([layout], ()), "Record"))
        case Requests(layout=layout):
            names = [*_members([layout], {"len"}), "src", "dst"]
            return replace(recipe, record=_grown(base, names, "Request"))
        case Counted(layout=layout, sub_count=count, sub_layout=sub_layout):
            name, sub = recipe.sub or ("records", Value)
            record = _grown(base, [*_members([layout], {count}), name], "Item")
            return replace(recipe, record=record, sub=(name, _grown(sub, _members([sub_layout], ()), "Record")))
    return recipe


def _names(tail: Tail) -> tuple[str, ...]:
    """Names for the fields that a tail fills, where the catalogue has none."""
    match tail:
        case Sockaddrs(count=1):
            return ("sockaddr",)
        case Sockaddrs(count=count):
            return tuple(f"sockaddr{number}" for number in range(1, count + 1))
        case KeyBits():
            return ("material", "extra")
        case Sized(fields=names):
            return tuple(f"{name}_data" for name in names)
        case Requests():
            return ("requests",)
        case Text():
            return ("text",)
        case Records() | Counted():
            return ("records",)


def _members(layouts: Iterable[Layout], skip: Iterable[str]) -> Iterator[str]:
    """Names of the members that have to be fields."""
    left_out = set(skip)
    for layout in layouts:
        yield from (item.name for item in layout.fields if not item.reserved and item.name not in left_out)


def _grown(base: type[Value], names: Iterable[str], title: str = "") -> type[Any]:
    """The class, or one derived from it with the fields it lacks; a new one where the dialect lacks what it needs."""
    names = list(dict.fromkeys(names))
    known: Mapping[str, Field[Any]] = getattr(base, "__dataclass_fields__", {})
    needed = {item.name for item in known.values() if item.default is MISSING} - {"exttype"}
    if not needed <= set(names):
        root = ExtensionValue if issubclass(base, ExtensionValue) else Value
        return _grown(root, names, base.__name__)
    missing: list[tuple[str, Any, Any]] = [
        (name, Any, field(default=None, kw_only=True)) for name in names if name not in known
    ]
    if issubclass(base, ExtensionValue) and "exttype" not in known:
        missing.insert(0, ("exttype", ExtensionType, field()))
    if not missing:
        return base
    return make_dataclass(title or base.__name__, missing, bases=(base,), frozen=True, slots=True, repr=False)
