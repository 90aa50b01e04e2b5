"""Checking messages against the grammar: what is wrong with one that can be read, before an engine says EINVAL.

Bytes that cannot be read at all are a fault and raise while decoding. Here is the rest: extensions that are missing or
out of place, reserved bits, addresses, keys, identities and proposals whose values do not go together. Each rule is a
small function that carries the id of the requirement it holds a message to: R-... are the statements of RFC 2367 that
docs/conformance.md lists, X-... are about what systems added to it. Which extensions belong where, and what else
differs between systems, is data in fastpfkey.spec.grammar.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from ...spec import dialect as find_dialect
from ...spec.model import Dialect
from ..message import Message
from . import addresses, associations, framing, identities, keys, policies, presence, proposals
from .rule import Rule, Violation
from .subject import Subject

RULES: tuple[Rule, ...] = (
    *framing.RULES,
    *presence.RULES,
    *associations.RULES,
    *addresses.RULES,
    *keys.RULES,
    *identities.RULES,
    *proposals.RULES,
    *policies.RULES,
)
"""All rules, in the order in which `check` tells of violations."""


def check(
    message: Message,
    direction: Literal["to-engine", "from-engine"] = "to-engine",
    dialect: str | Dialect | None = None,
) -> list[Violation]:
    """What is wrong with a message on its way to the engine or from it, errors and warnings, in no order of weight.

    The message is held to the grammar of its own dialect unless another one is given. Reserved members, padding and
    text without NUL can only be wrong in a message that was decoded; one that was built is encoded without such flaws.
    Of a reply that reports an error only the header is judged, because its body, where it has one, is the request's;
    nor is the message judged that a PROMISC message carries: that is `payload`, for a check of its own.

    No sentence contains bytes of a key. Raises ValueError for an unknown direction or dialect, and WireError for a
    message whose buffer has changed since it was decoded.
    """
    if direction not in ("to-engine", "from-engine"):
        raise ValueError(f"direction is to-engine or from-engine, not {direction!r}")
    found = message.dialect if dialect is None else find_dialect(dialect)
    subject = Subject(message, direction == "to-engine", found)
    return [rule.violation(finding) for rule in concerned(subject) for finding in rule.judge(subject)]


KINDS = 512
"""Kinds of messages for which the rules are remembered."""

_RULES_OF: dict[Hashable, tuple[Rule, ...]] = {}


def concerned(subject: Subject) -> tuple[Rule, ...]:
    """The rules that can have something to say of messages of this kind, in their order."""
    kind = (subject.to_engine, subject.reports_error, subject.form and subject.form.rule, subject.classes)
    found = _RULES_OF.get(kind)
    if found is None:
        if len(_RULES_OF) >= KINDS:
            _RULES_OF.clear()
        found = _RULES_OF[kind] = tuple(rule for rule in RULES if rule.concerns(subject))
    return found
