"""What every dialect shares: each extension of the RFC with awkward content, in messages that no engine need accept."""

from __future__ import annotations

from collections.abc import Iterator

from maker.algorithms import supported_auth, supported_encrypt
from maker.builder import A4, A6, B4, B6, C4, C6, NET4A, NET6A, Builder, ramp, ramp_bytes
from maker.messages import CODEC, Extension, Message
from maker.tails import Bitmaps, Sockaddr


def messages(b: Builder) -> Iterator[Message]:
    yield from _every_extension(b)
    yield from _identities(b)
    yield from _extremes(b)


def _private(b: Builder, data: bytes) -> list[Extension]:
    return [b.kmprivate(data)] if b.table.has("SADB_X_EXT_KMPRIVATE") else []


def _every_extension(b: Builder) -> Iterator[Message]:
    """Extensions 1 to 16 (and KMPRIVATE) in ascending order, three times: IPv4, IPv6, and with nothing in the tails."""
    yield b.message(
        "codec_every_extension_v4",
        "GET",
        CODEC,
        "ESP",
        [
            b.sa(ramp(0x11), "sha1", "3des", replay=0x21, state="DYING", flags=ramp(0x31)),
            b.lifetime("CURRENT", ramp(0x41), ramp(0x45, 8), ramp(0x4D, 8), ramp(0x55, 8)),
            b.lifetime("HARD", ramp(0x61), ramp(0x65, 8), ramp(0x6D, 8), ramp(0x75, 8)),
            b.lifetime("SOFT", ramp(0x51), ramp(0x55, 8), ramp(0x5D, 8), ramp(0x65, 8)),
            b.address("SRC", Sockaddr(A4.address, port=0x1F92), proto=17, prefixlen=31),
            b.address("DST", Sockaddr(B4.address, port=0x01BB), proto=17, prefixlen=29),
            b.address("PROXY", NET4A, proto=6, prefixlen=24),
            b.key("AUTH", 127, 0x81),
            b.key("ENCRYPT", 160, 0xA1),
            b.identity("SRC", "FQDN", "eight77"),
            b.identity("DST", "FQDN", "eight888", ramp(0x91, 8)),
            b.sensitivity(ramp(0x8A), (0x12, 0x34), Bitmaps((ramp(0xA1, 8), ramp(0xB1, 8)), (ramp(0xC1, 8),))),
            b.proposal(b.combinations(3), replay=64),
            b.supported("AUTH", supported_auth(b.table)),
            b.supported("ENCRYPT", supported_encrypt(b.table)),
            b.spirange(ramp(0x11), ramp(0x21)),
            *_private(b, ramp_bytes(0xD1, 16)),
        ],
        errno=0x16,
    )
    yield b.message(
        "codec_every_extension_v6",
        "GET",
        CODEC,
        "AH",
        [
            b.sa(ramp(0xF1), "md5", "none", replay=0x07, state="DEAD", flags=ramp(0xE1)),
            b.lifetime("CURRENT", ramp(0x02), ramp(0x12, 8), ramp(0x22, 8), ramp(0x32, 8)),
            b.lifetime("HARD", ramp(0x42), ramp(0x52, 8), ramp(0x62, 8), ramp(0x72, 8)),
            b.lifetime("SOFT", ramp(0x32), ramp(0x42, 8), ramp(0x52, 8), ramp(0x62, 8)),
            b.address("SRC", Sockaddr("fe80::1122:3344:5566:7788", 0x2122, ramp(0x01), ramp(0x0A)), 6, 127),
            b.address("DST", Sockaddr("fe80::99aa:bbcc:ddee:ff12", 0x3132, ramp(0x05), ramp(0x1A)), 6, 121),
            b.address("PROXY", NET6A, proto=0, prefixlen=64),
            b.key("AUTH", 22, 0x91),
            b.key("ENCRYPT", 448, 0x21),
            b.identity("SRC", "PREFIX", "2001:db8:1112::/48"),
            b.identity("DST", "PREFIX", "10.20.30.0/24"),
            b.sensitivity(ramp(0x01), (0x56, 0x78), Bitmaps((), (ramp(0x17, 8), ramp(0x27, 8)))),
            b.proposal(b.combinations(1), replay=4),
            b.supported("AUTH", supported_auth(b.table)[1:2]),
            b.supported("ENCRYPT", supported_encrypt(b.table)[:3]),
            b.spirange(0x100, ramp(0xF5)),
            *_private(b, ramp_bytes(0xE1, 8)),
        ],
    )
    yield b.message(
        "codec_empty_tails",
        "ADD",
        CODEC,
        "ESP",
        [
            b.sa(0, state="LARVAL"),
            b.address("SRC", Sockaddr("0.0.0.0"), proto=0, prefixlen=0),
            b.address("DST", Sockaddr("0.0.0.0"), proto=0, prefixlen=0),
            b.address("PROXY", Sockaddr("::"), proto=0, prefixlen=0),
            b.key("AUTH", 0, 0),
            b.key("ENCRYPT", 0, 0),
            b.identity("SRC", "PREFIX", None),
            b.identity("DST", "FQDN", ""),
            b.sensitivity(0, (0, 0), Bitmaps()),
            b.proposal([], replay=0),
            b.supported("AUTH", []),
            b.supported("ENCRYPT", []),
            *_private(b, b""),
        ],
    )


def _identities(b: Builder) -> Iterator[Message]:
    """Every identity type but RESERVED, with and without text; KAME's ADDR carries an address instead."""
    texts = {
        "DN": ("C=NO, O=Example, CN=gateway", "CN=peer"),
        "ASN1_DN": ("C=NO, O=Example, CN=gateway", "CN=peer"),
        "GN": ("dirname:/C=NO", "uri:ike.example.net"),
        "KEY_ID": ("0123456789abcdef", "k"),
        "ADDR_RANGE": ("192.0.2.1-192.0.2.31", "2001:db8::1-2001:db8::ff"),
        "USERFQDN": ("bob@example.net", None),
        "USER_FQDN": ("bob@example.net", None),
    }
    for kind, (src, dst) in texts.items():
        if b.table.has(f"SADB_IDENTTYPE_{kind}") or b.table.has(f"SADB_X_IDENTTYPE_{kind}"):
            pair = [b.identity("SRC", kind, src, ramp(0x31)), b.identity("DST", kind, dst, ramp(0x41, 8))]
            yield b.message(f"codec_identity_{kind.lower()}", "GET", CODEC, "ESP", pair)
    if b.table.has("SADB_X_IDENTTYPE_ADDR"):
        for version, one, other in (("v4", A4, B4), ("v6", A6, B6)):
            pair = [b.identity("SRC", "ADDR", one), b.identity("DST", "ADDR", other)]
            yield b.message(f"codec_identity_addr_{version}", "GET", CODEC, "ESP", pair)


def _extremes(b: Builder) -> Iterator[Message]:
    """Every bit set where a number may be anything, the longest addresses, and the smallest header."""
    top32, top64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
    yield b.message(
        "codec_all_bits_set",
        "GET",
        CODEC,
        "ESP",
        [
            b.extension(
                "SA",
                sadb_sa_spi=top32,
                sadb_sa_replay=0xFF,
                sadb_sa_state=0xFF,
                sadb_sa_auth=0xFF,
                sadb_sa_encrypt=0xFF,
                sadb_sa_flags=top32,
            ),
            *(b.lifetime(word, top32, top64, top64, top64) for word in ("CURRENT", "HARD", "SOFT")),
            b.address("SRC", Sockaddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0xFFFF, top32, top32), 255, 128),
            b.address("DST", Sockaddr("255.255.255.255", 0xFFFF), 255, 32),
            b.address("PROXY", C6, proto=0, prefixlen=128),
            b.spirange(top32, top32),
        ],
        seq=top32,
        pid=top32,
        errno=0xFF,
    )
    yield b.message("codec_proxy_of_other_family", "GET", CODEC, "AH", [*b.ends(A6, B6), b.address("PROXY", C4)])
    yield b.message("codec_zero_header", "FLUSH", CODEC, seq=0, pid=0)
