"""What a script is made of: steps that sockets of one key engine take, one after the other.

Numbers that the engine chooses (ids of policies, SPIs out of a range, numbers of ACQUIREs) are not known before it
runs, so a step can give what it was answered a name, and a later one can put it into its message.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fastpfkey.wire.message import MessageValue

ACTOR, OTHER, REGISTERED, PROMISCUOUS = "actor", "other", "registered", "promiscuous"

HERE, THERE = "10.9.0.1", "10.9.0.2"
"""Ends between which packets can be sent."""


@dataclass(frozen=True)
class Send:
    """A socket sends a message."""

    message: MessageValue | bytes
    socket: str = ACTOR
    name: str = ""
    """What it is; by default the message's type."""
    keeps: str = ""
    """Name for the policy's id, or else the SPI, in the answer."""
    uses: str = ""
    """Name of a number that takes the place of the policy's id, or the SPI, in the message."""
    acquired: bool = False
    """Whether the message has the number of the last ACQUIRE."""
    reads: bool = True
    """Whether everybody reads afterwards what came."""


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: float


@dataclass(frozen=True)
class Packets:
    """Packets of 84 bytes go out from HERE, where policies send them through associations, if there are any."""

    count: int = 1
    satype: str = "esp"
    dst: str = THERE


@dataclass(frozen=True)
class Close:
    """A socket is closed."""

    socket: str


@dataclass(frozen=True)
class Read:
    """Everybody reads what there is, and of that the dumps first: how far one was when something came differs."""


Step = Send | Wait | Packets | Close | Read


@dataclass(frozen=True)
class Script:
    """Steps, and the sockets that take them, which are opened in this order."""

    steps: tuple[Step, ...]
    sockets: tuple[str, ...] = (ACTOR, OTHER, REGISTERED, PROMISCUOUS)
    larval: int = 30
    """Seconds that larval associations and ACQUIREs live."""
    room: dict[str, int] = field(default_factory=dict)
    """Bytes that may wait for a socket, where that is not much."""


def title(step: Step) -> str:
    """What a step does, for people."""
    if isinstance(step, Send):
        kind = step.message.type.name if isinstance(step.message, MessageValue) else f"{len(step.message)} bytes"
        return step.name or kind
    return repr(step)
