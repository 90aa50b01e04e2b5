"""Whatever holds associations and policies, as tables: an engine, recorded messages, a script, text of setkey -D.

A name is that of an engine or of a made-up table, or else a file, whose first bytes tell what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from ..columns.associations import SATable
from ..columns.comparing import Mask
from ..columns.messages import MessageTable
from ..columns.policies import PolicyTable
from ..errors import PFKeyError, ReplyError
from ..setkey.effect import read_script
from ..setkey.text_reader import CARRIED, is_listing, read_associations
from ..spec.model import PF_KEY_V2, Dialect
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType
from ..transport.client import Client
from ..transport.resolver import System
from .errors import SourceError
from .live import connect
from .setkey_sources import LIVE
from .sources import parse

M = TypeVar("M", bound=MessageTable)


@dataclass(eq=False)
class Tables:
    """What a name stands for."""

    associations: SATable | None = None
    """With keys; None if nothing is known of associations."""
    policies: PolicyTable | None = None
    """None if nothing is known of policies."""
    carried: tuple[str, ...] | None = None
    """All that the text of the associations tells, if it was text."""
    refused: tuple[str, ...] = ()
    """Statements of a script that an engine would refuse."""
    empty: Tables | None = None
    """The tables without rows of which an engine said that there is nothing in them, if that was recorded."""

    def with_empty(self) -> Tables:
        """The same with the tables that are known to have no rows."""
        if self.empty is None:
            return self
        associations = self.empty.associations if self.associations is None else self.associations
        policies = self.empty.policies if self.policies is None else self.policies
        return replace(self, associations=associations, policies=policies)


class Scripts(NamedTuple):
    """How scripts are read."""

    variant: str = "host"
    forward: bool = False
    """Whether policies for incoming packets count for forwarded ones too."""


def tables_of(name: str, dialect: Dialect, scripts: Scripts) -> Tables:
    """The tables that a name stands for. Raises SourceError, PFKeyError and OSError."""
    if LIVE.fullmatch(name):
        with connect(name, dialect) as client:
            return asked(client, name)
    data = parse(name, dialect, "native").whole()
    try:
        return _written(data, dialect, scripts)
    except (PFKeyError, ValueError) as error:
        raise SourceError(f"{name}: {error}") from None


def asked(client: Client, name: str) -> Tables:
    """The tables of an engine. Raises SourceError for a dump that is not whole."""
    associations = _whole(client.dump(keys=True), name)
    if Ext.POLICY not in client.dialect.by_type:
        return Tables(associations)
    try:
        return Tables(associations, _whole(client.dump_policies(), name))
    except ReplyError:
        return Tables(associations)


def _whole(table: M, name: str) -> M:
    if not table.complete:
        missing = "some" if table.missing is None else f"{table.missing:,}"
        raise SourceError(f"{name}: {missing} messages of a dump were lost, so it cannot be compared")
    return table


def _written(data: memoryview, dialect: Dialect, scripts: Scripts) -> Tables:
    """The tables in a file."""
    if not data or data[0] == PF_KEY_V2:
        return _recorded(data, dialect)
    text = bytes(data).decode("utf-8", "surrogateescape")
    if is_listing(text):
        return Tables(read_associations(text, dialect, keys=True), carried=CARRIED)
    found = read_script(text, dialect, variant=scripts.variant, forward=scripts.forward, names=System())
    return Tables(found.associations, found.policies, refused=tuple(found.refused))


def _recorded(data: memoryview, dialect: Dialect) -> Tables:
    """The tables in recorded messages. What there is no message about is not known."""
    everything = SATable.from_buffer(data, dialect, keys=True)
    associations = everything[_of(everything, MessageType.DUMP, dialect)]
    policies = None
    if Ext.POLICY in dialect.by_type:
        policies = PolicyTable.from_buffer(data, dialect)
        policies = policies[_of(policies, MessageType.SPDDUMP, dialect)]
        policies = policies if len(policies) else None
    said = Tables(
        associations[:0] if _empty(everything, MessageType.DUMP) else None,
        PolicyTable.from_buffer(b"", dialect) if _empty(everything, MessageType.SPDDUMP) else None,
    )
    return Tables(associations if len(associations) else None, policies, empty=said)


def _empty(table: SATable, kind: MessageType) -> bool:
    """Whether an answer to a dump of this kind says that there is nothing."""
    dialect = table.dialect
    number, errno = dialect.terms["message"].numbers.get(kind), dialect.errnos.get(dialect.replies.empty)
    return number is not None and bool(((table["msg_type"] == number) & (table["errno"] == errno)).any())


def _of(table: MessageTable, kind: MessageType, dialect: Dialect) -> Mask:
    """The rows that a dump of this kind has."""
    number = dialect.terms["message"].number(kind)
    mask: Mask = (table["msg_type"] == number) & (table["errno"] == 0)
    return mask & ~table.null("dst_family")
