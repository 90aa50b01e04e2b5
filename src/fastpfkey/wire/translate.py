"""A message of one system, as another system would say the same.

Typed fields mean the same everywhere, so most of the work is to see what the target has no room for: each extension is
written in the target's layout and read back, and what does not come back is lost. What systems put in different places
is moved first: facts of an association (moving.py), policies and flows (restating.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import TranslationError
from ..spec.model import Dialect
from ..spec.terms import MessageType
from .dialects import codec
from .fitting import fitted
from .moving import moved
from .restating import restated

if TYPE_CHECKING:
    from .message import Message, MessageValue


@dataclass(frozen=True, slots=True)
class Translation:
    """A message in the target dialect, and what it does not say: extensions and fields by name."""

    message: MessageValue
    """What the target can say."""
    dropped: tuple[str, ...]
    """What it cannot, such as `policy.priority`; empty unless losses were allowed."""


def translate(message: Message, target: Dialect, lossy: bool) -> Translation:
    """The message in another dialect. Raises TranslationError for what that cannot express, unless `lossy`.

    Type and SA type are never dropped, nor what makes a policy.
    """
    if target is message.dialect:
        return Translation(message.replace(), ())
    lost: list[str] = []
    missing: list[str] = []
    said = restated(message, target, lost, missing)
    missing += _missing(said, target)
    if missing:
        raise TranslationError(target.name, tuple(missing))
    switch = said.type is MessageType.PROMISC  # what is the SA type elsewhere turns it on and off
    satype = (message.dialect if switch else target).terms["satype"].number(said.satype)
    writer = codec(target, message.byteorder)
    kept = [
        translated
        for extension in moved(said, target, lost)
        if (translated := fitted(extension, writer, satype, lost)) is not None
    ]
    payload = None
    if said.payload is not None:
        inner = translate(said.payload, target, lossy)
        payload, lost = inner.message, [*lost, *(f"payload.{name}" for name in inner.dropped)]
    header = {
        "satype": target.terms["satype"].term(satype),
        "errno": _errno(said, target, lost),
        "reserved": _reserved(said, target, lost),
    }
    if lost and not lossy:
        raise TranslationError(target.name, tuple(lost))
    return Translation(said.replace(dialect=target, extensions=tuple(kept), payload=payload, **header), tuple(lost))


def _missing(message: Message, target: Dialect) -> list[str]:
    """What no translation can do without, and the target lacks."""
    switch = message.type is MessageType.PROMISC
    terms = (("type", "message", message.type), ("satype", "satype", message.satype))
    missing = [
        f"{name} {term.label}"
        for name, table, term in terms
        if term not in target.terms[table].numbers and not (name == "satype" and switch)
    ]
    return missing + (["payload"] if message.payload is not None and not target.wraps else [])


def _errno(message: Message, target: Dialect, lost: list[str]) -> int:
    name = message.dialect.errno_name(message.errno)
    if message.errno and name not in target.errnos:
        lost.append("errno")
        return 0
    return target.errnos[name] if message.errno else 0


def _reserved(message: Message, target: Dialect, lost: list[str]) -> int:
    """A reference count stays one where there are such; a diagnostic means nothing elsewhere."""
    if not message.reserved or (message.dialect.counts and target.counts):
        return message.reserved
    lost.append("reserved")
    return 0
