"""What only the Linux profile does, with what a kernel was seen to say as expectation (integration/inside)."""

import pytest

from fastpfkey import requests
from fastpfkey.engine.port import Port
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAState, SAType
from fastpfkey.wire.extensions import SA
from fastpfkey.wire.message import Message, MessageValue

from .world import PID, World, hard, soft, whole

SRC, DST = "192.0.2.1", "198.51.100.2"
OLD, NEW = {"src": SRC, "dst": DST}, {"src": "192.0.2.9", "dst": "198.51.100.9"}
SELECTORS = ("10.1.0.0/16", "10.2.0.0/16")
KEYS = {"auth": "sha1-hmac", "auth_key": b"a" * 20, "encrypt": "aes-cbc", "encrypt_key": b"e" * 16}


@pytest.fixture
def world() -> World:
    return World("linux")


def ask(world: World, port: Port, make: object, *what: object, **more: object) -> Message:
    """The last message that a request brings to its sender."""
    message = make(*what, **{"seq": 7, "pid": PID, "dialect": "linux", **more})  # type: ignore[operator]
    assert isinstance(message, MessageValue)
    world.engine.handle(port, message.encode())
    return world.heard(port)[-1]


def tunnel(mode: str = "tunnel", **ends: str) -> object:
    return requests.transform("esp", mode=mode, **ends)  # type: ignore[arg-type]


class TestMigrate:
    def setup(self, world: World) -> Port:
        port = world.port()
        policy = requests.policy("out", transforms=[tunnel(**OLD)])
        assert not ask(world, port, requests.spdadd, *SELECTORS, policy).errno
        for spi, mode in ((0x1001, "tunnel"), (0x1002, "transport")):
            assert not ask(world, port, requests.add, "esp", spi, SRC, DST, mode=mode, **KEYS).errno
        return port

    def migrate(self, world: World, port: Port, **more: object) -> Message:
        return ask(
            world, port, requests.migrate, *SELECTORS, more.pop("dir", "out"), [(tunnel(**OLD), tunnel(**NEW))], **more
        )

    def test_a_policy_and_its_association_move(self, world: World) -> None:
        port = self.setup(world)
        other = world.port()
        answer = self.migrate(world, port)
        assert (answer.type, answer.satype, answer.errno, answer.seq, answer.pid) == (Msg.MIGRATE, SAType.ESP, 0, 0, 0)
        assert answer.address_src.proto == answer.address_dst.proto == 0
        assert [item.raw for item in world.heard(other)] == [answer.raw]
        found = {item.sa.spi: (str(item.address_src.ip), str(item.address_dst.ip)) for item in world.dump(port)}
        assert found == {0x1001: (NEW["src"], NEW["dst"]), 0x1002: (SRC, DST)}
        (policy,) = _dump(world, port)
        assert [(str(item.src.ip), str(item.dst.ip)) for item in policy.policy.requests] == [(NEW["src"], NEW["dst"])]
        assert world.engine.find_inbound(SAType.ESP, NEW["dst"], 0x1001) is not None
        assert world.engine.find_inbound(SAType.ESP, DST, 0x1001) is None

    def test_what_is_not_there_cannot(self, world: World) -> None:
        port = self.setup(world)
        assert self.migrate(world, port, dir="in").errno == world.errno("ENOENT")
        assert not self.migrate(world, port).errno
        again = self.migrate(world, port)
        assert (again.errno, again.seq, again.pid) == (world.errno("ENODATA"), 7, PID)

    def test_nothing_moves_where_an_spi_is_taken(self, world: World) -> None:
        port = self.setup(world)
        assert not ask(world, port, requests.add, "esp", 0x1001, SRC, NEW["dst"], **KEYS).errno
        before = [item.raw[16:] for item in (*world.dump(port), *_dump(world, port))]
        assert self.migrate(world, port).errno == world.errno("ENODATA")
        assert [item.raw[16:] for item in (*world.dump(port), *_dump(world, port))] == before

    def test_an_association_that_moved_still_ends(self, world: World) -> None:
        port = world.port()
        policy = requests.policy("out", transforms=[tunnel(**OLD)])
        ask(world, port, requests.spdadd, *SELECTORS, policy)
        ask(world, port, requests.add, "esp", 0x1001, SRC, DST, mode="tunnel", hard=60, **KEYS)
        self.migrate(world, port)
        world.wait(60)
        assert len(world.engine) == 0


def _dump(world: World, port: Port) -> list[Message]:
    world.send(port, Msg.SPDDUMP, SAType.UNSPEC)
    return world.heard(port)


class TestEncapsulation:
    def answer(self, world: World, make: object, **more: object) -> Message:
        return ask(world, self.port, make, "esp", 0x1001, SRC, DST, **KEYS, **more)

    @pytest.fixture(autouse=True)
    def _port(self, world: World) -> None:
        self.port = world.port()
        assert not self.answer(world, requests.add, natt=requests.natt(4500, 4501)).errno

    def ports(self, world: World) -> tuple[int, int]:
        found = ask(world, self.port, requests.get, "esp", 0x1001, SRC, DST)
        return found.natt_sport.port, found.natt_dport.port

    def test_an_update_sets_ports(self, world: World) -> None:
        assert not self.answer(world, requests.update, natt=requests.natt(4600, 4601)).errno
        assert self.ports(world) == (4600, 4601)

    def test_but_neither_leaves_them_out_nor_changes_their_kind(self, world: World) -> None:
        refused = world.errno("EINVAL")
        assert self.answer(world, requests.update).errno == refused
        other = requests.natt(4600, 4601, type="espinudp-non-ike")
        assert self.answer(world, requests.update, natt=other).errno == refused
        assert self.ports(world) == (4500, 4501)

    def test_nor_brings_them(self, world: World) -> None:
        ask(world, self.port, requests.add, "esp", 0x1002, SRC, DST, **KEYS)
        brought = ask(world, self.port, requests.update, "esp", 0x1002, SRC, DST, natt=requests.natt(1, 2), **KEYS)
        assert brought.errno == world.errno("EINVAL")

    def test_a_peer_that_moves_is_told_of(self, world: World) -> None:
        world.send(self.port, Msg.REGISTER)
        world.heard(self.port)
        unregistered = world.port()
        found = world.engine.find_inbound(SAType.ESP, DST, 0x1001)
        assert found is not None
        world.engine.peer_moved(found, "192.0.2.77", 4999)
        (told,) = world.heard(self.port)
        assert world.heard(unregistered) == []
        assert (told.type, told.satype, told.seq, told.pid) == (Msg.NAT_T_NEW_MAPPING, SAType.ESP, 7, 0)
        assert told.sa == SA(0x1001)
        assert (str(told.address_src.ip), told.natt_sport.port) == (SRC, 4500)
        assert (str(told.address_dst.ip), told.natt_dport.port) == ("192.0.2.77", 4999)

    def test_only_what_is_in_udp_can(self, world: World) -> None:
        ask(world, self.port, requests.add, "esp", 0x1002, SRC, DST, **KEYS)
        found = world.engine.find_inbound(SAType.ESP, DST, 0x1002)
        assert found is not None
        with pytest.raises(ValueError, match="is not in UDP"):
            world.engine.peer_moved(found, "192.0.2.77", 4999)

    def test_and_only_where_there_is_a_message_for_it(self) -> None:
        world = World("freebsd", dialect="freebsd")
        world.send(world.port(), Msg.ADD, SAType.ESP, *whole(0x1001))
        found = world.engine.find_inbound(SAType.ESP, "192.0.2.2", 0x1001)
        assert found is not None
        with pytest.raises(ValueError, match="freebsd has no message"):
            world.engine.peer_moved(found, "192.0.2.77", 4999)


def test_who_is_registered_hears_others_ask_for_algorithms(world: World) -> None:
    listening, silent, asking = world.port(), world.port(), world.port()
    world.send(listening, Msg.REGISTER, SAType.AH)
    world.heard(listening)
    world.send(asking, Msg.REGISTER, SAType.UNSPEC)
    assert [len(world.heard(port)) for port in (listening, silent, asking)] == [1, 0, 1]


def test_a_limit_ends_an_association_when_it_is_next_used(world: World) -> None:
    port = world.port()
    world.send(port, Msg.REGISTER)
    world.send(port, Msg.ADD, SAType.ESP, *whole(0x1001, soft(bytes=100), hard(bytes=200)))
    world.heard(port)
    found = world.engine.find_inbound(SAType.ESP, "192.0.2.2", 0x1001)
    assert found is not None
    told = []
    for _ in range(4):
        used = world.engine.account(found, 1, 100)
        told.append((used, [(item.sa.state, item.get(Ext.LIFETIME_CURRENT).bytes) for item in world.heard(port)]))
    assert told == [
        (True, []),
        (True, [(SAState.DYING, 100)]),
        (False, [(SAState.DEAD, 200)]),
        (False, []),
    ]
