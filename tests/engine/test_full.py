"""A table that holds as many associations as it may: what is refused, with what, and what still goes."""

import pytest

from fastpfkey.spec.profiles import PROFILES
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAType

from .test_bulk import added, encoded, same
from .world import World, ends, spis, which, whole


@pytest.mark.requirement("R-3.1-05")
@pytest.mark.parametrize("name", ["rfc2367", "linux", "freebsd", "netbsd", "macos"])
def test_one_more_is_refused(name: str) -> None:
    world = World(name, "linux" if name == "rfc2367" else name, most_associations=2)
    port = world.port()
    assert world.ask(port, Msg.ADD, SAType.ESP, *whole(1000)).errno == 0
    assert world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(2000, 3000)).errno == 0
    full = world.errno(PROFILES[name].table_full)
    assert world.ask(port, Msg.ADD, SAType.ESP, *whole(1001)).errno == full
    assert world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(2000, 3000)).errno == full
    assert world.ask(port, Msg.ADD, SAType.ESP, *whole(1000)).errno == world.errno("EEXIST")
    assert len(world.engine) == 2


def test_there_is_room_behind_a_delete_and_for_what_is_there() -> None:
    world = World("linux", most_associations=1)
    port = world.port()
    world.ask(port, Msg.ADD, SAType.ESP, *whole(1000))
    assert world.ask(port, Msg.UPDATE, SAType.ESP, *whole(1000)).errno == 0
    assert world.ask(port, Msg.DELETE, SAType.ESP, *which(1000)).errno == 0
    assert world.ask(port, Msg.ADD, SAType.ESP, *whole(1001)).errno == 0


def test_a_request_that_waits_is_shown_by_no_association_then() -> None:
    world = World("linux", most_associations=1)
    port = world.port()
    world.ask(port, Msg.REGISTER, SAType.ESP)
    world.ask(port, Msg.ADD, SAType.ESP, *whole(1000))
    pending = world.engine.find_outbound(SAType.ESP, "192.0.2.9", "192.0.2.8")
    assert (pending.state, len(world.engine)) == ("pending", 1)


@pytest.mark.parametrize("profile", ["linux", "rfc2367", "freebsd"])
def test_many_at_once_fill_it_to_the_last(profile: str) -> None:
    result = same(profile, *(added(*whole(1000 + n)) for n in range(60)), most_associations=37)
    assert len(result[2]) == 37  # type: ignore[arg-type]


def test_many_are_refused_with_the_same_error() -> None:
    world = World("linux", most_associations=37)
    port = world.port()
    world.engine.handle_many(port, encoded(world, *(added(*whole(1000 + n)) for n in range(60))))
    errors = [message.errno for message in world.heard(port)]
    assert errors == [0] * 37 + [world.errno("ENOBUFS")] * 23
