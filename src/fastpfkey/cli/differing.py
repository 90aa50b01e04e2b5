"""`fastpfkey diff`: two sources compared, a line for people or a record for programs for each difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import TextIO

from ..columns.associations import SATable
from ..columns.difference import KINDS, NAMING, Difference, diff
from ..columns.policies import PolicyTable
from ..interop.records import KEYS, Record
from ..spec.model import Dialect
from ..spec.tables import ASSOCIATIONS, POLICIES
from .errors import SourceError
from .escaping import printable
from .rendering import PROTOCOLS, row_writer
from .tables import Scripts, Tables, tables_of
from .telling import tell

MARKS = {"added": "+", "removed": "-", "changed": "~", "rekeyed": ">"}
"""What a line of text begins with."""

HOW = {"add": "+", "delete": "-", "update": "~", "replace": "!", "rekey": ">"}
"""The same for what is going to be done."""

NAMES = ("table", "what", *dict.fromkeys((*NAMING[SATable], *NAMING[PolicyTable])), "old_spi", "changes", "differ")
"""Names in CSV, which has one header for both tables."""


COMPARABLE = tuple(
    dict.fromkeys(
        (
            *(column.name for column in ASSOCIATIONS.columns if not column.name.startswith("key_")),
            *KEYS,
            *(column.name for column in POLICIES.columns if not column.name.startswith("requests_")),
            "requests",
        )
    )
)
"""What can be chosen to be compared."""


def show_differences(
    names: tuple[str, str],
    dialect: Dialect,
    scripts: Scripts,
    tables: Sequence[str],
    columns: Sequence[str] | None,
    form: str,
    out: TextIO,
) -> bool:
    """Write what is different; True if anything is. Raises SourceError, and what reading a source raises."""
    old, new = (tables_of(name, dialect, scripts).with_empty() for name in names)
    found = compared(old, new, tables, columns)
    if not found:
        raise SourceError(f"{names[0]} and {names[1]} have no kind of table in common")
    for name, side in zip(names, (old, new), strict=True):
        for line in side.refused:
            tell(f"{name}: {line}")
    write_rows(chain.from_iterable(difference.rows() for difference in found), NAMES, form, out)
    if form == "text" and any(found):
        tell(", ".join(summary(difference) for difference in found if difference))
    if old.refused or new.refused:
        raise SourceError("not all statements of a script are in the comparison")
    return any(found)


def write_rows(rows: Iterable[Record], names: Sequence[str], form: str, out: TextIO) -> None:
    """Write differences in a format; `names` are those of CSV."""
    if form == "text":
        out.writelines(f"{line_of(row)}\n" for row in rows)
        out.flush()
    else:
        writer = row_writer(form, out, names)
        writer.write(_record(row, names, form) for row in rows)
        writer.end()


def compared(
    old: Tables, new: Tables, tables: Sequence[str], columns: Sequence[str] | None
) -> list[Difference[SATable] | Difference[PolicyTable]]:
    """The differences of those tables that both sources have. Raises SourceError for a column that there is not."""
    for name in columns or ():
        if name not in COMPARABLE:
            raise SourceError(f"no column {name!r}; known are {', '.join(COMPARABLE)}")
    found: list[Difference[SATable] | Difference[PolicyTable]] = []
    if "associations" in tables and old.associations is not None and new.associations is not None:
        carried = [side.carried for side in (old, new) if side.carried is not None]
        wanted = columns if not carried else [name for name in carried[0] if columns is None or name in columns]
        difference = diff(old.associations, new.associations, wanted)
        found.append(_told(difference) if carried else difference)
    if "policies" in tables and old.policies is not None and new.policies is not None:
        found.append(diff(old.policies, new.policies, columns))
    return found


def _told(difference: Difference[SATable]) -> Difference[SATable]:
    """What is left of a difference where text has no algorithms because it has no keys."""
    changed, columns = difference.changed, dict(difference.changed.columns)
    for name in columns.keys() & {"auth", "encrypt"}:
        tells = (difference.old[name][changed.old] != 0) & (difference.new[name][changed.new] != 0)
        columns[name] = columns[name] & tells
    changed = replace(changed, columns=columns)
    return replace(difference, changed=changed.among(changed.different))


def summary(difference: Difference[SATable] | Difference[PolicyTable]) -> str:
    """How many of what."""
    counts = {kind: len(getattr(difference, kind)) for kind in KINDS}
    noun = "associations" if isinstance(difference.new, SATable) else "policies"
    return f"{noun}: " + ", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count)


def line_of(row: Record) -> str:
    """A difference as text."""
    mark = HOW[row["how"]] if "how" in row else MARKS[row["what"]]
    details = "; ".join(_details(row))
    return printable(f"{mark} {subject(row)}" + (f": {details}" if details else ""))


def subject(row: Record) -> str:
    """What a row is about."""
    return printable(" ".join(_association(row) if "spi" in row else _policy(row)))


def _association(row: Record) -> Iterator[str]:
    yield str(row["satype"])
    yield f"0x{row['spi']:08x}" if row.get("old_spi") is None else f"0x{row['old_spi']:08x} -> 0x{row['spi']:08x}"
    yield f"{row['src']} > {row['dst']}"
    yield from (str(row[name]) for name in ("mode",) if row.get(name))
    yield from (f"reqid {row[name]}" for name in ("reqid",) if row.get(name))


def _policy(row: Record) -> Iterator[str]:
    yield "policy"
    yield str(row["dir"])
    ends = [f"{row[end]}/{row[f'{end}_prefixlen']}" for end in ("src", "dst")]
    ports = [f"[{row[f'{end}_port']}]" if row[f"{end}_port"] else "" for end in ("src", "dst")]
    yield " > ".join(end + port for end, port in zip(ends, ports, strict=True))
    yield PROTOCOLS.get(row["src_proto"], str(row["src_proto"])) if row["src_proto"] else "any"
    yield str(row["type"])


def _details(row: Record) -> Iterator[str]:
    for name, (before, now) in row["changes"].items():
        yield f"{name} {'-' if before is None else before} -> {'-' if now is None else now}"
    hidden = [name for name in row["differ"] if not name.startswith("key_")]
    if len(hidden) < len(row["differ"]):
        yield "keys differ"
    if hidden:
        yield f"{', '.join(hidden)} differ{'s' if len(hidden) == 1 and hidden != ['requests'] else ''}"


def _record(row: Record, names: Sequence[str], form: str) -> Record:
    """A difference for programs: in CSV one cell for all changes, and every name."""
    told = {"table": "associations" if "spi" in row else "policies", **row}
    if form != "csv":
        return told
    changes = " ".join(f"{name}={before}>{now}" for name, (before, now) in row["changes"].items())
    flat = {**told, "changes": changes, "differ": " ".join(row["differ"])}
    return {name: flat.get(name) for name in names}
