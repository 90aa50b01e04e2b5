"""Sizes, alignment, lengths and byte order: RFC 2367, sections 2 to 2.4, where nothing else shows them."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from wire.build import Builder

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect, rfc2367
from fastpfkey.spec.layouts import Layout, Order
from fastpfkey.spec.model import Counted, Records, Requests
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.dialects import EXT
from fastpfkey.wire.extensions import Combination, Lifetime, Proposal, Sensitivity, SPIRange
from fastpfkey.wire.extensions_ipsec import KMPrivate
from fastpfkey.wire.message import MessageValue

PRINTED = {
    "sadb_msg": 16,
    "sadb_ext": 4,
    "sadb_sa": 16,
    "sadb_lifetime": 32,
    "sadb_address": 8,
    "sadb_key": 8,
    "sadb_ident": 16,
    "sadb_sens": 16,
    "sadb_prop": 8,
    "sadb_comb": 72,
    "sadb_supported": 8,
    "sadb_alg": 8,
    "sadb_spirange": 16,
    "sadb_x_kmprivate": 8,
}
"""Bytes of each structure as the RFC prints them."""

MEMBERS = """
    sadb_msg: version type errno satype len reserved seq pid
    sadb_sa: len exttype spi replay state auth encrypt flags
    sadb_lifetime: len exttype allocations bytes addtime usetime
    sadb_address: len exttype proto prefixlen reserved
    sadb_key: len exttype bits reserved
    sadb_ident: len exttype type reserved id
    sadb_sens: len exttype dpd sens_level sens_len integ_level integ_len reserved
    sadb_prop: len exttype replay reserved
    sadb_supported: len exttype reserved
    sadb_alg: id ivlen minbits maxbits reserved
    sadb_spirange: len exttype min max reserved
    sadb_x_kmprivate: len exttype reserved
"""
"""Members in their order, without their prefix."""


def layouts(name: str) -> dict[str, Layout]:
    """All structures of a dialect by name, those inside extensions too."""
    found = [rfc2367.MSG, EXT]
    for extension in dialect(name).extensions:
        found += extension.layouts
        for tail in extension.tails:
            if isinstance(tail, Records | Requests | Counted):
                found.append(tail.layout)
            if isinstance(tail, Counted):
                found.append(tail.sub_layout)
    return {item.c_name: item for item in found}


@pytest.mark.requirement("R-2.1-01", "R-2.2-06")
def test_sizes_are_those_printed() -> None:
    assert {name: item.size for name, item in layouts("rfc2367").items()} == PRINTED
    for name, item in layouts("rfc2367").items():
        for byteorder in ("little", "big"):
            assert struct.calcsize(item.struct_format(byteorder)) == PRINTED[name]


@pytest.mark.requirement("R-2.2-05")
def test_structures_have_the_printed_members_and_no_holes() -> None:
    known = layouts("rfc2367")
    for line in MEMBERS.strip().splitlines():
        name, members = line.split(":")
        assert [item.name for item in known[name.strip()].fields] == members.split()
    for item in known.values():
        ends = [0, *(field.offset + field.size for field in item.fields)]
        assert [field.offset for field in item.fields] == ends[:-1]
        assert ends[-1] == item.size


@pytest.mark.requirement("R-2.2-04")
@pytest.mark.parametrize("name", DIALECTS)
def test_numbers_lie_where_their_size_wants_them(name: str) -> None:
    """Extensions begin at multiples of 8 bytes, so an offset in the structure decides."""
    for item in layouts(name).values():
        for field in item.fields:
            assert field.offset % field.width == 0, f"{item.c_name}.{field.c_name}"


@pytest.mark.requirement("R-2-02")
@pytest.mark.parametrize("name", DIALECTS)
def test_host_order_is_the_rule_and_its_exceptions_are_declared(name: str) -> None:
    """Of the RFC's structures the SPI alone is in network order; illumos has its range so, and the later ones ports."""
    others = {
        f"{item.c_name}.{field.name}"
        for item in layouts(name).values()
        for field in item.fields
        if field.order is Order.NETWORK
    }
    of_rfc = {"sadb_sa.spi"} | ({"sadb_spirange.min", "sadb_spirange.max"} if name == "illumos" else set())
    assert {item for item in others if not item.startswith("sadb_x_")} - {"sadb_sa_2.spi"} >= of_rfc
    ours = {item for item in others if item.split(".")[0] in PRINTED}
    assert ours == of_rfc


@pytest.mark.requirement("R-2-02", "R-2.3.1-03")
@pytest.mark.parametrize("byteorder", ["little", "big"])
def test_a_number_has_its_bytes_in_the_declared_order(byteorder: str) -> None:
    build = Builder(byteorder)  # type: ignore[arg-type]
    (message,) = pf.decode(build.message(build.sa(spi=0x01020304)), "linux", build.byteorder)
    raw = message.encode()
    assert raw[20:24] == bytes([1, 2, 3, 4])
    assert raw[8:12] == build.pack("I", 0x01020304)
    assert raw[28:32] == build.pack("I", 0x40000000)


@pytest.mark.requirement("R-2-01", "R-2.1-06", "R-2.2-01", "R-2.2-03", "R-2.3-01")
def test_a_message_is_a_header_and_extensions_counted_in_words(build: Builder) -> None:
    parts = [build.sa(), build.lifetime(2), build.key(8, 160, bytes(range(20))), build.identity(10, 2, 0, b"gw\0")]
    raw = build.message(*parts)
    (message,) = pf.decode(raw, "linux", build.byteorder)
    assert raw[4:6] == build.pack("H", len(raw) // 8)
    assert [item.size for item in message.extensions] == [16, 32, 32, 24] == [len(part) for part in parts]
    assert message.key_auth is not None
    assert message.key_auth.bits == 160
    position = 16
    for item, part in zip(message.extensions, parts, strict=True):
        assert raw[position : position + 4] == build.pack("HH", len(part) // 8, int(item.exttype))
        position += len(part)
    assert message.encode() == raw
    assert len(message.encode()) % 8 == 0


@pytest.mark.requirement("R-2.1-02")
@pytest.mark.parametrize("version", [0, 1, 3, 255])
def test_only_version_two_is_spoken(build: Builder, version: int) -> None:
    with pytest.raises(pf.MalformedError) as caught:
        pf.decode(build.header(2, version=version), "linux", build.byteorder)
    assert caught.value.fault is pf.Fault.VERSION
    assert MessageValue(pf.MessageType.DUMP).encode("linux", build.byteorder)[0] == 2


@pytest.mark.requirement("R-2.1-14")
@pytest.mark.parametrize("number", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_sequence_number_and_pid_have_32_bits(build: Builder, number: int) -> None:
    raw = MessageValue(pf.MessageType.DUMP, seq=number, pid=0xFFFFFFFF - number).encode("linux", build.byteorder)
    assert raw[8:16] == build.pack("II", number, 0xFFFFFFFF - number)
    (message,) = pf.decode(raw, "linux", build.byteorder)
    assert (message.seq, message.pid) == (number, 0xFFFFFFFF - number)


@pytest.mark.requirement("R-2.1-08", "R-2.1-09")
def test_a_message_cut_short_is_refused_or_what_precedes_it_kept(build: Builder) -> None:
    whole = build.message(build.sa(), build.lifetime(3))
    for cut in range(1, len(whole)):
        with pytest.raises(pf.TruncatedError):
            pf.decode(whole[:cut], "linux", build.byteorder)
        kept = pf.decode(whole + whole[:cut], "linux", build.byteorder, on_error="stop")
        assert [message.raw for message in kept] == [whole]
        assert isinstance(kept.fault, pf.TruncatedError)


@pytest.mark.requirement("R-2.3-10")
def test_an_extension_is_more_than_its_head(build: Builder) -> None:
    empty = build.pack("HH", 0, 200) + bytes(4)
    for extension in (empty, build.pack("HHI", 2, 200, 0)):
        with pytest.raises(pf.MalformedError):
            pf.decode(build.header(3) + extension, "linux", build.byteorder)
    lonely = build.header(2) + build.pack("HH", 1, 200)
    with pytest.raises(pf.TruncatedError):
        pf.decode(lonely, "linux", build.byteorder)


@pytest.mark.requirement("R-2.3-11")
def test_all_documented_extensions_are_read_built_and_written(build: Builder) -> None:
    known = dialect("rfc2367").by_number
    assert {*range(1, 17)} <= known.keys()
    address = build.sockaddr("192.0.2.1")
    parts = {
        1: build.sa(encrypt=3),
        **{number: build.lifetime(number) for number in (2, 3, 4)},
        **{number: build.address(number, address) for number in (5, 6, 7)},
        **{number: build.key(number, 128, bytes(range(16))) for number in (8, 9)},
        **{number: build.identity(number, 3, 7, b"a@b\0") for number in (10, 11)},
        12: build.extension(12, build.pack("IBBBBIQQ", 1, 2, 1, 3, 1, 0, 4, 5)),
        13: build.extension(13, build.pack("I", 32) + build.pack("BBHHHHHIIIQQQQQQ", *range(16))),
        14: build.extension(14, build.pack("IBBHHH", 0, 2, 0, 128, 128, 0)),
        15: build.extension(15, build.pack("IBBHHH", 0, 3, 8, 192, 192, 0)),
        16: build.extension(16, build.pack("III", 256, 512, 0)),
    }
    for number, part in parts.items():
        (message,) = pf.decode(build.message(part), "rfc2367", build.byteorder)
        (value,) = message.extensions
        assert value.exttype == number
        (built,) = message.replace(extensions=(replace(value),)).extensions  # type: ignore[type-var]
        again = message.replace(extensions=(built,)).encode(byteorder=build.byteorder)
        # The words that the RFC reserves come out as zeros, here in the combination.
        assert again == message.encode()
        assert len(again) == message.length


@pytest.mark.requirement("R-2.3.2-03", "R-2.3.2-08")
@pytest.mark.parametrize("number", [2, 3, 4])
def test_times_have_64_bits(build: Builder, number: int) -> None:
    late = 0x1_0000_0001
    value = Lifetime(Ext(number), addtime=late, usetime=2**64 - 1)
    raw = MessageValue(pf.MessageType.DUMP, extensions=(value,)).encode("rfc2367", build.byteorder)
    assert raw[16:20] == build.pack("HH", 4, number)
    assert raw[32:48] == build.pack("QQ", late, 2**64 - 1)
    (message,) = pf.decode(raw, "rfc2367", build.byteorder)
    assert message.extensions == (value,)
    assert value.exttype.name == {2: "LIFETIME_CURRENT", 3: "LIFETIME_HARD", 4: "LIFETIME_SOFT"}[number]


@pytest.mark.requirement("R-2.3.6-02", "R-2.4-04", "R-3.8-01")
@pytest.mark.parametrize("domain", [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_bitmaps_are_words_and_follow_each_other(build: Builder, domain: int) -> None:
    value = Sensitivity(domain, 3, 5, (0x1112131415161718, 0x2122232425262728), (0x3132333435363738,))
    raw = MessageValue(pf.MessageType.GET, extensions=(value,)).encode("rfc2367", build.byteorder)
    assert raw[16:] == build.pack("HHIBBBBI", 5, 12, domain, 3, 2, 5, 1, 0) + build.pack(
        "QQQ", 0x1112131415161718, 0x2122232425262728, 0x3132333435363738
    )
    (message,) = pf.decode(raw, "rfc2367", build.byteorder)
    assert message.sensitivity == value


@pytest.mark.requirement("R-2.3.7-01", "R-2.3.7-03")
def test_a_proposal_is_a_head_and_whole_combinations(build: Builder) -> None:
    for count in range(4):
        value = Proposal(32, combinations=tuple(_combinations()[:count]))
        raw = MessageValue(pf.MessageType.ACQUIRE, extensions=(value,)).encode("rfc2367", build.byteorder)
        assert raw[16:24] == build.pack("HHBBBB", 1 + 9 * count, 13, 32, 0, 0, 0)
        assert len(raw) == 16 + 8 + 72 * count
        (message,) = pf.decode(raw, "rfc2367", build.byteorder)
        assert message.proposal == value
        part = build.extension(13, raw[20:] + bytes(8))
        with pytest.raises(pf.MalformedError) as caught:
            pf.decode(build.message(part), "rfc2367", build.byteorder)
        assert caught.value.fault is pf.Fault.RECORD_PARTIAL


@pytest.mark.requirement("R-2.3.7-02")
def test_combinations_stay_in_order(build: Builder) -> None:
    first, second, third = _combinations()
    for order in ((first, second, third), (third, first, second), (second, third, first)):
        value = Proposal(combinations=order)
        raw = MessageValue(pf.MessageType.ACQUIRE, extensions=(value,)).encode("rfc2367", build.byteorder)
        (message,) = pf.decode(raw, "rfc2367", build.byteorder)
        assert message.proposal is not None
        assert message.proposal.combinations == order


def _combinations() -> list[Combination]:
    return [Combination(auth_minbits=bits, auth_maxbits=bits) for bits in (1, 2, 3)]


@pytest.mark.requirement("R-2.3.8-01")
def test_algorithms_are_listed_in_eight_bytes_each(build: Builder) -> None:
    rows = build.pack("BBHHH", 2, 0, 128, 128, 0) + build.pack("BBHHH", 3, 0, 160, 160, 0)
    auth = build.extension(14, build.pack("I", 0) + rows)
    encrypt = build.extension(15, build.pack("I", 0) + build.pack("BBHHH", 3, 8, 192, 192, 0))
    (message,) = pf.decode(build.message(auth, encrypt, type=7), "rfc2367", build.byteorder)
    assert message.supported_auth is not None
    assert message.supported_encrypt is not None
    told = [(row.id, row.ivlen, row.minbits, row.maxbits) for row in message.supported_auth.algorithms]
    assert told == [(pf.AuthAlgorithm.MD5_HMAC, 0, 128, 128), (pf.AuthAlgorithm.SHA1_HMAC, 0, 160, 160)]
    (cipher,) = message.supported_encrypt.algorithms
    assert (cipher.id, cipher.ivlen) == (pf.EncryptAlgorithm.TRIPLE_DES_CBC, 8)


@pytest.mark.requirement("R-2.3.9-01")
def test_a_range_has_two_ends_and_a_reserved_word(build: Builder) -> None:
    value = SPIRange(0x11223344, 0x55667788)
    raw = MessageValue(pf.MessageType.GETSPI, extensions=(value,)).encode("rfc2367", build.byteorder)
    assert raw[16:] == build.pack("HHIII", 2, 16, 0x11223344, 0x55667788, 0)
    (message,) = pf.decode(raw, "rfc2367", build.byteorder)
    assert message.spirange == value


@pytest.mark.requirement("R-C-04")
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9])
def test_private_data_has_a_head_and_padding(build: Builder, size: int) -> None:
    data = bytes(range(1, size + 1))
    raw = MessageValue(pf.MessageType.ADD, extensions=(KMPrivate(data),)).encode("rfc2367", build.byteorder)
    words = 1 + (size + 7) // 8
    assert raw[16:] == build.pack("HHI", words, 17, 0) + data + bytes(-size % 8)


@pytest.mark.requirement("R-2.3.3-04")
@pytest.mark.parametrize("name", ["rfc2367", "linux", "illumos"])
def test_a_sockaddr_without_length_begins_with_its_family(build: Builder, name: str) -> None:
    (message,) = pf.decode(build.message(build.address(5, build.sockaddr("192.0.2.1"))), name, build.byteorder)
    assert not dialect(name).sockaddr.has_length
    assert message.encode()[24:28] == build.pack("H", 2) + bytes(2)
