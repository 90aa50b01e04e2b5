"""What a script, or a table, leaves behind in a key engine that was empty.

It is run against an engine in this process, of the system that it is for. So later statements have the last word,
deletions and flushes count, and the tables have what that system would show, which is not all that a statement says:
there are flags that systems do not keep, and ports that they ignore.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .. import spec
from ..columns.associations import SATable
from ..columns.policies import PolicyTable
from ..errors import ReplyError
from ..spec.model import Dialect
from ..spec.terms import MessageType
from ..transport.client import Client
from ..transport.loopback import Loopback
from ..wire.message import MessageValue
from .names import Names, Numeric
from .rules import Command, Rules
from .running import deletions
from .script import script
from .words import variant as find_variant

READS = frozenset({"get", "dump", "spddump"})
"""Statements that change nothing."""

MAKES = frozenset({MessageType.ADD, MessageType.UPDATE, MessageType.SPDADD, MessageType.SPDUPDATE})
"""Requests whose refusal means something; what cannot be deleted was not there."""


@dataclass(eq=False)
class Effect:
    """What a script leaves behind."""

    associations: SATable | None
    """With keys; None if no statement is about associations."""
    policies: PolicyTable | None
    """None if no statement is about policies."""
    refused: list[str] = field(default_factory=list)
    """Statements or rows that the engine refused, a sentence each."""


def read_script(
    text: str,
    dialect: str | Dialect = "host",
    *,
    variant: str = "host",
    forward: bool = False,
    names: Names | None = None,
) -> Effect:
    """What a script of `fastpfkey save` or of setkey leaves behind in an engine of a system that was empty, as tables.

    `variant` is whose setkey the script is for, ipsec-tools or freebsd; host is this system's. With `forward`, a policy
    for incoming packets counts for forwarded ones too, as it does to setkey on Linux. `names` resolves names of hosts
    and services; without it there are numbers only.

    Raises ScriptError, with line and column, for what cannot be understood, and ValueError for an unknown system.
    """
    rules = Rules(
        spec.dialect(dialect), find_variant(variant), forward=forward, extended=True, names=names or Numeric()
    )
    commands = [command for command in script(text, rules) if command.verb not in READS]
    about_policies = {command.verb.startswith("spd") for command in commands}
    refused = []
    with Client(Loopback(rules.dialect)) as client:
        for command in commands:
            for message in _requests(client, command):
                try:
                    client.request(message)
                except ReplyError as error:
                    if message.type in MAKES:
                        refused.append(f"line {command.line}: {error}")
        associations = client.dump(keys=True) if False in about_policies else None
        policies = client.dump_policies() if True in about_policies else None
    return Effect(associations, policies, refused)


def settled(table: SATable) -> Effect:
    """What an engine of the table's system makes of its associations, which need their keys."""
    with Client(Loopback(table.dialect)) as client:
        outcomes = client.add_many(table)
        refused = [f"row {failure.row}: {failure.reason}" for failure in outcomes.failures()]
        return Effect(client.dump(keys=True), None, refused)


def _requests(client: Client, command: Command) -> Iterator[MessageValue]:
    """What is sent for a command; where the system cannot delete all between two ends, each that is there."""
    for message in command.messages:
        if command.between is None:
            yield message
        else:
            yield from deletions(client.dump_messages(message).messages, command, client.dialect)
