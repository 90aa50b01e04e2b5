"""FreeBSD, NetBSD and macOS: what their common ancestor KAME left them, and what each added."""

from __future__ import annotations

from collections.abc import Iterator

from maker import policies
from maker.algorithms import supported_auth, supported_encrypt
from maker.builder import A4, A6, B4, B6, C4, C6, NET4A, NET4B, NET6A, NET6B, Builder, ramp, ramp_bytes
from maker.messages import CODEC, FROM_ENGINE, TO_ENGINE, Extension, Message
from maker.tails import Key, Sockaddr

SPI = ramp(0x21)
CYCSEQ, PRAND = 0x0040, 0x0100
REFERENCES = 0x0203


def messages(b: Builder) -> Iterator[Message]:
    yield from _associations(b)
    yield from _association_events(b)
    yield from _control(b)
    yield from _policies(b)
    yield from _policy_commands(b)


def esp(b: Builder, replay: int = 4, flags: int = CYCSEQ | PRAND, state: str = "MATURE") -> Extension:
    """replay counts octets of bitmap here, 8 packets each."""
    return b.sa(SPI, b.digest, "aes", replay=replay, flags=flags, state=state)


def ah(b: Builder) -> Extension:
    return b.sa(ramp(0x31), "sha1", replay=17, flags=CYCSEQ)


def _dumped(b: Builder, sa: Extension, sa2: Extension, ends: list[Extension], *rest: Extension) -> list[Extension]:
    """The order in which these kernels write an association; NetBSD always says whether there is NAT-T."""
    none = [b.extension("NAT_T_TYPE")] if b.table.dialect == "netbsd" else []
    return [sa, sa2, *b.limits(), b.current(), *ends, *rest, *none]


def _associations(b: Builder) -> Iterator[Message]:
    tunnel, transport = b.sa2("TUNNEL", 0x1A2B, ramp(0x61)), b.sa2("TRANSPORT", 0x2A2C, ramp(0x71))
    request = [esp(b), tunnel, *b.ends(), *b.keys(), *b.limits(), *b.identities()]
    yield b.message(
        "getspi_request_v4", "GETSPI", TO_ENGINE, "ESP", [*b.ends(), b.spirange(ramp(0x11), ramp(0x51)), tunnel]
    )
    yield b.message("getspi_reply_v4", "GETSPI", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("getspi_request_v6", "GETSPI", TO_ENGINE, "AH", [*b.ends(A6, B6), b.spirange(0x100, ramp(0x0F))])
    yield b.message("add_esp_v4", "ADD", TO_ENGINE, "ESP", request)
    yield b.message(
        "add_esp_v4_reply", "ADD", FROM_ENGINE, "ESP", [esp(b), tunnel, *b.ends(), *b.limits(), *b.identities()]
    )
    if b.table.dialect == "macos":
        zeroed = [
            b.extension("KEY_AUTH", Key(bytes(b.digest_bits // 8)), sadb_key_bits=b.digest_bits),
            b.extension("KEY_ENCRYPT", Key(bytes(b.cipher_bits // 8)), sadb_key_bits=b.cipher_bits),
        ]
        echoed = [esp(b), tunnel, *b.ends(), *zeroed, *b.limits(), *b.identities()]
    else:
        echoed = request
    yield b.message("add_esp_v4_refused_echo", "ADD", FROM_ENGINE, "ESP", echoed, errno=17)
    yield b.message("add_ah_v6", "ADD", TO_ENGINE, "AH", [ah(b), transport, *b.ends(A6, B6), b.key("AUTH", 160, 0x71)])
    yield b.message(
        "add_esp_null_with_empty_key",
        "ADD",
        TO_ENGINE,
        "ESP",
        [b.sa(ramp(0x41), "md5", "null"), *b.ends(A6, B6), b.key("AUTH", 128, 0x51), b.key("ENCRYPT", 0, 0)],
    )
    update = [esp(b), tunnel, *b.ends(), *b.limits(0x13, 0x43)]
    yield b.message("update_lifetimes", "UPDATE", TO_ENGINE, "ESP", update)
    yield b.message("update_lifetimes_reply", "UPDATE", FROM_ENGINE, "ESP", update)
    yield b.message("delete_request", "DELETE", TO_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("delete_reply", "DELETE", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("get_request", "GET", TO_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    full = _dumped(b, esp(b), tunnel, b.ends(), *b.keys())
    yield b.message("get_reply", "GET", FROM_ENGINE, "ESP", full, reserved=REFERENCES)
    yield b.message("dump_record", "DUMP", FROM_ENGINE, "ESP", full, reserved=REFERENCES, seq=0x0102_0304)
    last = _dumped(b, ah(b), transport, b.ends(A6, B6), b.key("AUTH", 160, 0x71))
    yield b.message("dump_last_record", "DUMP", FROM_ENGINE, "AH", last, reserved=1, seq=0)
    if b.table.dialect == "macos":
        return
    ipcomp = b.sa(0xABCD, encrypt=b.table.number("SADB_X_CALG_DEFLATE"))
    yield b.message("add_ipcomp", "ADD", TO_ENGINE, "IPCOMP", [ipcomp, b.sa2("TUNNEL", 0x0506), *b.ends()])
    tcp = [b.sa(0x1000, "tcp-md5"), *b.ends(), b.key("AUTH", 104, 0x41)]
    yield b.message("add_tcp_signature", "ADD", TO_ENGINE, "TCPSIGNATURE", tcp)


def _association_events(b: Builder) -> Iterator[Message]:
    sa2 = b.sa2("TUNNEL", 0x1A2B, ramp(0x62))
    wanted = b.policy("IPSEC", "OUTBOUND", number=ramp(0x31))
    ports = b.ends(Sockaddr(A4.address, 0xC123), Sockaddr(B4.address, 0x01BB), proto=6)
    offer3, offer1 = b.proposal(b.combinations(3), replay=4), b.proposal(b.combinations(1), replay=8)
    yield b.message("acquire_v4", "ACQUIRE", FROM_ENGINE, "ESP", [*ports, wanted, sa2, offer3], pid=0)
    yield b.message("acquire_v6", "ACQUIRE", FROM_ENGINE, "ESP", [*b.ends(A6, B6), wanted, offer1], pid=0)
    yield b.message("acquire_failure", "ACQUIRE", TO_ENGINE, "ESP", errno=60)
    yield b.message("acquire_from_application", "ACQUIRE", TO_ENGINE, "ESP", [*b.ends(A6, B6), offer1])
    for word, state in {"SOFT": "DYING", "HARD": "DEAD"}.items():
        limit = b.limit(word, 0x11 if word == "SOFT" else 0x31)
        expired = [esp(b, state=state), sa2, b.current(), limit, *b.ends()]
        yield b.message(f"expire_{word.lower()}", "EXPIRE", FROM_ENGINE, "ESP", expired, pid=0, reserved=REFERENCES)


def _control(b: Builder) -> Iterator[Message]:
    for satype in ("AH", "ESP", *(("IPCOMP", "TCPSIGNATURE") if b.table.dialect != "macos" else ())):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", TO_ENGINE, satype)
    for satype in ("RSVP", "OSPFV2", "RIPV2", "MIP"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", CODEC, satype)
    algorithms = [b.supported("AUTH", supported_auth(b.table)), b.supported("ENCRYPT", supported_encrypt(b.table))]
    yield b.message("register_reply_esp", "REGISTER", FROM_ENGINE, "ESP", algorithms)
    yield b.message("register_reply_ah", "REGISTER", FROM_ENGINE, "AH", algorithms[:1])
    yield b.message("flush_request", "FLUSH", TO_ENGINE, "UNSPEC")
    yield b.message("flush_reply", "FLUSH", FROM_ENGINE, "UNSPEC")
    yield b.message("dump_request", "DUMP", TO_ENGINE, "ESP")
    yield b.message("dump_empty_echo", "DUMP", FROM_ENGINE, "ESP", errno=2)
    copied = b.message("copied_flush", "FLUSH", FROM_ENGINE, "AH")
    wraps = FROM_ENGINE if b.table.dialect == "freebsd" else CODEC
    yield b.message("promisc_on", "X_PROMISC", TO_ENGINE, 1)
    yield b.message("promisc_off_reply", "X_PROMISC", FROM_ENGINE, 0)
    yield b.message("promisc_data_copy", "X_PROMISC", wraps, 0, payload=copied, seq=0, pid=0)
    yield b.message("pchange", "X_PCHANGE", CODEC, "ESP", [*b.ends(), *b.identities(), b.proposal(b.combinations(3))])


def _last_policy_fields(b: Builder, first: int) -> dict[str, int]:
    """Offsets 7 and 12: scope and priority on FreeBSD, flags on NetBSD, nothing on macOS."""
    if b.table.dialect == "freebsd":
        return {"scope": b.table.number("IPSEC_POLICYSCOPE_GLOBAL"), "priority": ramp(first)}
    return {"flags": 0x80} if b.table.dialect == "netbsd" else {}


def _policies(b: Builder) -> Iterator[Message]:
    found = policies.cases(b)
    for version, requests in policies.transport_with_addresses(b).items():
        found.append((f"transport_with_addresses_{version}", "IPSEC", "OUTBOUND", requests, True))
    bare = policies.request_without_addresses(b, "TUNNEL")
    found.append(("tunnel_without_addresses", "IPSEC", "INBOUND", bare, False))
    for name, kind, direction, requests, taken in found:
        six = any(request.src and request.src.family == "ipv6" for request in requests)
        nets = b.selector(NET6A, 64, NET6B, 63, 58) if six else b.selector(NET4A, 24, NET4B, 20)
        priority = {"priority": ramp(0x61)} if b.table.dialect == "freebsd" else {}
        extensions = [*nets, b.policy(kind, direction, requests, **priority)]
        yield b.message(f"spdadd_{name}", "SPDADD", TO_ENGINE if taken else CODEC, 0, extensions)
        if taken and name in ("discard", "transport", "tunnel_v4", "three_v6"):
            shown = b.policy(kind, direction, requests, ramp(0x41), **_last_policy_fields(b, 0x71))
            ages = [] if b.table.dialect == "macos" else _ages(b)
            yield b.message(
                f"spddump_record_{name}", "SPDDUMP", FROM_ENGINE, 0, [*nets, shown, *ages], reserved=REFERENCES
            )


def _ages(b: Builder) -> list[Extension]:
    """A policy knows when it was made and used, and how long it may live; it counts nothing."""
    return [
        b.lifetime("CURRENT", 0, 0, 0x6553_F1A2, 0x6553_F2B4),
        b.lifetime("HARD", 0, 0, 0x0001_5180, 0x0E10),
    ]


def _policy_commands(b: Builder) -> Iterator[Message]:
    ports = b.selector(Sockaddr(A4.address, 0x1F92), 32, Sockaddr(B4.address, 0x01BB), 32, 6)
    limit = b.lifetime("HARD", 0, 0, 0x0001_5182, 0x0E11)
    requests = [b.request(policies.ESP, "TRANSPORT", "UNIQUE", 0x3ABC)]
    wanted, indexed = b.policy("IPSEC", "OUTBOUND", requests), b.policy("DISCARD", "OUTBOUND", number=ramp(0x41))
    shown = b.policy("IPSEC", "OUTBOUND", requests, ramp(0x41), **_last_policy_fields(b, 0x51))
    for word in ("SPDADD", "SPDUPDATE", "SPDSETIDX"):
        yield b.message(f"{word.lower()}_request", word, TO_ENGINE, 0, [*ports, wanted, limit])
        yield b.message(f"{word.lower()}_reply", word, FROM_ENGINE, 0, [shown, limit, *ports])
    yield b.message("spddelete_request", "SPDDELETE", TO_ENGINE, 0, [*ports, wanted])
    yield b.message("spddelete_reply", "SPDDELETE", FROM_ENGINE, 0, [wanted, *ports])
    yield b.message("spdget_request", "SPDGET", TO_ENGINE, 0, [indexed])
    yield b.message("spdget_reply", "SPDGET", FROM_ENGINE, 0, [*ports, shown], reserved=REFERENCES)
    yield b.message("spddelete2_request", "SPDDELETE2", TO_ENGINE, 0, [indexed])
    yield b.message("spddelete2_reply", "SPDDELETE2", FROM_ENGINE, 0, [indexed])
    yield b.message("spddump_request", "SPDDUMP", TO_ENGINE, 0)
    yield b.message("spddump_empty_echo", "SPDDUMP", FROM_ENGINE, 0, errno=2)
    yield b.message("spdflush_request", "SPDFLUSH", TO_ENGINE, 0)
    yield b.message("spdflush_reply", "SPDFLUSH", FROM_ENGINE, 0)
    yield b.message("spdacquire", "SPDACQUIRE", FROM_ENGINE, 0, pid=0)
    yield b.message("spdexpire", "SPDEXPIRE", FROM_ENGINE, 0, [*_ages(b), *ports, shown], pid=0)


def freebsd(b: Builder) -> Iterator[Message]:
    """NAT-T with its original addresses, replay windows in packets, moved endpoints, offload counters."""
    yield from messages(b)
    natt, sa2 = b.natt(2, 0x1194, 0x1F95), b.sa2("TUNNEL", 0x1A2B, ramp(0x63))
    original4 = [b.address("NAT_T_OAI", Sockaddr("10.1.2.3")), b.address("NAT_T_OAR", Sockaddr("10.4.5.6"))]
    original6 = [b.address("NAT_T_OAI", C6), b.address("NAT_T_OAR", A6)]
    replay = b.extension("SA_REPLAY", sadb_x_sa_replay_replay=0x1A28)
    wide = esp(b, replay=0xFF, flags=b.table.number("SADB_X_SAFLAGS_ESN"))
    frag = b.extension("NAT_T_FRAG", sadb_x_nat_t_frag_fraglen=0x0528)
    request = [wide, sa2, *b.ends(), *b.keys(), *natt, *original4, frag, replay]
    yield b.message("add_esp_natt_v4", "ADD", TO_ENGINE, "ESP", request)
    yield b.message("add_esp_natt_v4_reply", "ADD", FROM_ENGINE, "ESP", [wide, sa2, *b.ends(), *natt, *original4, frag])
    moved4 = [b.address("NEW_ADDRESS_SRC", C4), b.address("NEW_ADDRESS_DST", Sockaddr("203.0.113.99"))]
    moved6 = [b.address("NEW_ADDRESS_SRC", C6), b.address("NEW_ADDRESS_DST", NET6B)]
    yield b.message("update_moved_v4", "UPDATE", TO_ENGINE, "ESP", [esp(b), sa2, *b.ends(), *moved4])
    yield b.message("update_moved_v6", "UPDATE", TO_ENGINE, "ESP", [esp(b), sa2, *b.ends(A6, B6), *moved6])
    for name, first, interface in (("mce0", 0x21, b"mce0"), ("mlx5en12", 0x31, b"mlx5en12")):
        offload = [
            b.lifetime("LFT_CUR_SW_OFFL", ramp(first), ramp(first + 1, 8), ramp(first + 2, 4), ramp(first + 3, 4)),
            b.lifetime("LFT_CUR_HW_OFFL", ramp(first + 4), ramp(first + 5, 8), ramp(first + 6, 4), ramp(first + 7, 4)),
            b.extension("IF_HW_OFFL", sadb_x_if_hw_offl_flags=ramp(first + 8), sadb_x_if_hw_offl_if=interface),
        ]
        rest = [*b.keys(), *natt, *(original4 if name == "mce0" else original6), *offload]
        record = [wide, sa2, b.extension("SA_REPLAY", sadb_x_sa_replay_replay=0x0100 * first + 0x08)]
        record += [*b.limits(), b.current(), *b.ends(), *rest]
        yield b.message(f"dump_record_offload_{name}", "DUMP", FROM_ENGINE, "ESP", record, reserved=REFERENCES)
    fragment = b.extension("NAT_T_FRAG", sadb_x_nat_t_frag_fraglen=0xFEDC)
    yield b.message("natt_non_ike", "UPDATE", CODEC, "ESP", [*b.natt(1, 0x0102, 0xF1F2), fragment])
    scoped = b.policy(
        "IPSEC", "OUTBOUND", number=ramp(0x42), scope=b.table.number("IPSEC_POLICYSCOPE_IFNET"), priority=5
    )
    nets = b.selector(NET4A, 24, NET4B, 20)
    yield b.message("spddump_request_global_scope", "SPDDUMP", TO_ENGINE, 1)
    yield b.message("spddump_record_interface_scope", "SPDDUMP", FROM_ENGINE, 0, [*nets, scoped], reserved=1)


def netbsd(b: Builder) -> Iterator[Message]:
    """NAT-T with original addresses and fragment length; ports stand in the association's addresses too."""
    yield from messages(b)
    sa2 = b.sa2("TUNNEL", 0x1A2B, ramp(0x63))
    for version, src, dst, inner in (
        ("v4", Sockaddr(A4.address, 0x1194), Sockaddr(B4.address, 0x1F95), (C4, Sockaddr("10.4.5.6"))),
        ("v6", Sockaddr(A6.address, 0x1194), Sockaddr(B6.address, 0xC1C2), (C6, NET6A)),
    ):
        frag = b.extension("NAT_T_FRAG", sadb_x_nat_t_frag_fraglen=0x0528 if version == "v4" else 0x05A0)
        natt = b.natt(2, src.port, dst.port)
        original = [b.address("NAT_T_OAI", inner[0]), b.address("NAT_T_OAR", inner[1])]
        request = [esp(b), sa2, *b.ends(src, dst), *b.keys(), *natt, *original, frag]
        yield b.message(f"add_esp_natt_{version}", "ADD", TO_ENGINE, "ESP", request)
        record = [esp(b), sa2, *b.limits(), b.current(), *b.ends(src, dst), *b.keys(), *natt, frag]
        yield b.message(f"dump_record_natt_{version}", "DUMP", FROM_ENGINE, "ESP", record, reserved=REFERENCES)
    yield b.message("natt_non_ike", "GET", CODEC, "ESP", b.natt(1, 0x0102, 0xF1F2))
    ports = [
        b.extension(f"NAT_T_{end}PORT", sadb_x_nat_t_port_port=port) for end, port in (("S", 0x1194), ("D", 0xC3D4))
    ]
    mapping = [b.spi_only(SPI), b.address("SRC", A4), ports[0], b.address("DST", C4), ports[1]]
    yield b.message("new_mapping", "NAT_T_NEW_MAPPING", CODEC, "ESP", mapping)
    yield b.message("add_private_data", "ADD", CODEC, "AH", [ah(b), *b.ends(), b.kmprivate(ramp_bytes(0x21, 8))])
