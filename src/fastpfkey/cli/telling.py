"""Lines on standard error: one for each thing that is wrong, for people; for programs an object with the same facts.

Everything that the program has to say beside its output goes through here, so that `--json` changes all of it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import click

from ..errors import PFKeyError, QueryError, ReplyError, ScriptError, StateFileError, WireError
from .errors import SourceError
from .escaping import printable

AS_JSON: ContextVar[bool] = ContextVar("AS_JSON", default=False)
"""Whether `--json` was given."""

NOTE = "Note"
"""The kind of a line that tells of no error."""

FACTS: Mapping[type[BaseException], tuple[str, ...]] = {
    WireError: ("offset", "message_index"),
    ReplyError: ("errno", "name", "seq", "explanation"),
    QueryError: ("text", "position", "reason"),
    StateFileError: ("offset", "reason"),
    ScriptError: ("line", "column", "reason"),
    OSError: ("errno", "filename"),
}
"""What errors know beside their text."""


def tell(
    line: str,
    error: BaseException | None = None,
    *,
    hint: str = "",
    source: str = "",
    status: int | None = None,
) -> None:
    """A line on standard error, behind all that was printed before.

    `error` is what it tells of, `source` the input that is meant, `status` that with which the program ends.
    """
    sys.stdout.flush()
    error = _origin(error)
    if AS_JSON.get():
        found = {"kind": NOTE if error is None else _kind(error), "message": line}
        told = {"source": source, "hint": hint, "status": status} | _facts(error)
        shown = json.dumps(found | {name: value for name, value in told.items() if value not in ("", None)})
    else:
        shown = f"fastpfkey: {printable(f'{line}; {hint}' if hint else line)}"
    click.echo(shown, err=True)


def note(line: str) -> None:
    """A line that tells of no error: as it is, without the name of the program."""
    if AS_JSON.get():
        tell(line)
    else:
        sys.stdout.flush()
        click.echo(line, err=True)


def _origin(error: BaseException | None) -> BaseException | None:
    """The error of the library that one of the command line stands for, if it does."""
    inner = error.__context__ if isinstance(error, SourceError | click.UsageError) else None
    return inner if isinstance(inner, PFKeyError | OSError) else error


def _kind(error: BaseException) -> str:
    """The name of the class of an error; of those of the operating system, that which Python documents for all."""
    if isinstance(error, click.UsageError):
        return "UsageError"
    if isinstance(error, OSError) and type(error).__module__ == "builtins":
        return "OSError"
    return type(error).__name__


def _facts(error: BaseException | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if isinstance(error, WireError):
        found["fault"] = error.fault.name.lower().replace("_", "-")
    if isinstance(error, ReplyError):
        found["message_type"] = error.message_type.label
    if isinstance(error, click.BadParameter) and error.param is not None:
        found["parameter"] = max(error.param.opts, key=len)
    if isinstance(error, click.NoSuchOption):
        found["parameter"] = error.option_name
    names = next((names for kind, names in FACTS.items() if isinstance(error, kind)), ())
    return found | {name: getattr(error, name) for name in names}
