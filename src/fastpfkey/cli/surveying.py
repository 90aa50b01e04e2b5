"""`fastpfkey stats`: messages read into statistics, and what is known in the end, as text or as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, TextIO

from ..columns import coverage, statistics, where
from ..columns.associations import SATable
from ..columns.coverage import unserved, usable
from ..columns.policies import PolicyTable
from ..columns.statistics import Statistics, Step
from ..columns.where import Question
from ..errors import ReplyError
from ..wire.batch import Batch
from .choosing import EVERYTHING
from .drawing import bars, duration, size
from .live import Live
from .reading import How, Portion, Reader
from .rendering import PROTOCOLS
from .sources import Source, capture
from .telling import tell

SHOWN = 10
"""Rows of a list that are shown to people; programs get all."""

POLICY = ("spid", "dir", "src", "src_prefixlen", "dst", "dst_prefixlen", "src_proto")
"""What is told of a policy."""


class Asked(NamedTuple):
    """What the user wants to know."""

    where: Question | None = None
    salt: bytes | None = None
    policies: str | None = None
    """A file with policies."""
    form: str = "text"


class Survey:
    """Associations and policies as they are read."""

    def __init__(self, how: How, asked: Asked) -> None:
        self.how = how
        self.asked = asked
        self.statistics = Statistics(asked.salt)
        self.others = 0
        """Messages that are about neither an association nor a policy."""
        self._columns = (
            *statistics.COLUMNS,
            "msg_type",
            "message_offset",
            *(asked.where.columns if asked.where else ()),
        )
        self._usable: list[SATable] = []
        self._policies: list[PolicyTable] = []
        if asked.where is not None:
            where.rows(SATable.from_buffer(b"", how.dialect), asked.where)

    def add(self, portion: Portion) -> None:
        """Take some messages."""
        batch = portion.batch
        table = SATable.from_batch(batch, self._columns, keys=True)
        found = table[~table.null("spi")]
        if len(found) < len(table):
            rest = table[table.null("spi")]
            kinds = [kind.startswith("spd") for kind in rest._values("msg_type")]
            about = rest[kinds]
            self.others += len(rest) - len(about)
            if len(about):
                offsets = about["message_offset"].data
                policies = PolicyTable.from_batch(Batch(batch.buffer, offsets, batch.codec, (), 0))
                self._policies.append(policies[~policies.null("spid")].detached())
        if self.asked.where is not None:
            found = found[where.rows(found, self.asked.where)]
        self.statistics.add(found)
        self._usable.append(usable(SATable.from_batch(batch, coverage.COLUMNS)))

    def unserved(self) -> PolicyTable | None:
        """Policies that no association serves; None if there are no policies."""
        if not any(map(len, self._policies)):
            return None
        policies = PolicyTable.concat(self._policies)
        return policies[unserved(policies, self._usable)]


def show_survey(name: str, source: Source | None, how: How, asked: Asked, out: TextIO) -> bool:
    """Read a source, a key engine if there is only a name, and write what is found; False if it is not whole."""
    survey, reader, whole = Survey(how, asked), Reader(how), True
    now = int(time.time()) if source is None else None
    for each in [source] if source else _engine(name, how):
        for portion in reader.portions([each]):
            survey.add(portion)
        if isinstance(each, Live) and each.incomplete:
            tell(f"{name}: {each.incomplete}")
            whole = False
    if asked.policies is not None:
        for portion in reader.portions([capture(asked.policies, how.byteorder)]):
            survey.add(portion)
    found = _told(name, survey, survey.statistics.latest if now is None else now)
    if asked.form == "json":
        out.write(json.dumps(found, indent=1) + "\n")
    else:
        out.writelines(f"{line}\n" for line in _lines(found))
    return whole and not reader.failed


def _engine(name: str, how: How) -> Iterator[Live]:
    """The tables of an engine. One that has no policies says so, and that is all."""
    for table in ("associations", "policies"):
        found = Live(name, how.dialect, table, EVERYTHING)
        try:
            found.ask()
        except (ReplyError, ValueError) as error:
            if table == "associations":
                raise
            tell(f"{name}: no policies: {error}")
            return
        yield found


def _told(name: str, survey: Survey, now: int) -> dict[str, Any]:
    """What is known, as plain data."""
    found = survey.statistics
    policies = survey.unserved()
    duplicates = found.duplicate_keys()
    return {
        "source": name,
        "dialect": survey.how.dialect.name,
        "associations": found.total,
        "other_messages": survey.others,
        "counts": {
            what: {label or "-": count for label, count in counts.most_common()}
            for what, counts in found.counts.items()
        },
        "now": now,
        "ages": [step._asdict() for step in found.ages(now)],
        "bytes": [step._asdict() for step in found.sizes],
        "past_soft_limit": found.past_soft_limit(now),
        "weak": [
            {
                "column": each.column,
                "algorithm": each.algorithm,
                **each.weakness._asdict(),
                "associations": each.associations,
            }
            for each in found.weak()
        ],
        "duplicate_keys": [each._asdict() for each in duplicates],
        "policies_without_association": None if policies is None else list(policies.rows(POLICY)),
    }


def _lines(found: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    yield f"{found['associations']:,} associations from {found['source']} ({found['dialect']})"
    if found["other_messages"]:
        yield f"messages that are about no association or policy: {found['other_messages']:,}"
    for what, counts in found["counts"].items():
        if counts:
            yield from ("", what, *bars([(label, count) for label, count in counts.items()]))
    when = datetime.fromtimestamp(found["now"], UTC).isoformat(sep=" ").removesuffix("+00:00")
    yield from ("", f"age at {when} UTC", *bars(_labelled(found["ages"], duration)))
    yield from ("", "bytes", *bars(_labelled(found["bytes"], size)))
    yield ""
    yield f"past their soft limit: {found['past_soft_limit']:,}"
    yield f"weak algorithms: {'' if found['weak'] else 'none'}".rstrip()
    for each in found["weak"]:
        yield f"  {each['associations']:,} {each['column']} {each['algorithm']}: {each['reason']} ({each['source']})"
    yield from _duplicates(found["duplicate_keys"])
    yield from _policies(found["policies_without_association"])


def _duplicates(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield "keys that occur more than once: none"
        return
    hint = "" if found[0]["fingerprint"] else "; --key-fingerprint tells which, here and in dump"
    yield f"keys that occur more than once: {len(found):,}, in {sum(each['keys'] for each in found):,} places{hint}"
    if found[0]["fingerprint"]:
        yield from (f"  {each['fingerprint']} {each['keys']:,} times" for each in found[:SHOWN])
        yield from _more(len(found))


def _policies(found: list[dict[str, Any]] | None) -> Iterator[str]:
    if found is None:
        yield "policies without a usable association: there are no policies here"
        return
    yield f"policies without a usable association: {len(found) or 'none'}"
    for row in found[:SHOWN]:
        ends = " > ".join(f"{row[side]}/{row[f'{side}_prefixlen']}" for side in ("src", "dst"))
        yield f"  {row['spid']} {row['dir']} {ends} {PROTOCOLS.get(row['src_proto'], row['src_proto'])}"
    yield from _more(len(found))


def _more(count: int) -> Iterator[str]:
    if count > SHOWN:
        yield f"  and {count - SHOWN:,} more (--format json has all)"


def _labelled(steps: list[dict[str, Any]], unit: Callable[[float], str]) -> list[tuple[str, int]]:
    """Steps by what they are called, without empty ones at the end."""
    found = [Step(**step) for step in steps]
    while found and not found[-1].associations:
        found.pop()
    return [(_step(step, unit), step.associations) for step in found]


def _step(step: Step, unit: Callable[[float], str]) -> str:
    if step.end is None:
        return f"{unit(step.begin)} and more"
    return f"below {unit(step.end)}" if step.end > 1 else "none"
