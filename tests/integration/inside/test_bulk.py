"""Large tables: nothing is lost, whoever reads slowly, dies or changes the table meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

import fastpfkey as pf
from fastpfkey.transport import header
from fastpfkey.transport.af_key.linux import LinuxEndpoint
from fastpfkey.transport.endpoint import ROOM, Role
from fastpfkey.transport.sources import Kernel

from ..machine import TREE
from . import minimal
from .bulk import CHURN, FIRST, address, fill
from .kinds import DST, SRC, add_esp
from .witness import spis

COUNT = 20_000


@pytest.fixture(scope="module")
def table() -> Iterator[pf.Client]:
    """A client of a kernel with 20,000 associations."""
    with pf.Client.open("kernel") as client:
        client.spdflush()
        client.flush()
        assert fill(COUNT) == COUNT
        yield client
        client.flush()


@contextmanager
def program(name: str) -> Iterator[subprocess.Popen[str]]:
    """A program of the module `programs` that has come so far as to say so; killed at the end."""
    path = os.pathsep.join(["tests", os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "integration.inside.programs", name]
    environment = {**os.environ, "PYTHONPATH": path}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TREE, env=environment) as run:
        assert run.stdout is not None
        assert run.stdout.readline() == "ready\n"
        yield run
        run.kill()


def assert_whole(dumped: pf.SATable) -> None:
    assert dumped.complete
    assert dumped.missing == 0
    assert sorted(dumped["spi"].tolist()) == list(range(FIRST, FIRST + COUNT))


@pytest.mark.requirement("R-5.4-02")
def test_all_come(table: pf.Client) -> None:
    dumped = table.dump()
    assert_whole(dumped)
    assert dumped["seq"].tolist() == [*range(1, COUNT), 0]
    assert spis() == set(range(FIRST, FIRST + COUNT))


def test_two_dumps_at_once(table: pf.Client) -> None:
    found: list[pf.SATable] = []
    threads = [threading.Thread(target=lambda: found.append(table.dump())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2
    for dumped in found:
        assert_whole(dumped)


def test_a_slow_reader(table: pf.Client) -> None:
    """The kernel waits for it."""
    endpoint = Kernel().open_endpoint(Role.DUMPS)
    endpoint.send(minimal.DUMP.pack(2, 10, 0, 0, 2, 0, 7, endpoint.pid))
    buffer = bytearray(ROOM)
    seqs: list[int] = []
    while not seqs or seqs[-1]:
        if len(seqs) < 2000:
            time.sleep(0.05)
        size, view, offset = endpoint.receive(buffer, 5), memoryview(buffer), 0
        assert size
        while offset < size:
            seqs.append(header.get(view, "seq", offset))
            offset += header.length(view, offset)
    endpoint.close()
    assert seqs == [*range(1, COUNT), 0]


def test_a_client_that_is_killed_in_the_middle(table: pf.Client) -> None:
    """It takes nothing with it."""
    with program("dump") as victim:
        victim.send_signal(signal.SIGKILL)
    assert_whole(table.dump())
    add_esp(table, 0x7777)
    table.delete("esp", 0x7777, SRC, DST)


def test_a_dump_on_a_busy_socket_is_refused_and_the_first_goes_on(table: pf.Client) -> None:
    endpoint = Kernel().open_endpoint(Role.DUMPS)
    for seq in (7, 8):
        endpoint.send(minimal.DUMP.pack(2, 10, 0, 0, 2, 0, seq, endpoint.pid))
    buffer, seen, refused = bytearray(ROOM), 0, 0
    view = memoryview(buffer)
    last = 1
    while last:
        size, offset = endpoint.receive(buffer, 5), 0
        assert size
        while offset < size:
            if header.get(view, "errno", offset):
                assert (header.get(view, "errno", offset), header.get(view, "seq", offset)) == (16, 8)
                refused += 1
            else:
                seen, last = seen + 1, header.get(view, "seq", offset)
            offset += header.length(view, offset)
    endpoint.close()
    assert (seen, refused) == (COUNT, 1)


def test_a_stalled_dump_can_be_woken(table: pf.Client) -> None:
    """With less room than three messages take the kernel stops for good; more room and any reply set it going."""
    opened = socket.socket(15, socket.SOCK_RAW, 2)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 0)
    endpoint = LinuxEndpoint(opened, Role.DUMPS)
    endpoint.send(minimal.DUMP.pack(2, 10, 0, 0, 2, 0, 7, endpoint.pid))
    buffer, got = bytearray(16 * ROOM), 0
    while size := endpoint.receive(buffer, 0.2):
        got += size
    one = header.length(memoryview(buffer))
    assert one <= got < 3 * one
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
    endpoint.send(minimal.DUMP.pack(2, 5, 0, 3, 2, 0, 9, endpoint.pid))
    while size := endpoint.receive(buffer, 0.2):
        got += size
    endpoint.close()
    assert got == COUNT * one + 16


def test_while_another_process_adds_and_deletes(table: pf.Client) -> None:
    """Every association that lived throughout appears exactly once, and every row is one that there was."""
    with program("churn"):
        dumps = [table.dump() for _ in range(5)]
    others = 0
    for dumped in dumps:
        assert dumped.complete
        found = sorted(dumped["spi"].tolist())
        assert all(one != two for one, two in pairwise(found))
        lived = [spi for spi in found if spi < CHURN]
        assert lived == list(range(FIRST, FIRST + COUNT))
        others += len(found) - COUNT
        assert set(found) - set(lived) <= set(range(CHURN, CHURN + 1000))
    assert others > 0
    for spi in spis() - set(range(FIRST, FIRST + COUNT)):
        table.delete("esp", spi, SRC, address(spi - CHURN))


def test_what_a_dump_costs(table: pf.Client, record_property: Callable[[str, object], None]) -> None:
    """Figures, not limits: best of several, in turn, in this kernel."""
    best: dict[str, float] = {}
    for _ in range(6):
        for name, call in (
            ("Client.dump", table.dump),
            ("ctypes recvmmsg loop", minimal.batches),
            ("recv per message", minimal.one_by_one),
        ):
            begin = time.perf_counter()
            result = call()
            best[name] = min(best.get(name, 1e9), time.perf_counter() - begin)
            assert (result if isinstance(result, int) else len(result)) == COUNT
            del result
    for name, seconds in best.items():
        record_property(name, f"{COUNT} associations in {seconds * 1000:.1f} ms")
    record_property("Client.dump / ctypes recvmmsg loop", round(best["Client.dump"] / best["ctypes recvmmsg loop"], 2))
    record_property("recv per message / Client.dump", round(best["recv per message"] / best["Client.dump"], 1))
