"""`fastpfkey decode`: what a capture holds, in four formats, and what it says about bad files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from .conftest import CORPUS, LINUX, Run


def index(name: str) -> list[dict[str, str]]:
    """The rows of the index that was written when the capture was made."""
    with (CORPUS / f"{name}.idx.tsv").open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize(
    "name", ["linux-mixed.bin", "linux-policies.bin", "linux-events.bin", "linux-register-esp.bin"]
)
def test_jsonl_has_the_messages_of_the_index(run: Run, name: str) -> None:
    done = run("decode", *LINUX, "--format", "jsonl", CORPUS / name)
    assert (done.returncode, done.stderr) == (0, b"")
    found = [json.loads(line) for line in done.stdout.splitlines()]
    wanted = index(name)
    assert [(item["offset"], item["length"], item["seq"], item["pid"], item["errno"]) for item in found] == [
        tuple(int(row[field]) for field in ("offset", "bytes", "seq", "pid", "errno")) for row in wanted
    ]
    assert [item["message"] for item in found] == list(range(len(wanted)))


def test_json_is_one_array_of_the_same(run: Run) -> None:
    array = json.loads(run("decode", *LINUX, "--format", "json", CORPUS / "linux-mixed.bin").stdout)
    lines = run("decode", *LINUX, "--format", "jsonl", CORPUS / "linux-mixed.bin").stdout.splitlines()
    assert array == [json.loads(line) for line in lines]
    assert json.loads(run("decode", *LINUX, "--format", "json", "-").stdout) == []


def test_csv_has_the_columns_asked_for(run: Run) -> None:
    done = run("decode", *LINUX, "--format", "csv", "--columns", "spi,src,state", CORPUS / "linux-mixed.bin")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert len(rows) == len(index("linux-mixed.bin"))
    assert rows[0] == {"spi": str(0x8003), "src": "10.8.0.1", "state": "dying"}  # first lines of linux-mixed.setkey.txt


def test_text_is_for_people(run: Run) -> None:
    text = run("decode", *LINUX, CORPUS / "linux-mixed.bin").stdout.decode()
    assert text.startswith("0 dump esp seq 1 pid 1159, 272 bytes at 0\n    sa ")
    assert "spi 0x00008003" in text


def test_standard_input_is_read_in_pieces(run: Run, mixed: bytes) -> None:
    many = mixed * 2000  # 28 MB: more than a window, which ends inside a message
    done = run("decode", *LINUX, "--format", "csv", "--columns", "message_offset,spi", "-", stdin=many)
    rows = list(csv.reader(io.StringIO(done.stdout.decode())))[1:]
    once = [int(row["offset"]) for row in index("linux-mixed.bin")]
    assert [int(row[0]) for row in rows] == [copy * len(mixed) + offset for copy in range(2000) for offset in once]


class TestBadFiles:
    """One line naming file, message, byte and reason; everything before it is printed; status 1."""

    def test_a_truncated_file(self, run: Run, mixed: bytes, tmp_path: Path) -> None:
        path = tmp_path / "cut.bin"
        path.write_bytes(mixed[:500])  # the third message, at 496, has 4 of its 192 bytes
        done = run("decode", *LINUX, "--format", "jsonl", path)
        assert done.returncode == 1
        assert [json.loads(line)["offset"] for line in done.stdout.splitlines()] == [0, 272]
        assert done.stderr.decode() == (
            f"fastpfkey: {path}: message 2, byte 496: fewer than 16 bytes are left for a message header\n"
        )

    @pytest.mark.parametrize("columns", [(), ("--columns", "message_offset")])
    def test_skip_goes_on(self, run: Run, mixed: bytes, tmp_path: Path, columns: tuple[str, ...]) -> None:
        broken = bytearray(mixed)
        broken[272] = 9  # the version of the second message
        path = tmp_path / "broken.bin"
        path.write_bytes(broken)
        form = "csv" if columns else "jsonl"
        done = run("decode", *LINUX, "--format", form, *columns, "--on-error", "skip", path)
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == 52 + bool(columns)
        assert done.stderr.decode() == f"fastpfkey: {path}: message 1, byte 272: the version is not 2 (PF_KEY_V2)\n"

    def test_faults_beyond_the_first_window_have_their_place(self, run: Run, mixed: bytes) -> None:
        many = bytearray(mixed * 1500)
        many[1400 * len(mixed)] = 1
        done = run("decode", *LINUX, "--format", "csv", "--columns", "spi", "-", stdin=bytes(many))
        assert done.returncode == 1
        assert len(done.stdout.splitlines()) == 1 + 1400 * 53
        place = f"message {1400 * 53}, byte {1400 * len(mixed)}"
        assert done.stderr.decode() == f"fastpfkey: standard input: {place}: the version is not 2 (PF_KEY_V2)\n"

    def test_a_length_that_leads_nowhere_ends_the_input(self, run: Run, mixed: bytes) -> None:
        done = run("decode", *LINUX, "--on-error", "skip", "-", stdin=b"\x02\x0a" + bytes(14) + mixed * 50)
        assert done.returncode == 1
        assert done.stdout == b""
        assert b"message 0, byte 4: the message length is shorter than its 16-byte header" in done.stderr

    def test_strict_refuses_unknown_extensions(self, run: Run) -> None:
        message = b"\x02\x0a\x00\x00\x03\x00" + bytes(10) + b"\x01\x00\xc8\x00" + bytes(4)
        assert run("decode", *LINUX, "-", stdin=message).returncode == 0
        assert run("decode", *LINUX, "--strict", "-", stdin=message).returncode == 1

    def test_no_such_file(self, run: Run, tmp_path: Path) -> None:
        done = run("decode", *LINUX, tmp_path / "none")
        assert done.returncode == 1
        assert done.stderr.startswith(b"fastpfkey: ")
        assert b"Traceback" not in done.stderr

    def test_no_such_column(self, run: Run) -> None:
        done = run("decode", *LINUX, "--columns", "spy", CORPUS / "linux-mixed.bin")
        assert done.returncode == 2
        assert b"no column 'spy'" in done.stderr

    @pytest.mark.parametrize(("on_error", "shown"), [("raise", 0), ("stop", 53), ("skip", 53)])
    def test_the_next_file(self, run: Run, tmp_path: Path, on_error: str, shown: int) -> None:
        """One that is missing, or whose first message is bad, keeps the next from being shown by default only."""
        path = tmp_path / "bad.bin"
        path.write_bytes(bytes(16))
        for first in (path, tmp_path / "none"):
            files = (first, CORPUS / "linux-mixed.bin")
            done = run("decode", *LINUX, "--on-error", on_error, "--format", "jsonl", *files)
            assert done.returncode == 1
            assert done.stderr.startswith(f"fastpfkey: {first}: ".encode())
            assert len(done.stdout.splitlines()) == shown


def test_several_files_are_told_apart(run: Run) -> None:
    files = [CORPUS / "linux-register-ah.bin", CORPUS / "linux-register-esp.bin"]
    lines = run("decode", *LINUX, "--format", "jsonl", *files).stdout.splitlines()
    assert [(item["file"], item["message"]) for item in map(json.loads, lines)] == [(str(path), 0) for path in files]
    rows = list(csv.DictReader(io.StringIO(run("decode", *LINUX, "--format", "csv", *files).stdout.decode())))
    assert {(row["file"], row["satype"]) for row in rows} == {(str(files[0]), "ah"), (str(files[1]), "esp")}
    text = run("decode", *LINUX, *files).stdout.decode()
    assert [line for line in text.splitlines() if not line.startswith(" ")] == [
        f"{path}: 0 register {name} seq 0 pid {index(path.name)[0]['pid']}, 176 bytes at 0"
        for path, name in zip(files, ("ah", "esp"), strict=True)
    ]


def test_nothing_has_names_and_no_rows(run: Run) -> None:
    assert run("decode", *LINUX, "--format", "csv", "--columns", "spi,src", "-").stdout == b"spi,src\n"
    assert run("decode", *LINUX, "--columns", "spi,src", "-").stdout == b"spi  src\n"
    assert run("decode", *LINUX, "-").stdout == b""


def test_an_errno_has_the_name_that_the_capturing_system_gives_it(run: Run) -> None:
    path = CORPUS / "linux-policies-with-ro.bin"
    assert b" errno 22 (EINVAL), 16 bytes at 0\n" in run("decode", *LINUX, path).stdout
    unheard = bytearray(path.read_bytes())
    unheard[2] = 250
    assert b" errno 250, 16 bytes at 0\n" in run("decode", *LINUX, "-", stdin=bytes(unheard)).stdout
