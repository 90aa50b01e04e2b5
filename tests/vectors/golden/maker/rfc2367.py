"""RFC 2367 by the letter: section 3.1 and the appendices, message by message."""

from __future__ import annotations

from collections.abc import Iterator

from maker.algorithms import supported_auth, supported_encrypt
from maker.builder import A4, A6, B4, B6, NET4A, NET6A, Builder, ramp, ramp_bytes
from maker.messages import FROM_ENGINE, TO_ENGINE, Extension, Message
from maker.tails import Bitmaps, Sockaddr

SPI = ramp(0x21)


def messages(b: Builder) -> Iterator[Message]:
    yield from _larval(b)
    yield from _associations(b)
    yield from _acquire_and_expire(b)
    yield from _control(b)
    yield from _appendices(b)


def _labels(b: Builder) -> list[Extension]:
    return [
        *b.identities(),
        b.sensitivity(ramp(0x8B), (3, 5), Bitmaps((ramp(0x71, 8),), (ramp(0x81, 8), ramp(0x91, 8)))),
    ]


def _larval(b: Builder) -> Iterator[Message]:
    for version, (src, dst) in {"v4": (A4, B4), "v6": (A6, B6)}.items():
        yield b.message(
            f"getspi_request_{version}",
            "GETSPI",
            TO_ENGINE,
            "ESP",
            [*b.ends(src, dst), b.spirange(ramp(0x11), ramp(0x51))],
        )
        yield b.message(f"getspi_reply_{version}", "GETSPI", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends(src, dst)])


def _associations(b: Builder) -> Iterator[Message]:
    esp = b.sa(SPI, "sha1", "3des", replay=32, flags=1)
    ah = b.sa(ramp(0x31), "md5", replay=16)
    inner4 = b.address("PROXY", NET4A, prefixlen=24)
    inner6 = b.address("PROXY", NET6A, prefixlen=64)
    yield b.message(
        "add_esp_v4", "ADD", TO_ENGINE, "ESP", [esp, *b.limits(), *b.ends(), inner4, *b.keys(), *_labels(b)]
    )
    yield b.message("add_esp_v4_reply", "ADD", FROM_ENGINE, "ESP", [esp, *b.limits(), *b.ends(), *_labels(b)])
    yield b.message(
        "add_esp_null_encryption_with_soft_only",
        "ADD",
        TO_ENGINE,
        "ESP",
        [b.sa(ramp(0x41), "sha1", "null"), b.limit("SOFT", 0x17), *b.ends(A6, B6), b.key("AUTH", 160, 0x71)],
    )
    yield b.message(
        "add_ah_v6",
        "ADD",
        TO_ENGINE,
        "AH",
        [
            ah,
            *b.ends(A6, B6),
            b.key("AUTH", 128, 0x71),
            b.identity("SRC", "PREFIX", "2001:db8:1112::/48"),
            b.identity("DST", "PREFIX", "2001:db8:2122::/48"),
            b.kmprivate(ramp_bytes(0x41, 24)),
        ],
    )
    for satype, first in {"RSVP": 0x61, "OSPFV2": 0x62, "RIPV2": 0x63, "MIP": 0x64}.items():
        yield b.message(
            f"add_{satype.lower()}",
            "ADD",
            TO_ENGINE,
            satype,
            [b.sa(ramp(first), "md5"), *b.ends(), b.key("AUTH", 128, first + 0x11)],
        )
    yield b.message(
        "update_esp_v6",
        "UPDATE",
        TO_ENGINE,
        "ESP",
        [esp, b.current(), *b.limits(0x12, 0x42), *b.ends(A6, B6), inner6, *b.keys(0x91), *_labels(b)],
    )
    yield b.message(
        "update_esp_v6_reply",
        "UPDATE",
        FROM_ENGINE,
        "ESP",
        [esp, b.current(), *b.limits(0x12, 0x42), *b.ends(A6, B6), inner6, *_labels(b)],
    )
    for name, satype in {"delete": "DELETE", "get": "GET"}.items():
        yield b.message(f"{name}_request", satype, TO_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("delete_reply", "DELETE", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("delete_error", "DELETE", FROM_ENGINE, "ESP", errno=3)
    full = [esp, b.current(), *b.limits(), *b.ends(), inner4, *b.keys(), *_labels(b), b.kmprivate(ramp_bytes(0x51, 8))]
    yield b.message("get_reply", "GET", FROM_ENGINE, "ESP", full)
    yield b.message("dump_request", "DUMP", TO_ENGINE, "UNSPEC")
    yield b.message("dump_record", "DUMP", FROM_ENGINE, "ESP", full)
    yield b.message(
        "dump_last_record",
        "DUMP",
        FROM_ENGINE,
        "AH",
        [ah, b.current(0x35), *b.limits(0x15, 0x45), *b.ends(A6, B6), b.key("AUTH", 128, 0x71)],
        seq=0,
    )


def _acquire_and_expire(b: Builder) -> Iterator[Message]:
    src4, dst4 = Sockaddr(A4.address, port=0xC123), Sockaddr(B4.address, port=0x01BB)
    offer3, offer1 = b.proposal(b.combinations(3)), b.proposal(b.combinations(1), replay=8)
    yield b.message(
        "acquire_from_kernel_v4",
        "ACQUIRE",
        FROM_ENGINE,
        "ESP",
        [*b.ends(src4, dst4, proto=6), b.address("PROXY", NET4A, prefixlen=24), *_labels(b), offer3],
        pid=0,
    )
    yield b.message("acquire_from_kernel_v6", "ACQUIRE", FROM_ENGINE, "ESP", [*b.ends(A6, B6), offer1], pid=0)
    yield b.message("acquire_from_application", "ACQUIRE", TO_ENGINE, "OSPFV2", [*b.ends(), *b.identities(), offer1])
    yield b.message("acquire_failure", "ACQUIRE", TO_ENGINE, "ESP", errno=110)
    for word, state in {"SOFT": "DYING", "HARD": "DEAD"}.items():
        sa = b.sa(SPI, "sha1", "3des", replay=32, state=state)
        limit = b.limit(word, 0x11 if word == "SOFT" else 0x31)
        yield b.message(
            f"expire_{word.lower()}", "EXPIRE", FROM_ENGINE, "ESP", [sa, b.current(), limit, *b.ends()], pid=0
        )


def _control(b: Builder) -> Iterator[Message]:
    auth, encrypt = supported_auth(b.table), supported_encrypt(b.table)
    for satype in ("AH", "ESP", "RSVP", "OSPFV2", "RIPV2", "MIP"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", TO_ENGINE, satype)
    yield b.message("register_reply_ah", "REGISTER", FROM_ENGINE, "AH", [b.supported("AUTH", auth)])
    yield b.message(
        "register_reply_esp",
        "REGISTER",
        FROM_ENGINE,
        "ESP",
        [b.supported("AUTH", auth), b.supported("ENCRYPT", encrypt)],
    )
    yield b.message("flush_request", "FLUSH", TO_ENGINE, "UNSPEC")
    yield b.message("flush_reply", "FLUSH", FROM_ENGINE, "UNSPEC")


def _appendices(b: Builder) -> Iterator[Message]:
    inner = b.message("copied_delete", "DELETE", TO_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("promisc_on", "X_PROMISC", TO_ENGINE, 1)
    yield b.message("promisc_on_reply", "X_PROMISC", FROM_ENGINE, 1)
    yield b.message("promisc_off", "X_PROMISC", TO_ENGINE, 0)
    yield b.message("promisc_data_to_process", "X_PROMISC", TO_ENGINE, 0, payload=inner)
    yield b.message("promisc_data_copy", "X_PROMISC", FROM_ENGINE, 0, payload=inner, seq=0, pid=0)
    ports = b.ends(Sockaddr(A6.address, port=0x0202), Sockaddr(B6.address, port=0xC456), proto=17)
    offer = b.proposal(b.combinations(3), replay=12)
    yield b.message("pchange_new", "X_PCHANGE", FROM_ENGINE, "ESP", [*ports, *_labels(b), offer], pid=0)
    yield b.message("pchange_gone", "X_PCHANGE", TO_ENGINE, "ESP", ports)
