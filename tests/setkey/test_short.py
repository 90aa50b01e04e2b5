"""The short list: rows as they were seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

import fastpfkey as pf
from fastpfkey.setkey.printing import Short
from fastpfkey.wire.extensions import Lifetime

from .support import PROTOCOLS, capture, printed

FIRST = pf.decode(capture("linux-mixed.bin"), "linux")[0]
NOW = 1_800_000_000


def row(age: int | None, hard: int, **changes: object) -> str:
    """The line of an association of this age."""
    others = [item for item in FIRST.extensions if not isinstance(item, Lifetime)]
    limits = [Lifetime(pf.ExtensionType.LIFETIME_HARD, addtime=hard)]
    if age is not None:
        limits.append(Lifetime(pf.ExtensionType.LIFETIME_CURRENT, addtime=NOW - age if age >= 0 else 0))
    sa = next(item for item in others if item.exttype is pf.ExtensionType.SA)
    others[others.index(sa)] = replace(sa, spi=0xC0FFEE01, state=pf.SAState.MATURE, **changes)  # type: ignore[arg-type]
    message = FIRST.replace(extensions=tuple(others + limits)).encode()
    return printed(Short, message, now=NOW, dead=True, protocols=PROTOCOLS)


@pytest.mark.parametrize(
    ("age", "hard", "times"),
    [
        (698, 100_000, "698/big"),
        (-1, 0, "  0/0  "),
        (5_000, 100, "big/100"),
        (999, 999, "999/999"),
        (1_000, 1_000, "big/big"),
        (0, 7, "  0/7  "),
        (None, 9, "???/???"),
    ],
)
def test_times(age: int | None, hard: int, times: str) -> None:
    assert row(age, hard) == f"0000 esp M c0ffee01 {times} 10.8.0.1 -> 10.8.0.3\n"


@pytest.mark.parametrize(("state", "letter"), list(zip(list(pf.SAState)[:4], "LMDd", strict=True)))
def test_states(state: pf.SAState, letter: str) -> None:
    message = FIRST.replace(
        extensions=tuple(
            replace(item, state=state) if item.exttype is pf.ExtensionType.SA else item for item in FIRST.extensions
        )
    )
    assert printed(Short, message.encode(), now=NOW, dead=True).split()[2] == letter
