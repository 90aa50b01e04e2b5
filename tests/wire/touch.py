"""Everything that can be asked of a message, for tests that throw bytes at it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import fastpfkey as pf
from fastpfkey.wire.extensions import Key
from fastpfkey.wire.message import MessageView

HEADER = ("version", "type", "satype", "errno", "seq", "pid", "reserved", "length", "offset", "raw", "wire")


def touch(message: MessageView) -> list[str]:
    """Ask for each attribute, each text and the encoding; give back the texts.

    Only WireError may come out of reading, and only EncodeError of writing.
    """
    for name in HEADER:
        getattr(message, name)
    texts = [repr(message), str(message), f"{message}"]
    with contextlib.suppress(pf.WireError):
        for exttype in pf.ExtensionType:
            message.get(exttype)
    try:
        extensions, inner = message.extensions, message.payload
    except pf.WireError:
        return texts
    if inner is not None:
        texts += touch(inner)
    for extension in extensions:
        _touch_value(extension, texts)
    try:
        texts.append(json.dumps(message.to_dict()))
    except pf.WireError:
        assert inner is not None
        return texts
    json.dumps(message.to_dict(show_keys=True))
    copied = message.replace()
    assert copied == message
    assert hash(copied) == hash(message)
    with contextlib.suppress(pf.EncodeError):
        raw = message.encode()
        (again,) = pf.decode(raw, message.dialect, message.byteorder)
        assert again.encode() == raw
    return texts


def secrets(message: MessageView) -> list[bytes]:
    """The keys of a message that are long enough not to turn up anywhere by chance."""
    found: list[Any] = [item for item in message.extensions if isinstance(item, Key)]
    return [item.reveal() for item in found if len(set(item.reveal())) > 6]


def _touch_value(value: Any, texts: list[str]) -> None:
    texts += [repr(value), str(value), repr(value.wire)]
    assert value.size is None or value.size > 0
    for name, part, _ in value.items():
        getattr(value, name, None)
        for row in part if isinstance(part, tuple) else ():
            if hasattr(row, "items"):
                texts += [repr(row), repr(row.wire)]
