"""What an engine's server tells its clients beside PF_KEY: who it is, that messages were lost, that one was refused.

A client that knows of notices asks for them with `HELLO`; any other sees PF_KEY and nothing else. A notice is a packet
of plain words, which no PF_KEY message is, for these begin with their version.
"""

from __future__ import annotations

from typing import NamedTuple

MARK = b"fastpfkey "
HELLO = MARK + b"1"
"""First packet of a client that wants notices. The answer is the welcome."""

LONGEST = 256
"""Bytes of a notice at most."""


class Notice(NamedTuple):
    """One notice."""

    word: str
    value: str

    @property
    def number(self) -> int:
        """The value as a number, 0 if it is none."""
        return int(self.value) if self.value.isascii() and self.value.isdigit() else 0


WELCOME = "dialect"
"""The first notice; its value is the dialect that the engine speaks."""
LOST = "lost"
"""Messages did not find room in the client's queue; the value says how many."""
REFUSED = "refused"
"""The engine did not take a message; the value is the errno with which a kernel's send() would have failed."""


def pack(word: str, value: str | int) -> bytes:
    """A notice as a packet."""
    return MARK + f"{word} {value}".encode("ascii")


def unpack(packet: bytes | memoryview) -> Notice | None:
    """The notice in a packet; None if it is none."""
    if len(packet) > LONGEST or bytes(packet[: len(MARK)]) != MARK:
        return None
    word, _, value = bytes(packet[len(MARK) :]).decode("ascii", "replace").partition(" ")
    return Notice(word, value)
