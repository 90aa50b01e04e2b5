"""Which system wrote a buffer, and in which byte order: by reading the start of it as each of them would.

PF_KEY has no mark that names its system, but its bytes seldom make sense to another one. A reading fits better the more
of the bytes it can use, and of two that can use the same, the one that finds fewer flaws: a reserved byte that is set,
an sa_len that is wrong, an extension longer than its structure, a message that the system's grammar forbids. What two
systems write alike stays ambiguous, and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from ..errors import DetectionError, EncodeError, LimitError, TruncatedError, WireError
from ..spec import DIALECTS
from ..spec import dialect as find_dialect
from .batch import read
from .dialects import codec
from .memory import byte_view
from .message import MessageView
from .rules import check
from .structs import HostOrder

if TYPE_CHECKING:
    from typing_extensions import Buffer

SAMPLE = 1 << 16
"""Bytes from the start of the buffer that are read; a message has fewer than eight times as many."""

MESSAGES = 100
"""Messages that are looked at closely."""

NO_SYSTEM = "rfc2367"
"""The common core: what fits a system may fit it too, and says nothing against the system."""

SHOWN = 3
"""Flaws of a reading that its evidence quotes."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One dialect and byte order that a buffer can be read with."""

    dialect: str
    byteorder: HostOrder
    messages: int
    """Messages of the sample that can be read."""
    unread: int
    """Bytes of the sample that cannot."""
    flaws: int
    """What a system of this dialect would not have written."""
    evidence: tuple[str, ...]
    """The above in words, with the first flaws."""

    @property
    def rank(self) -> tuple[int, int]:
        """Smaller is better; of the same rank are those that cannot be told apart."""
        return self.unread, self.flaws


@dataclass(frozen=True, slots=True)
class Detection:
    """What a buffer can be."""

    candidates: tuple[Candidate, ...]
    """The best first; of the same rank, systems before the plain RFC."""

    @property
    def best(self) -> tuple[Candidate, ...]:
        """The candidates that nothing is better than; more than one if they cannot be told apart."""
        return tuple(item for item in self.candidates if item.rank == self.candidates[0].rank)

    @property
    def certain(self) -> bool:
        """Whether one system alone fits best. The plain RFC beside it does not count, which every system contains."""
        best = self.best
        return len(best) == 1 or sum(item.dialect != NO_SYSTEM for item in best) == 1

    @property
    def dialect(self) -> str:
        """Name of the dialect. Raises DetectionError if it is not certain."""
        return self._certain().dialect

    @property
    def byteorder(self) -> HostOrder:
        """The byte order, which may be certain where the dialect is not. Raises DetectionError if it is not."""
        orders = {item.byteorder for item in self.best}
        return orders.pop() if len(orders) == 1 else self._certain().byteorder

    def _certain(self) -> Candidate:
        if not self.certain:
            names = [f"{item.dialect} ({item.byteorder}-endian)" for item in self.best]
            raise DetectionError(f"it may be {', '.join(names)}" if names else "no dialect fits", tuple(names))
        return self.candidates[0]


def detect(buffer: Buffer, byteorder: HostOrder | None = None) -> Detection:
    """Find the dialects and byte orders that a buffer of messages can be read with, from its first 64 KiB.

    With `byteorder`, "little" or "big", in that order alone. Raises TypeError or BufferError for a buffer without
    contiguous bytes.
    """
    memory = byte_view(buffer)
    orders = get_args(HostOrder) if byteorder is None else (byteorder,)
    found = [_reading(memory, name, order) for name in DIALECTS for order in orders]
    fitting = [item for item in found if item.messages]
    return Detection(tuple(sorted(fitting, key=lambda item: (item.rank, item.dialect == NO_SYSTEM))))


def _reading(memory: memoryview, name: str, order: HostOrder) -> Candidate:
    sample = memory[:SAMPLE]
    batch = read(sample, codec(find_dialect(name), order), "skip", strict=True)
    faults = [error for error in batch.faults if not (isinstance(error, TruncatedError) and len(sample) < len(memory))]
    good, messages = 0, 0
    flaws: list[str] = []
    for index, message in enumerate(batch):
        good += message.length
        messages += 1
        if index < MESSAGES:
            flaws += _flaws(message)
    return Candidate(
        dialect=name,
        byteorder=order,
        messages=messages,
        unread=len(sample) - good if faults else 0,
        flaws=len(flaws),
        evidence=(_told(messages, len(faults)), *map(str, faults[:1]), *dict.fromkeys(flaws[:SHOWN])),
    )


def _told(messages: int, faults: int) -> str:
    return f"{messages} messages can be read" + (f", {faults} or more cannot" if faults else "")


def _flaws(message: MessageView) -> list[str]:
    """What the system would have written otherwise, whichever way the message went."""
    try:
        ways = [
            [str(violation) for violation in check(message, way) if violation.level == "error"]
            for way in ("to-engine", "from-engine")
        ]
        flaws = min(ways, key=len)
        if message.encode() != message.raw:
            flaws.append("bytes without a meaning are set, or a length is not that of its structure")
        return flaws if message.payload is None else flaws + _flaws(message.payload)
    except (WireError, EncodeError, LimitError) as error:
        return [str(error)]
