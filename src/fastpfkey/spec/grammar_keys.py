"""Key lengths of the algorithms in bits, and the keys of DES that nobody should use.

Lengths are those of the whole key as it stands in a key extension: with the parity bits of DES (RFC 2367, 2.3.4), with
the salt behind the key of a counter mode (RFC 3686, 4106, 4309, 7634). An algorithm that is not listed may have any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .terms import AuthAlgorithm as Auth
from .terms import EncryptAlgorithm as Encrypt


class KeyLengths(NamedTuple):
    """Which lengths in bits an algorithm's key may have."""

    shortest: int
    longest: int
    step: int = 8

    def allow(self, bits: int) -> bool:
        """Whether a key may have this many bits."""
        return self.shortest <= bits <= self.longest and (bits - self.shortest) % self.step == 0

    def __str__(self) -> str:
        if self.shortest == self.longest:
            return f"{self.shortest}"
        return f"{self.shortest} to {self.longest} in steps of {self.step}"


class KeyTables(NamedTuple):
    """The lengths of one system's keys. Two tables, because an authentication and an encryption may share a number."""

    auth: Mapping[Auth, KeyLengths]
    encrypt: Mapping[Encrypt, KeyLengths]


def _exactly(bits: int) -> KeyLengths:
    return KeyLengths(bits, bits)


_HMAC = {
    Auth.MD5_HMAC: _exactly(128),
    Auth.SHA1_HMAC: _exactly(160),
    Auth.SHA2_256_HMAC: _exactly(256),
    Auth.SHA2_384_HMAC: _exactly(384),
    Auth.SHA2_512_HMAC: _exactly(512),
    Auth.RIPEMD160_HMAC: _exactly(160),
    Auth.SM3_256_HMAC: _exactly(256),
}

_ENCRYPT = {
    Encrypt.DES_CBC: _exactly(64),
    Encrypt.TRIPLE_DES_CBC: _exactly(192),
    Encrypt.CAST128_CBC: KeyLengths(40, 128),
    Encrypt.BLOWFISH_CBC: KeyLengths(40, 448),
    Encrypt.SKIPJACK: _exactly(80),
    Encrypt.AES_CBC: KeyLengths(128, 256, 64),
    Encrypt.AES_CTR: KeyLengths(160, 288, 64),
    Encrypt.AES_CCM_ICV8: KeyLengths(152, 280, 64),
    Encrypt.AES_CCM_ICV12: KeyLengths(152, 280, 64),
    Encrypt.AES_CCM_ICV16: KeyLengths(152, 280, 64),
    Encrypt.AES_GCM_ICV8: KeyLengths(160, 288, 64),
    Encrypt.AES_GCM_ICV12: KeyLengths(160, 288, 64),
    Encrypt.AES_GCM_ICV16: KeyLengths(160, 288, 64),
    Encrypt.NULL_AES_GMAC: KeyLengths(160, 288, 64),
    Encrypt.CAMELLIA_CBC: KeyLengths(128, 256, 64),
    Encrypt.TWOFISH_CBC: KeyLengths(128, 256, 64),
    Encrypt.SERPENT_CBC: KeyLengths(128, 256, 64),
    Encrypt.SM4_CBC: _exactly(128),
    Encrypt.CHACHA20_POLY1305: _exactly(288),
}

RFC2367_KEYS = KeyTables(_HMAC | {Auth.AES_XCBC_MAC: _exactly(128)}, _ENCRYPT)
"""Lengths as each algorithm's own RFC has them, which gives an HMAC a key as long as its hash."""

LINUX_KEYS = KeyTables(dict.fromkeys(_HMAC, KeyLengths(8, 0xFFF8)) | {Auth.AES_XCBC_MAC: _exactly(128)}, _ENCRYPT)
"""The kernel gives the key of an HMAC to the hash as it is: 6.1 was seen to take one of a single byte."""

COMBINED = frozenset(
    {
        Encrypt.AES_CCM_ICV8,
        Encrypt.AES_CCM_ICV12,
        Encrypt.AES_CCM_ICV16,
        Encrypt.AES_GCM_ICV8,
        Encrypt.AES_GCM_ICV12,
        Encrypt.AES_GCM_ICV16,
        Encrypt.NULL_AES_GMAC,
        Encrypt.CHACHA20_POLY1305,
    }
)
"""Encryption that authenticates as well, with one key for both (R-1.1-02)."""

DES_SUBKEYS: Mapping[Encrypt, int] = {Encrypt.DES_CBC: 1, Encrypt.TRIPLE_DES_CBC: 3}
"""How many DES keys of 64 bits follow each other in a key (R-2.3.4-06)."""

WEAK_DES_KEYS = frozenset(
    bytes.fromhex(key)
    for key in """
    0101010101010101 fefefefefefefefe e0e0e0e0f1f1f1f1 1f1f1f1f0e0e0e0e
    011f011f010e010e 1f011f010e010e01 01e001e001f101f1 e001e001f101f101
    01fe01fe01fe01fe fe01fe01fe01fe01 1fe01fe00ef10ef1 e01fe01ff10ef10e
    1ffe1ffe0efe0efe fe1ffe1ffe0efe0e e0fee0fef1fef1fe fee0fee0fef1fef1
    """.split()
)
"""The weak and semi-weak keys of DES, with their parity bits (RFC 2405, 2.4; FIPS 74)."""
