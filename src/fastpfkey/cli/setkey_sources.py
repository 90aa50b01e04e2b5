"""What setkey's requests go to: a key engine by its name, or a file that answers dumps alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..spec.model import Dialect
from ..spec.terms import MessageType, SAType
from ..wire.decode import decode
from ..wire.message import Message, MessageValue, MessageView
from .errors import SourceError
from .sources import Source, parse


@dataclass(frozen=True)
class Recorded:
    """Messages that were recorded, or made up: they can be dumped and nothing else."""

    source: Source
    dialect: Dialect

    def request(self, message: MessageValue) -> Message:
        """Refuse it."""
        raise SourceError(f"{self.source.name}: recorded messages take no {message.type.label}; dumps alone")

    def dump(self, message: MessageValue) -> Iterator[memoryview]:
        """The messages, a window at a time, of one SA type if the request names one."""
        for window in self.source.windows():
            if message.type is MessageType.DUMP and message.satype is not SAType.UNSPEC:
                batch = decode(window.messages, self.dialect)
                yield memoryview(b"".join(view.raw for view in batch if view.satype is message.satype))
            else:
                yield window.messages

    def watched(self) -> Iterator[MessageView]:
        """All of them, one after the other."""
        for window in self.source.windows():
            yield from decode(window.messages, self.dialect)


def engine_of(text: str, dialect: Dialect) -> Recorded:
    """What a name on the command line stands for. Raises SourceError for a name that there is not."""
    return Recorded(parse(text, dialect, "native"), dialect)
