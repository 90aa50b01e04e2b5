"""Lifetimes and the messages they cause (RFC 2367, 2.3.2 and 3.1.8), on a clock that the test moves."""

import pytest

from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAState, SAType

from .world import EPOCH, World, ends, exttypes, hard, proxy, soft, spis, which, whole


@pytest.fixture
def world() -> World:
    return World()


def expiries(world: World, port: object) -> list[Ext]:
    """Which limits a client has heard to be reached."""
    return [
        Ext.LIFETIME_HARD if message.lifetime_hard is not None else Ext.LIFETIME_SOFT
        for message in world.heard(port)  # type: ignore[arg-type]
        if message.type == Msg.EXPIRE
    ]


class TestTime:
    @pytest.mark.requirement(
        "R-1.5-06", "R-2.3.2-06", "R-3.1.8-01", "R-3.1.8-02", "R-3.1.8-05", "R-3.1.8-07", "R-3.1.8-08", "R-3.3-03",
        "R-1.6-08",
    )  # fmt: skip
    def test_soft_first_then_hard(self, world: World) -> None:
        port, other = world.port(), world.port(2)
        given = whole(0x1000, soft(addtime=10), hard(addtime=20), proxy("192.0.2.9"))
        world.send(port, Msg.ADD, SAType.ESP, *given)
        world.heard(other)
        world.wait(9.9)
        assert expiries(world, other) == []
        world.wait(0.1)
        (message,) = world.heard(other)
        assert exttypes(message) == [
            Ext.SA,
            Ext.LIFETIME_CURRENT,
            Ext.LIFETIME_SOFT,
            Ext.ADDRESS_SRC,
            Ext.ADDRESS_DST,
            Ext.ADDRESS_PROXY,
        ]
        assert (message.seq, message.pid, message.sa.state) == (0, 0, SAState.DYING)
        assert message.lifetime_current.addtime == EPOCH + 1000
        world.wait(9.9)
        assert world.states() == [SAState.DYING]
        world.wait(0.1)
        assert expiries(world, other) == [Ext.LIFETIME_HARD]
        assert world.engine.find_inbound(SAType.ESP, "192.0.2.2", 0x1000) is None

    @pytest.mark.requirement("R-3.1.8-10", "R-3.1.8-11")
    @pytest.mark.parametrize("limits", [(soft(addtime=10), hard(addtime=10)), (soft(addtime=11), hard(addtime=10))])
    def test_hard_comes_before_soft(self, world: World, limits: tuple) -> None:  # type: ignore[type-arg]
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, *limits))
        world.wait(60)
        assert expiries(world, port) == [Ext.LIFETIME_HARD]

    def test_a_jump_over_both_tells_of_hard_alone(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, soft(addtime=10), hard(addtime=20)))
        world.wait(60)
        assert expiries(world, port) == [Ext.LIFETIME_HARD]

    @pytest.mark.requirement("R-2.3.2-01", "R-2.3.2-10", "R-3.3-05")
    def test_without_limits_nothing_ends(self, world: World) -> None:
        port = world.port()
        for spi, limits in ((1000, ()), (1001, (hard(bytes=5),)), (1002, (soft(addtime=5),))):
            world.send(port, Msg.ADD, SAType.ESP, *whole(spi, *limits))
        world.wait(1e9)
        assert world.states() == [SAState.MATURE, SAState.MATURE, SAState.DYING]

    @pytest.mark.requirement("R-2.3.2-07", "R-2.3.2-09")
    def test_use_time_runs_from_the_first_use(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, soft(usetime=5, addtime=500), hard(usetime=10)))
        world.wait(100)
        assert expiries(world, port) == []
        found = world.engine.find_outbound(SAType.ESP, "192.0.2.1", "192.0.2.2")
        world.wait(5)
        assert expiries(world, port) == [Ext.LIFETIME_SOFT]
        current = world.ask(port, Msg.GET, SAType.ESP, *which()).lifetime_current
        assert current.usetime == EPOCH + 1100
        world.wait(5)
        assert expiries(world, port) == [Ext.LIFETIME_HARD]
        assert not world.engine.account(found, 1, 1)

    def test_update_arms_the_soft_limit_again(self, world: World) -> None:
        port = world.port()
        limits = (soft(addtime=10), hard(addtime=100))
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, *limits))
        world.wait(10)
        assert expiries(world, port) == [Ext.LIFETIME_SOFT]
        world.send(port, Msg.UPDATE, SAType.ESP, *whole(0x1000, soft(addtime=50), hard(addtime=100)))
        world.wait(39.9)
        assert expiries(world, port) == []
        world.wait(0.2)
        assert expiries(world, port) == [Ext.LIFETIME_SOFT]

    def test_deadlines_are_told(self, world: World) -> None:
        port = world.port()
        assert world.engine.next_deadline() is None
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, soft(addtime=10), hard(addtime=20)))
        assert world.engine.next_deadline() == 1010.0
        world.wait(10)
        assert world.engine.next_deadline() == 1020.0
        world.send(port, Msg.GETSPI, SAType.ESP, *ends(), spis(5000, 6000))
        world.wait(10)
        assert world.engine.next_deadline() == 1021.0
        world.wait(1)
        assert world.engine.next_deadline() == 1040.0
        world.wait(20)
        assert world.engine.next_deadline() is None


class TestUse:
    @pytest.mark.requirement("R-2.3.2-04", "R-1.2-02")
    def test_allocations_are_lookups(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, soft(allocations=2), hard(allocations=3)))
        for told in ([], [Ext.LIFETIME_SOFT], [Ext.LIFETIME_HARD]):
            assert world.engine.find_outbound(SAType.ESP, "192.0.2.1", "192.0.2.2").spi == 0x1000
            assert expiries(world, port) == told
        with pytest.raises(OSError, match="EPROTONOSUPPORT"):
            world.engine.find_outbound(SAType.ESP, "192.0.2.1", "192.0.2.2")

    @pytest.mark.requirement("R-2.3.2-05", "R-2.3.2-09")
    def test_bytes_are_counted(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, soft(bytes=100), hard(bytes=300, addtime=1000)))
        found = world.engine.find_inbound(SAType.ESP, "192.0.2.2", 0x1000)
        assert found is not None
        assert world.engine.account(found, 1, 99)
        assert expiries(world, port) == []
        assert world.engine.account(found, 1, 1)
        assert expiries(world, port) == [Ext.LIFETIME_SOFT]
        current = world.ask(port, Msg.GET, SAType.ESP, *which()).lifetime_current
        assert (current.bytes, current.usetime) == (100, EPOCH + 1000)
        assert not world.engine.account(found, 1, 200)
        assert expiries(world, port) == [Ext.LIFETIME_HARD]
        assert not world.engine.account(found, 1, 1)
        assert expiries(world, port) == []

    def test_limits_that_have_to_be_exceeded(self) -> None:
        world = World("freebsd", "freebsd")
        port = world.port()
        world.ask(port, Msg.REGISTER, SAType.ESP)
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, soft(bytes=50), hard(bytes=100, addtime=10)))
        found = world.engine.find_inbound(SAType.ESP, "192.0.2.2", 0x1000)
        world.engine.account(found, 1, 50)
        assert expiries(world, port) == []
        world.engine.account(found, 1, 50)
        assert expiries(world, port) == [Ext.LIFETIME_SOFT]
        world.wait(10)
        assert expiries(world, port) == []
        world.wait(1)
        assert expiries(world, port) == [Ext.LIFETIME_HARD]

    def test_numbers_that_run_out_are_a_soft_end(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        found = world.engine.find_inbound(SAType.ESP, "192.0.2.2", 0x1000)
        assert found is not None
        world.engine.sequence_exhausted(found)
        world.engine.sequence_exhausted(found)
        assert expiries(world, port) == [Ext.LIFETIME_SOFT]


def test_many_timers_fire_in_order_and_survive_sweeping(world: World) -> None:
    port = world.port(limit=1 << 24)
    for n in range(900):
        world.send(port, Msg.ADD, SAType.ESP, *whole(1000 + n, hard(addtime=10 + n % 100)))
    port.receive()
    for n in range(600):
        world.send(port, Msg.DELETE, SAType.ESP, *which(1000 + n))
    port.receive()
    seen: list[int] = []
    for _ in range(5):
        world.wait(30)
        seen += [message.sa.spi - 1000 for message in world.heard(port) if message.sa is not None]
    assert sorted(seen) == list(range(600, 900))
    assert [n % 100 for n in seen] == sorted(n % 100 for n in seen)
    assert len(world.engine) == 0


def test_what_was_used_stays_dead_as_long_as_what_was_not(world: World) -> None:
    """Whose times are due twice is not removed by the second."""
    port = world.port()
    for spi in (0x1001, 0x1002):
        world.send(port, Msg.ADD, SAType.ESP, *whole(spi, hard(addtime=5)))
    found = world.engine.find_inbound(SAType.ESP, "192.0.2.2", 0x1002)
    assert found is not None
    world.engine.account(found, 1, 1)
    world.wait(5)
    assert world.states() == [SAState.DEAD, SAState.DEAD]
    world.wait(1)
    assert world.states() == []
