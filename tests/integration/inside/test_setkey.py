"""setkey's place taken on a real kernel: scripts, dumps and what they say, and a table saved and loaded again."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC
from pathlib import Path

import numpy as np
import pytest

import fastpfkey as pf
from fastpfkey.setkey.text_reader import read_associations

CORPUS = Path(__file__).parents[2] / "vectors" / "corpus"
TOLD = ("satype", "spi", "src", "dst", "state", "mode", "reqid", "replay", "flags", "hard_addtime", "soft_addtime")
TOLD += ("natt_sport", "natt_dport", "natt_oa", "key_auth_bits", "key_encrypt_bits")


def run(*arguments: str | Path, stdin: str = "") -> str:
    """What the command line prints; fails unless it ends well."""
    command = [sys.executable, "-m", "fastpfkey", *map(str, arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env={"TZ": "UTC"})
    assert done.returncode == 0, done.stderr
    return done.stdout


def table() -> pf.SATable:
    """What the kernel has, as a table in the order of SPIs."""
    with pf.Client.open("kernel") as client:
        return client.dump(keys=True).sort("spi")


def blocks(text: str) -> set[str]:
    """Each policy without the lines that count and number, and without request ids that the kernel chose."""
    text = re.sub(r"#\d+$", "#", text, flags=re.MULTILINE)
    found = re.sub(r"^\t(created|lifetime|spid|refcnt).*\n", "", text, flags=re.MULTILINE)
    return set(re.findall(r"^\S.*\n(?:\t.*\n)*", found, re.MULTILINE))


def selectors() -> set[str]:
    """The policies that the kernel has."""
    return blocks(run("setkey", "-DP"))


@pytest.fixture(autouse=True)
def _clean() -> None:
    run("setkey", "-F")
    run("setkey", "-FP")


def test_a_script_of_every_kind_of_association_and_its_text() -> None:
    run("setkey", "-f", CORPUS / "linux-mixed.cf")
    found = table()
    assert len(found) >= 35
    text = run("setkey", "-D", "-a")
    read = read_associations(text, "linux", zone=UTC, keys=True).sort("spi")
    for name in TOLD:
        np.testing.assert_array_equal(read[name], found[name], err_msg=name)
    for kind in ("auth", "encrypt"):
        assert read.key_bytes(kind) == found.key_bytes(kind)
    assert run("setkey", "-F") == ""
    assert run("setkey", "-D") == "No SAD entries.\n"


def test_policies() -> None:
    run("setkey", "-f", CORPUS / "linux-policies.cf")
    recorded = (CORPUS / "linux-policies.setkey.txt").read_text()
    # The recorded kernel had three policies more, which iproute2 had made.
    found = selectors()
    assert len(found) >= 35
    assert found <= blocks(recorded)
    assert run("setkey", "-FP") == ""
    assert run("setkey", "-DP") == "No SPD entries.\n"


def test_a_table_saved_and_loaded_again(tmp_path: Path) -> None:
    run("setkey", "-f", CORPUS / "linux-mixed.cf")
    run("setkey", "-f", CORPUS / "linux-policies.cf")
    before, policies = table(), selectors()
    run("save", "-o", tmp_path / "table.conf", "--with-keys")
    run("setkey", "-F")
    run("setkey", "-FP")
    run("load", tmp_path / "table.conf")
    after = table()
    assert selectors() == policies
    kept = before[np.isin(before["spi"], after["spi"])]
    assert len(kept) == len(after) >= 35
    for name in (*TOLD, "proxy", "src_prefixlen", "auth", "encrypt", "hard_bytes", "soft_bytes"):
        np.testing.assert_array_equal(after[name], kept[name], err_msg=name)
    for kind in ("auth", "encrypt"):
        assert after.key_bytes(kind) == kept.key_bytes(kind)
