"""Every dialect against the table of its system: numbers by C name, structures by offset, size and byte order, limits.

The tables were compiled from each system's headers, independently of the package. Each fact is looked up in both
directions, so a fact that a dialect inherits although its system lacks it is found as well as one that it lacks.
"""

from __future__ import annotations

import pytest

from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.spec.layouts import Order
from fastpfkey.spec.model import EXTENSION_HEADER_SIZE, HEADER_SIZE, PF_KEY_V2, Records, Requests, Sockaddrs, Text
from fastpfkey.spec.terms import ExtensionType

from .facts import OLD_NAMES, UNNAMED, layouts_of, numbers_of, table

NUMBERS = (
    "message_types",
    "extension_types",
    "sa_types",
    "sa_states",
    "sa_flags",
    "auth_algorithms",
    "encrypt_algorithms",
    "compress_algorithms",
    "identity_types",
    "nat_t",
    "policy",
    "other",
    "diagnostics",
)
"""Sections of a table that give numbers to C names."""

KINDS = {
    "message_types": "message",
    "sa_types": "satype",
    "sa_states": "state",
    "auth_algorithms": "auth",
    "encrypt_algorithms": "encrypt",
    "compress_algorithms": "compress",
    "identity_types": "identity",
}
"""Sections whose names, apart from the *_MAX ones, are one term table of the dialect."""

OUTSIDE = ("SPD_", "ALG_FLAG_", "PF_POLICY_")
"""Prefixes of illumos's PF_POLICY protocol, which is not PF_KEY."""

SECOND_NAMES = {"SADB_X_DIAGNOSTIC_PRESET", "SADB_X_DIAGNOSTIC_MAX", "SADB_X_DIAGNOSTIC_BAD_PROXY_AF"}
"""Diagnostics that are no diagnostic of their own: unset, the highest, and an older name."""


def numbers_in(name: str) -> dict[str, int]:
    """Every number that a table gives, by C name."""
    sections = [table(name).get(section, {}) for section in NUMBERS]
    return {
        symbol: number
        for section in sections
        for symbol, number in section.items()
        if not symbol.startswith(OUTSIDE) and symbol not in SECOND_NAMES and symbol != "SADB_EXT_RESERVED"
    }


@pytest.mark.parametrize("name", DIALECTS)
def test_numbers(name: str) -> None:
    ours, theirs = numbers_of(dialect(name)), numbers_in(name)
    assert {symbol: ours.get(symbol) for symbol in theirs} == theirs
    assert ours.keys() - theirs.keys() <= UNNAMED


@pytest.mark.parametrize("section", KINDS)
@pytest.mark.parametrize("name", DIALECTS)
def test_names_stand_in_the_table_of_their_kind(name: str, section: str) -> None:
    terms = dialect(name).terms.get(KINDS[section])
    wire = {symbol: number for symbol, (number, _) in terms.entries.items()} if terms else {}
    assert wire == {s: n for s, n in table(name).get(section, {}).items() if not s.endswith("_MAX")}


@pytest.mark.parametrize("name", DIALECTS)
def test_version(name: str) -> None:
    assert table(name)["pfkey_v2"] == PF_KEY_V2


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "rfc2367"])
def test_socket_family(name: str) -> None:
    assert dialect(name).family == table(name)["af_key"]["family"]


def members(name: str, struct: str) -> dict[str, tuple[int, int, str]]:
    """Members of a structure of a table: C name -> offset, bytes, order; nested structures are taken apart."""
    found: dict[str, tuple[int, int, str]] = {}
    for entry in table(name)["structs"][struct]["fields"]:
        if entry["type"].startswith("struct "):
            inner = members(name, entry["type"].removeprefix("struct "))
            found |= {key: (entry["offset"] + at, size, order) for key, (at, size, order) in inner.items()}
        else:
            found[entry["name"]] = (entry["offset"], entry["size"], entry["order"])
    return found


ORDERS = {Order.HOST: {"host"}, Order.NETWORK: {"network"}, Order.BYTES: {"bytes", "network"}}
"""The tables call an array of words that are never swapped network order."""

ONE_RECORD = {"sadb_x_ereg_satypes": (4, 1)}
"""illumos: elements of an array that goes on behind its structure are records of one byte."""


@pytest.mark.parametrize("name", DIALECTS)
def test_layouts(name: str) -> None:
    for item in layouts_of(dialect(name)):
        struct, theirs = table(name)["structs"][item.c_name], members(name, item.c_name)
        padding = {at for start, stop in struct.get("padding_bytes", []) for at in range(start, stop)}
        if len(item.fields) == 1 and item.fields[0].c_name in ONE_RECORD:
            assert (theirs[item.fields[0].c_name][0], item.size) == ONE_RECORD[item.fields[0].c_name]
            continue
        assert item.size == struct["size"], item.c_name
        covered: set[int] = set()
        for field in item.fields:
            place = range(field.offset, field.offset + field.size)
            covered.update(place)
            known = theirs.get(field.c_name)
            if known is not None and known[:2] != (field.offset, field.size):
                known = theirs.get(OLD_NAMES[field.c_name])
            if known is None:
                assert field.reserved, f"{item.c_name}.{field.c_name} is not in the table"
                assert padding.issuperset(place), f"{item.c_name}.{field.c_name} covers more than padding"
                continue
            assert (field.offset, field.size) == known[:2], field.c_name
            if field.width > 1:
                assert known[2] in ORDERS[field.order], field.c_name
        described = {at for offset, size, _ in theirs.values() for at in range(offset, offset + size)}
        assert covered == described | padding, item.c_name


@pytest.mark.parametrize("name", DIALECTS)
def test_no_structure_is_left_out(name: str) -> None:
    outside = {"sadb_ext", *(struct for struct in table(name)["structs"] if struct.startswith("spd_"))}
    ours = {item.c_name for item in layouts_of(dialect(name))}
    assert ours | outside == table(name)["structs"].keys() | outside


@pytest.mark.parametrize("name", DIALECTS)
def test_extensions_open_with_their_structure(name: str) -> None:
    told = {
        symbol: words
        for symbol, text in table(name)["extension_struct"].items()
        if (words := text.replace(",", " ").split())[0] != "alias"
    }
    subject = dialect(name)
    assert {item.c_name for item in subject.extensions} == told.keys()
    for item in subject.extensions:
        struct = told[item.c_name][0]
        assert item.layout.c_name == ("sadb_ext" if struct == "number" else struct)


@pytest.mark.parametrize("name", DIALECTS)
def test_what_follows_the_structure(name: str) -> None:
    """The tables say it in words: a sockaddr, text, key bytes, or how large each record is."""
    sizes = {"sadb_comb[]": 72, "sadb_alg[]": 8, "sastat[list_len]": 40}
    texts = table(name)["extension_struct"]
    for item in dialect(name).extensions:
        text = texts[item.c_name]
        assert any(isinstance(tail, Text) for tail in item.tails) == (
            "text" in text and "taglen" not in text and "label" not in text
        )
        sockaddrs = [tail for tail in item.tails if isinstance(tail, Sockaddrs)]
        if "ipsecrequest" in text:
            assert [type(tail) for tail in item.tails] == [Requests]
        else:
            expected = 2 if "remote sockaddr" in text else 1 if "sockaddr" in text else 0
            assert sum(tail.count for tail in sockaddrs) == expected, item.c_name
        records = [tail for tail in item.tails if isinstance(tail, Records)]
        for phrase, size in sizes.items():
            if phrase in text:
                assert [tail.layout.size for tail in records] == [size]
        if not item.tails:
            assert " + " not in text or "arbitrary data" in text, item.c_name


@pytest.mark.parametrize("name", DIALECTS)
def test_sockaddrs(name: str) -> None:
    rules, theirs = dialect(name).sockaddr, table(name)["sockaddr"]
    assert rules.has_length == theirs["has_sa_len"]
    assert (rules.version(4).number, rules.version(6).number) == (theirs["af_inet"], theirs["af_inet6"])
    for version, prefix in ((4, "sin"), (6, "sin6")):
        family, struct = rules.version(version), theirs[f"sockaddr_{'in6' if version == 6 else 'in'}"]
        fields = {entry["name"]: (entry["offset"], entry["size"], entry["order"]) for entry in struct["fields"]}
        assert family.size == struct["size"]
        assert (family.address, family.address_size) == fields[f"{prefix}_addr"][:2]
        assert fields[f"{prefix}_port"] == (family.port, 2, "network")
        assert fields[f"{prefix}_family"][:2] == ((1, 1) if rules.has_length else (0, 2))
        if version == 6:
            assert fields["sin6_flowinfo"] == (family.flowinfo, 4, "network")
            assert fields["sin6_scope_id"] == (family.scope, 4, "host")


@pytest.mark.parametrize("name", [name for name in DIALECTS if "extension_size_limits" in table(name)])
def test_size_limits(name: str) -> None:
    for symbol, limit in table(name)["extension_size_limits"].items():
        item = next(each for each in dialect(name).extensions if each.c_name == symbol)
        if limit == {"min": 0, "max": 0}:
            assert item.maximum == 0, f"{symbol}: refused by the kernel"
            continue
        assert item.minimum == limit["min"], symbol
        assert item.maximum == (limit["max"] or None), symbol


def test_openbsd_takes_exact_sizes() -> None:
    """The sizes that OpenBSD's parser compares with `!=`; a tag has at most 64 bytes behind its structure."""
    subject = dialect("openbsd")
    exact = "SA SECOND_SA LIFETIME_CURRENT LIFETIME_HARD LIFETIME_SOFT PROTOCOL FLOW_TYPE SATYPE2 POLICY_SEQ SPIRANGE"
    exact += " UDPENCAP RDOMAIN REPLAY_COUNTER COUNTER TAP INTERFACE"
    for name in exact.split():
        item = subject.by_type[ExtensionType[name]]
        assert item.maximum == item.minimum, name
    assert subject.by_type[ExtensionType.TAG].maximum == 8 + 64


@pytest.mark.parametrize("name", DIALECTS)
def test_headers(name: str) -> None:
    assert table(name)["structs"]["sadb_msg"]["size"] == HEADER_SIZE
    header = members(name, "sadb_ext")
    assert sum(size for _, size, _ in header.values()) == EXTENSION_HEADER_SIZE
    for item in dialect(name).extensions:
        assert [(field.offset, field.size) for field in item.layout.fields[:2]] == [
            place[:2] for place in header.values()
        ]


@pytest.mark.parametrize("name", ["freebsd", "netbsd", "macos"])
def test_kame_counts_the_window_in_bytes_of_bitmap(name: str) -> None:
    """Eight packets each; FreeBSD's own extension counts packets."""
    subject = dialect(name)
    assert {item["replay"].shift for item in subject.by_type[ExtensionType.SA].layouts} == {3}
    if name == "freebsd":
        assert subject.by_type[ExtensionType.SA_REPLAY].layout["replay"].shift == 0


def test_illumos_counts_initialisation_vectors_in_bits() -> None:
    for name in DIALECTS:
        tail = dialect(name).by_type[ExtensionType.SUPPORTED_ENCRYPT].tails[0]
        assert isinstance(tail, Records)
        assert tail.layout["ivlen"].shift == (-3 if name == "illumos" else 0)


@pytest.mark.parametrize("name", ["rfc2367", "linux", "openbsd", "illumos"])
def test_others_count_the_window_in_packets(name: str) -> None:
    assert dialect(name).by_type[ExtensionType.SA].layout["replay"].shift == 0
