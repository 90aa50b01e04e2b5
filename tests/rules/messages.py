"""Valid messages to start from, ways to spoil them, and a judge who wants to hear of the damage and nothing else.

The messages are the golden ones, which share no code with the library. A fault that typed fields can express is put
into them; others, such as reserved bits, are written into the bytes.
"""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Literal

import fastpfkey as pf
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.message import MessageView
from fastpfkey.wire.rules import RULES
from fastpfkey.wire.value import ExtensionValue

Way = Literal["to-engine", "from-engine"]

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "golden"
DIALECTS = ("rfc2367", "linux", "freebsd", "netbsd", "openbsd", "macos", "illumos")
ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


@cache
def golden_file(dialect: str, order: str) -> dict[str, dict[str, Any]]:
    """The golden messages of a system by name."""
    found = json.loads((FOLDER / f"{dialect}-{order}.json").read_text(encoding="utf-8"))
    return {item["name"]: item for item in found}


def golden(name: str, dialect: str = "rfc2367", order: Literal["little", "big"] = "little") -> MessageView:
    """One golden message, decoded."""
    (message,) = pf.decode(bytes.fromhex(golden_file(dialect, order)[name]["hex"]), dialect, order)
    return message


def way_of(name: str, dialect: str = "rfc2367") -> Way:
    """The direction that a golden message is well formed in."""
    way: Way = golden_file(dialect, "little")[name]["direction"]
    return way


def changed(message: pf.Message, exttype: Ext, **fields: Any) -> pf.Message:
    """The message with other values in the fields of one extension."""
    parts = [
        dataclasses.replace(part, **fields) if part.exttype == exttype else part  # type: ignore[type-var]
        for part in message.extensions
    ]
    return message.replace(extensions=parts)


def moved(message: pf.Message, exttype: Ext, **fields: Any) -> pf.Message:
    """The message with another address, port or flow information in one of its addresses."""
    address: Any = message.get(exttype)
    return changed(message, exttype, sockaddr=dataclasses.replace(address.sockaddr, **fields))


def lacking(message: pf.Message, *types: Ext) -> pf.Message:
    """The message without extensions of these types."""
    return message.replace(extensions=[part for part in message.extensions if part.exttype not in types])


def having(message: pf.Message, *extensions: ExtensionValue) -> pf.Message:
    """The message with these extensions in place of its own of the same types, or at its end."""
    added = {part.exttype: part for part in extensions}
    kept = [added.pop(part.exttype, part) for part in message.extensions]
    return message.replace(extensions=(*kept, *added.values()))


def written(message: MessageView, exttype: Ext | None, at: int, data: bytes) -> MessageView:
    """The message with these bytes in one extension, or in its header, `at` bytes from its start."""
    start = 0
    if exttype is not None:
        before = message.extensions[: [part.exttype for part in message.extensions].index(exttype)]
        start = 16 + sum(part.size or 0 for part in before)
    raw = bytearray(message.raw)
    raw[start + at : start + at + len(data)] = data
    (spoiled,) = pf.decode(raw, message.dialect, message.byteorder)
    return spoiled


def stretched(message: MessageView, exttype: Ext) -> MessageView:
    """The message with one extension that has a word of zeros at its end."""
    order = message.byteorder
    raw, position = bytearray(message.raw), 16
    for part in message.extensions:
        size = part.size or 0
        if part.exttype == exttype:
            raw[position : position + 2] = (size // 8 + 1).to_bytes(2, order)
            raw[position + size : position + size] = bytes(8)
        position += size
    raw[4:6] = (len(raw) // 8).to_bytes(2, order)
    (longer,) = pf.decode(raw, message.dialect, order)
    return longer


def told(message: pf.Message, way: Way) -> Counter[tuple[str, str]]:
    """Rules and levels of what is wrong with a message."""
    return Counter((item.rule, item.level) for item in pf.check(message, way))


def breaks_only(
    rule: str, spoiled: pf.Message, sound: pf.Message, way: Way = "to-engine", level: str = "error"
) -> pf.Violation:
    """What the rule says of the spoiled message and not of the sound one; nothing else but what it implies is new."""
    new = told(spoiled, way) - told(sound, way)
    implied = {name for item in RULES if item.id == rule for name in item.implies}
    assert new[rule, level] > 0, f"{rule} says nothing; there is {new or 'no complaint'}"
    assert {name for name, _ in new} <= {rule, *implied}
    said = {item.sentence for item in pf.check(sound, way)}
    return next(item for item in pf.check(spoiled, way) if item.rule == rule and item.sentence not in said)
