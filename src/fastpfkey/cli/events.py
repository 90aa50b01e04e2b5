"""`fastpfkey monitor`: events as lines for people or for programs, as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, TextIO

from ..session.events import Event
from ..spec.model import Dialect
from ..transport.watching import Resync
from ..wire.message import Message
from ..wire.requests.values import Name
from .escaping import printable
from .live import connect


def show_events(
    source: str,
    dialect: Dialect,
    form: str,
    *,
    register: Iterable[Name],
    resync: bool,
    timeout: float | None,
    count: int | None,
    out: TextIO,
) -> None:
    """Write events until there were `count`, or none for `timeout` seconds. Raises TransportError and ReplyError."""
    line = _json if form == "jsonl" else _text
    left = count
    with connect(source, dialect) as client, client.monitor(register, resync=resync, timeout=timeout) as events:
        for burst in events.bursts():
            some = burst if left is None else burst[:left]
            out.writelines(line(event) + "\n" for event in some)
            out.flush()
            if left is not None and (left := left - len(some)) <= 0:
                return


def _json(event: Event) -> str:
    record: dict[str, Any] = {"time": event.time, "event": event.kind.label}
    if event.message is not None:
        record |= event.message.to_dict()
    if isinstance(event, Resync) and event.table is not None:
        record |= {"associations": len(event.table), "complete": event.table.complete}
    return json.dumps(record)


def _text(event: Event) -> str:
    when = datetime.fromtimestamp(event.time, UTC).isoformat(sep=" ", timespec="milliseconds").removesuffix("+00:00")
    words = [when, event.kind.label]
    if event.message is not None:
        words += _subject(event.message)
    if isinstance(event, Resync) and event.table is not None:
        words.append(f"{len(event.table):,} associations")
    return " ".join(words)


def _subject(message: Message) -> Iterator[str]:
    """What a message is about, in words."""
    if message.satype:
        yield message.satype.label
    if message.sa is not None:
        yield f"spi 0x{message.sa.spi:08x}"
    if message.policy is not None and not message.satype:
        yield f"{message.policy.dir.label} {message.policy.type.label}"
    if message.address_src is not None and message.address_dst is not None:
        ends = (message.address_src, message.address_dst)
        yield printable(" > ".join(str(end.sockaddr.ip) for end in ends))
    if message.errno:
        yield message.dialect.errno_name(message.errno)
    if message.pid:
        yield f"by {message.pid}"
