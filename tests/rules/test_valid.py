"""Messages that are as they should be: the golden ones, and what a Linux kernel sent."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey.wire.message import MessageView

from .messages import DIALECTS, ORDERS, golden, golden_file

CORPUS = Path(__file__).resolve().parents[1] / "vectors" / "corpus"

QUIET = (
    "linux-events.bin",
    "linux-mixed.bin",
    "linux-mixed-satype2.bin",
    "linux-mixed-satype3.bin",
    "linux-mixed-satype9.bin",
    "linux-policies.bin",
    "linux-policies-empty.bin",
    "linux-policies-with-ro.bin",
    "linux-register-ah.bin",
    "linux-register-esp.bin",
    "linux-register-ipcomp.bin",
    "linux-register-unspec.bin",
    "linux-sad-empty.bin",
)
"""Captures of what the kernel sent of its own accord or in answer to sound requests."""


def captured(name: str) -> list[MessageView]:
    return list(pf.decode((CORPUS / name).read_bytes(), "linux", "little"))


def errors(message: pf.Message, way: str) -> list[str]:
    return [str(item) for item in pf.check(message, way) if item.level == "error"]  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_golden_messages_have_no_errors(dialect: str, order: str) -> None:
    judged = 0
    for name, item in golden_file(dialect, order).items():
        if item["direction"] is not None:
            message = golden(name, dialect, order)  # type: ignore[arg-type]
            assert (name, errors(message, item["direction"])) == (name, [])
            judged += 1
    assert judged > 30


@pytest.mark.parametrize("dialect", DIALECTS)
def test_built_messages_are_judged_like_decoded_ones(dialect: str) -> None:
    for name, item in golden_file(dialect, "little").items():
        if item["direction"] is not None and "payload" not in item:
            message = golden(name, dialect)
            built = message.replace()
            assert pf.check(built, item["direction"]) == pf.check(message, item["direction"])


@pytest.mark.parametrize("name", QUIET)
def test_the_kernel_of_linux_makes_no_mistakes_by_its_own_grammar(name: str) -> None:
    messages = captured(name)
    assert messages
    assert [errors(message, "from-engine") for message in messages] == [[]] * len(messages)


def test_most_of_what_linux_sends_is_not_the_rfc_s() -> None:
    """Its own grammar forgives what the RFC does not: keys for everyone, SA2, types of its own."""
    rules = Counter(
        item.rule for message in captured("linux-events.bin") for item in pf.check(message, "from-engine", "rfc2367")
    )
    assert rules["R-3.1.3-07"] > 0
    assert rules["R-3.1.8-04"] == 0
