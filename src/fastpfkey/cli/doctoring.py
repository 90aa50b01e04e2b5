"""`fastpfkey doctor`: what is installed and what this system offers."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib import metadata

from .. import hotpath, spec
from ..errors import BackendError
from ..transport.probe import af_key


def report() -> Iterator[tuple[str, str]]:
    """Names and findings, in the order in which they are told."""
    yield "fastpfkey", metadata.version("fastpfkey")
    yield "Python", f"{platform.python_implementation()} {platform.python_version()} on {platform.system()}"
    yield "NumPy", metadata.version("numpy")
    yield "backend", f"{hotpath.BACKEND} ({hotpath.REASON})"
    yield "compiled modules", _compiled()
    yield "host dialect", spec.host_dialect()
    found = af_key()
    yield "AF_KEY", f"{'available' if found.available else 'not available'}: {found.explanation}"


def _compiled() -> str:
    try:
        hotpath.load("compiled")
    except BackendError as error:
        return str(error)
    return "installed"
