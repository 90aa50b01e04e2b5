"""What ``setkey -l -D`` prints of an association: one line, made again every second."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.model import Dialect
from ..spec.template import (
    Part,
    Template,
    decimal,
    hexadecimal,
    literal,
    lookup,
    rest,
    template,
    unless,
    when,
    within,
)
from ..spec.terms import ExtensionType as Ext
from .associations import TABLE, shown
from .look import Look
from .parts import has, lacks, numeric
from .words import SATYPES

HEADER = "time p   s spi      ltime   src -> dst\n"

STATES = {0: "L", 1: "M", 2: "D", 3: "d"}
LONG = 1000
"""Seconds from which a time is called big."""


def line(dialect: Dialect, look: Look) -> Template:
    """The template of an association's line, for the columns of `associations.TABLE`."""
    return template(TABLE.columns, [shown(dialect, look, tuple(_line(look)))], look.zones)


def _line(look: Look) -> Iterator[Part]:
    yield literal(f"{look.moment(look.now)[10:15].replace(':', '')} ")
    yield from (lookup("satype", {number: f"{word:3}" for number, word in SATYPES.items()}), literal(" "))
    yield from (lookup("state", STATES), literal(" "), hexadecimal("spi", 8), literal(" "))
    yield lacks(Ext.LIFETIME_CURRENT, literal("???/???"))
    yield has(Ext.LIFETIME_CURRENT, *_times(look))
    yield literal(" ")
    yield from _end("src", look)
    yield literal(" -> ")
    yield from _end("dst", look)
    yield literal("\n")


def _times(look: Look) -> Iterator[Part]:
    """How old it is, and how old it may become."""
    recent = look.now - LONG + 1
    big = (within("current_addtime", look.now + 1, -LONG, literal("big")),)
    yield when("current_addtime", 0, literal("  0"))
    age = within("current_addtime", recent, LONG, rest(look.now, "current_addtime", 3))
    yield unless("current_addtime", 0, age, *big)
    yield literal("/")
    yield within("hard_addtime", 0, LONG, decimal("hard_addtime", -3))
    yield within("hard_addtime", LONG, -LONG, literal("big"))


def _end(name: str, look: Look) -> Iterator[Part]:
    yield unless(f"{name}_proto", 0, lookup(f"{name}_proto", look.protocols), literal(" "))
    yield from numeric(name, look)
    yield unless(f"{name}_port", 0, literal("["), decimal(f"{name}_port"), literal("]"))
