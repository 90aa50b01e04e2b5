"""Carrying out a plan: its steps in order, and of every request what became of it.

A request that depends on one that was refused is not sent: an association is kept if its successor could not be added.
Nothing is ever flushed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..columns.associations import SATable
from ..columns.messages import MessageTable
from ..columns.plan import Plan, Step
from ..errors import ReplyError
from ..spec.grammar import LIMIT_TYPES
from ..spec.profiles import profile
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType
from ..wire.batch import Batch
from ..wire.dialects import codec
from ..wire.message import Message, MessageValue
from .bulk import add_many, delete_many, update_many
from .exchange import exchange
from .programs import Context, Program

MANY = {
    MessageType.ADD: add_many,
    MessageType.DELETE: delete_many,
    MessageType.UPDATE: update_many,
}

LIFETIMES = frozenset({Ext.SA, Ext.ADDRESS_SRC, Ext.ADDRESS_DST, *LIMIT_TYPES})
"""What an UPDATE has where it may have no keys."""

TRAFFIC = frozenset({Ext.POLICY, Ext.ADDRESS_SRC, Ext.ADDRESS_DST})
"""What identifies a policy."""


class Undone(NamedTuple):
    """A request that was not carried out, as far as is known."""

    kind: MessageType
    table: MessageTable
    row: int
    """Of the table."""
    reason: str


@dataclass(frozen=True, eq=False)
class Done:
    """What became of a step."""

    step: Step
    refused: Mapping[int, str]
    """Why a request was not carried out, by its place in the step."""

    @property
    def count(self) -> int:
        """Requests that were."""
        return len(self.step.rows) - len(self.refused)


@dataclass(frozen=True, eq=False)
class Applied:
    """What became of a plan."""

    steps: tuple[Done, ...]

    @property
    def complete(self) -> bool:
        """Whether all was done."""
        return not any(done.refused for done in self.steps)

    def undone(self) -> Iterator[Undone]:
        """What was not, in order."""
        for done in self.steps:
            rows = done.step.rows.tolist()
            for place, reason in sorted(done.refused.items()):
                yield Undone(done.step.kind, done.step.table, rows[place], reason)

    def __repr__(self) -> str:
        told = ", ".join(f"{done.step.kind.name} {done.count:,} of {len(done.step.rows):,}" for done in self.steps)
        return f"<Applied: {told or 'nothing to do'}>"


def apply(context: Context, plan: Plan) -> Program[Applied]:
    """Carry out a plan, and tell what became of it. One request that is refused does not keep others that do not
    depend on it. Raises NoReplyError and TransportError if the engine does not answer requests about policies.
    """
    done: list[Done] = []
    for step in plan.steps():
        before = done[step.after] if step.after is not None else None
        done.append((yield from _step(context, step, before)))
    return Applied(tuple(done))


def _step(context: Context, step: Step, before: Done | None) -> Program[Done]:
    """Carry out one step, past what depends on a request that was refused."""
    refused: dict[int, str] = {}
    places = list(range(len(step.rows)))
    if before is not None and step.needs is not None:
        what = f"not sent, because the {before.step.kind.name} before it was refused"
        refused = {place: what for place, need in enumerate(step.needs.tolist()) if need in before.refused}
        places = [place for place in places if place not in refused]
    rows = step.rows[places] if refused else step.rows
    if isinstance(step.table, SATable) and not _bare(context, step):
        outcomes = yield from MANY[step.kind](context, step.table[rows])
        for failure in outcomes.failures():
            name = f"{failure.name} ({failure.errno}): " if failure.name else ""
            refused[places[failure.row]] = name + failure.reason
    else:
        for place, message in zip(places, _messages(step.table, rows.tolist()), strict=True):
            try:
                yield from exchange(context, _request(message, step), context.timeout)
            except ReplyError as error:
                refused[place] = str(error).removeprefix(f"{step.kind.name}: ")
    return Done(step, refused)


def _bare(context: Context, step: Step) -> bool:
    """Whether the system refuses keys where an association that is in use is updated."""
    return step.kind is MessageType.UPDATE and profile(context.dialect.name).update_live == "keyless"


def _messages(table: MessageTable, rows: list[int]) -> Iterator[Message]:
    """The messages that rows were decoded from."""
    buffer, byteorder = table.buffer, table.byteorder
    if buffer is None or byteorder is None:
        raise ValueError("rows of several buffers were put together: plan with the tables that they came from")
    offsets = table["message_offset"][rows].data
    return iter(Batch(buffer, offsets, codec(table.dialect, byteorder)))


def _request(message: Message, step: Step) -> MessageValue:
    """The request that says what a message of a dump says."""
    kept = {
        MessageType.UPDATE: LIFETIMES,
        MessageType.SPDDELETE: TRAFFIC,
    }.get(step.kind, TRAFFIC | LIMIT_TYPES | {Ext.SEC_CTX})
    extensions = []
    for extension in message.extensions:
        if extension.exttype in kept:
            policy = extension.exttype is Ext.POLICY
            extensions.append(replace(extension, id=0) if policy else extension)
    return MessageValue(step.kind, message.satype, extensions=tuple(extensions), dialect=message.dialect)
