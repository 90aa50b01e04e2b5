"""Every fact of every golden message, in every other dialect: carried over, or listed as dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.spec import DIALECTS
from fastpfkey.spec.terms import Mode
from fastpfkey.wire.message import Message

from . import golden

SA_FIELDS = ("spi", "state", "auth", "encrypt")
LIFETIME_FIELDS = ("allocations", "bytes", "addtime", "usetime")
PAIRS = [(source, target) for source in DIALECTS for target in DIALECTS if source != target]

Fact = tuple[Callable[[Message], object], tuple[str, ...]]
"""How a message tells a fact, and the names under which it may be listed as dropped."""


def part(attribute: str, *path: str) -> Callable[[Message], object]:
    """A field of an extension, None without the extension."""

    def told(message: Message) -> object:
        found: Any = getattr(message, attribute)
        for name in path:
            found = None if found is None else getattr(found, name)
        return found

    return told


def key(attribute: str) -> Callable[[Message], object]:
    """A key and its salt, wherever that stands."""

    def told(message: Message) -> object:
        found = getattr(message, attribute)
        if found is None:
            return None
        return found.reveal() + (found.extra.reveal() if found.extra is not None else b"")

    return told


def proto(end: str) -> Callable[[Message], object]:
    """A protocol that selects something."""

    def told(message: Message) -> object:
        found = getattr(message, f"address_{end}")
        return None if found is None or found.proto in (0, 255) else found.proto

    return told


def prefixlen(end: str) -> Callable[[Message], object]:
    """A prefix that is not one host."""

    def told(message: Message) -> object:
        found = getattr(message, f"address_{end}")
        return None if found is None or found.prefixlen in (0, {4: 32, 6: 128}.get(found.family)) else found.prefixlen

    return told


def original(message: Message) -> object:
    """The peer's address behind its NAT, if it is another than the one it is seen with."""
    found, dst = message.natt_oa, message.address_dst
    return None if found is None or (dst is not None and found.ip == dst.ip) else found.ip


def tunnel(message: Message) -> object:
    return message.mode if message.mode is Mode.TUNNEL else None


FACTS: dict[str, Fact] = {
    "errno": (lambda message: message.dialect.errno_name(message.errno) if message.errno else None, ("errno",)),
    **{f"sa.{name}": (part("sa", name), (f"sa.{name}",)) for name in SA_FIELDS},
    "replay": (lambda message: message.replay, ("sa.replay", "sa-replay")),
    "mode": (tunnel, ("mode", "sa2")),
    "reqid": (part("sa2", "reqid"), ("sa2", "sa2.reqid")),
    "natt type": (part("natt_type", "type"), ("natt-type",)),
    "natt source": (part("natt_sport", "port"), ("natt-sport",)),
    "natt destination": (part("natt_dport", "port"), ("natt-dport",)),
    "natt original": (original, ("natt-oa",)),
    **{f"key {name}": (key(f"key_{name}"), (f"key-{name}",)) for name in ("auth", "encrypt")},
}
for end in ("src", "dst", "proxy"):
    whole = f"address-{end}"
    FACTS[f"{end} address"] = part(f"address_{end}", "ip"), (whole,)
    FACTS[f"{end} port"] = part(f"address_{end}", "port"), (whole, f"{whole}.sockaddr")
    FACTS[f"{end} scope"] = part(f"address_{end}", "scope"), (whole, f"{whole}.sockaddr")
    FACTS[f"{end} proto"] = proto(end), (whole, f"{whole}.proto")
    FACTS[f"{end} prefix"] = prefixlen(end), (whole, f"{whole}.prefixlen")
for kind in ("current", "hard", "soft"):
    for name in LIFETIME_FIELDS:
        FACTS[f"{kind} {name}"] = part(f"lifetime_{kind}", name), (f"lifetime-{kind}",)
for end in ("src", "dst"):
    for name in ("type", "id", "text", "sockaddr"):
        whole = f"identity-{end}"
        FACTS[f"{end} identity {name}"] = part(f"identity_{end}", name), (whole, f"{whole}.{name}")
for name in ("type", "dir", "id", "priority", "scope", "flags", "requests"):
    FACTS[f"policy {name}"] = part("policy", name), ("policy", f"policy.{name}")


def listed(names: tuple[str, ...], dropped: tuple[str, ...]) -> bool:
    """Whether one of the names, or part of it, is among what was dropped."""
    return any(item == name or item.startswith((f"{name}.", f"{name}[")) for item in dropped for name in names)


def translated(source: str, target: str) -> list[tuple[Message, pf.Translation]]:
    """Golden messages that the target has the type of, before and after."""
    found = []
    for item in golden.messages(source, "big"):
        (message,) = pf.decode(bytes.fromhex(item["hex"]), source, "big")
        try:
            found.append((message, message.translate(target, lossy=True)))
        except pf.TranslationError:
            continue
    return found


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_nothing_is_lost_silently(source: str, target: str) -> None:
    restates = {source, target} >= {"openbsd"} and not {source, target} & {"rfc2367", "illumos"}
    met: set[str] = set()
    for before, after in translated(source, target):
        if restates and (before.policy is not None or before.flow_type is not None):
            continue  # policies and flows have tests of their own
        (again,) = pf.decode(after.message.encode(byteorder="big"), target, "big")
        for name, (told, names) in FACTS.items():
            wanted = told(before)
            if wanted and told(again) != wanted:
                assert listed(names, after.dropped), f"{name} of {before}: {after.dropped}"
            elif wanted:
                met.add(name)
    assert {"sa.spi", "replay", "src address", "dst address", "key auth", "hard addtime", "src identity text"} <= met


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_what_is_carried_is_not_listed(source: str, target: str) -> None:
    """A list of losses that names what arrived would hide the real ones."""
    for before, after in translated(source, target):
        for name in ("src address", "dst address", "sa.spi", "hard addtime"):
            told, names = FACTS[name]
            if told(before) and told(after.message) == told(before):
                assert not set(names) & set(after.dropped)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_back_again(source: str, target: str) -> None:
    """What was translated without a loss comes back as it was: the same facts."""
    for before, after in translated(source, target):
        if after.dropped or before.policy is not None or before.flow_type is not None:
            continue
        back = after.message.translate(source, lossy=True).message
        for name, (told, _) in FACTS.items():
            if told(before):
                assert (name, told(back)) == (name, told(before))
