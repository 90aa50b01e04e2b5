"""Files that are written beside their place: what is replaced, what is written where it is, and what errors name."""

from __future__ import annotations

import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from fastpfkey.transport.files import PRIVATE, replacing


def test_a_file_is_there_when_all_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(b"old")
    with replacing(path, private=True) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == PRIVATE
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_bytes(b"old")
    with pytest.raises(TypeError, match="bytes-like"), replacing(path, private=False) as file:
        file.writelines([b"new", "no bytes"])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(path.read_bytes()))
    reader.start()
    with replacing(path, private=True) as file:
        file.write(b"rows")
    reader.join(10)
    assert heard == [b"rows"]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc/self/fd")
def test_a_name_of_a_descriptor_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "redirected"
    path.write_bytes(b"before, ")
    with path.open("ab") as there:
        with replacing(Path(f"/proc/self/fd/{there.fileno()}"), private=False) as file:
            file.write(b"after")
        assert os.fstat(there.fileno()).st_ino == path.stat().st_ino
    assert path.read_bytes() == b"before, after"


def test_a_link_is_replaced_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """Where others may write, a link may be a trap."""
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "table"
    elsewhere.write_bytes(b"precious")
    path.symlink_to(elsewhere)
    with replacing(path, private=True) as file:
        file.write(b"new")
    assert (elsewhere.read_bytes(), path.read_bytes()) == (b"precious", b"new")


@pytest.mark.parametrize("name", ["missing/table", "file/table"])
def test_errors_name_the_file_that_was_wanted(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    path = tmp_path / name
    with pytest.raises(OSError, match=r"directory") as caught, replacing(path, private=False):
        pass
    assert caught.value.filename == str(path)


def test_a_folder_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught, replacing(tmp_path, private=False):
        pass
    assert caught.value.filename == str(tmp_path)
