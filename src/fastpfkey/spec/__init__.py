"""Facts about PF_KEYv2 as data: canonical terms, layouts, dialects, and the plans that the hot path follows.

`dialect(name)` is the way in. Dialect modules load when they are asked for.
"""

from __future__ import annotations

import functools
import importlib
import sys

from .model import Dialect

DIALECTS = ("rfc2367", "linux", "freebsd", "netbsd", "openbsd", "macos", "illumos")
"""Names of the dialects, in the order in which they are offered."""

_PLATFORMS = {
    "linux": "linux",
    "freebsd": "freebsd",
    "netbsd": "netbsd",
    "openbsd": "openbsd",
    "darwin": "macos",
    "sunos": "illumos",
}


def host_dialect() -> str:
    """Name of the running system's dialect; `rfc2367` on a system that has none of its own."""
    return next((name for prefix, name in _PLATFORMS.items() if sys.platform.startswith(prefix)), "rfc2367")


def dialect(name: str | Dialect = "host") -> Dialect:
    """The dialect of this name; "host" is the running system's. A Dialect passes through.

    Raises ValueError with the known names for a name that is none of them.
    """
    return name if isinstance(name, Dialect) else _load(host_dialect() if name == "host" else name)


@functools.cache
def _load(name: str) -> Dialect:
    if name not in DIALECTS:
        raise ValueError(f"unknown dialect {name!r}; known are host, {', '.join(DIALECTS)}")
    found: Dialect = importlib.import_module(f".{name}", __name__).DIALECT
    return found
