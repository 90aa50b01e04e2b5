"""How systems answer: where a dump ends, what its sequence numbers count, which errors mean more than failure.

The RFC only says that the last message of a dump has sequence number 0. What else can be known, such as how many
messages a dump has or that one of them was lost, is each system's own, and the same code reads all of them by these
facts.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from .terms import MessageType


class Counting(enum.Enum):
    """What sadb_msg_seq says in the messages of a dump."""

    NOTHING = "nothing"
    """It is that of the request, or 0, in all but perhaps the last."""
    UP = "up"
    """1, 2, 3 and so on; the last message has 0."""
    DOWN = "down"
    """How many messages follow, so that the first tells the total and the last has 0."""


class Ending(enum.Enum):
    """What the last message of a dump is."""

    RECORD = "record"
    """The last association or policy, with sequence number 0."""
    BARE = "bare"
    """A header alone, with sequence number 0 and an errno that is 0 if all went well."""
    NOTHING = "nothing"
    """The last association or policy like any other: the transport tells that the dump is over."""


@dataclass(frozen=True)
class Replies:
    """How one system answers requests."""

    counting: Counting = Counting.NOTHING
    ending: Ending = Ending.RECORD
    numbered: bool = True
    """Whether messages of a dump carry the pid of who asked for it."""
    empty: str = "ENOENT"
    """Name of the error that answers a dump of an empty table."""
    busy: str = "EBUSY"
    """Name of the error that answers a dump while another one is under way on the same socket."""
    renamed: Mapping[MessageType, MessageType] = field(default_factory=lambda: MappingProxyType({}))
    """Requests whose reply has another type."""
    anonymous: frozenset[MessageType] = frozenset()
    """Requests whose reply has neither their sequence number nor their pid, but 0, unless it is an error."""
    negates: bool = False
    """Whether a dump cut short ends with 256 - errno in the errno byte of a record."""

    def answer(self, request: MessageType) -> MessageType:
        """The type of the reply to a request."""
        return self.renamed.get(request, request)


RFC2367 = Replies()
"""RFC 2367, 3.1.10: the last message has sequence number 0."""

LINUX = Replies(
    counting=Counting.UP,
    renamed=MappingProxyType({MessageType.SPDSETIDX: MessageType.SPDADD}),
    anonymous=frozenset({MessageType.MIGRATE}),
    negates=True,
)
"""net/key/af_key.c; seen on a 6.1 kernel."""

KAME = Replies(counting=Counting.DOWN)
"""FreeBSD and NetBSD sys/netipsec/key.c, XNU bsd/netkey/key.c."""

OPENBSD = Replies(ending=Ending.NOTHING, numbered=False)
"""sys/net/pfkeyv2.c: sysctl(2) gives the whole table in one answer, all sequence numbers and pids 0."""

ILLUMOS = Replies(ending=Ending.BARE)
"""uts/common/inet/ip/sadb.c and keysock.c."""
