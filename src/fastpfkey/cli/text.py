"""Messages as text for people: a line of the header, and an indented line for each extension.

Works on plain data, in which there are no keys unless they may be shown. Nothing that came from the wire reaches a
terminal unescaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from ..interop.records import Record, Writer
from ..spec.model import Dialect
from .escaping import printable
from .rendering import HEXADECIMAL, PROTOCOLS, request

HEADER = ("file", "message", "offset", "length", "type", "satype", "errno", "seq", "pid", "reserved")
"""What stands in the first line of a message."""

LIFETIME = ("allocations", "bytes", "addtime", "usetime")
INDENT = " " * 4
NAMES = 20
"""Width of the names of extensions."""


class Messages(Writer):
    """A block of lines for each message."""

    def __init__(self, out: TextIO, dialect: Dialect) -> None:
        super().__init__(out)
        self.dialect = dialect

    def write(self, records: Iterable[Record]) -> None:
        """Write some more messages."""
        for record in records:
            self.out.write(self._head(record))
            for name, value in record.items():
                if name not in HEADER:
                    self.out.writelines(_extension(name, value))

    def _head(self, record: Record) -> str:
        words = [f"{record['message']} {record['type']} {record['satype']} seq {record['seq']} pid {record['pid']}"]
        if "file" in record:
            words.insert(0, f"{printable(record['file'])}:")
        if record["errno"]:
            name = self.dialect.errno_name(record["errno"])
            words.append(name if name.startswith("errno") else f"errno {record['errno']} ({name})")
        if record["reserved"]:
            meaning = self.dialect.diagnostics.get(record["reserved"]) if record["errno"] else None
            words.append(f"reserved {record['reserved']}{f' ({meaning})' if meaning else ''}")
        return f"{' '.join(words)}, {record['length']} bytes at {record['offset']}\n"


def _extension(name: str, value: Any) -> Iterator[str]:
    """The lines of an extension, or of several of the same kind."""
    if isinstance(value, list):
        for item in value:
            yield from _extension(name, item)
        return
    lists = {key: items for key, items in value.items() if items and _is_list_of_records(items)}
    words = _words(name, {key: item for key, item in value.items() if key not in lists})
    yield f"{INDENT}{name.replace('_', '-'):<{NAMES}}{words}".rstrip() + "\n"
    for key, items in lists.items():
        for item in items:
            inner = request(item) if key == "requests" else _members(item)
            yield f"{INDENT}{INDENT}{inner}\n"


def _is_list_of_records(value: object) -> bool:
    return isinstance(value, list) and isinstance(value[0], dict)


def _words(name: str, value: Record) -> str:
    if all(member in value for member in LIFETIME):
        return _lifetime(value, clock=name == "lifetime_current")
    if "ip" in value:
        return _address(value)
    return _members(value)


def _members(value: Record) -> str:
    return ", ".join(f"{name.replace('_', '-')} {_scalar(name, item)}" for name, item in value.items())


def _lifetime(value: Record, clock: bool) -> str:
    """What is not 0, with units; a current lifetime holds Unix times, a limit seconds."""
    told = []
    for name, number in value.items():
        if number:
            seconds = name in ("addtime", "usetime")
            told.append(f"{name} {(_time(number) if clock else f'{number} s') if seconds else number}")
    return ", ".join(told) or "0"


def _time(seconds: int) -> str:
    """Unix time as UTC; one that no calendar has, as it is."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def _address(value: Record) -> str:
    """Address and prefix length, and of the rest what is not 0."""
    told = [value["ip"] + (f"/{value['prefixlen']}" if "prefixlen" in value else "")]
    if value.get("proto"):
        told.append(f"proto {PROTOCOLS.get(value['proto'], value['proto'])}")
    rest = {name: item for name, item in value.items() if item and name not in ("family", "ip", "prefixlen", "proto")}
    return ", ".join([*told, *([_members(rest)] if rest else [])])


def _scalar(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"({_words(name, value)})"
    if isinstance(value, list):
        return " ".join(_scalar(name, item) for item in value) or "none"
    if name in HEXADECIMAL and isinstance(value, int):
        return f"0x{value:08x}"
    return printable(str(value))
