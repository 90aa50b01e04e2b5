"""Passwords that sign the segments of TCP connections with MD5 (RFC 2385), as for BGP, where they are associations.

    from fastpfkey import tcpmd5

    tcpmd5.set("192.0.2.2", "192.0.2.1", password)  # peer, local address
    tcpmd5.delete("192.0.2.2", "192.0.2.1")

FreeBSD, NetBSD, OpenBSD and illumos keep them in the table of associations, one for each direction, each system in its
own manner. Only associations between the two addresses are touched, and nothing is ever flushed or written to a file.
`aio.tcpmd5` has the same functions for asyncio.
"""

from __future__ import annotations

from builtins import list as list_
from collections.abc import Iterator
from contextlib import contextmanager

from . import peerings
from .client import Client, method
from .peerings import Host, Peering

__all__ = ["Peering", "delete", "list", "set"]

_set = method(peerings.set_password)
_delete = method(peerings.delete_password)
_list = method(peerings.list_peerings)


def set(peer: Host, local: Host, password: str | bytes, *, client: Client | None = None) -> None:
    """Sign connections between two addresses with a password of 1 to 80 bytes, in both directions.

    A password that is there is replaced. On OpenBSD the new one is there before the old one goes; elsewhere two cannot
    be there at once, and each direction is without one between two requests. If a request is refused, what was added is
    taken back. `client` is whose engine is asked; the kernel's, unless given.

    Raises EncodeError for addresses or a password that cannot be, and for a system that keeps none in PF_KEY;
    ReplyError and TransportError.
    """
    with _opened(client) as used:
        _set(used, peer, local, password)


def delete(peer: Host, local: Host, *, client: Client | None = None) -> int:
    """Take the password between two addresses away, and return the number of associations that were deleted: 2, or 0
    where there was none. Errors are those of `set`.
    """
    with _opened(client) as used:
        return _delete(used, peer, local)


def list(*, client: Client | None = None) -> list_[Peering]:
    """The addresses between which there are passwords, which are not shown. Errors are those of `set`."""
    with _opened(client) as used:
        return _list(used)


@contextmanager
def _opened(client: Client | None) -> Iterator[Client]:
    """The client, or one of the kernel for the time of an operation."""
    if client is not None:
        yield client
        return
    with Client.open() as own:
        yield own
