"""What the kernel answered to each malformed or unusual request, from the tables of linux-errors.md.

A request was refused if ``send()`` failed or if the first reply carries an errno that blames the request's bytes:
EINVAL, EMSGSIZE. Others (ENOENT, EEXIST, ENOSYS, ...) are about the state of the kernel: the bytes were understood.
"""

from __future__ import annotations

import re

from . import text

_ROW = re.compile(r"^\| (?P<case>.*) \| (?P<send>ok|\*\*-1 \d+ \w+\*\*) \| (?P<reply>.*) \|$", re.MULTILINE)
_UNREADABLE = {"EINVAL", "EMSGSIZE"}


def understood() -> dict[str, bool]:
    """Case to whether the kernel read the request without complaint about its bytes."""
    answers = {}
    for row in _ROW.finditer(text("linux-errors.md")):
        words = row["send"] + " " + row["reply"].split(";")[0]
        answers[row["case"]] = not _UNREADABLE & set(re.findall(r"[A-Z]{4,}", words))
    return answers
