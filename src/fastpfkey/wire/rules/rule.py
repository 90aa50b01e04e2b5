"""What a rule is, and what it says when a message breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ...spec.grammar import Severity
from ...spec.terms import ExtensionType
from ..value import ExtensionValue
from .subject import Subject


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong with a message."""

    level: Severity
    """An error is what an engine of the dialect refuses, or the RFC forbids; a warning is what deserves a look."""
    rule: str
    """Id of the requirement: R-... of RFC 2367, X-... of what systems added."""
    extension: ExtensionType | None
    """The extension at fault, if it is one."""
    sentence: str
    """What is wrong, in words."""

    def __str__(self) -> str:
        return f"{self.level} {self.rule}: {self.sentence}"


class Finding(NamedTuple):
    """What a rule has to say."""

    sentence: str
    extension: ExtensionType | None = None
    level: Severity | None = None
    """Where the dialect makes more or less of it than the rule."""


Judge = Callable[[Subject], Iterable[Finding]]


@dataclass(frozen=True)
class Rule:
    """A requirement, and the function that finds where a message does not meet it."""

    id: str
    level: Severity
    judge: Judge
    way: bool | None = None
    """True: only for messages to the engine; False: only for those from it."""
    of_errors: bool = False
    """Whether it also judges replies that report an error."""
    implies: frozenset[str] = frozenset()
    """Rules that a message may break because it breaks this one."""
    about: tuple[type[ExtensionValue], ...] = ()
    """Classes of extensions without any of which it has nothing to say; none: it judges every message."""
    of_layout: bool = False
    """Whether it judges only messages whose line of the grammar states this requirement."""

    def concerns(self, subject: Subject) -> bool:
        """Whether it can have something to say of messages of this kind, with extensions of these classes."""
        if self.way not in (None, subject.to_engine) or (subject.reports_error and not self.of_errors):
            return False
        if self.of_layout:
            return subject.form is not None and subject.form.rule == self.id
        return not self.about or any(issubclass(found, self.about) for found in subject.classes)

    def violation(self, finding: Finding) -> Violation:
        """What is wrong with a message that was found not to meet it."""
        return Violation(finding.level or self.level, self.id, finding.extension, finding.sentence)


def rule(
    id: str,
    level: Severity = "error",
    *,
    way: bool | None = None,
    of_errors: bool = False,
    implies: Iterable[str] = (),
    about: tuple[type[ExtensionValue], ...] = (),
) -> Callable[[Judge], Rule]:
    """Makes a rule of a function."""
    return lambda judge: Rule(id, level, judge, way, of_errors, frozenset(implies), about)


TO_ENGINE, FROM_ENGINE = True, False
"""Ways of a message."""


def rules_in(names: Mapping[str, object]) -> tuple[Rule, ...]:
    """The rules among the names of a module, in the order of their definition."""
    return tuple(item for item in names.values() if isinstance(item, Rule))
