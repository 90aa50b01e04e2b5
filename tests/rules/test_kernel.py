"""`check` against a kernel: real requests, odd ones most of them, and what Linux 6.1 made of each.

The capture pairs each request with the replies by the name of its case.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import fastpfkey as pf

CORPUS = Path(__file__).resolve().parents[1] / "vectors" / "corpus"
EINVAL = 22

LAX = {
    "duplicate unknown ext 200": "R-2.3-03",
    "SA ext of 24 bytes (too long)": "R-2.2-05",
    "SA2 ext of 24 bytes": "R-2.2-05",
    "KEY_AUTH: bits 160, ext 8 bytes longer than needed": "R-2.2-02",
    "KEY_ENC 127 bits": "R-2.3.4-04",
    "prefixlen 24 and port 500, proto 17 in the SA addresses": "R-2.3.3-06",
    "state field DEAD (3)": "R-3.1.3-04",
    "state field LARVAL (0)": "R-3.1.3-04",
    "IPCOMP, CPI 0x12345 (> 16 bit)": "R-2.3.1-02",
}
"""What this kernel takes and the RFC forbids."""

OF_ITS_STATE = {"SPDDUMP with only a route-optimization policy"}
"""What the kernel refused for a reason that is not in the message."""


def table(name: str) -> Iterator[dict[str, str]]:
    with (CORPUS / f"{name}.idx.tsv").open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter="\t")


@cache
def verdicts() -> dict[str, int]:
    """Error number of the replies to each case; where there are copies of the request among them, theirs is 0."""
    found: dict[str, int] = {}
    for row in table("linux-errors.bin"):
        found[row["note"]] = max(int(row["errno"]), found.get(row["note"], 0))
    return found


def requests() -> Iterator[tuple[str, pf.Message]]:
    """The requests that can be read, with the names of their cases."""
    data = (CORPUS / "linux-errors.sent.bin").read_bytes()
    for row in table("linux-errors.sent.bin"):
        start = int(row["offset"])
        batch = pf.decode(data[start : start + int(row["bytes"])], "linux", "little", on_error="stop")
        if batch.fault is None and len(batch) == 1:
            yield row["note"], batch[0]


def errors(message: pf.Message) -> set[str]:
    return {item.rule for item in pf.check(message) if item.level == "error"}


@pytest.mark.requirement("R-2.3-06")
def test_what_the_kernel_took_has_no_errors_but_for_what_it_forgives() -> None:
    taken = [(name, errors(message)) for name, message in requests() if verdicts().get(name) == 0]
    assert len(taken) > 60
    assert {name: rules for name, rules in taken if rules} == {name: {rule} for name, rule in LAX.items()}


@pytest.mark.requirement("R-2.3.1-07", "R-2.3.4-01", "R-2.3.9-02")
def test_what_the_kernel_called_invalid_has_errors() -> None:
    refused = [(name, errors(message)) for name, message in requests() if verdicts().get(name) == EINVAL]
    assert len(refused) > 60
    assert {name for name, rules in refused if not rules} == OF_ITS_STATE
