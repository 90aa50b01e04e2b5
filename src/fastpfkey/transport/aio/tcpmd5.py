"""The functions of `fastpfkey.tcpmd5` for asyncio.

    await pf.aio.tcpmd5.set("192.0.2.2", "192.0.2.1", password, client=client)

A task that is cancelled amidst one may leave a password in one direction alone; `list` shows it.
"""

from __future__ import annotations

from builtins import list as list_
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .. import peerings
from ..peerings import Host, Peering
from .client import Client, method

__all__ = ["Peering", "delete", "list", "set"]

_set = method(peerings.set_password)
_delete = method(peerings.delete_password)
_list = method(peerings.list_peerings)


async def set(peer: Host, local: Host, password: str | bytes, *, client: Client | None = None) -> None:
    """As `fastpfkey.tcpmd5.set`."""
    async with _opened(client) as used:
        await _set(used, peer, local, password)


async def delete(peer: Host, local: Host, *, client: Client | None = None) -> int:
    """As `fastpfkey.tcpmd5.delete`."""
    async with _opened(client) as used:
        return await _delete(used, peer, local)


async def list(*, client: Client | None = None) -> list_[Peering]:
    """As `fastpfkey.tcpmd5.list`."""
    async with _opened(client) as used:
        return await _list(used)


@asynccontextmanager
async def _opened(client: Client | None) -> AsyncIterator[Client]:
    """The client, or one of the kernel for the time of an operation."""
    if client is not None:
        yield client
        return
    async with Client.open() as own:
        yield own
