"""Consumers of associations, ACQUIRE and what answers it (RFC 2367, 1.2, 3.1.6 and 5.2)."""

from ipaddress import ip_address

import pytest

from fastpfkey.engine.acquires import Pending
from fastpfkey.engine.consumers import Association
from fastpfkey.engine.dominance import dominates
from fastpfkey.spec.terms import AuthAlgorithm, IdentityType, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.extensions import SA, Combination, Identity, Key, Proposal, Sensitivity

from .world import DST, PID, SRC, World, ends, exttypes, hard, keys, proxy, sa, soft, spis, which, whole

ESP = SAType.ESP


@pytest.fixture
def world() -> World:
    return World()


class TestLookups:
    @pytest.mark.requirement("R-1.2-01", "R-1.2-02")
    def test_consumers_see_what_messages_changed(self, world: World) -> None:
        port = world.port()
        assert world.engine.find_inbound(ESP, DST, 0x1000) is None
        world.send(port, Msg.ADD, ESP, *whole())
        found = world.engine.find_inbound(ESP, DST, 0x1000)
        assert (found.satype, found.spi, str(found.src), str(found.dst)) == (ESP, 0x1000, SRC, DST)
        assert world.engine.find_outbound(ESP, SRC, DST) == found
        assert world.ask(port, Msg.GET, ESP, *which()).lifetime_current.allocations == 1
        world.send(port, Msg.DELETE, ESP, *which())
        assert world.engine.find_inbound(ESP, DST, 0x1000) is None
        world.send(port, Msg.GETSPI, ESP, *ends(), spis(0x1000, 0x1000))
        assert world.engine.find_inbound(ESP, DST, 0x1000) is None
        assert not world.engine.account(found, 1, 1)

    def test_the_mature_are_preferred_and_then_the_newest(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, ESP, *whole(1000))
        world.send(port, Msg.ADD, ESP, *whole(1001, soft(addtime=50)))
        world.send(port, Msg.ADD, ESP, *whole(1002, soft(addtime=5), hard(addtime=100)))
        assert world.engine.find_outbound(ESP, SRC, DST).spi == 1002
        world.wait(5)
        assert world.engine.find_outbound(ESP, SRC, DST).spi == 1001
        for spi in (1000, 1001):
            world.send(port, Msg.DELETE, ESP, *which(spi))
        assert world.engine.find_outbound(ESP, SRC, DST).spi == 1002


class TestAcquire:
    @pytest.mark.requirement(
        "R-1.2-03", "R-1.4-05", "R-3.1.6-01", "R-3.1.6-07", "R-3.1.6-08", "R-3.1.6-09", "R-3.1.6-10", "R-3.1.6-17",
        "R-2.3.3-07", "R-1.6-08", "R-2.3.1-01",
    )  # fmt: skip
    def test_a_miss_asks_those_registered(self, world: World) -> None:
        manager, other, stranger = world.port(), world.port(2), world.port(3)
        with pytest.raises(OSError, match="EPROTONOSUPPORT"):
            world.engine.find_outbound(ESP, SRC, DST)
        world.ask(manager, Msg.REGISTER, ESP)
        world.ask(other, Msg.REGISTER, SAType.AH)
        wanted = Proposal(
            combinations=tuple(
                Combination(auth=one, auth_minbits=160, auth_maxbits=160)
                for one in (AuthAlgorithm.SHA1_HMAC, AuthAlgorithm.RIPEMD160_HMAC)
            )
        )
        pending = world.engine.find_outbound(
            ESP,
            SRC,
            DST,
            proto=6,
            sport=1024,
            dport=80,
            proxy="192.0.2.77",
            identities=(Identity(Ext.IDENTITY_SRC, IdentityType.FQDN, text="a.example"),),
            sensitivity=Sensitivity(dpd=1),
            proposal=wanted,
        )
        assert isinstance(pending, Pending)
        (message,) = world.heard(manager)
        assert exttypes(message) == [
            Ext.ADDRESS_SRC,
            Ext.ADDRESS_DST,
            Ext.ADDRESS_PROXY,
            Ext.IDENTITY_SRC,
            Ext.SENSITIVITY,
            Ext.PROPOSAL,
        ]
        assert (message.type, message.pid, message.seq) == (Msg.ACQUIRE, 0, pending.seq)
        assert pending.seq != 0
        assert (message.address_src.port, message.address_dst.port, message.address_dst.proto) == (1024, 80, 6)
        assert message.proposal == wanted
        assert world.heard(other) == world.heard(stranger) == []

    @pytest.mark.requirement("R-2.3.7-10", "R-3.1.6-08")
    def test_the_engine_proposes_what_it_would_take_strongest_first(self, world: World) -> None:
        manager = world.port()
        world.ask(manager, Msg.REGISTER, SAType.AH)
        world.engine.find_outbound(SAType.AH, SRC, DST)
        (message,) = world.heard(manager)
        combinations = message.proposal.combinations
        assert [item.auth_maxbits for item in combinations] == sorted(
            (item.auth_maxbits for item in combinations), reverse=True
        )
        for spi, item in enumerate(combinations, start=3000):
            given = (
                sa(spi, auth=item.auth, encrypt=item.encrypt),
                hard(addtime=item.hard_addtime),
                *ends(),
                Key.of(Ext.KEY_AUTH, b"k" * (item.auth_maxbits // 8)),
            )
            assert not world.ask(manager, Msg.ADD, SAType.AH, *given).errno

    @pytest.mark.requirement("R-3.1.6-04", "R-3.1.6-05", "R-1.5-05", "R-3.1.1-03", "R-3.1.3-02")
    def test_each_consumer_gets_its_own(self, world: World) -> None:
        manager = world.port()
        world.ask(manager, Msg.REGISTER, ESP)
        first = world.engine.find_outbound(ESP, SRC, DST, unique="first")
        second = world.engine.find_outbound(ESP, SRC, DST, unique="second")
        assert world.engine.find_outbound(ESP, SRC, DST, unique="first") is first
        assert [message.seq for message in world.heard(manager)] == [first.seq, second.seq]
        spi = world.ask(manager, Msg.GETSPI, ESP, *ends(), spis(1000, 2000), seq=second.seq).sa.spi
        world.send(manager, Msg.UPDATE, ESP, *whole(spi), seq=second.seq)
        assert (first.state, second.state) == ("pending", "done")
        assert world.engine.obtained(second).spi == spi
        world.send(manager, Msg.ADD, ESP, *whole(3000), seq=first.seq)
        assert world.engine.obtained(first).spi == 3000
        assert world.engine.find_outbound(ESP, SRC, DST, unique="first").spi == 3000
        assert world.engine.find_outbound(ESP, SRC, DST, unique="second").spi == spi
        assert isinstance(world.engine.find_outbound(ESP, SRC, DST), Pending)

    @pytest.mark.requirement("R-3.1.6-11", "R-3.1.6-12", "R-5.1-07", "R-2.1-05")
    @pytest.mark.parametrize("more", [(), which()])
    def test_a_key_manager_gives_up(self, world: World, more: tuple) -> None:  # type: ignore[type-arg]
        manager, other = world.port(), world.port(2)
        world.ask(manager, Msg.REGISTER, ESP)
        pending = world.engine.find_outbound(ESP, SRC, DST)
        world.heard(manager)
        world.send(manager, Msg.ACQUIRE, ESP, *more, seq=pending.seq, errno=110)
        assert (pending.state, pending.errno) == ("failed", 110)
        for port in (manager, other):
            (message,) = world.heard(port)
            assert (message.type, message.errno, message.seq, exttypes(message)) == (Msg.ACQUIRE, 110, pending.seq, [])
        world.send(manager, Msg.ACQUIRE, ESP, seq=999, errno=110)
        assert world.heard(manager) == []
        assert world.ask(manager, Msg.ACQUIRE, ESP, seq=999).errno == world.errno("EINVAL")
        again = world.engine.find_outbound(ESP, SRC, DST)
        assert again.seq != pending.seq

    def test_nobody_answers_in_time(self, world: World) -> None:
        manager = world.port()
        world.ask(manager, Msg.REGISTER, ESP)
        pending = world.engine.find_outbound(ESP, SRC, DST)
        world.heard(manager)
        assert world.engine.next_deadline() == 1030.0
        world.wait(29)
        assert world.engine.find_outbound(ESP, SRC, DST) is pending
        assert world.heard(manager) == []
        world.wait(1)
        assert (pending.state, pending.errno) == ("failed", world.errno("ETIMEDOUT"))
        assert not world.ask(manager, Msg.ADD, ESP, *whole(), seq=pending.seq).errno

    def test_kame_asks_again_after_some_misses(self) -> None:
        world = World("freebsd", "freebsd")
        manager = world.port(limit=1 << 20)
        world.ask(manager, Msg.REGISTER, ESP)
        for _ in range(21):
            world.engine.find_outbound(ESP, SRC, DST)
        assert [message.type for message in world.heard(manager)] == [Msg.ACQUIRE] * 3

    @pytest.mark.requirement("R-1.2-05", "R-3.1.6-14", "R-5.3-01", "R-5.3-02")
    def test_a_consumer_in_user_space(self, world: World) -> None:
        """OSPF asks through messages: GET, ACQUIRE, and GET again (RFC 2367, 5.3)."""
        ospf, manager = world.port(1), world.port(2)
        kind = SAType.OSPFV2
        world.ask(manager, Msg.REGISTER, kind)
        assert world.ask(ospf, Msg.GET, kind, *which(7)).errno == world.errno("ESRCH")
        combination = Combination(auth=AuthAlgorithm.MD5_HMAC, auth_minbits=128, auth_maxbits=128)
        world.send(ospf, Msg.ACQUIRE, kind, *ends(), Proposal(combinations=(combination,)), seq=5)
        (asked,) = world.heard(manager)
        assert (asked.type, asked.seq, asked.pid) == (Msg.ACQUIRE, 5, PID)
        assert exttypes(asked) == [Ext.ADDRESS_SRC, Ext.ADDRESS_DST, Ext.PROPOSAL]
        key = Key.of(Ext.KEY_AUTH, b"0123456789abcdef")
        world.send(manager, Msg.GETSPI, kind, *ends(), spis(7, 7), seq=5)
        world.send(manager, Msg.UPDATE, kind, sa(7, auth=AuthAlgorithm.MD5_HMAC, encrypt=0), *ends(), key, seq=5)
        assert [message.type for message in world.heard(ospf)] == [Msg.GETSPI, Msg.UPDATE]
        answer = world.ask(ospf, Msg.GET, kind, *which(7))
        assert (answer.key_auth, answer.sa.state) == (key, SAState.MATURE)


class TestPassiveChange:
    @pytest.mark.requirement("R-B-01", "R-B-03", "R-B-04", "R-B-05")
    def test_it_is_told_to_those_registered(self, world: World) -> None:
        manager, other = world.port(), world.port(2)
        world.ask(manager, Msg.REGISTER, ESP)
        world.engine.passive_change(ESP, SRC, DST, proto=6, dport=80)
        world.engine.passive_change(ESP, SRC, DST, proto=6, dport=80, proposal=False)
        with_proposal, without = world.heard(manager)
        assert (with_proposal.type, with_proposal.pid) == (Msg.PCHANGE, 0)
        assert exttypes(with_proposal) == [Ext.ADDRESS_SRC, Ext.ADDRESS_DST, Ext.PROPOSAL]
        assert exttypes(without) == [Ext.ADDRESS_SRC, Ext.ADDRESS_DST]
        assert (without.address_dst.port, without.address_dst.proto) == (80, 6)
        assert world.heard(other) == []


class TestDominance:
    @pytest.mark.requirement("R-5.2-01", "R-5.2-02")
    @pytest.mark.parametrize(
        ("kind", "text", "wanted"),
        [
            (IdentityType.PREFIX, "192.0.2.7/32", True),
            (IdentityType.PREFIX, "192.0.2.0/24", True),
            (IdentityType.PREFIX, "198.51.100.0/24", False),
            (IdentityType.PREFIX, "2001:db8::/32", False),
            (IdentityType.PREFIX, "no prefix", False),
            (IdentityType.FQDN, "h.left.example", True),
            (IdentityType.FQDN, "Left.Example.", True),
            (IdentityType.FQDN, "eft.example", False),
            (IdentityType.FQDN, "x.h.left.example", False),
            (IdentityType.FQDN, "", False),
            (IdentityType.USERFQDN, "root@h.left.example", True),
            (IdentityType.USERFQDN, "root@192.0.2.7", True),
            (IdentityType.USERFQDN, "root@left.example", False),
            (IdentityType.USERFQDN, "root@192.0.2.8", False),
            (IdentityType.RESERVED, "h.left.example", False),
        ],
    )
    def test_what_stands_above_a_host(self, kind: IdentityType, text: str, wanted: bool) -> None:
        identity = Identity(Ext.IDENTITY_SRC, kind, text=text)
        assert dominates(identity, ip_address("192.0.2.7"), "h.left.example") == wanted

    def test_without_a_name_only_addresses_count(self) -> None:
        assert not dominates(Identity(Ext.IDENTITY_SRC, IdentityType.FQDN, text="example"), ip_address("192.0.2.7"))
        assert not dominates(Identity(Ext.IDENTITY_SRC, IdentityType.USERFQDN, text="a@"), ip_address("192.0.2.7"))

    @pytest.mark.requirement("R-3.7-05", "R-3.7-02", "R-3.7-04")
    def test_the_engine_holds_prefix_identities_to_the_ends(self, world: World) -> None:
        port = world.port()
        for text, good in (("192.0.2.0/24", True), ("192.0.2.1/32", True), ("198.51.100.0/24", False)):
            identity = Identity(Ext.IDENTITY_SRC, IdentityType.PREFIX, text=text)
            assert (world.ask(port, Msg.ADD, ESP, *whole(0x1000, identity)).errno == 0) == good
            world.send(port, Msg.DELETE, ESP, *which())


class TestExamples:
    """The message exchanges of RFC 2367, section 5, message by message."""

    @pytest.mark.requirement(
        "R-5.1-01", "R-5.1-02", "R-5.1-03", "R-5.1-04", "R-5.1-05", "R-5.1-06", "R-5.1-08", "R-3.1.7-02"
    )
    def test_simple_ip_security(self, world: World) -> None:
        manager, other = world.port(), world.port(2)
        # 1. The key manager registers for ESP, 2. and for AH.
        for satype in (ESP, SAType.AH):
            answer = world.ask(manager, Msg.REGISTER, satype)
            assert answer.supported_auth is not None
        # 3. A packet needs AH: the engine asks.
        identity = Identity(Ext.IDENTITY_SRC, IdentityType.USERFQDN, text="joe@left.example")
        pending = world.engine.find_outbound(
            SAType.AH, SRC, DST, proto=17, sport=500, dport=500, identities=(identity,), sensitivity=Sensitivity(dpd=1)
        )
        (asked,) = world.heard(manager)
        assert (asked.identity_src, asked.sensitivity) == (identity, Sensitivity(dpd=1))
        assert world.heard(other) == []
        # 4. It reserves an SPI for what comes in, and all hear of it.
        spi = world.ask(manager, Msg.GETSPI, SAType.AH, *ends(DST, SRC), spis(1000, 2000), seq=asked.seq).sa.spi
        assert [message.seq for message in world.heard(other)] == [asked.seq]
        # 5. What comes in is completed, 6. what goes out is added, both with the number of the ACQUIRE.
        for kind, given in (
            (Msg.UPDATE, (sa(spi, encrypt=0), *ends(DST, SRC), whole()[3])),
            (Msg.ADD, (sa(9000, encrypt=0), *ends(), whole()[3])),
        ):
            answer = world.ask(manager, kind, SAType.AH, *given, seq=asked.seq)
            assert (answer.errno, answer.seq, answer.key_auth) == (0, asked.seq, None)
            assert world.heard(other) == [answer]
        # 7. The packet goes out.
        assert pending.state == "done"
        assert isinstance(world.engine.find_outbound(SAType.AH, SRC, DST), Association)
        assert world.engine.find_inbound(SAType.AH, SRC, spi) is not None

    @pytest.mark.requirement("R-5.1-05", "R-5.1-06", "R-5.1-07", "R-5.1-09", "R-3.1.8-02")
    def test_simple_ip_security_with_all_that_may_happen(self, world: World) -> None:
        """A negotiation that fails, one with an SPI for either way, and lifetimes that end and are given anew."""
        manager, other = world.port(), world.port(2)
        world.ask(manager, Msg.REGISTER, SAType.AH)
        failed = world.engine.find_outbound(SAType.AH, SRC, DST)
        world.heard(manager)
        world.send(manager, Msg.ACQUIRE, SAType.AH, SA(0x1000), seq=failed.seq, errno=111)
        for port in (manager, other):
            (echo,) = world.heard(port)
            assert (echo.type, echo.satype, echo.errno, echo.seq) == (Msg.ACQUIRE, SAType.AH, 111, failed.seq)
        pending = world.engine.find_outbound(SAType.AH, SRC, DST)
        (asked,) = world.heard(manager)
        assert asked.seq == pending.seq != failed.seq
        ways = {}
        for way in ((DST, SRC), (SRC, DST)):
            ways[way] = world.ask(manager, Msg.GETSPI, SAType.AH, *ends(*way), spis(1000, 2000), seq=asked.seq).sa.spi
            assert [message.sa.spi for message in world.heard(other)] == [ways[way]]
        for way, spi in ways.items():
            given = (sa(spi, encrypt=0), soft(addtime=60), *ends(*way), whole()[3])
            answer = world.ask(manager, Msg.UPDATE, SAType.AH, *given, seq=asked.seq)
            assert (answer.errno, answer.seq, answer.key_auth) == (0, asked.seq, None)
            assert world.heard(other) == [answer]
        assert pending.state == "done"
        world.wait(60)
        for port in (manager, other):
            expired = world.heard(port)
            assert [(item.type, item.seq, item.pid) for item in expired] == [(Msg.EXPIRE, 0, 0)] * 2
            assert {item.sa.spi for item in expired} == set(ways.values())
            assert all(item.lifetime_soft and item.lifetime_current and not item.lifetime_hard for item in expired)
        spi = ways[SRC, DST]
        answer = world.ask(manager, Msg.UPDATE, SAType.AH, sa(spi, encrypt=0), soft(addtime=600), *ends())
        assert (answer.errno, answer.sa.state) == (0, SAState.MATURE)

    @pytest.mark.requirement("R-5.2-01", "R-5.2-03")
    def test_proxy(self, world: World) -> None:
        """A talks to C behind B: what comes from B has C as proxy, and its inner source has to be C."""
        a, b, c = SRC, DST, "198.51.100.3"
        port = world.port()
        left = Identity(Ext.IDENTITY_SRC, IdentityType.PREFIX, text=f"{a}/32")
        right = Identity(Ext.IDENTITY_SRC, IdentityType.FQDN, text="c.right.example")
        world.send(port, Msg.ADD, ESP, *whole(1000, left, src=a, dst=b))
        world.send(port, Msg.ADD, ESP, *whole(2000, proxy(c), right, src=b, dst=a))
        inbound = world.engine.find_inbound(ESP, a, 2000)
        assert inbound is not None
        stored = world.ask(port, Msg.GET, ESP, *which(2000, b, a))
        assert stored.address_proxy.ip == ip_address(c)
        assert dominates(stored.identity_src, ip_address(c), "c.right.example")
        assert not dominates(stored.identity_src, ip_address("203.0.113.66"), "evil.example")
        world.ask(port, Msg.REGISTER, ESP)
        assert isinstance(world.engine.find_outbound(ESP, b, a, proxy="198.51.100.4"), Pending)
        assert world.engine.find_outbound(ESP, b, a, proxy=c).spi == 2000


def test_what_stands_for_a_request_leaves_nothing_behind() -> None:
    """Linux shows a pending ACQUIRE as an association: it goes with its time, a flush, or what it waited for."""
    world = World("linux")
    manager = world.port()
    world.ask(manager, Msg.REGISTER, ESP)
    world.engine.find_outbound(ESP, SRC, DST)
    assert len(world.engine) == 1
    world.wait(31)
    assert len(world.engine) == len(world.engine._core.store.index) == 0
    world.send(manager, Msg.ADD, SAType.AH, *ends(), sa(0x1000, encrypt=0), keys()[0])
    pending = world.engine.find_outbound(ESP, SRC, DST)
    world.send(manager, Msg.FLUSH, ESP)
    assert len(world.engine) == len(world.engine._core.store.index) == 1
    world.send(manager, Msg.ADD, ESP, *whole(), seq=pending.seq)
    assert pending.state == "done"
    assert len(world.engine) == len(world.engine._core.store.index) == 2
