"""Decode, type, encode: the identity on every golden message of every system, and on every capture.

The original bytes are out of the encoder's reach: what is encoded is a copy that has nothing but its typed fields.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from corpus.groundtruth import capture
from corpus.groundtruth.index import read_index

import fastpfkey as pf
from fastpfkey.spec import DIALECTS
from fastpfkey.wire.message import Message

from . import golden

ORDERS: list[Any] = ["little", "big"]
systems = pytest.mark.parametrize("name", DIALECTS)
orders = pytest.mark.parametrize("byteorder", ORDERS)

CAPTURES = [
    "linux-errors.bin",
    "linux-events.bin",
    "linux-events.sent.bin",
    "linux-mixed.bin",
    "linux-mixed-satype2.bin",
    "linux-mixed-satype3.bin",
    "linux-mixed-satype9.bin",
    "linux-policies.bin",
    "linux-policies-empty.bin",
    "linux-policies-with-ro.bin",
    "linux-register-ah.bin",
    "linux-register-esp.bin",
    "linux-register-ipcomp.bin",
    "linux-register-unspec.bin",
    "linux-sad-empty.bin",
    "setkey/sad.bin",
]
TWO_READINGS = {"SADB_X_EXT_KM_COOKIE"}
"""illumos: one number of 64 bits, or one of 32 and a reserved word, which is not the same when it is swapped."""

LEAKED = {"linux-events.bin": {5944 + 92: 7}}
"""Bytes of padding that the kernel did not clear, by their offset."""

TOO_LONG = {
    "SA ext of 24 bytes (too long)",
    "SA2 ext of 24 bytes",
    "KEY_AUTH: bits 160, ext 8 bytes longer than needed",
    "SRC address: IPv4 in a 40-byte ext (too long)",
    "SPDADD policy ext with trailing 8 bytes",
}
"""Requests with more bytes in an extension than its fields need."""

DIRTY = {"padding bytes not zero (key pad)"}


def bare(message: Message) -> Message:
    """A copy with nothing but typed fields."""
    inner = None if message.payload is None else bare(message.payload)
    copied = message.replace(extensions=copy.deepcopy(message.extensions), payload=inner)
    assert not any(hasattr(extension, "wire") for extension in copied.extensions)
    return copied


def same_message(message: Any, told: dict[str, Any]) -> None:
    """Header, extensions and the message carried are what the golden file tells."""
    assert vars(message.wire) == told["header"]
    assert message.dialect.terms["message"].c_names[message.wire.sadb_msg_type] == told["type"]
    satypes = dict(message.dialect.terms["satype"].numbers) | {
        pf.SAType.unknown(number): number for number in range(256)
    }
    for value, extension in zip(message.extensions, told["extensions"], strict=True):
        golden.same_extension(value, extension, satypes)
    assert (message.payload is None) == ("payload" not in told)
    if message.payload is not None:
        same_message(message.payload, told["payload"])


@systems
@orders
def test_golden_messages_are_what_is_told_of_them(name: str, byteorder: Any) -> None:
    for item in golden.messages(name, byteorder):
        (message,) = pf.decode(bytes.fromhex(item["hex"]), name, byteorder)
        same_message(message, item)


@systems
@orders
def test_golden_messages_come_back(name: str, byteorder: Any) -> None:
    for item in golden.messages(name, byteorder):
        raw = bytes.fromhex(item["hex"])
        (message,) = pf.decode(raw, name, byteorder)
        assert bare(message).encode(byteorder=byteorder).hex() == item["hex"], item["name"]
        assert message.encode() == raw


@systems
def test_the_same_message_in_both_byte_orders(name: str) -> None:
    """Equal by content, and each the other's bytes when encoded so."""
    both = zip(*(golden.messages(name, order) for order in ORDERS), strict=True)
    for little, big in both:
        if any(told["name"] in TWO_READINGS for told in little["extensions"]):
            continue
        (first,) = pf.decode(bytes.fromhex(little["hex"]), name, "little")
        (second,) = pf.decode(bytes.fromhex(big["hex"]), name, "big")
        assert first == second
        assert first.to_dict(show_keys=True) == second.to_dict(show_keys=True)
        assert first.encode(byteorder="big").hex() == big["hex"]
        assert second.encode(byteorder="little").hex() == little["hex"]


@pytest.mark.parametrize("capture_name", CAPTURES)
def test_captures_come_back(capture_name: str) -> None:
    data = capture(capture_name)
    encoded = b"".join(bare(message).encode(byteorder="little") for message in pf.decode(data, "linux", "little"))
    assert len(encoded) == len(data)
    changed = {place: byte for place, byte in enumerate(data) if encoded[place] != byte}
    assert changed == LEAKED.get(capture_name, {})
    assert not any(encoded[place] for place in changed)


def test_unusual_requests_come_back() -> None:
    """All that can be read of what was sent to provoke the kernel, but for bytes that mean nothing."""
    data = capture("linux-errors.sent.bin")
    changed = {}
    for row in read_index("linux-errors.sent.bin"):
        for message in pf.decode(row.cut(data), "linux", "little", on_error="stop"):
            encoded = bare(message).encode(byteorder="little")
            if encoded != message.raw:
                changed[row.note] = len(encoded) == message.length
    assert changed == dict.fromkeys(TOO_LONG, False) | dict.fromkeys(DIRTY, True)
