"""A system that never was takes data only: its messages become values, with all they have, and bytes again.

Its layouts have members that no class has, a tail where no class has one, and a number for what is unknown elsewhere.
"""

from __future__ import annotations

import dataclasses
import struct
from ipaddress import ip_address
from typing import Any

import pytest
from spec.test_made_up_dialect import ATLANTIS, Builder

import fastpfkey as pf
from fastpfkey.spec.layouts import layout
from fastpfkey.spec.model import Counted, Extension, KeyBits, Sized, Sockaddrs, Text
from fastpfkey.wire.extensions import SA, Opaque
from fastpfkey.wire.message import MessageValue, MessageView
from fastpfkey.wire.value import Secret

Ext = pf.ExtensionType
HEAD = layout("atl_head", "atl_head_", "len u16\n exttype u16\n bits u16\n count u16")
ITEM = layout("atl_item", "atl_item_", "subs u8\n colour u8\n size u16")
NETWORK = layout("atl_net", "atl_net_", "len u16\n exttype u16\n satype n16 satype\n window n16 <<4")
SUB = layout("atl_sub", "atl_sub_", "weight u32")

LEMURIA = ATLANTIS.derive(
    "lemuria",
    extensions=[
        Extension(Ext.MTU, "LEM_MTU", 50, (HEAD,), (Sockaddrs(2),)),
        Extension(Ext.TAP, "LEM_TAP", 51, (HEAD,), (KeyBits(),)),
        Extension(Ext.PAIR, "LEM_PAIR", 52, (HEAD,), (Sized(("count",), unit=4),)),
        Extension(Ext.COUNTER, "LEM_COUNTER", 53, (HEAD,), (Counted("count", ITEM, "subs", SUB),)),
        Extension(Ext.RDOMAIN, "LEM_RDOMAIN", 54, (HEAD,), (Text(),)),
        Extension(Ext.SATYPE2, "LEM_SATYPE2", 57, (NETWORK,)),
        Extension(Ext.LOCAL_AUTH, "LEM_LOCAL_AUTH", 55, (HEAD,)),
        Extension(Ext.REMOTE_AUTH, "LEM_REMOTE_AUTH", 56, (layout("atl_ext", "atl_", "len u16\n exttype u16"),)),
    ],
)


@pytest.fixture(params=["little", "big"])
def build(request: pytest.FixtureRequest) -> Builder:
    return Builder(request.param)


def read(build: Builder, *extensions: bytes) -> MessageView:
    """A message of Lemuria that comes back from encoding."""
    raw = build.message(*extensions)
    order: Any = "little" if build.order == "<" else "big"
    (message,) = pf.decode(raw, LEMURIA, order)
    assert message.replace().encode(byteorder=order) == raw
    return message


def test_an_association_has_what_the_system_puts_into_it(build: Builder) -> None:
    sa: Any = read(build, build.association()).sa
    assert isinstance(sa, SA)
    assert (sa.spi, sa.replay, sa.flags) == (0xCAFE0001, 96, 0x1122334455667788)
    assert (sa.auth, sa.encrypt) == (pf.AuthAlgorithm.SHA2_256_HMAC, pf.EncryptAlgorithm.AES_CBC)
    assert (sa.state, sa.mode) == (pf.SAState.MATURE, pf.Mode.TUNNEL)
    assert dataclasses.replace(sa, mode=None).mode is None
    assert "mode=TUNNEL" in repr(sa)
    assert vars(sa.wire)["atl_sa_mode"] == 8


def test_addresses_are_laid_out_as_the_system_has_them(build: Builder) -> None:
    message = read(build, build.address(3, "192.0.2.1", 500), build.address(2, "2001:db8::2", 99))
    assert message.address_src is not None
    assert message.address_dst is not None
    assert (message.address_src.ip, message.address_src.port) == (ip_address("192.0.2.1"), 500)
    assert (message.address_dst.ip, message.address_dst.scope) == (ip_address("2001:db8::2"), 4711)


def test_members_and_lists_that_nobody_foresaw(build: Builder) -> None:
    message: Any = read(build, build.ports(), build.notes(2, 2))
    assert (message.natt_type.here, message.natt_type.there) == (4500, 61000)
    assert [(note.value, note.weight) for note in message.tag.records] == [(1, 2), (1, 2)]
    assert message.to_dict()["natt_type"] == {"type": "none", "here": 4500, "there": 61000}


def test_any_kind_of_number_may_be_in_network_order(build: Builder) -> None:
    found: Any = read(build, build.extension(57, struct.pack(">HH", 250, 0x0102))).satype2
    assert (found.satype, found.window) == (pf.SAType.ESP, 0x1020)
    assert vars(found.wire)["atl_net_satype"] == 250


@pytest.mark.parametrize("order", ["little", "big"])
def test_tails_that_nobody_foresaw(order: Any) -> None:
    build = Builder(order)
    ends = build.address(3, "192.0.2.1", 500)[8:20] + build.address(2, "192.0.2.2", 1)[8:20]
    message: Any = read(
        build,
        build.extension(50, build.pack("HH", 1, 2) + ends),
        build.extension(51, build.pack("HH", 15, 7) + b"\1\2"),
        build.extension(52, build.pack("HHII", 5, 2, 0x01020304, 9)),
        build.extension(53, build.pack("HH", 5, 2) + build.pack("BBHII", 2, 3, 4, 5, 6) + build.pack("BBH", 0, 7, 8)),
        build.extension(54, build.pack("HH", 5, 2) + b"deep sea\0"),
        build.extension(55, build.pack("HH", 5, 2)),
        build.extension(56, b"none"),
    )
    assert (str(message.mtu.sockaddr1.ip), message.mtu.sockaddr2.port, message.mtu.bits) == ("192.0.2.1", 1, 1)
    assert (message.tap.material, message.tap.bits, message.tap.count) == (Secret(b"\1\2"), 15, 7)
    assert (message.pair.count_data, message.pair.bits) == ((0x01020304, 9), 5)
    first, second = message.counter.records
    assert (first.colour, first.size, [sub.weight for sub in first.records]) == (3, 4, [5, 6])
    assert (second.colour, second.records) == (7, ())
    assert message.rdomain.text == "deep sea"
    assert (message.local_auth.bits, message.local_auth.count) == (5, 2)
    assert message.remote_auth == Opaque(56, b"none", Ext.REMOTE_AUTH)
    assert "\\x01\\x02" not in repr(message)


def test_a_value_of_the_common_class_is_enough() -> None:
    """What only the system has is zero then."""
    sa = SA(
        spi=5,
        state=pf.SAState.MATURE,
        auth=pf.AuthAlgorithm.SHA2_256_HMAC,
        encrypt=pf.EncryptAlgorithm.AES_CBC,
    )
    raw = MessageValue(pf.MessageType.DUMP, pf.SAType.ESP, extensions=(sa,), dialect=ATLANTIS).encode(
        byteorder="little"
    )
    assert raw[16:] == struct.pack("<HHHBBQHHI", 3, 40, 33, 17, 4, 0, 0, 0, 5)


def test_a_value_of_another_class_is_not() -> None:
    value = MessageValue(pf.MessageType.DUMP, pf.SAType.ESP, extensions=(Opaque(0, b"", Ext.SA),), dialect=ATLANTIS)
    with pytest.raises(pf.EncodeError, match="dump: sa: a SA is needed, not Opaque"):
        value.encode()


def test_numbers_of_others_are_unknown(build: Builder) -> None:
    message = read(build, build.extension(5, b"1234"))
    assert message.extensions == (Opaque(5, b"1234"),)
    assert message.address_src is None
