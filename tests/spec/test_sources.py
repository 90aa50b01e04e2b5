"""Where a dialect's columns come from: golden messages, through the hot path, against what they are made of."""

from __future__ import annotations

import ipaddress
from array import array
from typing import Any

import pytest

from fastpfkey.hotpath import decode, walk
from fastpfkey.spec import DIALECTS, dialect, tables
from fastpfkey.spec.model import Choice, Source
from fastpfkey.spec.plan import ByteOrder, column_plan, frame
from fastpfkey.spec.terms import Direction, ExtensionType, Mode, NATTType, PolicyType, SAType

from .facts import Json, golden

ORDERS: tuple[ByteOrder, ...] = ("little", "big")


def columns(message: Json, name: str, byteorder: ByteOrder, table: tables.Table, *wanted: str) -> dict[str, Any]:
    """Columns of the one row that a message makes: numbers, and addresses as IPv6."""
    plan = column_plan(dialect(name), table, wanted, byteorder)
    raw = bytes.fromhex(message["hex"])
    out = [bytearray(b"\xaa" * item.width) for item in plan.columns]
    outcome = decode(raw, 0, len(raw), plan, True, out, 0, 1)
    assert (outcome.count, outcome.fault) == (1, 0)
    types = {1: "B", 2: "H", 4: "I", 8: "Q"}
    return {
        item.name: ipaddress.IPv6Address(bytes(value)) if item.width == 16 else array(types[item.width], value)[0]
        for item, value in zip(plan.columns, out, strict=True)
    }


def extension(message: Json, c_name: str) -> Json | None:
    return next((item for item in message["extensions"] if item["name"] == c_name), None)


def fields(message: Json, c_name: str, **absent: int) -> Json:
    found = extension(message, c_name)
    return absent if found is None else dict(found["fields"])


def sockaddr(message: Json, c_name: str) -> Json:
    found = extension(message, c_name)
    return {"port": 0, "address": "::", "family": None} if found is None else dict(found["tail"]["sockaddr"])


def mapped(address: str) -> ipaddress.IPv6Address:
    """An address as its column holds it."""
    return ipaddress.IPv6Address(address if ":" in address else f"::ffff:{address}")


def messages(name: str) -> pytest.MarkDecorator:
    """Parametrises a test with every golden message of a dialect."""
    cases = [
        pytest.param(message, byteorder, id=f"{message['name']}-{byteorder}")
        for byteorder in ORDERS
        for message in golden(name, byteorder)
    ]
    return pytest.mark.parametrize(("message", "byteorder"), cases)


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("name", DIALECTS)
def test_every_golden_message_is_walked(name: str, byteorder: ByteOrder) -> None:
    batch = list(golden(name, byteorder))
    raw = b"".join(bytes.fromhex(message["hex"]) for message in batch)
    offsets = array("Q", bytes(8 * len(batch)))
    outcome = walk(raw, 0, len(raw), frame(dialect(name), byteorder), True, offsets)
    assert (outcome.count, outcome.fault, outcome.next) == (len(batch), 0, len(raw))


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("name", DIALECTS)
def test_window_in_packets(name: str, byteorder: ByteOrder) -> None:
    unit = 8 if name in ("freebsd", "netbsd", "macos") else 1
    for message in golden(name, byteorder):
        window = fields(message, "SADB_EXT_SA", sadb_sa_replay=0)["sadb_sa_replay"] * unit
        window = fields(message, "SADB_X_EXT_SA_REPLAY", sadb_x_sa_replay_replay=window)["sadb_x_sa_replay_replay"]
        assert columns(message, name, byteorder, tables.ASSOCIATIONS, "replay") == {"replay": window}


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("name", DIALECTS)
def test_satype_is_canonical(name: str, byteorder: ByteOrder) -> None:
    seen = set()
    for message in golden(name, byteorder):
        number = message["header"]["sadb_msg_satype"]
        row = columns(message, name, byteorder, tables.ASSOCIATIONS, "satype")
        assert row["satype"] == dialect(name).terms["satype"].term(number)
        seen.add(row["satype"])
    assert {SAType.AH, SAType.ESP} <= seen


@messages("linux")
def test_ports_of_linux(message: Json, byteorder: ByteOrder) -> None:
    row = columns(message, "linux", byteorder, tables.ASSOCIATIONS, "natt_sport", "natt_dport", "natt_oa")
    ports = [
        fields(message, f"SADB_X_EXT_NAT_T_{end}PORT", sadb_x_nat_t_port_port=0)["sadb_x_nat_t_port_port"]
        for end in "SD"
    ]
    oa = mapped(sockaddr(message, "SADB_X_EXT_NAT_T_OA")["address"])
    assert row == {"natt_sport": ports[0], "natt_dport": ports[1], "natt_oa": oa}


@messages("macos")
def test_ports_of_macos(message: Json, byteorder: ByteOrder) -> None:
    """They stand in the longer of the two associations only."""
    association = fields(message, "SADB_EXT_SA")
    row = columns(message, "macos", byteorder, tables.ASSOCIATIONS, "natt_sport", "natt_dport")
    assert row == {
        "natt_sport": association.get("sadb_sa_natt_src_port", 0),
        "natt_dport": association.get("sadb_sa_natt_port", 0),
    }


@messages("openbsd")
def test_port_of_openbsd(message: Json, byteorder: ByteOrder) -> None:
    row = columns(message, "openbsd", byteorder, tables.ASSOCIATIONS, "natt_sport", "natt_dport")
    port = fields(message, "SADB_X_EXT_UDPENCAP", sadb_x_udpencap_port=0)["sadb_x_udpencap_port"]
    assert row == {"natt_sport": 0, "natt_dport": port}


@messages("illumos")
def test_ports_of_illumos(message: Json, byteorder: ByteOrder) -> None:
    row = columns(message, "illumos", byteorder, tables.ASSOCIATIONS, "natt_sport", "natt_dport", "natt_oa")
    local, remote = (sockaddr(message, f"SADB_X_EXT_ADDRESS_NATT_{end}") for end in ("LOC", "REM"))
    assert row == {
        "natt_sport": local["port"],
        "natt_dport": remote["port"],
        "natt_oa": mapped(remote["address"]),
    }


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize(
    ("name", "tunnel", "encapsulated"),
    [("openbsd", 0x0004, 0x0200), ("illumos", 0x00020000, 0x00180000), ("macos", None, 0x0002)],
)
def test_facts_that_are_flags(name: str, tunnel: int | None, encapsulated: int, byteorder: ByteOrder) -> None:
    """The mode and the encapsulation are a bit in the same word on systems that have no number for them."""
    seen = set()
    for message in golden(name, byteorder):
        flags = fields(message, "SADB_EXT_SA").get("sadb_sa_flags")
        row = columns(message, name, byteorder, tables.ASSOCIATIONS, "mode", "natt_type")
        if tunnel is not None:
            assert row["mode"] == (Mode.ANY if flags is None else Mode.TUNNEL if flags & tunnel else Mode.TRANSPORT)
        assert row["natt_type"] == (NATTType.ESPINUDP if flags is not None and flags & encapsulated else NATTType.NONE)
        seen.add((row["mode"], row["natt_type"]))
    assert len(seen) >= 2


def test_flags_of_a_choice_have_to_be_in_one_byte() -> None:
    """A plan reads them as one byte through a table."""
    choice = Choice(("LOW", "HIGH"), Mode.TUNNEL, Mode.TRANSPORT)
    sources = {"SATable": (Source("mode", ExtensionType.SA, "flags", choice=choice),)}
    made_up = dialect("openbsd").derive("made-up", flags={"LOW": 0x80, "HIGH": 0x100}, sources=sources)
    with pytest.raises(ValueError, match="made-up: LOW, HIGH are not in one byte"):
        column_plan(made_up, tables.ASSOCIATIONS, ["mode"])


FLOW_TYPES = {
    1: PolicyType.USE,
    2: PolicyType.ACQUIRE,
    3: PolicyType.REQUIRE,
    4: PolicyType.BYPASS,
    5: PolicyType.DISCARD,
    6: PolicyType.DONTACQ,
}


def ones(mask: str) -> int:
    """Bits of a mask that has all its ones in front."""
    return f"{int(ipaddress.ip_address(mask)):b}".count("1")


@messages("openbsd")
def test_flows_of_openbsd_are_policies(message: Json, byteorder: ByteOrder) -> None:
    """The selectors are the flow's, not the gateways; where there is no flow, there are only addresses."""
    flow = fields(message, "SADB_X_EXT_FLOW_TYPE", sadb_protocol_proto=0, sadb_protocol_direction=0)
    kind, direction = flow["sadb_protocol_proto"], flow["sadb_protocol_direction"]
    unknown = 0x8000 + kind if extension(message, "SADB_X_EXT_FLOW_TYPE") else 0
    expected: Json = {"type": FLOW_TYPES.get(kind, unknown)}
    known = {0: 0x8000 if extension(message, "SADB_X_EXT_FLOW_TYPE") else 0, 1: Direction.IN, 2: Direction.OUT}
    expected["dir"] = known.get(direction, 0x8000 + direction)
    for end in ("src", "dst"):
        selector = f"SADB_X_EXT_{end.upper()}_FLOW"
        chosen = sockaddr(message, selector if extension(message, selector) else f"SADB_EXT_ADDRESS_{end.upper()}")
        expected[end] = mapped(chosen["address"])
        expected[f"{end}_port"] = chosen["port"]
        expected[f"{end}_family"] = {"ipv4": 4, "ipv6": 6, None: 0}[chosen["family"]]
        expected[f"{end}_proto"] = fields(message, "SADB_X_EXT_PROTOCOL", sadb_protocol_proto=0)["sadb_protocol_proto"]
        mask = sockaddr(message, f"SADB_X_EXT_{end.upper()}_MASK")
        expected[f"{end}_prefixlen"] = ones(mask["address"])
    assert columns(message, "openbsd", byteorder, tables.POLICIES, *expected) == expected


@messages("openbsd")
def test_flows_do_not_change_associations(message: Json, byteorder: ByteOrder) -> None:
    row = columns(message, "openbsd", byteorder, tables.ASSOCIATIONS, "src", "dst")
    assert row == {end: mapped(sockaddr(message, f"SADB_EXT_ADDRESS_{end.upper()}")["address"]) for end in row}


def bits(*extensions: ExtensionType) -> int:
    return sum(1 << item.bit for item in extensions)


class TestPresence:
    def test_of_facts_that_every_message_has(self) -> None:
        assert tables.presence(tables.ASSOCIATIONS, dialect("linux"), "satype") is None
        assert tables.presence(tables.POLICIES, dialect("openbsd"), "present") is None

    @pytest.mark.parametrize(
        ("name", "column", "extensions"),
        [
            ("linux", "mode", (ExtensionType.SA2,)),
            ("linux", "natt_dport", (ExtensionType.NATT_DPORT,)),
            ("freebsd", "replay", (ExtensionType.SA, ExtensionType.SA_REPLAY)),
            ("netbsd", "replay", (ExtensionType.SA,)),
            ("openbsd", "natt_dport", (ExtensionType.UDPENCAP,)),
            ("openbsd", "mode", (ExtensionType.SA,)),
            ("macos", "natt_type", (ExtensionType.SA,)),
            ("macos", "natt_sport", (ExtensionType.SA,)),
            ("illumos", "natt_oa", (ExtensionType.NATT_REMOTE,)),
        ],
    )
    def test_of_what_an_extension_brings(self, name: str, column: str, extensions: tuple[ExtensionType, ...]) -> None:
        assert tables.presence(tables.ASSOCIATIONS, dialect(name), column) == bits(*extensions)

    @pytest.mark.parametrize(
        ("name", "column"),
        [
            ("rfc2367", "mode"),
            ("openbsd", "src_prefixlen"),
            ("openbsd", "src_proto"),
            ("openbsd", "natt_sport"),
            ("macos", "natt_oa"),
            ("illumos", "reqid"),
        ],
    )
    def test_of_what_a_dialect_cannot_say(self, name: str, column: str) -> None:
        assert tables.presence(tables.ASSOCIATIONS, dialect(name), column) == 0

    def test_depends_on_the_table(self) -> None:
        wanted = bits(ExtensionType.ADDRESS_SRC, ExtensionType.SRC_FLOW)
        assert tables.presence(tables.POLICIES, dialect("openbsd"), "src") == wanted
        assert tables.presence(tables.ASSOCIATIONS, dialect("openbsd"), "src") == bits(ExtensionType.ADDRESS_SRC)

    def test_prefixes_of_flows_come_from_their_masks(self) -> None:
        assert tables.presence(tables.POLICIES, dialect("openbsd"), "dst_prefixlen") == bits(ExtensionType.DST_MASK)

    def test_priority_is_unknown_to_netbsd_and_macos(self) -> None:
        known = {
            name: tables.presence(tables.POLICIES, dialect(name), "priority")
            for name in ("linux", "freebsd", "netbsd", "macos", "openbsd", "illumos")
        }
        policy = bits(ExtensionType.POLICY)
        assert known == {"linux": policy, "freebsd": policy, "netbsd": 0, "macos": 0, "openbsd": 0, "illumos": 0}


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("table", [tables.ASSOCIATIONS, tables.POLICIES, tables.REGISTRATIONS], ids=lambda t: t.name)
@pytest.mark.parametrize("name", DIALECTS)
def test_plans_hold_what_the_hot_path_can_do(name: str, table: tables.Table, byteorder: ByteOrder) -> None:
    """No shift to the right, no field wider than its column."""
    plan = column_plan(dialect(name), table, None, byteorder)
    assert all(0 <= row.shift < 8 for row in plan.rows)
    assert all(row.width <= row.column_width for row in plan.rows)
