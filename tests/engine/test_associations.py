"""GETSPI, ADD, UPDATE, DELETE and GET by the letter of RFC 2367, 3.1.1 to 3.1.5."""

import pytest

from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm, IdentityType, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.extensions import Identity, Key, Lifetime, Opaque, Sensitivity
from fastpfkey.wire.extensions_ipsec import KMPrivate

from .world import (
    DST,
    EPOCH,
    PID,
    SRC,
    World,
    ends,
    exttypes,
    hard,
    has_keys,
    keys,
    proxy,
    sa,
    soft,
    spis,
    which,
    whole,
)


@pytest.fixture
def world() -> World:
    return World()


class TestGetSPI:
    @pytest.mark.requirement("R-3.1.1-01", "R-3.1.1-04", "R-3.1.1-05", "R-3.1.1-07", "R-3.3-01", "R-3.1-02")
    def test_it_reserves_an_spi_of_the_range_as_larval(self, world: World) -> None:
        port = world.port()
        answer = world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(0x1000, 0x1003))
        assert exttypes(answer) == [Ext.SA, Ext.ADDRESS_SRC, Ext.ADDRESS_DST]
        assert answer.sa is not None
        assert 0x1000 <= answer.sa.spi <= 0x1003
        assert world.ask(port, Msg.GET, SAType.ESP, *which(answer.sa.spi)).sa.state == SAState.LARVAL

    @pytest.mark.requirement("R-3.1.1-01", "R-3.1.1-10")
    def test_a_full_range_is_used_up_and_then_exists(self, world: World) -> None:
        port = world.port()
        found = {world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(0x500, 0x503), seq=n).sa.spi for n in range(4)}
        assert found == {0x500, 0x501, 0x502, 0x503}
        answer = world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(0x500, 0x503))
        assert answer.errno == world.errno("EEXIST")
        other = world.ask(port, Msg.GETSPI, SAType.ESP, *ends(dst="192.0.2.9"), spis(0x500, 0x500))
        assert other.sa is not None
        assert other.sa.spi == 0x500

    @pytest.mark.requirement("R-3.1.1-02", "R-2.3.9-02", "R-3.1-06")
    def test_what_cannot_be_is_invalid(self, world: World) -> None:
        port = world.port()
        for extensions in (ends(), (ends()[0], spis(1000, 2000)), (*ends(), spis(2000, 1000))):
            assert world.ask(port, Msg.GETSPI, SAType.ESP, *extensions).errno == world.errno("EINVAL")

    @pytest.mark.requirement("R-3.1.1-06", "R-5.1-04")
    def test_all_hear_of_it(self, world: World) -> None:
        port, other = world.port(), world.port(99)
        world.send(port, Msg.GETSPI, SAType.ESP, *ends(), spis(1000, 2000))
        assert [message.type for message in world.heard(other)] == [Msg.GETSPI]

    @pytest.mark.requirement("R-3.1.1-09")
    def test_a_larval_association_is_dropped_after_a_while(self, world: World) -> None:
        port = world.port()
        spi = world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(1000, 1000)).sa.spi
        world.wait(29.9)
        assert not world.ask(port, Msg.GET, SAType.ESP, *which(spi)).errno
        world.wait(0.2)
        assert world.ask(port, Msg.GET, SAType.ESP, *which(spi)).errno == world.errno("ESRCH")
        assert not world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(1000, 1000)).errno


class TestAdd:
    @pytest.mark.requirement("R-1.5-01", "R-3.1.3-01", "R-1.5-04", "R-3.1.5-01", "R-3.1.5-03", "R-3.3-02", "R-2.3.4-07")
    def test_what_was_added_can_be_got(self, world: World) -> None:
        port = world.port()
        limits = (hard(addtime=100, bytes=1 << 40), soft(addtime=80, bytes=1 << 39))
        given = whole(0x1000, *limits)
        assert not world.ask(port, Msg.ADD, SAType.ESP, *given).errno
        answer = world.ask(port, Msg.GET, SAType.ESP, *which(), seq=5)
        assert (answer.seq, answer.pid) == (5, PID)
        for item in given:
            assert answer.get(item.exttype) == item
        current = answer.lifetime_current
        assert current is not None
        assert (current.addtime, current.usetime) == (EPOCH + 1000, 0)

    @pytest.mark.requirement(
        "R-3.1.3-07", "R-1.6-05", "R-2.3.4-11", "R-1.4-01", "R-5.1-08", "R-1.6-09", "R-2.1-13", "R-1.6-06"
    )
    def test_all_hear_of_it_without_keys(self, world: World) -> None:
        port, other = world.port(), world.port(99)
        world.send(port, Msg.ADD, SAType.ESP, *whole(0x1000, hard(addtime=9)), seq=77, pid=12345)
        mine, theirs = world.heard(port), world.heard(other)
        assert mine == theirs
        assert exttypes(mine[0]) == [Ext.SA, Ext.LIFETIME_HARD, Ext.ADDRESS_SRC, Ext.ADDRESS_DST]
        assert (mine[0].seq, mine[0].pid, mine[0].reserved) == (77, 12345, 0)

    @pytest.mark.requirement("R-3.1.3-08", "R-3.1-03")
    def test_an_identity_is_taken_once(self, world: World) -> None:
        port = world.port()
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        for given in (whole(), whole(src="192.0.2.7")):
            assert world.ask(port, Msg.ADD, SAType.ESP, *given).errno == world.errno("EEXIST")
        world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(0x2000, 0x2000))
        assert world.ask(port, Msg.ADD, SAType.ESP, *whole(0x2000)).errno == world.errno("EEXIST")
        assert not world.ask(port, Msg.ADD, SAType.ESP, *whole(dst="192.0.2.8")).errno

    @pytest.mark.requirement("R-3.1-03")
    def test_a_type_may_be_told_apart_by_source_too(self) -> None:
        world = World(source_identifies=frozenset({SAType.RSVP}))
        port = world.port()
        for src in (SRC, "192.0.2.7"):
            given = (sa(5, encrypt=0), *ends(src), keys()[0])
            assert not world.ask(port, Msg.ADD, SAType.RSVP, *given).errno
        assert world.ask(port, Msg.ADD, SAType.RSVP, sa(5, encrypt=0), *ends(SRC), keys()[0]).errno
        assert world.ask(port, Msg.GET, SAType.RSVP, *which(5, "192.0.2.7")).address_src.ip == ends("192.0.2.7")[0].ip

    @pytest.mark.requirement(
        "R-3.1.3-03",
        "R-3.1.3-05",
        "R-3.1.3-06",
        "R-2.3.1-05",
        "R-2.3.1-07",
        "R-3.5-04",
        "R-2.3.4-01",
        "R-3.4-02",
        "R-2.3.3-01",
        "R-2.3.3-10",
        "R-2.3.3-11",
        "R-2.3.3-14",
    )
    @pytest.mark.parametrize(
        ("satype", "extensions"),
        [
            (SAType.UNSPEC, whole()),
            (SAType.ESP, (*ends(), *keys())),
            (SAType.ESP, (sa(9999), ends()[0], *keys())),
            (SAType.ESP, (sa(9999), ends()[1], *keys())),
            (SAType.ESP, (sa(9999), ends()[0], ends(dst="2001:db8::2")[1], *keys())),
            (SAType.ESP, (sa(9999), *ends("224.0.0.5"), *keys())),
            (SAType.ESP, (sa(9999, state=SAState.LARVAL), *ends(), *keys())),
            (SAType.ESP, (sa(9999, state=SAState.DYING), *ends(), *keys())),
            (SAType.ESP, (sa(9999, state=SAState.DEAD), *ends(), *keys())),
            (SAType.ESP, (sa(9999, encrypt=0), *ends(), keys()[0])),
            (SAType.ESP, (sa(9999), *ends(), keys()[0])),
            (SAType.ESP, (sa(9999), *ends(), keys()[1])),
            (SAType.ESP, (sa(9999), *ends(), *keys(b"short"))),
            (SAType.ESP, (sa(9999, encrypt=EncryptAlgorithm.NULL, auth=0), *ends())),
            (SAType.ESP, (sa(9999, auth=AuthAlgorithm.unknown(77)), *ends(), *keys())),
            (SAType.ESP, (sa(9999, flags=0x100), *ends(), *keys())),
            (SAType.ESP, whole(0)),
            (SAType.ESP, whole(255)),
            (SAType.AH, (sa(9999, auth=0, encrypt=0), *ends())),
            (SAType.AH, whole(9999)),
            (SAType.ESP, (sa(9999, auth=0), *ends(), *keys())),
        ],
    )  # fmt: skip
    def test_what_makes_no_sense_is_invalid_and_changes_nothing(self, satype: SAType, extensions: tuple) -> None:  # type: ignore[type-arg]
        world = World()
        port, other = world.port(), world.port(99)
        answer = world.ask(port, Msg.ADD, satype, *extensions)
        assert (answer.errno, exttypes(answer)) == (world.errno("EINVAL"), [])
        assert len(world.engine) == 0
        assert world.heard(other) == []

    @pytest.mark.requirement("R-3.1.2-05")
    @pytest.mark.parametrize("key", ["0000000000000000", "0101010101010101", "0123456789abcdee"])
    def test_des_keys_are_sound(self, world: World, key: str) -> None:
        given = (sa(9999, encrypt=EncryptAlgorithm.DES_CBC), *ends(), *keys(encrypt=bytes.fromhex(key)))
        assert world.ask(world.port(), Msg.ADD, SAType.ESP, *given).errno == world.errno("EINVAL")
        good = (sa(9999, encrypt=EncryptAlgorithm.DES_CBC), *ends(), *keys(encrypt=bytes.fromhex("0123456789abcdef")))
        assert not world.ask(world.port(), Msg.ADD, SAType.ESP, *good).errno

    @pytest.mark.requirement(
        "R-2.3.3-12", "R-2.3.3-13", "R-2.3.3-15", "R-2.3.6-03", "R-2.3.1-04", "R-2.3.1-06", "R-2.3-11", "R-C-01",
        "R-C-02", "R-C-03", "R-3.1.10-05",
    )  # fmt: skip
    def test_all_that_the_rfc_knows_is_stored(self, world: World) -> None:
        given = (
            sa(0x1000, replay=64, flags=1),
            hard(allocations=5),
            soft(allocations=4),
            *ends(dst="224.0.0.5"),
            proxy("2001:db8::5"),
            *keys(),
            Identity(Ext.IDENTITY_SRC, IdentityType.FQDN, text="left.example"),
            Identity(Ext.IDENTITY_DST, IdentityType.USERFQDN, text="root@right.example"),
            Sensitivity(dpd=1, sens_level=2, sens_bitmap=(1, 2), integ_bitmap=(3,)),
            KMPrivate(b"whatever"),
        )
        port = world.port()
        shown = world.ask(port, Msg.ADD, SAType.ESP, *given)
        hidden = {Ext.KEY_AUTH, Ext.KEY_ENCRYPT, Ext.KMPRIVATE}
        assert exttypes(shown) == [item.exttype for item in given if item.exttype not in hidden]
        got = world.ask(port, Msg.GET, SAType.ESP, *which(dst="224.0.0.5"))
        (dumped,) = world.dump(port)
        for answer in (got, dumped):
            assert [answer.get(item.exttype) for item in given] == list(given)

    @pytest.mark.requirement("R-2.3-06", "R-2.3-09")
    def test_unknown_extensions_are_ignored(self, world: World) -> None:
        port = world.port()
        assert not world.ask(port, Msg.ADD, SAType.ESP, *whole(), Opaque(200, b"....")).errno


class TestUpdate:
    @pytest.mark.requirement(
        "R-1.5-02", "R-3.1.1-08", "R-3.1.2-01", "R-3.1.2-07", "R-3.1.2-11", "R-3.1.2-12", "R-3.1.2-13"
    )
    def test_it_completes_a_larval_association(self, world: World) -> None:
        port, other = world.port(), world.port(99)
        spi = world.ask(port, Msg.GETSPI, SAType.ESP, *ends(), spis(1000, 2000)).sa.spi
        world.heard(other)
        world.wait(5)
        answer = world.ask(port, Msg.UPDATE, SAType.ESP, *whole(spi, hard(addtime=100)))
        assert not has_keys(answer)
        assert world.heard(other) == [answer]
        got = world.ask(port, Msg.GET, SAType.ESP, *which(spi))
        assert has_keys(got)
        assert got.sa.state == SAState.MATURE
        assert got.lifetime_current.addtime == EPOCH + 1005
        world.wait(40)
        assert world.states() == [SAState.MATURE]

    @pytest.mark.requirement("R-3.1.2-01", "R-3.1.2-14")
    @pytest.mark.parametrize(
        ("satype", "spi", "src", "dst"),
        [
            (SAType.AH, 0x1000, SRC, DST),
            (SAType.ESP, 0x1001, SRC, DST),
            (SAType.ESP, 0x1000, "192.0.2.7", DST),
            (SAType.ESP, 0x1000, SRC, "192.0.2.7"),
        ],
    )
    @pytest.mark.parametrize("kind", [Msg.UPDATE, Msg.DELETE, Msg.GET])
    def test_all_of_the_identity_has_to_match(self, kind: Msg, satype: SAType, spi: int, src: str, dst: str) -> None:
        world = World()
        port = world.port()
        world.ask(port, Msg.ADD, SAType.ESP, *whole())
        given = (sa(spi, encrypt=0 if satype == SAType.AH else EncryptAlgorithm.AES_CBC), *ends(src, dst))
        assert world.ask(port, kind, satype, *given).errno == world.errno("ESRCH")
        assert len(world.engine) == 1

    @pytest.mark.requirement("R-3.1.2-03", "R-3.1.2-04", "R-3.1.2-06", "R-3.1.2-09", "R-3.1.2-10")
    @pytest.mark.parametrize(
        "extensions",
        [
            (sa(0x1000), *ends(), *keys(b"b" * 20)),
            (sa(0x1000, replay=4), *ends()),
            (sa(0x1000, auth=AuthAlgorithm.MD5_HMAC), *ends()),
            (sa(0x1000, flags=1), *ends()),
            (sa(0x1000), *ends(), proxy("192.0.2.9")),
            (sa(0x1000, state=SAState.LARVAL), *ends()),
            (sa(0x1000, state=SAState.DEAD), *ends()),
        ],
    )
    def test_in_use_nothing_but_lifetimes_may_change(self, extensions: tuple) -> None:  # type: ignore[type-arg]
        world = World()
        port = world.port()
        world.ask(port, Msg.ADD, SAType.ESP, *whole(0x1000, hard(addtime=100)))
        before = world.ask(port, Msg.GET, SAType.ESP, *which())
        answer = world.ask(port, Msg.UPDATE, SAType.ESP, *extensions, hard(addtime=5))
        assert answer.errno == world.errno("EINVAL")
        assert world.ask(port, Msg.GET, SAType.ESP, *which()) == before

    @pytest.mark.requirement("R-3.1.2-10", "R-5.1-09", "R-3.1.2-12")
    def test_lifetimes_change_and_the_dying_live_again(self, world: World) -> None:
        port = world.port()
        world.ask(port, Msg.ADD, SAType.ESP, *whole(0x1000, soft(addtime=10), hard(addtime=20)))
        world.wait(10)
        assert world.states() == [SAState.DYING]
        world.heard(port)
        current = Lifetime(Ext.LIFETIME_CURRENT, allocations=3, bytes=4000, addtime=EPOCH + 1010, usetime=EPOCH + 1011)
        given = (sa(0x1000), current, hard(addtime=100), soft(addtime=90), *ends(), *keys())
        answer = world.ask(port, Msg.UPDATE, SAType.ESP, *given)
        assert answer.sa.state == SAState.MATURE
        assert not has_keys(answer)
        got = world.ask(port, Msg.GET, SAType.ESP, *which())
        assert (got.lifetime_hard, got.lifetime_soft, got.lifetime_current) == (given[2], given[3], current)

    @pytest.mark.requirement("R-3.1.2-08", "R-3.3-04", "R-3.1.8-06")
    def test_the_dead_stay_dead(self, world: World) -> None:
        port = world.port()
        world.ask(port, Msg.ADD, SAType.ESP, *whole(0x1000, hard(addtime=10)))
        world.wait(10)
        assert world.states() == [SAState.DEAD]
        world.heard(port)
        answer = world.ask(port, Msg.UPDATE, SAType.ESP, sa(0x1000), *ends(), hard(addtime=100))
        assert answer.errno == world.errno("EINVAL")
        world.wait(1)
        assert world.states() == []

    @pytest.mark.requirement("R-3.1.2-02", "R-3.1.2-14")
    def test_it_may_be_kept_to_the_creator(self) -> None:
        world = World(creator="socket")
        port, other = world.port(), world.port(99)
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        world.heard(other)
        assert world.ask(other, Msg.UPDATE, SAType.ESP, *whole(0x1000)).errno == world.errno("EACCES")
        assert not world.ask(port, Msg.UPDATE, SAType.ESP, *whole(0x1000)).errno


class TestDeleteAndGet:
    @pytest.mark.requirement("R-1.5-03", "R-3.1.4-01", "R-3.1.4-02", "R-3.1.4-03", "R-3.1.4-04", "R-2.3.1-08")
    def test_delete_takes_one_and_says_so_to_all(self, world: World) -> None:
        port, other = world.port(), world.port(99)
        world.ask(port, Msg.ADD, SAType.ESP, *whole(0x1000))
        world.ask(port, Msg.ADD, SAType.ESP, *whole(0x1001))
        world.heard(other)
        noise = sa(0x1000, replay=9, state=SAState.DEAD, auth=AuthAlgorithm.unknown(99))
        answer = world.ask(port, Msg.DELETE, SAType.ESP, noise, *ends())
        assert exttypes(answer) == [Ext.SA, Ext.ADDRESS_SRC, Ext.ADDRESS_DST]
        assert (answer.sa.spi, answer.sa.auth) == (0x1000, 0)
        assert world.heard(other) == [answer]
        assert world.ask(port, Msg.DELETE, SAType.ESP, *which(0x1000)).errno == world.errno("ESRCH")
        assert not world.ask(port, Msg.GET, SAType.ESP, *which(0x1001)).errno
        assert world.ask(port, Msg.DELETE, SAType.ESP, *ends()).errno == world.errno("EINVAL")

    @pytest.mark.requirement("R-3.1.5-02", "R-3.1.5-03", "R-3.1.5-04")
    def test_get_is_between_two(self, world: World) -> None:
        port, other = world.port(), world.port(99)
        world.send(port, Msg.ADD, SAType.ESP, *whole())
        world.heard(other)
        assert has_keys(world.ask(port, Msg.GET, SAType.ESP, *which()))
        assert world.heard(other) == []
        assert world.ask(port, Msg.GET, SAType.ESP, *which(7777)).errno == world.errno("ESRCH")
        assert world.ask(port, Msg.GET, SAType.ESP, *ends()).errno == world.errno("EINVAL")


def test_a_key_of_other_length_is_refused_whatever_the_padding(world: World) -> None:
    key = Key(Ext.KEY_ENCRYPT, 100, keys()[1].material.__class__(b"e" * 13))
    answer = world.ask(world.port(), Msg.ADD, SAType.ESP, sa(9), *ends(), keys()[0], key)
    assert answer.errno == world.errno("EINVAL")
