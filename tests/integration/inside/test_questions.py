"""What a real kernel's table is made of, and what its associations carry between two dumps."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import suppress

import pytest

import fastpfkey as pf

from .conftest import HERE, THERE
from .kinds import add_esp

SIZE = 1000
"""Bytes of each datagram; the kernel counts what ESP makes of them."""


def protect(client: pf.Client, *targets: str) -> None:
    """Ask for ESP towards some addresses."""
    transform = pf.requests.transform("esp", mode="transport")
    for target in targets:
        client.spdadd(HERE, target, pf.requests.policy("out", "ipsec", [transform]))


def send(count: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind((HERE, 0))
        for _ in range(count):
            with suppress(OSError):
                sender.sendto(bytes(SIZE), (THERE, 9))


@pytest.mark.usefixtures("network")
def test_policies_without_an_association(client: pf.Client) -> None:
    add_esp(client, 0x1000, HERE, THERE)
    protect(client, THERE, "10.9.0.3")
    command = [sys.executable, "-m", "fastpfkey", "stats", "kernel", "--format", "json"]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert (found["associations"], found["counts"]["satype"]) == (1, {"esp": 1})
    assert [row["dst"] for row in found["policies_without_association"]] == ["10.9.0.3"]


@pytest.mark.usefixtures("network")
def test_rates_are_what_was_sent(client: pf.Client) -> None:
    add_esp(client, 0x1000, HERE, THERE)
    add_esp(client, 0x1001, HERE, "10.9.0.3")
    protect(client, THERE)
    command = [sys.executable, "-m", "fastpfkey", "top", "kernel", "--format", "jsonl", "--interval", "3"]
    with subprocess.Popen([*command, "--iterations", "4"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = [json.loads(process.stdout.readline()) for _ in range(2)]  # behind the second dump
        send(100)
        rows = [*first, *map(json.loads, process.stdout)]
    assert process.returncode == 0
    used = [row for row in rows if row["spi"] == 0x1000]
    assert [row["packets_per_second"] for row in rows if row["spi"] == 0x1001] == [0] * 4
    assert sum(row["packets_per_second"] for row in used) * 3 == pytest.approx(100, rel=0.3)
    [busiest] = [row for row in used if row["packets_per_second"]]
    assert busiest["bytes_per_second"] / busiest["packets_per_second"] > SIZE
    assert used[-1]["current_allocations"] == 100
