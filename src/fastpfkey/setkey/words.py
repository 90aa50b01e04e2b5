"""The words that setkey prints for numbers, and the small differences between the two programs that live on.

``ipsec-tools`` is the one of NetBSD and of the Linux fork (0.9.1); ``freebsd`` is derived from descriptions and
recorded consoles, not from running it. Words for printing are not those for reading: what is added as ``keyed-md5`` is
printed as ``md5``. Numbers are those of the wire; a number without a word is printed as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

from ..spec.model import Dialect


@dataclass(frozen=True)
class Variant:
    """One of the programs."""

    name: str
    auth: Mapping[int, str]
    encrypt: Mapping[int, str]
    compress: Mapping[int, str]
    defined: Mapping[str, str]
    """Words for algorithms that it knows where the system's headers define them, by their C name."""
    portless: frozenset[int]
    """Protocols whose policies are printed without ports in brackets."""
    upper: Mapping[int, str]
    """Protocols that have a name whatever the protocols file says."""

    @property
    def freebsd(self) -> bool:
        """Whether this is FreeBSD's."""
        return self.name == "freebsd"

    def algorithms(self, kind: str, dialect: Dialect) -> Mapping[int, str]:
        """The words for "auth" or "encrypt" algorithms on a system."""
        words = {"auth": self.auth, "encrypt": self.encrypt}[kind]
        entries = dialect.terms[kind].entries
        return {**words, **{entries[name][0]: word for name, word in self.defined.items() if name in entries}}


SATYPES = {
    0: "unspec",
    1: "unknown",
    2: "ah",
    3: "esp",
    4: "unknown",
    5: "rsvp",
    6: "ospfv2",
    7: "ripv2",
    8: "mip",
    9: "ipcomp",
    10: "policy",
    11: "tcp",
}
AH, ESP, IPCOMP = 2, 3, 9
MODES = {0: "any", 1: "transport", 2: "tunnel"}
STATES = {0: "larval", 1: "mature", 2: "dying", 3: "dead"}
DEAD = 3
DIRECTIONS = {0: "any", 1: "in", 2: "out", 3: "fwd", 4: "in(socket)", 5: "out(socket)"}
POLICIES = {0: "discard", 1: "none", 2: "ipsec", 3: "entrust", 4: "bypass"}
LEVELS = {0: "default", 1: "use", 2: "require", 3: "unique"}
PROTOCOLS = {50: "esp", 51: "ah", 108: "ipcomp"}
SCOPES = {1: "global", 2: "ifnet", 4: "pcb"}
ICMP, GRE, ICMP6, MH = 1, 47, 58, 135

COMPRESS = {0: "none", 1: "oui", 2: "deflate", 3: "lzs"}

IPSEC_TOOLS = Variant(
    "ipsec-tools",
    auth={
        0: "none",
        2: "hmac-md5",
        3: "hmac-sha1",
        5: "hmac-sha256",
        6: "hmac-sha384",
        7: "hmac-sha512",
        8: "hmac-ripemd160",
        9: "aes-xcbc-mac",
        249: "md5",
        250: "sha",
        251: "null",
    },
    encrypt={
        0: "none",
        2: "des-cbc",
        3: "3des-cbc",
        6: "cast128-cbc",
        7: "blowfish-cbc",
        11: "null",
        12: "aes-cbc",
        13: "aes-ctr",
        22: "camellia-cbc",
        253: "twofish-cbc",
    },
    compress=COMPRESS,
    defined={
        "SADB_X_AALG_TCP_MD5": "tcp-md5",
        "SADB_X_EALG_AESGCM16": "aes-gcm-16",
        "SADB_X_EALG_AESGMAC": "aes-gmac",
    },
    portless=frozenset({ICMP, GRE, ICMP6, MH}),
    upper={},
)

FREEBSD = Variant(
    "freebsd",
    auth={
        0: "none",
        3: "hmac-sha1",
        5: "hmac-sha2-256",
        6: "hmac-sha2-384",
        7: "hmac-sha2-512",
        9: "aes-xcbc-mac",
        14: "chacha20-poly1305",
        251: "null",
        252: "tcp-md5",
    },
    encrypt={
        0: "none",
        11: "null",
        12: "aes-cbc",
        13: "aes-ctr",
        15: "chacha20-poly1305",
        20: "aes-gcm-16",
        253: "twofish-cbc",
    },
    compress=COMPRESS,
    defined={},
    portless=frozenset({ICMP6}),
    upper={4: "ip4", 58: "icmp6", 255: "any"},
)

VARIANTS = {item.name: item for item in (IPSEC_TOOLS, FREEBSD)}


def variant(name: str = "host") -> Variant:
    """The variant of this name; "host" is the running system's. Raises ValueError with the known names."""
    if name == "host":
        return FREEBSD if sys.platform.startswith("freebsd") else IPSEC_TOOLS
    if name not in VARIANTS:
        raise ValueError(f"unknown variant {name!r}; known are host, {', '.join(VARIANTS)}")
    return VARIANTS[name]
