"""What ``setkey -DP`` prints of a policy: the columns it needs and the template of its lines."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..columns.requests import REQUESTS, RequestTable
from ..spec.model import Dialect, Take
from ..spec.tables import Column
from ..spec.template import (
    Part,
    Template,
    address,
    alike,
    date,
    decimal,
    different,
    each,
    joined,
    literal,
    lookup,
    rest,
    string,
    template,
    unless,
    when,
    within,
)
from ..spec.terms import Direction, PolicyType
from ..spec.terms import ExtensionType as Ext
from .look import Look
from .parts import CONTEXT, HEADER, columns_of, context, ends, field, has, lacks, lifetime, numeric, taken
from .words import DIRECTIONS, GRE, LEVELS, MODES, POLICIES, PROTOCOLS, SCOPES

PRIORITIES = (
    ("high", 0x40000000, 1, 0x60000000),
    ("def", 0x80000000, 0x60000000, 0xA0000000),
    ("low", 0xC0000000, 0xA0000000, 1 << 32),
)
"""Name, middle, first and end of each range of priorities."""

UNIQUE_BY_HAND = 0x3FFF
"""The largest request id that people may choose."""

TABLE = columns_of(
    "setkey -DP",
    *HEADER,
    field("policy", "u2", Ext.POLICY, "type"),
    field("dir", "u1", Ext.POLICY, "dir"),
    field("scope", "u1", Ext.POLICY, "scope"),
    field("id", "u4", Ext.POLICY, "id"),
    field("priority", "u4", Ext.POLICY, "priority"),
    field("tag_length", "u2", Ext.TAG, "taglen"),
    taken("tag_offset", "u8", Ext.TAG, Take.TAIL_OFFSET),
    *CONTEXT,
    *(
        pair
        for name, extension in (("src", Ext.ADDRESS_SRC), ("dst", Ext.ADDRESS_DST))
        for pair in (
            *ends(name, extension),
            field(f"{name}_prefixlen", "u1", extension, "prefixlen"),
            field(f"{name}_proto", "u1", extension, "proto"),
        )
    ),
    *lifetime("current", Ext.LIFETIME_CURRENT),
    *lifetime("hard", Ext.LIFETIME_HARD),
)

REQUEST_COLUMNS = tuple(replace(column, name=f"request_{column.name}") for column in REQUESTS.columns)
"""Those of `columns.requests`."""

COLUMNS = (
    *TABLE.columns,
    Column("flaw", "u1", "what is wrong with the policy, a key of FLAWS"),
    Column("socket", "u1", "1 if the policy belongs to a socket"),
    Column("requests", "u8", "row of the first request, and behind the last policy the number of all"),
    *REQUEST_COLUMNS,
)
"""What the template is for: the columns of `TABLE`, what is found out about each policy, and the requests."""

FLAWS = {
    1: "Invalid direction",
    2: "Invalid policy",
    3: "Invalid ipsec protocol",
    4: "Invalid ipsec mode",
    5: "Invalid ipsec level",
}
"""What the library behind setkey says instead of a policy that it has no words for; only the fourth was recorded."""

GOOD = (frozenset(PROTOCOLS), frozenset(MODES), frozenset(LEVELS))
"""Numbers in requests that have words, for flaws from 3 on."""


def policy(dialect: Dialect, look: Look) -> Template:
    """The template of a policy's lines, for `COLUMNS`."""
    entries = dialect.terms["message"].entries
    kinds = [entries[name][0] for name in ("SADB_X_SPDDUMP", "SADB_X_SPDGET") if name in entries]
    body = tuple(_policy(look))
    return template(COLUMNS, [when("errno", 0, *(when("type", kind, *body) for kind in kinds))], look.zones)


def owned_by_sockets(dialect: Dialect, numbers: Iterable[int]) -> bytes:
    """For each policy, by its number, whether it belongs to a socket: Linux alone keeps such apart, 3 to 7 modulo 8."""
    if Direction.FWD not in dialect.terms["direction"].numbers:
        return bytes(len(tuple(numbers)))
    return bytes(number & 7 >= 3 for number in numbers)


def flaws(kinds: Iterable[int], directions: Iterable[int], requests: RequestTable, offsets: Sequence[int]) -> bytes:
    """For each policy what is wrong with it, a key of FLAWS, or 0."""
    found = bytearray(0 if kind in POLICIES else 2 for kind in kinds)
    for row, direction in enumerate(directions):
        if direction not in DIRECTIONS:
            found[row] = 1
    for flaw, (name, good) in enumerate(zip(("proto", "mode", "level"), GOOD, strict=True), start=3):
        numbers = requests[name].tolist()
        bad = set(numbers) - good
        if bad:
            for row, number in enumerate(numbers):
                owner = bisect.bisect_right(offsets, row) - 1
                if number in bad and not found[owner]:
                    found[owner] = flaw
    return bytes(found)


def _policy(look: Look) -> Iterator[Part]:
    selector = (
        has(Ext.ADDRESS_SRC, has(Ext.ADDRESS_DST, *_selector(look)), lacks(Ext.ADDRESS_DST, *_none(look))),
        lacks(Ext.ADDRESS_SRC, *_none(look)),
    )
    yield when("socket", 0, *selector)
    if look.sockets:
        yield unless("socket", 0, literal("(per-socket policy) \n"), *_content(look))


def _selector(look: Look) -> Iterator[Part]:
    """What the policy is for, and the policy."""
    for name in ("src", "dst"):
        yield from numeric(name, look)
        for family, bits in ((4, 32), (6, 128)):
            prefix = unless(f"{name}_prefixlen", bits, literal("/"), decimal(f"{name}_prefixlen"))
            yield when(f"{name}_family", family, prefix)
        yield _unless_any("src_proto", look.variant.portless, *_port(f"{name}_port"))
        yield literal(" ")
    yield different("src_proto", "dst_proto", literal("upper layer protocol mismatched.\n"))
    yield alike("src_proto", "dst_proto", *_upper(look), literal("\n"), *_content(look))


def _unless_any(column: str, numbers: Iterable[int], *body: Part) -> Part:
    for number in sorted(numbers):
        body = (unless(column, number, *body),)
    return body[0] if len(body) == 1 else unless(column, -1, *body)


def _port(column: str) -> tuple[Part, ...]:
    return when(column, 0, literal("[any]")), unless(column, 0, literal("["), decimal(column), literal("]"))


def _upper(look: Look) -> Iterator[Part]:
    """The protocol, and what stands in the ports if it has none."""
    yield lookup("src_proto", {**look.protocols, **look.variant.upper})
    pair = (literal(" "), decimal("src_port"), literal(","), decimal("dst_port"))
    key = (literal(" "), joined("src_port", 16, "dst_port"))
    for number in sorted(look.variant.portless):
        shown = key if number == GRE else pair
        yield when("src_proto", number, *_where_either("src_port", "dst_port", shown))


def _where_either(first: str, second: str, body: tuple[Part, ...]) -> tuple[Part, ...]:
    return unless(first, 0, *body), when(first, 0, unless(second, 0, *body))


def _none(look: Look) -> Iterator[Part]:
    """What stands instead of a selector, and the policy."""
    yield has(Ext.TAG, literal('tagged "'), string("tag_offset", "tag_length"), literal('" '))
    yield lacks(Ext.TAG, literal("(no selector, probably per-socket policy) "))
    yield literal("\n")
    yield from _content(look)


def _content(look: Look) -> Iterator[Part]:
    """Everything behind the first line."""
    yield lacks(Ext.POLICY, literal("no X_POLICY extension.\n"))
    yield has(Ext.POLICY, *_lines(look))


def _lines(look: Look) -> Iterator[Part]:
    flaw = literal("(null)") if look.variant.freebsd else lookup("flaw", {n: f"Policy:[{t}]" for n, t in FLAWS.items()})
    yield literal("\t")
    yield unless("flaw", 0, flaw, literal("\n"))
    yield when("flaw", 0, *_protection(look))
    moments = (literal("\tcreated: "), date("current_addtime"), literal("  lastused: "), date("current_usetime"))
    yield has(Ext.LIFETIME_CURRENT, *moments, literal("\n"))
    limits = (literal("\tlifetime: "), decimal("hard_addtime"), literal("(s) validtime: "), decimal("hard_usetime"))
    yield has(Ext.LIFETIME_HARD, *limits, literal("(s)\n"))
    yield from context(look)
    yield from (literal("\tspid="), decimal("id"), literal(" seq="), decimal("seq"))
    yield from (literal(" pid="), look.process("pid"))
    if look.variant.freebsd:
        yield from (literal(" scope="), lookup("scope", SCOPES), literal(" "))
        # The number of the interface stands where other systems have the priority.
        yield when("scope", 2, literal("ifname="), lookup("priority", look.interfaces))
    yield from (literal("\n\trefcnt="), decimal("refcnt"), literal("\n"))


def _protection(look: Look) -> Iterator[Part]:
    yield lookup("dir", DIRECTIONS)
    if not look.variant.freebsd:
        for name, middle, first, end in PRIORITIES:
            yield within("priority", first, end - first, literal(f" prio {name}"))
            yield within("priority", first, middle - first, literal(" + "), rest(middle, "priority"))
            above = (literal(" - "), decimal("priority", less=middle))
            yield within("priority", middle + 1, end - middle - 1, *above)
    yield from (literal(" "), lookup("policy", POLICIES), literal("\n"))
    yield when("policy", PolicyType.IPSEC, each("requests", *_request(look)))


def _request(look: Look) -> Iterator[Part]:
    yield from (literal("\t"), lookup("request_proto", PROTOCOLS), literal("/"), lookup("request_mode", MODES))
    yield literal("/")
    for name, before in (("request_src", ""), ("request_dst", "-")):
        port = (literal("["), decimal(f"{name}_port"), literal("]")) if look.ports else ()
        end = address(name, f"{name}_family", "unknown-af")
        yield unless(f"{name}_family", 0, literal(before), end, *port)
    yield from (literal("/"), lookup("request_level", LEVELS))
    by_hand = (literal(":"), decimal("request_reqid"))
    by_kernel = (literal("#"), decimal("request_reqid"))
    yield within("request_reqid", 1, UNIQUE_BY_HAND, *by_hand)
    yield within("request_reqid", UNIQUE_BY_HAND + 1, (1 << 32) - 1 - UNIQUE_BY_HAND, *by_kernel)
    yield literal("\n")
