"""Messages as plain Python data, ready for JSON: labels for terms, text for addresses, hexadecimal text for bytes.

Keys, and bytes that nobody knows the meaning of, are left out unless they are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeAlias

from ..spec.terms import Term
from .sockaddr import SocketAddress, ip_of
from .value import ExtensionValue, Secret, Value

if TYPE_CHECKING:
    from .message import Message

Plain: TypeAlias = "str | int | list[Plain] | dict[str, Plain]"

OTHERS = "other_extensions"
"""Where extensions of unknown type are listed."""


def message_dict(message: Message, show_keys: bool) -> dict[str, Plain]:
    """A message: header fields, then each extension under the name of its attribute.

    Extensions that the dialect repeats are a list, and so are those of unknown type, under `other_extensions`. The
    message that a PROMISC message carries is its `payload`. What is absent is left out.
    """
    found: dict[str, Plain] = {
        "type": message.type.label,
        "satype": message.satype.label,
        "errno": message.errno,
        "seq": message.seq,
        "pid": message.pid,
        "reserved": message.reserved,
    }
    lists: dict[str, list[Plain]] = {}
    for extension in message.extensions:
        told = value_dict(extension, show_keys)
        known = message.dialect.by_type.get(extension.exttype)
        name = OTHERS if extension.exttype.is_unknown else extension.exttype.name.lower()
        if name == OTHERS or (known is not None and known.repeats):
            found[name] = lists.setdefault(name, [])
            lists[name].append(told)
        else:
            found[name] = told
    if message.payload is not None:
        found["payload"] = message_dict(message.payload, show_keys)
    return found


def value_dict(value: Value, show_keys: bool) -> dict[str, Plain]:
    """The fields of a typed value by name; those of its socket address stand among the others."""
    found: dict[str, Plain] = {}
    for item in fields(value):
        part = getattr(value, item.name)
        if part is None or (item.name == "exttype" and isinstance(value, ExtensionValue)):
            continue
        if isinstance(part, Secret):
            if show_keys:
                found[item.name] = part.reveal().hex()
        elif item.name == "sockaddr":
            found |= _sockaddr(part, show_keys)
        elif item.metadata.get("hidden"):
            found |= _hidden(item.name, part, show_keys)
        elif item.metadata.get("address"):
            found[item.name] = str(ip_of(getattr(value, "family", 0), part) or part.hex())
        else:
            found[item.name] = _plain(part, item.metadata, show_keys)
    return found


def _sockaddr(value: SocketAddress, show_keys: bool) -> dict[str, Plain]:
    if value.ip is None:
        return {"family": value.family, "af": value.af} | _hidden("data", value.data, show_keys)
    return {
        "family": value.family,
        "ip": str(value.ip),
        "port": value.port,
        "scope": value.scope,
        "flowinfo": value.flowinfo,
    }


def _hidden(name: str, part: bytes, show_keys: bool) -> dict[str, Plain]:
    told: dict[str, Plain] = {f"{name}_length": len(part)}
    return told | {name: part.hex()} if show_keys else told


def _plain(part: Any, metadata: Mapping[str, bool], show_keys: bool) -> Plain:
    match part:
        case Term():
            return part.label
        case int():
            return part
        case str():
            return part.encode("utf-8", "backslashreplace").decode()
        case bytes():
            return part.rstrip(b"\0").decode("utf-8", "backslashreplace") if metadata.get("text") else part.hex()
        case tuple():
            return [_plain(row, metadata, show_keys) for row in part]
        case SocketAddress():
            return _sockaddr(part, show_keys)
        case Value():
            return value_dict(part, show_keys)
    return str(part)  # no value of a message, which encoding would refuse
