"""Whatever is sent, an engine answers or has send() fail, and its table stays whole; edges of what can be counted."""

from __future__ import annotations

import sys
from contextlib import suppress
from ipaddress import ip_address
from random import Random

import pytest

from fastpfkey import Engine, requests
from fastpfkey.engine.consumers import Association
from fastpfkey.engine.faults import Fault, FaultPlan, VirtualClock, answer_error, delay, drop, fail_send, truncate
from fastpfkey.engine.port import Port
from fastpfkey.errors import EncodeError
from fastpfkey.spec.profiles import PROFILES
from fastpfkey.spec.supported import Offered
from fastpfkey.spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, IdentityType, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.extensions import Identity, Lifetime, Proposal
from fastpfkey.wire.message import MessageValue
from fastpfkey.wire.value import ExtensionValue

from .world import DST, EPOCH, SRC, World, ends, exttypes, hard, proxy, sa, soft, spis, which, whole

ESP = SAType.ESP
MOST = 2**64 - 1
EDGES = (0, 1, 2, 3, 8, 16, 31, 32, 33, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 2**32 - 1, MOST)


def current(**fields: int) -> Lifetime:
    """A current lifetime."""
    return Lifetime(Ext.LIFETIME_CURRENT, **fields)


def sound(engine: Engine, random: Random) -> list[bytes]:
    """Requests of every type with numbers at their edges, as far as the dialect can say them."""
    found = []

    def say(type: Msg, satype: SAType, *extensions: ExtensionValue, **header: int) -> None:
        value = MessageValue(
            type,
            satype,
            seq=random.randrange(5),
            pid=random.randrange(3),
            extensions=extensions,
            dialect=engine.dialect,
            **header,
        )
        with suppress(EncodeError):
            found.append(value.encode())

    for satype in (SAType.ESP, SAType.AH, SAType.OSPFV2, SAType.IPCOMP, SAType.UNSPEC):
        spi = random.choice((0, 1, 255, 256, 0x1000, 0x1001, 0xFFFF, 2**32 - 1))
        src, dst = random.choice(
            ((SRC, DST), ("2001:db8::1", "ff02::1"), (SRC, "2001:db8::2"), ("224.0.0.1", "0.0.0.0"))
        )
        full = whole(spi, src=src, dst=dst)
        text = random.choice(("192.0.2.0/24", "::/0", "x/y", "10.0.0.1/8", ""))
        numbers = {name: random.choice((0, 1, 5, 2**63, MOST)) for name in ("bytes", "addtime", "usetime")}
        limits = (hard(**numbers), soft(**numbers), current(**numbers))
        more = (*limits, proxy(src), Identity(Ext.IDENTITY_SRC, IdentityType.PREFIX, text=text))
        some = [item for item in more if random.random() < 0.5]
        say(Msg.ADD, satype, *full, *some)
        say(Msg.UPDATE, satype, *full, *some)
        say(Msg.UPDATE, satype, *full[:3], *some)
        for kind in (Msg.GET, Msg.DELETE):
            say(kind, satype, *full[:3])
        say(Msg.GETSPI, satype, *full[1:3], spis(random.choice((0, 1, 256, spi)), random.choice((spi, 256, 2**32 - 1))))
        say(Msg.ACQUIRE, satype, *full[1:3], Proposal())
        say(Msg.ACQUIRE, satype, errno=22)
        say(Msg.PCHANGE, satype, *full[1:3])
        say(Msg.EXPIRE, satype, *full[:3], limits[0], limits[2])
        for kind in (Msg.REGISTER, Msg.DUMP, Msg.FLUSH, Msg.PROMISC):
            say(kind, satype)
    return found


def changed(message: bytes, random: Random) -> bytes:
    """A message with some bytes changed, cut or put behind it, and most often a length that is right."""
    data = bytearray(message)
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        at, width = random.randrange(len(data)), random.choice((1, 2, 4, 8))
        number = random.choice(EDGES) & (1 << 8 * width) - 1
        data[at : at + width] = number.to_bytes(width, random.choice(("little", "big")))[: len(data) - at]
    if random.random() < 0.2:
        del data[random.randrange(len(data)) :]
    if random.random() < 0.1:
        data += bytes(random.choice((1, 8, 16, 4096)))
    if random.random() < 0.7 and len(data) >= 16:
        data[4:6] = (len(data) // 8 & 0xFFFF).to_bytes(2, sys.byteorder)
    if random.random() < 0.7 and len(data) >= 8:
        data[0], data[6:8] = 2, bytes(2)
    return bytes(data)


def table_is_whole(engine: Engine) -> None:
    """Index and rows say the same, and each record is a message of its length."""
    store = engine._core.store
    assert len(engine) == len(store.index) == int(store.rows["alive"][: store.count].sum())
    for slot in store.index.values():
        record = store.record(slot)
        assert store.rows[slot]["alive"]
        assert engine._core.framing.header(record).len * 8 == len(record)


@pytest.mark.filterwarnings("error")
@pytest.mark.requirement("R-6-02")
@pytest.mark.parametrize("name", PROFILES)
@pytest.mark.parametrize("knobs", [{}, {"request_errors": True, "queue_limit": 3000, "delete_pairs": True}])
def test_any_bytes_are_answered_or_refused(name: str, knobs: dict[str, object]) -> None:
    random = Random(7)
    for dialect in {name, "linux"}:
        for _ in range(5):
            clock = VirtualClock()
            engine = Engine(dialect, name, clock=clock, wall=lambda: EPOCH, random=random, **knobs)
            ports = [engine.connect(pid) for pid in range(3)]
            requests = sound(engine, random)
            for _ in range(100):
                _disturb(engine, random.choice(ports), requests, random)
                table_is_whole(engine)
                if random.random() < 0.2:
                    clock.advance(random.choice((0.1, 1, 31, 1e6)))
                    engine.advance()
                if random.random() < 0.3:
                    for port in ports:
                        port.receive()


def _disturb(engine: Engine, port: Port, requests: list[bytes], random: Random) -> None:
    request = random.choice(requests)
    if random.random() < 0.6:
        request = changed(request, random)
    with suppress(OSError):
        if random.random() < 0.1:
            engine.handle_many(port, b"".join(random.choices(requests, k=8)) + request)
        else:
            engine.handle(port, request)
    with suppress(OSError):
        found = engine.find_outbound(ESP, SRC, DST)
        if isinstance(found, Association):
            engine.account(found, 1, random.choice((1, 2**40, MOST)))


class TestCounters:
    @pytest.mark.parametrize("name", ["rfc2367", "linux"])
    def test_they_stay_at_their_end(self, name: str) -> None:
        world = World(name)
        port = world.port()
        world.ask(port, Msg.ADD, ESP, *whole())
        held = world.engine.find_inbound(ESP, DST, 0x1000)
        assert held is not None
        for _ in range(2):
            assert world.engine.account(held, 2**32, MOST)
        shown = world.ask(port, Msg.GET, ESP, *which()).lifetime_current
        assert shown is not None
        assert shown.bytes == MOST
        assert shown.allocations == (2**32 - 1 if world.engine.profile.allocations_are_packets else 0)

    def test_nothing_is_counted_down(self) -> None:
        world = World()
        world.ask(world.port(), Msg.ADD, ESP, *whole())
        held = world.engine.find_inbound(ESP, DST, 0x1000)
        assert held is not None
        for packets, octets in ((-1, 0), (0, -1)):
            with pytest.raises(ValueError, match="counted up"):
                world.engine.account(held, packets, octets)

    @pytest.mark.requirement("R-2.3.2-08")
    def test_a_current_lifetime_may_say_anything(self) -> None:
        world = World()
        port = world.port()
        world.ask(port, Msg.ADD, ESP, *whole())
        counters = current(allocations=2**32 - 1, bytes=MOST, addtime=MOST, usetime=MOST)
        answer = world.ask(port, Msg.UPDATE, ESP, sa(0x1000), counters, *ends())
        assert answer.errno == 0
        assert world.ask(port, Msg.GET, ESP, *which()).lifetime_current == counters

    def test_limits_beyond_all_times(self) -> None:
        """Many at once as one by one: the end of time comes no sooner for it."""
        world = World("linux")
        port = world.port()
        requests = [
            MessageValue(
                Msg.ADD, ESP, extensions=whole(0x1000 + i, hard(addtime=MOST), soft(addtime=MOST)), dialect="linux"
            )
            for i in range(20)
        ]
        assert not world.engine.handle_many(port, b"".join(item.encode() for item in requests)).failures
        world.wait(1e9)
        assert len(world.engine) == 20


class TestSPIs:
    @pytest.mark.requirement("R-3.1.1-04")
    @pytest.mark.parametrize("name", PROFILES)
    def test_zero_is_never_given(self, name: str) -> None:
        for _ in range(20):
            world = World(name)
            answer = world.ask(
                world.port(pid=0), Msg.GETSPI, SAType.OSPFV2 if name == "rfc2367" else ESP, *ends(), spis(0, 1)
            )
            assert answer.sa is None or answer.sa.spi == 1

    def test_what_no_packet_has(self) -> None:
        for spi in (-1, 2**32):
            with pytest.raises(ValueError, match="32 bits"):
                World().engine.find_inbound(ESP, DST, spi)


class TestSessions:
    def test_ends_of_different_families(self) -> None:
        with pytest.raises(ValueError, match="different families"):
            World().engine.find_outbound(ESP, SRC, "2001:db8::1")

    @pytest.mark.parametrize("name", PROFILES)
    def test_every_dialect_can_ask(self, name: str) -> None:
        world = World(name, name)
        manager = world.port(limit=1 << 20)
        world.send(manager, Msg.REGISTER, SAType.AH)
        world.heard(manager)
        world.engine.find_outbound(SAType.AH, SRC, DST)
        (asked,) = world.heard(manager)
        assert asked.address_src is not None
        assert asked.address_src.ip == ip_address(SRC)

    def test_what_a_message_cannot_say(self) -> None:
        world = World()
        world.ask(world.port(), Msg.REGISTER, ESP)
        with pytest.raises(EncodeError, match=r"acquire: .*port"):
            world.engine.find_outbound(ESP, SRC, DST, proto=6, sport=70000)


class TestAlgorithms:
    @pytest.mark.requirement("R-3.1.7-05")
    @pytest.mark.parametrize(
        "name", [name for name in PROFILES if name not in ("rfc2367", "illumos", "linux", "macos")]
    )
    @pytest.mark.parametrize("profile", ["rfc2367", ""])
    def test_compression_is_listed(self, name: str, profile: str) -> None:
        """In a list of its own, or as KAME does among the numbers of encryption."""
        world = World(profile or name, name)
        answer = world.ask(world.port(limit=1 << 20), Msg.REGISTER, SAType.IPCOMP)
        number = world.engine.dialect.terms["compress"].number(CompressAlgorithm.DEFLATE)
        if Ext.SUPPORTED_COMP in world.engine.dialect.by_type:
            assert [item.id for item in answer.supported_comp.algorithms] == [CompressAlgorithm.DEFLATE]
        else:
            (item,) = answer.supported_encrypt.algorithms
            assert world.engine.dialect.terms["encrypt"].number(item.id) == number

    def test_one_that_the_dialect_does_not_have(self) -> None:
        world = World("rfc2367", "rfc2367")
        port = world.port()
        before = world.ask(port, Msg.REGISTER, ESP)
        with pytest.raises(EncodeError, match="AES_CBC"):
            world.engine.add_algorithm(ESP, Offered(EncryptAlgorithm.AES_CBC, 16, 128, 256))
        assert world.ask(port, Msg.REGISTER, ESP).extensions == before.extensions
        world.engine.add_algorithm(ESP, Offered(AuthAlgorithm.unknown(99), 0, 128, 128))
        assert exttypes(world.heard(port)[0])


class TestErrors:
    @pytest.mark.requirement("R-2.1-02")
    @pytest.mark.parametrize("name", PROFILES)
    def test_they_are_of_version_2(self, name: str) -> None:
        world = World(name, name)
        port = world.port(pid=0)
        request = bytearray(MessageValue(Msg.FLUSH, ESP, dialect=world.engine.dialect).encode())
        request[0] = 3
        with suppress(OSError):
            world.engine.handle(port, bytes(request))
            (answer,) = world.heard(port)
            assert answer.type == Msg.FLUSH

    @pytest.mark.parametrize("size", [17, 600_000])
    def test_what_cannot_be_sent_back_whole(self, size: int) -> None:
        world = World("freebsd", "freebsd", version=PROFILES["rfc2367"].version, oversize=PROFILES["rfc2367"].oversize)
        port = world.port()
        world.engine.handle(
            port, bytes([3]) + MessageValue(Msg.FLUSH, ESP, dialect="freebsd").encode()[1:].ljust(size - 1)
        )
        (answer,) = world.heard(port)
        assert (answer.errno != 0, len(answer.extensions)) == (True, 0)


def test_a_refused_add_leaves_what_it_would_have_replaced() -> None:
    """Linux: an ADD with the number of an ACQUIRE takes the larval association's place, if it is installed."""
    world = World("linux")
    port = world.port()
    world.ask(port, Msg.REGISTER, ESP)
    pending = world.engine.find_outbound(ESP, SRC, DST)
    world.heard(port)
    world.ask(port, Msg.GETSPI, ESP, *ends(), spis(0x2000, 0x2000), seq=pending.seq)  # type: ignore[union-attr]
    world.ask(port, Msg.ADD, ESP, *whole(0x1000), seq=99)
    answer = world.ask(port, Msg.ADD, ESP, *whole(0x1000), seq=pending.seq)  # type: ignore[union-attr]
    assert answer.errno == world.errno("EEXIST")
    assert sorted(world.states()) == [SAState.LARVAL, SAState.MATURE]


class TestKnobs:
    @pytest.mark.parametrize(
        ("knob", "value"), [("dump", "fast"), ("deliveries", "plan9"), ("policies", "all"), ("faithful_keys", "no")]
    )
    def test_positions_that_there_are_not(self, knob: str, value: str) -> None:
        with pytest.raises(ValueError, match=f"{knob} is one of"):
            Engine("linux", **{knob: value})


class TestFaults:
    @pytest.mark.parametrize(
        "made",
        [
            lambda: drop(nth=0),
            lambda: drop(times=0),
            lambda: truncate(size=0),
            lambda: delay(-1.0),
            lambda: delay(float("nan")),
        ],
    )
    def test_that_cannot_be(self, made) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(ValueError, match="counted from 1"):
            made()

    @pytest.mark.parametrize("fault", [fail_send("ENOBUF"), answer_error("busy")])
    def test_errors_that_the_dialect_does_not_have(self, fault: Fault) -> None:
        with pytest.raises(ValueError, match="linux has no error"):
            Engine("linux", faults=FaultPlan(fault))

    def test_messages_of_no_type(self) -> None:
        """What programs send each other may be anything."""
        engine = Engine("rfc2367", faults=FaultPlan())
        port, other = engine.connect(1), engine.connect(2)
        inner = bytes([0, 250]) * 8
        head = bytearray(MessageValue(Msg.PROMISC, dialect="rfc2367").encode())
        head[4:6] = (4).to_bytes(2, sys.byteorder)
        engine.handle(port, bytes(head) + inner)
        assert other.receive() == inner


def test_a_refused_policy_leaves_the_one_that_it_would_have_replaced() -> None:
    """FreeBSD tells request ids in 16 bits: one beyond them cannot be said, and nothing has changed."""
    world = World("freebsd", "freebsd")
    port = world.port(limit=1 << 20)
    policy = requests.policy("out", "ipsec", [requests.transform("esp", level="unique")])
    world.engine.handle(port, requests.spdadd("192.0.2.1", "192.0.2.2", policy, dialect="freebsd").encode())
    (before,) = world.heard(port)
    assert before.errno == 0
    world.engine._core.policies.reqid = 0xFFFF
    world.engine.handle(port, requests.spdupdate("192.0.2.1", "192.0.2.2", policy, dialect="freebsd").encode())
    (refused,) = world.heard(port)
    assert refused.errno == world.errno("EINVAL")
    world.engine.handle(port, requests.spddump(dialect="freebsd").encode())
    (shown,) = world.heard(port)
    assert shown.policy.id == before.policy.id
