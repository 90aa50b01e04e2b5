"""Opening a PF_KEY socket of the running system, and if there is none, what would have to change."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass

from .. import spec
from ..errors import TransportError
from ..spec.model import PF_KEY_V2, Dialect

_UNSUPPORTED = "this kernel has no PF_KEY"
_HINTS = {
    ("linux", errno.EAFNOSUPPORT): f"{_UNSUPPORTED}: load its module (modprobe af_key; for a container, on its host);"
    " a kernel built without CONFIG_NET_KEY cannot have it",
    ("linux", errno.EPERM): "not permitted: run as root or with the capability CAP_NET_ADMIN (in a container:"
    " --cap-add NET_ADMIN; in a user namespace: with a network namespace of its own)",
    ("freebsd", errno.EAFNOSUPPORT): f"{_UNSUPPORTED}: load its module (kldload ipsec)",
    ("freebsd", errno.EPROTONOSUPPORT): f"{_UNSUPPORTED}: load its module (kldload ipsec)",
    ("netbsd", errno.EAFNOSUPPORT): f"{_UNSUPPORTED}: it has to be built with options IPSEC",
}
"""By dialect and errno, where there is more to say than for any system."""

_COMMON_HINTS = {
    errno.EAFNOSUPPORT: _UNSUPPORTED,
    errno.EPROTONOSUPPORT: _UNSUPPORTED,
    errno.EPERM: "not permitted: run as root",
    errno.EACCES: "not permitted: run as root",
}


def hint(dialect: str, number: int) -> str:
    """What an errno of opening a PF_KEY socket asks for on this system; the system's own words if nothing is known."""
    return _HINTS.get((dialect, number)) or _COMMON_HINTS.get(number) or f"socket(2) says: {os.strerror(number)}"


def open_socket(dialect: Dialect) -> socket.socket:
    """A PF_KEY socket of a running system. Raises TransportError, whose text says what would have to change."""
    try:
        return socket.socket(dialect.family, socket.SOCK_RAW, PF_KEY_V2)
    except OSError as error:
        number = error.errno or 0
        raise TransportError(number, hint(dialect.name, number)) from error


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a PF_KEY socket can be opened here."""

    available: bool
    explanation: str


def af_key() -> Availability:
    """Try to open a PF_KEY socket of the running system's dialect, and close it at once."""
    dialect = spec.dialect("host")
    try:
        open_socket(dialect).close()
    except TransportError as error:
        return Availability(False, error.strerror or "")
    return Availability(True, f"a socket of family {dialect.family} opens")
