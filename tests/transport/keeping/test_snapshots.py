"""When snapshots are taken, and what they have."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from fastpfkey import requests
from fastpfkey.engine.engine import Engine
from fastpfkey.transport import keeping
from fastpfkey.transport.keeping import Keeper

from .support import DST, KEY, SRC, Start


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
