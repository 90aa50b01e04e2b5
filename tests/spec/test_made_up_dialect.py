"""A system that never was takes data only: frame and plan come out of it, and the hot path reads its messages.

Everything is where no real system has it: numbers, fields, units, sockaddrs, families, ports, records, requests.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from fastpfkey.errors import Fault
from fastpfkey.hotpath import BACKEND, Outcome, load
from fastpfkey.hotpath.contract import HotPath
from fastpfkey.spec import rfc2367, tables
from fastpfkey.spec.layouts import layout
from fastpfkey.spec.model import Dialect, Extension, Records, Requests, Sockaddrs, Source, When
from fastpfkey.spec.plan import ByteOrder, column_plan, frame
from fastpfkey.spec.sockaddrs import SockaddrFamily, SockaddrRules
from fastpfkey.spec.term_tables import terms
from fastpfkey.spec.terms import (
    AuthAlgorithm,
    EncryptAlgorithm,
    ExtensionType,
    MessageType,
    Mode,
    PolicyType,
    SAState,
    SAType,
)

ASSOCIATION = layout(
    "atl_sa",
    "atl_sa_",
    """
    len      u16
    exttype  u16
    encrypt  u16  encrypt
    auth     u8   auth
    state    u8   state
    flags    u64
    replay   u16  <<5
    mode     u16  mode
    spi      u32
    """,
)

PORTS = layout(
    "atl_ports",
    "atl_ports_",
    """
    len      u16
    exttype  u16
    here     u16
    there    n16
    """,
)

POLICY = layout(
    "atl_policy",
    "atl_policy_",
    """
    len       u16
    exttype   u16
    id        n32
    type      u8   policy_type
    reserved  b8[7]
    """,
)

REQUEST = layout("atl_request", "atl_request_", "len u16\n proto u16\n reqid u64")

NOTES = layout("atl_notes", "atl_notes_", "len u16\n exttype u16\n count u32")

NOTE = layout("atl_note", "atl_note_", "value u64\n weight u64")

ATLANTIS = Dialect(
    name="atlantis",
    family=99,
    sockaddr=SockaddrRules(
        has_length=True,
        families=(
            SockaddrFamily(9, 4, 12, address=2, port=6),
            SockaddrFamily(77, 6, 40, address=20, port=2, scope=4),
        ),
    ),
    extensions=(
        Extension(ExtensionType.ADDRESS_SRC, "ATL_SRC", 3, (rfc2367.ADDRESS,), (Sockaddrs(),)),
        Extension(ExtensionType.ADDRESS_DST, "ATL_DST", 2, (rfc2367.ADDRESS,), (Sockaddrs(),)),
        Extension(ExtensionType.SA, "ATL_SA", 40, (ASSOCIATION,)),
        Extension(ExtensionType.NATT_TYPE, "ATL_PORTS", 41, (PORTS,)),
        Extension(ExtensionType.POLICY, "ATL_POLICY", 1, (POLICY,), (Requests(REQUEST, When("type", 7)),)),
        Extension(ExtensionType.TAG, "ATL_NOTES", 63, (NOTES,), (Records(NOTE, count="count"),), repeats=True),
    ),
    terms={
        "message": terms(MessageType, {"ATL_DUMP": (200, MessageType.DUMP)}),
        "satype": terms(SAType, {"ATL_ESP": (250, SAType.ESP)}),
        "state": terms(SAState, {"ATL_ALIVE": (4, SAState.MATURE)}),
        "auth": terms(AuthAlgorithm, {"ATL_SHA2": (17, AuthAlgorithm.SHA2_256_HMAC)}),
        "encrypt": terms(EncryptAlgorithm, {"ATL_AES": (33, EncryptAlgorithm.AES_CBC)}),
        "mode": terms(Mode, {"ATL_TUNNEL": (8, Mode.TUNNEL)}),
        "policy_type": terms(PolicyType, {"ATL_APPLY": (7, PolicyType.IPSEC)}),
    },
    flags={},
    sources={
        "SATable": (
            Source("mode", ExtensionType.SA, "mode"),
            Source("natt_sport", ExtensionType.NATT_TYPE, "here"),
            Source("natt_dport", ExtensionType.NATT_TYPE, "there"),
        )
    },
)


class Builder:
    """Bytes of Atlantis, written by hand in one byte order."""

    def __init__(self, byteorder: ByteOrder) -> None:
        self.order = "<" if byteorder == "little" else ">"

    def pack(self, codes: str, *values: Any) -> bytes:
        return struct.pack(self.order + codes, *values)

    def message(self, *extensions: bytes) -> bytes:
        body = b"".join(extensions)
        return self.pack("BBBBHHII", 2, 200, 0, 250, (16 + len(body)) // 8, 5, 6, 7) + body

    def extension(self, number: int, body: bytes) -> bytes:
        body += bytes(-(4 + len(body)) % 8)
        return self.pack("HH", (4 + len(body)) // 8, number) + body

    def association(self, encrypt: int = 33) -> bytes:
        return self.extension(40, self.pack("HBBQHHI", encrypt, 17, 4, 0x1122334455667788, 3, 8, 0xCAFE0001))

    def address(self, number: int, text: str, port: int) -> bytes:
        if ":" in text:
            sockaddr = struct.pack("BB", 40, 77) + struct.pack(">H", port) + self.pack("I", 4711)
            sockaddr += bytes(12) + IPv6Address(text).packed + bytes(4)
        else:
            sockaddr = struct.pack("BB", 12, 9) + IPv4Address(text).packed + struct.pack(">H", port) + bytes(4)
        return self.extension(number, self.pack("BBH", 17, 24, 0) + sockaddr)

    def ports(self) -> bytes:
        return self.extension(41, self.pack("H", 4500) + struct.pack(">H", 61000))

    def notes(self, count: int, records: int) -> bytes:
        return self.extension(63, self.pack("I", count) + self.pack("QQ", 1, 2) * records)

    def policy(self, kind: int, *lengths: int) -> bytes:
        """Requests of 12 bytes, or of 20 where they say that they are longer than 12."""
        requests = b"".join(self.pack("HHQ", length, 50, 1) + bytes(8 * (length > 12)) for length in lengths)
        return self.extension(1, struct.pack(">I", 0xABCD) + bytes([kind]) + bytes(7) + requests)


TWINS = sorted({"reference", BACKEND})


@pytest.fixture(params=TWINS)
def twin(request: pytest.FixtureRequest) -> HotPath:
    return load(request.param)


@pytest.fixture(params=["little", "big"])
def byteorder(request: pytest.FixtureRequest) -> ByteOrder:
    order: ByteOrder = request.param
    return order


@pytest.fixture
def build(byteorder: ByteOrder) -> Builder:
    return Builder(byteorder)


def walk(twin: HotPath, byteorder: ByteOrder, raw: bytes) -> Outcome:
    offsets = array("Q", bytes(8 * 8))
    return twin.walk(raw, 0, len(raw), frame(ATLANTIS, byteorder), True, offsets)


def row(
    twin: HotPath, byteorder: ByteOrder, table: tables.Table, raw: bytes, wanted: Sequence[str]
) -> dict[str, int | IPv6Address]:
    plan = column_plan(ATLANTIS, table, wanted, byteorder)
    out = [bytearray(item.width) for item in plan.columns]
    outcome = twin.decode(raw, 0, len(raw), plan, True, out, 0, 1)
    assert (outcome.count, outcome.fault) == (1, 0)
    codes = {1: "B", 2: "H", 4: "I", 8: "Q"}
    return {
        item.name: IPv6Address(bytes(data)) if item.width == 16 else array(codes[item.width], data)[0]
        for item, data in zip(plan.columns, out, strict=True)
    }


def test_an_association(twin: HotPath, byteorder: ByteOrder, build: Builder) -> None:
    raw = build.message(
        build.ports(), build.address(2, "2001:db8::2", 99), build.association(), build.address(3, "192.0.2.1", 500)
    )
    expected = {
        "satype": SAType.ESP,
        "refcount": 5,
        "seq": 6,
        "pid": 7,
        "spi": 0xCAFE0001,
        "replay": 96,
        "state": SAState.MATURE,
        "auth": AuthAlgorithm.SHA2_256_HMAC,
        "encrypt": EncryptAlgorithm.AES_CBC,
        "mode": Mode.TUNNEL,
        "natt_sport": 4500,
        "natt_dport": 61000,
        "src": IPv6Address("::ffff:192.0.2.1"),
        "src_family": 4,
        "src_port": 500,
        "src_proto": 17,
        "src_prefixlen": 24,
        "src_scope": 0,
        "dst": IPv6Address("2001:db8::2"),
        "dst_family": 6,
        "dst_port": 99,
        "dst_scope": 4711,
        "reqid": 0,
        "hard_bytes": 0,
        "present": sum(
            1 << item.bit
            for item in (
                ExtensionType.SA,
                ExtensionType.ADDRESS_SRC,
                ExtensionType.ADDRESS_DST,
                ExtensionType.NATT_TYPE,
            )
        ),
    }
    assert row(twin, byteorder, tables.ASSOCIATIONS, raw, tuple(expected)) == expected


def test_unknown_numbers_survive(twin: HotPath, byteorder: ByteOrder, build: Builder) -> None:
    raw = build.message(build.association(encrypt=34))
    assert row(twin, byteorder, tables.ASSOCIATIONS, raw, ["encrypt"]) == {"encrypt": 0x8000 + 34}


def test_a_policy(twin: HotPath, byteorder: ByteOrder, build: Builder) -> None:
    raw = build.message(build.policy(7, 12, 20, 12))
    expected = {"spid": 0xABCD, "type": PolicyType.IPSEC, "priority": 0, "requests_offset": 32, "requests_length": 48}
    assert row(twin, byteorder, tables.POLICIES, raw, tuple(expected)) == expected


@pytest.mark.parametrize(
    ("lengths", "fault", "position"),
    [((12, 20, 12), Fault.NONE, 80), ((12, 11), Fault.REQUEST_SHORT, 44), ((12, 500), Fault.REQUEST_OVERRUN, 44)],
)
def test_requests_are_checked_where_the_policy_has_any(
    twin: HotPath, byteorder: ByteOrder, build: Builder, lengths: tuple[int, ...], fault: Fault, position: int
) -> None:
    outcome = walk(twin, byteorder, build.message(build.policy(7, *lengths)))
    assert (outcome.fault, outcome.position) == (fault, position)
    assert walk(twin, byteorder, build.message(build.policy(6, *lengths))).fault == Fault.NONE


def test_counted_records(twin: HotPath, byteorder: ByteOrder, build: Builder) -> None:
    """As many as the count says have to be there; the count is what a fault points at."""
    assert walk(twin, byteorder, build.message(build.notes(3, 3))).fault == Fault.NONE
    assert walk(twin, byteorder, build.message(build.notes(2, 3))).fault == Fault.NONE
    for count in (4, 0x1000_0000, 0xFFFF_FFFF):
        outcome = walk(twin, byteorder, build.message(build.notes(count, 3)))
        assert (outcome.fault, outcome.position) == (Fault.DATA_OVERRUN, 20)


def test_only_what_may_repeat_may(twin: HotPath, byteorder: ByteOrder, build: Builder) -> None:
    assert walk(twin, byteorder, build.message(build.notes(1, 1), build.notes(1, 1))).fault == Fault.NONE
    twice = build.message(build.ports(), build.ports())
    assert walk(twin, byteorder, twice).fault == Fault.EXTENSION_DUPLICATE


def test_a_sockaddr_has_the_size_of_its_family(twin: HotPath, byteorder: ByteOrder, build: Builder) -> None:
    whole = build.address(2, "2001:db8::2", 1)
    cut = build.extension(2, whole[4:40])
    outcome = walk(twin, byteorder, build.message(cut))
    assert (outcome.fault, outcome.position) == (Fault.SOCKADDR_OVERRUN, 24)


def test_the_numbers_of_others_are_unknown(twin: HotPath, byteorder: ByteOrder, build: Builder) -> None:
    assert walk(twin, byteorder, build.message(build.extension(5, bytes(12)))).fault == Fault.EXTENSION_UNKNOWN


def test_a_number_that_no_frame_can_hold_is_refused() -> None:
    extension = Extension(ExtensionType.MTU, "ATL_MTU", 64, (NOTES,))
    with pytest.raises(ValueError, match="dialect atlantis: extension numbers end at 63"):
        frame(ATLANTIS.derive("atlantis", extensions=[extension]))


@pytest.mark.parametrize(
    "call", [lambda order: frame(ATLANTIS, order), lambda order: column_plan(ATLANTIS, tables.POLICIES, [], order)]
)
def test_a_byte_order_has_a_name(call: Any) -> None:
    with pytest.raises(ValueError, match="little, big or native"):
        call("middle")


def test_a_column_that_the_table_lacks_is_named() -> None:
    with pytest.raises(KeyError, match="no column 'spi' in PolicyTable; known are message_offset,"):
        column_plan(ATLANTIS, tables.POLICIES, ["spi"])


class TestDescent:
    def test_extensions_replace_those_of_the_same_number_or_type(self) -> None:
        moved = Extension(ExtensionType.SA, "ATL2_SA", 3, (ASSOCIATION,))
        child = ATLANTIS.derive("lemuria", extensions=[moved], without=[ExtensionType.POLICY])
        assert [item.c_name for item in child.extensions] == ["ATL_DST", "ATL2_SA", "ATL_PORTS", "ATL_NOTES"]
        assert child.by_number.keys() == {2, 3, 41, 63}
        assert ATLANTIS.by_type[ExtensionType.SA].number == 40

    def test_tables_and_flags_add_up_and_the_rest_is_replaced(self) -> None:
        child = ATLANTIS.derive("lemuria", flags={"LEM_FLAG": 1}, constants={"LEM_MAX": 9}, errnos={"EDROWNED": 1})
        grandchild = child.derive("mu", flags={"MU_FLAG": 2}, constants={"MU_MAX": 3})
        assert grandchild.flags == {"LEM_FLAG": 1, "MU_FLAG": 2}
        assert grandchild.constants == {"MU_MAX": 3}
        assert grandchild.errno_name(1) == "EDROWNED"
        assert grandchild.terms.keys() == ATLANTIS.terms.keys()
        assert (grandchild.family, grandchild.sockaddr) == (99, ATLANTIS.sockaddr)
