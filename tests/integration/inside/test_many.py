"""A table into the kernel and out again, and the command line against it."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from ipaddress import ip_address
from typing import Any

import numpy as np

import fastpfkey as pf

COUNT = 20_000


def rows(count: int) -> dict[str, Any]:
    """Associations to an address each."""
    src = np.frombuffer(ip_address("::ffff:192.0.2.1").packed, np.uint8)
    dst = np.tile(np.frombuffer(ip_address("::ffff:10.64.0.0").packed, np.uint8), (count, 1))
    dst[:, 14:] = np.arange(count, dtype=">u2").view(np.uint8).reshape(-1, 2)
    return {
        "satype": pf.SAType.ESP,
        "spi": np.arange(0x100000, 0x100000 + count),
        "src": src,
        "dst": dst,
        "encrypt": pf.EncryptAlgorithm.AES_CBC,
        "key_encrypt": np.arange(count * 16, dtype=np.uint32).astype(np.uint8).reshape(count, 16),
        "reqid": np.arange(count),
        "mode": pf.Mode.TUNNEL,
    }


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fastpfkey", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_table_goes_in_and_comes_out(client: pf.Client) -> None:
    """20,000 by add_many, none lost, and deleted by what a dump says of them; a second time all are refused by name."""
    wanted = rows(COUNT)
    assert client.add_many(wanted).complete
    table = client.dump(keys=True)
    assert (len(table), table.complete, table.missing) == (COUNT, True, 0)
    order = np.argsort(table["spi"])
    for name in ("spi", "dst", "reqid"):
        assert (table[name][order] == wanted[name]).all(), name
    assert b"".join(table[order].key_bytes("encrypt")) == wanted["key_encrypt"].tobytes()
    again = client.add_many(rows(500))
    assert {failure.name for failure in again.failures()} == {"EEXIST"}
    assert (again.done, again.unanswered) == (0, 0)
    done = client.delete_many(table)
    assert done.complete, list(done.failures())[:3]
    assert len(client.dump()) == 0


def test_the_command_line(client: pf.Client) -> None:
    """Add, get, dump, filter, delete, register and flush."""
    ends = ("192.0.2.1", "192.0.2.2")
    key = ("--encrypt", "aes-cbc", "--encrypt-key", "00" * 16)
    assert run("add", "esp", "0x2000", *ends, *key, "--mode", "tunnel", "--hard", "3600").returncode == 0
    assert run("add", "esp", "0x2001", "10.0.0.1", "10.0.0.2", *key).returncode == 0
    aead = ("--encrypt", "aes-gcm-icv16", "--encrypt-key", "00" * 20)
    refused = run("add", "esp", "0x2001", "10.0.0.1", "10.0.0.2", *aead)
    assert refused.returncode == 1
    assert "ENOSYS" in refused.stderr
    found = list(csv.DictReader(io.StringIO(run("dump", "--format", "csv", "--columns", "spi,mode").stdout)))
    assert {(int(row["spi"]), row["mode"]) for row in found} == {(0x2000, "tunnel"), (0x2001, "transport")}
    some = run("dump", "--filter", "src=10.0.0.0/8", "--format", "csv", "--columns", "spi").stdout
    assert some.split() == ["spi", str(0x2001)]
    assert "spi 0x00002000" in run("get", "esp", "0x2000", *ends).stdout
    assert run("delete", "esp", "0x2000", *ends).returncode == 0
    assert "ESRCH" in run("get", "esp", "0x2000", *ends).stderr
    assert "aes-cbc" in run("register", "esp").stdout
    assert run("flush").returncode == 0
    assert run("dump", "--format", "csv", "--columns", "spi").stdout == "spi\n"
