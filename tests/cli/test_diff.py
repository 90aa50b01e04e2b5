"""`diff`: any two sources, what is told of their differences, and the exit status."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.transport.loopback import Loopback

from .conftest import CORPUS, Invoke

MIXED = CORPUS / "linux-mixed.bin"
LINUX = ("--dialect", "linux")
ADD = "add 192.0.2.1 192.0.2.2 esp 0x1000 -m tunnel -u 7 -E aes-cbc 0x000102030405060708090a0b0c0d0e0f ;\n"
POLICY = "spdadd 10.0.0.0/8 10.1.0.0/16[443] tcp -P out ipsec esp/tunnel/192.0.2.1-192.0.2.2/require ;\n"
KEY = "000102030405060708090a0b0c0d0e0f"


Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a script and gives its path."""

    def call(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return call


def test_the_same(invoke: Invoke) -> None:
    done = invoke("diff", MIXED, MIXED, *LINUX)
    assert (done.exit_code, done.output) == (0, "")


def test_a_made_up_table_with_itself(invoke: Invoke) -> None:
    assert invoke("diff", "demo:300", "demo:300", *LINUX).exit_code == 0


def test_each_difference_is_a_line(invoke: Invoke, write: Write) -> None:
    old = write(
        "a.conf",
        ADD
        + ADD.replace("0x1000", "0x1001").replace("-u 7", "-u 8")
        + ADD.replace("0x1000", "0x1002").replace("-u 7", "-u 9 -lh 60 -ls 50")
        + ADD.replace("0x1000", "0x1003").replace("-u 7", "-u 10")
        + POLICY,
    )
    new = write(
        "b.conf",
        ADD
        + ADD.replace("0x1000", "0x2001").replace("-u 7", "-u 8")
        + ADD.replace("0x1000", "0x1002").replace("-u 7", "-u 9 -lh 90 -ls 50").replace("0f ;", "ff ;")
        + ADD.replace("0x1000", "0x1004").replace("-u 7", "-u 11")
        + POLICY.replace("require", "unique:5")
        + POLICY.replace("out", "in").replace("tcp", "udp"),
    )
    done = invoke("diff", old, new, *LINUX)
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "+ esp 0x00001004 192.0.2.1 > 192.0.2.2 tunnel reqid 11",
        "- esp 0x00001003 192.0.2.1 > 192.0.2.2 tunnel reqid 10",
        "~ esp 0x00001002 192.0.2.1 > 192.0.2.2 tunnel reqid 9: hard_addtime 60 -> 90; keys differ",
        "> esp 0x00001001 -> 0x00002001 192.0.2.1 > 192.0.2.2 tunnel reqid 8",
        "+ policy in 10.0.0.0/8 > 10.1.0.0/16[443] udp ipsec",
        "~ policy out 10.0.0.0/8 > 10.1.0.0/16[443] tcp ipsec: requests differ",
    ]
    assert done.stderr == (
        "fastpfkey: associations: 1 added, 1 removed, 1 changed, 1 rekeyed, policies: 1 added, 1 changed\n"
    )


@pytest.mark.parametrize("form", ["jsonl", "json", "csv"])
def test_records_for_programs(invoke: Invoke, write: Write, form: str) -> None:
    old, new = write("a.conf", ADD), write("b.conf", ADD.replace("-u 7", "-u 8").replace("0f ;", "ff ;"))
    done = invoke("diff", old, new, "--format", form, *LINUX)
    assert (done.exit_code, done.stderr) == (1, "")
    assert KEY not in done.output
    if form == "csv":
        (row,) = csv.DictReader(done.stdout.splitlines())
        assert (row["changes"], row["differ"]) == ("reqid=7>8", "key_encrypt")
    else:
        row = json.loads(done.stdout) if form == "jsonl" else json.loads(done.stdout)[0]
        assert (row["changes"], row["differ"]) == ({"reqid": [7, 8]}, ["key_encrypt"])
    assert {name: str(row[name]) for name in ("table", "what", "satype", "spi", "src", "dst")} == {
        "table": "associations",
        "what": "changed",
        "satype": "esp",
        "spi": "4096",
        "src": "192.0.2.1",
        "dst": "192.0.2.2",
    }


def test_text_of_setkey_with_the_dump_that_it_was_printed_from(invoke: Invoke, tmp_path: Path) -> None:
    """What the text does not carry is no difference: ports, prefixes, proxies, algorithms without a key."""
    text = CORPUS / "linux-mixed.setkey.txt"
    done = invoke("diff", MIXED, text, *LINUX)
    assert (done.exit_code, done.output) == (0, "")
    other = tmp_path / "other.txt"
    other.write_text(text.read_text().replace("hmac-sha1", "hmac-md5", 1))
    done = invoke("diff", MIXED, other, *LINUX)
    assert done.exit_code == 1
    assert "auth sha1-hmac -> md5-hmac" in done.stdout
    empty = tmp_path / "empty.txt"
    empty.write_text("No SAD entries.\n")
    assert invoke("diff", MIXED, empty, *LINUX).stdout.count("\n- ") == 52


def test_an_engine_with_a_script(invoke: Invoke, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Loopback(spec.dialect("linux"))
    monkeypatch.setattr("fastpfkey.cli.live.connect", lambda name, dialect: pf.Client(engine))
    monkeypatch.setattr("fastpfkey.cli.tables.connect", lambda name, dialect: pf.Client(engine))
    script = write("a.conf", ADD + POLICY)
    assert invoke("diff", "kernel", script, *LINUX).stdout.splitlines() == [
        "+ esp 0x00001000 192.0.2.1 > 192.0.2.2 tunnel reqid 7",
        "+ policy out 10.0.0.0/8 > 10.1.0.0/16[443] tcp ipsec",
    ]
    assert invoke("diff", script, "kernel", "--table", "policies", *LINUX).stdout.splitlines() == [
        "- policy out 10.0.0.0/8 > 10.1.0.0/16[443] tcp ipsec",
    ]


def test_what_a_file_says_nothing_of_is_not_compared(invoke: Invoke, write: Write) -> None:
    only = write("a.conf", ADD)
    assert invoke("diff", only, write("b.conf", ADD + POLICY), *LINUX).exit_code == 0
    assert invoke("diff", only, write("c.conf", ADD + "spdflush;"), *LINUX).exit_code == 0
    done = invoke("diff", only, write("d.conf", POLICY), *LINUX)
    assert done.exit_code == 2
    assert "have no kind of table in common" in done.stderr


def test_request_ids_that_the_engine_chooses_are_alike(invoke: Invoke, write: Write) -> None:
    unique = POLICY.replace("require", "unique")
    one, other = write("a.conf", unique), write("b.conf", unique.replace("out", "in") + "spdflush;" + unique)
    assert invoke("diff", one, other, *LINUX).exit_code == 0


def test_later_statements_have_the_last_word(invoke: Invoke, write: Write) -> None:
    odd = write("a.conf", ADD.replace("0x1000", "0x3000") + "flush;\ndeleteall 192.0.2.1 192.0.2.2 esp;" + ADD)
    assert invoke("diff", odd, write("b.conf", ADD), *LINUX).exit_code == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nonsense;", "line 1, column 1: syntax error at `nonsense'"),
        (ADD + ADD, "line 2: ADD: EEXIST"),
        ("\x02\x00garbage", "message 0, byte 0: "),
    ],
)
def test_trouble_is_status_2(invoke: Invoke, write: Write, text: str, told: str) -> None:
    done = invoke("diff", write("a.conf", text), write("b.conf", ADD), *LINUX)
    assert done.exit_code == 2
    assert told in done.stderr
    assert KEY not in done.stderr


def test_a_file_that_is_not_there(invoke: Invoke, tmp_path: Path) -> None:
    done = invoke("diff", tmp_path / "none", MIXED, *LINUX)
    assert (done.exit_code, done.stderr) == (2, f"fastpfkey: {tmp_path / 'none'}: No such file or directory\n")


def test_columns(invoke: Invoke, write: Write) -> None:
    old, new = write("a.conf", ADD), write("b.conf", ADD.replace("-u 7", "-u 8 -lh 60 -ls 50"))
    assert "reqid 7 -> 8\n" in invoke("diff", old, new, "--columns", "reqid", *LINUX).stdout
    assert invoke("diff", old, new, "--columns", "mode,key_encrypt", *LINUX).exit_code == 0
    assert "known are" in invoke("diff", old, new, "--columns", "rekid", *LINUX).stderr


@pytest.mark.parametrize("dialect", ["freebsd", "netbsd", "macos", "openbsd", "illumos", "rfc2367"])
def test_every_system(invoke: Invoke, tmp_path: Path, dialect: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(synthetic(200, seed=8, dialect=dialect).tobytes())
    assert invoke("diff", path, path, "--dialect", dialect).exit_code == 0
