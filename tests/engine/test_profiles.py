"""The profiles are data that fits together, every knob has its sentence, and systems differ where they are said to."""

import ast
import inspect
from dataclasses import fields, replace

import pytest

from fastpfkey import Engine
from fastpfkey.spec import DIALECTS, delivery, dialect
from fastpfkey.spec import profile as knobs
from fastpfkey.spec.profiles import PROFILES
from fastpfkey.spec.supported import supported
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAType
from fastpfkey.wire.rules import RULES

from .world import World, ends, exttypes, has_keys, spis, which, whole


def test_there_is_a_profile_for_each_dialect() -> None:
    assert tuple(sorted(PROFILES)) == tuple(sorted(DIALECTS))
    for name in DIALECTS:
        assert Engine(name).profile.name == name


@pytest.mark.parametrize("name", PROFILES)
def test_what_a_profile_names_exists(name: str) -> None:
    profile = PROFILES[name]
    known = {rule.id for rule in RULES}
    assert {item.split()[0] for item in profile.tolerates} <= known
    assert {item.split()[0] for item in profile.errnos} <= known
    assert profile.refuses_warnings <= known
    errnos = dialect(name).errnos or dialect("linux").errnos
    named = {*profile.errnos.values(), *profile.relays.values(), profile.exhausted, profile.unserved}
    named.add(profile.table_full)
    assert {item for item in named if item} <= errnos.keys()
    assert profile.deliveries in delivery.DELIVERIES


def test_every_knob_is_explained() -> None:
    (body,) = (
        node
        for node in ast.parse(inspect.getsource(knobs)).body
        if isinstance(node, ast.ClassDef) and node.name == "Profile"
    )
    names = [item.name for item in fields(knobs.Profile)]
    explained = {
        body.body[place].target.id
        for place in range(len(body.body) - 1)
        if isinstance(body.body[place], ast.AnnAssign) and isinstance(body.body[place + 1], ast.Expr)
    }
    assert [name for name in names if name not in explained] == []


def test_knobs_are_overridable_and_no_others() -> None:
    engine = Engine("linux", "rfc2367", larval_lifetime=5.0, faithful_keys=True)
    assert engine.profile == replace(PROFILES["rfc2367"], larval_lifetime=5.0, faithful_keys=True)
    with pytest.raises(TypeError):
        Engine("linux", colour="green")
    with pytest.raises(ValueError, match="unknown profile 'plan9'; known are"):
        Engine("linux", "plan9")


@pytest.mark.parametrize("name", DIALECTS)
def test_lists_are_what_the_dialect_can_say(name: str) -> None:
    lists = supported(dialect(name))
    assert lists.auth
    assert lists.encrypt
    for kind, items in (("auth", lists.auth), ("encrypt", lists.encrypt)):
        for item in items:
            assert item.id in dialect(name).terms[kind].numbers
            assert item.minbits <= item.maxbits


class TestKeysStayWithTheirOwner:
    @pytest.mark.parametrize("name", [name for name in PROFILES if name not in ("rfc2367", "illumos")])
    def test_in_every_profile(self, name: str) -> None:
        world = World(name, name, tolerates=PROFILES[name].tolerates)
        port, other = world.port(), world.port(2)
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        world.send(port, Msg.GET, SAType.ESP, *which())
        assert any(map(has_keys, world.heard(port)))
        assert not any(map(has_keys, world.heard(other)))

    @pytest.mark.parametrize(("name", "leaks"), [("linux", True), ("freebsd", False)])
    def test_unless_the_kernel_is_followed_to_the_letter(self, name: str, leaks: bool) -> None:
        world = World(name, name, faithful_keys=True)
        port, other = world.port(), world.port(2)
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        assert [has_keys(message) for message in world.heard(other)] == [leaks]


class TestFreeBSD:
    @pytest.fixture
    def world(self) -> World:
        return World("freebsd", "freebsd")

    def test_errors_are_the_request_without_keys(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        answer = world.ask(port, Msg.ADD, SAType.ESP, *whole())
        assert answer.errno == world.errno("EEXIST")
        assert has_keys(answer)
        assert not any(answer.key_auth.reveal())
        assert not any(answer.key_encrypt.reveal())

    def test_an_spi_is_taken_for_all(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        assert world.ask(port, Msg.ADD, SAType.ESP, *whole(dst="192.0.2.9")).errno == world.errno("EEXIST")
        assert world.ask(port, Msg.GET, SAType.ESP, *which(dst="192.0.2.9")).errno == world.errno("ESRCH")

    def test_delete_without_association_takes_all_of_the_pair(self, world: World) -> None:
        port = world.port()
        for spi, dst in ((1000, "192.0.2.2"), (1001, "192.0.2.2"), (1002, "192.0.2.3")):
            world.send(port, Msg.ADD, SAType.ESP, *whole(spi, dst=dst))
        assert exttypes(world.ask(port, Msg.DELETE, SAType.ESP, *ends())) == exttypes(
            world.ask(port, Msg.DELETE, SAType.ESP, *ends())
        )
        assert len(world.engine) == 1

    def test_send_fails_for_unreadable_bytes(self, world: World) -> None:
        with pytest.raises(OSError, match="ENOBUFS"):
            world.engine.handle(world.port(), bytes(4096))
        with pytest.raises(OSError, match="EINVAL"):
            world.engine.handle(world.port(), b"\2\3\0\3\3\0" + bytes(10) + b"\0\0\1\0" + bytes(4))

    def test_only_the_process_that_made_it_may_update(self, world: World) -> None:
        port = world.port()
        spi = world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(1000, 2000), pid=1).sa.spi
        assert world.ask(port, Msg.UPDATE, SAType.ESP, *whole(spi), pid=2).errno == world.errno("EINVAL")
        assert not world.ask(port, Msg.UPDATE, SAType.ESP, *whole(spi), pid=1).errno


class TestOpenBSD:
    def test_what_does_not_belong_is_refused(self) -> None:
        world = World("openbsd", "openbsd")
        port = world.port()
        assert world.ask(port, Msg.FLUSH, SAType.ESP, *ends()).errno == world.errno("EINVAL")
        with pytest.raises(OSError, match="EINVAL"):
            world.send(port, Msg.FLUSH, SAType.ESP, pid=1)
