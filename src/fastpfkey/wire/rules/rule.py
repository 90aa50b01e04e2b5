"""What a rule is, and what it says when a message breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ...spec.grammar import Severity
from ...spec.terms import ExtensionType
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

    def violations(self, subject: Subject) -> Iterator[Violation]:
        """What is wrong with a message by this rule."""
        if self.way not in (None, subject.to_engine) or (subject.reports_error and not self.of_errors):
            return
        for sentence, extension, level in self.judge(subject):
            yield Violation(level or self.level, self.id, extension, sentence)


def rule(
    id: str,
    level: Severity = "error",
    *,
    way: bool | None = None,
    of_errors: bool = False,
    implies: Iterable[str] = (),
) -> Callable[[Judge], Rule]:
    """Makes a rule of a function."""
    return lambda judge: Rule(id, level, judge, way, of_errors, frozenset(implies))


TO_ENGINE, FROM_ENGINE = True, False
"""Ways of a message."""


def rules_in(names: Mapping[str, object]) -> tuple[Rule, ...]:
    """The rules among the names of a module, in the order of their definition."""
    return tuple(item for item in names.values() if isinstance(item, Rule))
