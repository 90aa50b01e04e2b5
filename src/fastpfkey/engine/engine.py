"""The engine's face: ports, messages in and out, time, and consumers."""

from __future__ import annotations

import random as randomness
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from ..spec import dialect as find_dialect
from ..spec.model import HEADER_SIZE, Dialect
from ..spec.profile import Profile
from ..spec.profiles import profile as find_profile
from ..spec.supported import Offered
from ..spec.terms import MessageType as Msg
from ..spec.terms import SAType, Term
from ..wire.faults import told_of
from ..wire.memory import byte_view
from ..wire.sockaddr import IPAddress
from . import acquires, associations, bulk, consumers, control, dumps, lifetimes, migration, policies
from .acquires import Pending
from .consumers import Association, Session
from .core import Authorize, Core, anybody
from .faults import FaultPlan, FaultyPort
from .judging import admitted, judge, readable
from .port import Port
from .refusal import RefusedError
from .request import Request

if TYPE_CHECKING:
    from typing_extensions import Buffer

Handler = Callable[[Core, Port, Request], None]

HANDLERS: Mapping[Msg, Handler] = {
    Msg.GETSPI: associations.getspi,
    Msg.UPDATE: associations.update,
    Msg.ADD: associations.add,
    Msg.DELETE: associations.delete,
    Msg.GET: associations.get,
    Msg.ACQUIRE: control.acquire,
    Msg.REGISTER: control.register,
    Msg.EXPIRE: control.expire,
    Msg.FLUSH: control.flush,
    Msg.DUMP: dumps.start,
    Msg.PCHANGE: control.pchange,
    **policies.HANDLERS,
}
"""What each message does. A handler that returns has answered; one that raises RefusedError has changed nothing."""

CHANGES = frozenset({Msg.GETSPI, Msg.UPDATE, Msg.ADD, Msg.DELETE}) | (
    (policies.HANDLERS.keys() | {Msg.MIGRATE}) - {Msg.SPDGET, Msg.SPDDUMP}
)


class Failure(NamedTuple):
    """A message of many whose send() would have failed."""

    message: int
    """Its number among them, from 0."""
    errno: int
    """The dialect's number of the error."""


class Handled(NamedTuple):
    """What became of many messages."""

    messages: int
    """How many there were."""
    failures: list[Failure]


class Engine:
    """A key engine: the party that RFC 2367 calls the kernel.

    `dialect` is what its messages look like, `profile` how it behaves, by default as the system of that dialect does;
    `knobs` change single fields of the profile. `clock` gives seconds that never go back, `wall` Unix time, `random`
    chooses SPIs. `authorize` is asked before a port does something that needs trust: "open", "read_keys", "modify",
    "flush", "promisc_receive", "promisc_send", or "hear" of what it has not asked for; by default everyone is trusted.
    `faults` has things go wrong on purpose, on the clock of the plan.

    Raises ValueError for an unknown dialect or profile, TypeError for an unknown knob, ValueError for one that has no
    such position, and for a fault with an error that the dialect does not have.
    """

    def __init__(
        self,
        dialect: str | Dialect = "host",
        profile: str | Profile | None = None,
        *,
        clock: Callable[[], float] | None = None,
        wall: Callable[[], float] = time.time,
        random: randomness.Random | None = None,
        authorize: Authorize = anybody,
        faults: FaultPlan | None = None,
        **knobs: Any,
    ) -> None:
        found = find_dialect(dialect)
        chosen = profile if isinstance(profile, Profile) else find_profile(profile or found.name)
        if clock is None:
            clock = time.monotonic if faults is None else faults.clock
        unknown = {fault.errno for fault in (faults.faults if faults else ())} - {"", *found.errnos}
        if found.errnos and unknown:
            raise ValueError(f"{found.name} has no error {', '.join(sorted(unknown))}")
        now = clock()
        self._faults = faults
        self._core = Core(
            found,
            replace(chosen, **knobs),
            clock,
            wall() - now,
            random if random is not None else randomness.SystemRandom(),
            authorize,
            now=now,
        )

    @property
    def dialect(self) -> Dialect:
        """The dialect of its messages."""
        return self._core.dialect

    @property
    def profile(self) -> Profile:
        """How it behaves."""
        return self._core.profile

    @property
    def ports(self) -> tuple[Port, ...]:
        """The open ports."""
        return tuple(self._core.ports.values())

    def __len__(self) -> int:
        """Associations in the table."""
        return self._core.store.alive

    @property
    def octets(self) -> int:
        """Bytes of its dump records, and at most as many again that wait to be swept up."""
        return self._core.store.used

    def __repr__(self) -> str:
        core = self._core
        size = f"{len(self)} associations, {len(core.ports)} ports"
        return f"<Engine {core.dialect.name}, profile {core.profile.name}, {size}>"

    def connect(self, pid: int = 0, *, limit: int | None = None, name: str = "") -> Port:
        """Open a port: one socket of a client, whose process is `pid` if that is known.

        `limit` bounds the bytes that wait for it. Raises OSError with EPERM for a client that may not.
        """
        core = self._core
        core.opened += 1
        bound = core.profile.queue_limit if limit is None else limit
        if self._faults is None:
            port = Port(core.opened, pid, bound, name, self._read)
        else:
            port = FaultyPort(core.opened, pid, bound, name, self._read, self._faults, self._type_of)
        if not core.authorize(port, "open"):
            raise OSError(core.errno("EPERM"), "EPERM")
        core.ports[port.number] = port
        return port

    def disconnect(self, port: Port) -> None:
        """Close a port. Associations and pending requests stay."""
        port.close()
        self._core.ports.pop(port.number, None)
        self._core.dumps.pop(port.number, None)

    def _type_of(self, message: bytes) -> Msg:
        return self._core.framing.types.get(message[1], Msg.RESERVED)

    def _read(self, port: Port) -> None:
        dumps.resume(self._core, port)

    def handle(self, port: Port, message: Buffer) -> None:
        """Act on one message that a port's client has sent. What it brings waits in the ports.

        Raises OSError with the dialect's number where send() would fail, and ValueError for a port that is closed.
        """
        if port.closed:
            raise ValueError("the port is closed")
        core = self._core
        self.advance()
        raw = bytes(byte_view(message))
        try:
            self._act(port, raw)
        except RefusedError as refusal:
            if refusal.sent or len(raw) < HEADER_SIZE:
                raise OSError(core.errno(refusal.errno), refusal.errno) from None
            core.error(port, core.framing.header(raw), raw, refusal.errno)
        finally:
            core.store.sweep()

    def handle_many(self, port: Port, messages: Buffer) -> Handled:
        """Act on messages that lie back to back in a buffer, as `handle` would on each of them.

        Runs of ADDs that are alike are installed at once. Where send() would fail, the message is listed instead.
        Raises ValueError for a port that is closed.
        """
        if port.closed:
            raise ValueError("the port is closed")
        self.advance()
        failures: list[Failure] = []

        def one(raw: bytes, index: int) -> None:
            try:
                self.handle(port, raw)
            except OSError as error:
                failures.append(Failure(index, error.errno or 0))

        count = bulk.handle(self._core, port, byte_view(messages), one)
        return Handled(count, failures)

    def _act(self, port: Port, raw: bytes) -> None:
        core = self._core
        if self._faults is not None and len(raw) >= HEADER_SIZE and raw[1] in core.framing.types:
            fault = self._faults.strikes(self._type_of(raw), of_requests=True)
            if fault is not None:
                raise RefusedError(fault.errno, sent=fault.action == "send")
        kind = admitted(core, port, raw)
        if kind == Msg.PROMISC:
            if not core.wraps:
                readable(core, raw)
            control.promisc(core, port, raw)
            return
        view = readable(core, raw)
        refused = core.profile.relays.get(kind.name)
        if refused and not (kind == Msg.ACQUIRE and not view.extensions):
            raise RefusedError(refused)
        handler = HANDLERS.get(kind)
        if kind == Msg.MIGRATE and core.profile.policies == "linux":
            handler = migration.migrate
        if handler is None or (kind in policies.HANDLERS and core.profile.policies == "none"):
            raise RefusedError(core.profile.unserved)
        # A key manager that gives up says so with an errno; what else is in its message nobody needs (5.1).
        if not (kind == Msg.ACQUIRE and view.errno):
            judge(core, view)
        if kind in CHANGES and not core.authorize(port, "modify"):
            raise RefusedError("EPERM")
        handler(core, port, Request(core.framing, raw, view))

    def advance(self, now: float | None = None) -> None:
        """Do what is due by now, or by a time given. Called by `handle` too; a quiet engine needs it for its timers."""
        core = self._core
        core.now = max(core.now, core.clock() if now is None else now)
        acquires.expire(core)
        policies.expire(core)
        while core.wheel.next() <= core.now:
            lifetimes.run(core)
        for port in core.ports.values():
            if isinstance(port, FaultyPort):
                port.release(core.now)
        core.store.sweep()

    def next_deadline(self) -> float | None:
        """The time of the clock at which `advance` has something to do; None if never."""
        core = self._core
        pending = next(iter(core.pending.values())).deadline if core.pending else inf
        late = min((port.due() for port in core.ports.values() if isinstance(port, FaultyPort)), default=inf)
        found = min(core.wheel.next(), pending, core.policies.deadline, late)
        return None if found == inf else found

    def time_left(self) -> float | None:
        """Seconds of the clock until `advance` has something to do, 0 or less if it has; None if never."""
        due = self.next_deadline()
        return None if due is None else due - self._core.clock()

    def find_inbound(self, satype: SAType, dst: str | IPAddress, spi: int) -> Association | None:
        """The usable association of a packet that came in; None if there is none."""
        self.advance()
        return consumers.inbound(self._core, satype, ip_address(dst), spi)

    def find_outbound(
        self,
        satype: SAType,
        src: str | IPAddress,
        dst: str | IPAddress,
        *,
        proxy: str | IPAddress | None = None,
        **more: Any,
    ) -> Association | Pending:
        """An association for packets that go out, or if nothing fits, the request that went to key managers.

        What else may be said of the `Session` goes into the ACQUIRE. Raises OSError with EPROTONOSUPPORT if no key
        manager has registered for the type, ValueError for what is no address or cannot be told in the dialect.
        """
        self.advance()
        session = Session.of(satype, src, dst, proxy, **more)
        try:
            return consumers.outbound(self._core, session)
        except RefusedError as refusal:
            raise OSError(self._core.errno(refusal.errno), refusal.errno) from None

    def obtained(self, pending: Pending) -> Association | None:
        """The association that a request has brought, if it has and it is still there."""
        self.advance()
        return consumers.obtained(self._core, pending)

    def account(self, association: Association, packets: int = 1, bytes: int = 0) -> bool:
        """Count what went through an association, which may end it; False if it is no longer to be used."""
        self.advance()
        return consumers.account(self._core, association, packets, bytes)

    def sequence_exhausted(self, association: Association) -> None:
        """The sequence numbers of an association run out: it is dying, and key managers hear so."""
        self.advance()
        consumers.exhausted(self._core, association)

    def peer_moved(self, association: Association, src: str | IPAddress, sport: int) -> None:
        """Packets of an association in UDP come from another address or port: key managers hear so (Linux, NetBSD).

        Raises ValueError for an association that is not in UDP, and where the dialect has no message for that.
        """
        self.advance()
        consumers.peer_moved(self._core, association, ip_address(src), sport)

    def passive_change(
        self,
        satype: SAType,
        src: str | IPAddress,
        dst: str | IPAddress,
        *,
        proxy: str | IPAddress | None = None,
        proposal: bool = True,
        **more: Any,
    ) -> None:
        """Tell key managers that the services which a passive endpoint needs have changed, or are no longer needed."""
        consumers.passive_change(self._core, Session.of(satype, src, dst, proxy, **more), proposal)

    def add_algorithm(self, satype: SAType, algorithm: Offered) -> None:
        """Offer an algorithm; registered ports hear the new list.

        Raises EncodeError for one that the dialect has no number for.
        """
        with told_of("algorithm"):
            self._core.framing.body(self._core.algorithms.listed([algorithm]), 0)
        self._core.moulds.clear()
        self._core.algorithms.add(satype, algorithm)
        control.announce(self._core, satype)

    def remove_algorithm(self, satype: SAType, algorithm: Term) -> None:
        """Offer an algorithm no longer; registered ports hear the new list."""
        self._core.moulds.clear()
        self._core.algorithms.remove(satype, algorithm)
        control.announce(self._core, satype)
