"""What scripts leave behind; a table that was saved and loaded again is the same in all that ADD carries."""

from __future__ import annotations

import re

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.comparing import submitted
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.setkey import read_associations, read_script
from fastpfkey.setkey.saving import Script
from fastpfkey.setkey.saving_policies import policy_statements
from fastpfkey.setkey.words import FREEBSD, IPSEC_TOOLS
from fastpfkey.transport.loopback import Loopback

from .support import Associations, capture, printed

ADD = "add 192.0.2.1 192.0.2.2 esp 0x1000 -E null ;"
POLICY = "spdadd 10.0.0.0/8 10.1.0.0/16 any -P in ipsec esp/tunnel/192.0.2.1-192.0.2.2/require ;"


def names(table: pf.SATable) -> list[str]:
    """What people call the associations."""
    rows = table.rows(["satype", "spi", "src", "dst"])
    return [f"{row['satype']} 0x{row['spi']:08x} {row['src']} {row['dst']}" for row in rows]


def saved(messages: object, dialect: str) -> tuple[str, list[str]]:
    """The script of some messages, and what is left out of it."""
    found = Script(spec.dialect(dialect), FREEBSD if dialect == "freebsd" else IPSEC_TOOLS)
    return "".join(found.statements(pf.decode(messages, dialect))), found.omitted  # type: ignore[arg-type]


def script_of(dialect: str, text: str) -> pf.SATable:
    found = read_script(text, dialect, variant="freebsd" if dialect == "freebsd" else "ipsec-tools")
    assert found.refused == []
    assert found.associations is not None
    return found.associations


@pytest.mark.parametrize("dialect", ["linux", "netbsd", "freebsd", "openbsd", "macos", "illumos"])
def test_saved_loaded_and_dumped_is_the_same(dialect: str) -> None:
    """Into an empty engine; all that is not there is listed."""
    with pf.Client(Loopback(spec.dialect(dialect))) as client:
        made = pf.SATable.from_buffer(synthetic(1500, seed=11, dialect=dialect), dialect, keys=True)
        client.add_many(made)
        table = client.dump(keys=True)
    assert len(table) > 950
    text, omitted = saved(table.buffer, dialect)
    again = script_of(dialect, text)
    difference = pf.diff(table, again)
    assert not len(difference.added)
    assert not len(difference.changed)
    assert not len(difference.rekeyed)
    left_out = {line.partition(": left out")[0] for line in omitted if ": left out" in line}
    assert set(names(table[difference.removed])) == left_out
    assert [line for line in omitted if ": without" in line] == []
    compared = {"satype", "src", "dst", "src_port", "replay", "auth", "encrypt", "flags"}
    if dialect != "openbsd":
        compared |= {"proxy", "src_prefixlen"}
    assert compared <= set(submitted(spec.dialect(dialect)))


def test_a_kernels_table_is_the_same() -> None:
    """Also where netlink made one whose proxy Linux does not show, because it is the source."""
    table = pf.SATable.from_buffer(capture("linux-mixed.bin"), "linux", keys=True)
    text, omitted = saved(capture("linux-mixed.bin"), "linux")
    difference = pf.diff(table, script_of("linux", text))
    left_out = {line.partition(": left out")[0] for line in omitted if ": left out" in line}
    assert set(names(table[difference.removed])) == left_out
    assert len(left_out) == 7
    assert not len(difference.added)
    assert not len(difference.rekeyed)
    assert not len(difference.changed)


def test_a_kernels_policies_are_the_same() -> None:
    messages = capture("linux-policies.bin")
    found = Script(spec.dialect("linux"), IPSEC_TOOLS)
    text = "".join(policy_statements(found, pf.decode(messages, "linux")))
    again = read_script(text, "linux", variant="ipsec-tools")
    assert again.policies is not None
    difference = pf.diff(pf.PolicyTable.from_buffer(messages, "linux"), again.policies)
    assert not len(difference.added)
    assert len(difference.removed) == len(found.omitted)
    priorities = [row["changes"] for row in difference.rows() if row["what"] == "changed"]
    assert all(change == {"priority": [0, 1]} for change in priorities), priorities


def test_text_of_a_script_that_was_run_is_the_same_script() -> None:
    """What the text carries: see the docstring of `text_reader`."""
    text, _ = saved(capture("linux-mixed.bin"), "linux")
    table = script_of("linux", text)
    listed = read_associations(printed(Associations, table.buffer, dead=True), "linux", keys=True)
    from fastpfkey.setkey.text_reader import CARRIED

    carried = [name for name in CARRIED if name not in ("auth", "encrypt")]
    assert not pf.diff(table, listed, carried)


def test_what_nothing_is_said_of_is_none() -> None:
    found = read_script(ADD, "linux")
    assert found.policies is None
    assert found.associations is not None
    assert len(found.associations) == 1
    found = read_script(POLICY, "linux")
    assert found.associations is None
    assert found.policies is not None


def test_forwarded_packets() -> None:
    directions = [
        sorted(row["dir"] for row in read_script(POLICY, "linux", forward=forward).policies.rows(["dir"]))  # type: ignore[union-attr]
        for forward in (False, True)
    ]
    assert directions == [["in"], ["fwd", "in"]]


def test_what_is_refused_is_told_by_line() -> None:
    found = read_script(f"{ADD}\n\n{ADD}\ndelete 192.0.2.9 192.0.2.8 esp 0x1000;", "linux")
    (told,) = found.refused
    assert re.match(r"line 3: ADD: EEXIST \(17\): ", told)
    assert found.associations is not None
    assert len(found.associations) == 1


def test_deletions_and_flushes_count() -> None:
    for last in ("deleteall 192.0.2.1 192.0.2.2 esp;", "flush esp;", "delete 192.0.2.1 192.0.2.2 esp 0x1000;"):
        found = read_script(ADD + last, "linux")
        assert (len(found.associations or ()), found.refused) == (0, [])


def test_mistakes_are_told_with_their_place() -> None:
    with pytest.raises(pf.ScriptError, match="line 2, column 1: syntax error at `nonsense'"):
        read_script(f"{ADD}\nnonsense", "linux")
    with pytest.raises(ValueError, match="plan9"):
        read_script(ADD, "plan9")
