"""The twins agree: the same outcome and the same output bytes for whatever bytes and plans they are given.

Outcome means count, fault, position and where to go on; output bytes are all that the caller handed over, also those
that must not change. The compiled twin runs twice: on ordinary memory, which AddressSanitizer watches, and on memory
that ends at a page that nobody may read.
"""

from __future__ import annotations

import random
import struct
import sys
from array import array
from collections.abc import Iterator, Sequence

import pytest
from corpus.groundtruth import capture
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpfkey import spec
from fastpfkey.errors import Fault
from fastpfkey.spec.model import HEADER_SIZE
from fastpfkey.spec.plan import ColumnPlan, column_plan

from . import golden
from .made_up import HostOrder
from .strategies import Reading, buffers, readings
from .twins import PATTERN, Compared, needs_compiled

pytestmark = [pytest.mark.fuzz, needs_compiled]

MANY = settings(max_examples=300)
ORDER = {False: sys.byteorder, True: "big" if sys.byteorder == "little" else "little"}


@pytest.fixture(scope="module")
def twins() -> Compared:
    return Compared(capacity=1 << 20)


def read_on(twins: Compared, messages: Sequence[bytes], plan: ColumnPlan) -> None:
    """Decode messages of one length that lie back to back, and go on at the next behind each fault."""
    size, data = len(messages[0]), b"".join(messages)
    position, room = 0, 64
    while position < len(data):
        outcome = twins.decode(data, plan, False, (position, len(data)), 0, room)
        position = (outcome.next // size + 1) * size if outcome.fault else outcome.next
        room = 4 if outcome.fault else 2 * room


class TestRealBytes:
    """Captures and golden messages, whole and damaged."""

    @pytest.mark.parametrize("name", golden.CAPTURES)
    @pytest.mark.parametrize("strict", [False, True])
    def test_captures(self, twins: Compared, name: str, strict: bool) -> None:
        data = capture(name)
        for plan in golden.plans("linux", "little"):
            outcome = twins.decode(data, plan, strict)
            assert twins.walk(data, plan.frame, strict) == outcome
            assert outcome.fault == 0 or name == "linux-errors.sent.bin"

    def test_requests_that_the_kernel_refused_one_by_one(self, twins: Compared) -> None:
        plan = golden.telling("linux", "little")
        for datagram in golden.captured("linux-errors.sent.bin"):
            assert twins.walk(datagram, plan.frame, False) == twins.decode(datagram, plan, False)

    @pytest.mark.parametrize(("dialect", "order"), golden.DIALECTS)
    def test_every_dialect_read_as_every_other(self, twins: Compared, dialect: str, order: HostOrder) -> None:
        data = b"".join(golden.messages(dialect, order))
        for plan in golden.plans(dialect, order):
            assert twins.decode(data, plan, False) == (len(golden.messages(dialect, order)), 0, len(data), len(data))
        for other, its_order in golden.DIALECTS:
            plan = golden.telling(other, its_order)
            for message in golden.messages(dialect, order):
                twins.decode(message, plan, True)

    @pytest.mark.parametrize("name", ["linux-mixed.bin", "linux-policies.bin", "linux-register-esp.bin"])
    def test_truncation_at_every_byte(self, twins: Compared, name: str) -> None:
        """Of one message, and of the last of two."""
        plan = golden.telling("linux", "little")
        sizes = set()
        for message in golden.captured(name):
            if len(message) not in sizes:
                sizes.add(len(message))
                for cut in range(len(message)):
                    fault = Fault.NONE if cut == 0 else Fault.HEADER_TRUNCATED if cut < 16 else Fault.MESSAGE_TRUNCATED
                    assert twins.decode(message[:cut], plan, False)[:2] == (0, fault)
                    assert twins.walk(message + message[:cut], plan.frame, False)[:2] == (1, fault)

    @pytest.mark.parametrize(("dialect", "order"), golden.DIALECTS)
    def test_truncation_that_the_lengths_admit_to(self, twins: Compared, dialect: str, order: HostOrder) -> None:
        """Messages and extensions that end early and say so: what was inside them has to notice."""
        plan = golden.telling(dialect, order)
        seen = {twins.decode(data, plan, False).fault for data in shortened(dialect, order)}
        assert {Fault.NONE, Fault.EXTENSION_OVERRUN, Fault.EXTENSION_SHORT, Fault.SOCKADDR_OVERRUN} <= seen
        assert {Fault.KEY_OVERRUN, Fault.DATA_OVERRUN, Fault.RECORD_PARTIAL} <= seen

    @pytest.mark.parametrize(
        ("dialect", "message"),
        [
            pytest.param("linux", golden.captured("linux-mixed.bin")[0], id="association"),
            pytest.param("linux", max(golden.captured("linux-policies.bin"), key=len), id="policy"),
            pytest.param("illumos", golden.message("illumos", "little", "acquire_extended"), id="proposal"),
        ],
    )
    def test_every_value_of_every_byte(self, twins: Compared, dialect: str, message: bytes) -> None:
        plan = golden.telling(dialect, "little")
        for position in range(len(message)):
            damaged = [message[:position] + bytes([value]) + message[position + 1 :] for value in range(256)]
            read_on(twins, damaged, plan)
            if position < HEADER_SIZE:
                for data in damaged:
                    twins.decode(data, plan, False)

    @pytest.mark.parametrize(("dialect", "order"), golden.DIALECTS)
    def test_another_value_of_every_byte(self, twins: Compared, dialect: str, order: HostOrder) -> None:
        """Of every golden message; which value, chance says, the same one in each run."""
        plan, noise = golden.telling(dialect, order), random.Random(f"{dialect} {order}")
        for message in golden.messages(dialect, order):
            damaged = []
            for position, byte in enumerate(message):
                other = byte ^ noise.choice([1, 2, 8, 255, noise.randrange(1, 256)])
                damaged.append(message[:position] + bytes([other]) + message[position + 1 :])
            read_on(twins, damaged, plan)

    @settings(max_examples=400)
    @given(pick=st.data())
    def test_damaged_buffers(self, twins: Compared, pick: st.DataObject) -> None:
        """Several messages of one system with a few bytes changed, any columns of any table, any window and rows."""
        dialect, order = pick.draw(st.sampled_from(golden.DIALECTS))
        pool = golden.messages(dialect, order)
        if (dialect, order) == ("linux", "little") and pick.draw(st.booleans()):
            pool = golden.captured(pick.draw(st.sampled_from(golden.CAPTURES)))
        data = bytearray(b"".join(pick.draw(st.lists(st.sampled_from(pool), max_size=12))))
        for position, value in pick.draw(st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), max_size=5)):
            if data:
                data[position % len(data)] = value
        table = pick.draw(st.sampled_from(golden.TABLES))
        names = pick.draw(
            st.lists(st.sampled_from([column.name for column in table.columns]), unique=True, max_size=12)
        )
        plan = column_plan(spec.dialect(dialect), table, names, order)
        strict = pick.draw(st.booleans())
        window = pick.draw(windows(len(data)))
        row = pick.draw(st.integers(0, 3))
        rows = row + pick.draw(st.integers(0, 14))
        decoded = twins.decode(bytes(data), plan, strict, window, row, rows)
        assert twins.walk(bytes(data), plan.frame, strict, window, max(0, rows - row)) == decoded


def windows(size: int) -> st.SearchStrategy[tuple[int, int]]:
    """The whole, or any part, or what is behind the end."""
    return st.one_of(
        st.just((0, size)), st.tuples(st.integers(0, size + 9), st.integers(0, size + 9)), st.just((0, 1 << 62))
    )


def shortened(dialect: str, order: HostOrder) -> Iterator[bytes]:
    """Golden messages cut at each word, and with each extension cut at each word, all lengths corrected."""

    def number(value: int) -> bytes:
        return value.to_bytes(2, order)

    for message in golden.messages(dialect, order):
        for words in range(2, len(message) // 8):
            yield message[:4] + number(words) + message[6 : 8 * words]
        position = 16
        while position < len(message):
            size = int.from_bytes(message[position : position + 2], order) * 8
            if not 0 < size <= len(message) - position:  # a message in a message has no extensions
                break
            for words in range(1, size // 8):
                kept = number(words) + message[position + 2 : position + 8 * words]
                length = number((len(message) - size) // 8 + words)
                yield message[:4] + length + message[6:position] + kept + message[position + size :]
            position += size


class TestAnyBytes:
    """Bytes and plans that no system ever had."""

    @MANY
    @given(data=st.binary(max_size=400), which=st.sampled_from(golden.DIALECTS), strict=st.booleans())
    def test_noise(self, twins: Compared, data: bytes, which: tuple[str, HostOrder], strict: bool) -> None:
        plan = golden.telling(*which)
        for start in (b"", b"\2", b"\2\3\0\3" + (len(data) // 8 * 8 // 8 + 1).to_bytes(2, which[1]) + bytes(2)):
            assert twins.decode(start + data, plan, strict) == twins.walk(start + data, plan.frame, strict)

    @settings(max_examples=400)
    @given(pick=st.data(), reading=readings(), strict=st.booleans())
    def test_any_plan(self, twins: Compared, pick: st.DataObject, reading: Reading, strict: bool) -> None:
        data = pick.draw(buffers(reading, ORDER[reading.plan.frame.swap]))
        window = pick.draw(windows(len(data)))
        row = pick.draw(st.integers(0, 3))
        rows = row + pick.draw(st.sampled_from([0, 1, 5, 100, 1000]))
        decoded = twins.decode(data, reading.plan, strict, window, row, rows)
        assert twins.walk(data, reading.plan.frame, strict, window, rows - row) == decoded

    @MANY
    @given(
        lengths=st.lists(st.tuples(st.integers(2, 6), st.integers(0, 9) | st.just(0xFFFF)), max_size=9),
        rest=st.binary(max_size=30),
        pick=st.data(),
    )
    def test_hop(self, twins: Compared, lengths: list[tuple[int, int]], rest: bytes, pick: st.DataObject) -> None:
        """Headers with the length that they have, some with one that they have not."""
        swap = pick.draw(st.booleans())
        headers = []
        for words, lie in lengths:
            told = lie if pick.draw(st.integers(0, 5)) == 0 else words
            headers.append(bytes(4) + told.to_bytes(2, ORDER[swap]) + bytes(8 * words - 6))  # type: ignore[arg-type]
        data = b"".join(headers) + rest
        target = pick.draw(st.integers(0, len(data) + 20) | st.just(1 << 62))
        twins.hop(data, pick.draw(windows(len(data))), swap, target)

    @MANY
    @given(
        reading=readings(),
        chances=st.lists(st.sampled_from([0, 0, 0, 0, 0, 0, 1, 2, 3, 4]), max_size=12),
        first=st.sampled_from([1, 2, 7, 2**32 - 3]),
        step=st.sampled_from([1, -1, 0, 3]),
        pick=st.data(),
    )
    def test_follow(
        self, twins: Compared, reading: Reading, chances: list[int], first: int, step: int, pick: st.DataObject
    ) -> None:
        """Messages one after the other, but for those with another type, errno, pid or number."""
        frame = reading.plan.frame
        order = "<" if ORDER[frame.swap] == "little" else ">"
        data = b""
        for place, chance in enumerate(chances):
            drawn = pick.draw(buffers(reading, ORDER[frame.swap])) if pick.draw(st.booleans()) else bytes(16)
            body = drawn[16 : 8 * int.from_bytes(drawn[4:6], ORDER[frame.swap])]  # type: ignore[arg-type]
            body = body[: len(body) // 8 * 8]
            odd = [int(chance == number) for number in range(5)]
            number = (first + step * place + odd[4]) % 2**32
            head = (2, 10 + odd[1], odd[2], 3, 2 + len(body) // 8, 0, number, 4711 + odd[3])
            data += struct.pack(f"{order}BBBBHHII", *head) + body
        data += pick.draw(st.binary(max_size=20))
        twins.follow(data, pick.draw(windows(len(data))), frame, 10, 4711, first, step)

    @MANY
    @given(
        source=st.binary(max_size=60),
        strings=st.lists(
            st.tuples(
                st.integers(0, 70) | st.sampled_from([1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]),
                st.integers(0, 90) | st.sampled_from([0, 480, 0xFFF8, 0xFFFF]),
            ),
            max_size=8,
        ),
        room=st.integers(0, 80),
        spare=st.sampled_from([0, 0, 0, 0, 0, 1]),
    )
    def test_gather(
        self, twins: Compared, source: bytes, strings: list[tuple[int, int]], room: int, spare: int
    ) -> None:
        offsets = array("Q", [offset for offset, _ in strings])
        bits = array("H", [number for _, number in strings] + [8] * spare)
        results = []
        for twin, buffer in twins.runs(source):
            store = bytearray([PATTERN]) * room
            written: int | str
            try:
                written = twin.gather(buffer, offsets, bits, store)
            except IndexError:
                written = "refused"
                assert set(store) <= {PATTERN}
            results.append((written, store))
        assert results[1:] == results[:1] * 2
