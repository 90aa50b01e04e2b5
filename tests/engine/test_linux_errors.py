"""The Linux profile against a real kernel: 224 unusual requests, and what came back to their sender.

The engine is sent what the kernel was sent, at the same times. Its answers are the kernel's byte for byte, apart from
what no two runs have in common (times, reference counts, SPIs chosen at random) and the differences listed here.
"""

import re

import pytest

from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.decode import decode
from fastpfkey.wire.extensions import Lifetime
from fastpfkey.wire.message import Message

from .kernel import Case, cases
from .world import World

DIFFERENCES = {
    "send with MSG_OOB": "a flag of send(), which the engine is no party to",
    "UPDATE of an existing SA (other keys)": "the kernel shows what was submitted, and the state DEAD, not what it has",
    "NAT-T type 2 without ports": "the kernel shows what happens to lie in memory as ports",
    "SEC_CTX ext (SELinux string)": "SELinux counts the NUL of its label, which the request did not have",
    "REGISTER with an unexpected SA ext": "larval associations of GETSPIs that failed expire; the engine leaves none",
    "DUMP with FILTER ext (IPv4 src 10.9.0.0/16)": "the kernel shows one of those, and others are gone",
    "DUMP with FILTER that matches nothing": "another of those expires",
    "DUMP with an unknown ext 200": "the kernel has dropped an association that may live for 2 ** 64 - 1 seconds",
    "SAD DUMP all, with route2/hao/beet/in_trigger states from netlink present": "made through netlink",
    "SAD DUMP ESP, same": "made through netlink",
    "SPDDUMP with only a route-optimization policy": "made through netlink",
    "SPDDUMP: 5 good policies added after the RO one (so RO is last in the walk)": "made through netlink",
}
"""The cases in which the engine deliberately does not do what the kernel did, and why.

Larval associations: a GETSPI that fails leaves one without SPI behind in the kernel, which the next GETSPI between the
same hosts takes over with its age, so that some expire too early.
"""

_RANDOM_SPI = "GETSPI ESP range 1-5 (reserved)"


def comparable(message: Message, note: str) -> tuple[object, ...]:
    """A message without what no two runs have in common."""
    extensions = []
    for item in message.extensions:
        if isinstance(item, Lifetime) and item.exttype == Ext.LIFETIME_CURRENT:
            item = Lifetime(item.exttype, item.allocations, item.bytes, bool(item.addtime), bool(item.usetime))
        extensions.append(item)
    if note == _RANDOM_SPI:
        extensions = [item for item in extensions if item.exttype != Ext.SA]
    return (message.type, message.satype, message.errno, message.seq, message.pid, *extensions)


def run() -> dict[str, tuple[Case, int, list[Message], list[Message]]]:
    """Each case with the errno of send(), and what the kernel and the engine answered."""
    world = World("linux", faithful_keys=True)
    port = world.port(775, limit=1 << 20)
    found = {}
    for case in cases():
        world.clock.now = case.request.time
        failed = 0
        try:
            world.engine.handle(port, case.request.raw)
        except OSError as error:
            failed = error.errno
        until = min(case.until - 0.001, case.request.time + 100)
        while (due := world.engine.next_deadline()) is not None and due <= until:
            world.clock.now = due
            world.engine.advance()
        wanted = list(decode(b"".join(case.answers), "linux", "little"))
        assert case.request.note not in found
        found[case.request.note] = (case, failed, wanted, world.heard(port))
    return found


RUN = run()


@pytest.mark.parametrize("note", [note for note in RUN if note not in DIFFERENCES])
def test_the_engine_answers_as_the_kernel_did(note: str) -> None:
    case, failed, wanted, got = RUN[note]
    assert failed == case.send_errno
    assert [comparable(item, note) for item in got] == [comparable(item, note) for item in wanted]


@pytest.mark.parametrize("note", DIFFERENCES)
def test_a_listed_difference_is_one(note: str) -> None:
    case, failed, wanted, got = RUN[note]
    same = [comparable(item, note) for item in got] == [comparable(item, note) for item in wanted]
    assert not same or failed != case.send_errno


def test_there_are_enough_cases() -> None:
    assert len(RUN) - len(DIFFERENCES) >= 150
    assert all(re.match(r"[a-zA-Z0-9]", reason) for reason in DIFFERENCES.values())
