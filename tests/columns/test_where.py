"""Questions to a table: what they find, compared row by row with what a person would say, and what is refused."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from corpus.groundtruth import capture

import fastpfkey as pf
from columns.support import MIXED, associations
from fastpfkey.columns.where import question, rows

Row = dict[str, Any]


def network(text: str | None, *networks: str) -> bool:
    if text is None:
        return False
    address = ipaddress.ip_address(text)
    return any(address in ipaddress.ip_network(each) for each in networks)


QUESTIONS: dict[str, Callable[[Row], bool]] = {
    "state == 'mature'": lambda row: row["state"] == "mature",
    "state != 'mature'": lambda row: row["state"] != "mature",
    "'ESP' == satype": lambda row: row["satype"] == "esp",
    "satype in ('ah', 'ipcomp')": lambda row: row["satype"] in ("ah", "ipcomp"),
    "satype not in ['ah']": lambda row: row["satype"] != "ah",
    "encrypt == 'deflate'": lambda row: row["encrypt"] == "deflate",
    "dst in '10.0.0.0/8'": lambda row: network(row["dst"], "10.0.0.0/8"),
    "src in '10.0.0.0/9' or src in 'fd00::/12'": lambda row: network(row["src"], "10.0.0.0/9", "fd00::/12"),
    "src in '::/0'": lambda row: row["src"] is not None and ":" in row["src"],
    "src in '0.0.0.0/0'": lambda row: row["src"] is not None and ":" not in row["src"],
    "dst == '10.8.0.3'": lambda row: row["dst"] == "10.8.0.3",
    "dst != '10.8.0.3'": lambda row: row["dst"] not in (None, "10.8.0.3"),
    "proxy is None": lambda row: row["proxy"] is None,
    "natt_type is not None and natt_sport == 4500": lambda row: row["natt_sport"] == 4500,
    "0x1000 <= spi < 0x1010": lambda row: 0x1000 <= row["spi"] < 0x1010,
    "hard_bytes - soft_bytes > 0": lambda row: (row["hard_bytes"] or 0) > (row["soft_bytes"] or 0),
    "soft_bytes - hard_bytes < 0": lambda row: (row["soft_bytes"] or 0) < (row["hard_bytes"] or 0),
    "current_bytes > 0.5 * 100 / 2 + -5": lambda row: row["current_bytes"] > 20,
    "not (satype == 'esp' and reqid > 0)": lambda row: not (row["satype"] == "esp" and row["reqid"] > 0),
    "key_auth_bits in (128, 160)": lambda row: row["key_auth_bits"] in (128, 160),
    "msg_type == 'dump'": lambda row: True,
}


@pytest.mark.parametrize("text", QUESTIONS)
def test_answers(text: str) -> None:
    table = associations()
    expected = [row["spi"] for row in table.rows() if QUESTIONS[text](row)]
    assert table.where(text)["spi"].tolist() == expected
    assert expected, "a question that nothing answers tests little"


def test_a_term_that_no_row_has() -> None:
    assert len(associations().where("state == 'dead'")) == 0


def test_unknown_terms_can_be_asked_for() -> None:
    data = bytearray(MIXED)
    data[int(associations()["message_offset"][4]) + 3] = 99
    assert len(associations(bytes(data)).where("satype == 'unknown-99'")) == 1


def test_policies_and_keys_follow_their_rows() -> None:
    table = pf.PolicyTable.from_buffer(capture("linux-policies.bin"), "linux", byteorder="little")
    chosen = table.where("dir == 'out'")
    assert set(chosen._values("dir")) == {"out"}
    assert len(chosen.request_offsets) == len(chosen) + 1
    keyed = associations(keys=True)
    assert keyed.where("satype == 'ah'").key_bytes("auth") == [
        key for key, kind in zip(keyed.key_bytes("auth"), keyed._values("satype"), strict=True) if kind == "ah"
    ]


def test_now_is_the_time_of_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    table = associations()
    limited = table[table["hard_addtime"] > 0]
    ends = (limited["current_addtime"] + limited["hard_addtime"]).tolist()
    monkeypatch.setattr(time, "time", lambda: float(max(ends) - 10))
    found = table.where("hard_addtime > 0 and current_addtime + hard_addtime - now > 0")
    assert found["spi"].tolist() == limited["spi"][np.array(ends) > max(ends) - 10].tolist()
    assert len(found) > 0
    asked = question("current_addtime < now and spi > 0")
    assert asked.columns == ("current_addtime", "spi")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert len(table[rows(table, asked)]) == len(table)


REFUSED = {
    "state = 'mature'": (6, "== is what compares"),
    "spi == 1 and reqid =2": (19, "== is what compares"),
    "stat == 'mature'": (0, "no column 'stat'; is 'state' meant?"),
    "state == 'matur'": (9, "never 'matur'; is 'mature' meant?"),
    "state > 'mature'": (8, "no order"),
    "spi == 'ah'": (7, "spi is a number"),
    "spi": (0, "a comparison is needed"),
    "dst == 10": (0, "dst is an address"),
    "satype == 3": (0, "satype is a name"),
    "dst in '10.0.0.0/33'": (7, "neither an address nor a network"),
    "spi ** 2 > 1": (0, "only + - * and /"),
    "spi == True": (7, "a number is needed"),
    "spi is 3": (7, "only None"),
    "now is None": (0, "no column 'now'"),
    "__import__('os').system('true') == 0": (0, "the name of a column is needed"),
    "(lambda: 1)() == 1": (0, "the name of a column is needed"),
    "spi == spi.real": (7, "the name of a column is needed"),
    "": (0, "cannot be read"),
    "spi == 1 or\x00": (0, "cannot be read"),
    "(" * 3000 + "spi" + ")" * 1000: (200, "cannot be read"),
    "-" * 2000 + "spi == 1": (0, ""),
    "spi == 1 " * 1000: (0, "4096 characters at most"),
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:30])
def test_what_is_refused_and_where(text: str) -> None:
    position, reason = REFUSED[text]
    with pytest.raises(pf.QueryError) as refused:
        associations().where(text)
    assert refused.value.position == position
    assert reason in str(refused.value)


def test_a_column_that_was_not_decoded() -> None:
    with pytest.raises(pf.QueryError, match="no column 'reqid'"):
        associations(columns=["spi"]).where("reqid == 1")


HUGE = "1" + "0" * 400


@pytest.mark.parametrize(
    ("text", "everything"),
    [
        ("1 / 0 > 1", True),
        ("0 / 0 == 0", False),
        ("spi / 0 > 1", True),
        (f"spi + {HUGE} > 1", True),
        (f"spi > -{HUGE}", True),
        (f"spi * {HUGE} * 0 == 0", False),
        (f"1e308 * 1e308 > {HUGE} - 1", False),
    ],
    ids=lambda value: str(value)[:30],
)
def test_arithmetic_that_has_no_finite_answer(text: str, everything: bool) -> None:
    table = associations()
    assert len(table.where(text)) == (len(table) if everything else 0)


@pytest.mark.parametrize("wrong", [3, None, [True], b"spi == 1"])
def test_a_question_is_text(wrong) -> None:
    with pytest.raises(TypeError, match="a question is a string"):
        associations().where(wrong)
