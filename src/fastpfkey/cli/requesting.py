"""Single requests from the command line: what is sent, and how the reply is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
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
        show_messages([ask(client)], client.dialect, form, show_keys, out)


def show_messages(messages: Iterable[Message], dialect: Dialect, form: str, show_keys: bool, out: TextIO) -> None:
    """Show messages that came as an answer, as text or as a JSON object a line."""
    writer = Messages(out, dialect)
    offset = 0
    for number, message in enumerate(messages):
        record = message.to_dict(show_keys=show_keys)
        length = len(message.encode())
        if form == "text":
            writer.write([{"message": number, "offset": offset, "length": length, **record}])
        else:
            out.write(json.dumps(record) + "\n")
        offset += length
    writer.end()


def show_algorithms(source: str, dialect: Dialect, satype: str, view: View, out: TextIO) -> bool:
    """Show what algorithms an engine has for an SA type. Raises KeyError for a column that there is not."""
    rows = Algorithms(view, dialect)
    names = [name for name in rows.names if view.columns is not None or name != "message"]
    with connect(source, dialect) as client:
        table = client.algorithms(satype)
    with opened(view, out) as to:
        write_tables([table], Sheet(names), view, to)
    return True


def key(text: str | None) -> str | None:
    """The key that an option gives: hexadecimal digits, or those in a file. Raises SourceError.

    An odd number of digits has a zero in front of it (RFC 2367, 2.3.4).
    """
    if text is None:
        return None
    digits = (_read(text) if text.startswith(FROM_FILE) else text).removeprefix("0x")
    return "0" + digits if len(digits) % 2 else digits


def _read(text: str) -> str:
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
