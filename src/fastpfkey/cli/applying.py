"""`fastpfkey apply`: what a file says, made so in an engine with the fewest requests; or only told, with --check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TextIO

from ..columns.difference import NAMING
from ..columns.plan import Plan, plan
from ..setkey.effect import settled
from ..spec.model import Dialect
from ..transport.applying import Applied
from ..transport.client import Client
from .differing import NAMES, subject, write_rows
from .errors import SourceError
from .live import connect
from .tables import Scripts, Tables, asked, tables_of
from .telling import tell

PASSING = "state in ('larval', 'dead')"
"""Associations that are not to be made again: under way, or at an end."""


class Order(NamedTuple):
    """What is to be applied to what."""

    file: str
    source: str
    dialect: Dialect
    scripts: Scripts
    tables: Sequence[str]
    keep: bool
    """Whether nothing is deleted but what has a successor."""
    form: str
    """In which the plan is shown."""


def show_plan(order: Order, out: TextIO) -> bool:
    """Write what would have to be done; True if anything. Raises SourceError, and what reading a source raises."""
    with connect(order.source, order.dialect) as client:
        return bool(_shown(client, order, out))


def carry_out(order: Order, out: TextIO) -> bool:
    """Write what has to be done and do it; False if something was refused, which is told. Raises as `show_plan`."""
    with connect(order.source, order.dialect) as client:
        applied = client.apply(_shown(client, order, out))
    _told(applied)
    return applied.complete


def _shown(client: Client, order: Order, out: TextIO) -> Plan:
    """The plan, which was shown."""
    wanted = _wanted(order, client.dialect)
    live = asked(client, order.source)
    if wanted.policies is not None and live.policies is None:
        raise SourceError(f"{order.source}: its policies are not to be had")
    found = plan(live.associations, wanted.associations, live.policies, wanted.policies, keep=order.keep)
    for reason, rows in found.spared.items():
        tell(f"{order.source}: left alone: {len(rows):,} associations: {reason}")
    write_rows(found.rows(), ("how", *NAMES), order.form, out)
    return found


def _wanted(order: Order, dialect: Dialect) -> Tables:
    """What a file asks for. Raises SourceError for what cannot be had."""
    name, found = order.file, tables_of(order.file, dialect, order.scripts)
    refused = list(found.refused)
    associations = found.associations if "associations" in order.tables else None
    if associations is not None:
        associations = associations.where(f"not {PASSING}")
        if found.carried is not None:
            made = settled(associations)
            associations, refused = made.associations, refused + made.refused
    for line in refused:
        tell(f"{name}: {line}")
    if refused:
        raise SourceError(f"{name}: it asks for what {dialect.name} refuses, so nothing was changed")
    policies = found.policies if "policies" in order.tables else None
    if associations is None and policies is None:
        raise SourceError(f"{name}: it says nothing of {' or '.join(order.tables)}")
    return Tables(associations, policies)


def _told(applied: Applied) -> None:
    """What was done and what was not, on standard error."""
    for undone in applied.undone():
        (row,) = undone.table[undone.row].rows(NAMING[type(undone.table)])
        tell(f"not done: {undone.kind.name} {subject(row)}: {undone.reason}")
    done = [f"{step.step.kind.name} {step.count:,} of {len(step.step.rows):,}" for step in applied.steps]
    tell(f"done: {', '.join(done) or 'nothing, because nothing differs'}")
