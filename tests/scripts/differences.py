"""Steps in which the engine deliberately does not do what the kernel does, and why: the committed list.

What differs in many messages (times, ids, numbers that the kernel counts) is in `normal`. A step that is listed here
has to differ, apart from those of `BY_CHANCE`, whose answer is what happens to lie in the kernel's memory.
"""

from __future__ import annotations

SUBMITTED = (
    "the answer shows what the kernel has: it shows what was submitted, as DEAD, though it changed nothing but "
    "lifetimes and ports (ENGINE.md, 16.2)"
)
LEFTOVERS = (
    "a GETSPI that fails leaves nothing behind; in the kernel it leaves a larval association without SPI "
    "(docs/decisions/engine.md)"
)

DIFFERENCES: dict[str, dict[str, str]] = {
    "UPDATE of one in use": dict.fromkeys(
        (
            "UPDATE of limits",
            "UPDATE without limits",
            "UPDATE of a key",
            "UPDATE of an algorithm",
            "UPDATE of a window and a mode",
            "UPDATE from elsewhere",
        ),
        SUBMITTED,
    ),
    "UDP encapsulation": {"UPDATE of ports": SUBMITTED},
    "GETSPI": {"DUMP": LEFTOVERS},
    "a larval one becomes mature": {"UPDATE once more": SUBMITTED},
    "an UPDATE gives time": {"UPDATE of a dying one": SUBMITTED, "UPDATE of less time": SUBMITTED},
    "recorded": {
        "UPDATE of an existing SA (other keys)": SUBMITTED,
        "SEC_CTX ext (SELinux string)": "SELinux counts the NUL of its label, which the request did not have",
        "DUMP with FILTER ext (IPv4 src 10.9.0.0/16)": LEFTOVERS,
        "DUMP with an unknown ext 200": "the label that SELinux has counted the NUL of, once more",
    },
}
"""By script and step."""

BY_CHANCE = {
    ("recorded", "NAT-T type 2 without ports"): "the kernel shows what happens to lie in memory as ports",
}
"""Steps that are not compared at all."""
