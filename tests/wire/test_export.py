"""Messages as plain data, and nowhere a key that nobody asked for."""

from __future__ import annotations

import copy
import dataclasses
import json
from ipaddress import IPv4Address

import pytest

import fastpfkey as pf
from fastpfkey.wire.extensions import Key, Opaque
from fastpfkey.wire.extensions_ipsec import HardwareOffload, KMPrivate
from fastpfkey.wire.message import MessageValue
from fastpfkey.wire.sockaddr import SocketAddress
from fastpfkey.wire.value import Secret

from .build import IPCOMP, Builder

Ext = pf.ExtensionType
KEY = bytes.fromhex("5ec2e75ec2e75ec2e75ec2e75ec2e700")


def plain(build: Builder, *extensions: bytes, show_keys: bool = False, **header: int):
    """The dict, after a round through JSON."""
    (message,) = pf.decode(build.message(*extensions, **header), "linux", build.byteorder)
    told = message.to_dict(show_keys=show_keys)
    assert json.loads(json.dumps(told)) == told
    assert message.replace().to_dict(show_keys=show_keys) == told
    return told


def test_header(build: Builder) -> None:
    assert plain(build, type=18, satype=77) == {
        "type": "spddump",
        "satype": "unknown-77",
        "errno": 0,
        "seq": 0x01020304,
        "pid": 0x05060708,
        "reserved": 0,
    }


def test_extensions_under_the_names_of_their_attributes(build: Builder) -> None:
    ends = build.sockaddr("192.0.2.1") + build.sockaddr("192.0.2.2", 4500)
    told = plain(
        build,
        build.sa(0xABCD, encrypt=2),
        build.lifetime(3),
        build.address(5, build.sockaddr("fe80::1", 500, scope=3, flowinfo=4), proto=17, prefixlen=128),
        build.identity(10, 2, 7, b"gw.example.net\0"),
        build.extension(24, build.pack("BBH", 1, 2, 6) + b"label\0"),
        build.policy(build.request(50, 2, 3, 9, ends), build.request(51, 1, 2, 0)),
        build.extension(14, build.pack("I", 0) + build.pack("BBHHH", 3, 0, 160, 160, 0)),
        build.extension(26, IPv4Address("10.0.0.0").packed + bytes(28) + build.pack("HBB", 2, 8, 0)),
        satype=IPCOMP,
    )
    del told["seq"], told["pid"]
    assert told == {
        "type": "dump",
        "satype": "ipcomp",
        "errno": 0,
        "reserved": 0,
        "sa": {
            "spi": 0xABCD,
            "replay": 32,
            "state": "mature",
            "auth": "sha1-hmac",
            "encrypt": "deflate",
            "flags": 0x40000000,
        },
        "lifetime_hard": {"allocations": 1, "bytes": 2, "addtime": 3, "usetime": 4},
        "address_src": {
            "family": 6,
            "ip": "fe80::1",
            "port": 500,
            "scope": 3,
            "flowinfo": 4,
            "proto": 17,
            "prefixlen": 128,
        },
        "identity_src": {"type": "fqdn", "id": 7, "text": "gw.example.net"},
        "sec_ctx": {"algorithm": 1, "doi": 2, "context": "label"},
        "policy": {
            "type": "ipsec",
            "dir": "out",
            "id": 0x0A0B0C0D,
            "priority": 7,
            "requests": [
                {
                    "proto": 50,
                    "mode": "tunnel",
                    "level": "unique",
                    "reqid": 9,
                    "src": {"family": 4, "ip": "192.0.2.1", "port": 0, "scope": 0, "flowinfo": 0},
                    "dst": {"family": 4, "ip": "192.0.2.2", "port": 4500, "scope": 0, "flowinfo": 0},
                },
                {"proto": 51, "mode": "transport", "level": "require", "reqid": 0},
            ],
        },
        "supported_auth": {"algorithms": [{"id": "sha1-hmac", "ivlen": 0, "minbits": 160, "maxbits": 160}]},
        "filter": {"family": 4, "saddr": "10.0.0.0", "splen": 8, "daddr": "0.0.0.0", "dplen": 0},
    }


def test_what_has_no_meaning_is_told_by_its_length(build: Builder) -> None:
    extensions = (
        build.address(5, build.pack("H", 17) + b"fourteen bytes"),
        build.extension(17, bytes(4) + b"private!"),
        build.extension(50, b"1234"),
        build.extension(51, b""),
    )
    told = plain(build, *extensions)
    assert told["address_src"] == {"family": 0x8000 + 17, "af": 17, "data_length": 14, "proto": 0, "prefixlen": 32}
    assert told["kmprivate"] == {"data_length": 8}
    assert told["other_extensions"] == [{"number": 50, "data_length": 4}, {"number": 51, "data_length": 4}]
    shown = plain(build, *extensions, show_keys=True)
    assert shown["address_src"]["data"] == b"fourteen bytes".hex()
    assert shown["kmprivate"] == {"data_length": 8, "data": b"private!".hex()}
    assert shown["other_extensions"][0] == {"number": 50, "data_length": 4, "data": "31323334"}


def test_bytes_that_are_no_text_show_as_escapes() -> None:
    build = Builder()
    told = plain(
        build,
        build.identity(10, 2, 0, b"caf\xe9\0"),
        build.extension(24, build.pack("BBH", 1, 2, 2) + b"\xff\0"),
    )
    assert told["identity_src"]["text"] == "caf\\udce9"
    assert told["sec_ctx"]["context"] == "\\xff"


def test_what_no_message_can_hold_is_shown_all_the_same() -> None:
    value = MessageValue(pf.MessageType.ADD, extensions=(Opaque(60), HardwareOffload("em0", 1.5)))  # type: ignore[arg-type]
    assert value.to_dict()["if_hw_offload"] == {"interface": "em0", "flags": "1.5"}


def test_extensions_that_repeat_are_a_list() -> None:
    """FreeBSD tells each interface that offloads an association, where its dialect says so."""
    dialect = pf.decode(b"", "freebsd").dialect
    offload = dialect.by_type[Ext.IF_HW_OFFLOAD]
    repeating = dialect.derive("freebsd", extensions=[dataclasses.replace(offload, repeats=True)])
    value = MessageValue(pf.MessageType.GET, extensions=(HardwareOffload("em0"),), dialect=repeating)
    assert value.to_dict()["if_hw_offload"] == [{"interface": "em0", "flags": 0}]
    twice = value.replace(extensions=(HardwareOffload("em0"), HardwareOffload("em1")))
    (read,) = pf.decode(twice.encode(), repeating)
    assert [item["interface"] for item in read.to_dict()["if_hw_offload"]] == ["em0", "em1"]  # type: ignore[union-attr]
    assert read.if_hw_offload == HardwareOffload("em0")


class TestKeys:
    def test_shown_only_when_asked_for(self, build: Builder) -> None:
        key = build.key(8, 128, KEY)
        assert plain(build, key)["key_auth"] == {"bits": 128}
        assert plain(build, key, show_keys=True)["key_auth"] == {"bits": 128, "material": KEY.hex()}

    @pytest.mark.parametrize(
        "show", [repr, str, "{}".format, "{!r}".format, lambda item: f"{item:}", lambda item: f"{item!s:>9}"]
    )
    def test_no_text_shows_them(self, build: Builder, show) -> None:
        (message,) = pf.decode(build.message(build.key(8, 128, KEY)), "linux", build.byteorder)
        assert message.key_auth is not None
        for item in (message, message.replace(), message.key_auth, message.key_auth.material, message.key_auth.wire):
            for hint in (KEY.hex()[:6], str(KEY[:3])[2:-1], str(KEY[0]) + ", " + str(KEY[1])):
                assert hint not in show(item)

    def test_nor_does_taking_a_value_apart(self) -> None:
        key = Key.of(Ext.KEY_AUTH, KEY)
        for apart in (dataclasses.asdict(key), dataclasses.astuple(key), dict(zip("abc", key.items(), strict=False))):
            assert "5e" not in str(apart)
            assert "^" not in str(apart)  # 0x5e as a character

    def test_they_are_revealed_explicitly(self) -> None:
        key = Key.of(Ext.KEY_AUTH, KEY)
        assert (key.bits, key.reveal(), key.material.reveal(), len(key.material)) == (128, KEY, KEY, 16)
        assert copy.deepcopy(key) == key
        assert repr(Secret(KEY)) == "<16 secret bytes>"

    def test_salt_behind_a_key_is_secret_too(self) -> None:
        """illumos tells the salt of a combined algorithm behind its key."""
        build = Builder()
        raw = build.message(build.extension(9, build.pack("HH", 64, 32) + KEY[:8] + b"salt"))
        (message,) = pf.decode(raw, "illumos", "little")
        key = message.key_encrypt
        assert key is not None
        assert (key.bits, key.reveal(), key.extra_bits, key.extra) == (64, KEY[:8], 32, Secret(b"salt"))
        assert "salt" not in repr(key)
        assert message.to_dict()["key_encrypt"] == {"bits": 64, "extra_bits": 32}
        assert message.to_dict(show_keys=True)["key_encrypt"]["extra"] == b"salt".hex()  # type: ignore[index, call-overload]
        assert message.encode() == raw

    def test_bytes_that_may_be_keys_are_hidden(self) -> None:
        for value in (Opaque(9, KEY), KMPrivate(KEY), SocketAddress(af=77, data=KEY)):
            assert "<16 bytes>" in repr(value)
            assert KEY.hex()[:6] not in repr(value)
            assert "\\xc2" not in repr(value)
