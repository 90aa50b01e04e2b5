"""Algorithms and keys that should protect nothing any more, and who says so.

RFC 8221 (2017) holds what ESP and AH must and must not use, ciphers in section 5 and authentication in section 6. RFC
9395 (2023) deprecates in section 5 what the former names or leaves out and nobody uses any more. Below 112 bits of
strength, NIST SP 800-131A revision 2 (2019) allows nothing. RFC 8247 is about IKE's own messages and no source here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .terms import AuthAlgorithm as Auth
from .terms import EncryptAlgorithm as Encrypt


class Weakness(NamedTuple):
    """What is wrong, and where that is written."""

    reason: str
    source: str


SHORTEST_KEY = 112
"""Bits below which a key can be guessed."""

SHORT = Weakness(f"a key of fewer than {SHORTEST_KEY} bits", "NIST SP 800-131A rev. 2")
UNAUTHENTICATED = Weakness("encrypted and not authenticated: packets can be changed", "RFC 8221, section 4")
UNPROTECTED = Weakness("neither encrypted nor authenticated", "RFC 4303, section 3.2")

WEAK_AUTH: Mapping[Auth, Weakness] = {
    Auth.MD5_HMAC: Weakness("MUST NOT be used", "RFC 8221, section 6"),
    # AUTH_KPDK_MD5 there: key, padding, data, key.
    Auth.KEYED_MD5: Weakness("MUST NOT be used: a keyed hash from before HMAC", "RFC 8221, section 6"),
    Auth.KEYED_SHA1: Weakness("historic: a keyed hash from before HMAC", "RFC 2841"),
    Auth.TCP_MD5: Weakness("obsolete; TCP-AO takes its place", "RFC 5925, section 1"),
}

WEAK_ENCRYPT: Mapping[Encrypt, Weakness] = {
    Encrypt.DES_CBC: Weakness("MUST NOT be used: its key has 56 bits", "RFC 8221, section 5"),
    Encrypt.TRIPLE_DES_CBC: Weakness("SHOULD NOT be used: blocks of 64 bits", "RFC 8221, section 5"),
    Encrypt.BLOWFISH_CBC: Weakness("MUST NOT be used: blocks of 64 bits", "RFC 8221, section 5; RFC 9395, section 5"),
    Encrypt.CAST128_CBC: Weakness("deprecated: blocks of 64 bits", "RFC 9395, section 5"),
    Encrypt.SKIPJACK: Weakness("disallowed: a key of 80 bits", "NIST SP 800-131A rev. 2"),
    Encrypt.NULL: Weakness("encrypts nothing", "RFC 2410"),
}

SALT_BITS: Mapping[Encrypt, int] = {
    Encrypt.AES_CTR: 32,
    Encrypt.AES_CCM_ICV8: 24,
    Encrypt.AES_CCM_ICV12: 24,
    Encrypt.AES_CCM_ICV16: 24,
    Encrypt.AES_GCM_ICV8: 32,
    Encrypt.AES_GCM_ICV12: 32,
    Encrypt.AES_GCM_ICV16: 32,
    Encrypt.NULL_AES_GMAC: 32,
    Encrypt.CHACHA20_POLY1305: 32,
}
"""Bits of a key extension that are salt and no key (RFC 3686, 4106, 4309, 4543, 7634)."""
