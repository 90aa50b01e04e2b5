"""The engine against a model of the RFC's table that is nothing but dictionaries, driven at random.

The model knows states, limits, time, traffic and who hears what; it knows nothing of messages' bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fastpfkey.engine.consumers import Association
from fastpfkey.engine.port import Port
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAState, SAType
from fastpfkey.wire.extensions import Lifetime

from .world import World, ends, hard, sa, soft, spis, which, whole

ESP = SAType.ESP
HOSTS = ("192.0.2.2", "192.0.2.3")
SPIS = st.integers(1000, 1004)
HOST = st.sampled_from(HOSTS)
LIMIT = st.sampled_from([0, 5, 20, 60])
CLIENT = st.integers(0, 2)
SEQ = 1 << 20
USABLE = (SAState.MATURE, SAState.DYING)


@dataclass
class Entry:
    """What the model knows of one association."""

    serial: int
    """In the order in which they were made."""
    state: SAState
    added: float
    hard_time: int = 0
    soft_time: int = 0
    hard_bytes: int = 0
    soft_bytes: int = 0
    octets: int = 0
    warned: bool = False
    died: float = inf


class EngineAgainstModel(RuleBasedStateMachine):
    """Three clients, two hosts, five SPIs."""

    slow: Port | None = None

    @initialize()
    def begin(self) -> None:
        self.world = World("rfc2367")
        self.clients = [self.world.port(n, limit=1 << 22) for n in range(3)]
        self.table: dict[tuple[int, str], Entry] = {}
        self.serials = count(1)
        self.registered: list[set[SAType]] = [set() for _ in self.clients]
        self.asked: dict[str, float] = {}
        self.slow: Port | None = None

    def send(self, port: Port, kind: Msg, *what: object) -> None:
        """Under a number that no ACQUIRE of the engine has."""
        self.world.send(port, kind, *what, seq=SEQ)  # type: ignore[arg-type]

    def errno(self, name: str) -> int:
        return self.world.errno(name) if name else 0

    def now(self) -> float:
        return self.world.clock.now

    def heard(self, client: int) -> list[tuple[Msg, int, int]]:
        """What all clients have heard, which is the same but for what goes to the sender alone."""
        seen = [
            [(message.type, message.errno, message.sa.spi if message.sa else 0) for message in self.world.heard(port)]
            for port in self.clients
        ]
        others = [seen[number] for number in range(3) if number != client]
        assert others[0] == others[1]
        self.public = others[0]
        return seen[client]

    def check(self, client: int, kind: Msg, errno: str, spi: int, told: bool = True) -> None:
        """The sender hears the answer, and all others too, unless it is an error or for the sender alone."""
        answer = (kind, self.errno(errno), 0 if errno else spi)
        assert self.heard(client) == [answer]
        assert self.public == ([answer] if told and not errno else [])

    @rule(client=CLIENT, spi=SPIS, dst=HOST, hard_time=LIMIT, soft_time=LIMIT, hard_bytes=LIMIT, soft_bytes=LIMIT)
    def add(
        self, client: int, spi: int, dst: str, hard_time: int, soft_time: int, hard_bytes: int, soft_bytes: int
    ) -> None:
        limits = (hard(addtime=hard_time, bytes=hard_bytes), soft(addtime=soft_time, bytes=soft_bytes))
        self.send(self.clients[client], Msg.ADD, ESP, *whole(spi, *limits, dst=dst))
        taken = (spi, dst) in self.table
        self.check(client, Msg.ADD, "EEXIST" if taken else "", spi)
        if not taken:
            limits_of_model = (hard_time, soft_time, hard_bytes, soft_bytes)
            self.table[spi, dst] = Entry(next(self.serials), SAState.MATURE, self.now(), *limits_of_model)

    @rule(client=CLIENT, dst=HOST)
    def getspi(self, client: int, dst: str) -> None:
        self.send(self.clients[client], Msg.GETSPI, ESP, *ends(dst=dst), spis(1000, 1004))
        free = {spi for spi in range(1000, 1005) if (spi, dst) not in self.table}
        if not free:
            self.check(client, Msg.GETSPI, "EEXIST", 0)
            return
        ((kind, errno, spi),) = self.heard(client)
        assert (kind, errno) == (Msg.GETSPI, 0)
        assert spi in free
        assert self.public == [(kind, errno, spi)]
        self.table[spi, dst] = Entry(next(self.serials), SAState.LARVAL, self.now())

    @rule(client=CLIENT, spi=SPIS, dst=HOST, hard_time=LIMIT, soft_time=LIMIT, keyed=st.booleans())
    def update(self, client: int, spi: int, dst: str, hard_time: int, soft_time: int, keyed: bool) -> None:
        limits = (hard(addtime=hard_time), soft(addtime=soft_time))
        given = whole(spi, *limits, dst=dst) if keyed else (sa(spi), *limits, *ends(dst=dst))
        self.send(self.clients[client], Msg.UPDATE, ESP, *given)
        entry = self.table.get((spi, dst))
        if entry is None:
            self.check(client, Msg.UPDATE, "ESRCH", spi)
            return
        if entry.state == SAState.DEAD or (entry.state == SAState.LARVAL and not keyed):
            self.check(client, Msg.UPDATE, "EINVAL", spi)
            return
        self.check(client, Msg.UPDATE, "", spi)
        if entry.state == SAState.LARVAL:
            entry.added, entry.octets = self.now(), 0
        entry.hard_time, entry.soft_time, entry.hard_bytes, entry.soft_bytes = hard_time, soft_time, 0, 0
        entry.state, entry.warned = SAState.MATURE, False
        self.world.engine.advance()  # the new limits may have passed already
        told = self.time_of_model()
        assert self.heard(0) == self.public == told

    @rule(client=CLIENT, spi=SPIS, dst=HOST)
    def delete(self, client: int, spi: int, dst: str) -> None:
        self.send(self.clients[client], Msg.DELETE, ESP, *which(spi, dst=dst))
        known = self.table.pop((spi, dst), None)
        self.check(client, Msg.DELETE, "" if known else "ESRCH", spi)

    @rule(client=CLIENT, spi=SPIS, dst=HOST)
    def get(self, client: int, spi: int, dst: str) -> None:
        self.send(self.clients[client], Msg.GET, ESP, *which(spi, dst=dst))
        self.check(client, Msg.GET, "" if (spi, dst) in self.table else "ESRCH", spi, told=False)

    @rule(client=CLIENT, satype=st.sampled_from([ESP, SAType.AH, SAType.UNSPEC]))
    def flush(self, client: int, satype: SAType) -> None:
        """All associations of the model are ESP's."""
        self.send(self.clients[client], Msg.FLUSH, satype)
        if satype != SAType.AH:
            self.table.clear()
        self.check(client, Msg.FLUSH, "", 0)

    @rule(client=CLIENT, satype=st.sampled_from([ESP, SAType.AH]))
    def register(self, client: int, satype: SAType) -> None:
        """Who is registered for the type hears the list of algorithms."""
        self.send(self.clients[client], Msg.REGISTER, satype)
        self.registered[client].add(satype)
        for number, port in enumerate(self.clients):
            told = [Msg.REGISTER] if satype in self.registered[number] else []
            assert [message.type for message in self.world.heard(port)] == told

    @rule(dst=HOST)
    def outbound(self, dst: str) -> None:
        """The newest of those that are mature, or else dying; without one an ACQUIRE to those registered, once."""
        fit = [(key, entry) for key, entry in self.table.items() if key[1] == dst and entry.state in USABLE]
        if not fit and not any(ESP in types for types in self.registered):
            with pytest.raises(OSError, match="EPROTONOSUPPORT"):
                self.world.engine.find_outbound(ESP, "192.0.2.1", dst)
            return
        found = self.world.engine.find_outbound(ESP, "192.0.2.1", dst)
        if fit:
            (spi, _), _ = max(fit, key=lambda item: (item[1].state == SAState.MATURE, item[1].serial))
            assert isinstance(found, Association)
            assert (found.spi, str(found.dst)) == (spi, dst)
            assert all(self.world.heard(port) == [] for port in self.clients)
            return
        asked = self.asked.get(dst, -inf) + 30 > self.now()
        if not asked:
            self.asked[dst] = self.now()
        for number, port in enumerate(self.clients):
            told = [Msg.ACQUIRE] if ESP in self.registered[number] and not asked else []
            assert [message.type for message in self.world.heard(port)] == told

    @rule(dst=HOST)
    def begin_slow_dump(self, dst: str) -> None:
        """A client with a short queue asks for a dump, and reads it when it likes."""
        if self.slow is None:
            self.slow = self.world.port(9, limit=400)
            self.send(self.slow, Msg.DUMP, ESP)
            self.there = {key: entry.serial for key, entry in self.table.items()}
            self.dumping = bool(self.table)

    @precondition(lambda self: self.slow is not None)
    @rule()
    def end_slow_dump(self) -> None:
        """It shows what was there all the time, once, and nothing that came later."""
        shown: list[tuple[int, str]] = []
        last = None
        while part := self.world.heard(self.slow):
            records = [item for item in part if item.type == Msg.DUMP and item.sa and not item.errno]
            shown += [(item.sa.spi, str(item.address_dst.ip)) for item in records]
            last = records[-1].seq if records else last
        stayed = {key for key, serial in self.there.items() if key in self.table and self.table[key].serial == serial}
        assert len(shown) == len(set(shown))
        assert stayed <= set(shown) <= set(self.there)
        assert last in ((0,) if self.dumping else (None,))
        self.world.engine.disconnect(self.slow)
        self.slow = None

    @rule(seconds=st.sampled_from([0.5, 1.0, 4.0, 5.0, 30.0]))
    def time_passes(self, seconds: float) -> None:
        """Second by second, so that what follows from what is in order."""
        end = self.now() + seconds
        expected = []
        while self.now() < end:
            due = self.world.engine.next_deadline()
            self.world.clock.now = end if due is None else min(max(due, self.now()), end)
            self.world.engine.advance()
            expected += self.time_of_model()
            if due is None or due > end:
                break
        assert sorted(self.heard(0)) == sorted(expected)
        assert sorted(self.public) == sorted(expected)

    def time_of_model(self) -> list[tuple[Msg, int, int]]:
        told = []
        for key, entry in list(self.table.items()):
            age = self.now() - entry.added
            if entry.state == SAState.LARVAL:
                if age >= 30:
                    del self.table[key]
            elif entry.state == SAState.DEAD:
                if self.now() >= entry.died + 1:
                    del self.table[key]
            elif entry.hard_time and age >= entry.hard_time:
                entry.state, entry.died = SAState.DEAD, self.now()
                told.append((Msg.EXPIRE, 0, key[0]))
            elif entry.soft_time and age >= entry.soft_time and not entry.warned:
                entry.state, entry.warned = SAState.DYING, True
                told.append((Msg.EXPIRE, 0, key[0]))
        return told

    @rule(spi=SPIS, dst=HOST, octets=st.sampled_from([1, 5, 20]))
    def traffic(self, spi: int, dst: str, octets: int) -> None:
        found = self.world.engine.find_inbound(ESP, dst, spi)
        entry = self.table.get((spi, dst))
        usable = entry is not None and entry.state in (SAState.MATURE, SAState.DYING)
        assert (found is not None) == usable
        if found is None or entry is None:
            return
        entry.octets += octets
        ended = bool(entry.hard_bytes and entry.octets >= entry.hard_bytes)
        assert self.world.engine.account(found, 1, octets) == (not ended)
        expected = []
        if ended:
            entry.state, entry.died = SAState.DEAD, self.now()
            expected.append((Msg.EXPIRE, 0, spi))
        elif entry.soft_bytes and entry.octets >= entry.soft_bytes and not entry.warned:
            entry.state, entry.warned = SAState.DYING, True
            expected.append((Msg.EXPIRE, 0, spi))
        assert self.heard(0) == self.public == expected

    @precondition(lambda self: hasattr(self, "world"))
    @invariant()
    def the_tables_agree(self) -> None:
        port = self.world.port(limit=1 << 22)
        shown = {
            (message.sa.spi, str(message.address_dst.ip)): message for message in self.world.dump(port) if message.sa
        }
        self.world.engine.disconnect(port)
        assert {key: message.sa.state for key, message in shown.items()} == {
            key: entry.state for key, entry in self.table.items()
        }
        for key, entry in self.table.items():
            current = shown[key].get(Ext.LIFETIME_CURRENT)
            assert isinstance(current, Lifetime)
            assert current.bytes == entry.octets


TestEngineAgainstModel = EngineAgainstModel.TestCase
TestEngineAgainstModel.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
