"""macOS: KAME, with the larger sadb_sa, statistics by session, interfaces, address ranges and migration."""

from __future__ import annotations

from collections.abc import Iterator

from maker import kame
from maker.builder import A4, A6, B4, B6, C4, C6, NET4A, NET4B, Builder, ramp
from maker.kame import SPI
from maker.messages import CODEC, FROM_ENGINE, TO_ENGINE, Extension, Message
from maker.tails import Records, Sockaddr, Values

NATT, KEEPALIVE, DETECTED_PEER, OFFLOAD = 0x0002, 0x0004, 0x1000, 0x8000


def messages(b: Builder) -> Iterator[Message]:
    yield from kame.messages(b)
    for satype in ("IPCOMP", "POLICY"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", CODEC, satype)
    yield from _larger_sa(b)
    yield from _statistics(b)
    yield from _ranges(b)
    yield from _migration(b)


def sa_2(b: Builder, first: int, flags: int) -> Extension:
    """24 octets: the peer's port in host order, our own in network order, two intervals between them."""
    return b.sa(
        SPI,
        "sha256",
        "aes",
        replay=4,
        flags=flags,
        struct="sadb_sa_2",
        sadb_sa_natt_port=ramp(first, 2),
        sadb_sa_natt_interval=ramp(first + 2, 2),
        sadb_sa_natt_offload_interval=ramp(first + 4, 2),
        sadb_sa_natt_src_port=ramp(first + 6, 2),
    )


def interface(b: Builder, word: str, names: tuple[bytes, bytes, bytes], disabled: int) -> Extension:
    return b.extension(
        word,
        sadb_x_ipsecif_internal_if=names[0],
        sadb_x_ipsecif_outgoing_if=names[1],
        sadb_x_ipsecif_ipsec_if=names[2],
        sadb_x_ipsecif_init_disabled=disabled,
    )


def _larger_sa(b: Builder) -> Iterator[Message]:
    sa2 = b.sa2("TUNNEL", 0x1A2B, ramp(0x61), sadb_x_sa2_alwaysexpire=1, sadb_x_sa2_flags=3)
    first, second = sa_2(b, 0x11, NATT | KEEPALIVE), sa_2(b, 0xD1, NATT | DETECTED_PEER)
    where = interface(b, "IPSECIF", (b"en0", b"utun3", b"ipsec1"), 0)
    yield b.message("add_esp_natt", "ADD", TO_ENGINE, "ESP", [first, sa2, *b.ends(), *b.keys(), *b.limits(), where])
    yield b.message("add_esp_natt_reply", "ADD", FROM_ENGINE, "ESP", [first, sa2, *b.ends(), *b.limits()])
    record = [second, sa2, *b.limits(), b.current(), *b.ends(A6, B6), *b.keys(0x91), where]
    yield b.message("dump_record_natt_v6", "DUMP", FROM_ENGINE, "ESP", record, reserved=2)
    offloaded = sa_2(b, 0x71, NATT | OFFLOAD)
    yield b.message("get_every_flag", "GET", CODEC, "ESP", [offloaded, *b.ends()])
    yield b.message("delete_by_larger_sa", "DELETE", CODEC, "ESP", [b.spi_only(SPI, "sadb_sa_2"), *b.ends()])


def _statistics(b: Builder) -> Iterator[Message]:
    session = {"request": [ramp(0x11, 8), ramp(0x21, 8)], "reply": [ramp(0x81, 8), ramp(0x91, 8)]}
    asked: list[Values] = [{"spi": SPI}, {"spi": ramp(0x31)}]
    found: list[Values] = [
        {
            "spi": spi,
            "created": 0x6553_F1A2,
            "sadb_lifetime_len": 4,
            "sadb_lifetime_exttype": 2,
            "sadb_lifetime_allocations": ramp(first),
            "sadb_lifetime_bytes": ramp(first + 1, 8),
            "sadb_lifetime_addtime": ramp(first + 2, 4),
            "sadb_lifetime_usetime": ramp(first + 3, 4),
        }
        for spi, first in ((SPI, 0x41), (ramp(0x31), 0x51), (ramp(0xA1), 0x61))
    ]
    for name, direction, rows in (("request", TO_ENGINE, asked), ("reply", FROM_ENGINE, found)):
        known = b.extension("SESSION_ID", sadb_session_id_v=session[name])
        stats = b.extension(
            "SASTAT",
            Records("stats", "sastat", tuple(rows)),
            sadb_sastat_dir=b.table.number("IPSEC_DIR_OUTBOUND" if name == "request" else "IPSEC_DIR_INBOUND"),
            sadb_sastat_list_len=len(rows),
        )
        yield b.message(f"getsastat_{name}", "GETSASTAT", direction, 0, [known, stats])
    empty = b.extension("SASTAT", Records("stats", "sastat", ()), sadb_sastat_dir=1)
    yield b.message("getsastat_no_records", "GETSASTAT", CODEC, 0, [empty])


def _ranges(b: Builder) -> Iterator[Message]:
    where = interface(b, "IPSECIF", (b"en0", b"utun3", b"abcdefghijklmnopqrstuvw"), 1)
    for version, proto, ends in (
        ("v4", 6, ("10.1.2.3", "10.1.2.99", "172.16.4.5", "172.16.4.250")),
        ("v6", 17, ("2001:db8::a1b2", "2001:db8::a1ff", "2001:db8:1::c1d2", "2001:db8:1::c1ff")),
    ):
        ports = (0x0401, 0x0402, 0x1F91, 0x1F92)
        words = [f"ADDR_RANGE_{end}" for end in ("SRC_START", "SRC_END", "DST_START", "DST_END")]
        corners = [
            b.address(word, Sockaddr(end, port), proto) for word, end, port in zip(words, ends, ports, strict=True)
        ]
        wanted = b.policy("IPSEC", "OUTBOUND", [b.request(50, "TRANSPORT", "REQUIRE")])
        shown = b.policy("IPSEC", "OUTBOUND", [b.request(50, "TRANSPORT", "REQUIRE")], ramp(0x41))
        yield b.message(f"spdadd_range_{version}", "SPDADD", TO_ENGINE, 0, [*corners, where, wanted])
        record = [*corners, where, shown]
        yield b.message(f"spddump_record_range_{version}", "SPDDUMP", FROM_ENGINE, 0, record, reserved=1)
    indexed = b.policy("DISCARD", "OUTBOUND", number=ramp(0x41))
    for word in ("SPDENABLE", "SPDDISABLE"):
        yield b.message(f"{word.lower()}_request", word, TO_ENGINE, 0, [indexed])
        yield b.message(f"{word.lower()}_reply", word, FROM_ENGINE, 0, [indexed])


def _migration(b: Builder) -> Iterator[Message]:
    old = interface(b, "IPSECIF", (b"en0", b"en1", b"ipsec0"), 0)
    new = interface(b, "MIGRATE_IPSECIF", (b"en7", b"pdp_ip0", b"ipsec12"), 1)
    moved = sa_2(b, 0x21, NATT)
    new4 = [b.address("MIGRATE_ADDRESS_SRC", C4), b.address("MIGRATE_ADDRESS_DST", B4)]
    new6 = [b.address("MIGRATE_ADDRESS_SRC", C6), b.address("MIGRATE_ADDRESS_DST", B6)]
    yield b.message("migrate_v4", "MIGRATE", TO_ENGINE, "ESP", [moved, *b.ends(A4, B4), *new4, old, new])
    yield b.message("migrate_v6", "MIGRATE", TO_ENGINE, "ESP", [sa_2(b, 0x31, 0), *b.ends(A6, B6), *new6])
    renamed = interface(b, "MIGRATE_IPSECIF", (b"", b"en5", b""), 0)
    nets = b.selector(NET4A, 24, NET4B, 20)
    yield b.message("migrate_interface_only", "MIGRATE", CODEC, "ESP", [sa_2(b, 0x41, 0), *nets, renamed])
