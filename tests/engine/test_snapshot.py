"""Snapshots: what comes back, what time does meanwhile, and what becomes of files that are not what they say."""

import struct
from functools import cache
from ipaddress import ip_address
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpfkey.engine import snapshot as snapshots
from fastpfkey.engine.engine import Engine
from fastpfkey.engine.entries import START, Kind, Reader, entry
from fastpfkey.engine.snapshot import restore
from fastpfkey.errors import StateFileError
from fastpfkey.spec.terms import Direction, Level, Mode, PolicyType, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.extensions import Address
from fastpfkey.wire.extensions_ipsec import Policy, PolicyRequest, SecurityContext
from fastpfkey.wire.sockaddr import SocketAddress

from .states import LINEAGE, restored, snapshot, state
from .test_bulk import added, encoded
from .world import DST, SRC, World, ends, hard, keys, sa, soft, spis, which, whole

ESP = SAType.ESP
PROFILES = ("linux", "rfc2367", "freebsd", "netbsd", "openbsd", "macos", "illumos")
SECRET = b"\xc3" * 16


def made(profile: str, **knobs: object) -> World:
    return World(profile, "linux" if profile == "rfc2367" else profile, **knobs)


def selectors(src: str, dst: str) -> tuple[Address, Address]:
    """Networks that a policy is for."""
    found = []
    for kind, text in ((Ext.ADDRESS_SRC, src), (Ext.ADDRESS_DST, dst)):
        ip, bits = text.split("/")
        found.append(Address(kind, SocketAddress(ip_address(ip)), 0, int(bits)))
    return found[0], found[1]


def policy(direction: Direction = Direction.OUT, priority: int = 0, level: Level = Level.REQUIRE) -> Policy:
    tunnel = PolicyRequest(50, Mode.TUNNEL, level, 0, SocketAddress(ip_address(SRC)), SocketAddress(ip_address(DST)))
    return Policy(PolicyType.IPSEC, direction, priority=priority, requests=(tunnel,))


def filled(profile: str) -> World:
    """A world with some of everything."""
    world = made(profile)
    port = world.port(limit=1 << 22)
    world.send(port, Msg.REGISTER, ESP)
    for n in range(30):
        world.send(port, Msg.ADD, ESP, *whole(1000 + n))
    world.wait(3.25)
    for n, limits in enumerate([(hard(addtime=100),), (hard(addtime=90), soft(addtime=10)), (hard(bytes=500),)]):
        world.send(port, Msg.ADD, ESP, *whole(2000 + n, *limits, *([soft()] if len(limits) == 1 else [])))
    world.send(port, Msg.ADD, SAType.AH, sa(3000, encrypt=0), *ends("2001:db8::1", "2001:db8::2"), keys()[0])
    world.send(port, Msg.GETSPI, ESP, *ends(), spis(5000, 5100), seq=9)
    found = world.engine.find_inbound(ESP, DST, 1003)
    assert found is not None
    world.engine.account(found, 7, 1234)
    for spi in range(1010, 1020):
        world.send(port, Msg.DELETE, ESP, *which(spi))
    world.wait(11)  # past a soft limit
    assert world.heard(port)
    return world


@pytest.mark.parametrize("profile", PROFILES)
def test_all_comes_back(profile: str) -> None:
    world = filled(profile)
    assert len(world.engine) >= 24
    again = restored(world, snapshot(world.engine))
    assert state(again.engine) == state(world.engine)
    assert SAState.DYING in world.states()
    first, second = (
        {(each.sa.spi, each.sa.state, bytes(each.raw[16:])) for each in one.dump(one.port(limit=1 << 22)) if each.sa}
        for one in (world, again)
    )
    assert first == second


def test_order_in_dumps_and_numbers_go_on() -> None:
    world = filled("linux")
    again = restored(world, snapshot(world.engine))
    for one in (world, again):
        port = one.port(limit=1 << 22)
        one.send(port, Msg.ADD, ESP, *whole(7777))
        assert port.number == 2
    assert [each.sa.spi for each in world.dump(world.port()) if each.sa] == [
        each.sa.spi for each in again.dump(again.port()) if each.sa
    ]
    assert again.ask(again.port(), Msg.ADD, ESP, *whole(1003)).errno == again.errno("EEXIST")


def test_lifetimes_go_on() -> None:
    world = made("linux")
    port = world.port()
    world.send(port, Msg.ADD, ESP, *whole(1000, hard(addtime=100), soft(addtime=60)))
    world.wait(20)
    again = restored(world, snapshot(world.engine), later=20)
    manager = again.port()
    again.ask(manager, Msg.REGISTER, ESP)
    again.wait(19)
    assert again.heard(manager) == []
    again.wait(2)
    (warning,) = again.heard(manager)
    assert (warning.type, warning.sa.state) == (Msg.EXPIRE, SAState.DYING)
    again.wait(38)
    assert len(again.engine) == 1
    again.wait(2)
    assert len(again.engine) == 0


@pytest.mark.parametrize("profile", ["linux", "rfc2367", "freebsd"])
def test_what_ended_meanwhile_is_gone_and_what_was_soft_is_told(profile: str) -> None:
    world = made(profile)
    port = world.port()
    world.send(port, Msg.ADD, ESP, *whole(1000, hard(addtime=100), soft(addtime=60)))
    world.send(port, Msg.ADD, ESP, *whole(1001, hard(addtime=300), soft(addtime=60)))
    world.send(port, Msg.ADD, ESP, *whole(1002))
    world.send(port, Msg.GETSPI, ESP, *ends(), spis(5000, 5100))
    again = restored(world, snapshot(world.engine), later=150)
    assert len(again.engine) == 2
    manager = again.port()
    again.engine._core.ports[manager.number].registered.add(3)
    again.engine.advance()
    (warning,) = again.heard(manager)
    assert (warning.type, warning.sa.spi, warning.sa.state) == (Msg.EXPIRE, 1001, SAState.DYING)


def test_a_clock_that_was_set_back() -> None:
    world = made("linux")
    world.send(world.port(), Msg.ADD, ESP, *whole(1000, hard(addtime=100), soft(addtime=60)))
    world.wait(20)
    again = restored(world, snapshot(world.engine), later=-5000)
    assert again.engine.next_deadline() == again.clock.now + 60


def test_policies_come_back_in_order() -> None:
    world = made("linux")
    port = world.port()
    nets = [selectors(f"10.0.{n}.0/24", "10.1.0.0/16") for n in range(6)]
    for n, net in enumerate(nets):
        world.ask(
            port, Msg.SPDADD, SAType.UNSPEC, *net, policy(priority=n, level=Level.UNIQUE if n % 2 else Level.REQUIRE)
        )
    context = SecurityContext(1, 1, b"system_u:object_r:ipsec_spd_t:s0\0")
    world.ask(port, Msg.SPDADD, SAType.UNSPEC, *selectors("10.9.0.0/16", "10.1.0.0/16"), policy(), context)
    world.ask(
        port,
        Msg.SPDUPDATE,
        SAType.UNSPEC,
        *nets[1],
        policy(priority=77),
        hard(addtime=500),
        soft(),
    )
    world.ask(port, Msg.SPDDELETE, SAType.UNSPEC, *nets[3], policy())
    world.wait(2)
    again = restored(world, snapshot(world.engine))
    assert state(again.engine) == state(world.engine)
    assert len(again.engine._core.policies.by_id) == 6
    one, other = world.port(), again.port()
    world.send(one, Msg.SPDDUMP, SAType.UNSPEC)
    again.send(other, Msg.SPDDUMP, SAType.UNSPEC)
    assert one.receive() == other.receive()
    again.wait(600)
    assert len(again.engine._core.policies.by_id) == 5


def test_what_belongs_to_consumers_stays_behind() -> None:
    world = made("linux")
    port = world.port()
    world.ask(port, Msg.REGISTER, ESP)
    world.engine.find_outbound(ESP, SRC, DST)
    world.send(port, Msg.ADD, ESP, *whole(1000), seq=55)
    assert len(world.engine) == 2
    again = restored(world, snapshot(world.engine))
    assert len(again.engine) == 1
    assert again.engine._core.acquire_seq == 1


def test_it_is_the_state_of_its_end_whatever_happens_while_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "BLOCK", 7)
    world = made("linux")
    port = world.port(limit=1 << 24)
    for n in range(60):
        world.send(port, Msg.ADD, ESP, *whole(1000 + n))
    world.ask(port, Msg.SPDADD, SAType.UNSPEC, *selectors("10.0.0.0/24", "10.1.0.0/16"), policy())
    data = START
    pieces = snapshots.taken(world.engine, LINEAGE, lambda: 0)
    for n in range(10):
        data += b"".join(next(pieces))
        world.send(port, Msg.ADD, ESP, *whole(4000 + n))
        world.send(port, Msg.DELETE, ESP, *which(1000 + 5 * n))
        world.send(port, Msg.ADD, ESP, *whole(1000 + 5 * n))  # the same identity, another association
        world.send(port, Msg.UPDATE, ESP, *whole(1059 - n, hard(addtime=100 + n), soft()))
        world.send(port, Msg.SPDADD, SAType.UNSPEC, *selectors(f"10.0.{n + 1}.0/24", "10.1.0.0/16"), policy())
    data += b"".join(b"".join(parts) for parts in pieces)
    assert state(restored(world, data).engine) == state(world.engine)


def test_the_table_swept_while_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "BLOCK", 300)
    world = made("linux")
    port = world.port(limit=1 << 24)
    world.engine.handle_many(port, encoded(world, *(added(*whole(1000 + n)) for n in range(3000))))
    data = START
    for parts in snapshots.taken(world.engine, LINEAGE, lambda: 0):
        data += b"".join(parts)
        if len(world.engine) > 400:
            gone = [each for each in range(3000) if world.engine._core.find(3, None, ip_address(DST), 1000 + each) >= 0]
            for n in gone[:400]:
                world.send(port, Msg.DELETE, ESP, *which(1000 + n))
    assert world.engine._core.store.count < 3000
    assert state(restored(world, data).engine) == state(world.engine)


def test_an_empty_engine() -> None:
    world = made("linux")
    assert state(restored(world, snapshot(world.engine)).engine) == state(world.engine)


@cache
def whole_file() -> bytes:
    return snapshot(filled("linux").engine)


@pytest.fixture
def good() -> bytes:
    return whole_file()


class TestBadFiles:
    def refused(self, data: bytes, match: str, engine: Engine | None = None) -> StateFileError:
        with pytest.raises(StateFileError, match=match) as caught:
            restore(
                Engine("linux") if engine is None else engine, Reader(Path("folder/engine.state"), memoryview(data))
            )
        assert str(caught.value).startswith("folder/engine.state, byte ")
        assert 0 <= caught.value.offset <= len(data)
        return caught.value

    def test_others(self, good: bytes) -> None:
        self.refused(b"", "this is no state of an engine")
        self.refused(b"\x02\x0a\x00\x03" * 100, "this is no state of an engine")
        self.refused(good[:16] + good[19:15:-1] + good[20:], "other byte order")
        self.refused(good[:20] + struct.pack("=I", 7) + good[24:], "its format is 7")

    def test_other_engines(self, good: bytes) -> None:
        self.refused(good, "its dialect is linux, that of this engine freebsd", Engine("freebsd"))
        self.refused(good, "its profile is linux, that of this engine rfc2367", Engine("linux", "rfc2367"))

    def test_an_end_that_is_missing(self, good: bytes) -> None:
        for size in range(len(START), len(good), 97):
            self.refused(good[:size], "it ends before its end")
        assert self.refused(good[:-1], "it ends before its end").offset < len(good)

    @settings(max_examples=200)
    @given(where=st.integers(0, 1 << 30), flip=st.integers(1, 255))
    def test_a_byte_that_changed(self, where: int, flip: int) -> None:
        good = whole_file()
        changed, place = bytearray(good), where % len(good)
        changed[place] ^= flip
        error = self.refused(bytes(changed), r"byte \d+: ")
        assert error.offset <= place + 1

    def test_something_behind_its_end(self, good: bytes) -> None:
        assert self.refused(good + bytes(1), "behind its end").offset == len(good)

    def test_entries_that_are_missing_or_there_twice(self, good: bytes) -> None:
        cuts = [len(START), *(each.end for each in Reader(Path("x"), memoryview(good)))]
        pieces = [good[a:b] for a, b in pairwise(cuts)]
        self.refused(START + b"".join(pieces[:1] + pieces[2:]), "entry 2 stands where 1 should")
        self.refused(START + b"".join(pieces[:2] + pieces[1:]), "entry 1 stands where 2 should")
        self.refused(START + b"".join(pieces[1:]), "entry 1 stands where 0 should")

    @settings(max_examples=300)
    @given(data=st.data())
    def test_payloads_whose_checksums_are_right(self, data: st.DataObject) -> None:
        """Whoever computes checksums may write anything: it is refused, or an engine that works."""
        good = whole_file()
        found = list(Reader(Path("x"), memoryview(good)))
        victim = data.draw(st.integers(1, len(found) - 1))
        payload = bytearray(found[victim].payload)
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(payload) - 1) | st.integers(0, min(len(payload), 400) - 1))
            payload[at] = data.draw(st.integers(0, 255))
        if data.draw(st.booleans()):
            del payload[data.draw(st.integers(0, len(payload) - 1)) :]
        parts = [bytes(payload) if number == victim else bytes(each.payload) for number, each in enumerate(found)]
        changed = START + b"".join(
            b"".join(entry(Kind(each.kind), each.number, [part])) for each, part in zip(found, parts, strict=True)
        )
        world = made("linux")
        try:
            restore(world.engine, Reader(Path("x"), memoryview(changed)))
        except StateFileError:
            return
        snapshots.settle(world.engine)
        port = world.port(limit=1 << 22)
        world.dump(port)
        world.send(port, Msg.SPDDUMP, SAType.UNSPEC)
        world.wait(500)
        world.send(port, Msg.FLUSH, SAType.UNSPEC)
        assert len(world.engine) == 0

    def test_no_message_holds_a_key(self) -> None:
        world = made("linux")
        world.send(world.port(), Msg.ADD, ESP, sa(1000), *ends(), *keys(encrypt=SECRET))
        data = snapshot(world.engine)
        assert SECRET in data
        place = data.index(SECRET)
        error = self.refused(data[:place] + b"\xc4" + data[place + 1 :], "checksum")
        assert "c3c3" not in str(error)


def test_what_a_head_claims_costs_no_memory() -> None:
    engine = Engine("linux")
    claims = snapshots.Head("snapshot", LINEAGE, 0, 1 << 40, 1 << 50)
    data = START + b"".join(snapshots.head(engine, claims))
    with pytest.raises(StateFileError):
        restore(engine, Reader(Path("x"), memoryview(data)))
    assert len(engine._core.store.rows) < 10_000
