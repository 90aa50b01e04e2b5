"""The operations of a client that read and change nothing: dumps as tables, and what algorithms an engine has.

They are programs (see `programs`). Each has an endpoint of its own, so they disturb nothing and may run side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeVar

from ..columns.algorithms import AlgorithmTable
from ..columns.associations import SATable
from ..columns.messages import MessageTable
from ..columns.policies import PolicyTable
from ..spec.terms import ExtensionType, SAType
from ..wire import requests
from ..wire.message import Message
from ..wire.pool import BufferPool
from ..wire.requests.values import Name
from .dumping import Dump, Progress, dump_messages
from .endpoint import Role
from .exchange import post, raise_refusal, reply_of, until_done
from .programs import Context, Program

M = TypeVar("M", bound=MessageTable)
Network = str | IPv4Network | IPv6Network


def algorithms(context: Context, satype: Name = SAType.UNSPEC) -> Program[AlgorithmTable]:
    """The algorithms that the engine has for an SA type, registering no longer than it takes to ask.

    Linux and the KAME systems answer UNSPEC without registering at all. What they answer is kept, and an ADD that is
    refused later is compared with it.
    """
    endpoint = context.open(Role.EVENTS)
    try:
        message = requests.register(satype, dialect=context.dialect)
        pending = post(context, endpoint, message)
        yield from until_done(context, endpoint, pending, context.timeout)
    finally:
        endpoint.close()
    raise_refusal(context, message, pending)
    return algorithms_in(context, reply_of(context, pending))


def algorithms_in(context: Context, reply: Message) -> AlgorithmTable:
    """The algorithms that a reply lists, which are remembered."""
    lists = (reply.supported_auth, reply.supported_encrypt, reply.supported_comp)
    context.supported = tuple(item for item in lists if item is not None)
    return AlgorithmTable.from_buffer(reply.encode(), context.dialect)


def dump(
    context: Context,
    satype: Name = SAType.UNSPEC,
    *,
    src: Network | None = None,
    dst: Network | None = None,
    columns: Sequence[str] | None = None,
    keys: bool = False,
    threads: int = 1,
    out: SATable | BufferPool | None = None,
    attempts: int = 2,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Program[SATable]:
    """All associations of an SA type, of every type if UNSPEC, that lie between two networks if these are given.

    The table's `complete` and `missing` say whether it is whole. `columns`, `keys`, `threads` and `out` are those of
    `SATable.from_buffer`, and the rest, with what is raised, is that of `dump_messages`. Linux chooses the networks
    itself; elsewhere all is dumped, columns get what the choice needs, and what is chosen is in new memory.
    """
    networks = {name: ip_network(network) for name, network in (("src", src), ("dst", dst)) if network is not None}
    filters = bool(networks) and ExtensionType.FILTER in context.dialect.by_type
    chosen = (networks.get("src"), networks.get("dst")) if filters else None
    message = requests.dump(satype, filter=chosen, dialect=context.dialect)
    found = yield from dump_messages(context, message, attempts=attempts, timeout=timeout, progress=progress)
    if columns is not None and not filters:
        columns = [*columns, *networks]
    table = SATable.from_buffer(found.messages, context.dialect, columns, keys=keys, out=out, threads=threads)
    for name, network in () if filters else networks.items():
        table = table.where(f"{name} in '{network}'")
    return _told(table, found)


def dump_policies(
    context: Context,
    *,
    columns: Sequence[str] | None = None,
    threads: int = 1,
    out: PolicyTable | BufferPool | None = None,
    attempts: int = 2,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> Program[PolicyTable]:
    """All policies. Arguments, attributes and errors are those of `dump`."""
    message = requests.spddump(dialect=context.dialect)
    found = yield from dump_messages(context, message, attempts=attempts, timeout=timeout, progress=progress)
    return _told(PolicyTable.from_buffer(found.messages, context.dialect, columns, out=out, threads=threads), found)


def _told(table: M, found: Dump) -> M:
    """A table with what is known of its dump."""
    table.complete, table.missing, table.error = found.complete, found.missing, found.error
    table.faults, table.skipped = found.faults, found.unreadable
    return table
