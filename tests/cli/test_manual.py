"""A person at the command line can do what a program can: the manual interface of RFC 2367, 1.8."""

from __future__ import annotations

import csv
import inspect
import io
import json
import re
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import requests, spec
from fastpfkey.cli.calling import called
from fastpfkey.cli.errors import SourceError
from fastpfkey.cli.requesting import key
from fastpfkey.transport.loopback import Loopback
from fastpfkey.wire.message import MessageValue

from .conftest import Invoke

ENDS = ("192.0.2.1", "192.0.2.2")
KEY = "000102030405060708090a0b0c0d0e0f"
LINUX = spec.dialect("linux")

TUNNEL = "transform('esp', mode='tunnel', src='192.0.2.1', dst='192.0.2.2')"
PAIR = "'192.0.2.1', '192.0.2.2'"
CALLS = {
    "acquire": ("rfc2367", f"'esp', {PAIR}, [combination('sha1-hmac', 'des-cbc', encrypt_bits=(64, 64))]"),
    "acquire_failure": ("linux", "'esp', 3, seq=7"),
    "add": ("linux", f"'esp', 0x1000, {PAIR}, encrypt='aes-cbc', encrypt_key='{KEY}', natt=natt(4500, 4500)"),
    "addflow": ("openbsd", "'10.0.0.0/8', '10.1.0.0/16', direction='in', local='192.0.2.1', peer='192.0.2.2'"),
    "askpolicy": ("openbsd", "5"),
    "delete": ("linux", f"'esp', 4096, {PAIR}"),
    "delflow": ("openbsd", "'10.0.0.0/8', '10.1.0.0/16'"),
    "delpair": ("illumos", f"'esp', 1, {PAIR}"),
    "delpair_state": ("illumos", f"'esp', 1, {PAIR}"),
    "dump": ("linux", "'esp'"),
    "expire": ("rfc2367", f"'esp', 1, {PAIR}, limits(bytes=5), soft=60"),
    "flush": ("linux", ""),
    "get": ("linux", f"'ah', 1, {PAIR}"),
    "getsastat": ("macos", "(1, 2), 'in', [3, 4]"),
    "getspi": ("linux", f"'esp', {PAIR}, min=256, max=300"),
    "grpspis": ("openbsd", "'esp', 1, '192.0.2.1', 'ah', 2, '192.0.2.1'"),
    "inverse_acquire": ("illumos", PAIR),
    "migrate": ("linux", f"'10.0.0.0/8', '10.1.0.0/16', 'out', [({TUNNEL}, {TUNNEL.replace('.2.2', '.2.3')})]"),
    "migrate_sa": ("macos", f"'esp', 1, {PAIR}, '192.0.2.3', '192.0.2.4'"),
    "nat_t_new_mapping": ("linux", "'esp', 1, '192.0.2.1', 4500, '192.0.2.2', 4501"),
    "pchange": ("rfc2367", f"'esp', {PAIR}"),
    "promisc": ("linux", "False"),
    "register": ("linux", "'esp'"),
    "spdacquire": ("freebsd", ""),
    "spdadd": ("linux", f"'10.0.0.0/8', '10.1.0.0/16[443]', policy('out', 'ipsec', [{TUNNEL}]), proto='tcp'"),
    "spddelete": ("linux", "'10.0.0.0/8', '10.1.0.0/16', 'out'"),
    "spddelete2": ("linux", "8"),
    "spddisable": ("macos", "8"),
    "spddump": ("linux", ""),
    "spdenable": ("macos", "8"),
    "spdexpire": ("linux", "'10.0.0.0/8', '10.1.0.0/16', policy('out', 'none'), limits(), 60"),
    "spdflush": ("linux", ""),
    "spdget": ("linux", "8"),
    "spdsetidx": ("linux", f"'10.0.0.0/8', '10.1.0.0/16', policy('out', 'ipsec', [{TUNNEL}])"),
    "spdupdate": ("linux", f"'10.0.0.0/8', '10.1.0.0/16', policy('out', 'ipsec', [{TUNNEL}])"),
    "update": ("linux", f"'esp', 4096, {PAIR}, hard=3600, soft=3000"),
    "updatepair": ("illumos", f"'esp', 1, {PAIR}, hard=60"),
}
"""A call of each function that makes a message, in the dialect of a system that has it."""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """What every source is in these tests, so that commands find what those before them did."""
    found = Loopback(LINUX)
    monkeypatch.setattr("fastpfkey.transport.base.find_source", lambda name, dialect: found)
    return found


def dumped(invoke: Invoke) -> list[tuple[str, str, str]]:
    """Type, SPI and state of what there is."""
    done = invoke("dump", "engine", "--dialect", "linux", "--format", "csv", "--columns", "satype,spi,state")
    assert (done.exit_code, done.stderr) == (0, "")
    return [(row["satype"], row["spi"], row["state"]) for row in csv.DictReader(io.StringIO(done.stdout))]


def add(invoke: Invoke, satype: str, spi: int, *options: str) -> None:
    key = (
        ("--auth", "md5-hmac", "--auth-key", KEY) if satype == "ah" else ("--encrypt", "aes-cbc", "--encrypt-key", KEY)
    )
    done = invoke("add", satype, str(spi), *ENDS, *key, *options)
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.requirement("R-1.8-01")
def test_a_person_keeps_associations_by_hand(invoke: Invoke, engine: Loopback) -> None:
    assert dumped(invoke) == []
    add(invoke, "esp", 0x1000, "--hard", "3600")
    assert dumped(invoke) == [("esp", "4096", "mature")]
    found = json.loads(invoke("get", "esp", "0x1000", *ENDS, "--format", "json").stdout)
    assert (found["lifetime_hard"]["addtime"], found["sa"]["encrypt"]) == (3600, "aes-cbc")
    assert invoke("delete", "esp", "0x1000", *ENDS).exit_code == 0
    assert dumped(invoke) == []
    spi = invoke("getspi", "esp", *ENDS, "--min", "0x2000", "--max", "0x2000").stdout.strip()
    update = f"update('esp', {spi}, '192.0.2.1', '192.0.2.2', encrypt='aes-cbc', encrypt_key='{KEY}')"
    assert dumped(invoke) == [("esp", "8192", "larval")]
    assert invoke("request", update).exit_code == 0
    assert dumped(invoke) == [("esp", "8192", "mature")]


@pytest.mark.requirement("R-5.4-01")
def test_one_command_flushes_a_type_or_everything(invoke: Invoke, engine: Loopback) -> None:
    for satype in ("esp", "ah"):
        add(invoke, satype, 0x1000)
    assert len(dumped(invoke)) == 2
    assert invoke("flush", "esp").exit_code == 0
    assert dumped(invoke) == [("ah", "4096", "mature")]
    add(invoke, "esp", 0x1000)
    assert invoke("flush").exit_code == 0
    assert dumped(invoke) == []


@pytest.mark.requirement("R-1.8-02")
@pytest.mark.parametrize("name", sorted(CALLS))
def test_every_request_has_a_counterpart(name: str) -> None:
    system, arguments = CALLS[name]
    environment = {each: getattr(requests, each) for each in requests.__all__}
    dialect = spec.dialect(system)
    made = eval(f"{name}({arguments}{', ' if arguments else ''}dialect=dialect)", {**environment, "dialect": dialect})
    assert called(f"{name}({arguments})", dialect) == made
    assert called(f"{name}({arguments})", dialect).encode() == made.encode()


@pytest.mark.requirement("R-1.8-02")
def test_no_request_is_without_one() -> None:
    makers = [
        name
        for name in requests.__all__
        if inspect.signature(getattr(requests, name)).return_annotation == MessageValue.__name__
    ]
    assert sorted(CALLS) == sorted(makers)
    programs = {name for name in vars(pf.Client) if not name.startswith("_")}
    assert programs & set(requests.__all__) <= CALLS.keys()


def test_a_request_is_answered(invoke: Invoke, engine: Loopback) -> None:
    done = invoke("request", f"spdadd({CALLS['spdadd'][1]})")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "esp/tunnel/192.0.2.1-192.0.2.2/require" in done.stdout
    add(invoke, "esp", 0x1000)
    add(invoke, "ah", 0x1001)
    done = invoke("request", "dump()", "--format", "json")
    assert [json.loads(line)["sa"]["spi"] for line in done.stdout.splitlines()] in ([0x1000, 0x1001], [0x1001, 0x1000])
    done = invoke("request", "acquire_failure('esp', 3, seq=7)")
    assert (done.exit_code, done.stdout) == (0, "")
    done = invoke("request", "spdget(80)")
    assert done.exit_code == 1
    assert "SPDGET: ENOENT" in done.stderr


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("spdgett(8)", "there is no request 'spdgett'; is 'spdget' meant?"),
        ("__import__('os')", "there is no request '__import__'"),
        ("pf.wipe(8)", "there is no request 'pf.wipe'"),
        ("spdget(8).encode()", "there is no request 'spdget(8).encode'"),
        ("spdget()", "missing 1 required positional argument"),
        ("spdget(8, colour=1)", "there is no keyword 'colour'"),
        ("spdget(", "is no call"),
        ("8", "makes no message"),
        ("limits()", "makes no message"),
        ("[spdget(8)]", "makes no message"),
        ("spdget(1 + 1 if 1 else 2)", "is no call"),
        ("spdget(f'{1}')", "is no call"),
        ("(" * 500, "is no call"),
    ],
)
def test_what_is_no_request_is_told(call: str, told: str) -> None:
    with pytest.raises(SourceError, match=re.escape(told)):
        called(call, LINUX)


def test_what_a_request_cannot_say_is_told() -> None:
    with pytest.raises(pf.EncodeError, match="get: satype: there is no SAType 'esq'"):
        called("get('esq', 1, '192.0.2.1', '192.0.2.2')", LINUX)


@pytest.mark.requirement("R-2.3.4-10")
def test_an_odd_number_of_digits_has_a_zero_in_front(invoke: Invoke, tmp_path: Path) -> None:
    assert (key("0x123"), key("123"), key("0x0123")) == ("0123", "0123", "0123")
    file = tmp_path / "key"
    file.write_text("0x123\n")
    assert key(f"@{file}") == "0123"
    message = called(f"add('esp', 1, {PAIR}, auth='tcp-md5', auth_key='0x123')", LINUX)
    assert message.key_auth is not None
    assert (message.key_auth.reveal(), message.key_auth.bits) == (b"\x01\x23", 16)
