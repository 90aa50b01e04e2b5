"""`apply`: the plan, what is done, what is left alone, and that a second time nothing is done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.cli import applying, setkey_sources, tables
from fastpfkey.transport.loopback import Loopback

from .conftest import CORPUS, Invoke

LINUX = ("--dialect", "linux")
ADD = (
    "add 192.0.2.1 192.0.2.2 esp 0x1000 -m tunnel -u 7 -r 32 -lh 3600 -ls 3000 "
    "-E aes-cbc 0x000102030405060708090a0b0c0d0e0f -A hmac-sha1 0x000102030405060708090a0b0c0d0e0f10111213 ;\n"
)
POLICY = "spdadd 10.0.0.0/8 10.1.0.0/16[443] tcp -P out ipsec esp/tunnel/192.0.2.1-192.0.2.2/unique ;\n"


def sa(spi: int, reqid: int, text: str = ADD) -> str:
    return text.replace("0x1000", f"{spi:#x}").replace("-u 7", f"-u {reqid}")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Loopback:
    """What `kernel` means for the time of a test."""
    found = Loopback(spec.dialect("linux"))
    monkeypatch.setattr(applying, "connect", lambda name, dialect: pf.Client(found))
    monkeypatch.setattr(tables, "connect", lambda name, dialect: pf.Client(found))
    monkeypatch.setattr(setkey_sources, "source", lambda text, dialect: found)
    return found


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "wanted.conf"


def test_a_second_time_there_is_nothing_to_do(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text(ADD + sa(0x1001, 8) + POLICY)
    done = invoke("apply", script, *LINUX)
    assert done.exit_code == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [
        "+ esp 0x00001000 192.0.2.1 > 192.0.2.2 tunnel reqid 7",
        "+ esp 0x00001001 192.0.2.1 > 192.0.2.2 tunnel reqid 8",
        "+ policy out 10.0.0.0/8 > 10.1.0.0/16[443] tcp ipsec",
    ]
    assert done.stderr == "fastpfkey: done: ADD 2 of 2, SPDADD 1 of 1\n"
    again = invoke("apply", script, *LINUX)
    assert (again.exit_code, again.stdout) == (0, "")
    assert again.stderr == "fastpfkey: done: nothing, because nothing differs\n"
    assert invoke("apply", script, "--check", *LINUX).exit_code == 0
    assert invoke("diff", "kernel", script, *LINUX).exit_code == 0


def test_check_does_nothing(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text(ADD)
    done = invoke("apply", script, "--check", *LINUX)
    assert (done.exit_code, done.stderr) == (1, "")
    assert done.stdout == "+ esp 0x00001000 192.0.2.1 > 192.0.2.2 tunnel reqid 7\n"
    with pf.Client(engine) as client:
        assert len(client.dump()) == 0


def test_how_each_difference_is_dealt_with(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text(ADD + sa(0x1001, 8) + sa(0x1002, 9) + sa(0x1003, 10) + POLICY)
    assert invoke("apply", script, *LINUX).exit_code == 0
    script.write_text(
        sa(0x1000, 7, ADD.replace("3600", "7200"))
        + sa(0x1001, 8, ADD.replace("0f -A", "ff -A"))
        + sa(0x2002, 9)
        + sa(0x1004, 11)
        + POLICY.replace("unique", "require")
    )
    done = invoke("apply", script, *LINUX)
    assert done.exit_code == 0
    assert set(done.stdout.splitlines()) == {
        "+ esp 0x00001004 192.0.2.1 > 192.0.2.2 tunnel reqid 11",
        "- esp 0x00001003 192.0.2.1 > 192.0.2.2 tunnel reqid 10",
        "~ esp 0x00001000 192.0.2.1 > 192.0.2.2 tunnel reqid 7: hard_addtime 3600 -> 7200",
        "! esp 0x00001001 192.0.2.1 > 192.0.2.2 tunnel reqid 8: keys differ",
        "> esp 0x00001002 -> 0x00002002 192.0.2.1 > 192.0.2.2 tunnel reqid 9",
        "~ policy out 10.0.0.0/8 > 10.1.0.0/16[443] tcp ipsec: requests differ",
    }
    assert done.stderr == (
        "fastpfkey: done: UPDATE 1 of 1, ADD 2 of 2, DELETE 1 of 1, ADD 1 of 1, SPDUPDATE 1 of 1, DELETE 1 of 1, "
        "DELETE 1 of 1\n"
    )
    assert invoke("apply", script, "--check", *LINUX).exit_code == 0


def test_records_for_programs(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text(ADD)
    done = invoke("apply", script, "--check", "--format", "jsonl", *LINUX)
    row = json.loads(done.stdout)
    assert (row["how"], row["what"], row["table"], row["spi"]) == ("add", "added", "associations", 0x1000)
    assert invoke("apply", script, "--check", "--format", "csv", *LINUX).stdout.startswith("how,table,what,satype,spi,")


def test_what_the_file_says_nothing_of_is_left_alone(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text(ADD + POLICY)
    invoke("apply", script, *LINUX)
    script.write_text(sa(0x1001, 8))
    assert invoke("apply", script, *LINUX).stdout.splitlines() == [
        "+ esp 0x00001001 192.0.2.1 > 192.0.2.2 tunnel reqid 8",
        "- esp 0x00001000 192.0.2.1 > 192.0.2.2 tunnel reqid 7",
    ]
    script.write_text("spdflush;")
    assert invoke("apply", script, *LINUX).stdout == "- policy out 10.0.0.0/8 > 10.1.0.0/16[443] tcp ipsec\n"
    with pf.Client(engine) as client:
        assert client.dump()["spi"].tolist() == [0x1001]


def test_keep(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text(ADD)
    invoke("apply", script, *LINUX)
    script.write_text(sa(0x1001, 8))
    assert invoke("apply", script, "--keep", *LINUX).stdout == "+ esp 0x00001001 192.0.2.1 > 192.0.2.2 tunnel reqid 8\n"


def test_a_script_that_the_system_refuses_changes_nothing(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text(ADD + ADD + sa(0x1001, 8))
    done = invoke("apply", script, *LINUX)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"{script}: line 2: ADD: EEXIST" in done.stderr
    assert done.stderr.endswith("it asks for what linux refuses, so nothing was changed\n")
    with pf.Client(engine) as client:
        assert len(client.dump()) == 0


def test_refusals_are_told_row_by_row(
    invoke: Invoke, engine: Loopback, script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes an SPI between the plan and its execution: its predecessor stays, the rest is done."""
    script.write_text(ADD)
    invoke("apply", script, *LINUX)
    script.write_text(sa(0x2000, 7) + sa(0x1001, 8))
    shown = applying._shown

    def disturbed(client: pf.Client, *how: object) -> object:
        found = shown(client, *how)  # type: ignore[arg-type]
        client.add("esp", 0x2000, "192.0.2.1", "192.0.2.2", encrypt="null")
        return found

    monkeypatch.setattr(applying, "_shown", disturbed)
    done = invoke("apply", script, *LINUX)
    assert done.exit_code == 1
    first, second, last = done.stderr.splitlines()
    assert first.startswith(
        "fastpfkey: not done: ADD esp 0x00002000 192.0.2.1 > 192.0.2.2 tunnel reqid 7: EEXIST (17): "
    )
    assert second == (
        "fastpfkey: not done: DELETE esp 0x00001000 192.0.2.1 > 192.0.2.2 tunnel reqid 7: "
        "not sent, because the ADD before it was refused"
    )
    assert last == "fastpfkey: done: ADD 1 of 2, DELETE 0 of 1"
    with pf.Client(engine) as client:
        assert sorted(client.dump()["spi"].tolist()) == [0x1000, 0x1001, 0x2000]


def test_a_recorded_dump_again(invoke: Invoke, engine: Loopback, tmp_path: Path) -> None:
    """What no ADD can make is told, the rest is there, and stays as it is."""
    script = tmp_path / "saved.conf"
    invoke("save", CORPUS / "linux-mixed.bin", "-o", script, "--with-keys", *LINUX)
    invoke("load", script, *LINUX)
    saved = tmp_path / "saved.bin"
    with pf.Client(engine) as client:
        table = client.dump(keys=True)
        assert table.buffer is not None
        saved.write_bytes(table.buffer)
    assert invoke("apply", saved, "--check", *LINUX).exit_code == 0
    assert invoke("setkey", "-F", *LINUX).exit_code == 0
    done = invoke("apply", saved, *LINUX)
    assert done.exit_code == 0
    assert done.stderr == f"fastpfkey: done: ADD {len(table)} of {len(table)}\n"
    assert invoke("diff", saved, "kernel", *LINUX).exit_code == 0


def test_text_of_setkey(invoke: Invoke, engine: Loopback, script: Path, tmp_path: Path) -> None:
    script.write_text(ADD + sa(0x1001, 8))
    invoke("apply", script, *LINUX)
    listing = tmp_path / "listing.txt"
    listing.write_text(invoke("setkey", "-D", *LINUX).stdout)
    assert invoke("apply", listing, "--check", *LINUX).exit_code == 0
    invoke("setkey", "-F", *LINUX)
    assert invoke("apply", listing, *LINUX).exit_code == 0
    assert invoke("apply", script, "--check", *LINUX).exit_code == 0
    listing.write_text("No SAD entries.\n")
    assert invoke("apply", listing, *LINUX).stdout.count("- esp") == 2


def test_a_file_that_says_nothing(invoke: Invoke, engine: Loopback, script: Path) -> None:
    script.write_text("# nothing\n")
    done = invoke("apply", script, *LINUX)
    assert (done.exit_code, done.stderr) == (2, f"fastpfkey: {script}: it says nothing of associations or policies\n")
    script.write_text(POLICY)
    done = invoke("apply", script, "--table", "associations", *LINUX)
    assert (done.exit_code, done.stderr) == (2, f"fastpfkey: {script}: it says nothing of associations\n")


def test_what_is_being_negotiated_is_left_alone(invoke: Invoke, engine: Loopback, script: Path) -> None:
    with pf.Client(engine) as client:
        client.getspi("esp", "192.0.2.1", "192.0.2.2", 0x3000, 0x3000)
    script.write_text("flush;")
    done = invoke("apply", script, *LINUX)
    assert (done.exit_code, done.stdout) == (0, "")
    assert "kernel: left alone: 1 associations: larval" in done.stderr


@pytest.mark.parametrize("dialect", ["freebsd", "netbsd"])
def test_other_systems(invoke: Invoke, monkeypatch: pytest.MonkeyPatch, script: Path, dialect: str) -> None:
    found = Loopback(spec.dialect(dialect))
    monkeypatch.setattr(applying, "connect", lambda name, dialect: pf.Client(found))
    variant = "freebsd" if dialect == "freebsd" else "ipsec-tools"
    how = ("--dialect", dialect, "--variant", variant)
    script.write_text(ADD.replace("-r 32 ", "") + POLICY)
    done = invoke("apply", script, *how)
    assert done.exit_code == 0, done.stderr
    assert invoke("apply", script, "--check", *how).exit_code == 0
    script.write_text(ADD.replace("-r 32 ", "").replace("3600", "7200") + POLICY)
    done = invoke("apply", script, *how)
    assert done.stdout == "! esp 0x00001000 192.0.2.1 > 192.0.2.2 tunnel reqid 7: hard_addtime 3600 -> 7200\n"
    assert invoke("apply", script, "--check", *how).exit_code == 0


@pytest.mark.parametrize("dialect", ["freebsd", "netbsd", "openbsd", "illumos"])
def test_passwords_for_tcp_of_a_recorded_dump(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dialect: str
) -> None:
    """Applied to where it comes from it changes nothing, and elsewhere it brings them all."""
    live, other = Loopback(spec.dialect(dialect)), Loopback(spec.dialect(dialect))
    with pf.Client(live) as client:
        pf.tcpmd5.set("192.0.2.2", "192.0.2.1", "correct horse", client=client)
        recorded = tmp_path / "sad.bin"
        recorded.write_bytes(client.dump(keys=True).buffer)  # type: ignore[arg-type]
    monkeypatch.setattr(applying, "connect", lambda name, dialect: pf.Client(live))
    done = invoke("apply", recorded, "--dialect", dialect)
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "fastpfkey: done: nothing, because nothing differs\n")
    monkeypatch.setattr(applying, "connect", lambda name, dialect: pf.Client(other))
    done = invoke("apply", recorded, "--dialect", dialect)
    assert (done.exit_code, done.stderr) == (0, "fastpfkey: done: ADD 2 of 2\n")
    assert "correct" not in done.stdout


def test_passwords_for_tcp_whose_spis_freebsd_chooses(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch, script: Path
) -> None:
    found = Loopback(spec.dialect("freebsd"))
    monkeypatch.setattr(applying, "connect", lambda name, dialect: pf.Client(found))
    how = ("--dialect", "freebsd", "--variant", "freebsd")
    peers = ("192.0.2.2", "192.0.2.3", "192.0.2.4")
    lines = [f'add 192.0.2.1 {peer} tcp 0x1000 -A tcp-md5 "one" ;\n' for peer in peers]
    lines += [f'add {peer} 192.0.2.1 tcp 0x1000 -A tcp-md5 "one" ;\n' for peer in peers]
    script.write_text("".join(lines))
    done = invoke("apply", script, *how)
    assert (done.exit_code, done.stderr) == (0, "fastpfkey: done: ADD 6 of 6\n")
    assert invoke("apply", script, "--check", *how).exit_code == 0
    script.write_text("".join(lines[:-1]) + lines[-1].replace("one", "two"))
    done = invoke("apply", script, *how)
    assert (done.exit_code, done.stderr) == (0, "fastpfkey: done: DELETE 1 of 1, ADD 1 of 1\n")
    assert done.stdout.endswith("192.0.2.4 > 192.0.2.1 any: keys differ\n")
    assert invoke("apply", script, "--check", *how).exit_code == 0
