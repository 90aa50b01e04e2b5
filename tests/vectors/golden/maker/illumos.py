"""illumos: paired associations, inner and NAT-T addresses, extended proposals and registrations, salted keys."""

from __future__ import annotations

from collections.abc import Iterator

from maker.algorithms import supported_auth, supported_encrypt
from maker.builder import A4, A6, B4, B6, NET4A, NET4B, NET6A, NET6B, Builder, limit_values, ramp, ramp_bytes
from maker.messages import CODEC, FROM_ENGINE, TO_ENGINE, Extension, Message
from maker.tails import Bitmaps, ExtendedCombinations, Key, SATypes, Sockaddr, Values

SPI, PAIRED_SPI = ramp(0x21), ramp(0xC1)
NATT_LOC, NATT_REM, TUNNEL, PAIRED, OUTBOUND, INBOUND, NATTED = (
    0x0010_0000,
    0x0008_0000,
    0x0002_0000,
    0x0001_0000,
    0x0000_8000,
    0x0000_4000,
    0x0000_1000,
)


def messages(b: Builder) -> Iterator[Message]:
    yield from _associations(b)
    yield from _salted(b)
    yield from _pairs(b)
    yield from _acquire_and_expire(b)
    yield from _control(b)
    yield from _tcp_signature(b)


def limits(b: Builder, soft: int = 0x11, hard: int = 0x31) -> list[Extension]:
    """Allocations are not counted by this kernel."""
    return [*b.limits(soft, hard, allocations=False), b.lifetime("LIFETIME_IDLE", 0, 0, ramp(soft, 3), ramp(hard, 3))]


def inner(b: Builder, src: Sockaddr, src_len: int, dst: Sockaddr, dst_len: int) -> list[Extension]:
    return [b.address("ADDRESS_INNER_SRC", src, 4, src_len), b.address("ADDRESS_INNER_DST", dst, 4, dst_len)]


def natt(b: Builder, local: str, remote: str, ports: tuple[int, int]) -> list[Extension]:
    return [
        b.address("ADDRESS_NATT_LOC", Sockaddr(local, ports[0]), 17),
        b.address("ADDRESS_NATT_REM", Sockaddr(remote, ports[1]), 17),
    ]


def cookie(b: Builder, protocol: str, value: int) -> Extension:
    """IKE keeps the older 32-bit cookie with a reserved word behind it; later protocols fill all 64 bits."""
    values: Values = {"sadb_x_kmc_proto": b.table.number(f"SADB_X_KMP_{protocol}")}
    values["sadb_x_kmc_cookie" if protocol == "IKE" else "sadb_x_kmc_cookie64"] = value
    return b.extension("KM_COOKIE", **values)


def pair(b: Builder, spi: int) -> Extension:
    return b.extension("PAIR", sadb_x_pair_spi=spi)


def replay(b: Builder, first: int, wide: bool) -> Extension:
    values: Values = {"sadb_x_rc_replay32": ramp(first)} | ({"sadb_x_rc_replay64": ramp(first + 4, 8)} if wide else {})
    return b.extension("REPLAY_VALUE", **values)


def labels(b: Builder, first: int) -> list[Extension]:
    bitmaps = Bitmaps((ramp(first, 8), ramp(first + 8, 8)), (ramp(first + 16, 8),))
    implicit = b.table.number("SADB_X_SENS_IMPLICIT")
    return [
        b.sensitivity(1, (3, 5), bitmaps),
        b.sensitivity(1, (7, 9), Bitmaps((), bitmaps.sens), "OUTER_SENS", sadb_x_sens_flags=implicit),
    ]


def _associations(b: Builder) -> Iterator[Message]:
    flags = TUNNEL | OUTBOUND | NATT_LOC | NATT_REM
    esp = b.sa(SPI, "sha256", "aes", replay=32, flags=flags)
    ah = b.sa(ramp(0x31), "sha1", replay=17, flags=INBOUND)
    tunnel4, tunnel6 = inner(b, NET4A, 24, NET4B, 20), inner(b, NET6A, 64, NET6B, 60)
    natted = natt(b, "10.1.2.3", "203.0.113.99", (0x1194, 0x1F95))
    ike = cookie(b, "IKE", ramp(0x11))
    for version, ends in {"v4": b.ends(), "v6": b.ends(A6, B6)}.items():
        wanted = [*ends, b.spirange(ramp(0x11), ramp(0x51))]
        yield b.message(f"getspi_request_{version}", "GETSPI", TO_ENGINE, "ESP", wanted)
    yield b.message("getspi_reply_v4", "GETSPI", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    request = [esp, *limits(b), *b.ends(), *natted, *tunnel4, ike, *b.keys(), *b.identities(), *labels(b, 0x81)]
    yield b.message("add_esp_tunnel_natt_v4", "ADD", TO_ENGINE, "ESP", request)
    zeroed = [
        b.extension("KEY_AUTH", Key(bytes(32)), sadb_key_bits=256),
        b.extension("KEY_ENCRYPT", Key(bytes(32)), sadb_key_bits=256),
    ]
    kernel_flags = b.sa(SPI, "sha256", "aes", replay=32, flags=flags | NATTED | 0xE000_0000)
    reply = [kernel_flags, *limits(b), *b.ends(), *natted, *tunnel4, ike, *zeroed, *b.identities(), *labels(b, 0x81)]
    yield b.message("add_esp_tunnel_natt_v4_reply", "ADD", FROM_ENGINE, "ESP", reply)
    yield b.message(
        "add_ah_v6",
        "ADD",
        TO_ENGINE,
        "AH",
        [ah, *b.ends(A6, B6), *tunnel6, cookie(b, "IKEV2", ramp(0xA1, 8)), b.key("AUTH", 160, 0x71), *labels(b, 0x51)],
    )
    update = [esp, *limits(b, 0x12, 0x42), *b.ends(), replay(b, 0x61, wide=False)]
    yield b.message("update_lifetimes", "UPDATE", TO_ENGINE, "ESP", update)
    yield b.message("update_lifetimes_reply", "UPDATE", FROM_ENGINE, "ESP", update)
    for word, state in {"elsewhere": "ACTIVE_ELSEWHERE", "idle": "IDLE", "active": "ACTIVE"}.items():
        moved = [b.sa(SPI, "sha256", "aes", state=state, flags=INBOUND), *b.ends(), replay(b, 0x71, wide=True)]
        yield b.message(f"update_state_{word}", "UPDATE", CODEC, "ESP", moved)
    for word in ("DELETE", "GET"):
        yield b.message(f"{word.lower()}_request", word, TO_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("delete_reply", "DELETE", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    diagnostic = b.table.number("SADB_X_DIAGNOSTIC_SA_NOTFOUND")
    yield b.message("delete_error", "DELETE", FROM_ENGINE, "ESP", errno=3, reserved=diagnostic)
    current = b.current(allocations=0)
    shown = [*b.ends(), *natted, *tunnel4, ike, *b.keys(), *b.identities(), *labels(b, 0x91)]
    record = [kernel_flags, current, *limits(b), *shown, pair(b, PAIRED_SPI), replay(b, 0x31, wide=False)]
    yield b.message("get_reply", "GET", FROM_ENGINE, "ESP", record)
    yield b.message("dump_record", "DUMP", FROM_ENGINE, "ESP", record)
    natted6 = natt(b, "2001:db8:a1a2::b1b2", "2001:db8:c1c2::d1d2", (0xE1E2, 0xF1F2))
    record6 = [ah, current, *limits(b, 0x14, 0x44), *b.ends(A6, B6), *natted6, *tunnel6, b.key("AUTH", 160, 0x71)]
    yield b.message("dump_record_v6", "DUMP", FROM_ENGINE, "AH", record6)


def _salted(b: Builder) -> Iterator[Message]:
    """A combined-mode key goes in as key, salt and IV in one count, and comes out as key with the salt behind it."""
    sa = b.sa(ramp(0x61), "none", "aes-gcm", replay=32, flags=OUTBOUND)
    for bits, first in ((128, 0x11), (256, 0x81)):
        octets = bits // 8
        key, salt, iv = ramp_bytes(first, octets), ramp_bytes(first + octets, 4), ramp_bytes(first + octets + 4, 8)
        whole: Values = {"sadb_key_bits": bits + 32 + 64, "sadb_key_reserved": 64}
        submitted = b.extension("KEY_ENCRYPT", Key(key, salt, iv), **whole)
        shown = b.extension("KEY_ENCRYPT", Key(key, salt), sadb_key_bits=bits, sadb_key_reserved=32)
        yield b.message(f"add_esp_gcm_{bits}", "ADD", TO_ENGINE, "ESP", [sa, *b.ends(), submitted])
        record = [sa, b.current(allocations=0), *b.ends(), shown]
        yield b.message(f"get_reply_gcm_{bits}", "GET", FROM_ENGINE, "ESP", record)


def _pairs(b: Builder) -> Iterator[Message]:
    inbound = b.sa(PAIRED_SPI, "sha256", "aes", replay=32, flags=INBOUND)
    paired = [inbound, *b.ends(B4, A4), *b.keys(0x21), pair(b, SPI)]
    yield b.message("add_paired", "ADD", TO_ENGINE, "ESP", paired)
    yield b.message(
        "updatepair_request", "UPDATEPAIR", TO_ENGINE, "ESP", [b.sa(SPI), *limits(b), *b.ends(), pair(b, PAIRED_SPI)]
    )
    yield b.message(
        "updatepair_reply",
        "UPDATEPAIR",
        FROM_ENGINE,
        "ESP",
        [b.sa(SPI, flags=PAIRED), *limits(b), *b.ends(), pair(b, PAIRED_SPI)],
    )
    for word in ("DELPAIR", "DELPAIR_STATE"):
        state = "ACTIVE_ELSEWHERE" if word == "DELPAIR_STATE" else "LARVAL"
        for version, ends in {"v4": b.ends(), "v6": b.ends(A6, B6)}.items():
            yield b.message(f"{word.lower()}_{version}", word, TO_ENGINE, "ESP", [b.sa(SPI, state=state), *ends])
        yield b.message(f"{word.lower()}_reply", word, FROM_ENGINE, "ESP", [b.sa(SPI, state=state), *b.ends()])


def _description(b: Builder, satype: str, kind: int, number: int, bits: tuple[int, int], salt: int = 0) -> Values:
    values = {"satype": b.satype(satype), "algtype": kind, "alg": number, "saltbits": salt}
    values |= {"minbits": bits[0], "maxbits": bits[1]}
    return {f"sadb_x_algdesc_{name}": value for name, value in values.items()}


def extended(b: Builder, count: int, replay_window: int) -> Extension:
    """Combinations that name an algorithm for each SA type they need: none, one and three of them."""
    auth, crypt = b.table.number("SADB_X_ALGTYPE_AUTH"), b.table.number("SADB_X_ALGTYPE_CRYPT")
    ah = _description(b, "AH", auth, b.auth("sha256"), (0x0100, 0x0100))
    cipher = _description(b, "ESP", crypt, b.encrypt("aes"), (0x0080, 0x0100))
    gcm = _description(b, "ESP", crypt, b.encrypt("aes-gcm"), (0x0080, 0x0100), salt=0x20)
    esp_auth = _description(b, "ESP", auth, b.auth("sha1"), (0x00A0, 0x00A0))
    rows: list[tuple[Values, tuple[Values, ...]]] = []
    for i, algorithms in enumerate([(ah, cipher, esp_auth), (gcm,), ()][:count]):
        limit = {f"sadb_x_ecomb_{name}": value for name, value in limit_values(0x11 + 8 * i).items()}
        rows.append((limit | {"sadb_x_ecomb_flags": 0}, algorithms))
    tail = ExtendedCombinations(tuple(rows))
    return b.extension("EPROP", tail, sadb_prop_replay=replay_window, sadb_x_prop_numecombs=count)


def _acquire_and_expire(b: Builder) -> Iterator[Message]:
    ports = b.ends(Sockaddr(A4.address, 0xC123), Sockaddr(B4.address, 0x01BB), proto=6)
    tunnel = inner(b, NET6A, 64, NET6B, 60)
    offer = b.combinations(3)
    offer[0]["sadb_x_comb_encrypt_saltbits"] = 0x20
    yield b.message("acquire_v4", "ACQUIRE", FROM_ENGINE, "ESP", [*ports, *b.identities(), b.proposal(offer)], pid=0)
    yield b.message(
        "acquire_v6", "ACQUIRE", FROM_ENGINE, "AH", [*b.ends(A6, B6), *tunnel, b.proposal(b.combinations(1))], pid=0
    )
    told = [*ports, cookie(b, "KINK", ramp(0x51, 8)), extended(b, 2, 64)]
    yield b.message("acquire_extended", "ACQUIRE", FROM_ENGINE, "UNSPEC", told, pid=0)
    yield b.message("acquire_failure", "ACQUIRE", TO_ENGINE, "ESP", errno=145)
    yield b.message("acquire_three_extended", "ACQUIRE", CODEC, "UNSPEC", [*b.ends(A6, B6), extended(b, 3, 32)])
    yield b.message("acquire_no_extended", "ACQUIRE", CODEC, "UNSPEC", [*b.ends(), extended(b, 0, 0)])
    yield b.message("inverse_acquire_request", "X_INVERSE_ACQUIRE", TO_ENGINE, "UNSPEC", [*b.ends(A6, B6), *tunnel])
    answer = [*b.ends(A6, B6), *tunnel, extended(b, 1, 32)]
    yield b.message("inverse_acquire_reply", "X_INVERSE_ACQUIRE", FROM_ENGINE, "UNSPEC", answer)
    for word, state in {"SOFT": "DYING", "HARD": "DEAD"}.items():
        sa = b.sa(SPI, "sha256", "aes", replay=32, state=state, flags=OUTBOUND)
        limit = b.limit(word, 0x11 if word == "SOFT" else 0x31, allocations=False)
        expired = [sa, b.current(allocations=0), limit, *b.ends()]
        yield b.message(f"expire_{word.lower()}", "EXPIRE", FROM_ENGINE, "ESP", expired, pid=0)


def _control(b: Builder) -> Iterator[Message]:
    for satype in ("AH", "ESP"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", TO_ENGINE, satype)
    for satype in ("RSVP", "OSPFV2", "RIPV2", "MIP"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", CODEC, satype)
    numbers = {word: b.satype(word) for word in ("AH", "ESP", "TCPSIG", "RSVP", "OSPFV2")}
    for name, words, direction in (
        ("two", ("ESP", "AH"), TO_ENGINE),
        ("four", ("ESP", "AH", "TCPSIG", "RSVP"), CODEC),
        ("five", tuple(numbers), CODEC),
    ):
        listed = tuple(numbers[word] for word in words)
        wanted = b.extension("EREG", SATypes(listed), sadb_x_ereg_satypes=bytes(listed[:4]))
        yield b.message(f"register_extended_{name}", "REGISTER", direction, "UNSPEC", [wanted])
    stepped = [row | {"sadb_x_alg_increment": 8 * (i + 1)} for i, row in enumerate(supported_encrypt(b.table))]
    salted = [row | {"sadb_x_alg_saltbits": 32} if row["sadb_alg_id"] > 13 else row for row in stepped]
    algorithms = [b.supported("AUTH", supported_auth(b.table)), b.supported("ENCRYPT", salted)]
    yield b.message("register_reply_esp", "REGISTER", FROM_ENGINE, "ESP", algorithms)
    yield b.message("register_reply_ah", "REGISTER", FROM_ENGINE, "AH", algorithms[:1])
    yield b.message("flush_request", "FLUSH", TO_ENGINE, "UNSPEC")
    yield b.message("flush_reply", "FLUSH", FROM_ENGINE, "UNSPEC")
    yield b.message("dump_request", "DUMP", TO_ENGINE, "UNSPEC")
    for first in (0x11, 0x81):
        idle = b.extension("EDUMP", sadb_x_edump_timeout=ramp(first, 8))
        yield b.message(f"dump_request_idle_{first:02x}", "DUMP", TO_ENGINE, "ESP", [idle])
    yield b.message("dump_terminator", "DUMP", FROM_ENGINE, "UNSPEC", seq=0)
    yield b.message("promisc_on", "X_PROMISC", TO_ENGINE, 1)
    yield b.message("promisc_off_reply", "X_PROMISC", FROM_ENGINE, 0)
    unlabeled = b.table.number("SADB_X_SENS_UNLABELED")
    flags: Values = {"sadb_x_sens_flags": unlabeled | 0x0102_0300}
    yield b.message(
        "codec_sensitivity_flags", "GET", CODEC, "ESP", [b.sensitivity(ramp(5), (1, 2), Bitmaps(), **flags)]
    )


def _tcp_signature(b: Builder) -> Iterator[Message]:
    """The algorithm's number was never seen in a header, so none is set and no engine is said to take these."""
    for name, password, ends in (
        ("short", b"bgp-secret", b.ends(A4, B4, proto=6)),
        ("long", ramp_bytes(0x21, 80), b.ends(A6, B6, proto=6)),
    ):
        key = b.extension("STR_AUTH", Key(password), sadb_key_bits=8 * len(password))
        yield b.message(f"codec_tcp_signature_{name}", "ADD", CODEC, "TCPSIG", [b.sa(0), *ends, key])
