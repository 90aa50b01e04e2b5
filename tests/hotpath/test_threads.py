"""Other threads run while a buffer is decoded, and several may decode at once.

No clock is asked. The interpreter is told never to take the lock from a thread that does not give it up, so another
thread runs during a call only if the call lets it.
"""

from __future__ import annotations

import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from fastpfkey.hotpath import load
from fastpfkey.hotpath.contract import HotPath

from .made_up import Builder
from .mill import Mill, columns_of
from .twins import EVERYTHING, Outputs, needs_compiled

TIMES = 200
"""Calls in which the other thread may get its turn: one that lets it may still be over before it wakes."""


@pytest.fixture(scope="module")
def data() -> bytes:
    """A few megabytes."""
    mill = Mill(Builder("little"), 7)
    return b"".join(mill.message(mill.random.choice([None, 8, 16])).raw for _ in range(2000)) * 16


@pytest.fixture
def no_switching() -> Iterator[None]:
    """A thread keeps the interpreter until it lets go."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e6)
    yield
    sys.setswitchinterval(before)


def another_thread_runs_during(call: Callable[[], object]) -> bool:
    """Whether a thread that is ready to run gets to run in one of TIMES calls."""
    ready, go, done = threading.Lock(), threading.Lock(), threading.Event()
    ready.acquire()
    go.acquire()

    def other() -> None:
        ready.release()
        with go:
            done.set()

    thread = threading.Thread(target=other)
    thread.start()
    ready.acquire()  # returns when the other thread waits for `go`, the first thing for which it gives way
    go.release()
    ran = False
    for _ in range(TIMES):
        call()
        ran = done.is_set()
        if ran:
            break
    thread.join()
    return ran


@pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="there is no lock to give up")
@pytest.mark.usefixtures("no_switching")
class TestTheLockIsGivenUp:
    def test_by_nothing_that_keeps_it(self) -> None:
        """The test itself: a call into C that keeps the lock lets nobody run."""
        assert not another_thread_runs_during(lambda: sorted(range(10000)))

    @needs_compiled
    @pytest.mark.parametrize("function", ["walk", "decode", "follow", "hop", "gather", "copy_records"])
    def test_by_the_compiled_twin(self, data: bytes, function: str) -> None:
        twin, build = load("compiled"), Builder("little")
        count = len(data) // 16
        plan = columns_of(build)
        outputs = Outputs(plan, 32000)
        offsets = memoryview(bytearray(8 * count)).cast("Q")
        many = memoryview(bytearray(8 * 100000)).cast("Q")
        bits = memoryview(b"\x40\0" * 100000).cast("H")
        store = bytearray(8 * 100000)
        copies = bytearray(400 * 100000)
        alike = build.message() * 200000
        many_ends = memoryview(bytearray(8 * 100000)).cast("Q")
        calls: dict[str, Callable[[], object]] = {
            "walk": lambda: twin.walk(data, 0, EVERYTHING, plan.frame, False, offsets),
            "decode": lambda: twin.decode(data, 0, EVERYTHING, plan, False, outputs.columns, 0, 32000),
            "follow": lambda: twin.follow(alike, 0, EVERYTHING, plan.frame, 10, 0x05060708, 0x01020304, 0),
            "hop": lambda: twin.hop(data, 0, EVERYTHING, plan.frame.swap, EVERYTHING),
            "gather": lambda: twin.gather(data, many, bits, store),
            "copy_records": lambda: twin.copy_records(data, many, copies, 0, 1, 0, many_ends),
        }
        assert another_thread_runs_during(calls[function])


def test_threads_do_not_disturb_each_other(twin: HotPath, data: bytes) -> None:
    """Different plans, windows and outputs at once give what they give one by one."""
    part = data[: 1 << 18]
    plans = [columns_of(Builder(order)) for order in ("little", "big")] * 4

    def run(number: int) -> tuple[object, list[bytearray]]:
        outputs = Outputs(plans[number], 20000)
        outcome = twin.decode(part, 0, len(part) - number, plans[number], False, outputs.columns, number, 20000)
        return outcome, outputs.memory

    alone = [run(number) for number in range(len(plans))]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(run, range(len(plans))))
    assert together == alone
