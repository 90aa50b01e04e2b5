"""Policies: what is stored of each, and the table of them. Policies are few, so they are objects."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from ..spec.terms import Direction
from ..wire.extensions import Address, Lifetime
from ..wire.extensions_ipsec import Policy, SecurityContext
from ..wire.sockaddr import IPAddress
from .records import ANY_PROTO

ID_STEP = 8
"""An id's low three bits are the direction."""

Selector = tuple[object, ...]


@dataclass
class Stored:
    """One policy."""

    id: int
    policy: Policy
    src: Address
    dst: Address
    hard: Lifetime
    soft: Lifetime
    context: SecurityContext | None
    added: float
    used: float = inf
    octets: int = 0
    packets: int = 0

    @property
    def selector(self) -> Selector:
        """What tells it from others."""
        return selector(self.policy.dir, self.src, self.dst)

    def covers(self, src: IPAddress, dst: IPAddress, proto: int, sport: int, dport: int) -> bool:
        """Whether it is for packets of such a session."""
        return (
            _covers(self.src, src, sport)
            and _covers(self.dst, dst, dport)
            and (self.src.proto == ANY_PROTO or self.src.proto == proto)
        )

    @property
    def deadline(self) -> float:
        """When its time is up."""
        add, use = self.hard.addtime, self.hard.usetime
        return min(self.added + add if add else inf, self.used + use if use else inf)


def _covers(wanted: Address, ip: IPAddress, port: int) -> bool:
    if wanted.ip is None or wanted.ip.version != ip.version or wanted.port not in (0, port):
        return False
    shift = ip.max_prefixlen - wanted.prefixlen
    return int(wanted.ip) >> shift == int(ip) >> shift


def selector(direction: Direction, src: Address, dst: Address) -> Selector:
    """What a policy is looked up by. The protocol is the source's."""
    return (
        direction,
        src.sockaddr.ip,
        src.prefixlen,
        src.port,
        dst.sockaddr.ip,
        dst.prefixlen,
        dst.port,
        src.proto,
    )


@dataclass
class Policies:
    """The table of policies, in the order of their creation."""

    by_id: dict[int, Stored] = field(default_factory=dict)
    by_selector: dict[Selector, Stored] = field(default_factory=dict)
    deadline: float = inf
    """Not later than the first of them is due."""
    watchers: list[dict[int, bool]] = field(default_factory=list)
    """Who collects the ids of what is added, changed or removed, and whether it may have another place since."""
    counter: int = 0
    """What the next id is made of."""
    reqid: int = 0
    """The last request id that was given."""

    def new_id(self, direction: int) -> int:
        """A free id for a direction, counted from 0."""
        while True:
            found = self.counter | direction or ID_STEP
            self.counter = (self.counter + ID_STEP) & 0x7FFFFFFF
            if found not in self.by_id:
                return found

    def new_reqid(self, above: int) -> int:
        """A request id for a policy that wants one of its own, above those that people choose."""
        self.reqid = max(self.reqid, above) + 1
        return self.reqid

    def add(self, stored: Stored) -> None:
        """Take a policy in, in place of one with its id."""
        self._mark(stored.id)
        self.by_id[stored.id] = stored
        self.by_selector[stored.selector] = stored
        self.deadline = min(self.deadline, stored.deadline)

    def remove(self, stored: Stored) -> None:
        """Forget a policy."""
        self._mark(stored.id)
        del self.by_id[stored.id], self.by_selector[stored.selector]

    def clear(self) -> int:
        """Forget all policies, and return their number."""
        count = len(self.by_id)
        for number in self.by_id:
            self._mark(number)
        self.by_id.clear()
        self.by_selector.clear()
        self.deadline = inf
        return count

    def change(self, stored: Stored, policy: Policy) -> None:
        """Have a policy say something else about the same packets."""
        stored.policy = policy
        for watcher in self.watchers:
            watcher.setdefault(stored.id, False)

    def _mark(self, number: int) -> None:
        for watcher in self.watchers:
            watcher.pop(number, None)
            watcher[number] = True

    def for_packet(self, direction: Direction, src: IPAddress, dst: IPAddress, *session: int) -> Stored | None:
        """The policy for a packet by addresses, protocol and ports: that of the lowest priority, or the oldest."""
        fit = [item for item in self.by_id.values() if item.policy.dir == direction and item.covers(src, dst, *session)]
        return min(fit, key=lambda item: item.policy.priority, default=None)

    def due(self, now: float) -> list[Stored]:
        """Those whose time is up."""
        if now < self.deadline:
            return []
        found = [item for item in self.by_id.values() if item.deadline <= now]
        self.deadline = min((item.deadline for item in self.by_id.values() if item.deadline > now), default=inf)
        return found
