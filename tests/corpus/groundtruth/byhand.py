"""The bytes of a little-endian Linux capture, read with ``struct`` from the layouts of <linux/pfkeyv2.h>.

For what no text beside the captures tells (prefix lengths, key bits, header lengths) and to settle what a text means.
It is deliberately naive: it trusts its input and reads one datagram at a time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

AF_INET, AF_INET6 = 2, 10


@dataclass(frozen=True)
class Header:
    """sadb_msg; `length` in 8-byte words, as on the wire."""

    version: int
    type: int
    errno: int
    satype: int
    length: int
    reserved: int
    seq: int
    pid: int


@dataclass(frozen=True)
class SA:
    """sadb_sa."""

    spi: int
    replay: int
    state: int
    auth: int
    encrypt: int
    flags: int


@dataclass(frozen=True)
class Lifetime:
    """sadb_lifetime."""

    allocations: int
    bytes: int
    addtime: int
    usetime: int


@dataclass(frozen=True)
class Address:
    """sadb_address and the sockaddr behind it."""

    proto: int
    prefixlen: int
    family: int
    port: int
    ip: IPv4Address | IPv6Address
    scope: int


@dataclass(frozen=True)
class SA2:
    """sadb_x_sa2."""

    mode: int
    sequence: int
    reqid: int


@dataclass(frozen=True)
class Request:
    """sadb_x_ipsecrequest; `src` and `dst` only where its length leaves room for them."""

    proto: int
    mode: int
    level: int
    reqid: int
    src: Address | None
    dst: Address | None


@dataclass(frozen=True)
class Policy:
    """sadb_x_policy and its requests."""

    type: int
    dir: int
    id: int
    priority: int
    requests: tuple[Request, ...]


@dataclass(frozen=True)
class Algorithm:
    """sadb_alg."""

    id: int
    ivlen: int
    minbits: int
    maxbits: int


def split(data: bytes) -> list[bytes]:
    """A capture of well-formed messages as its datagrams."""
    messages = []
    while data:
        size = header(data).length * 8
        messages.append(data[:size])
        data = data[size:]
    return messages


def header(message: bytes) -> Header:
    """The first 16 bytes."""
    return Header(*struct.unpack_from("<BBBBHHII", message))


def extensions(message: bytes) -> Iterator[tuple[int, bytes]]:
    """(number, the whole extension with its header) in wire order."""
    at = 16
    while at < len(message):
        words, number = struct.unpack_from("<HH", message, at)
        yield number, message[at : at + words * 8]
        at += words * 8


def extension(message: bytes, number: int) -> bytes | None:
    """The extension with this number, or None."""
    return dict(extensions(message)).get(number)


def sa(ext: bytes) -> SA:
    """The SPI is in network order, all else in the host's."""
    (spi,) = struct.unpack_from(">I", ext, 4)
    return SA(spi, *struct.unpack_from("<BBBBI", ext, 8))


def lifetime(ext: bytes) -> Lifetime:
    """CURRENT, HARD and SOFT are laid out alike."""
    return Lifetime(*struct.unpack_from("<IQQQ", ext, 4))


def sockaddr(raw: bytes, proto: int = 0, prefixlen: int = 0) -> Address:
    """An IPv4 or IPv6 socket address; the port is in network order, the scope in the host's."""
    family, port = struct.unpack_from("<H", raw)[0], struct.unpack_from(">H", raw, 2)[0]
    if family == AF_INET:
        return Address(proto, prefixlen, family, port, ip_address(raw[4:8]), 0)
    if family == AF_INET6:
        (scope,) = struct.unpack_from("<I", raw, 24)
        return Address(proto, prefixlen, family, port, ip_address(raw[8:24]), scope)
    raise ValueError(f"address family {family}")


def address(ext: bytes) -> Address:
    """ADDRESS_SRC, ADDRESS_DST, ADDRESS_PROXY, NAT_T_OA."""
    return sockaddr(ext[8:], proto=ext[4], prefixlen=ext[5])


def key(ext: bytes) -> tuple[int, bytes]:
    """(bits, key bytes without the padding)."""
    (bits,) = struct.unpack_from("<H", ext, 4)
    return bits, ext[8 : 8 + (bits + 7) // 8]


def sa2(ext: bytes) -> SA2:
    """Mode, then sequence, then reqid."""
    return SA2(ext[4], *struct.unpack_from("<II", ext, 8))


def natt_port(ext: bytes) -> int:
    """NAT_T_SPORT and NAT_T_DPORT, in network order."""
    return int(struct.unpack_from(">H", ext, 4)[0])


def spirange(ext: bytes) -> tuple[int, int]:
    """(min, max), in host order although they are SPIs."""
    return struct.unpack_from("<II", ext, 4)


def sec_ctx(ext: bytes) -> tuple[int, int, bytes]:
    """(algorithm, domain of interpretation, label)."""
    algorithm, doi, length = struct.unpack_from("<BBH", ext, 4)
    return algorithm, doi, ext[8 : 8 + length]


def policy(ext: bytes) -> Policy:
    """The policy and the requests behind it, whose lengths are in bytes; a rest under 16 bytes is no request."""
    type_, dir_, id_, priority = struct.unpack_from("<HBxII", ext, 4)
    requests, at = [], 16
    while len(ext) - at >= 16:
        size, proto, mode, level, reqid = struct.unpack_from("<HHBBxxI", ext, at)
        pair = ext[at + 16 : at + size]
        half = len(pair) // 2
        src, dst = (sockaddr(pair), sockaddr(pair[half:])) if pair else (None, None)
        requests.append(Request(proto, mode, level, reqid, src, dst))
        at += size
    return Policy(type_, dir_, id_, priority, tuple(requests))


def supported(ext: bytes) -> list[Algorithm]:
    """SUPPORTED_AUTH and SUPPORTED_ENCRYPT."""
    return [Algorithm(*struct.unpack_from("<BBHH", ext, at)) for at in range(8, len(ext), 8)]


def combinations(ext: bytes) -> list[tuple[int, ...]]:
    """The combinations of a PROPOSAL: auth, encrypt, flags, min and max bits of both, then soft and hard limits."""
    return [struct.unpack_from("<BBHHHHH4xIIQQQQQQ", ext, at) for at in range(8, len(ext), 72)]
