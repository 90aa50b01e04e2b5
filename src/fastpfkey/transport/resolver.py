"""Names as the running system resolves them: hosts, services, protocols and interfaces."""

from __future__ import annotations

import socket
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from ..spec.protocols import PROTOCOLS

PROTOCOLS_FILE = Path("/etc/protocols")
"""Where the names of protocols are, by their numbers; the system has a function for one direction only."""

MOST_INTERFACES = 4096
"""Interfaces with larger numbers go without a name."""


class System:
    """The running system's names. Functions raise LookupError for a name that nobody knows."""

    def hosts(self, name: str) -> list[IPv4Address | IPv6Address]:
        """The addresses of a host, each once."""
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_RAW)
        except (OSError, UnicodeError):
            raise LookupError(name) from None
        return list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))

    def service(self, name: str) -> int:
        """The port of a service."""
        try:
            return socket.getservbyname(name)
        except (OSError, UnicodeError, ValueError):
            raise LookupError(name) from None

    def protocol(self, name: str) -> int:
        """The number of a protocol."""
        try:
            return socket.getprotobyname(name)
        except (OSError, UnicodeError, ValueError):
            return PROTOCOLS[name]

    def interface(self, name: str) -> int:
        """The number of an interface."""
        try:
            return socket.if_nametoindex(name)
        except (OSError, UnicodeError, ValueError):
            raise LookupError(name) from None


@lru_cache(maxsize=1)
def protocols() -> dict[int, str]:
    """Names of protocols by number; none where the system has no list."""
    try:
        lines = PROTOCOLS_FILE.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    found: dict[int, str] = {}
    for line in lines:
        words = line.partition("#")[0].split()
        if len(words) >= 2 and words[1].isascii() and words[1].isdigit() and int(words[1]) < 256:
            found.setdefault(int(words[1]), words[0])
    return found


def interfaces() -> dict[int, str]:
    """Names of interfaces by number."""
    try:
        return {number: name for number, name in socket.if_nameindex() if number < MOST_INTERFACES}
    except OSError:
        return {}
