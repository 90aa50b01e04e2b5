"""Golden messages that are well formed on their way to or from the engine, and how tests change them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.spec import DIALECTS
from fastpfkey.spec.grammar import Form, Grammar, grammar
from fastpfkey.wire.message import Message, MessageView
from fastpfkey.wire.rules import RULES
from fastpfkey.wire.rules.framing import GROUPS

FOLDER = Path(__file__).resolve().parents[2] / "vectors" / "golden"
Ext = pf.ExtensionType
Msg = pf.MessageType


@dataclass(frozen=True)
class Case:
    """A golden message with its way."""

    dialect: str
    byteorder: Any
    name: str
    direction: Any
    message: MessageView

    def __repr__(self) -> str:
        return f"{self.dialect}-{self.byteorder}:{self.name}"

    @property
    def to_engine(self) -> bool:
        return bool(self.direction == "to-engine")

    @property
    def grammar(self) -> Grammar:
        return grammar(self.message.dialect)

    @property
    def form(self) -> Form:
        found = self.grammar.form(self.message.type, self.to_engine, not self.message.extensions)
        assert found is not None
        return found

    def has(self, *types: Ext) -> bool:
        return all(self.message.get(item) is not None for item in types)

    def knows(self, exttype: Ext) -> bool:
        return exttype in self.message.dialect.by_type

    @property
    def is_reply_to_error(self) -> bool:
        return not self.to_engine and self.message.errno != 0

    @property
    def submits(self) -> bool:
        """Whether it is an ADD, or an UPDATE with keys."""
        types = (Msg.ADD, Msg.UPDATE)
        keyed = self.form.keys == "needed" or self.has(Ext.KEY_AUTH) or self.has(Ext.KEY_ENCRYPT)
        return self.to_engine and self.message.type in types and keyed


def _cases() -> Iterable[Case]:
    for dialect in DIALECTS:
        for byteorder in ("little", "big"):
            for item in json.loads((FOLDER / f"{dialect}-{byteorder}.json").read_text(encoding="utf-8")):
                if item["direction"] is not None:
                    (message,) = pf.decode(bytes.fromhex(item["hex"]), dialect, byteorder)  # type: ignore[arg-type]
                    yield Case(dialect, byteorder, item["name"], item["direction"], message)


CASES = tuple(_cases())

few = settings(max_examples=30)
"""Enough for a mutation that has few ways, of which there are many."""

Change = Callable[[Case], "st.SearchStrategy[Message] | None"]
"""Ways to break a message, or None for a message that cannot be broken so."""


@dataclass(frozen=True)
class Mutation:
    """Something that breaks one rule."""

    rule: str
    change: Change
    level: str | None
    """Level of what `check` says of it; None where that depends on the dialect."""

    @property
    def id(self) -> str:
        return f"{self.rule}-{self.change.__name__}"


def mutation(rule: str, level: str | None = "error") -> Callable[[Change], Mutation]:
    return lambda change: Mutation(rule, change, level)


def parameters(names: dict[str, Any]) -> list[Any]:
    """The mutations of a module, for parametrization."""
    return [pytest.param(item, id=item.id) for item in names.values() if isinstance(item, Mutation)]


@cache
def _applicable(change: Change) -> tuple[Case, ...]:
    return tuple(case for case in CASES if not case.is_reply_to_error and change(case) is not None)


def implied(rule: str) -> frozenset[str]:
    """A rule and all that it implies."""
    return frozenset({rule}).union(*(item.implies for item in RULES if item.id == rule))


def assert_breaks(broken: Mutation, data: st.DataObject) -> None:
    """A mutation makes its rule fire, at its level, and no other but those that the rule implies."""
    case = data.draw(st.sampled_from(_applicable(broken.change)), label="case")
    ways = broken.change(case)
    assert ways is not None
    mutated = data.draw(ways, label="mutated")
    before = {item.rule for item in pf.check(case.message, case.direction)}
    after = pf.check(mutated, case.direction)
    new = {item.rule for item in after} - before
    assert broken.rule in new
    assert new <= implied(broken.rule)
    levels = {item.level for item in after if item.rule == broken.rule}
    assert broken.level is None or levels == {broken.level}


def edit(message: Message, exttype: Ext, **fields: Any) -> Message:
    """The message with other fields in the extension of this type."""
    return message.replace(
        extensions=tuple(replace(item, **fields) if item.exttype == exttype else item for item in message.extensions)
    )


def drop(message: Message, *types: Ext) -> Message:
    """The message without extensions of these types."""
    return message.replace(extensions=tuple(item for item in message.extensions if item.exttype not in types))


def put(message: Message, value: Any) -> Message:
    """The message with this extension, in place of another of its type or where its group belongs."""
    rest = [item for item in message.extensions if item.exttype != value.exttype]
    group = GROUPS.get(value.exttype, len(GROUPS))
    place = next((i for i, item in enumerate(rest) if GROUPS.get(item.exttype, 0) > group), len(rest))
    return message.replace(extensions=(*rest[:place], value, *rest[place:]))


def spans(case: Case) -> Iterable[tuple[Any, int, int]]:
    """Each extension of a golden message with its place in the bytes."""
    position = 16
    for item in case.message.extensions:
        assert item.size is not None
        yield item, position, position + item.size
        position += item.size


def again(case: Case, raw: bytes) -> Message:
    """The changed bytes of a golden message, decoded."""
    (message,) = pf.decode(raw, case.dialect, case.byteorder)
    return message


def overwrite(case: Case, place: int, data: bytes) -> Message:
    """The message with other bytes at a place."""
    raw = case.message.raw
    return again(case, raw[:place] + data + raw[place + len(data) :])


def stretch(case: Case, start: int, end: int) -> Message:
    """The message with another word at the end of an extension."""
    raw = bytearray(case.message.raw)
    raw[end:end] = bytes(8)
    for place, words in ((4, len(raw) // 8), (start, (end + 8 - start) // 8)):
        raw[place : place + 2] = words.to_bytes(2, case.byteorder)
    return again(case, bytes(raw))


def one_of(ways: Iterable[Message]) -> st.SearchStrategy[Message] | None:
    """Any of these messages, by its number, because not all can be hashed; None if there are none."""
    found = list(ways)
    return st.integers(0, len(found) - 1).map(found.__getitem__) if found else None
