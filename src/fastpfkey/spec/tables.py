"""What the tables hold: columns with types and units, and where in a message each value comes from.

Columns are the same for every dialect. A source names a field of an extension (or a part of its sockaddr, or a fact
about the message); sources whose extension or field a dialect does not have fall away, and of several for one column
the last that the message has wins.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from .model import Dialect, Source, Take
from .terms import ExtensionType as Ext
from .terms import SAType


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `name`, NumPy type (native order; "16u1" is a 16-byte address a row), and what its values mean."""

    name: str
    dtype: str
    meaning: str
    extension: Ext | None = None
    """The extension whose absence makes the value null; None for facts that every message has."""
    terms: str = ""
    """Term table that names the values, for text and exports."""
    unit: str = ""
    """What is counted, for exports; empty where nothing is."""

    @property
    def width(self) -> int:
        """Bytes a row."""
        return 16 if self.dtype == "16u1" else int(self.dtype[1:])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns in order, and their sources in order of precedence, weakest first."""

    name: str
    columns: tuple[Column, ...]
    sources: tuple[Source, ...]

    def column(self, name: str) -> Column:
        """The column of this name. Raises KeyError with the known names."""
        for item in self.columns:
            if item.name == name:
                return item
        raise KeyError(f"no column {name!r} in {self.name}; known are {', '.join(item.name for item in self.columns)}")


@functools.lru_cache(maxsize=64)
def sources(table: Table, dialect: Dialect) -> tuple[Source, ...]:
    """The sources of a table that a dialect has, weakest first: the common ones, then the dialect's own."""
    candidates = (*table.sources, *dialect.sources.get(table.name, ()))
    return tuple(source for source in candidates if _has(dialect, source))


def _has(dialect: Dialect, source: Source) -> bool:
    if source.satype is not None and source.satype not in dialect.terms["satype"].numbers:
        return False
    if source.extension is None:
        return True
    extension = dialect.by_type.get(source.extension)
    if extension is None:
        return False
    return source.take is not Take.FIELD or any(source.field in item.by_name for item in extension.layouts)


def presence(table: Table, dialect: Dialect, column: str) -> int | None:
    """Bits of `present` of which a message has to have one for the column to hold a value of this dialect.

    None for a column that every message fills, 0 for one that no message of the dialect can fill.
    """
    extensions = [source.extension for source in sources(table, dialect) if source.column == column]
    if None in extensions:
        return None
    return sum({1 << item.bit for item in extensions if item is not None})


def _header(*, refcount: str) -> tuple[Column, ...]:
    return (
        Column("message_offset", "u8", "byte offset of the message in the decoded buffer", unit="bytes"),
        Column("message_length", "u4", "bytes of the message", unit="bytes"),
        Column("msg_type", "u1", "sadb_msg_type, wire number", terms="message"),
        Column("errno", "u1", "sadb_msg_errno, the capturing system's number"),
        Column("satype", "u2", "SA type, canonical", terms="satype"),
        Column("refcount", "u2", refcount),
        Column("seq", "u4", "sadb_msg_seq"),
        Column("pid", "u4", "sadb_msg_pid"),
    )


def _lifetime(prefix: str, extension: Ext, meaning: str) -> tuple[Column, ...]:
    absolute = extension is Ext.LIFETIME_CURRENT
    unit = "seconds since 1970" if absolute else "seconds"
    time = "Unix time of" if absolute else "seconds since"
    return (
        Column(f"{prefix}_allocations", "u4", f"{meaning}: allocations (packets on Linux)", extension),
        Column(f"{prefix}_bytes", "u8", f"{meaning}: bytes", extension, unit="bytes"),
        Column(f"{prefix}_addtime", "u8", f"{meaning}: {time} creation", extension, unit=unit),
        Column(f"{prefix}_usetime", "u8", f"{meaning}: {time} first use", extension, unit=unit),
    )


def _address(prefix: str, extension: Ext, meaning: str) -> tuple[Column, ...]:
    return (
        Column(prefix, "16u1", f"{meaning}: address, network order, IPv4 as v4-mapped IPv6", extension),
        Column(
            f"{prefix}_family", "u2", f"{meaning}: 4, 6, 0 for none, 0x8000 + AF number for another family", extension
        ),
        Column(f"{prefix}_port", "u2", f"{meaning}: port", extension),
        Column(f"{prefix}_prefixlen", "u1", f"{meaning}: prefix length in bits", extension, unit="bits"),
        Column(f"{prefix}_proto", "u1", f"{meaning}: upper-layer protocol", extension),
        Column(f"{prefix}_scope", "u4", f"{meaning}: IPv6 scope (interface) number", extension),
    )


_PRESENT = (
    Column("present", "u8", "one bit for each canonical extension that the message carries"),
    Column("other_extensions", "u2", "number of extensions whose type the dialect does not know"),
)

_HEADER_SOURCES = (
    Source("message_offset", None, take=Take.MESSAGE_OFFSET),
    Source("message_length", None, take=Take.MESSAGE_LENGTH),
    Source("msg_type", None, "type", translate=False),
    Source("errno", None, "errno"),
    Source("satype", None, "satype"),
    Source("refcount", None, "reserved"),
    Source("seq", None, "seq"),
    Source("pid", None, "pid"),
    Source("present", None, take=Take.PRESENT),
    Source("other_extensions", None, take=Take.OTHERS),
)


def _lifetime_sources(prefix: str, extension: Ext) -> tuple[Source, ...]:
    return tuple(Source(f"{prefix}_{name}", extension, name) for name in ("allocations", "bytes", "addtime", "usetime"))


def address_sources(prefix: str, extension: Ext) -> tuple[Source, ...]:
    """Sources of the six columns of an address extension."""
    return (
        Source(prefix, extension, take=Take.IP),
        Source(f"{prefix}_family", extension, take=Take.FAMILY),
        Source(f"{prefix}_port", extension, take=Take.PORT),
        Source(f"{prefix}_prefixlen", extension, "prefixlen"),
        Source(f"{prefix}_proto", extension, "proto"),
        Source(f"{prefix}_scope", extension, take=Take.SCOPE),
    )


ASSOCIATIONS = Table(
    "SATable",
    (
        *_header(refcount="reserved field of the header: a reference count on KAME systems, a diagnostic on illumos"),
        Column("spi", "u4", "security parameter index", Ext.SA),
        Column("replay", "u4", "replay window in packets", Ext.SA, unit="packets"),
        Column("state", "u2", "SA state, canonical", Ext.SA, "state"),
        Column("auth", "u2", "authentication algorithm, canonical", Ext.SA, "auth"),
        Column(
            "encrypt",
            "u2",
            "encryption algorithm, canonical; compression algorithm of an IPCOMP association",
            Ext.SA,
            "encrypt",
        ),
        Column("flags", "u4", "sadb_sa_flags, the dialect's bits", Ext.SA),
        *_lifetime("current", Ext.LIFETIME_CURRENT, "used so far"),
        *_lifetime("hard", Ext.LIFETIME_HARD, "hard limit, 0 for none"),
        *_lifetime("soft", Ext.LIFETIME_SOFT, "soft limit, 0 for none"),
        *_address("src", Ext.ADDRESS_SRC, "source"),
        *_address("dst", Ext.ADDRESS_DST, "destination"),
        *_address("proxy", Ext.ADDRESS_PROXY, "proxy"),
        Column("mode", "u2", "mode, canonical", Ext.SA2, "mode"),
        Column("reqid", "u4", "request id", Ext.SA2),
        Column("sa2_seq", "u4", "sadb_x_sa2_sequence: replay counter on KAME systems, 0 on Linux", Ext.SA2),
        Column("natt_type", "u2", "UDP encapsulation type, canonical", Ext.NATT_TYPE, "natt_type"),
        Column("natt_sport", "u2", "UDP encapsulation source port", Ext.NATT_SPORT),
        Column("natt_dport", "u2", "UDP encapsulation destination port", Ext.NATT_DPORT),
        Column("natt_oa", "16u1", "NAT-T original address, network order, IPv4 as v4-mapped IPv6", Ext.NATT_OA),
        Column("key_auth_bits", "u2", "length of the authentication key in bits", Ext.KEY_AUTH, unit="bits"),
        Column("key_encrypt_bits", "u2", "length of the encryption key in bits", Ext.KEY_ENCRYPT, unit="bits"),
        *_PRESENT,
        Column("key_auth_offset", "u8", "byte offset of the authentication key in the decoded buffer", Ext.KEY_AUTH),
        Column("key_encrypt_offset", "u8", "byte offset of the encryption key in the decoded buffer", Ext.KEY_ENCRYPT),
    ),
    (
        *_HEADER_SOURCES,
        Source("spi", Ext.SA, "spi"),
        Source("replay", Ext.SA, "replay"),
        Source("state", Ext.SA, "state"),
        Source("auth", Ext.SA, "auth"),
        Source("encrypt", Ext.SA, "encrypt"),
        Source("encrypt", Ext.SA, "encrypt", terms="compress", satype=SAType.IPCOMP),
        Source("flags", Ext.SA, "flags"),
        *_lifetime_sources("current", Ext.LIFETIME_CURRENT),
        *_lifetime_sources("hard", Ext.LIFETIME_HARD),
        *_lifetime_sources("soft", Ext.LIFETIME_SOFT),
        *address_sources("src", Ext.ADDRESS_SRC),
        *address_sources("dst", Ext.ADDRESS_DST),
        *address_sources("proxy", Ext.ADDRESS_PROXY),
        Source("mode", Ext.SA2, "mode"),
        Source("reqid", Ext.SA2, "reqid"),
        Source("sa2_seq", Ext.SA2, "sequence"),
        Source("natt_type", Ext.NATT_TYPE, "type"),
        Source("natt_sport", Ext.NATT_SPORT, "port"),
        Source("natt_dport", Ext.NATT_DPORT, "port"),
        Source("natt_oa", Ext.NATT_OA, take=Take.IP),
        Source("key_auth_bits", Ext.KEY_AUTH, "bits"),
        Source("key_encrypt_bits", Ext.KEY_ENCRYPT, "bits"),
        Source("key_auth_offset", Ext.KEY_AUTH, take=Take.TAIL_OFFSET),
        Source("key_encrypt_offset", Ext.KEY_ENCRYPT, take=Take.TAIL_OFFSET),
    ),
)
"""SADB messages about associations, chiefly DUMP. The two key offsets are internal to the key store."""

POLICIES = Table(
    "PolicyTable",
    (
        *_header(refcount="reference count of the policy"),
        Column("spid", "u4", "policy id", Ext.POLICY),
        Column("dir", "u2", "direction, canonical", Ext.POLICY, "direction"),
        Column("type", "u2", "policy type, canonical", Ext.POLICY, "policy_type"),
        Column("priority", "u4", "priority, smaller first", Ext.POLICY),
        *_address("src", Ext.ADDRESS_SRC, "source selector"),
        *_address("dst", Ext.ADDRESS_DST, "destination selector"),
        *_lifetime("current", Ext.LIFETIME_CURRENT, "used so far"),
        *_lifetime("hard", Ext.LIFETIME_HARD, "hard limit, 0 for none"),
        *_lifetime("soft", Ext.LIFETIME_SOFT, "soft limit, 0 for none"),
        *_PRESENT,
        Column("requests_offset", "u8", "byte offset of the first request in the decoded buffer", Ext.POLICY),
        Column("requests_length", "u4", "bytes of all requests", Ext.POLICY),
    ),
    (
        *_HEADER_SOURCES,
        Source("spid", Ext.POLICY, "id"),
        Source("dir", Ext.POLICY, "dir"),
        Source("type", Ext.POLICY, "type"),
        Source("priority", Ext.POLICY, "priority"),
        *address_sources("src", Ext.ADDRESS_SRC),
        *address_sources("dst", Ext.ADDRESS_DST),
        *_lifetime_sources("current", Ext.LIFETIME_CURRENT),
        *_lifetime_sources("hard", Ext.LIFETIME_HARD),
        *_lifetime_sources("soft", Ext.LIFETIME_SOFT),
        Source("requests_offset", Ext.POLICY, take=Take.TAIL_OFFSET),
        Source("requests_length", Ext.POLICY, take=Take.TAIL_LENGTH),
    ),
)
"""SPD messages. Offset and length of the requests are internal to the flat request table."""

SUPPORTED = (Ext.SUPPORTED_AUTH, Ext.SUPPORTED_ENCRYPT, Ext.SUPPORTED_COMP)
"""Extensions that list algorithms."""

REGISTRATIONS = Table(
    "AlgorithmTable",
    (
        *_header(refcount="reserved field of the header"),
        *(
            column
            for item in SUPPORTED
            for column in (
                Column(
                    f"{item.name.lower()}_offset",
                    "u8",
                    "byte offset of the first algorithm in the decoded buffer",
                    item,
                ),
                Column(f"{item.name.lower()}_length", "u4", "bytes of all algorithms", item),
            )
        ),
    ),
    (
        *_HEADER_SOURCES,
        *(
            source
            for item in SUPPORTED
            for source in (
                Source(f"{item.name.lower()}_offset", item, take=Take.TAIL_OFFSET),
                Source(f"{item.name.lower()}_length", item, take=Take.TAIL_LENGTH),
            )
        ),
    ),
)
"""Where the algorithms of REGISTER replies lie; the algorithms themselves become rows of AlgorithmTable."""
