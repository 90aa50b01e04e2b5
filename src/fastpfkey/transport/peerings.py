"""Passwords that sign the segments of TCP connections with MD5 (RFC 2385), where systems keep them as associations.

FreeBSD, NetBSD, OpenBSD and illumos do, one for each direction, each in its own manner (`spec.tcpmd5`). Only
associations between the two addresses are touched, and nothing is ever flushed or written to a file.

These are programs (see `programs`), for `tcpmd5` and `aio.tcpmd5` alike.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from . import operations
from .programs import Context, Program
from .reading import dump

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


def set_password(context: Context, peer: Host, local: Host, password: str | bytes) -> Program[None]:
    """Sign connections between two addresses with a password, in place of one that is there."""
    pairs, secret = _pairs(peer, local), _secret(password)
    manner = _manner(context.dialect)
    if manner.spi is None:
        yield from _renew(context, manner, pairs, secret)
    else:
        yield from _replace(context, manner, manner.spi, pairs, secret)


def delete_password(context: Context, peer: Host, local: Host) -> Program[int]:
    """Take the password between two addresses away, and return the number of associations that were deleted."""
    manner = _manner(context.dialect)
    known = yield from _spis(context, manner, pairs := _pairs(peer, local))
    count = 0
    for pair in pairs:
        for spi in known.get(pair, ()):
            count += yield from _delete(context, spi, pair)
    return count


def list_peerings(context: Context) -> Program[list[Peering]]:
    """The addresses between which there are passwords."""
    _manner(context.dialect)
    table = yield from dump(context, SAType.TCPSIGNATURE, columns=["src", "dst"])
    found = {_ends(row): None for row in table.rows()}
    told: dict[Ends, bool] = {}
    for src, dst in found:
        if (dst, src) not in told:
            told[src, dst] = (dst, src) in found
    return [Peering(*ends, both) for ends, both in told.items()]


def _replace(context: Context, manner: Manner, spi: int, pairs: Sequence[Ends], secret: bytes) -> Program[None]:
    """Add an association for each direction, in place of one that is there."""
    added = []
    try:
        for pair in pairs:
            request = _request(context.dialect, MessageType.ADD, manner, spi, pair, secret)
            try:
                yield from operations.request(context, request)
            except ReplyError as error:
                if error.name != "EEXIST":
                    raise
                yield from _delete(context, spi, pair)
                yield from operations.request(context, request)
            added.append(pair)
    except ReplyError:
        for pair in added:
            yield from _delete(context, spi, pair)
        raise


def _renew(context: Context, manner: Manner, pairs: Sequence[Ends], secret: bytes) -> Program[None]:
    """Make an association with an SPI of its own for each direction, and then delete those that were there."""
    old = yield from _spis(context, manner, pairs)
    made: dict[Ends, int] = {}
    try:
        for pair in pairs:
            made[pair] = yield from operations.getspi(context, SAType.TCPSIGNATURE, *pair)
            request = _request(context.dialect, MessageType.UPDATE, manner, made[pair], pair, secret)
            yield from operations.request(context, request)
    except ReplyError:
        for pair, spi in made.items():
            yield from _delete(context, spi, pair)
        raise
    for pair, spis in old.items():
        for spi in spis:
            yield from _delete(context, spi, pair)


def _request(dialect: Dialect, kind: MessageType, manner: Manner, spi: int, pair: Ends, secret: bytes) -> MessageValue:
    make = requests.update if kind is MessageType.UPDATE else requests.add
    made = make(SAType.TCPSIGNATURE, spi, *pair, auth=manner.auth, dialect=dialect)
    return made.replace(extensions=(*made.extensions, Key.of(manner.key, secret)))


def _delete(context: Context, spi: int, pair: Ends) -> Program[bool]:
    """Delete one association; False if there is none."""
    try:
        yield from operations.delete(context, SAType.TCPSIGNATURE, spi, *pair)
    except ReplyError as error:
        if error.name not in GONE:
            raise
        return False
    return True


def _spis(context: Context, manner: Manner, pairs: Sequence[Ends]) -> Program[dict[Ends, list[int]]]:
    """The SPIs by which the associations of some pairs are asked for."""
    if manner.spi is not None:
        return {pair: [manner.spi] for pair in pairs}
    found: dict[Ends, list[int]] = {}
    table = yield from dump(context, SAType.TCPSIGNATURE, columns=["spi", "src", "dst"])
    for row in table.rows():
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
