"""REGISTER, FLUSH, DUMP, PROMISC, ACQUIRE and PCHANGE of programs, headers and errors, by the letter of RFC 2367."""

import pytest

from fastpfkey.spec.supported import Offered
from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.decode import decode
from fastpfkey.wire.extensions import Combination, Lifetime, Proposal
from fastpfkey.wire.message import MessageValue

from .world import PID, World, ends, exttypes, hard, has_keys, keys, sa, types, which, whole

COMBINATION = Combination(auth=AuthAlgorithm.SHA1_HMAC, auth_minbits=160, auth_maxbits=160)
PROPOSAL = Proposal(replay=32, combinations=(COMBINATION,))


@pytest.fixture
def world() -> World:
    return World()


class TestRegister:
    @pytest.mark.requirement(
        "R-3.1.7-01", "R-3.1.7-05", "R-3.1.7-08", "R-2.3.8-01", "R-2.3.8-02", "R-2.3.8-03", "R-2.3.8-04", "R-2.3.8-05",
        "R-5.1-02",
    )  # fmt: skip
    def test_those_registered_for_the_type_hear_its_algorithms(self, world: World) -> None:
        port, same, other = world.port(), world.port(2), world.port(3)
        world.ask(same, Msg.REGISTER, SAType.ESP)
        world.ask(other, Msg.REGISTER, SAType.AH)
        answer = world.ask(port, Msg.REGISTER, SAType.ESP)
        assert world.heard(same) == [answer]
        assert world.heard(other) == []
        assert exttypes(answer) == [Ext.SUPPORTED_AUTH, Ext.SUPPORTED_ENCRYPT]
        for item in (*answer.supported_auth.algorithms, *answer.supported_encrypt.algorithms):
            assert 0 < item.minbits <= item.maxbits
        assert {item.ivlen for item in answer.supported_auth.algorithms} == {0}
        assert exttypes(world.ask(other, Msg.REGISTER, SAType.AH)) == [Ext.SUPPORTED_AUTH]

    @pytest.mark.requirement("R-2.3.8-06", "R-1.1-03")
    def test_what_is_offered_is_taken(self, world: World) -> None:
        port = world.port()
        answer = world.ask(port, Msg.REGISTER, SAType.AH)
        for spi, item in enumerate(answer.supported_auth.algorithms, start=1000):
            given = (sa(spi, auth=item.id, encrypt=0), *ends(), keys(b"k" * (item.minbits // 8))[0])
            assert not world.ask(port, Msg.ADD, SAType.AH, *given).errno

    @pytest.mark.requirement("R-3.1.7-03", "R-3.1.7-04")
    def test_any_type_and_any_extensions(self, world: World) -> None:
        port = world.port()
        for satype in (SAType.OSPFV2, SAType.unknown(77)):
            assert exttypes(world.ask(port, Msg.REGISTER, satype)) == [Ext.SUPPORTED_AUTH]
        assert not world.ask(port, Msg.REGISTER, SAType.ESP, *whole()).errno
        assert not world.ask(port, Msg.REGISTER, SAType.ESP).errno

    @pytest.mark.requirement("R-3.1.7-06", "R-3.1.7-07", "R-1.6-08")
    def test_new_algorithms_are_announced_with_all_others(self, world: World) -> None:
        port, other = world.port(), world.port(2)
        before = world.ask(port, Msg.REGISTER, SAType.AH)
        world.engine.add_algorithm(SAType.AH, Offered(AuthAlgorithm.SM3_256_HMAC, 0, 256, 256))
        (news,) = world.heard(port)
        assert (news.type, news.seq, news.pid) == (Msg.REGISTER, 0, 0)
        assert news.supported_auth.algorithms[:-1] == before.supported_auth.algorithms
        assert world.heard(other) == []
        world.engine.remove_algorithm(SAType.AH, AuthAlgorithm.SM3_256_HMAC)
        (news,) = world.heard(port)
        assert news.supported_auth == before.supported_auth


class TestFlush:
    @pytest.mark.requirement("R-3.1.9-01", "R-3.1.9-02", "R-3.1.9-03", "R-3.1.9-04", "R-3.1.9-05", "R-1.5-03")
    def test_it_takes_one_type_or_all(self, world: World) -> None:
        port, other = world.port(), world.port(2)
        world.send(port, Msg.ADD, SAType.ESP, *whole(1000))
        world.send(port, Msg.ADD, SAType.AH, sa(1000, encrypt=0), *ends(), keys()[0])
        world.send(port, Msg.ADD, SAType.ESP, *whole(2000))
        world.heard(other)
        answer = world.ask(port, Msg.FLUSH, SAType.ESP)
        assert (answer.satype, exttypes(answer), len(world.engine)) == (SAType.ESP, [], 1)
        assert world.heard(other) == [answer]
        assert world.ask(port, Msg.GET, SAType.ESP, *which(1000)).errno == world.errno("ESRCH")
        assert not world.ask(port, Msg.GET, SAType.AH, *which(1000)).errno
        assert not world.ask(port, Msg.FLUSH, SAType.UNSPEC).errno
        assert len(world.engine) == 0


class TestDump:
    @pytest.mark.requirement("R-3.1.10-01", "R-3.1.10-02", "R-3.1.10-03", "R-3.1.10-04", "R-3.1.10-08")
    def test_it_shows_one_type_or_all_to_who_asks(self, world: World) -> None:
        port, other = world.port(), world.port(2)
        assert world.ask(port, Msg.DUMP, SAType.UNSPEC, seq=9).errno == world.errno("ENOENT")
        for n in range(5):
            world.send(port, Msg.ADD, SAType.ESP, *whole(1000 + n))
        world.send(port, Msg.ADD, SAType.OSPFV2, sa(7, encrypt=0), *ends(), whole()[3])
        for one in (port, other):
            world.heard(one)
        found = world.dump(port)
        assert [message.seq for message in found] == [1, 2, 3, 4, 5, 0]
        assert {message.type for message in found} == {Msg.DUMP}
        assert {message.pid for message in found} == {PID}
        assert [message.sa.spi for message in found] == [1000, 1001, 1002, 1003, 1004, 7]
        assert all(map(has_keys, found))
        assert len(world.dump(port, SAType.ESP)) == 5
        assert world.heard(other) == []


class TestPromiscuity:
    @pytest.fixture
    def world(self) -> World:
        return World(dialect="freebsd")

    @pytest.mark.requirement("R-A-01", "R-A-02", "R-A-04", "R-A-05")
    def test_control_is_told_to_all(self, world: World) -> None:
        port, other = world.port(), world.port(2)
        for number in (1, 0):
            world.send(port, Msg.PROMISC, SAType.unknown(1) if number else SAType.UNSPEC)
            assert list(types(world.heard(other))) == [Msg.PROMISC]
        world.heard(port)
        answer = world.ask(port, Msg.PROMISC, SAType.AH)
        assert answer.errno == world.errno("EINVAL")

    @pytest.mark.requirement("R-A-06", "R-A-10", "R-A-11", "R-1.6-01")
    def test_copies_of_all_are_wrapped(self) -> None:
        world = World(dialect="freebsd", faithful_keys=True)
        port, snoop = world.port(), world.port(2)
        world.send(snoop, Msg.PROMISC, SAType.unknown(1))
        world.heard(snoop)
        bad = bytearray(MessageValue(Msg.ADD, SAType.ESP, seq=3, pid=PID, extensions=whole()).encode())
        bad[18] = 5  # an extension that is no association any more
        world.engine.handle(port, bad)
        copies = world.heard(snoop)
        assert copies[0].raw[16:] == bytes(bad)
        assert copies[1].payload.errno == world.errno("EINVAL")
        world.send(port, Msg.GETSPI, SAType.ESP)
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        assert [message.payload.type if message.payload else message.type for message in world.heard(snoop)] == [
            Msg.GETSPI,
            Msg.GETSPI,
            Msg.ADD,
            Msg.ADD,
            Msg.ADD,
        ]
        world.send(snoop, Msg.GET, SAType.ESP, *which())
        assert [message.type for message in world.heard(snoop)] == [Msg.PROMISC, Msg.GET]

    def test_copies_show_no_keys_of_others(self) -> None:
        world = World(dialect="freebsd")
        port, snoop = world.port(), world.port(2)
        world.send(snoop, Msg.PROMISC, SAType.unknown(1))
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        world.send(port, Msg.GET, SAType.ESP, *which())
        broken = MessageValue(Msg.ADD, SAType.ESP, extensions=whole()).encode()
        world.engine.handle(port, broken[:4] + broken[4:-8])
        data = snoop.receive()
        assert len(list(decode(data, "freebsd"))) >= 6
        assert b"aaaaaaaa" not in data
        assert b"eeeeeeee" not in data

    @pytest.mark.requirement("R-A-07", "R-A-08", "R-A-09", "R-A-12")
    def test_programs_reach_each_other(self, world: World) -> None:
        port, one, other = world.port(1), world.port(2), world.port(3)
        inner = b"\x02\xff" + bytes(14) + b"anything" * 2
        head = world.engine.dialect

        def wrapped(target: int) -> bytes:
            outer = MessageValue(Msg.PROMISC, seq=target, pid=1, dialect=head).encode()
            return outer[:4] + (2 + len(inner) // 8).to_bytes(2, "little") + outer[6:] + inner

        world.engine.handle(port, wrapped(2))
        assert (one.receive(), other.receive(), port.receive()) == (inner, b"", b"")
        world.engine.handle(port, wrapped(0))
        assert (one.receive(), other.receive(), port.receive()) == (inner, inner, inner)
        world.engine.handle(port, wrapped(99))
        (answer,) = world.heard(port)
        assert answer.errno == world.errno("ESRCH")

    @pytest.mark.requirement("R-A-03", "R-A-12", "R-1.3-06", "R-1.3-07", "R-6-01", "R-1.2-07")
    def test_who_may_do_what_is_asked(self) -> None:
        refused = {"promisc_receive", "read_keys", "modify", "flush"}
        world = World(dialect="freebsd", authorize=lambda port, operation: operation not in refused or port.pid == PID)
        port, other = world.port(), world.port(2)
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        for kind, satype, extensions in (
            (Msg.PROMISC, SAType.unknown(1), ()),
            (Msg.GET, SAType.ESP, which()),
            (Msg.DUMP, SAType.ESP, ()),
            (Msg.ADD, SAType.ESP, whole(0x2000)),
            (Msg.FLUSH, SAType.ESP, ()),
        ):
            assert world.ask(other, kind, satype, *extensions).errno == world.errno("EPERM")
        assert len(world.engine) == 1


@pytest.mark.requirement("R-1.4-06")
def test_messages_stay_in_a_trust_domain() -> None:
    """Who is of another domain gets answers, and hears nothing else: no changes, requests or ends."""
    world = World(authorize=lambda port, operation: operation != "hear" or port.pid == PID)
    inside, outside = world.port(), world.port(2)
    for port in (inside, outside):
        world.send(port, Msg.REGISTER)
        world.heard(port)
    world.heard(inside)
    world.send(inside, Msg.ADD, SAType.ESP, *whole(0x1001, hard(addtime=5)))
    world.engine.find_outbound(SAType.ESP, "192.0.2.7", "192.0.2.8")
    world.wait(5)
    adds = MessageValue(Msg.ADD, SAType.ESP, seq=1, pid=PID, extensions=whole(0x1002), dialect=world.engine.dialect)
    world.engine.handle_many(inside, adds.encode() * 20)
    assert [message.type for message in world.heard(inside)][:3] == [Msg.ADD, Msg.ACQUIRE, Msg.EXPIRE]
    assert world.heard(outside) == []
    assert world.ask(outside, Msg.GET, SAType.ESP, *which(0x1002)).errno == 0


@pytest.mark.requirement("R-1.3-05", "R-1.2-07")
def test_who_may_not_open_a_socket_gets_none() -> None:
    world = World(authorize=lambda port, operation: operation != "open" or port.pid == PID)
    world.port()
    with pytest.raises(OSError, match="EPERM") as caught:
        world.port(2)
    assert caught.value.errno == world.errno("EPERM")
    assert len(world.engine.ports) == 1


class TestRelays:
    @pytest.mark.requirement("R-1.2-04", "R-3.1.6-02", "R-3.1.6-13", "R-3.1.6-15", "R-3.1.6-16")
    def test_acquire_of_a_program_goes_to_key_managers(self, world: World) -> None:
        port, manager, other = world.port(), world.port(2), world.port(3)
        asked = (*ends(), PROPOSAL)
        answer = world.ask(port, Msg.ACQUIRE, SAType.OSPFV2, *asked)
        assert answer.errno == world.errno("EPROTONOSUPPORT")
        world.ask(manager, Msg.REGISTER, SAType.OSPFV2)
        world.ask(other, Msg.REGISTER, SAType.ESP)
        world.send(port, Msg.ACQUIRE, SAType.OSPFV2, *asked, seq=88, pid=5)
        (message,) = world.heard(manager)
        assert (message.seq, message.pid, message.extensions) == (88, 5, asked)
        assert world.heard(other) == world.heard(port) == []
        for bad in ((*ends(),), (ends()[0], PROPOSAL)):
            assert world.ask(port, Msg.ACQUIRE, SAType.OSPFV2, *bad).errno == world.errno("EINVAL")

    @pytest.mark.requirement("R-2.3.7-04", "R-2.3.7-05", "R-2.3.7-06", "R-2.3.7-07", "R-2.3.7-08", "R-2.3.7-09")
    @pytest.mark.parametrize(
        "fields",
        [
            {"auth": 0, "auth_minbits": 8},
            {"auth_minbits": 0},
            {"auth_maxbits": 80},
            {"encrypt_minbits": 8},
            {"encrypt": EncryptAlgorithm.AES_CBC},
            {"encrypt": EncryptAlgorithm.AES_CBC, "encrypt_minbits": 256, "encrypt_maxbits": 128},
        ],
    )
    def test_proposals_have_sound_bounds(self, world: World, fields: dict[str, int]) -> None:
        base = {"auth": AuthAlgorithm.SHA1_HMAC, "auth_minbits": 160, "auth_maxbits": 160}
        bad = Proposal(combinations=(Combination(**(base | fields)),))  # type: ignore[arg-type]
        port = world.port()
        world.ask(port, Msg.REGISTER, SAType.ESP)
        assert world.ask(port, Msg.ACQUIRE, SAType.ESP, *ends(), bad).errno == world.errno("EINVAL")

    @pytest.mark.requirement("R-B-02", "R-B-03", "R-B-04", "R-B-06")
    def test_pchange_goes_to_those_registered(self, world: World) -> None:
        port, manager, other = world.port(), world.port(2), world.port(3)
        world.ask(manager, Msg.REGISTER, SAType.ESP)
        for given in ((*ends(), PROPOSAL), ends()):
            world.send(port, Msg.PCHANGE, SAType.ESP, *given)
            assert [message.extensions for message in world.heard(manager)] == [given]
        assert world.heard(other) == world.heard(port) == []
        assert world.engine.next_deadline() is None

    @pytest.mark.requirement("R-3.1.8-03", "R-3.1.8-04", "R-3.1.8-12")
    def test_expire_of_a_program_is_told_on(self, world: World) -> None:
        port, other = world.port(), world.port(2)
        world.ask(port, Msg.ADD, SAType.OSPFV2, sa(7, encrypt=0), *ends(), keys()[0])
        world.heard(other)
        current = Lifetime(Ext.LIFETIME_CURRENT, bytes=7)
        for limit, left in ((Lifetime(Ext.LIFETIME_SOFT, bytes=5), [SAState.DYING]), (hard(bytes=6), [])):
            given = (sa(7, encrypt=0), current, limit, *ends())
            world.send(port, Msg.EXPIRE, SAType.OSPFV2, *given, seq=3, pid=9)
            (message,) = world.heard(other)
            assert (message.seq, message.pid, message.extensions) == (3, 9, given)
            assert world.states() == left
        both = (sa(7, encrypt=0), current, hard(bytes=5), Lifetime(Ext.LIFETIME_SOFT, bytes=5), *ends())
        world.heard(port)
        assert world.ask(port, Msg.EXPIRE, SAType.OSPFV2, *both).errno == world.errno("EINVAL")


class TestHeaders:
    @pytest.mark.requirement(
        "R-2.1-02", "R-2.1-03", "R-2.1-07", "R-3.1-04", "R-3.1-05", "R-3.1-07", "R-1.4-02", "R-1.4-03"
    )
    @pytest.mark.parametrize(
        ("change", "errno"),
        [
            ({0: 1}, "EINVAL"),
            ({1: 99}, "EINVAL"),
            ({6: 1}, "EINVAL"),
            ({4: 3}, "EMSGSIZE"),
            ({4: 1}, "EMSGSIZE"),
        ],
    )
    def test_a_bad_one_comes_back_to_its_sender_alone(self, world: World, change: dict[int, int], errno: str) -> None:
        port, other = world.port(), world.port(2)
        raw = bytearray(MessageValue(Msg.FLUSH, seq=6, pid=7).encode())
        for place, value in change.items():
            raw[place] = value
        world.engine.handle(port, raw)
        reply = port.receive()
        assert (reply[2], len(reply), reply[4]) == (world.errno(errno), 16, 2)
        assert reply[8:16] == raw[8:16]
        assert other.receive() == b""

    @pytest.mark.requirement("R-1.6-02", "R-2.1-07")
    def test_less_than_a_header_cannot_be_answered(self, world: World) -> None:
        with pytest.raises(OSError, match="EMSGSIZE") as caught:
            world.engine.handle(world.port(), b"\2\3\0\3")
        assert caught.value.errno == world.errno("EMSGSIZE")

    @pytest.mark.requirement("R-2.3-02", "R-2.3-03", "R-2.3-04", "R-2.3-05", "R-2.3-10")
    def test_extensions_are_whole_and_single_in_any_order(self, world: World) -> None:
        port = world.port()
        good = MessageValue(Msg.ADD, SAType.ESP, extensions=whole()).encode()

        def answer(body: bytes) -> int:
            raw = bytearray(good[:16] + body)
            raw[4:6] = (len(raw) // 8).to_bytes(2, "little")
            world.engine.handle(port, raw)
            return port.receive()[2]

        for bad in (good[16:] + good[16:32], good[16:] + bytes(8), good[16:] + b"\x09\0\x50\0" + bytes(4)):
            assert answer(bad) == world.errno("EINVAL")
        assert answer(good[16:] + b"\x01\0\0\0" + bytes(4)) == world.errno("EINVAL")
        assert answer(good[32:] + good[16:32]) == 0

    @pytest.mark.requirement("R-1.4-04")
    def test_a_full_queue_drops_and_counts(self, world: World) -> None:
        port, slow = world.port(), world.port(2, limit=100)
        for n in range(9):
            world.send(port, Msg.FLUSH, SAType.ESP, seq=n)
        assert [message.seq for message in world.heard(slow)] == [0, 1, 2, 3, 4, 5]
        assert slow.dropped == 3

    def test_a_closed_port_hears_and_says_nothing(self, world: World) -> None:
        port, other = world.port(), world.port(2)
        world.ask(port, Msg.REGISTER, SAType.ESP)
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        world.engine.disconnect(port)
        assert world.engine.ports == (other,)
        with pytest.raises(ValueError, match="closed"):
            world.send(port, Msg.FLUSH)
        assert len(world.engine) == 1
