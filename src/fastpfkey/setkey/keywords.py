"""The words of scripts. They are not the words of the text: see `words`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..spec.terms import Direction, Level, Mode, PolicyType, SAType
from .words import Variant

OLD, CYCLIC, RAW_CPI, ESN = 0x0001, 0x0040, 0x0080, 0x0400
"""Bits of sadb_sa_flags as setkey sends them to every system, whether or not the system's headers name them."""

PADDING: Mapping[str, int] = {"random-pad": 0x0100, "zero-pad": 0x0200, "seq-pad": 0}

EXITS = ("exit", "quit", "bye")

PROTOCOLS: Mapping[str, tuple[SAType, int]] = {
    "ah": (SAType.AH, 0),
    "esp": (SAType.ESP, 0),
    "ah-old": (SAType.AH, OLD),
    "esp-old": (SAType.ESP, OLD),
    "esp-udp": (SAType.ESP, 0),
    "ipcomp": (SAType.IPCOMP, 0),
    "tcp": (SAType.TCPSIGNATURE, 0),
}
"""SA types, and flags that come with the word."""

MODES: Mapping[str, Mode] = {"any": Mode.ANY, "transport": Mode.TRANSPORT, "tunnel": Mode.TUNNEL}
DIRECTIONS: Mapping[str, Direction] = {"in": Direction.IN, "out": Direction.OUT, "fwd": Direction.FWD}
POLICIES: Mapping[str, PolicyType] = {
    "discard": PolicyType.DISCARD,
    "none": PolicyType.NONE,
    "ipsec": PolicyType.IPSEC,
    "entrust": PolicyType.ENTRUST,
    "bypass": PolicyType.BYPASS,
}
LEVELS: Mapping[str, Level] = {
    "default": Level.DEFAULT,
    "use": Level.USE,
    "require": Level.REQUIRE,
    "unique": Level.UNIQUE,
}
REQUESTS: Mapping[str, int] = {"esp": 50, "ah": 51, "ipcomp": 108}
PRIORITIES: Mapping[str, int] = {"high": 0x40000000, "def": 0x80000000, "low": 0xC0000000}
FARTHEST = 0x3FFFFFFF
"""How far a priority may be from the middle of its range."""

COMPRESS: Mapping[str, int] = {"oui": 1, "deflate": 2, "lzs": 3}


class Cipher(NamedTuple):
    """An encryption algorithm's number on the wire."""

    number: int
    flags: int = 0
    """Flags that come with the word, for esp-old alone."""
    obsolete: bool = False


NULL_CIPHER, NULL_MAC = 11, 251

_IPSEC_TOOLS_CIPHERS = {
    "des-cbc": Cipher(2),
    "3des-cbc": Cipher(3),
    "null": Cipher(NULL_CIPHER),
    "simple": Cipher(NULL_CIPHER, obsolete=True),
    "blowfish-cbc": Cipher(7),
    "cast128-cbc": Cipher(6),
    "des-deriv": Cipher(2, 0x0020),
    "des-32iv": Cipher(2, 0x0010),
    "twofish-cbc": Cipher(253),
    "aes-cbc": Cipher(12),
    "rijndael-cbc": Cipher(12),
    "aes-ctr": Cipher(13),
    "camellia-cbc": Cipher(22),
}
_IPSEC_TOOLS_MACS = {
    "hmac-md5": 2,
    "hmac-sha1": 3,
    "keyed-md5": 249,
    "keyed-sha1": 250,
    "hmac-sha256": 5,
    "hmac-sha2-256": 5,
    "hmac-sha384": 6,
    "hmac-sha2-384": 6,
    "hmac-sha512": 7,
    "hmac-sha2-512": 7,
    "hmac-ripemd160": 8,
    "aes-xcbc-mac": 9,
    "null": NULL_MAC,
}
_FREEBSD_CIPHERS = {
    "null": Cipher(NULL_CIPHER),
    "simple": Cipher(NULL_CIPHER, obsolete=True),
    "aes-cbc": Cipher(12),
    "rijndael-cbc": Cipher(12),
    "aes-ctr": Cipher(13),
    "aes-gcm-16": Cipher(20),
    "chacha20-poly1305": Cipher(15),
}
_FREEBSD_MACS = {
    "hmac-sha1": 3,
    "hmac-sha2-256": 5,
    "hmac-sha2-384": 6,
    "hmac-sha2-512": 7,
    "aes-xcbc-mac": 9,
    "tcp-md5": 252,
    "null": NULL_MAC,
    "chacha20-poly1305": 14,
}


def ciphers(variant: Variant, system: str) -> Mapping[str, Cipher]:
    """The words behind -E on a system."""
    if variant.freebsd:
        return _FREEBSD_CIPHERS
    added = {"aes-gcm-16": Cipher(20), "aes-gmac": Cipher(23)} if system == "netbsd" else {}
    return {**_IPSEC_TOOLS_CIPHERS, **added}


def macs(variant: Variant, system: str) -> Mapping[str, int]:
    """The words behind -A on a system."""
    if variant.freebsd:
        return _FREEBSD_MACS
    return _IPSEC_TOOLS_MACS if system == "linux" else {**_IPSEC_TOOLS_MACS, "tcp-md5": 252}


DELETE_ALL = frozenset({"freebsd", "netbsd", "macos"})
"""Systems where DELETE without an SPI deletes all between two addresses."""
