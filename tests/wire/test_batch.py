"""Batches: any buffer, no copy, places instead of objects, and what happens at a fault."""

from __future__ import annotations

import array
import ctypes
import mmap
import sys
import tracemalloc

import numpy as np
import pytest
from corpus.groundtruth import capture
from corpus.groundtruth.index import read_index

import fastpfkey as pf
from fastpfkey.errors import Fault
from fastpfkey.spec import dialect
from fastpfkey.wire.batch import CHUNK

from .build import Builder

LITTLE = Builder("little")
MIXED = capture("linux-mixed.bin")
INDEX = read_index("linux-mixed.bin")


def decode(buffer, **arguments):
    return pf.decode(buffer, dialect="linux", byteorder="little", **arguments)


class TestBuffers:
    @pytest.mark.parametrize(
        "wrap",
        [
            bytes,
            bytearray,
            memoryview,
            lambda data: memoryview(bytes(3) + data)[3:],
            lambda data: array.array("I", data),
            lambda data: np.frombuffer(data, np.uint8),
            lambda data: np.frombuffer(data, np.uint64).reshape(-1, 1),
            lambda data: np.frombuffer(data, np.dtype([("a", ">u2"), ("b", "u1", 6)])),
            lambda data: memoryview(data).cast("B", (len(data) // 8, 8)),
            (ctypes.c_ubyte * len(MIXED)).from_buffer_copy,
        ],
        ids=["bytes", "bytearray", "view", "unaligned", "array", "numpy", "rows", "records", "shaped", "ctypes"],
    )
    def test_anything_with_contiguous_bytes(self, wrap) -> None:
        batch = decode(wrap(MIXED))
        assert [(message.offset, message.length) for message in batch] == [(row.offset, row.size) for row in INDEX]
        assert b"".join(message.raw for message in batch) == MIXED

    def test_mapped_file(self, tmp_path) -> None:
        path = tmp_path / "dump.bin"
        path.write_bytes(MIXED)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            batch = decode(mapped)
            assert batch[-1].raw == MIXED[INDEX[-1].offset :]
            del batch

    def test_the_buffer_is_not_copied(self) -> None:
        data = bytearray(MIXED)
        batch = decode(data)
        data[0:0] = b""  # a resize would be refused, as the batch holds the buffer
        with pytest.raises(BufferError):
            data.clear()
        data[8:12] = (77).to_bytes(4, "little")
        assert batch[0].seq == 77

    def test_the_buffer_cannot_be_written_through_a_batch(self) -> None:
        assert decode(bytearray(MIXED)).buffer.readonly

    @pytest.mark.parametrize("buffer", [np.zeros(64, np.uint8)[::2], memoryview(bytes(64))[::-1]])
    def test_bytes_with_holes_are_refused(self, buffer) -> None:
        with pytest.raises(BufferError, match="not contiguous"):
            decode(buffer)

    @pytest.mark.parametrize("thing", ["text", 7, None, [1, 2]])
    def test_what_is_no_buffer_is_refused(self, thing) -> None:
        with pytest.raises(TypeError):
            decode(thing)

    @pytest.mark.parametrize("nothing", [b"", np.zeros((0, 3), np.uint32)])
    def test_nothing_is_no_messages(self, nothing) -> None:
        batch = decode(nothing)
        assert (len(batch), list(batch), batch.fault, batch.skipped) == (0, [], None, 0)


class TestArguments:
    def test_dialect_by_name_or_itself_or_the_host(self) -> None:
        assert decode(MIXED).dialect is dialect("linux")
        assert pf.decode(MIXED, dialect("linux"), "little").dialect is dialect("linux")
        assert pf.decode(b"").dialect is dialect("host")

    def test_native_is_the_byte_order_of_this_machine(self) -> None:
        assert pf.decode(b"").byteorder == sys.byteorder
        assert pf.decode(b"", byteorder="big").byteorder == "big"

    @pytest.mark.parametrize(
        ("argument", "wrong"), [("dialect", "plan9"), ("byteorder", "middle"), ("on_error", "ignore")]
    )
    def test_unknown_names_are_refused(self, argument: str, wrong: str) -> None:
        with pytest.raises(ValueError, match=wrong):
            pf.decode(b"", **{argument: wrong})

    def test_strict_refuses_unknown_extensions(self) -> None:
        """Kept by default, as Linux does (R-2.3-06)."""
        data = LITTLE.message(LITTLE.extension(41, b"\1\2\3\4"))
        assert len(decode(data)) == 1
        with pytest.raises(pf.MalformedError) as caught:
            decode(data, strict=True)
        assert (caught.value.fault, caught.value.offset) == (Fault.EXTENSION_UNKNOWN, 18)


class TestSequence:
    def test_indexing(self) -> None:
        batch = decode(MIXED)
        assert len(batch) == 53
        assert batch[0].offset == 0
        assert batch[-1].offset == batch[52].offset == INDEX[52].offset
        for index in (53, -54):
            with pytest.raises(IndexError):
                batch[index]

    @pytest.mark.parametrize(
        "part",
        [slice(10), slice(50, None), slice(None, None, 7), slice(None, None, -1), slice(40, 10, -3), slice(9, 9)],
        ids=str,
    )
    def test_slicing_gives_a_batch_of_the_same_memory(self, part: slice) -> None:
        batch = decode(MIXED)
        chosen = batch[part]
        assert [message.offset for message in chosen] == [row.offset for row in INDEX][part]
        assert (chosen.buffer, chosen.dialect, chosen.byteorder) == (batch.buffer, batch.dialect, batch.byteorder)
        assert chosen.offsets.obj is batch.offsets.obj

    def test_membership_is_by_content(self) -> None:
        batch = decode(MIXED)
        assert batch[3].replace() in batch
        assert batch.index(batch[3]) == 3

    def test_repr_tells_how_many_of_what(self) -> None:
        assert repr(decode(MIXED)) == "<Batch of 53 messages, linux, little-endian>"

    def test_millions_of_messages_are_not_millions_of_objects(self) -> None:
        """Eight bytes and a little for each message, whatever its length."""
        data = MIXED * 1000
        decode(MIXED)
        tracemalloc.start()
        batch = decode(data)
        kept = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert len(batch) == 53_000
        assert kept < 53_000 * 12

    def test_more_messages_than_one_chunk(self) -> None:
        header = LITTLE.header(2)
        batch = decode(header * (CHUNK + 5))
        assert len(batch) == CHUNK + 5
        assert batch.offsets[-1] == (CHUNK + 4) * 16


GOOD = LITTLE.message(LITTLE.sa())
VERSION = b"\3" + GOOD[1:]
OVERRUN = LITTLE.message(LITTLE.pack("HH", 9, 1) + bytes(12))
SHORT = LITTLE.header(1)
CUT = GOOD[:-8]


class TestFaults:
    def test_raise_tells_how_many_were_good(self) -> None:
        with pytest.raises(pf.MalformedError) as caught:
            decode(GOOD + GOOD + VERSION + GOOD)
        error = caught.value
        assert (error.fault, error.offset, error.message_index, error.good) == (Fault.VERSION, 64, 2, 2)

    def test_a_cut_buffer_is_truncated(self) -> None:
        """R-2.1-08; what precedes the cut can be kept (R-2.1-09)."""
        with pytest.raises(pf.TruncatedError) as caught:
            decode(GOOD + CUT)
        assert (caught.value.fault, caught.value.offset) == (Fault.MESSAGE_TRUNCATED, 36)
        with pytest.raises(pf.TruncatedError):
            decode(GOOD + GOOD[:7])
        assert len(decode(GOOD + CUT, on_error="stop")) == 1

    def test_stop_returns_what_came_before(self) -> None:
        batch = decode(GOOD + OVERRUN + GOOD + VERSION, on_error="stop")
        assert (len(batch), batch.skipped) == (1, 0)
        assert batch.fault is not None
        assert (batch.fault.fault, batch.fault.message_index) == (Fault.EXTENSION_OVERRUN, 1)
        assert batch.faults == (batch.fault,)
        assert "fault at message 1, byte 48" in repr(batch)

    def test_skip_goes_on_behind_faulty_messages(self) -> None:
        """A message whose length holds can be left out, whatever else is wrong with it; all messages are counted."""
        batch = decode(VERSION + GOOD + OVERRUN + OVERRUN + GOOD + VERSION, on_error="skip")
        assert [message.offset for message in batch] == [32, 128]
        assert batch.skipped == 4
        assert batch.fault is batch.faults[0]
        assert [(error.fault, error.message_index, error.good) for error in batch.faults] == [
            (Fault.VERSION, 0, 0),
            (Fault.EXTENSION_OVERRUN, 2, 1),
            (Fault.EXTENSION_OVERRUN, 3, 1),
            (Fault.VERSION, 5, 2),
        ]
        assert "4 skipped" in repr(batch)

    @pytest.mark.parametrize(
        ("lost", "fault"),
        [
            (SHORT + GOOD, Fault.MESSAGE_SHORT),
            (LITTLE.header(0) + GOOD, Fault.MESSAGE_SHORT),
            (LITTLE.header(0xFFFF) + GOOD, Fault.MESSAGE_TRUNCATED),
            (GOOD[:9], Fault.HEADER_TRUNCATED),
            (b"\3" + LITTLE.header(0)[1:] + GOOD, Fault.VERSION),
        ],
        ids=["short", "zero", "beyond", "cut", "version and zero"],
    )
    def test_skip_ends_where_the_length_leads_nowhere(self, lost: bytes, fault: Fault) -> None:
        batch = decode(GOOD + lost, on_error="skip")
        assert (len(batch), batch.skipped) == (1, 1)
        assert [(error.fault, error.message_index) for error in batch.faults] == [(fault, 1)]

    def test_only_so_many_faults_are_kept(self) -> None:
        batch = decode(VERSION * 1000 + GOOD, on_error="skip")
        assert (len(batch), batch.skipped, len(batch.faults)) == (1, 1000, 100)
        assert [error.message_index for error in batch.faults] == list(range(100))

    def test_no_fault_no_trace(self) -> None:
        for on_error in ("raise", "stop", "skip"):
            batch = decode(GOOD, on_error=on_error)
            assert (batch.fault, batch.faults, batch.skipped) == (None, (), 0)

    def test_a_slice_has_no_faults_of_its_own(self) -> None:
        assert decode(GOOD + VERSION, on_error="skip")[:].fault is None

    def test_lengths_are_not_believed(self) -> None:
        """A header that promises half a megabyte costs no memory."""
        tracemalloc.start()
        decode(LITTLE.header(0xFFFF), on_error="stop")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 100_000
