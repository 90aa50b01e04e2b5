"""Single requests from the command line: what is sent, and how the reply is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..spec.model import Dialect
from ..wire.message import Message
from .errors import SourceError
from .live import connect
from .rows import Algorithms
from .text import Messages
from .viewing import View
from .writing import Sheet, opened, write_tables

if TYPE_CHECKING:
    from ..transport.client import Client

FROM_FILE = "@"
"""Before the name of a file that has the key."""


def show_reply(
    source: str, dialect: Dialect, ask: Callable[[Client], Message], form: str, show_keys: bool, out: TextIO
) -> None:
    """Send a request and show the reply. Raises ReplyError and TransportError."""
    with connect(source, dialect) as client:
        reply = ask(client)
    record = reply.to_dict(show_keys=show_keys)
    if form == "text":
        writer = Messages(out, dialect)
        writer.write([{"message": 0, "offset": 0, "length": len(reply.encode()), **record}])
        writer.end()
    else:
        out.write(json.dumps(record) + "\n")


def show_algorithms(source: str, dialect: Dialect, satype: str, view: View, out: TextIO) -> bool:
    """Show what algorithms an engine has for an SA type. Raises KeyError for a column that there is not."""
    rows = Algorithms(view, dialect)
    names = [name for name in rows.names if view.columns is not None or name != "message"]
    with connect(source, dialect) as client:
        table = client.algorithms(satype)
    with opened(view, out) as to:
        write_tables([table], Sheet(names), view, to)
    return True


def key(text: str | None) -> str | bytes | None:
    """The key that an option gives: hexadecimal digits, or those in a file. Raises SourceError."""
    if text is None or not text.startswith(FROM_FILE):
        return text
    path = Path(text.removeprefix(FROM_FILE))
    try:
        return path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path}: hexadecimal digits are needed") from None


def given(**options: Any) -> dict[str, Any]:
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}
