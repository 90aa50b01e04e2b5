"""Dumps of tables larger than a queue, and what they show of a table that changes meanwhile."""

import pytest

from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAType

from .world import World, which, whole

ESP = SAType.ESP


def filled(world: World, count: int) -> None:
    """Associations with SPIs from 1000."""
    port = world.port(limit=1 << 20)
    for n in range(count):
        world.send(port, Msg.ADD, ESP, *whole(1000 + n))
    world.engine.disconnect(port)


@pytest.mark.parametrize(("profile", "order"), [("linux", -1), ("rfc2367", 1)])
def test_a_dump_fills_two_thirds_and_goes_on_at_one(profile: str, order: int) -> None:
    world = World(profile)
    filled(world, 40)
    port = world.port(limit=3000)
    world.send(port, Msg.DUMP)
    sizes = [port.queued]
    found = []
    while message := port.receive_one():
        found.append(message)
        sizes.append(port.queued)
    assert max(sizes) <= 2300
    assert min(sizes[:-10]) >= 700
    assert [int.from_bytes(raw[8:12], "little") for raw in found] == [*range(1, 40), 0]
    assert [int.from_bytes(raw[20:24], "big") for raw in found] == [1000 + n for n in range(40)][::order]
    assert port.dropped == 0


@pytest.mark.requirement("R-5.4-02")
def test_a_paused_dump_leaves_room_for_events() -> None:
    world = World("linux")
    filled(world, 40)
    port, other = world.port(limit=3000), world.port(2)
    world.send(port, Msg.DUMP)
    for seq in range(100):
        world.send(other, Msg.REGISTER, SAType.UNSPEC, seq=seq)
        world.send(other, Msg.DELETE, ESP, *which(1000 + seq))
    assert port.dropped > 0
    found = []
    while part := world.heard(port):
        found += [message for message in part if message.type == Msg.DUMP]
    assert [message.seq for message in found][-1] == 0


def test_what_changes_meanwhile() -> None:
    world = World("linux")
    filled(world, 40)
    port, other = world.port(limit=3000), world.port(2)
    world.send(port, Msg.DUMP)
    world.send(other, Msg.ADD, ESP, *whole(5000))
    world.send(other, Msg.DELETE, ESP, *which(1003))
    spis = []
    while part := world.heard(port):
        spis += [message.sa.spi for message in part if message.type == Msg.DUMP]
    assert spis == [1000 + n for n in range(40) if n != 3][::-1]


def test_a_flush_ends_it_properly() -> None:
    world = World("linux")
    filled(world, 40)
    port, other = world.port(limit=3000), world.port(2)
    world.send(port, Msg.DUMP)
    world.send(other, Msg.FLUSH)
    found = []
    while part := world.heard(port):
        found += [message for message in part if message.type == Msg.DUMP]
    assert found[-1].seq == 0
    assert len(found) < 20


def test_one_at_a_time() -> None:
    world = World("linux")
    filled(world, 40)
    port = world.port(limit=3000)
    world.send(port, Msg.DUMP)
    for kind in (Msg.DUMP, Msg.SPDDUMP):
        world.send(port, kind, seq=77)
    errors = []
    while part := world.heard(port):
        errors += [(message.type, message.errno) for message in part if message.errno]
    assert errors == [(kind, world.errno("EBUSY")) for kind in (Msg.DUMP, Msg.SPDDUMP)]
    assert len(world.dump(port)) == 40


def test_sweeping_does_not_disturb_a_dump() -> None:
    world = World("rfc2367", dead_seconds=0.0)
    filled(world, 1100)
    port, other = world.port(limit=3000), world.port(2)
    world.send(port, Msg.DUMP)
    first = world.heard(port)
    for n in range(1050):
        world.send(other, Msg.DELETE, ESP, *which(1000 + n))
    rest = [message for message in _all(world, port) if message.type == Msg.DUMP]
    spis = [message.sa.spi for message in (*first, *rest)]
    assert spis == sorted(spis)
    assert spis[-50:] == list(range(2050, 2100))


def _all(world: World, port: object) -> list:  # type: ignore[type-arg]
    found = []
    while part := world.heard(port):  # type: ignore[arg-type]
        found += part
    return found


def test_kame_counts_down_and_loses_the_end() -> None:
    world = World("freebsd", "freebsd")
    filled(world, 40)
    port = world.port(limit=3000)
    world.send(port, Msg.DUMP)
    found = world.heard(port)
    assert [message.seq for message in found] == list(range(39, 39 - len(found), -1))
    assert port.dropped == 40 - len(found) > 0


def test_netbsd_shows_all_or_nothing() -> None:
    world = World("netbsd", "netbsd")
    filled(world, 40)
    port, other = world.port(limit=3000), world.port(2)
    world.send(port, Msg.DUMP)
    assert [message.seq for message in world.heard(port)] == list(range(39, -1, -1))
    while port.queued < 3000 and not port.dropped:
        world.send(other, Msg.FLUSH, SAType.AH)
    world.send(port, Msg.FLUSH, SAType.AH)
    port.limit = port.queued
    world.send(port, Msg.DUMP)
    assert all(message.type == Msg.FLUSH for message in world.heard(port))
