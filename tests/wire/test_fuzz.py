"""Bytes that nobody meant: a Batch or WireError, messages that answer every question, and no key in any text."""

from __future__ import annotations

import pytest
from corpus.groundtruth import capture
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.wire.recovery import MAX_FAULTS

from . import golden
from .build import Builder
from .touch import secrets, touch

pytestmark = pytest.mark.fuzz

readings = st.fixed_dictionaries(
    {
        "dialect": st.sampled_from(DIALECTS),
        "byteorder": st.sampled_from(["little", "big"]),
        "on_error": st.sampled_from(["raise", "stop", "skip"]),
        "strict": st.booleans(),
    }
)
CAPTURES = [capture(name) for name in ("linux-mixed.bin", "linux-policies.bin", "linux-events.bin", "setkey/sad.bin")]


def read(data: bytes, reading) -> None:
    """Decode, look at everything, and hold the result to what it promises."""
    try:
        batch = pf.decode(data, **reading)
    except pf.WireError as error:
        refused = error
    else:
        refused = None
    if refused is not None:
        assert reading["on_error"] == "raise"
        assert 0 <= refused.offset <= len(data)
        assert refused.good == refused.message_index
        return
    assert reading["on_error"] == "skip" or batch.skipped == 0
    assert len(batch.faults) == min(batch.skipped, MAX_FAULTS) or reading["on_error"] == "stop"
    for message in batch:
        texts = touch(message)
        for secret in secrets(message):
            for text in texts:
                assert secret.hex() not in text
                assert repr(secret)[2:-1] not in text


@given(data=st.binary(max_size=300), reading=readings)
def test_any_bytes(data: bytes, reading) -> None:
    read(b"\2" + data, reading)


@st.composite
def framed(draw: st.DrawFn, number: st.SearchStrategy[int]) -> bytes:
    """A message whose lengths are right, and whose extensions hold anything."""
    build = Builder(draw(st.sampled_from(["little", "big"])))
    bodies = draw(st.lists(st.tuples(number, st.binary(min_size=4, max_size=100)), max_size=6))
    extensions = [build.extension(kind, body) for kind, body in bodies]
    return build.message(*extensions, type=draw(st.integers(0, 30)), satype=draw(st.integers(0, 12)))


@given(data=framed(st.integers(0, 45) | st.integers(0, 0xFFFF)), reading=readings)
def test_any_extensions(data: bytes, reading) -> None:
    read(data, reading)


@pytest.mark.parametrize("name", DIALECTS)
@given(pick=st.data())
def test_every_extension_with_any_content(name: str, pick: st.DataObject) -> None:
    """Extensions of the dialect, at least as long as their fixed part, lists and addresses included."""
    extension = pick.draw(st.sampled_from(dialect(name).extensions))
    order = pick.draw(st.sampled_from(["little", "big"]))
    size = extension.layouts[-1].size - 4
    body = pick.draw(st.binary(min_size=size, max_size=size + 200))
    if pick.draw(st.booleans()):  # one byte out of two zero makes small lengths and known families likely
        body = bytes(byte if place % 2 else byte % 3 * (byte > 99) for place, byte in enumerate(body))
    build = Builder(order)
    raw = build.message(build.extension(extension.number, body), satype=pick.draw(st.sampled_from([0, 3, 9])))
    read(raw, {"dialect": name, "byteorder": order, "on_error": "skip", "strict": False})


@given(
    data=st.sampled_from(CAPTURES),
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=8),
    cut=st.integers(0, 3000),
    reading=readings,
)
def test_damaged_captures(data: bytes, changes, cut: int, reading) -> None:
    damaged = bytearray(data[:cut])
    for position, value in changes:
        if damaged:
            damaged[position % len(damaged)] = value
    read(bytes(damaged), reading)


@pytest.mark.parametrize("name", DIALECTS)
@given(pick=st.data())
def test_damaged_messages_of_every_system(name: str, pick: st.DataObject) -> None:
    order = pick.draw(st.sampled_from(["little", "big"]))
    data = bytearray.fromhex(pick.draw(st.sampled_from(golden.messages(name, order)))["hex"])
    for position, value in pick.draw(
        st.lists(st.tuples(st.integers(16, max(16, len(data) - 1)), st.integers(0, 255)), max_size=4)
    ):
        if position < len(data):
            data[position] = value
    read(bytes(data), {"dialect": name, "byteorder": order, "on_error": "skip", "strict": False})
