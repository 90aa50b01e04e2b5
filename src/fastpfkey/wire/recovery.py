"""What happens after a fault: raise it, stop before it, or go on behind the message that has it.

Reading into messages and reading into columns share this, so that both count, report and go on alike.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from ..errors import WireError, wire_error
from ..hotpath.contract import Outcome
from ..spec.model import HEADER_SIZE, WORD
from .structs import HostOrder

OnError: TypeAlias = Literal["raise", "stop", "skip"]

MAX_FAULTS = 100
"""Faults that are kept when skipping; further ones are only counted."""

_LENGTH = slice(4, 6)
"""sadb_msg_len in the base header (RFC 2367, 2.1)."""


def resume(buffer: memoryview, start: int, stop: int, byteorder: HostOrder) -> int | None:
    """Where the message behind the faulty one at `start` begins; None if its length does not lead anywhere."""
    if stop - start < HEADER_SIZE:
        return None
    length = int.from_bytes(buffer[start : start + HEADER_SIZE][_LENGTH], byteorder) * WORD
    return start + length if HEADER_SIZE <= length <= stop - start else None


class Recovery:
    """Follows one reading of a buffer, and decides after each outcome of the hot path where to go on."""

    def __init__(self, buffer: memoryview, stop: int, byteorder: HostOrder, on_error: OnError) -> None:
        if on_error not in get_args(OnError):
            raise ValueError(f"on_error is raise, stop or skip, not {on_error!r}")
        self.buffer = buffer
        self.stop = stop
        self.byteorder = byteorder
        self.on_error = on_error
        self.good = 0
        """Messages read."""
        self.skipped = 0
        """Messages left out."""
        self.faults: list[WireError] = []
        """The first MAX_FAULTS faults."""

    def after(self, outcome: Outcome) -> int | None:
        """Where to go on after an outcome; None at the end. Raises the fault if that is what the caller wants."""
        self.good += outcome.count
        if not outcome.fault:
            return outcome.next if outcome.next < self.stop else None
        error = wire_error(outcome.fault, outcome.position, self.good + self.skipped, self.good)
        if self.on_error == "raise":
            raise error
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(error)
        if self.on_error == "stop":
            return None
        self.skipped += 1
        following = resume(self.buffer, outcome.next, self.stop, self.byteorder)
        return following if following is not None and following < self.stop else None
