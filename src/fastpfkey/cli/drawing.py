"""Numbers for people: bars, durations and sizes."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Sequence
from itertools import pairwise

BLOCK = "█"
ASCII = "#"
NARROWEST = 10
"""Characters of the longest bar on the narrowest terminal."""

DURATIONS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
PREFIXES = ("", "k", "M", "G", "T", "P", "E")
SIZES = ((10**15, "PB"), (10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"), (1, "B"))


def bars(rows: Sequence[tuple[str, int]]) -> list[str]:
    """A line for each row: its name, its number, and a bar. What is there has a bar, however short."""
    if not rows:
        return []
    names = max(len(name) for name, _ in rows)
    numbers = max(len(f"{count:,}") for _, count in rows)
    room = max(shutil.get_terminal_size().columns - names - numbers - 5, NARROWEST)
    most = max(count for _, count in rows)
    mark = BLOCK if _can_show(BLOCK) else ASCII
    return [
        f"  {name:<{names}} {count:>{numbers},} {mark * (count and max(count * room // most, 1))}".rstrip()
        for name, count in rows
    ]


def duration(seconds: float) -> str:
    """A time in its largest unit that gives a whole number, or else in seconds."""
    return _in_units(seconds, DURATIONS)


def size(octets: float) -> str:
    """So many bytes, in the same way."""
    return _in_units(octets, SIZES)


def rate(number: float, unit: str = "") -> str:
    """A number in three digits or so, with the prefix of its size; - where there is none."""
    if not math.isfinite(number):
        return "-"
    for power, prefix in enumerate(PREFIXES):
        scaled = number / 1000**power
        if scaled < 999.5 or prefix == PREFIXES[-1]:
            break
    digits = f"{scaled:.3g}" if scaled < 999.5 else f"{scaled:.0f}"
    return f"{digits} {prefix}{unit}".rstrip()


def remaining(seconds: float) -> str:
    """A time that is left, in its two largest units; - for one without end."""
    if not math.isfinite(seconds):
        return "-"
    whole = int(seconds)
    for (unit, name), (next_unit, next_name) in pairwise(DURATIONS):
        if whole >= unit:
            rest = whole % unit // next_unit
            return f"{whole // unit} {name} {rest} {next_name}" if rest else f"{whole // unit} {name}"
    return f"{whole} s"


def _in_units(number: float, units: Sequence[tuple[int, str]]) -> str:
    for unit, name in units:
        if number >= unit and not number % unit:
            return f"{number // unit:g} {name}"
    return f"{number:g} {units[-1][1]}"


def _can_show(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
