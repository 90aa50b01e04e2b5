"""Whether this system offers a PF_KEY socket, and if not, what would have to change."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

from .. import spec

PF_KEY_PROTOCOL = 2
"""PF_KEY_V2, the only protocol of the family (RFC 2367, 1.3)."""

_HINTS = {
    errno.EAFNOSUPPORT: "this kernel has no PF_KEY; on Linux load the module af_key (modprobe af_key)",
    errno.EPROTONOSUPPORT: "this kernel has no PF_KEY; on Linux load the module af_key (modprobe af_key)",
    errno.EPERM: "not permitted: run as root or with CAP_NET_ADMIN; in a container grant NET_ADMIN",
    errno.EACCES: "not permitted: run as root",
}


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a PF_KEY socket can be opened here."""

    available: bool
    explanation: str


def af_key() -> Availability:
    """Try to open a PF_KEY socket of the running system's dialect, and close it at once."""
    family = spec.dialect("host").family
    try:
        socket.socket(family, socket.SOCK_RAW, PF_KEY_PROTOCOL).close()
    except OSError as error:
        return Availability(False, _HINTS.get(error.errno or 0, f"socket(2) says: {error.strerror}"))
    return Availability(True, f"a socket of family {family} opens")
