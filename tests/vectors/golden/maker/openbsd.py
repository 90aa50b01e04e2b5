"""OpenBSD: flows instead of policies, a second association, and many small extensions of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maker.algorithms import supported_auth, supported_compress, supported_encrypt
from maker.builder import A4, A6, B4, B6, C4, C6, Builder, ramp, ramp_bytes
from maker.messages import CODEC, FROM_ENGINE, TO_ENGINE, Extension, Message
from maker.tails import Data, Sockaddr, Text, Values

SPI, SPI2 = ramp(0x21), ramp(0xC1)
TUNNEL, UDPENCAP, ESN = 0x0004, 0x0200, 0x0400
FLOW4 = ("10.1.2.0", "255.255.255.0", "172.16.48.0", "255.255.240.0")
FLOW6 = ("2001:db8:4142::", "ffff:ffff:ffff::", "2001:db8:5152::", "ffff:ffff:ffff:fff0::")


def messages(b: Builder) -> Iterator[Message]:
    yield from _associations(b)
    yield from _association_events(b)
    yield from _control(b)
    yield from _flows(b)
    yield from _groups(b)
    yield from _without_structure(b)


def ascending(b: Builder, extensions: Sequence[Extension]) -> list[Extension]:
    """The order in which the socket writes."""
    return sorted(extensions, key=lambda extension: b.table.extension_types[extension.symbol])


def protocol(b: Builder, word: str, proto: int, direction: int = 0, flags: int = 0) -> Extension:
    values: Values = {"sadb_protocol_proto": proto, "sadb_protocol_direction": direction, "sadb_protocol_flags": flags}
    return b.extension(word, **values)


def flow(b: Builder, ends: tuple[str, str, str, str], kind: str, direction: int, transport: int = 0) -> list[Extension]:
    """Addresses and masks as sockaddrs; with a transport protocol come ports, which count where their mask has bits."""
    port = (0x1F92, 0xFFFF, 0x01BB, 0xFFFF) if transport else (0, 0, 0, 0)
    words = ("SRC_FLOW", "SRC_MASK", "DST_FLOW", "DST_MASK")
    number = b.table.number(f"SADB_X_FLOW_TYPE_{kind}")
    return [
        protocol(b, "FLOW_TYPE", number, direction, b.table.number("SADB_X_POLICYFLAGS_POLICY")),
        *(b.address(word, Sockaddr(end, at)) for word, end, at in zip(words, ends, port, strict=True)),
        *([protocol(b, "PROTOCOL", transport)] if transport else []),
    ]


def small(b: Builder, first: int, tag: str) -> list[Extension]:
    """What only OpenBSD says of an association."""
    return [
        b.extension("UDPENCAP", sadb_x_udpencap_port=ramp(first, 2)),
        b.extension("TAG", Text(tag), sadb_x_tag_taglen=len(tag) + 1),
        b.extension("TAP", sadb_x_tap_unit=ramp(first + 2)),
        b.extension("RDOMAIN", sadb_x_rdomain_dom1=ramp(first + 6, 2), sadb_x_rdomain_dom2=ramp(first + 8, 2)),
        b.extension("IFACE", sadb_x_iface_unit=ramp(first + 10), sadb_x_iface_direction=1 + first % 2),
    ]


def counters(b: Builder, first: int) -> list[Extension]:
    names = ("ipackets", "opackets", "ibytes", "obytes", "idrops", "odrops", "idecompbytes", "ouncompbytes")
    values: Values = {f"sadb_x_counter_{name}": ramp(first + 4 * i, 8) for i, name in enumerate(names)}
    return [
        b.extension("COUNTER", **values),
        b.extension("REPLAY", sadb_x_replay_count=ramp(first + 0x30, 8)),
    ]


def _associations(b: Builder) -> Iterator[Message]:
    esp = b.sa(SPI, "sha256", "aes", replay=64, flags=TUNNEL | UDPENCAP | ESN)
    ah = b.sa(ramp(0x31), "sha1", replay=17)
    inner4, inner6 = flow(b, FLOW4, "REQUIRE", 2, transport=6), flow(b, FLOW6, "USE", 1)
    first, second = small(b, 0x11, "vpn-office"), small(b, 0x82, "roadwarriors-eu")
    yield b.message("getspi_request", "GETSPI", TO_ENGINE, "ESP", [*b.ends(), b.spirange(ramp(0x11), ramp(0x51))])
    yield b.message("getspi_reply", "GETSPI", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends()])
    request = [esp, *b.limits(), *b.ends(), *b.keys(), *b.identities(), *inner4, *first, *counters(b, 0x21)]
    yield b.message("add_esp_v4", "ADD", TO_ENGINE, "ESP", request)
    reply = [esp, *b.limits(), *b.ends(), *b.identities(), *inner4, *first]
    yield b.message("add_esp_v4_reply", "ADD", FROM_ENGINE, "ESP", ascending(b, reply))
    yield b.message(
        "add_ah_v6",
        "ADD",
        TO_ENGINE,
        "AH",
        [
            ah,
            b.current(),
            *b.ends(A6, B6),
            b.key("AUTH", 160, 0x71),
            b.lifetime("LIFETIME_LASTUSE", 0, 0, 0, ramp(0x61)),
        ],
    )
    ipcomp = b.sa(0xABCD, encrypt=b.table.number("SADB_X_CALG_DEFLATE"))
    yield b.message("add_ipcomp", "ADD", TO_ENGINE, "IPCOMP", [ipcomp, *b.ends()])
    yield b.message("add_ipip", "ADD", TO_ENGINE, "IPIP", [b.sa(ramp(0x0A, 2)), *b.ends()])
    update = [esp, *b.limits(0x12, 0x42), *b.ends(A6, B6), b.address("PROXY", C6), *inner6, *second, *counters(b, 0x61)]
    yield b.message("update_esp_v6", "UPDATE", TO_ENGINE, "ESP", update)
    updated = [esp, *b.limits(0x12, 0x42), *b.ends(A6, B6), b.address("PROXY", C6), *inner6, *second]
    yield b.message("update_esp_v6_reply", "UPDATE", FROM_ENGINE, "ESP", ascending(b, updated))
    where = b.extension("RDOMAIN", sadb_x_rdomain_dom1=0x0102, sadb_x_rdomain_dom2=0x0304)
    for word in ("DELETE", "GET"):
        yield b.message(f"{word.lower()}_request", word, TO_ENGINE, "ESP", [b.spi_only(SPI), *b.ends(), where])
    yield b.message("delete_reply", "DELETE", FROM_ENGINE, "ESP", [b.spi_only(SPI), *b.ends(), where])
    yield b.message("delete_error", "DELETE", FROM_ENGINE, "ESP", errno=3)
    last_use = b.lifetime("LIFETIME_LASTUSE", 0, 0, 0, 0x6553_F3C5)
    mtu = b.extension("MTU", sadb_x_mtu_mtu=ramp(0x05))
    full = [esp, b.current(), *b.limits(), *b.ends(), *b.keys(), *b.identities(), *inner4, last_use, mtu]
    full += [*first, *counters(b, 0x41)]
    yield b.message("get_reply", "GET", FROM_ENGINE, "ESP", ascending(b, full))
    yield b.message("sysctl_dump_record", "DUMP", FROM_ENGINE, "ESP", full, seq=0, pid=0)
    second_sa = [b.sa(SPI2, "sha1", word="SA2"), b.address("DST2", C6), protocol(b, "SATYPE2", b.satype("AH"))]
    bundle = [ah, b.current(0x25), *b.ends(A6, B6), b.key("AUTH", 160, 0x71), *second_sa]
    bundle += [b.extension("MTU", sadb_x_mtu_mtu=1428), *second, *counters(b, 0x51)]
    yield b.message("sysctl_dump_record_bundle", "DUMP", FROM_ENGINE, "AH", bundle, seq=0, pid=0)


def _association_events(b: Builder) -> Iterator[Message]:
    for version, ends in {"v4": b.ends(), "v6": b.ends(A6, B6)}.items():
        offer = b.proposal(b.combinations(1), replay=64, sadb_prop_num=1)
        yield b.message(
            f"acquire_{version}", "ACQUIRE", FROM_ENGINE, "ESP", ascending(b, [*ends, *b.identities(), offer]), pid=0
        )
    yield b.message("acquire_from_application", "ACQUIRE", TO_ENGINE, "AH", [*b.ends(), b.proposal(b.combinations(1))])
    yield b.message("acquire_failure", "ACQUIRE", TO_ENGINE, "ESP", errno=60)
    numbered = b.proposal(b.combinations(3), replay=0x29, sadb_prop_num=0x3A)
    yield b.message("acquire_three_combinations", "ACQUIRE", CODEC, "ESP", [*b.ends(), numbered])
    sa = b.sa(SPI, "sha256", "aes", replay=64, flags=TUNNEL)
    for word, first in {"SOFT": 0x11, "HARD": 0x31}.items():
        expired = [sa, b.current(), b.limit(word, first), *b.ends()]
        yield b.message(f"expire_{word.lower()}", "EXPIRE", FROM_ENGINE, "ESP", expired, pid=0)


def _control(b: Builder) -> Iterator[Message]:
    for satype in ("AH", "ESP", "IPCOMP"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", TO_ENGINE, satype)
    for satype in ("RSVP", "OSPFV2", "RIPV2", "MIP", "IPIP", "TCPSIGNATURE"):
        yield b.message(f"register_request_{satype.lower()}", "REGISTER", CODEC, satype)
    algorithms = [
        b.supported("AUTH", supported_auth(b.table)),
        b.supported("ENCRYPT", supported_encrypt(b.table)),
        b.extension("SUPPORTED_COMP", b.supported("AUTH", supported_compress(b.table)).tail),
    ]
    yield b.message("register_reply", "REGISTER", FROM_ENGINE, "ESP", algorithms)
    deflate = b.extension("SUPPORTED_COMP", b.supported("AUTH", supported_compress(b.table)[1:]).tail)
    yield b.message("register_reply_one_each", "REGISTER", FROM_ENGINE, "IPCOMP", [*_first_of_each(b), deflate])
    yield b.message("flush_request", "FLUSH", TO_ENGINE, "UNSPEC")
    yield b.message("flush_reply", "FLUSH", FROM_ENGINE, "UNSPEC")
    yield b.message("dump_request", "DUMP", TO_ENGINE, "ESP")
    copied = b.message("copied_flush", "FLUSH", TO_ENGINE, "AH")
    yield b.message("promisc_on", "X_PROMISC", TO_ENGINE, 1)
    yield b.message("promisc_off_reply", "X_PROMISC", FROM_ENGINE, 0)
    yield b.message("promisc_data_copy", "X_PROMISC", FROM_ENGINE, 0, payload=copied, seq=copied.header["sadb_msg_pid"])
    yield b.message("promisc_data_to_all", "X_PROMISC", TO_ENGINE, 0, payload=copied, seq=0)


def _first_of_each(b: Builder) -> list[Extension]:
    return [
        b.supported("AUTH", supported_auth(b.table)[:1]),
        b.supported("ENCRYPT", supported_encrypt(b.table)[:1]),
    ]


def _flows(b: Builder) -> Iterator[Message]:
    ends = [b.address("SRC", A4), b.address("DST", B4)]
    where = b.extension("RDOMAIN", sadb_x_rdomain_dom1=0x0A0B, sadb_x_rdomain_dom2=0)
    flow4, flow6 = flow(b, FLOW4, "REQUIRE", 2, transport=17), flow(b, FLOW6, "DENY", 1)
    for word in ("ADDFLOW", "DELFLOW"):
        peers = [*ends, *b.identities()] if word == "ADDFLOW" else []
        for version, extensions in {"v4": [*peers, *flow4], "v6": [*flow6, where]}.items():
            name = f"{word.lower()}_{version}"
            yield b.message(f"{name}_request", word, TO_ENGINE, "ESP", extensions)
            yield b.message(f"{name}_reply", word, FROM_ENGINE, "ESP", ascending(b, extensions))
    for kind in ("USE", "ACQUIRE", "BYPASS", "DONTACQ"):
        extensions = flow(b, FLOW4, kind, 1)
        yield b.message(f"addflow_{kind.lower()}", "ADDFLOW", TO_ENGINE, "AH", [*ends, *extensions])
    yield b.message("spddump_request", "SPDDUMP", TO_ENGINE, "UNSPEC")
    yield b.message(
        "sysctl_spddump_record_v4", "SPDDUMP", FROM_ENGINE, "ESP", [*ends, *flow4, *b.identities()], seq=0, pid=0
    )
    yield b.message(
        "sysctl_spddump_record_v6", "SPDDUMP", FROM_ENGINE, "IPCOMP", [*b.ends(A6, B6), *flow6], seq=0, pid=0
    )
    asked = b.extension("POLICY", sadb_x_policy_seq=ramp(0x51))
    told = b.extension("POLICY", sadb_x_policy_seq=ramp(0x61))
    words = ("SRC_FLOW", "SRC_MASK", "DST_FLOW", "DST_MASK")
    shape = [b.address(word, Sockaddr(end)) for word, end in zip(words, FLOW4, strict=True)]
    yield b.message("askpolicy_request", "ASKPOLICY", TO_ENGINE, "UNSPEC", [asked])
    transport = protocol(b, "FLOW_TYPE", 17)
    yield b.message("askpolicy_reply", "ASKPOLICY", FROM_ENGINE, "UNSPEC", ascending(b, [*shape, transport, told]))


def _groups(b: Builder) -> Iterator[Message]:
    where = b.extension("RDOMAIN", sadb_x_rdomain_dom1=0x0C0D, sadb_x_rdomain_dom2=0x0E0F)
    for version, dst, dst2, kind in (("v4", B4, C4, "AH"), ("v6", B6, C6, "IPCOMP")):
        group = [
            b.sa(SPI, "sha256", "aes", replay=64, flags=TUNNEL),
            b.address("DST", dst),
            b.sa(SPI2, "sha1", replay=32, word="SA2"),
            b.address("DST2", dst2),
            protocol(b, "SATYPE2", b.satype(kind)),
        ]
        yield b.message(f"grpspis_request_{version}", "GRPSPIS", TO_ENGINE, "ESP", [*group, where])
        yield b.message(f"grpspis_reply_{version}", "GRPSPIS", FROM_ENGINE, "ESP", ascending(b, [*group, where]))


def _without_structure(b: Builder) -> Iterator[Message]:
    """Numbers that the header still names and the kernel refuses: opaque bytes, at least the four of R-2.3-10."""
    words = ("LOCAL_CREDENTIALS", "REMOTE_CREDENTIALS", "LOCAL_AUTH", "REMOTE_AUTH")
    for size, first in ((4, 0x21), (20, 0x81)):
        gone = [b.extension(word, Data(ramp_bytes(first + i, size))) for i, word in enumerate(words)]
        yield b.message(f"codec_numbers_without_structure_{size}", "GET", CODEC, "ESP", gone)
