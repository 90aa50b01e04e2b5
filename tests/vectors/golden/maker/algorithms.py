"""Algorithms under one word each, and what a REGISTER reply says of all that a table names."""

from __future__ import annotations

from maker.tables import Table
from maker.tails import Values

AUTH = {
    "md5": ("SADB_AALG_MD5HMAC",),
    "sha1": ("SADB_AALG_SHA1HMAC",),
    "sha256": ("SADB_X_AALG_SHA2_256HMAC", "SADB_X_AALG_SHA2_256", "SADB_AALG_SHA256HMAC"),
    "tcp-md5": ("SADB_X_AALG_TCP_MD5",),
    "null": ("SADB_X_AALG_NULL",),
    "none": ("SADB_AALG_NONE",),
}
ENCRYPT = {
    "des": ("SADB_EALG_DESCBC",),
    "3des": ("SADB_EALG_3DESCBC",),
    "aes": ("SADB_X_EALG_AESCBC", "SADB_X_EALG_AES", "SADB_EALG_AES"),
    "aes-ctr": ("SADB_X_EALG_AESCTR",),
    "aes-gcm": (
        "SADB_X_EALG_AES_GCM_ICV16",
        "SADB_X_EALG_AESGCM16",
        "SADB_EALG_AES_GCM_16",
        "SADB_X_EALG_AES_GCM",
    ),
    "blowfish": ("SADB_X_EALG_BLOWFISHCBC", "SADB_X_EALG_BLF", "SADB_EALG_BLOWFISH"),
    "null": ("SADB_EALG_NULL",),
    "none": ("SADB_EALG_NONE",),
}

# A part of the symbol and the key lengths in bits; the first that fits counts.
_AUTH_BITS = {
    "TCP_MD5": (8, 640),
    "MD5": (128, 128),
    "SHA2_256": (256, 256),
    "SHA256": (256, 256),
    "SHA2_384": (384, 384),
    "SHA384": (384, 384),
    "SHA2_512": (512, 512),
    "SHA512": (512, 512),
    "SHA": (160, 160),
    "RIPEMD160": (160, 160),
    "XCBC": (128, 128),
    "SM3": (256, 256),
    "AES128GMAC": (128, 128),
    "AES192GMAC": (192, 192),
    "AES256GMAC": (256, 256),
    "CHACHA": (256, 256),
    "NULL": (0, 0),
}
_ENCRYPT_BITS = {
    "3DES": (192, 192),
    "DES": (64, 64),
    "CAST": (40, 128),
    "BLOWFISH": (40, 448),
    "BLF": (40, 448),
    "SKIPJACK": (80, 80),
    "SM4": (128, 128),
    "GCM": (160, 288),
    "CCM": (152, 280),
    "CTR": (160, 288),
    "GMAC": (160, 288),
    "CHACHA": (288, 288),
    "NULL": (0, 0),
    "": (128, 256),
}


def _bits(symbol: str, known: dict[str, tuple[int, int]]) -> tuple[int, int]:
    return next(bits for part, bits in known.items() if part in symbol)


def supported(table: Table, numbers: dict[str, int], known: dict[str, tuple[int, int]], ivlen: int) -> list[Values]:
    """One sadb_alg a number, without NONE, MAX and second names; NULL only where kernels announce it, with no bits."""
    rows: dict[int, Values] = {}
    for symbol, number in numbers.items():
        if symbol.endswith(("_NONE", "_MAX")) or number in rows:
            continue
        low, high = _bits(symbol, known)
        if high == 0 and table.dialect not in ("linux", "freebsd", "netbsd", "macos"):
            continue
        rows[number] = {
            "sadb_alg_id": number,
            "sadb_alg_ivlen": ivlen if high else 0,
            "sadb_alg_minbits": low,
            "sadb_alg_maxbits": high,
        }
    return [rows[number] for number in sorted(rows)]


def supported_auth(table: Table) -> list[Values]:
    return supported(table, table.auth_algorithms, _AUTH_BITS, 0)


def supported_encrypt(table: Table) -> list[Values]:
    """The IV is 8 octets here; illumos counts it in bits."""
    return supported(table, table.encrypt_algorithms, _ENCRYPT_BITS, 64 if table.dialect == "illumos" else 8)


def supported_compress(table: Table) -> list[Values]:
    return [
        {"sadb_alg_id": number, "sadb_alg_minbits": 8 + number, "sadb_alg_maxbits": 0x0123 + number}
        for symbol, number in table.compress_algorithms.items()
        if not symbol.endswith(("_NONE", "_MAX"))
    ]
