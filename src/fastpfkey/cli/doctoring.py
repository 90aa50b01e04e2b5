"""`fastpfkey doctor`: what is installed and what this system offers. It works where nothing else does."""

from __future__ import annotations

import importlib.util
import platform
import sys
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import NamedTuple

from .. import spec
from ..errors import BackendError
from ..transport.probe import af_key


class Report(NamedTuple):
    """What was found, by the name under which it is told."""

    findings: dict[str, str]
    usable: bool
    """Whether messages can be decoded."""


def examine() -> Report:
    """Look at this installation and this system."""
    backend, usable = _backend()
    socket = af_key()
    findings = {
        "fastpfkey": metadata.version("fastpfkey"),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}, {sys.byteorder}-endian",
        "numpy": metadata.version("numpy"),
        "backend": backend,
        "compiled modules": _compiled(),
        "host dialect": spec.host_dialect(),
        "AF_KEY": f"{'available' if socket.available else 'not available'}: {socket.explanation}",
    }
    return Report(findings, usable)


def _backend() -> tuple[str, bool]:
    try:
        from ..hotpath import BACKEND, REASON
    except BackendError as error:
        return f"none: {error}", False
    return f"{BACKEND}: {REASON}", True


def _compiled() -> str:
    """Which extension modules are installed beside the Python modules of the hot path."""
    hotpath = importlib.util.find_spec("fastpfkey.hotpath")
    folders = (hotpath and hotpath.submodule_search_locations) or ()
    files = (path for folder in folders for path in Path(folder).iterdir())
    found = sorted(path.name.partition(".")[0] for path in files if path.name.endswith(tuple(EXTENSION_SUFFIXES)))
    return ", ".join(found) or "none"
