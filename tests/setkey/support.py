"""Recorded text, and the text that is printed here."""

from __future__ import annotations

import re
from calendar import timegm
from time import strptime
from typing import Any

from corpus.groundtruth import CORPUS

from fastpfkey import spec
from fastpfkey.setkey.look import Look
from fastpfkey.setkey.printing import Associations, Policies, Printer

LINUX = spec.dialect("linux")

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 58: "ipv6-icmp", 132: "sctp"}
"""Of the machine on which the texts were recorded, as far as they need it."""


def recorded(name: str) -> str:
    """A recorded text."""
    return (CORPUS / name).read_text(encoding="utf-8")


def capture(name: str) -> bytes:
    """The messages of a capture."""
    return (CORPUS / name).read_bytes()


def time_of_printing(text: str) -> int:
    """When a text was printed, as its first association says."""
    found = re.search(r"\tcurrent: (\w.{19})", text)
    assert found is not None
    return timegm(strptime(found[1], "%b %d %H:%M:%S %Y"))


def printed(kind: type[Printer], messages: Any, dialect: str = "linux", **look: Any) -> str:
    """What setkey would print of some messages."""
    printer = kind(spec.dialect(dialect), Look(**look))  # type: ignore[call-arg,arg-type]
    return b"".join(printer.text(messages)).decode()


__all__ = ["LINUX", "PROTOCOLS", "Associations", "Policies", "capture", "printed", "recorded", "time_of_printing"]
