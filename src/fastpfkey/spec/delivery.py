"""Who hears what an engine says: one table for all systems.

The idea: RFC 2367 returns most answers to every open socket, and kernels differ from it and from each other. So the
table has a line for each kind of message that leaves an engine and a column for each way of delivery; a profile names
its column. `answer` lines are replies to a request of that type, `news` lines are what the engine, or a program through
it, tells of its own accord.

    sender      the socket that asked
    all         every open socket, the sender's too
    registered  sockets registered for the message's SA type
    any         sockets registered for any SA type
    nobody      the message is not sent
    a+b         both, each socket once
    a>b         first a, then b once more: a socket in both gets two messages
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from .terms import MessageType

TABLE = """
    answer  message      rfc2367      linux        kame         openbsd
    answer  GETSPI       all          sender       sender       all
    answer  UPDATE       all          all          all          all
    answer  ADD          all          all          all          all
    answer  DELETE       all          all          all          all
    answer  GET          sender       sender       sender       all
    answer  DUMP         sender       sender       sender       sender
    answer  FLUSH        all          sender>all   all          all
    answer  REGISTER     registered   sender+any   sender+any   registered
    answer  QUERY        sender       sender+any   sender+any   sender
    answer  PROMISC      all          all          all          all
    answer  ERROR        sender       sender       sender       all
    answer  SPDADD       all          all          all          all
    answer  SPDUPDATE    all          all          all          all
    answer  SPDSETIDX    all          all          all          all
    answer  SPDDELETE    all          all          all          all
    answer  SPDDELETE2   all          all          all          all
    answer  SPDGET       sender       sender       sender       sender
    answer  SPDDUMP      sender       sender       sender       sender
    answer  SPDFLUSH     all          sender>all   all          all
    answer  MIGRATE      all          all          all          all
    news    ACQUIRE      registered   any          any          registered
    news    EXPIRE       all          any          any          all
    news    FAILURE      all          nobody       nobody       nobody
    news    REGISTER     registered   nobody       nobody       nobody
    news    PCHANGE      registered   nobody       nobody       nobody
    news    MAPPING      nobody       any          any          nobody
    news    SPDEXPIRE    nobody       nobody       any          nobody
"""
"""QUERY is a REGISTER for no type in particular; ERROR is any reply that reports one; FAILURE is the ACQUIRE with which
a key manager gives up, told on; MAPPING is NAT_T_NEW_MAPPING; the news REGISTER is the complete list once more when
algorithms come or go.

[live] for Linux, from source for the KAME systems and OpenBSD.
"""


class Group(Enum):
    """A set of sockets."""

    SENDER = "sender"
    ALL = "all"
    REGISTERED = "registered"
    ANY = "any"
    NOBODY = "nobody"


class Audience(NamedTuple):
    """Who gets one message."""

    rounds: tuple[frozenset[Group], ...]
    """Sets of sockets that get it one after the other."""


class Deliveries(NamedTuple):
    """One column of the table."""

    answers: Mapping[str, Audience]
    news: Mapping[str, Audience]

    def answer(self, type: MessageType) -> Audience:
        """Who gets the answer to a request of this type."""
        return self.answers[type.name]


def _audience(cell: str) -> Audience:
    return Audience(tuple(frozenset(map(Group, part.split("+"))) for part in cell.split(">")))


def _columns(table: str) -> Mapping[str, Deliveries]:
    head, *lines = (line.split() for line in table.splitlines() if line.strip())
    found = {}
    for place, name in enumerate(head[2:], start=2):
        kinds: dict[str, dict[str, Audience]] = {"answer": {}, "news": {}}
        for line in lines:
            kinds[line[0]][line[1]] = _audience(line[place])
        found[name] = Deliveries(MappingProxyType(kinds["answer"]), MappingProxyType(kinds["news"]))
    return MappingProxyType(found)


DELIVERIES = _columns(TABLE)
"""The columns of the table by name."""

QUERY = "QUERY"
ERROR = "ERROR"
FAILURE = "FAILURE"
MAPPING = "MAPPING"
