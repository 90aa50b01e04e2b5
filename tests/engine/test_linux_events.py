"""The Linux profile against a real kernel: who of four sockets heard what, step by step.

`mon` is registered for AH, ESP and IPComp, `promisc` receives promiscuously, `actor` sends, `unreg` only listens. What
was done with ping is done here through the consumer's side of the engine. The second part begins where the kernel's
time for pending requests was set to 2 seconds.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fastpfkey.engine.consumers import Association
from fastpfkey.engine.port import Port
from fastpfkey.spec.terms import MessageType, SAType
from fastpfkey.wire.decode import decode

from .kernel import Seen, Step, capture, timeline
from .world import World

SOCKETS = ("mon", "unreg", "promisc", "actor")
HERE, THERE = "10.9.0.1", "10.9.0.2"
SECOND_PART = "flush empty"

SKIPPED = {
    "spdget list via spddump": "shows policies made outside of PF_KEY",
    "netlink": "changes made outside of PF_KEY",
    "udp to port": "policies made outside of PF_KEY",
    "peer: outbound": "packets from a peer that has moved",
    "acq_expires": "a time that both parts begin with",
}
"""Steps that are not taken, by their beginning, and why."""

ACQUIRE = "ACQUIRE"
"""Messages whose size and number are not compared: the kernel's proposal is empty for policies made through PF_KEY, the
engine's never is, and steps that are skipped took numbers too."""

EXPIRE = "EXPIRE"
"""Messages that are compared over all steps: when packets went out is known to a second only."""


def ping(world: World, times: int = 1, src: str = HERE, dst: str = THERE) -> None:
    """Packets of 84 bytes, as long as there is an association for them."""
    for _ in range(times):
        found = world.engine.find_outbound(SAType.ESP, src, dst)
        if isinstance(found, Association):
            world.engine.account(found, 1, 84)


TRAFFIC: dict[str, Callable[[World], None]] = {
    "ping -> ACQUIRE": ping,
    "ping again, two pings": lambda world: ping(world, 2),
    "ping over the new SA (one way)": ping,
    "ping -> ACQUIRE again": ping,
    "ping6 -> ACQUIRE": lambda world: ping(world, 1, "fd00:9::1", "fd00:9::2"),
    "ping tunnel -> ACQUIRE": ping,
    "ping x8 -> byte expiry": lambda world: ping(world, 8),
    "ping x1 -> use expiry": ping,
}
"""What stands for the shell commands."""


class Replay:
    """One engine with the four sockets."""

    def __init__(self, **knobs: float) -> None:
        self.world = World("linux", faithful_keys=True, **knobs)
        self.spi = b""  # that of the first GETSPI: it is chosen at random
        self.ports: dict[str, Port] = {name: self.world.port(794, limit=1 << 20) for name in SOCKETS}

    def take(self, step: Step, raw: bytes, until: float) -> dict[str, list[Seen]]:
        """Do what was done, and return what was seen until then."""
        world = self.world
        # The timeline notes commands at their end, about a second after their first packet.
        world.clock.now = max(world.clock.now, 5000 + step.start - (1.2 if step.shell else 0))
        if step.name == "update the larval SA":
            raw = raw[:20] + self.spi + raw[24:]
        if step.sent:
            world.engine.handle(self.ports[sender(step.name)], raw)
        elif step.name in TRAFFIC:
            TRAFFIC[step.name](world)
        while (due := world.engine.next_deadline()) is not None and due < 5000 + until - 0.05:
            world.clock.now = max(world.clock.now, due)
            world.engine.advance()
        return {name: seen for name, port in self.ports.items() if (seen := self.seen(port))}

    def seen(self, port: Port) -> list[Seen]:
        """What has come to a port, as the timeline has it."""
        found = []
        for message in decode(port.receive(), "linux"):
            if message.type == MessageType.GETSPI and message.sa is not None and not self.spi:
                self.spi = message.raw[20:24]
            wire = message.wire
            name = message.dialect.terms["message"].c_names[wire.sadb_msg_type].removeprefix("SADB_")
            found.append(Seen(name, wire.sadb_msg_satype, wire.sadb_msg_errno, message.seq, message.length))
        return [_sized(item) for item in found]


def _sized(item: Seen) -> Seen:
    return replace(item, size=0, seq=0) if item.type == ACQUIRE else item


def sender(step: str) -> str:
    """Which socket sent the message of a step."""
    if step.startswith("promisc"):
        return "promisc"
    return "mon" if step.startswith("register") else "actor"


def run() -> list[tuple[Step, dict[str, list[Seen]]]]:
    """Each step that is taken, with what the engine's sockets saw."""
    sent = iter(capture("linux-events.sent"))
    replay = Replay()
    steps = timeline()
    opening: list[bytes] = []
    found = []
    for number, step in enumerate(steps):
        raw = next(sent).raw if step.sent else b""
        if step.name.startswith(("promisc on", "register satype")):
            opening.append(raw)
        if step.name == SECOND_PART:
            replay = Replay(larval_lifetime=2.0, acquire_lifetime=2.0)
            for name, first in zip(("promisc", "mon", "mon", "mon"), opening, strict=True):
                replay.world.engine.handle(replay.ports[name], first)
            for port in replay.ports.values():
                port.receive()
        if step.name.startswith(tuple(SKIPPED)):
            continue
        until = steps[number + 1].start if number + 1 < len(steps) else step.start
        found.append((step, replay.take(step, raw, until)))
    return found


RUN = run()


@pytest.mark.parametrize(("step", "got"), RUN, ids=[f"{place} {step.name}" for place, (step, _) in enumerate(RUN)])
def test_the_same_sockets_hear_the_same(step: Step, got: dict[str, list[Seen]]) -> None:
    wanted = {name: [_sized(item) for item in seen] for name, seen in step.seen.items()}
    for name in SOCKETS:
        assert _without_expiry(got.get(name, [])) == _without_expiry(wanted.get(name, []))


@pytest.mark.parametrize("name", SOCKETS)
def test_the_same_sockets_hear_of_ends(name: str) -> None:
    wanted = [item for step, _ in RUN for item in step.seen.get(name, []) if item.type == EXPIRE]
    got = [item for _, seen in RUN for item in seen.get(name, []) if item.type == EXPIRE]
    assert got == wanted
    assert len(got) >= (10 if name in ("mon", "promisc") else 0)


def _without_expiry(seen: list[Seen]) -> list[Seen]:
    return [item for item in seen if item.type != EXPIRE]
