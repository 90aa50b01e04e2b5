"""Keywords that a function passes on: one that nobody takes is an error, as Python has it for those that are declared.

A typed dictionary tells type checkers what there is, and nobody at run time; a lifetime that was misspelt would go
missing without a word.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping


def only(takes: type, given: Mapping[str, object], function: str) -> None:
    """See that a typed dictionary has all of these keys. Raises TypeError for one that it has not."""
    known = takes.__annotations__.keys()
    if given.keys() <= known:
        return
    name = min(given.keys() - known)
    near = difflib.get_close_matches(name, known, 1)
    raise TypeError(f"{function}: there is no keyword {name!r}" + (f"; is {near[0]!r} meant?" if near else ""))
