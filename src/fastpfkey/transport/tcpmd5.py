"""Passwords that sign the segments of TCP connections with MD5 (RFC 2385), as for BGP, where they are associations.

    from fastpfkey import tcpmd5

    tcpmd5.set("192.0.2.2", "192.0.2.1", password)  # peer, local address
    tcpmd5.delete("192.0.2.2", "192.0.2.1")

FreeBSD, NetBSD, OpenBSD and illumos keep them in the table of associations, one for each direction, each system in its
own manner. Only associations between the two addresses are touched, and nothing is ever flushed or written to a file.
"""

from __future__ import annotations

from builtins import list as list_
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_address
from typing import NamedTuple

from ..errors import EncodeError, ReplyError
from ..spec.model import Dialect
from ..spec.tcpmd5 import MANNERS, PASSWORD, Manner
from ..spec.terms import MessageType, SAType
from ..wire import requests
from ..wire.extensions import Key
from ..wire.message import MessageValue
from ..wire.sockaddr import IPAddress
from .client import Client

__all__ = ["Peering", "delete", "list", "set"]

LONGEST = PASSWORD.longest // 8
"""Bytes of a password that every one of these systems takes."""

GONE = frozenset({"ESRCH", "ENOENT"})
"""Errors that say that there is no such association."""


Host = str | IPAddress
Ends = tuple[str, str]
"""Source and destination."""


class Peering(NamedTuple):
    """Two addresses whose connections are signed."""

    one: str
    other: str
    both: bool
    """Whether there is a password for both directions; with one alone nothing gets through."""


def set(peer: Host, local: Host, password: str | bytes, *, client: Client | None = None) -> None:
    """Sign connections between two addresses with a password of 1 to 80 bytes, in both directions.

    A password that is there is replaced. On OpenBSD the new one is there before the old one goes; elsewhere two cannot
    be there at once, and each direction is without one between two requests. If a request is refused, what was added is
    taken back. `client` is whose engine is asked; the kernel's, unless given.

    Raises EncodeError for addresses or a password that cannot be, and for a system that keeps none in PF_KEY;
    ReplyError and TransportError.
    """
    pairs, secret = _pairs(peer, local), _secret(password)
    with _opened(client) as used:
        manner = _manner(used.dialect)
        if manner.spi is None:
            _renew(used, manner, pairs, secret)
        else:
            _replace(used, manner, pairs, secret)


def delete(peer: Host, local: Host, *, client: Client | None = None) -> int:
    """Take the password between two addresses away, and return the number of associations that were deleted: 2, or 0
    where there was none. Errors are those of `set`.
    """
    with _opened(client) as used:
        manner = _manner(used.dialect)
        known = _spis(used, manner, pairs := _pairs(peer, local))
        return sum(_delete(used, spi, pair) for pair in pairs for spi in known.get(pair, ()))


def list(*, client: Client | None = None) -> list_[Peering]:
    """The addresses between which there are passwords, which are not shown. Errors are those of `set`."""
    with _opened(client) as used:
        _manner(used.dialect)
        found = {_ends(row): None for row in used.dump(SAType.TCPSIGNATURE, columns=["src", "dst"]).rows()}
    told: dict[Ends, bool] = {}
    for src, dst in found:
        if (dst, src) not in told:
            told[src, dst] = (dst, src) in found
    return [Peering(*ends, both) for ends, both in told.items()]


def _replace(client: Client, manner: Manner, pairs: Sequence[Ends], secret: bytes) -> None:
    """Add an association for each direction, in place of one that is there."""
    spi, added = manner.spi or 0, []
    try:
        for pair in pairs:
            request = _request(client.dialect, MessageType.ADD, manner, spi, pair, secret)
            try:
                client.request(request)
            except ReplyError as error:
                if error.name != "EEXIST":
                    raise
                _delete(client, spi, pair)
                client.request(request)
            added.append(pair)
    except ReplyError:
        for pair in added:
            _delete(client, spi, pair)
        raise


def _renew(client: Client, manner: Manner, pairs: Sequence[Ends], secret: bytes) -> None:
    """Make an association with an SPI of its own for each direction, and then delete those that were there."""
    old = _spis(client, manner, pairs)
    made: dict[Ends, int] = {}
    try:
        for pair in pairs:
            made[pair] = client.getspi(SAType.TCPSIGNATURE, *pair)
            client.request(_request(client.dialect, MessageType.UPDATE, manner, made[pair], pair, secret))
    except ReplyError:
        for pair, spi in made.items():
            _delete(client, spi, pair)
        raise
    for pair, spis in old.items():
        for spi in spis:
            _delete(client, spi, pair)


def _request(dialect: Dialect, kind: MessageType, manner: Manner, spi: int, pair: Ends, secret: bytes) -> MessageValue:
    make = requests.update if kind is MessageType.UPDATE else requests.add
    made = make(SAType.TCPSIGNATURE, spi, *pair, auth=manner.auth, dialect=dialect)
    return made.replace(extensions=(*made.extensions, Key.of(manner.key, secret)))


def _delete(client: Client, spi: int, pair: Ends) -> bool:
    """Delete one association; False if there is none."""
    try:
        client.delete(SAType.TCPSIGNATURE, spi, *pair)
    except ReplyError as error:
        if error.name not in GONE:
            raise
        return False
    return True


def _spis(client: Client, manner: Manner, pairs: Sequence[Ends]) -> dict[Ends, list_[int]]:
    """The SPIs by which the associations of some pairs are asked for."""
    if manner.spi is not None:
        return {pair: [manner.spi] for pair in pairs}
    found: dict[Ends, list_[int]] = {}
    for row in client.dump(SAType.TCPSIGNATURE, columns=["spi", "src", "dst"]).rows():
        if _ends(row) in pairs:
            found.setdefault(_ends(row), []).append(row["spi"])
    return found


def _ends(row: dict[str, str]) -> Ends:
    return row["src"], row["dst"]


def _pairs(peer: Host, local: Host) -> tuple[Ends, Ends]:
    """Both directions. Raises EncodeError."""
    try:
        one, other = ip_address(local), ip_address(peer)
    except ValueError as error:
        raise EncodeError(f"tcpmd5: {error}") from None
    if one.version != other.version or one == other:
        raise EncodeError(f"tcpmd5: two addresses of one family are needed, not {one} and {other}")
    return (str(one), str(other)), (str(other), str(one))


def _secret(password: str | bytes) -> bytes:
    """The bytes of a password. Raises EncodeError, which does not show it."""
    secret = password.encode() if isinstance(password, str) else bytes(password)
    if not 0 < len(secret) <= LONGEST:
        raise EncodeError(f"tcpmd5: a password has 1 to {LONGEST} bytes, not {len(secret)}")
    return secret


def _manner(dialect: Dialect) -> Manner:
    """How this system keeps passwords. Raises EncodeError if it does not."""
    if dialect.name in MANNERS:
        return MANNERS[dialect.name]
    if dialect.name == "linux":
        raise EncodeError(
            "tcpmd5: linux keeps no passwords in PF_KEY: a program sets one on its own socket, "
            "with the socket option TCP_MD5SIG, see tcp(7)"
        )
    raise EncodeError(f"tcpmd5: {dialect.name} keeps no passwords in PF_KEY; {', '.join(MANNERS)} do")


@contextmanager
def _opened(client: Client | None) -> Iterator[Client]:
    """The client, or one of the kernel for the time of an operation."""
    if client is not None:
        yield client
        return
    with Client.open() as own:
        yield own
