"""What ``setkey -D`` prints of an association: the columns it needs and the template of its lines."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.model import Dialect, Take
from ..spec.template import (
    Part,
    Template,
    date,
    decimal,
    hexadecimal,
    literal,
    lookup,
    octets,
    rest,
    rounded,
    shifted,
    string,
    template,
    unless,
    when,
)
from ..spec.terms import ExtensionType as Ext
from .look import Look
from .parts import CONTEXT, HEADER, columns_of, context, ends, field, has, lacks, lifetime, numeric, taken
from .words import DEAD, ESP, IPCOMP, MODES, SATYPES, STATES

ADDRESSES = (
    ("src", Ext.ADDRESS_SRC),
    ("dst", Ext.ADDRESS_DST),
    ("oa", Ext.NATT_OA),
    ("oar", Ext.NATT_OAR),
)
LIFETIMES = (
    ("current", Ext.LIFETIME_CURRENT),
    ("hard", Ext.LIFETIME_HARD),
    ("soft", Ext.LIFETIME_SOFT),
    ("sw", Ext.LIFETIME_SW_OFFLOAD),
    ("hw", Ext.LIFETIME_HW_OFFLOAD),
)


INTERFACE_SIZE = 32

TABLE = columns_of(
    "setkey -D",
    *HEADER,
    field("satype", "u1", None, "satype"),
    field("src_proto", "u1", Ext.ADDRESS_SRC, "proto"),
    field("dst_proto", "u1", Ext.ADDRESS_DST, "proto"),
    field("spi", "u4", Ext.SA, "spi"),
    field("replay", "u4", Ext.SA, "replay"),
    field("replay", "u4", Ext.SA_REPLAY, "replay"),
    field("state", "u1", Ext.SA, "state"),
    field("auth", "u1", Ext.SA, "auth"),
    field("encrypt", "u1", Ext.SA, "encrypt"),
    field("flags", "u4", Ext.SA, "flags"),
    field("mode", "u1", Ext.SA2, "mode"),
    field("reqid", "u4", Ext.SA2, "reqid"),
    field("sequence", "u4", Ext.SA2, "sequence"),
    field("natt_type", "u1", Ext.NATT_TYPE, "type"),
    field("natt_sport", "u2", Ext.NATT_SPORT, "port"),
    field("natt_dport", "u2", Ext.NATT_DPORT, "port"),
    field("natt_frag", "u2", Ext.NATT_FRAG, "fraglen"),
    field("auth_bits", "u2", Ext.KEY_AUTH, "bits"),
    field("encrypt_bits", "u2", Ext.KEY_ENCRYPT, "bits"),
    taken("auth_key", "u8", Ext.KEY_AUTH, Take.TAIL_OFFSET),
    taken("encrypt_key", "u8", Ext.KEY_ENCRYPT, Take.TAIL_OFFSET),
    taken("interface", "u8", Ext.IF_HW_OFFLOAD, Take.TAIL_OFFSET),
    *CONTEXT,
    *(pair for name, extension in LIFETIMES for pair in lifetime(name, extension)),
    *(pair for name, extension in ADDRESSES for pair in ends(name, extension)),
)
"""Wire numbers throughout: setkey's words are words for them."""


def association(dialect: Dialect, look: Look) -> Template:
    """The template of an association's lines, for the columns of `TABLE`."""
    body = _freebsd(dialect, look) if look.variant.freebsd else _ipsec_tools(dialect, look)
    return template(TABLE.columns, [shown(dialect, look, tuple(body))], look.zones)


def shown(dialect: Dialect, look: Look, body: tuple[Part, ...]) -> Part:
    """The body for answers about an association that is to be shown."""
    if not look.dead:
        body = (unless("state", DEAD, *body),)
    entries = dialect.terms["message"].entries
    kinds = (entries[name][0] for name in ("SADB_DUMP", "SADB_GET"))
    return when("errno", 0, *(when("type", kind, *body) for kind in kinds))


def _ipsec_tools(dialect: Dialect, look: Look) -> Iterator[Part]:
    lines = has(
        Ext.SA,
        lacks(Ext.SA2, literal("no SA2 extension.\n")),
        has(Ext.SA2, literal("\n"), *_lines(dialect, look)),
    )
    after = (literal(" "), lines, lacks(Ext.SA, literal("no SA extension.\n")))
    yield lacks(Ext.ADDRESS_SRC, literal("no ADDRESS_SRC extension.\n"))
    yield has(
        Ext.ADDRESS_SRC,
        *_end("src", "natt_sport", Ext.NATT_SPORT, look),
        literal(" "),
        lacks(Ext.ADDRESS_DST, literal(" no ADDRESS_DST extension.\n")),
        has(Ext.ADDRESS_DST, *_end("dst", "natt_dport", Ext.NATT_DPORT, look), *after),
    )


def _freebsd(dialect: Dialect, look: Look) -> Iterator[Part]:
    lines = has(
        Ext.SA,
        lacks(Ext.SA2, literal("\nno SA2 extension.\n")),
        has(Ext.SA2, literal("\n"), *_lines(dialect, look)),
    )
    yield lacks(Ext.ADDRESS_SRC, literal("\nno ADDRESS_SRC extension.\n"))
    yield has(
        Ext.ADDRESS_SRC,
        *_end("src", "natt_sport", Ext.NATT_SPORT, look),
        lacks(Ext.ADDRESS_DST, literal("\nno ADDRESS_DST extension.\n")),
        has(
            Ext.ADDRESS_DST,
            literal(" "),
            *_end("dst", "natt_dport", Ext.NATT_DPORT, look),
            lines,
            lacks(Ext.SA, literal("\nno SA extension.\n")),
        ),
    )


def _traversing(look: Look, *body: Part) -> Part:
    """The body where there is NAT traversal."""
    return has(Ext.NATT_TYPE, *body) if look.variant.freebsd else unless("natt_type", 0, *body)


def _direct(look: Look, *body: Part) -> Part:
    """The body where there is none."""
    return lacks(Ext.NATT_TYPE, *body) if look.variant.freebsd else when("natt_type", 0, *body)


def _end(name: str, port: str, extension: Ext, look: Look) -> Iterator[Part]:
    """One end on the first line."""
    yield from numeric(name, look)
    if look.ports and not look.variant.freebsd:
        yield from (literal("["), decimal(f"{name}_port"), literal("]"))
    yield _traversing(look, has(extension, literal("["), decimal(port), literal("]")))


def _lines(dialect: Dialect, look: Look) -> Iterator[Part]:
    yield literal("\t")
    yield from _protocol(look)
    yield from (literal(" mode="), lookup("mode", MODES), literal(" spi="))
    yield from (decimal("spi"), literal("(0x"), hexadecimal("spi", 8), literal(") reqid="))
    yield from (decimal("reqid"), literal("(0x"), hexadecimal("reqid", 8), literal(")\n"))
    yield _traversing(look, *_translation(look))
    yield when("satype", IPCOMP, literal("\tC: "), lookup("encrypt", look.variant.compress), literal(" "))
    words = {kind: look.variant.algorithms(kind, dialect) for kind in ("auth", "encrypt")}
    encrypt = (literal("\tE: "), lookup("encrypt", words["encrypt"]), *_key("encrypt", look))
    yield when("satype", ESP, has(Ext.KEY_ENCRYPT, *encrypt))
    yield has(Ext.KEY_AUTH, literal("\tA: "), lookup("auth", words["auth"]), *_key("auth", look))
    yield from (literal("\tseq=0x"), hexadecimal("sequence", 8), literal(" replay="))
    # The window is counted in packets here, and printed in the unit of the association's own byte.
    yield shifted("replay", dialect.by_type[Ext.SA].layout["replay"].shift)
    yield from (literal(" flags=0x"), hexadecimal("flags", 8))
    yield from (literal(" state="), lookup("state", STATES), literal(" \n"))
    if look.variant.freebsd:
        name = string("interface", before=INTERFACE_SIZE, most=INTERFACE_SIZE)
        yield has(Ext.IF_HW_OFFLOAD, literal("\thw offl if: "), name, literal("\n"))
    yield has(Ext.LIFETIME_CURRENT, *_lifetimes(look))
    yield from context(look)
    yield from (literal("\tsadb_seq="), decimal("seq"), literal(" pid="), look.process("pid"))
    yield from (literal(" refcnt="), decimal("refcnt"), literal("\n"))
    if look.variant.freebsd:
        yield from _offload("sw", Ext.LIFETIME_SW_OFFLOAD)
        yield from _offload("hw", Ext.LIFETIME_HW_OFFLOAD)


def _protocol(look: Look) -> Iterator[Part]:
    name = lookup("satype", SATYPES)
    yield _traversing(
        look,
        when("satype", ESP, literal("esp-udp")),
        unless("satype", ESP, *(() if look.variant.freebsd else (literal("natt+"),)), name),
    )
    yield _direct(look, name)


def _translation(look: Look) -> Iterator[Part]:
    if look.variant.freebsd:
        yield literal("\tNAT:")
        yield has(Ext.NATT_OA, literal(" OAI="), *numeric("oa", look))
        yield has(Ext.NATT_OAR, literal(" OAR="), *numeric("oar", look))
        yield literal("\n")
    else:
        yield has(Ext.NATT_OA, literal("\tNAT OA="), *numeric("oa", look), literal("\n"))
        fragments = (literal("\tNAT-T esp_frag="), decimal("natt_frag"), literal("\n"))
        yield unless("natt_frag", 0, *fragments)


def _key(kind: str, look: Look) -> tuple[Part, ...]:
    if look.redact:
        return literal("  <"), decimal(f"{kind}_bits"), literal(" bits>\n")
    return literal(" "), octets(f"{kind}_key", f"{kind}_bits", 4, 32), literal("\n")


def _lifetimes(look: Look) -> Iterator[Part]:
    yield from (
        literal("\tcreated: "),
        date("current_addtime"),
        literal(f"\tcurrent: {look.moment(look.now)}\n\tdiff: "),
    )
    yield when("current_addtime", 0, literal("0"))
    yield unless("current_addtime", 0, rest(look.now, "current_addtime"))
    yield from _limits("addtime", "(s)", "(s)")
    yield from (literal("\tlast: "), date("current_usetime"))
    yield from _limits("usetime", "", "(s)")
    yield from (literal("\tcurrent: "), rounded("current_bytes"))
    yield from _limits("bytes", "(bytes)", "(bytes)")
    yield from (literal("\tallocated: "), decimal("current_allocations"))
    yield from _limits("allocations", "", "")


def _limits(what: str, unit: str, limit_unit: str) -> Iterator[Part]:
    """The unit of what was used, and both limits."""
    number = rounded if what == "bytes" else decimal
    yield from (literal(f"{unit}\thard: "), number(f"hard_{what}"), literal(f"{limit_unit}\tsoft: "))
    yield from (number(f"soft_{what}"), literal(f"{limit_unit}\n"))


def _offload(kind: str, extension: Ext) -> Iterator[Part]:
    yield has(
        extension,
        *(literal(f"\t{kind} offl use: "), date(f"{kind}_usetime")),
        *(literal(f"\t{kind} offl allocated: "), decimal(f"{kind}_allocations")),
        *(literal(f"\t{kind} offl: "), rounded(f"{kind}_bytes"), literal("(bytes)\n")),
    )
