"""Files that are there whole or not at all, and that nobody else reads while they hold secrets."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

PRIVATE = 0o600


@contextmanager
def replacing(path: Path, *, private: bool) -> Iterator[BinaryIO]:
    """A file to be written that takes the place of `path` when all went well, and otherwise never was there.

    It is written in the same folder under another name, forced to disk and renamed. A private one has mode 0600 from
    its first byte; another has what the umask leaves of 0666, as any new file. A device, a pipe or a name of a
    descriptor, such as /dev/stdout, is no file to be replaced: it is written to. Raises OSError, which names `path`.
    """
    if _stays(path):
        with path.open("ab") as file:  # what is redirected to a file goes behind what is there
            yield file
        return
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
    except OSError as error:
        error.filename = str(path)
        raise
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if not private:
                os.fchmod(descriptor, 0o666 & ~_umask())
            yield file
            file.flush()
            os.fsync(descriptor)
        beside.replace(path)
        settle(path.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            beside.unlink()
        raise


def _stays(path: Path) -> bool:
    """Whether this names something that lives on when it is written to; it is looked at through links.

    Links of /dev and /proc lead to a process's descriptors. Any other link is itself replaced: where others may write,
    they may have made it.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return True
        return path.is_symlink() and path.parent.resolve().parts[1:2] in (("dev",), ("proc",))
    except OSError:
        return False  # it is not there, or will be told of


def settle(folder: Path) -> None:
    """Force to disk what names a folder has: a file that was renamed has its old name until then. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    """The process's umask, which cannot be read without being set."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
