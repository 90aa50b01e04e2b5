"""Writes a snapshot in a thread of its own, so that whoever takes it does not wait for a disk."""

from __future__ import annotations

import queue
import threading
from pathlib import Path
from typing import BinaryIO

from ..engine.entries import START, Part, forget
from .files import replacing

AHEAD = 2
"""Blocks that may wait to be written."""


class _AbandonedError(Exception):
    """Nobody wants the file any more."""


def write(file: BinaryIO, parts: list[Part]) -> None:
    """Write parts of a snapshot, and overwrite them: they hold keys."""
    try:
        for part in parts:
            file.write(part)
    finally:
        forget(parts)


class Writer:
    """One snapshot on its way to the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ended = False
        """Whether all of it was given."""
        self.error: OSError | None = None
        """Why it will not be in its place."""
        self.written = False
        """Whether it is."""
        self._abandoned = False
        self._blocks: queue.Queue[list[Part] | None] = queue.Queue(AHEAD)
        self._thread = threading.Thread(target=self._run, name="snapshot", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether it cannot be given more at the moment."""
        return self._blocks.full() or (self.ended and self._thread.is_alive())

    @property
    def done(self) -> bool:
        """Whether nothing happens any more."""
        return not self._thread.is_alive()

    def put(self, parts: list[Part]) -> None:
        """Give it some parts, when it is not busy."""
        self._blocks.put(parts)

    def end(self) -> None:
        """There are no more parts."""
        self.ended = True
        self._blocks.put(None)

    def abandon(self) -> None:
        """Leave everything as if it had not begun."""
        self._abandoned = True
        if not self.ended:
            self.end()
        self._thread.join()

    def _run(self) -> None:
        try:
            with replacing(self.path, private=True) as file:
                file.write(START)
                while (parts := self._blocks.get()) is not None:
                    write(file, parts)
                if self._abandoned:
                    raise _AbandonedError
            self.written = True
        except _AbandonedError:
            pass
        except OSError as error:
            self.error = error
            while (parts := self._blocks.get()) is not None:
                forget(parts)
