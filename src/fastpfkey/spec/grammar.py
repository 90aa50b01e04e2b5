"""The grammar of PF_KEY messages: which extensions a message of one direction needs, takes or leaves out.

Every system has a table of its own in a module beside this one, written as people would write it down. A line is

    message  way  SA types  requirement  extensions

where the way is `>` to the engine or `<` from it. `SRC` is needed, `[PROXY]` may be there, `HARD|SOFT` is exactly one
of them, `SUPPORTED_AUTH/SUPPORTED_ENCRYPT` at least one, and `-` none at all. `SA*` is an association of which nothing
but the SPI counts (RFC 2367, 3.1). `KEYS` are the keys that the association's algorithms call for; `[KEYS]` may be left
out. `only` behind them says that the engine refuses what is not listed; elsewhere `Grammar.strays` tells. Names in
lower case are groups, defined by lines `name = extensions`. A line that begins with a plus sign goes on with the one
before it. SA types are a list, `sa` for all that associations can have, `any` for these and UNSPEC, or `*` where nobody
looks at them.

Where a kernel differs from the RFC its table follows the kernel.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Literal

from . import DIALECTS
from .grammar_keys import RFC2367_KEYS, KeyTables
from .model import Dialect
from .terms import Direction, EncryptAlgorithm, ExtensionType, Mode, PolicyType, SAState, SAType
from .terms import MessageType as Msg

Severity = Literal["error", "warning"]

KEY_TYPES = (ExtensionType.KEY_AUTH, ExtensionType.KEY_ENCRYPT)

LIMIT_TYPES = frozenset({ExtensionType.LIFETIME_HARD, ExtensionType.LIFETIME_SOFT})

_SHORT = {
    "SRC": "ADDRESS_SRC",
    "DST": "ADDRESS_DST",
    "PROXY": "ADDRESS_PROXY",
    "CURRENT": "LIFETIME_CURRENT",
    "HARD": "LIFETIME_HARD",
    "SOFT": "LIFETIME_SOFT",
}
"""Names in the tables that are shorter than those of the terms."""


@dataclass(frozen=True)
class Form:
    """What one kind of message may look like in one direction."""

    type: Msg
    to_engine: bool
    satypes: frozenset[SAType] | None
    """None where nobody looks at the SA type, or any but UNSPEC will do: see `needs_satype`."""
    needs_satype: bool
    rule: str
    """Requirement that the line states, or X-layout where RFC 2367 has none."""
    required: tuple[ExtensionType, ...] = ()
    optional: frozenset[ExtensionType] = frozenset()
    one_of: tuple[tuple[ExtensionType, ...], ...] = ()
    """Of each of these exactly one."""
    some_of: tuple[tuple[ExtensionType, ...], ...] = ()
    """Of each of these at least one."""
    spi_only: bool = False
    """Whether the association is SA(*)."""
    keys: Literal["none", "optional", "needed"] = "none"
    only: bool = False
    """Whether what is not listed is refused."""

    @cached_property
    def known(self) -> frozenset[ExtensionType]:
        """All extensions that the line lists."""
        choices = [item for group in (*self.one_of, *self.some_of) for item in group]
        keys = KEY_TYPES if self.keys != "none" else ()
        return self.optional.union(self.required, choices, keys)

    @property
    def bare(self) -> bool:
        """Whether the message is a base header and nothing else."""
        return not self.known


@dataclass(frozen=True)
class Requests:
    """What a kernel takes for the requests of a policy."""

    modes: frozenset[Mode] = frozenset({Mode.TRANSPORT, Mode.TUNNEL})
    most: int = 0
    """Largest number of requests; 0: no limit is known."""
    needed: bool = False
    """Whether a policy of type IPSEC has to have one."""
    any_level: bool = False
    """Whether an unknown level passes for `require`."""
    strict_tunnels: bool = False
    """Whether a tunnel of an outbound policy may not be at level `use`."""
    protocols: frozenset[int] = frozenset({50, 51, 108})
    """IP protocols: ESP, AH, IPComp."""


@dataclass(frozen=True)
class Grammar:
    """The table of a dialect, and what else its kernel makes of a message's values."""

    name: str
    forms: tuple[Form, ...]
    strays: Severity = "warning"
    """What an extension is that the engine knows but that has no place in the request: refused, or ignored."""
    strays_from_engine: Severity = "warning"
    closed: bool = True
    """Whether messages without a line do not exist."""
    errors_with_body: frozenset[Msg] | None = frozenset()
    """Messages that may report an error and still carry extensions, as echoes do; None: all of them."""
    states: frozenset[SAState] = frozenset({SAState.MATURE})
    """States that an UPDATE may submit."""
    keys: KeyTables = RFC2367_KEYS
    """Key lengths by algorithm."""
    unsettable: frozenset[EncryptAlgorithm] = frozenset()
    """Encryption that the dialect has a number for, but no way to set up an association with."""
    null_bits: bool = False
    """Whether NULL algorithms have keys, bounds and announcements of 0 bits."""
    null_needs_key: bool = False
    """Whether ESP needs a key extension for NULL encryption too, if an empty one."""
    ports: Literal["never", "with NAT-T", "always"] = "never"
    """When the addresses of an association may have ports."""
    limits_together: bool = False
    """Whether an association has hard and soft lifetime both or neither."""
    soft_above_hard: Severity = "warning"
    lowest_spi: Severity = "warning"
    """What an SPI below 256 is in AH and ESP, which IANA reserves."""
    natt_types: frozenset[int] = frozenset()
    """UDP encapsulations that the kernel knows; empty: it has no such extension."""
    largest_window: int = 0
    """Packets of the largest replay window that the kernel has; 0: no limit is known."""
    larger_windows: Severity = "error"
    """What a larger window is: refused, or cut down to the largest."""
    largest_reqid: int = 0xFFFFFFFF
    """Of an association's request id the kernel keeps no more bits than this number has."""
    modes: frozenset[Mode] = frozenset(Mode)
    policy_types: frozenset[PolicyType] = frozenset(PolicyType)
    directions: frozenset[Direction] = frozenset(Direction)
    requests: Requests = Requests()
    host_prefixes: bool = True
    """Whether the address of one host comes with all its bits as prefix length, instead of 0."""
    largest_message: int = 0
    """Bytes of the largest message that the kernel takes; 0: no limit is known."""
    combinations: int = 0
    """How many combinations the proposals of the kernel's ACQUIREs have; 0: any number."""
    zero_keys: bool = True
    """Whether all bits of a key may be zero."""
    unspecified_family: frozenset[SAType] = frozenset()
    """SA types whose addresses may be of no family."""

    @cached_property
    def _by_message(self) -> Mapping[tuple[Msg, bool], tuple[Form, ...]]:
        found: dict[tuple[Msg, bool], tuple[Form, ...]] = {}
        for form in self.forms:
            key = (form.type, form.to_engine)
            found[key] = (*found.get(key, ()), form)
        return MappingProxyType(found)

    def demanded(
        self,
        present: Set[ExtensionType] = frozenset(),
        satype: SAType = SAType.UNSPEC,
        encrypt: int = EncryptAlgorithm.NONE,
    ) -> frozenset[ExtensionType]:
        """What an association that is submitted with these extensions needs beside them, though it be empty.

        A lifetime without limits, where both are taken or neither; a key of no bits for NULL.
        """
        wanted = LIMIT_TYPES if self.limits_together and not LIMIT_TYPES.isdisjoint(present) else frozenset()
        if self.null_needs_key and satype is SAType.ESP and encrypt == EncryptAlgorithm.NULL:
            wanted |= {ExtensionType.KEY_ENCRYPT}
        return wanted - present

    def form(self, type: Msg, to_engine: bool, bare: bool) -> Form | None:
        """The line for a message; None if there is none. A message without extensions takes a bare line before others.

        Where several lines differ otherwise, the first is meant.
        """
        forms = self._by_message.get((type, to_engine), ())
        return next((form for form in forms if form.bare == bare), forms[0] if forms else None)


def forms(table: str, associations: frozenset[SAType] | None) -> tuple[Form, ...]:
    """Reads a table in the notation above. `associations` is what `sa` stands for, None for any but UNSPEC.

    Raises ValueError for a line that cannot be read.
    """
    groups: dict[str, str] = {}
    found = []
    for line in _lines(table):
        if match := re.fullmatch(r"(?P<name>[a-z]\w*)\s*=\s*(?P<items>.+)", line):
            groups[match["name"]] = _expanded(match["items"], groups)
            continue
        match = re.fullmatch(r"(?P<type>\w+)\s+(?P<way>[<>])\s+(?P<satypes>\S+)\s+(?P<rule>\S+)\s+(?P<items>.+)", line)
        if match is None:
            raise ValueError(f"no line of a grammar: {line}")
        form = _form(Msg[match["type"]], match["way"] == ">", match["rule"], _expanded(match["items"], groups))
        found.append(_with_satypes(form, match["satypes"], associations))
    return tuple(found)


def _lines(table: str) -> Iterator[str]:
    """The lines of a table; one that begins with a plus sign goes on with the line before it."""
    whole = ""
    for line in filter(str.strip, table.splitlines()):
        if whole and line.lstrip().startswith("+ "):
            whole += " " + line.lstrip().removeprefix("+ ")
            continue
        if whole:
            yield whole
        whole = line.strip()
    if whole:
        yield whole


def _expanded(items: str, groups: Mapping[str, str]) -> str:
    """The items with groups replaced by what they stand for; `[group]` makes all of it optional."""
    words = []
    for word in items.split():
        optional = word.startswith("[")
        if word == "only" or word.strip("[]") not in groups:
            words.append(word)
            continue
        for item in groups[word.strip("[]")].split():
            words.append(f"[{item.strip('[]')}]" if optional else item)
    return " ".join(words)


def _form(type: Msg, to_engine: bool, rule: str, items: str) -> Form:
    form = Form(type, to_engine, None, False, rule)
    for word in items.split():
        name = word.strip("[]*")
        if word == "only":
            form = replace(form, only=True)
        elif name == "KEYS":
            form = replace(form, keys="optional" if word.startswith("[") else "needed")
        elif "|" in name:
            form = replace(form, one_of=(*form.one_of, tuple(map(_extension, name.split("|")))))
        elif "/" in name:
            form = replace(form, some_of=(*form.some_of, tuple(map(_extension, name.split("/")))))
        elif word.startswith("["):
            form = replace(form, optional=form.optional | {_extension(name)})
        elif word != "-":
            form = replace(form, required=(*form.required, _extension(name)))
        if word.strip("[]").endswith("*"):
            form = replace(form, spi_only=True)
    return form


def _extension(name: str) -> ExtensionType:
    return ExtensionType[_SHORT.get(name, name)]


def _with_satypes(form: Form, satypes: str, associations: frozenset[SAType] | None) -> Form:
    if satypes == "*":
        return form
    if satypes == "sa":
        return replace(form, satypes=associations, needs_satype=True)
    if satypes == "any":
        return replace(form, satypes=None if associations is None else associations | {SAType.UNSPEC})
    named = frozenset(SAType[name] for name in satypes.split(",") if name != "sa")
    if "sa" in satypes.split(","):
        named |= associations or frozenset()
    return replace(form, satypes=named, needs_satype=SAType.UNSPEC not in named)


@cache
def grammar(dialect: Dialect) -> Grammar:
    """The grammar of a dialect.

    One that is none of the systems has the RFC's, in which further messages are nobody's business.
    """
    known = dialect.name in DIALECTS
    found: Grammar = importlib.import_module(f".grammar_{dialect.name if known else 'rfc2367'}", __package__).GRAMMAR
    return found if known else replace(found, closed=False)
