"""Windows: however an input is cut, the messages, their numbers and their faults are the same."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.cli import reading
from fastpfkey.cli.reading import How, Reader
from fastpfkey.spec import dialect
from fastpfkey.spec.model import LONGEST_MESSAGE
from fastpfkey.wire import windows
from fastpfkey.wire.windows import Window

from .conftest import CORPUS, LINUX

MIXED = (CORPUS / "linux-mixed.bin").read_bytes()


class Slow:
    """A stream that gives its bytes in pieces of the sizes wanted, over and over."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data = io.BytesIO(data)
        self.sizes = sizes

    def read1(self, size: int, /) -> bytes:
        self.sizes = [*self.sizes[1:], self.sizes[0]]
        return self.data.read(min(size, self.sizes[0]))


class Given:
    """A source of given windows."""

    name = "given"

    def __init__(self, found: list[Window]) -> None:
        self.found = found

    def windows(self) -> list[Window]:
        return self.found

    def whole(self) -> memoryview:
        return memoryview(b"".join(window.messages for window in self.found))


def check_places(found: list[Window], data: bytes) -> None:
    """Back to back they are the data, and each says where it begins."""
    assert b"".join(window.messages for window in found) == data
    assert [window.offset for window in found] == [
        sum(len(other.messages) for other in found[:number]) for number in range(len(found))
    ]


damaged = st.lists(st.tuples(st.integers(0, len(MIXED) - 1), st.integers(0, 255)), max_size=3)


def damage(places: list[tuple[int, int]], cut: int) -> bytes:
    data = bytearray(MIXED)
    for place, value in places:
        data[place] = value
    return bytes(data[: len(data) - cut])


@given(damaged, st.integers(0, 600), st.lists(st.integers(1, 3000), min_size=1, max_size=5), st.integers(1, 5000))
def test_cuts_change_nothing(places: list[tuple[int, int]], cut: int, sizes: list[int], window: int) -> None:
    data = damage(places, cut)
    linux = dialect("linux")
    whole = pf.decode(data, linux, "little", "skip")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "WINDOW", window)
        lines: list[str] = []
        patch.setattr(reading, "tell", lambda line, *error, **more: lines.append(line))
        patch.setattr(reading, "TOLD", 1000)
        for found in (
            list(windows.of_buffer(memoryview(data), swap=False)),
            list(windows.of_stream(Slow(data, sizes), swap=False)),
        ):
            check_places(found, data)
            lines.clear()
            reader = Reader(How(linux, "little", "skip"))
            portions = list(reader.portions([Given(found)]))
            offsets = [portion.offset + offset for portion in portions for offset in portion.batch.offsets]
            assert offsets == list(whole.offsets)
            assert lines == [f"given: {fault}" for fault in whole.faults]
            assert reader.failed == bool(whole.faults)
            numbers = [number for portion in portions for number in portion.numbers]
            assert sorted([*numbers, *(fault.message_index for fault in whole.faults)]) == list(
                range(len(whole) + whole.skipped)
            )


@pytest.mark.parametrize("on_error", ["raise", "stop"])
def test_the_first_fault_ends_a_source(on_error: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(MIXED * 3)
    data[len(MIXED)] = data[2 * len(MIXED)] = 9
    lines: list[str] = []
    monkeypatch.setattr(reading, "tell", lambda line, *error, **more: lines.append(line))
    source = Given(list(windows.of_buffer(memoryview(data), swap=False)))
    reader = Reader(How(dialect("linux"), "little", on_error))  # type: ignore[arg-type]
    portions = list(reader.portions([source, source]))
    assert sum(len(portion.batch) for portion in portions) == 53 * (2 if on_error == "stop" else 1)
    assert lines == [f"given: message 53, byte {len(MIXED)}: the version is not 2 (PF_KEY_V2)"] * len(portions)


def test_many_faults_are_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = bytes([9, 0, 0, 0, 2, 0]) + bytes(10)
    lines: list[str] = []
    monkeypatch.setattr(reading, "tell", lambda line, *error, **more: lines.append(line))
    monkeypatch.setattr(windows, "WINDOW", 16 * 30)
    source = Given(list(windows.of_buffer(memoryview(bad * 1000), swap=False)))
    list(Reader(How(dialect("linux"), "little", "skip")).portions([source]))
    assert len(lines) == reading.TOLD + 1
    assert lines[19] == "given: message 19, byte 304: the version is not 2 (PF_KEY_V2)"
    assert lines[20] == "given: 1,000 bad messages in all"


def test_a_stream_whose_length_leads_nowhere_is_not_read_to_its_end() -> None:
    endless = Slow(bytes(16) + MIXED * 1000, [1 << 16])
    [window] = windows.of_stream(endless, swap=False)
    assert LONGEST_MESSAGE < len(window.messages) <= LONGEST_MESSAGE + (1 << 17)


def test_a_pipe_is_shown_as_it_arrives() -> None:
    command = [sys.executable, "-m", "fastpfkey", "decode", *LINUX, "--format", "jsonl", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(MIXED[:300])  # one message of 272 bytes and the beginning of the next
        process.stdin.flush()
        assert b'"spi": 32771' in process.stdout.readline()  # the pipe is still open
        process.stdin.write(MIXED[300:])
        process.stdin.close()
        assert len(process.stdout.readlines()) == 52
    assert process.returncode == 0


def test_a_named_pipe_is_read_and_not_mapped(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(MIXED,))
    writer.start()
    check_places(list(windows.of_file(path, swap=False)), MIXED)
    writer.join()


MEASURED = """
import sys
from pathlib import Path
from fastpfkey.cli import main
try:
    main()
finally:
    [peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line]
    print(peak, file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="/proc tells how much memory was used")
@pytest.mark.parametrize("way", ["file", "pipe"])
def test_memory_does_not_grow_with_the_input(way: str, tmp_path: Path) -> None:
    """300 MB are decoded in less than 64 MB more than 14 kB are."""
    times = 300_000_000 // len(MIXED)

    def peak(count: int) -> int:
        command = [sys.executable, "-c", MEASURED, "decode", *LINUX, "--format", "csv", "--columns", "spi"]
        path = tmp_path / "dump.bin"
        if way == "file":
            with path.open("wb") as file:
                file.writelines(MIXED * 100 for _ in range(count // 100))
                file.write(MIXED * (count % 100))
        with (
            (tmp_path / "out.csv").open("wb") as out,
            subprocess.Popen(
                [*command, path if way == "file" else "-"],
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.PIPE,
            ) as process,
        ):
            assert process.stdin
            assert process.stderr
            with process.stdin:
                for _ in range(count if way == "pipe" else 0):
                    process.stdin.write(MIXED)
            told = process.stderr.read()
        assert process.returncode == 0, told
        with (tmp_path / "out.csv").open("rb") as out:
            assert sum(chunk.count(b"\n") for chunk in iter(lambda: out.read(1 << 20), b"")) == 1 + 53 * count
        path.unlink(missing_ok=True)
        return int(told) * 1024

    assert peak(times) < peak(1) + (64 << 20)
