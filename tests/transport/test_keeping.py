"""What of a served engine is there again after its end, however that came."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.engine.engine import Engine
from fastpfkey.engine.entries import Reader
from fastpfkey.engine.port import Port
from fastpfkey.errors import StateFileError, TransportError
from fastpfkey.transport import journal as journals
from fastpfkey.transport import keeping
from fastpfkey.transport.keeping import Keeper, journal_of
from fastpfkey.transport.serving import Server

SRC, DST = "192.0.2.1", "192.0.2.2"
KEY = bytes(range(100, 116))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "engine.state"


class Kept:
    """An engine with a keeper, used without a server."""

    def __init__(self, path: Path, **how: object) -> None:
        self.told: list[str] = []
        self.engine = Engine("linux", random=Random(5))
        how.setdefault("journal", True)
        self.keeper = Keeper(self.engine, path, tell=self.told.append, **how)  # type: ignore[arg-type]
        self.port: Port = self.engine.connect(os.getpid(), limit=1 << 24)

    def add(self, *spis: int) -> None:
        """A turn of a server in which these come."""
        for spi in spis:
            self.engine.handle(self.port, add(spi))
        self.keeper.commit()

    def delete(self, spi: int) -> None:
        request = requests.delete("ah", spi, SRC, DST, seq=1, pid=os.getpid(), dialect="linux")
        self.engine.handle(self.port, request.encode())
        self.keeper.commit()

    def save(self) -> None:
        """A snapshot, in as many turns as it takes."""
        self.keeper.save()
        self.keeper.commit()
        self.finish_turns()

    def finish_turns(self) -> None:
        """Turns in which nothing comes, until the keeper wants no more of them."""
        while self.keeper.patience() is not None:
            self.keeper.commit()
            time.sleep(0.001)

    @property
    def spis(self) -> set[int]:
        """What a dump shows; each with its key."""
        self.port.receive()
        try:
            self.engine.handle(self.port, requests.dump(dialect="linux", pid=os.getpid()).encode())
        except OSError:
            return set()
        found = pf.decode(self.port.receive(), "linux")
        assert all(each.errno or (each.key_auth and each.key_auth.material.reveal() == KEY) for each in found)
        return {each.sa.spi for each in found if each.sa}

    def killed(self) -> None:
        """As SIGKILL leaves it."""
        self.keeper.close()


@pytest.fixture
def start(path: Path) -> Iterator[Callable[..., Kept]]:
    """Start an engine again, behind the end of the one before."""
    running: list[Kept] = []

    def again(where: Path = path, **how: object) -> Kept:
        for each in running:
            each.killed()
        running.append(Kept(where, **how))
        return running[-1]

    yield again
    for each in running:
        each.killed()


Start = Callable[..., Kept]


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def add(spi: int) -> bytes:
    return requests.add(
        "ah", spi, SRC, DST, auth="md5-hmac", auth_key=KEY, seq=1, pid=os.getpid(), dialect="linux"
    ).encode()


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


class TestSnapshots:
    def test_at_the_end_if_something_changed(self, start: Start, path: Path) -> None:
        kept = start(journal=False)
        kept.keeper.finish()
        assert path.exists()
        before = path.stat().st_mtime_ns
        kept = start(journal=False)
        kept.keeper.finish()
        assert path.stat().st_mtime_ns == before
        kept = start(journal=False)
        kept.add(1000)
        kept.keeper.finish()
        assert start(journal=False).spis == {1000}

    def test_at_the_end_of_one_that_is_on_its_way(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("fastpfkey.engine.snapshot.BLOCK", 10)
        kept = start()
        kept.add(*range(1000, 1100))
        kept.keeper.save()
        kept.add(2000)
        kept.add(2001)
        kept.keeper.finish()
        assert start().spis == {*range(1000, 1100), 2000, 2001}

    def test_every_so_often(self, start: Start, path: Path) -> None:
        now = [100.0]
        kept = start(journal=False, every=60, clock=lambda: now[0])
        kept.add(1000)
        assert kept.keeper.patience() == 60
        now[0] += 59
        kept.keeper.commit()
        assert kept.keeper.patience() == 1
        now[0] += 1
        kept.keeper.commit()
        while kept.keeper.patience() != 60:
            kept.keeper.commit()
        assert path.exists()
        before = path.stat().st_mtime_ns
        now[0] += 60
        kept.keeper.commit()
        assert kept.keeper.patience() == 60
        assert path.stat().st_mtime_ns == before

    def test_one_that_cannot_be_written(self, start: Start, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = start(journal=False)
        kept.add(1000)

        def full(*arguments: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr("fastpfkey.transport.writer.write", full)
            kept.save()
        assert kept.told == [f"no snapshot: {path}: [Errno 28] No space left on device"]
        assert not path.exists()
        kept.save()
        assert start(journal=False).spis == {1000}

    def test_what_ended_meanwhile(self, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = start()
        request = requests.add(
            "ah", 1000, SRC, DST, auth="md5-hmac", auth_key=KEY, hard=100, soft=50, pid=os.getpid(), dialect="linux"
        )
        kept.engine.handle(kept.port, request.encode())
        kept.add(1001)
        wall = keeping.time.time
        monkeypatch.setattr("fastpfkey.engine.engine.time.time", lambda: wall() + 500)
        kept.killed()
        engine = Engine("linux", wall=lambda: wall() + 500)
        told: list[str] = []
        keeper = Keeper(engine, kept.keeper.path, journal=True, tell=told.append)
        assert (len(engine), told) == (1, ["1 associations ended while nobody served them"])
        keeper.commit()
        keeper.close()
        again = start()
        assert again.spis == {1001}
        again.add(1000)
        assert start().spis == {1000, 1001}


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
