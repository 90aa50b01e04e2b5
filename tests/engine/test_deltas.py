"""What a journal says step by step leads to the same state, whatever was done: no change goes unnoticed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastpfkey.engine.deltas import apply
from fastpfkey.engine.snapshot import watch
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAType
from fastpfkey.wire.extensions import Lifetime

from .states import joined, restored, snapshot, state
from .test_bulk import added, encoded
from .test_snapshot import policy, selectors
from .world import DST, SRC, World, ends, hard, sa, soft, spis, which, whole

ESP = SAType.ESP
PROFILES = ("linux", "rfc2367", "freebsd")

SPI = st.integers(1000, 1006)
LIMITS = st.sampled_from(
    [(), (hard(addtime=40), soft(addtime=20)), (hard(bytes=50), soft(bytes=25)), (hard(usetime=9), soft())]
)
STEP = st.one_of(
    st.tuples(st.just("add"), SPI, LIMITS),
    st.tuples(st.just("many"), SPI, LIMITS),
    st.tuples(st.just("update"), SPI, LIMITS),
    st.tuples(st.just("current"), SPI, LIMITS),
    st.tuples(st.just("delete"), SPI, LIMITS),
    st.tuples(st.just("getspi"), SPI, LIMITS),
    st.tuples(st.just("traffic"), SPI, LIMITS),
    st.tuples(st.just("exhausted"), SPI, LIMITS),
    st.tuples(st.just("acquire"), SPI, LIMITS),
    st.tuples(st.just("answer"), SPI, LIMITS),
    st.tuples(st.just("flush"), st.sampled_from([0, 2, 3]), LIMITS),
    st.tuples(st.just("wait"), st.sampled_from([1, 5, 20, 31]), LIMITS),
    st.tuples(st.just("spdadd"), SPI, LIMITS),
    st.tuples(st.just("spdupdate"), SPI, LIMITS),
    st.tuples(st.just("spddelete"), SPI, LIMITS),
    st.tuples(st.just("spdflush"), SPI, LIMITS),
)


def do(world: World, port: object, what: str, number: int, limits: tuple[Lifetime, ...]) -> None:
    """One step; whether it is refused does not matter."""
    net = selectors(f"10.0.{number % 256}.0/24", "10.1.0.0/16")
    current = (Lifetime(Ext.LIFETIME_CURRENT, bytes=7, addtime=1_700_000_990),)
    messages = {
        "add": (Msg.ADD, ESP, whole(number, *limits)),
        "update": (Msg.UPDATE, ESP, whole(number, *limits)),
        "current": (Msg.UPDATE, ESP, whole(number, *limits, *current)),
        "delete": (Msg.DELETE, ESP, which(number)),
        "getspi": (Msg.GETSPI, ESP, (*ends(), spis(number, number))),
        "flush": (Msg.FLUSH, SAType(number), ()),
        "spdadd": (Msg.SPDADD, SAType.UNSPEC, (*net, policy(), *limits)),
        "spdupdate": (Msg.SPDUPDATE, SAType.UNSPEC, (*net, policy(priority=number), *limits)),
        "spddelete": (Msg.SPDDELETE, SAType.UNSPEC, (*net, policy())),
        "spdflush": (Msg.SPDFLUSH, SAType.UNSPEC, ()),
    }
    found = world.engine.find_inbound(ESP, DST, number) if what in ("traffic", "exhausted") else None
    if what == "wait":
        world.wait(number)
    elif what == "many":
        world.engine.handle_many(port, encoded(world, *(added(*whole(number + n, *limits)) for n in range(12))))
    elif what == "traffic" and found is not None:
        world.engine.account(found, 1, 10)
    elif what == "exhausted" and found is not None:
        world.engine.sequence_exhausted(found)
    elif what == "acquire":
        world.engine.find_outbound(ESP, SRC, "192.0.2.200")
    elif what == "answer":
        seq = world.engine._core.acquire_seq
        world.send(port, Msg.ADD, ESP, sa(number + 50), *ends(dst="192.0.2.200"), *whole(number)[-2:], seq=seq)
    elif what in messages and not (what.startswith("spd") and world.engine.profile.policies == "none"):
        kind, satype, extensions = messages[what]
        world.send(port, kind, satype, *extensions)


@pytest.mark.parametrize("profile", PROFILES)
@settings(max_examples=100)
@given(steps=st.lists(STEP, max_size=40), sizes=st.lists(st.integers(1, 5), min_size=1))
def test_steps(profile: str, steps: list[tuple[str, int, tuple[Lifetime, ...]]], sizes: list[int]) -> None:
    dialect = "linux" if profile == "rfc2367" else profile
    world = World(profile, dialect)
    port = world.port(limit=1 << 24)
    world.send(port, Msg.REGISTER, ESP)
    again = restored(world, snapshot(world.engine))
    changes = watch(world.engine)
    for number, step in enumerate(steps):
        do(world, port, *step)
        if number % sizes[number % len(sizes)] == 0:
            apply(again.engine._core, memoryview(joined(changes.take())))
    apply(again.engine._core, memoryview(joined(changes.take())))
    changes.close()
    mine, other = state(world.engine), state(again.engine)
    del mine["deadline"], other["deadline"]  # timers begin when all is read
    assert mine == other
