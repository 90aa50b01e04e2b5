"""What the tests of this folder look at: the systems' tables and messages, all numbers and layouts of a dialect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from fastpfkey.spec.layouts import Layout
from fastpfkey.spec.model import Counted, Dialect, Records, Requests
from fastpfkey.spec.rfc2367 import MSG

TABLES = Path(__file__).resolve().parents[1] / "vectors" / "golden" / "dialects"

Json = dict[str, Any]

UNNAMED = {"UDP_ENCAP_NONE"}
"""Names of ours for what no header names."""

OLD_NAMES = {"sadb_comb_reserved": "sadb_comb_reserved_newer"}
"""illumos: the newer header's member of an old name is half as wide; the table had to call it something else."""


@cache
def table(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((TABLES / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def golden(name: str, byteorder: str) -> Iterator[Json]:
    """All golden messages of a dialect."""
    path = TABLES.parent / f"{name}-{byteorder}.json"
    yield from json.loads(path.read_text(encoding="utf-8"))


def numbers_of(subject: Dialect) -> dict[str, int]:
    """Every number that a dialect knows, by C name."""
    named = {name: number for item in subject.terms.values() for name, (number, _) in item.entries.items()}
    named |= {item.c_name: item.number for item in subject.extensions}
    named |= {name: number for number, name in subject.diagnostics.items()}
    return named | dict(subject.flags) | dict(subject.constants)


def layouts_of(subject: Dialect) -> Iterator[Layout]:
    """Every layout that a dialect refers to."""
    yield MSG
    for item in subject.extensions:
        yield from item.layouts
        for tail in item.tails:
            if isinstance(tail, Records | Requests):
                yield tail.layout
            elif isinstance(tail, Counted):
                yield from (tail.layout, tail.sub_layout)
    if subject.ipsec_request is not None:
        yield subject.ipsec_request
