"""Starts unmodified programs with their PF_KEY sockets turned into connections to an engine.

The library that does it is loaded into the program by the dynamic linker, which two kinds of programs do not allow:
those that have no dynamic linker, and those that run with more rights than their caller. Both are told apart before
anything is started, because the linker itself would say nothing.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import struct
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from ..errors import TransportError
from .listening import LONGEST_PATH, settled

ENGINE = "FASTPFKEY_ENGINE"
"""Environment variable that tells the library where the engine's socket is."""

_INTERPRETER = 3
"""Program header of type PT_INTERP: what names the dynamic linker."""

_OTHER = b"\1" if sys.maxsize > 1 << 32 else b"\2"
"""The word size that this process does not have, as ELF files tell it: Linux goes on without the library then."""

_HEAD = 1 << 16
"""Bytes of a program that are looked at: its program headers stand near its beginning."""


def library() -> Path:
    """The library to preload. Raises TransportError where this installation has none."""
    path = Path(__file__).parents[1] / "preload" / f"library{sysconfig.get_config_var('EXT_SUFFIX')}"
    if not sys.platform.startswith("linux"):
        raise TransportError(errno.ENOSYS, f"programs are redirected on Linux only, and this is {sys.platform}")
    if not path.exists():
        raise TransportError(
            errno.ENOENT, "this installation has no library to preload: it is a pure package; install a compiled one"
        )
    return path


def environment(socket: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program whose PF_KEY sockets lead to the engine behind a Unix socket.

    Raises TransportError if the library is missing or the socket's path is too long.
    """
    path = os.fsencode(settled(socket))
    if len(path) > LONGEST_PATH:
        raise TransportError(errno.ENAMETOOLONG, f"{socket}: the path of a socket has {LONGEST_PATH} bytes at most")
    loaded = inherited.get("LD_PRELOAD", "").split(":")
    preload = ":".join(filter(None, [str(library()), *loaded]))
    return {**inherited, "LD_PRELOAD": preload, ENGINE: os.fsdecode(path)}


def program(name: str) -> Path:
    """The program of this name, looked up as a shell does.

    Raises TransportError if there is none, or if it is one that libraries cannot be loaded into.
    """
    found = shutil.which(name)
    if found is None:
        raise TransportError(errno.ENOENT, f"{name}: there is no such program")
    path = Path(found)
    _check(path, name)
    return path


def _check(path: Path, name: str) -> None:
    mode = path.stat().st_mode
    if mode & (stat.S_ISUID | stat.S_ISGID) or _has_capabilities(path):
        raise TransportError(
            errno.EPERM,
            f"{name} runs with the rights of its file (set-uid, set-gid or capabilities), so Linux loads no library "
            "into it; run a copy without them",
        )
    with path.open("rb") as file:
        begin = file.read(_HEAD)
    if begin.startswith(b"#!"):
        interpreter = begin[2:].split(b"\n")[0].split()
        if interpreter and (found := shutil.which(os.fsdecode(interpreter[0]))):
            _check(Path(found), f"{name}, run by {found},")
    elif begin.startswith(b"\x7fELF") and not _is_dynamic(begin):
        raise TransportError(
            errno.ENOEXEC,
            f"{name} is linked statically, so no library can be loaded into it; a dynamic build can be run",
        )
    elif begin.startswith(b"\x7fELF") and begin[4:5] == _OTHER:
        raise TransportError(
            errno.ENOEXEC, f"{name} has another word size than this Python, whose library cannot be loaded into it"
        )


def _has_capabilities(path: Path) -> bool:
    try:
        return bool(os.getxattr(path, "security.capability"))
    except OSError:
        return False


def _is_dynamic(head: bytes) -> bool:
    """Whether an ELF file that begins like this names a dynamic linker. What is no valid file is left to the system."""
    wide, order = head[4:5] == b"\2", "<" if head[5:6] == b"\1" else ">"
    try:
        (table,) = struct.unpack_from(order + ("Q" if wide else "I"), head, 32 if wide else 28)
        size, count = struct.unpack_from(order + "HH", head, 54 if wide else 42)
        kinds = [struct.unpack_from(order + "I", head, table + size * entry)[0] for entry in range(count)]
    except (struct.error, OverflowError):
        return True
    return _INTERPRETER in kinds
