"""Golden messages, and what they tell of each extension, compared with the value it was decoded to.

The witnesses are numbers by C names, read back from the bytes by a program that shares no code with the library: `wire`
of every value has to tell the same numbers, and the typed tail the same addresses, texts, keys and lists.
"""

from __future__ import annotations

import json
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "golden"
OLD_NAMES = {"sadb_comb_reserved"}
"""illumos: the newer header's member of this name is half as wide; the golden files have the older one."""


def messages(dialect: str, byteorder: str) -> list[dict[str, Any]]:
    """All messages of a system."""
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{dialect}-{byteorder}.json").read_text(encoding="utf-8"))
    return found


def same_numbers(wire: SimpleNamespace, fields: dict[str, Any]) -> None:
    """Every member has the golden value, or is a hole that the C structure has no name for."""
    for name, number in vars(wire).items():
        if name in fields and name not in OLD_NAMES:
            told = number.hex() if isinstance(number, bytes) else list(number) if isinstance(number, tuple) else number
            assert (name, told) == (name, fields[name])
        elif name not in fields:
            assert name.endswith("_reserved")
            assert not any(number)


def same_extension(value: Any, golden: dict[str, Any], satypes: dict[Any, int]) -> None:
    """Size, numbers and tail of an extension are the golden ones."""
    assert value.size == golden["length"]
    if golden["struct"] != "sadb_ext":
        same_numbers(value.wire, golden["fields"])
    for name, told in golden["tail"].items():
        if name == "satypes":
            assert [satypes[item] for item in value.satypes] == told
        else:
            _TAILS[name](value, told, golden["tail"])


def _sockaddr(end: Any, told: dict[str, Any] | None) -> None:
    if told is None:
        assert end is None
        return
    assert (end.ip, end.port) == (ip_address(told["address"]), told["port"])
    assert (end.flowinfo, end.scope) == (told.get("flowinfo", 0), told.get("scope_id", 0))


def _key(value: Any, told: str, tail: dict[str, Any]) -> None:
    secret = value.reveal() + (value.extra.reveal() if value.extra else b"")
    assert secret.hex() == told + tail.get("salt", "") + tail.get("iv", "")


def _text(value: Any, told: str | None, tail: dict[str, Any]) -> None:
    if hasattr(value, "tag"):
        assert told is not None
        assert value.tag == told.encode() + b"\0"
    else:
        assert value.text == told


def _bitmaps(value: Any, told: dict[str, Any], tail: dict[str, Any]) -> None:
    assert value.sens_bitmap == tuple(told["sens"])
    assert value.integ_bitmap == tuple(told["integ"])


def _rows(values: tuple[Any, ...], rows: list[dict[str, Any]]) -> None:
    for value, row in zip(values, rows, strict=True):
        same_numbers(value.wire, row)


def _requests(value: Any, told: list[dict[str, Any]], tail: dict[str, Any]) -> None:
    for request, row in zip(value.requests, told, strict=True):
        same_numbers(request.wire, row["fields"])
        _sockaddr(request.src, row["src"])
        _sockaddr(request.dst, row["dst"])


def _ecombs(value: Any, told: list[dict[str, Any]], tail: dict[str, Any]) -> None:
    for combination, row in zip(value.combinations, told, strict=True):
        same_numbers(combination.wire, row["fields"])
        _rows(combination.algorithms, row["algdescs"])


def _data(value: Any, told: str, tail: dict[str, Any]) -> None:
    data: bytes = value.data
    assert data.hex().startswith(told)
    assert not any(data[len(told) // 2 :])
    assert len(data) - len(told) // 2 < 8


def _context(value: Any, told: str, tail: dict[str, Any]) -> None:
    assert value.context.hex() == told


def _counted_with_key(value: Any, told: str, tail: dict[str, Any]) -> None:
    assert "key" in tail


_TAILS: dict[str, Any] = {
    "sockaddr": lambda value, told, tail: _sockaddr(value.sockaddr, told),
    "local": lambda value, told, tail: _sockaddr(value.local, told),
    "remote": lambda value, told, tail: _sockaddr(value.remote, told),
    "key": _key,
    "salt": _counted_with_key,
    "iv": _counted_with_key,
    "text": _text,
    "bitmaps": _bitmaps,
    "combinations": lambda value, told, tail: _rows(value.combinations, told),
    "algorithms": lambda value, told, tail: _rows(value.algorithms, told),
    "stats": lambda value, told, tail: _rows(value.associations, told),
    "ecombs": _ecombs,
    "requests": _requests,
    "label": _context,
    "data": _data,
}
