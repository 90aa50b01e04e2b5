"""Comparing and bringing into line, with a real kernel: a second time there is nothing to do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import fastpfkey as pf

from .kinds import DST, KEY, SRC, add_esp
from .witness import ip

CORPUS = Path(__file__).parents[2] / "vectors" / "corpus"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command line's answer."""
    command = [sys.executable, "-m", "fastpfkey", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def applied(script: Path, *arguments: str) -> list[str]:
    """What was done, a line each; afterwards nothing is left to do."""
    done = run("apply", script, *arguments)
    assert done.returncode == 0, done.stderr
    check = run("apply", script, "--check", *arguments)
    assert (check.returncode, check.stdout) == (0, ""), check.stdout
    same = run("diff", "kernel", script)
    assert (same.returncode, same.stdout) == (0, ""), same.stdout
    return sorted(done.stdout.splitlines())


@pytest.mark.parametrize("name", ["linux-mixed.cf", "linux-policies.cf"])
def test_a_script_of_every_kind(client: pf.Client, tmp_path: Path, name: str) -> None:
    """What the kernel takes of a script is applied from nothing, from something else, and twice."""
    assert run("setkey", "-f", CORPUS / name).returncode == 0
    script = tmp_path / "saved.conf"
    assert run("save", "kernel", "-o", script, "--with-keys").returncode == 0
    check = run("apply", script, "--check")
    assert (check.returncode, check.stdout) == (0, ""), check.stdout
    associations, policies = len(client.dump()), len(client.dump_policies())
    client.flush()
    client.spdflush()
    add_esp(client, 0x9999)
    lines = applied(script)
    assert len([line for line in lines if line.startswith("+")]) == associations + policies
    if name == "linux-mixed.cf":
        assert [line for line in lines if line.startswith("-")] == [
            f"- esp 0x00009999 {SRC} > {DST} transport",
        ]


def test_only_what_differs_is_touched(client: pf.Client, tmp_path: Path) -> None:
    head = f"add {SRC} {DST} esp"
    tail = f"-E aes-cbc 0x{KEY[:16].hex()} -A hmac-sha1 0x{KEY[:20].hex()} ;\n"
    policy = f"spdadd 10.0.0.0/8 10.1.0.0/16 any -P out ipsec esp/tunnel/{SRC}-{DST}/unique ;\n"
    script = tmp_path / "wanted.conf"
    script.write_text(
        "".join(f"{head} {spi:#x} -m tunnel -u {spi} -r 32 -lh 3600 -ls 3000 {tail}" for spi in range(0x1000, 0x1005))
        + policy
    )
    applied(script)
    begun = client.dump(keys=True).sort("spi")["current_addtime"].tolist()
    script.write_text(
        f"{head} 0x1000 -m tunnel -u 4096 -r 32 -lh 3600 -ls 3000 {tail}"
        f"{head} 0x1001 -m tunnel -u 4097 -r 32 -lh 7200 -ls 3000 {tail}"
        f"{head} 0x1002 -m tunnel -u 4098 -r 32 -lh 3600 -ls 3000 {tail.replace('aes-cbc 0x01', 'aes-cbc 0x02')}"
        f"{head} 0x2003 -m tunnel -u 4099 -r 32 -lh 3600 -ls 3000 {tail}" + policy.replace("unique", "require")
    )
    between = f"{SRC} > {DST} tunnel reqid"
    assert applied(script) == sorted(
        [
            f"- esp 0x00001004 {between} 4100",
            f"~ esp 0x00001001 {between} 4097: hard_addtime 3600 -> 7200",
            f"! esp 0x00001002 {between} 4098: keys differ",
            f"> esp 0x00001003 -> 0x00002003 {between} 4099",
            "~ policy out 10.0.0.0/8 > 10.1.0.0/16 any ipsec: requests differ",
        ]
    )
    table = client.dump(keys=True).sort("spi")
    assert table["spi"].tolist() == [0x1000, 0x1001, 0x1002, 0x2003]
    assert table["current_addtime"].tolist()[:2] == begun[:2]
    assert table["hard_addtime"].tolist()[1] == 7200


def test_what_netlink_made_and_pfkey_cannot_show_is_left_alone(client: pf.Client, tmp_path: Path) -> None:
    ends = ("src", SRC, "dst", DST, "proto", "esp")
    ip(
        "xfrm",
        "state",
        "add",
        *ends,
        "spi",
        "0x7777",
        "mode",
        "tunnel",
        "aead",
        "rfc4106(gcm(aes))",
        f"0x{'01' * 20}",
        "128",
    )
    add_esp(client, 0x1000)
    script = tmp_path / "wanted.conf"
    script.write_text("flush;")
    done = run("apply", script)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"- esp 0x00001000 {SRC} > {DST} transport\n"
    assert "kernel: left alone: 1 associations: AEAD without key" in done.stderr
    assert client.dump()["spi"].tolist() == [0x7777]


def test_tables_of_the_library(client: pf.Client) -> None:
    for number in range(300):
        add_esp(client, 0x1000 + number, mode="tunnel", reqid=number)
    wanted = client.dump(keys=True)
    client.flush()
    for number in range(200, 500):
        add_esp(client, 0x2000 + number, mode="tunnel", reqid=number)
    found = pf.plan(client.dump(keys=True), wanted)
    assert (len(found.associations.rekeyed), len(found.associations.added)) == (100, 200)  # type: ignore[union-attr]
    assert client.apply(found).complete
    assert not pf.diff(client.dump(keys=True), wanted)
