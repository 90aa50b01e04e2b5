"""Which messages the user wants: of associations of one SA type, or between networks; those that are rows of a table.

The kernel chooses where it can; everywhere else all are read, and those that are wanted kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network

from ..columns.associations import SATable
from ..errors import ReplyError
from ..session.refusal import refusal
from ..spec.model import HEADER_SIZE, Dialect
from ..spec.terms import ExtensionType, MessageType
from ..wire.batch import Batch

SIDES = ("src", "dst")
Network = IPv4Network | IPv6Network

DUMPS = (MessageType.DUMP, MessageType.SPDDUMP)
OTHER: dict[str | None, MessageType] = {"associations": MessageType.SPDDUMP, "policies": MessageType.DUMP}
"""The dump that has no rows of a table."""


@dataclass(frozen=True)
class Choice:
    """What is wanted; everything, if nothing is given."""

    satype: str | None = None
    networks: dict[str, Network] = field(default_factory=dict)
    table: str | None = None
    """The one whose rows alone are wanted, of messages that may be of several dumps."""

    @property
    def question(self) -> str:
        """The same as a question to a table; empty if everything is wanted."""
        wanted = [f"{side} in '{network}'" for side, network in self.networks.items()]
        return " and ".join(wanted + [f"satype == '{self.satype}'"] * (self.satype is not None))

    def filter(self, dialect: Dialect) -> tuple[Network | None, Network | None] | None:
        """What the engine is asked to choose by; None if there is nothing, or if it cannot."""
        if not self.networks or ExtensionType.FILTER not in dialect.by_type:
            return None
        return self.networks.get("src"), self.networks.get("dst")

    def of(self, table: SATable) -> SATable:
        """The rows of a table that are wanted."""
        return table.where(self.question) if self.question else table

    def among(self, batch: Batch) -> Batch:
        """The messages of a batch that are wanted."""
        other = batch.dialect.terms["message"].numbers.get(OTHER[self.table]) if self.table in OTHER else None
        if not self.question and other is None:
            return batch
        table = self.of(SATable.from_batch(batch, ["message_offset", "msg_type", "satype", *SIDES]))
        if other is not None:
            table = table[table["msg_type"] != other]
        return Batch(batch.buffer, table["message_offset"].data, batch.codec, batch.faults, batch.skipped)


EVERYTHING = Choice()


def without_refusals(batch: Batch) -> tuple[Batch, list[ReplyError]]:
    """The messages that say more than that an engine refused, and what the others say.

    An engine that has nothing to dump says so with an errno: that is no refusal, and no row of a table either.
    """
    table = SATable.from_batch(batch, ["message_offset", "message_length", "errno"])
    bare = (table["errno"] != 0) & (table["message_length"] == HEADER_SIZE)
    if not bare.any():
        return batch, []
    dialect = batch.dialect
    empty = dialect.errnos.get(dialect.replies.empty)
    found = [batch[row] for row in bare.nonzero()[0].tolist()]
    refused = [each for each in found if not (each.errno == empty and each.type in DUMPS)]
    rest = table[~bare]["message_offset"].data
    return (
        Batch(batch.buffer, rest, batch.codec, batch.faults, batch.skipped),
        [refusal(dialect, each.type, each.errno, each.seq) for each in refused],
    )


def networks(text: str) -> dict[str, Network]:
    """What --filter says: src=NETWORK and dst=NETWORK, separated by a comma. Raises ValueError."""
    found = {}
    for part in text.split(","):
        side, _, network = part.partition("=")
        if side.strip() not in SIDES or side.strip() in found:
            raise ValueError(f"src=NETWORK,dst=NETWORK is needed, or one of the two, not {text!r}")
        found[side.strip()] = ip_network(network.strip())
    if len({network.version for network in found.values()}) > 1:
        raise ValueError("the networks are of different families")
    return found
