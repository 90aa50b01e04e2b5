"""Bytes that change after they were validated: WireError at worst, and nothing beyond the extension is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.errors import Fault
from fastpfkey.spec import DIALECTS

from . import golden
from .build import Builder
from .touch import touch

BUILD = Builder("little")
Ext = pf.ExtensionType


@pytest.mark.parametrize(
    ("extension", "position", "value", "fault", "offset"),
    [
        (BUILD.sa(), 16, 0, Fault.EXTENSION_EMPTY, 16),
        (BUILD.sa(), 16, 9, Fault.EXTENSION_OVERRUN, 16),
        (BUILD.sa(), 18, 2, Fault.EXTENSION_SHORT, 16),
        (BUILD.address(5, BUILD.sockaddr("192.0.2.1")), 24, 10, Fault.SOCKADDR_OVERRUN, 24),
        (BUILD.key(8, 64, b"8 octets"), 20, 65, Fault.KEY_OVERRUN, 20),
        (BUILD.extension(24, BUILD.pack("BBH", 1, 1, 8) + b"8 octets"), 22, 9, Fault.DATA_OVERRUN, 22),
        (BUILD.extension(12, BUILD.pack("IBBBBI", 0, 0, 1, 0, 0, 0) + bytes(8)), 25, 2, Fault.DATA_OVERRUN, 25),
        (BUILD.policy(BUILD.request(50, 1, 2, 0)), 32, 15, Fault.REQUEST_SHORT, 32),
        (BUILD.policy(BUILD.request(50, 1, 2, 0)), 32, 17, Fault.REQUEST_OVERRUN, 32),
        (BUILD.sa(), 4, 1, Fault.MESSAGE_SHORT, 4),
        (BUILD.sa(), 4, 9, Fault.MESSAGE_TRUNCATED, 4),
    ],
)
def test_the_fault_is_named(extension: bytes, position: int, value: int, fault: Fault, offset: int) -> None:
    """With the message it is in, and where in the buffer it shows, as if decoding had found it."""
    before = BUILD.message()
    data = bytearray(before + BUILD.message(extension))
    batch = pf.decode(data, "linux", "little")
    data[16 + position] = value
    message = batch[1]
    for _ in range(2):
        with pytest.raises(pf.WireError) as caught:
            _ = message.extensions
        assert (caught.value.fault, caught.value.offset, caught.value.message_index) == (fault, 16 + offset, 1)
    assert repr(message).startswith("<unreadable message: message 1, byte ")
    assert batch[0].extensions == ()


@pytest.mark.parametrize(
    ("number", "extension", "position", "value", "fault", "offset"),
    [
        (14, BUILD.extension(14, bytes(4) + BUILD.pack("BBHHH", 3, 0, 160, 160, 0)), 18, 13, Fault.RECORD_PARTIAL, 24),
    ],
)
def test_records(number: int, extension: bytes, position: int, value: int, fault: Fault, offset: int) -> None:
    """An algorithm list that has become a proposal ends inside its first combination."""
    data = bytearray(BUILD.message(extension))
    (message,) = pf.decode(data, "linux", "little")
    data[position] = value
    assert message.get(Ext(number)) is None
    with pytest.raises(pf.WireError) as caught:
        _ = message.proposal
    assert (caught.value.fault, caught.value.offset) == (fault, offset)


@pytest.mark.parametrize(
    ("name", "symbol", "offset", "value", "fault"),
    [
        ("macos", "SADB_EXT_SASTAT", 12, 200, Fault.DATA_OVERRUN),
        ("illumos", "SADB_X_EXT_EPROP", 6, 200, Fault.ITEM_OVERRUN),
        ("illumos", "SADB_X_EXT_EPROP", 8, 200, Fault.ITEM_OVERRUN),
    ],
)
def test_counts(name: str, symbol: str, offset: int, value: int, fault: Fault) -> None:
    """More records than there are bytes."""
    for item in golden.messages(name, "little"):
        for told in item["extensions"]:
            if told["name"] == symbol and told["length"] > 16:
                data = bytearray.fromhex(item["hex"])
                (message,) = pf.decode(data, name, "little")
                data[told["offset"] + offset] = value
                with pytest.raises(pf.WireError) as caught:
                    _ = message.extensions
                assert caught.value.fault is fault
                return
    pytest.fail("no golden message has the extension")


def test_what_was_read_stays(build: Builder) -> None:
    data = bytearray(build.message(build.sa(7), build.key(8, 16, b"\1\2")))
    (message,) = pf.decode(data, "linux", build.byteorder)
    before = message.extensions
    data[:] = b"\xff" * len(data)
    assert message.extensions == before
    assert (message.sa, message.key_auth) == before


@pytest.mark.fuzz
@given(name=st.sampled_from(DIALECTS), pick=st.data())
def test_any_change_is_read_or_refused(name: str, pick: st.DataObject) -> None:
    """Some of the message read before the change, some after it."""
    item = pick.draw(st.sampled_from(golden.messages(name, "little")))
    data = bytearray.fromhex(item["hex"])
    (message,) = pf.decode(data, name, "little")
    if pick.draw(st.booleans()):
        _ = message.get(pick.draw(st.sampled_from(Ext)))
    for position, value in pick.draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)))):
        data[position] = value
    touch(message)
