"""What a crash leaves between two steps, and files that are damaged or in the wrong place."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fastpfkey.engine.entries import Reader
from fastpfkey.errors import StateFileError, TransportError
from fastpfkey.transport.keeping import journal_of

from .support import Kept, Start, names


class TestCrashPoints:
    """The folder as a crash leaves it at each step of a snapshot."""

    @pytest.fixture
    def steps(self, start: Start, path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[Path, set[int]]]:
        """Copies of the folder, and what has to be in them."""
        kept = start()
        kept.add(1000, 1001)
        kept.save()
        kept.add(1002)
        kept.delete(1000)
        found: dict[str, tuple[Path, set[int]]] = {}

        def copy(name: str) -> None:
            target = path.parent.parent / f"{path.parent.name}-{name}"
            shutil.copytree(path.parent, target)
            found[name] = (target / path.name, {1001, 1002})

        replace = Path.replace

        def watched(source: Path, target: Path) -> Path:
            which = "journal" if "journal" in target.name else "snapshot"
            copy(f"before the {which} is renamed")
            result = replace(source, target)
            copy(f"behind the {which}'s renaming")
            return result

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", watched)
            kept.save()
        assert len(found) == 4
        return found

    @pytest.mark.parametrize("step", range(4))
    def test_nothing_is_lost(self, steps: dict[str, tuple[Path, set[int]]], start: Start, step: int) -> None:
        path, expected = list(steps.values())[step]
        kept = start(path)
        assert kept.spis == expected
        kept.add(4000)
        assert names(path) == ["engine.state", "engine.state.journal", "engine.state.lock"]
        kept = start(path)
        assert kept.spis == expected | {4000}
        kept.save()
        assert start(path).spis == expected | {4000}


class TestDamage:
    def test_an_end_that_was_not_finished(self, start: Start, path: Path) -> None:
        kept = start()
        kept.add(1000)
        size = journal_of(path).stat().st_size
        kept.add(1001)
        kept.killed()
        whole = journal_of(path).read_bytes()
        for end in range(size, len(whole)):
            journal_of(path).write_bytes(whole[:end])
            again = Kept(path)
            assert again.spis == {1000}
            assert bool(again.told) == (end > size)
            assert journal_of(path).stat().st_size == size
            again.killed()
        journal_of(path).write_bytes(whole[:size] + bytes(5000))  # room that was never written to
        assert start().spis == {1000}

    def test_it_is_written_on_behind_the_cut(self, start: Start, path: Path) -> None:
        kept = start()
        kept.add(1000)
        kept.add(1001)
        kept.killed()
        whole = journal_of(path).read_bytes()
        journal_of(path).write_bytes(whole[:-3])
        start().add(1002)
        assert start().spis == {1000, 1002}

    def test_something_in_the_middle(self, start: Start, path: Path) -> None:
        kept = start()
        for spi in range(1000, 1005):
            kept.add(spi)
        kept.killed()
        whole = journal_of(path).read_bytes()
        entries = list(Reader(path, memoryview(whole)))
        victim = entries[2]
        for place in (victim.offset - 20, victim.offset, victim.offset + 100):
            changed = bytearray(whole)
            changed[place] ^= 0x40
            journal_of(path).write_bytes(changed)
            with pytest.raises(StateFileError, match="checksum") as caught:
                start()
            assert entries[1].end <= caught.value.offset <= place
            assert str(caught.value).startswith(str(journal_of(path)))
        begin = entries[1].end
        journal_of(path).write_bytes(whole[:begin] + whole[victim.end :])
        with pytest.raises(StateFileError, match="entry 2 stands where 1 should"):
            start()

    def test_a_snapshot_that_is_older_than_the_journal(self, start: Start, path: Path) -> None:
        kept = start()
        kept.add(1000)
        kept.save()
        shutil.copy(path, path.with_name("old"))
        kept.add(1001)
        kept.save()
        kept.add(1002)
        kept.killed()
        shutil.copy(path.with_name("old"), path)
        with pytest.raises(StateFileError, match="goes on from a later snapshot"):
            start()
        path.unlink()
        with pytest.raises(StateFileError, match="goes on from a later snapshot"):
            start()

    def test_a_journal_of_another(self, start: Start, path: Path, tmp_path: Path) -> None:
        other = tmp_path / "other.state"
        start(other).add(1)
        kept = start()
        kept.add(1000)
        kept.save()
        kept.killed()
        shutil.copy(journal_of(other), journal_of(path))
        with pytest.raises(StateFileError, match="journal of another engine"):
            start()

    def test_files_in_each_others_place(self, start: Start, path: Path) -> None:
        kept = start()
        kept.add(1000)
        kept.save()
        kept.killed()
        shutil.copy(path, journal_of(path))
        with pytest.raises(StateFileError, match="this is no journal"):
            start()
        journal_of(path).write_bytes(b"")
        with pytest.raises(StateFileError, match="this is no state of an engine"):
            start()

    def test_nobody_else_has_it(self, start: Start, path: Path) -> None:
        start()
        with pytest.raises(TransportError, match="another engine keeps its state there"):
            Kept(path)

    def test_a_folder_that_is_not_there(self, path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            Kept(path.parent / "nowhere" / "state")
