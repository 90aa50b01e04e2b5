"""What was committed to a journal is there after any end."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import threading
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey.engine.engine import Engine
from fastpfkey.errors import TransportError
from fastpfkey.transport import journal as journals
from fastpfkey.transport import keeping
from fastpfkey.transport.keeping import Keeper, journal_of
from fastpfkey.transport.serving import Server

from .support import DST, KEY, SRC, Kept, Start, add, names


class TestJournal:
    def test_what_was_committed_is_there(self, start: Start) -> None:
        kept = start()
        kept.add(1000, 1001)
        kept.add(1002)
        kept.delete(1001)
        kept.engine.handle(kept.port, add(1003))  # never committed, so never answered
        assert start().spis == {1000, 1002}

    def test_it_goes_on_over_any_number_of_restarts(self, start: Start) -> None:
        expected = set()
        for spi in range(1000, 1010):
            kept = start()
            assert kept.spis == expected
            kept.add(spi)
            expected.add(spi)
            if spi % 4 == 0:
                kept.save()
        assert start().spis == expected

    def test_files_are_their_owners(self, start: Start, path: Path) -> None:
        kept = start()
        kept.add(1000)
        kept.save()
        assert names(path) == ["engine.state", "engine.state.journal", "engine.state.lock"]
        assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}

    def test_a_snapshot_makes_it_short(self, start: Start, path: Path) -> None:
        kept = start()
        empty = journal_of(path).stat().st_size
        kept.add(*range(1000, 1100))
        assert journal_of(path).stat().st_size > empty + 100 * 200
        kept.save()
        assert journal_of(path).stat().st_size < empty + 10
        kept.add(5000)
        assert start().spis == {*range(1000, 1100), 5000}

    def test_it_is_short_again_by_itself(self, start: Start, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(keeping, "GROWTH", 10_000)
        kept = start()
        kept.add(*range(1000, 1100))
        kept.finish_turns()
        assert path.exists()
        assert journal_of(path).stat().st_size < 10_000
        assert start().spis == set(range(1000, 1100))

    def test_entries_while_a_snapshot_is_written(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        """They are in the journal whether the snapshot comes to its place or not."""
        monkeypatch.setattr("fastpfkey.engine.snapshot.BLOCK", 10)
        kept = start()
        kept.add(*range(1000, 1100))
        kept.keeper.save()
        expected = set(range(1000, 1100))
        for spi in range(2000, 2012):
            kept.add(spi)
            kept.delete(spi - 1000)
            expected ^= {spi, spi - 1000}
            if spi == 2005:
                folder = kept.keeper.path.parent / "copy"
                folder.mkdir()
                for name in ("engine.state", "engine.state.journal"):
                    if (kept.keeper.path.parent / name).exists():
                        shutil.copy(kept.keeper.path.parent / name, folder / name)
                then = set(expected)
        kept.finish_turns()
        kept.add(3000)
        assert start(folder / "engine.state").spis == then
        assert start().spis == expected | {3000}

    def test_it_cannot_be_written(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = start()
        kept.add(1000)

        def full(*arguments: object) -> int:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(journals.os, "writev", full)
            with pytest.raises(TransportError, match=r"engine.state.journal: No space left on device: the engine stop"):
                kept.add(1001)
        assert start().spis == {1000}

    def test_without_one_the_last_snapshot_counts(self, start: Start, path: Path) -> None:
        kept = start(journal=False)
        kept.add(1000)
        kept.save()
        kept.add(1001)
        assert not journal_of(path).exists()
        assert start(journal=False).spis == {1000}

    def test_with_and_without_in_turns(self, start: Start, path: Path) -> None:
        start().add(1000)
        kept = start(journal=False)
        assert kept.spis == {1000}
        kept.add(1001)
        kept.save()
        assert not journal_of(path).exists()
        kept = start()
        assert kept.spis == {1000, 1001}
        kept.add(1002)
        kept = start(journal=False)
        kept.add(1003)
        assert start().spis == {1000, 1001, 1002}


def test_a_server_keeps_what_it_answers(tmp_path: Path, path: Path) -> None:
    """And its snapshot is taken while clients are served."""
    engine = Engine("linux")
    keeper = Keeper(engine, path, journal=True, every=0.05)
    server = Server(engine, tmp_path / "socket", keeper=keeper)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        with pf.Client.open(f"unix:{tmp_path / 'socket'}") as client:
            for spi in range(1000, 1100):
                client.add("ah", spi, SRC, DST, auth="md5-hmac", auth_key=KEY)
    finally:
        server.stop()
        thread.join()
        keeper.close()
    again = Kept(path)
    assert again.spis == set(range(1000, 1100))
    again.killed()
