"""The hot path: bytes in, the caller's arrays out. The only twinned code; this module alone chooses a twin.

`FASTPFKEY_BACKEND=compiled|reference` is obeyed or raises BackendError. Unset, the compiled modules are taken where
they are installed; a pure wheel has none and falls back. A compiled module that exists but does not load raises, it is
never skipped.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from types import ModuleType

from ..errors import BackendError
from .contract import HotPath, Lease, Outcome, Rendered, Slabs

__all__ = [
    "BACKEND",
    "BACKENDS",
    "REASON",
    "HotPath",
    "Lease",
    "Outcome",
    "Rendered",
    "Slabs",
    "build",
    "classify",
    "copy_records",
    "decode",
    "follow",
    "gather",
    "hop",
    "load",
    "pack",
    "render",
    "slabs",
    "walk",
    "wipe",
]

BACKENDS = ("compiled", "reference")


class _Package(ModuleType):
    """A package whose functions are not hidden by the modules in it.

    Some compiled modules are named as the function that they hold, and importing a module sets it in its package. With
    the other backend that comes late: when both twins are loaded, or another program's extension imports one.
    """

    def __setattr__(self, name: str, value: object) -> None:
        hides = isinstance(value, ModuleType) and callable(self.__dict__.get(name))
        if not hides:
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def load(backend: str) -> HotPath:
    """The twin of this name. Raises BackendError if it is unavailable or fails to load."""
    if backend not in BACKENDS:
        raise BackendError(f"FASTPFKEY_BACKEND is {' or '.join(BACKENDS)}, not {backend!r}")
    try:
        module: HotPath = importlib.import_module(f"{__name__}.{backend}")
    except ImportError as error:
        raise BackendError(f"the {backend} backend does not load: {error}") from error
    return module


def _choose() -> tuple[str, str]:
    wanted = os.environ.get("FASTPFKEY_BACKEND")
    if wanted:
        return wanted, "FASTPFKEY_BACKEND asks for it"
    if importlib.util.find_spec(f"{__name__}.walk") is None:
        return "reference", "this installation has no compiled modules"
    return "compiled", "the compiled modules are installed"


BACKEND, REASON = _choose()
"""Name of the live twin, and why it is that one."""

_twin = load(BACKEND)
walk = _twin.walk
decode = _twin.decode
follow = _twin.follow
hop = _twin.hop
gather = _twin.gather
pack = _twin.pack
slabs = _twin.slabs
wipe = _twin.wipe
render = _twin.render
copy_records = _twin.copy_records
classify = _twin.classify
build = _twin.build
