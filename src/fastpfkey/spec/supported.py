"""The algorithms that an engine offers with REGISTER and takes with ADD (RFC 2367, 2.3.8 and 3.1.7).

Linux's lists are those that 6.1.176 was seen to give. Other systems' are put together from what their headers number
and whose key lengths are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from .grammar import grammar
from .grammar_keys import KeyLengths
from .model import Dialect
from .terms import AuthAlgorithm as Auth
from .terms import CompressAlgorithm as Compress
from .terms import EncryptAlgorithm as Encrypt
from .terms import Term

IV_BYTES: Mapping[Encrypt, int] = {
    Encrypt.DES_CBC: 8,
    Encrypt.TRIPLE_DES_CBC: 8,
    Encrypt.CAST128_CBC: 8,
    Encrypt.BLOWFISH_CBC: 8,
    Encrypt.SKIPJACK: 8,
    Encrypt.AES_CBC: 16,
    Encrypt.AES_CTR: 8,
    Encrypt.AES_CCM_ICV8: 8,
    Encrypt.AES_CCM_ICV12: 8,
    Encrypt.AES_CCM_ICV16: 8,
    Encrypt.AES_GCM_ICV8: 8,
    Encrypt.AES_GCM_ICV12: 8,
    Encrypt.AES_GCM_ICV16: 8,
    Encrypt.NULL_AES_GMAC: 8,
    Encrypt.CAMELLIA_CBC: 16,
    Encrypt.TWOFISH_CBC: 16,
    Encrypt.SERPENT_CBC: 16,
    Encrypt.SM4_CBC: 16,
    Encrypt.CHACHA20_POLY1305: 8,
}
"""Bytes of the initialisation vector in a packet, by each algorithm's RFC."""


Algorithm = Auth | Encrypt | Compress


class Offered(NamedTuple):
    """One algorithm in a list."""

    id: Algorithm
    ivlen: int
    minbits: int
    maxbits: int


class Lists(NamedTuple):
    """What a system offers, in the order in which it does."""

    auth: tuple[Offered, ...]
    encrypt: tuple[Offered, ...]
    compress: tuple[Offered, ...]


_LINUX = Lists(
    (
        Offered(Auth.NULL, 0, 0, 0),
        Offered(Auth.MD5_HMAC, 0, 128, 128),
        Offered(Auth.SHA1_HMAC, 0, 160, 160),
        Offered(Auth.SHA2_256_HMAC, 0, 256, 256),
        Offered(Auth.SHA2_384_HMAC, 0, 384, 384),
        Offered(Auth.SHA2_512_HMAC, 0, 512, 512),
        Offered(Auth.RIPEMD160_HMAC, 0, 160, 160),
        Offered(Auth.AES_XCBC_MAC, 0, 128, 128),
    ),
    (
        Offered(Encrypt.NULL, 0, 0, 0),
        Offered(Encrypt.DES_CBC, 8, 64, 64),
        Offered(Encrypt.TRIPLE_DES_CBC, 8, 192, 192),
        Offered(Encrypt.CAST128_CBC, 8, 40, 128),
        Offered(Encrypt.BLOWFISH_CBC, 8, 40, 448),
        Offered(Encrypt.AES_CBC, 8, 128, 256),
        Offered(Encrypt.SERPENT_CBC, 8, 128, 256),
        Offered(Encrypt.CAMELLIA_CBC, 8, 128, 256),
        Offered(Encrypt.TWOFISH_CBC, 8, 128, 256),
        Offered(Encrypt.AES_CTR, 8, 160, 288),
    ),
    (Offered(Compress.DEFLATE, 0, 0, 0),),
)


def _listed(lengths: Iterable[tuple[Algorithm, KeyLengths]], numbers: Mapping[Term, int]) -> tuple[Offered, ...]:
    return tuple(
        Offered(term, IV_BYTES.get(term, 0) if isinstance(term, Encrypt) else 0, keys.shortest, keys.longest)
        for term, keys in lengths
        if term in numbers
    )


@cache
def supported(dialect: Dialect) -> Lists:
    """What the system of a dialect offers."""
    if dialect.name == "linux":
        return _LINUX
    keys = grammar(dialect).keys
    compress = dialect.terms["compress"].numbers if "compress" in dialect.terms else {}
    return Lists(
        _listed(keys.auth.items(), dialect.terms["auth"].numbers),
        _listed(keys.encrypt.items(), dialect.terms["encrypt"].numbers),
        (Offered(Compress.DEFLATE, 0, 0, 0),) if Compress.DEFLATE in compress else (),
    )
