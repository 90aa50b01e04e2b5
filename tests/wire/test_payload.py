"""PROMISC messages that carry a copy of another message, packed by hand (RFC 2367, 3.1.12 and appendix A)."""

from __future__ import annotations

import pytest

import fastpfkey as pf
from fastpfkey.wire.extensions import SA, Key
from fastpfkey.wire.message import MAX_DEPTH, MessageValue

from .build import ADD, Builder

PROMISC = 11
SECRET = b"sixteen  secrets"


@pytest.fixture
def inner(build: Builder) -> bytes:
    return build.message(build.sa(spi=0x11223344), build.key(8, 128, SECRET), type=ADD)


def carry(build: Builder, inner: bytes) -> bytes:
    return build.header((16 + len(inner)) // 8, PROMISC, 0) + inner


def test_the_carried_message_is_a_message(build: Builder, inner: bytes) -> None:
    first, message = pf.decode(inner + carry(build, inner), "rfc2367", build.byteorder)
    assert message.extensions == ()
    assert message.sa is None
    assert message.payload is not None
    assert message.payload.raw == inner
    assert message.payload.offset == len(inner) + 16
    assert message.payload == first
    assert message.payload is message.payload
    assert first.payload is None
    assert message != message.replace(payload=None)


def test_the_switch_carries_none(build: Builder) -> None:
    (message,) = pf.decode(build.header(2, PROMISC, 1), "rfc2367", build.byteorder)
    assert message.payload is None
    assert message.encode() == message.raw


@pytest.mark.parametrize("name", ["linux", "illumos"])
def test_systems_that_deliver_plain_copies_carry_none(build: Builder, name: str) -> None:
    sa = build.sa()
    (message,) = pf.decode(build.message(sa, type=PROMISC, satype=0), name, build.byteorder)
    assert message.payload is None
    assert message.sa is not None
    with pytest.raises(pf.EncodeError, match=f"promisc: payload: promisc of {name} carries no message"):
        message.replace(extensions=(), payload=message).encode()


def test_keys_of_the_carried_message_do_not_show(build: Builder, inner: bytes) -> None:
    (message,) = pf.decode(carry(build, inner), "rfc2367", build.byteorder)
    assert "SA(spi=0x11223344" in repr(message)
    plain = message.to_dict()["payload"]
    assert isinstance(plain, dict)
    assert plain["type"] == "add"
    for text in (repr(message), str(plain)):
        assert SECRET.decode() not in text
        assert SECRET.hex() not in text
    assert SECRET.hex() in str(message.to_dict(show_keys=True))


def test_what_is_built_is_written(build: Builder, inner: bytes) -> None:
    key = Key.of(pf.ExtensionType.KEY_AUTH, SECRET)
    sa = SA(0x11223344, 32, pf.SAState.MATURE, pf.AuthAlgorithm.SHA1_HMAC, pf.EncryptAlgorithm.NONE)
    copied = MessageValue(pf.MessageType.ADD, pf.SAType.ESP, extensions=(sa, key), dialect="freebsd")
    built = MessageValue(pf.MessageType.PROMISC, payload=copied, dialect="freebsd")
    (message,) = pf.decode(built.encode(byteorder=build.byteorder), "freebsd", build.byteorder)
    assert message == built
    assert hash(message) == hash(built)
    assert message.payload == copied


def test_what_cannot_be_written(build: Builder, inner: bytes) -> None:
    (message,) = pf.decode(carry(build, inner), "rfc2367", build.byteorder)
    assert message.payload is not None
    (sa, _) = message.payload.extensions
    with pytest.raises(pf.EncodeError, match="promisc: extensions: promisc carries a message, no extensions"):
        message.replace(extensions=(sa,)).encode()
    with pytest.raises(pf.EncodeError, match="add: payload: add of rfc2367 carries no message"):
        message.replace(type=pf.MessageType.ADD).encode()
    with pytest.raises(pf.EncodeError, match=r"promisc: payload\.seq: 4294967296 does not fit 32 bits"):
        message.replace(payload=message.payload.replace(seq=1 << 32)).encode()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({16: 1}, pf.Fault.VERSION),
        ({20: 0, 21: 0}, pf.Fault.MESSAGE_SHORT),
        ({20: 255, 21: 255}, pf.Fault.MESSAGE_TRUNCATED),
        ({32: 0, 33: 0}, pf.Fault.EXTENSION_EMPTY),
    ],
)
def test_what_is_no_message_is_told_when_it_is_asked_for(
    build: Builder, inner: bytes, change: dict[int, int], fault: pf.Fault
) -> None:
    data = bytearray(carry(build, inner))
    for place, byte in change.items():
        data[place] = byte
    _, message = pf.decode(inner + data, "rfc2367", build.byteorder)
    with pytest.raises(pf.WireError) as caught:
        _ = message.payload
    assert (caught.value.fault, caught.value.message_index) == (fault, 1)
    assert caught.value.offset == len(inner) + min(change)
    assert repr(message).startswith("<unreadable message: message 1")


def test_nesting_is_bounded(build: Builder) -> None:
    data = build.header(2, 9, 0)
    for _ in range(MAX_DEPTH):
        data = carry(build, data)
    (message,) = pf.decode(data, "rfc2367", build.byteorder)
    assert message.encode() == data
    for _ in range(1000):
        data = carry(build, data)
    (message,) = pf.decode(data, "rfc2367", build.byteorder)
    with pytest.raises(pf.LimitError, match="inside more than 8 others"):
        message.encode()
    assert "<unreadable message: a message is inside more than 8 others>" in repr(message)
