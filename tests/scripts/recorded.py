"""The unusual requests of a recording as one script, so that they can be asked of a kernel once more.

They are one script because many follow from what others left behind. See tests/vectors/corpus/PROVENANCE.md.
"""

from __future__ import annotations

from engine.kernel import cases

from .script import ACTOR, OTHER, Script, Send

LEFT_OUT = {
    "send with MSG_OOB": "a flag of send(), which a script has no word for",
    "SAD DUMP all, with route2/hao/beet/in_trigger states from netlink present": "made through netlink",
    "SAD DUMP ESP, same": "made through netlink",
    "SPDDUMP with only a route-optimization policy": "made through netlink",
    "SPDDUMP: 5 good policies added after the RO one (so RO is last in the walk)": "made through netlink",
}

KEPT = {"GETSPI ESP range 1-5 (reserved)": "one of five", "SPDADD": "the first policy"}
USED = {"SPDDELETE2 index 1": "the first policy"}
"""Numbers that a kernel which was used before would not choose again."""

SCRIPT = Script(
    tuple(
        Send(
            case.request.raw,
            name=case.request.note,
            keeps=KEPT.get(case.request.note, ""),
            uses=USED.get(case.request.note, ""),
        )
        for case in cases()
        if case.request.note not in LEFT_OUT
    ),
    sockets=(ACTOR, OTHER),
)
