"""Facts that systems put into different places: one attribute on every message, and the same as the table's column."""

from __future__ import annotations

import ipaddress

import pytest

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect, tables
from fastpfkey.spec.terms import ExtensionType, MessageType, NATTType
from fastpfkey.wire.extensions import SA
from fastpfkey.wire.extensions_ipsec import NATTEncapsulation, NATTPort
from fastpfkey.wire.message import MessageValue, MessageView
from fastpfkey.wire.structs import HostOrder

from . import golden
from .build import ADD, Builder


def told(message: MessageView) -> dict[str, object]:
    """What the attributes say, zero for what they do not."""
    kind, sport, dport, oa = message.natt_type, message.natt_sport, message.natt_dport, message.natt_oa
    ip = ipaddress.IPv6Address(0) if oa is None else oa.ip
    return {
        "mode": message.mode or 0,
        "replay": message.replay or 0,
        "natt_type": 0 if kind is None else kind.type,
        "natt_sport": 0 if sport is None else sport.port,
        "natt_dport": 0 if dport is None else dport.port,
        "natt_oa": ipaddress.IPv6Address(f"::ffff:{ip}") if ip.version == 4 else ip,
    }


@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("name", DIALECTS)
def test_attributes_say_what_columns_say(name: str, byteorder: HostOrder) -> None:
    """In every golden message, whether decoded or built."""
    data = b"".join(bytes.fromhex(item["hex"]) for item in golden.messages(name, byteorder))
    batch = pf.decode(data, name, byteorder)
    table = pf.SATable.from_buffer(data, dialect=name, byteorder=byteorder)
    for row, message in enumerate(batch):
        if message.payload is not None:
            continue
        columns = {column: table[column][row] for column in told(message)}
        columns["natt_oa"] = ipaddress.IPv6Address(bytes(columns["natt_oa"]))
        assert told(message) == columns
        assert told(message.replace()) == columns


@pytest.mark.parametrize("name", ["linux", "freebsd", "netbsd", "openbsd", "macos", "illumos"])
def test_the_port_of_every_system(name: str) -> None:
    """Each system has golden messages with UDP encapsulation, and their ports under one name."""
    batch = pf.decode(b"".join(bytes.fromhex(item["hex"]) for item in golden.messages(name, "big")), name, "big")
    assert any(message.natt_dport is not None and message.natt_dport.port for message in batch)
    assert any(message.natt_type == NATTEncapsulation(NATTType.ESPINUDP) for message in batch)


@pytest.mark.parametrize("name", ["freebsd", "netbsd", "macos"])
def test_bytes_of_bitmap_are_packets(build: Builder, name: str) -> None:
    """`wire` has the system's own number."""
    data = build.message(build.extension(1, bytes(4) + build.pack("BBBBI", 4, 1, 3, 12, 0)), type=ADD)
    (message,) = pf.decode(data, name, build.byteorder)
    assert (message.replay, message.sa.replay, message.sa.wire.sadb_sa_replay) == (32, 32, 4)


def test_the_stronger_window_of_freebsd(build: Builder) -> None:
    """A window beyond what a byte of bitmap bytes can say is in packets, in an extension of its own."""
    sa = build.extension(1, bytes(4) + build.pack("BBBBI", 255, 1, 3, 12, 0))
    data = build.message(sa, build.extension(26, build.pack("I", 4096)), type=ADD)
    (message,) = pf.decode(data, "freebsd", build.byteorder)
    assert (message.replay, message.sa.replay, message.sa_replay.replay) == (4096, 2040, 4096)


def test_without_an_association_there_is_nothing(build: Builder) -> None:
    (message,) = pf.decode(build.message(type=ADD), "openbsd", build.byteorder)
    assert (message.mode, message.replay, message.natt_type, message.natt_dport) == (None, None, None, None)


def test_a_value_that_was_built_has_them_too() -> None:
    sa = SA(spi=1, replay=32, flags=0x0002, natt_port=4501, natt_src_port=4500)
    message = MessageValue(MessageType.ADD, extensions=(sa,), dialect=dialect("macos"))
    assert message.natt_dport == NATTPort(ExtensionType.NATT_DPORT, 4501)
    assert message.natt_sport.port == 4500
    assert message.natt_type.type is NATTType.ESPINUDP
    assert message.natt_oa is None


def test_columns_exist_for_all_of_them() -> None:
    names = {column.name for column in tables.ASSOCIATIONS.columns}
    assert {"mode", "replay", "natt_type", "natt_sport", "natt_dport", "natt_oa"} <= names
