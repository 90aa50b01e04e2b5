"""Linux: full state messages with keys, KAME policies with 16-byte requests, NAT-T, contexts, filters, migration."""

from __future__ import annotations

from collections.abc import Iterator

from maker import policies
from maker.algorithms import supported_auth, supported_encrypt
from maker.builder import A4, A6, B4, B6, C4, C6, NET4A, NET4B, NET6A, NET6B, Builder, ramp, ramp_bytes
from maker.messages import CODEC, FROM_ENGINE, TO_ENGINE, Extension, Message
from maker.tails import AddressPair, Bitmaps, Data, Request, Sockaddr, Values

SPI = ramp(0x21)
NOPMTUDISC, NOECN = 0x2000_0000, 0x8000_0000
CONTEXT = b"system_u:object_r:ipsec_spd_t:s0\0"


def messages(b: Builder) -> Iterator[Message]:
    yield from _associations(b)
    yield from _association_events(b)
    yield from _control(b)
    yield from _policies(b)
    yield from _policy_commands(b)
    yield from _migration(b)


def _context(b: Builder, label: bytes, alg: int = 1, doi: int = 1) -> Extension:
    return b.extension(
        "SEC_CTX", Data(label, "label"), sadb_x_ctx_alg=alg, sadb_x_ctx_doi=doi, sadb_x_ctx_len=len(label)
    )


def _state(b: Builder, sa: Extension, ends: list[Extension], *rest: Extension) -> list[Extension]:
    """The order in which the kernel writes a state."""
    return [sa, *b.limits(), b.current(), *ends, *rest]


def _associations(b: Builder) -> Iterator[Message]:
    esp = b.sa(SPI, "sha256", "aes", replay=32, flags=NOECN | NOPMTUDISC)
    ah = b.sa(ramp(0x31), "sha1", replay=17)
    any4 = b.address("PROXY", Sockaddr("0.0.0.0"), 255, 0)
    tunnel = b.sa2("TUNNEL", ramp(0x71))
    natt = b.natt(2, 0x1194, 0x1F95)
    proxy = b.address("PROXY", NET4A, 0, 24)
    request = [esp, *b.limits(), *b.ends(), proxy, *b.keys(), tunnel]
    larval = [b.sa(SPI, state="LARVAL"), b.lifetime("HARD", 0, 0, 30, 0), b.lifetime("SOFT", 0, 0, 0, 0)]
    larval += [b.lifetime("CURRENT", 0, 0, 0x6553_F1A2, 0), *b.ends(), b.sa2("TRANSPORT", ramp(0x41))]
    yield b.message(
        "getspi_request_v4", "GETSPI", TO_ENGINE, "ESP", [*b.ends(), b.spirange(ramp(0x11), ramp(0x51)), tunnel]
    )
    yield b.message("getspi_reply_v4", "GETSPI", FROM_ENGINE, "ESP", larval)
    yield b.message("getspi_request_v6_without_range", "GETSPI", TO_ENGINE, "AH", b.ends(A6, B6))
    yield b.message(
        "add_esp_tunnel_natt",
        "ADD",
        TO_ENGINE,
        "ESP",
        [*request, *natt, b.address("NAT_T_OA", C4, 0, 32), _context(b, CONTEXT)],
    )
    yield b.message(
        "add_esp_tunnel_natt_broadcast",
        "ADD",
        FROM_ENGINE,
        "ESP",
        _state(b, esp, b.ends(), any4, *b.keys(), tunnel, *natt, _context(b, CONTEXT)),
    )
    yield b.message(
        "add_esp_natt_non_ike_v6",
        "ADD",
        TO_ENGINE,
        "ESP",
        [esp, *b.ends(A6, B6), *b.keys(0x71), *b.natt(1, 0x0102, 0xF1F2), b.address("NAT_T_OA", C6, 0, 128)],
    )
    yield b.message(
        "add_esp_null_with_empty_key",
        "ADD",
        TO_ENGINE,
        "ESP",
        [b.sa(ramp(0x41), "md5", "null"), *b.ends(), b.key("AUTH", 128, 0x51), b.key("ENCRYPT", 0, 0)],
    )
    yield b.message(
        "add_ah_v6_with_labels",
        "ADD",
        TO_ENGINE,
        "AH",
        [
            ah,
            *b.ends(A6, B6),
            b.key("AUTH", 160, 0x71),
            *b.identities(),
            b.sensitivity(ramp(0x8B), (3, 5), Bitmaps((ramp(0x71, 8),), ())),
            b.kmprivate(ramp_bytes(0x41, 8)),
            b.sa2("TRANSPORT", ramp(0x42)),
        ],
    )
    ipcomp = b.sa(0xABCD, encrypt=b.table.number("SADB_X_CALG_DEFLATE"))
    yield b.message("add_ipcomp", "ADD", TO_ENGINE, "IPCOMP", [ipcomp, *b.ends(), b.sa2("BEET", 0x0506)])
    aes_ctr = b.sa(ramp(0x61), "sha1", "aes-ctr", replay=4, flags=1)
    yield b.message(
        "update_esp_aes_ctr",
        "UPDATE",
        TO_ENGINE,
        "ESP",
        [aes_ctr, b.current(), *b.limits(0x12, 0x42), *b.ends(), b.key("AUTH", 160, 0x11), b.key("ENCRYPT", 160, 0x31)],
    )
    dead = b.sa(SPI, "sha256", "aes", replay=32, state="DEAD", flags=NOECN)
    yield b.message("update_broadcast", "UPDATE", FROM_ENGINE, "ESP", _state(b, dead, b.ends(), *b.keys(), tunnel))
    yield b.message("delete_request", "DELETE", TO_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    yield b.message("delete_broadcast", "DELETE", FROM_ENGINE, "ESP", _state(b, dead, b.ends(), *b.keys(), tunnel))
    yield b.message("get_request_v6", "GET", TO_ENGINE, "AH", [b.spi_only(ramp(0x31)), *b.ends(A6, B6)])
    ah_state = _state(b, ah, b.ends(A6, B6), b.key("AUTH", 160, 0x71), b.sa2("TRANSPORT", ramp(0x42)))
    yield b.message("get_reply_v6", "GET", FROM_ENGINE, "AH", ah_state)
    yield b.message("get_error", "GET", FROM_ENGINE, "AH", errno=3)
    yield b.message("dump_record", "DUMP", FROM_ENGINE, "ESP", _state(b, esp, b.ends(), any4, *b.keys(), tunnel, *natt))
    aead = _state(b, b.sa(ramp(0x91), replay=32), b.ends(A6, B6), b.sa2("TUNNEL", 0x0102_0304))
    yield b.message("dump_record_aead_without_keys", "DUMP", FROM_ENGINE, "ESP", aead)
    yield b.message("dump_last_record", "DUMP", FROM_ENGINE, "AH", ah_state, seq=0)


def _association_events(b: Builder) -> Iterator[Message]:
    wanted = b.policy("IPSEC", "OUTBOUND", number=0x1A2B_3C29, priority=ramp(0x51))
    offers = {"v4": b.combinations(3), "v6": b.combinations(1)}
    for (version, offer), ends in zip(offers.items(), (b.ends(), b.ends(A6, B6)), strict=True):
        extensions = [*ends, wanted, b.proposal(offer), _context(b, CONTEXT[:-1])]
        yield b.message(f"acquire_{version}", "ACQUIRE", FROM_ENGINE, "ESP", extensions, pid=0)
    yield b.message("acquire_empty_proposal", "ACQUIRE", FROM_ENGINE, "ESP", [*b.ends(), wanted, b.proposal([])], pid=0)
    yield b.message("acquire_failure", "ACQUIRE", TO_ENGINE, "ESP", errno=110)
    soft = b.sa(SPI, "sha256", "aes", replay=32, state="DYING")
    hard = b.sa(ramp(0x31), "sha1", replay=17, state="DEAD")
    yield b.message(
        "expire_soft",
        "EXPIRE",
        FROM_ENGINE,
        "ESP",
        [soft, b.limit("SOFT", 0x11), b.current(), *b.ends(), b.sa2("TUNNEL", ramp(0x71)), *b.natt(2, 0x1194, 0x1F95)],
        seq=0,
        pid=0,
    )
    yield b.message(
        "expire_hard_v6",
        "EXPIRE",
        FROM_ENGINE,
        "AH",
        [hard, b.limit("HARD", 0x31), b.current(0x25), *b.ends(A6, B6), b.sa2("TRANSPORT", ramp(0x42))],
        seq=0,
        pid=0,
    )
    ports = {"NAT_T_SPORT": 0x1194, "NAT_T_DPORT": 0xC3D4}
    sport, dport = (b.extension(word, sadb_x_nat_t_port_port=port) for word, port in ports.items())
    yield b.message(
        "new_mapping",
        "NAT_T_NEW_MAPPING",
        FROM_ENGINE,
        "ESP",
        [b.spi_only(SPI), b.address("SRC", A4), sport, b.address("DST", C4), dport],
        pid=0,
    )


def _control(b: Builder) -> Iterator[Message]:
    for satype in ("UNSPEC", "AH", "ESP", "RSVP", "OSPFV2", "RIPV2", "MIP", "IPCOMP"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", TO_ENGINE, satype)
    algorithms = [b.supported("AUTH", supported_auth(b.table)), b.supported("ENCRYPT", supported_encrypt(b.table))]
    yield b.message("register_reply_esp", "REGISTER", FROM_ENGINE, "ESP", algorithms)
    yield b.message("flush_request", "FLUSH", TO_ENGINE, "IPCOMP")
    yield b.message("flush_broadcast", "FLUSH", FROM_ENGINE, "IPCOMP")
    for version, (family, src, dst, lengths) in {
        "v4": ("ipv4", ramp_bytes(0x0A, 4), ramp_bytes(0xC0, 4), (24, 32)),
        "v6": ("ipv6", ramp_bytes(0x20, 16), ramp_bytes(0x80, 16), (64, 127)),
    }.items():
        found = b.extension(
            "FILTER",
            sadb_x_filter_saddr=src,
            sadb_x_filter_daddr=dst,
            sadb_x_filter_family=b.table.families[family],
            sadb_x_filter_splen=lengths[0],
            sadb_x_filter_dplen=lengths[1],
        )
        yield b.message(f"dump_request_filtered_{version}", "DUMP", TO_ENGINE, "UNSPEC", [found])
    yield b.message("dump_request", "DUMP", TO_ENGINE, "ESP")
    yield b.message("dump_empty", "DUMP", FROM_ENGINE, "ESP", errno=2)
    yield b.message("promisc_on", "X_PROMISC", TO_ENGINE, 1)
    yield b.message("promisc_off_reply", "X_PROMISC", FROM_ENGINE, 0)
    yield b.message("pchange", "X_PCHANGE", CODEC, "ESP", [*b.ends(), *b.identities(), b.proposal(b.combinations(3))])


def _policies(b: Builder) -> Iterator[Message]:
    """Every kind of policy as it is added, and as the kernel would show those that it takes."""
    index = {"INBOUND": 0, "OUTBOUND": 1, "FWD": 2}
    for name, kind, direction, requests, taken in policies.cases(b):
        six = any(request.src and request.src.family == "ipv6" for request in requests)
        wanted = b.policy(kind, direction, requests, priority=ramp(0x61))
        nets = b.selector(NET6A, 64, NET6B, 63, 58) if six else b.selector(NET4A, 24, NET4B, 20)
        extensions = [*nets, wanted, *b.limits(), _context(b, CONTEXT)] if name == "tunnel_v4" else [*nets, wanted]
        yield b.message(f"spdadd_{name}", "SPDADD", TO_ENGINE if taken else CODEC, 0, extensions)
        if taken and name in ("transport", "tunnel_v4", "three_v6", "forward", "discard"):
            shown = b.policy(kind, direction, _as_shown(b, name, requests), 0x1A2B_3C28 + index[direction], priority=7)
            yield b.message(
                f"spddump_record_{name}",
                "SPDDUMP",
                FROM_ENGINE,
                0,
                [*nets, *b.limits(0x13, 0x43), b.current(), shown],
                reserved=0x0203,
            )
    for version, requests in policies.transport_with_addresses(b).items():
        carried = b.policy("IPSEC", "OUTBOUND", requests, priority=ramp(0x71))
        yield b.message(f"spdadd_transport_with_addresses_{version}", "SPDADD", CODEC, 0, [carried])
    bare = b.policy("IPSEC", "OUTBOUND", policies.request_without_addresses(b, "TUNNEL"))
    yield b.message("spdadd_tunnel_without_addresses", "SPDADD", CODEC, 0, [bare])


def _as_shown(b: Builder, name: str, requests: list[Request]) -> list[Request]:
    """The kernel shows UNIQUE for a request id, USE for an optional request, else REQUIRE: as built, but for one."""
    if name != "three_v6":
        return requests
    return [
        requests[0],
        b.request(policies.IPCOMP, "TRANSPORT", "USE"),
        b.request(policies.AH, "TUNNEL", "UNIQUE", ramp(0x21), A6, C6),
    ]


def _policy_commands(b: Builder) -> Iterator[Message]:
    ports = [
        b.address("SRC", Sockaddr(A4.address, 0x1F92), 6, 32),
        b.address("DST", Sockaddr(B4.address, 0x01BB), 6, 32),
    ]
    wanted = b.policy("IPSEC", "OUTBOUND", [b.request(policies.ESP, "TRANSPORT", "UNIQUE", 0x3ABC)])
    indexed = b.policy("DISCARD", "OUTBOUND", number=0x1A2B_3C29)
    updated = [*ports, *b.limits(), b.current(), wanted]
    yield b.message("spdupdate_request", "SPDUPDATE", TO_ENGINE, 0, [*ports, wanted, b.limit("SOFT", 0x12)])
    yield b.message("spdupdate_broadcast", "SPDUPDATE", FROM_ENGINE, 0, updated, reserved=2)
    yield b.message("spdsetidx_request", "SPDSETIDX", TO_ENGINE, 0, [*ports, wanted])
    yield b.message("spddelete_request", "SPDDELETE", TO_ENGINE, 0, [*ports, wanted])
    yield b.message("spddelete_broadcast", "SPDDELETE", FROM_ENGINE, 0, updated, reserved=2)
    yield b.message("spddelete_error", "SPDDELETE", FROM_ENGINE, 0, errno=2)
    yield b.message("spdget_request", "SPDGET", TO_ENGINE, 0, [indexed])
    yield b.message("spdget_reply", "SPDGET", FROM_ENGINE, 0, updated, reserved=3)
    yield b.message("spddelete2_request", "SPDDELETE2", TO_ENGINE, 0, [indexed])
    yield b.message("spddelete2_broadcast", "SPDDELETE2", FROM_ENGINE, 0, updated, reserved=2)
    yield b.message("spddump_request", "SPDDUMP", TO_ENGINE, 0)
    yield b.message("spdflush_request", "SPDFLUSH", TO_ENGINE, 0)
    yield b.message("spdflush_broadcast", "SPDFLUSH", FROM_ENGINE, 0)
    yield b.message("spdacquire", "SPDACQUIRE", CODEC, 0, [*ports, wanted])
    yield b.message("spdexpire", "SPDEXPIRE", CODEC, 0, [b.current(), b.limit("HARD", 0x31), *ports, wanted])


def _migration(b: Builder) -> Iterator[Message]:
    pairs4 = [(A4, B4), (A4, C4)]
    pairs6 = [(A6, B6), (C6, B6)]
    requests4 = [b.request(policies.ESP, "TUNNEL", "REQUIRE", 0x2122, *pair) for pair in pairs4]
    requests6 = [b.request(policies.AH, "TUNNEL", "REQUIRE", 0x3132, *pair) for pair in pairs6]
    for version, nets, requests, pair, direction in (
        ("v4", b.selector(NET4A, 24, NET4B, 20), requests4, AddressPair(A4, C4), TO_ENGINE),
        ("v6", b.selector(NET6A, 64, NET6B, 63), requests6, AddressPair(C6, B6), FROM_ENGINE),
    ):
        moved = [b.extension("KMADDRESS", pair), *nets, b.policy("IPSEC", "OUTBOUND", requests)]
        header: Values = {"seq": 0, "pid": 0} if direction == FROM_ENGINE else {}
        yield b.message(f"migrate_{version}", "MIGRATE", direction, 0, moved, **header)
