"""Encoding from typed fields: reserved bytes, padding, other dialects and orders, and what does not fit."""

from __future__ import annotations

import dataclasses
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

import fastpfkey as pf
from fastpfkey.wire.extensions import (
    SA,
    Address,
    AlgorithmInfo,
    Combination,
    Identity,
    Key,
    Lifetime,
    Opaque,
    Proposal,
    Sensitivity,
    SPIRange,
    Supported,
)
from fastpfkey.wire.extensions_illumos import (
    AlgorithmDescription,
    ExtendedCombination,
    ExtendedProposal,
    ExtendedRegister,
)
from fastpfkey.wire.extensions_ipsec import (
    SA2,
    Filter,
    HardwareOffload,
    KMAddress,
    KMPrivate,
    NATTPort,
    Policy,
    PolicyRequest,
    SecurityContext,
)
from fastpfkey.wire.extensions_macos import SAStatistics, SessionID
from fastpfkey.wire.extensions_openbsd import Flow
from fastpfkey.wire.message import MessageValue
from fastpfkey.wire.sockaddr import SocketAddress
from fastpfkey.wire.value import ExtensionValue, Secret

from .build import Builder

Ext = pf.ExtensionType
END = SocketAddress(IPv4Address("192.0.2.1"))


def message(*extensions: ExtensionValue, **fields) -> MessageValue:
    return MessageValue(
        **{"type": pf.MessageType.ADD, "satype": pf.SAType.ESP, "extensions": extensions, "dialect": "linux"} | fields
    )


class TestBytes:
    def test_a_whole_message(self, build: Builder) -> None:
        """Length in words, extensions in the order given, no byte but those of the fields (R-2.1-06, R-2.1-10)."""
        value = message(
            Key.of(Ext.KEY_AUTH, b"\1\2\3"),
            SA(spi=0x01020304, replay=4, state=pf.SAState.MATURE, auth=pf.AuthAlgorithm.SHA2_256_HMAC),
            Address(Ext.ADDRESS_SRC, SocketAddress(IPv6Address("2001:db8::1"), 500, 3, 0xABCDE), 17, 64),
            errno=1,
            seq=2,
            pid=3,
            reserved=4,
        )
        expected = build.pack("BBBBHHII", 2, 3, 1, 3, 11, 4, 2, 3)
        expected += build.pack("HHHH", 2, 8, 24, 0) + b"\1\2\3" + bytes(5)
        expected += build.pack("HH", 2, 1) + b"\1\2\3\4" + build.pack("BBBBI", 4, 1, 5, 0, 0)
        expected += build.pack("HHBBH", 5, 5, 17, 64, 0) + build.pack("H", 10) + (500).to_bytes(2, "big")
        expected += b"\0\x0a\xbc\xde" + IPv6Address("2001:db8::1").packed + build.pack("I", 3) + bytes(4)
        assert value.encode(byteorder=build.byteorder) == expected

    def test_reserved_bytes_and_padding_are_zero(self) -> None:
        """Whatever they were in what was decoded (R-2.1-10, R-2.3.3-05)."""
        build = Builder()
        clean = build.message(
            build.key(8, 16, b"\1\2"),
            build.address(5, build.sockaddr("192.0.2.1")),
            build.address(6, build.sockaddr("::1")),
            build.policy(build.request(50, 1, 2, 1)),
        )
        dirty = bytearray(clean)
        # sadb_key_reserved, padding, sadb_address_reserved, sin_zero, the same of the other address, padding,
        # sadb_x_policy_reserved, sadb_x_ipsecrequest_reserved1 and 2
        for position in (22, 23, 26, 31, 38, 39, 48, 55, 62, 92, 95, 103, 118, 119, 124, 127):
            assert clean[position] == 0
            dirty[position] = 0xEE
        (read,) = pf.decode(dirty, "linux", "little")
        assert read.raw == dirty != clean
        assert read.encode() == clean

    def test_own_dialect_and_byte_order_unless_given(self) -> None:
        little, big = Builder("little"), Builder("big")
        (read,) = pf.decode(big.message(big.sa()), "linux", "big")
        assert read.encode() == big.message(big.sa())
        assert read.encode(byteorder="little") == little.message(little.sa())
        assert read.replace().encode() == read.encode(byteorder="native")

    def test_another_dialect_has_other_numbers(self) -> None:
        """ESP is 2 on OpenBSD, AES-GMAC 21 instead of 23; KAME counts the window in bytes of eight packets."""
        value = message(SA(spi=1, replay=64, encrypt=pf.EncryptAlgorithm.NULL_AES_GMAC))
        linux, openbsd, freebsd = (value.encode(name, "little") for name in ("linux", "openbsd", "freebsd"))
        assert (linux[3], linux[24], linux[27]) == (3, 64, 23)
        assert (openbsd[3], openbsd[24], openbsd[27]) == (2, 64, 21)
        assert (freebsd[3], freebsd[24], freebsd[27]) == (3, 8, 23)

    def test_sa_len_where_the_system_has_it(self) -> None:
        """R-2.3.3-03, R-2.3.3-04."""
        value = message(Address(Ext.ADDRESS_SRC, END))
        assert value.encode("linux", "little")[24:28] == b"\2\0\0\0"
        assert value.encode("freebsd", "little")[24:28] == b"\x10\2\0\0"

    def test_unknown_bytes_survive(self, build: Builder) -> None:
        raw = build.message(build.extension(41, b"\1\2\3\4\5\6\7\x08"))
        (read,) = pf.decode(raw, "linux", build.byteorder)
        assert read.replace().encode(byteorder=build.byteorder) == raw

    def test_the_smallest_structure_with_room_is_taken(self) -> None:
        """macOS: 16 bytes, or 24 as soon as one of the fields is set, be it to 0."""
        short, long = SA(spi=1), SA(spi=1, natt_port=0)
        assert len(message(short).encode("macos")) == 32
        assert len(message(long).encode("macos")) == 40
        for value in (short, long):
            assert pf.decode(message(value).encode("macos"), "macos")[0].sa == dataclasses.replace(
                value,
                **{}
                if value is short
                else dict.fromkeys(("natt_interval", "natt_offload_interval", "natt_src_port"), 0),
            )

    def test_the_longest_message(self) -> None:
        """Its length is 16 bits of words (R-2.1-06)."""
        longest = 0xFFFF * 8
        raw = message(Opaque(99, bytes(longest - 16 - 4))).encode("linux", "little")
        assert (len(raw), raw[4:6]) == (longest, b"\xff\xff")
        assert len(pf.decode(raw, "linux", "little")) == 1


class TestAbsent:
    def test_an_address_of_no_family_has_no_length(self) -> None:
        empty = Address(Ext.ADDRESS_SRC, SocketAddress(data=bytes(14)))
        for name in ("linux", "openbsd"):
            assert message(empty, satype=pf.SAType.ESP).encode(name)[24:] == bytes(16)

    def test_an_address_of_another_family_has_one(self) -> None:
        other = Address(Ext.ADDRESS_SRC, SocketAddress(af=18, data=b"abcdef"))
        raw = message(other).encode("freebsd")
        assert raw[24:32] == b"\x08\x12abcdef"
        assert pf.decode(raw, "freebsd")[0].address_src == other


def refused(*extensions: ExtensionValue, dialect: str = "linux", **fields) -> str:
    """The text of the EncodeError."""
    with pytest.raises(pf.EncodeError) as caught:
        message(*extensions, **fields).encode(dialect)
    return str(caught.value)


class TestMisfits:
    """Each names message, extension and field."""

    @pytest.mark.parametrize(
        ("extension", "text"),
        [
            (SA(spi=1 << 32), "add: sa.spi: 4294967296 does not fit 32 bits"),
            (SA(spi=-1), "add: sa.spi: -1 does not fit 32 bits"),
            (SA(spi=1 << 5000), "add: sa.spi: a number of 5001 bits does not fit 32 bits"),
            (SA(spi="1"), "add: sa.spi: a number is needed, not str"),
            (SA(spi=None), "add: sa.spi: a number is needed, not NoneType"),
            (SA(spi=1, replay=256), "add: sa.replay: 256 does not fit 8 bits"),
            (SA(spi=1, auth=pf.AuthAlgorithm.KEYED_MD5), "add: sa.auth: linux has no AuthAlgorithm KEYED_MD5"),
            (SA(spi=1, auth=7777), "add: sa.auth: linux has no AuthAlgorithm of this number"),
            (SA(spi=1, auth=1 << 70), "add: sa.auth: linux has no AuthAlgorithm of this number"),
            (
                SA(spi=1, auth=pf.EncryptAlgorithm.AES_CBC),
                "add: sa.auth: EncryptAlgorithm.AES_CBC is no AuthAlgorithm",
            ),
            (SA(spi=1, auth=pf.AuthAlgorithm.unknown(300)), "add: sa.auth: 300 does not fit 8 bits"),
            (SA(spi=1, natt_port=4500), "add: sa.natt_port: the dialect has no such field"),
            (Lifetime(Ext.LIFETIME_HARD, bytes=1 << 64), "add: lifetime-hard.bytes: 18446744073709551616 does not"),
            (Address(Ext.ADDRESS_SRC, END, prefixlen=300), "add: address-src.prefixlen: 300 does not fit 8 bits"),
            (Address(Ext.ADDRESS_SRC, None), "add: address-src.sockaddr: a SocketAddress is needed, not NoneType"),
            (
                Address(Ext.ADDRESS_SRC, dataclasses.replace(END, port=65536)),
                "add: address-src.sockaddr.port: 65536 does not fit 16 bits",
            ),
            (
                Address(Ext.ADDRESS_SRC, dataclasses.replace(END, scope=1)),
                "add: address-src.sockaddr.scope: an IPv4 address has none",
            ),
            (
                Address(Ext.ADDRESS_SRC, SocketAddress(ip_address("fe80::1%eth0"))),
                "add: address-src.sockaddr.ip: a zone in the address",
            ),
            (
                Address(Ext.ADDRESS_SRC, SocketAddress("192.0.2.1")),
                "add: address-src.sockaddr.ip: an IP address is needed, not str",
            ),
            (
                Address(Ext.ADDRESS_SRC, SocketAddress(af=2)),
                "add: address-src.sockaddr.af: there is no IP address, but linux has IP under this AF number",
            ),
            (
                Address(Ext.ADDRESS_SRC, SocketAddress(af=7, port=5)),
                "add: address-src.sockaddr.port: only an IP address has",
            ),
            (Key(Ext.KEY_AUTH, 128, Secret(b"short")), "add: key-auth.bits: the number of bits does not go with 5"),
            (Key(Ext.KEY_AUTH, 65536 * 8, Secret(bytes(65536))), "add: key-auth.bits: 524288 does not fit 16 bits"),
            (Key(Ext.KEY_AUTH, 40, b"plain"), "add: key-auth.material: a Secret is needed, not bytes"),
            (Key(Ext.KEY_AUTH, 8, Secret(b"k"), 8), "add: key-auth.extra_bits: the dialect has no such field"),
            (Identity(Ext.IDENTITY_SRC, text="a\0b"), "add: identity-src.text: the text contains a NUL"),
            (Identity(Ext.IDENTITY_SRC, text="\ud800"), "add: identity-src.text: the text cannot be written as UTF-8"),
            (Identity(Ext.IDENTITY_SRC, text=b"bytes"), "add: identity-src.text: text is needed, not bytes"),
            (Sensitivity(sens_bitmap=(1 << 64,)), "add: sensitivity.sens_bitmap: numbers of 64 bits are needed"),
            (Sensitivity(integ_bitmap=(0,) * 256), "add: sensitivity.integ_len: 256 does not fit 8 bits"),
            (
                Proposal(combinations=(Combination(), Combination(auth_minbits=65536))),
                "add: proposal.combinations[1].auth_minbits: 65536 does not fit 16 bits",
            ),
            (Proposal(combinations=[Combination()]), "add: proposal.combinations: a tuple is needed, not list"),
            (Proposal(combinations=(1,)), "add: proposal.combinations: a tuple of Combination is needed"),
            (
                Supported(Ext.SUPPORTED_AUTH, (AlgorithmInfo(pf.EncryptAlgorithm.AES_CBC),)),
                "add: supported-auth.algorithms[0].id: EncryptAlgorithm.AES_CBC is no AuthAlgorithm",
            ),
            (SPIRange(min=0, max=1.5), "add: spirange.max: a number is needed, not float"),
            (SA2(flags=1), "add: sa2.flags: the dialect has no such field"),
            (
                Policy(type=pf.PolicyType.NONE, requests=(PolicyRequest(50),)),
                "add: policy.requests: does not go with the other fields",
            ),
            (
                Policy(type=pf.PolicyType.IPSEC, requests=(PolicyRequest(50, src=END),)),
                "add: policy.requests[0].dst: a SocketAddress is needed, not NoneType",
            ),
            (
                Policy(type=pf.PolicyType.IPSEC, requests=(PolicyRequest(1 << 16),)),
                "add: policy.requests[0].proto: 65536 does not fit 16 bits",
            ),
            (SecurityContext(context=bytes(65536)), "add: sec-ctx.length: 65536 does not fit 16 bits"),
            (SecurityContext(context="text"), "add: sec-ctx.context: bytes are needed, not str"),
            (KMPrivate(data="text"), "add: kmprivate.data: bytes are needed, not str"),
            (KMPrivate(bytes(65535 * 8)), "add: kmprivate.len: 65536 does not fit 16 bits"),
            (KMAddress(END, None), "add: kmaddress.remote: a SocketAddress is needed, not NoneType"),
            (Filter(family=5), "add: filter.family: a family is 4, 6, 0 for none, or 0x8000 + AF number"),
            (Filter(saddr=bytes(4)), "add: filter.saddr: 4 bytes where 16 are needed"),
            (Opaque(1, b""), "add: unknown-1: a SA is needed, not Opaque"),
            (Opaque(1 << 16, b""), "add: unknown-32767.number: 65536 does not fit 16 bits"),
            (Opaque(99, "text"), "add: unknown-99.data: bytes are needed, not str"),
            (Opaque(99, bytes(65535 * 8)), "add: unknown-99.data: 65536 does not fit 16 bits"),
            (NATTPort(Ext.UDPENCAP, 4500), "add: udpencap: linux has no such extension"),
            (Lifetime(Ext.SA), "add: sa: a SA is needed, not Lifetime"),
            ("SA", "add: extensions: an extension is needed, not str"),
        ],
    )
    def test_on_linux(self, extension: ExtensionValue, text: str) -> None:
        assert refused(extension).startswith(text)

    @pytest.mark.parametrize(
        ("dialect", "extension", "text"),
        [
            ("freebsd", SA(spi=1, replay=33), "add: sa.replay: the number is no multiple of 8"),
            ("freebsd", SA(spi=1, replay=2048), "add: sa.replay: 256 does not fit 8 bits"),
            ("freebsd", HardwareOffload("x" * 33), "add: if-hw-offload.interface: 33 bytes of text do not fit 32"),
            ("openbsd", Address(Ext.ADDRESS_SRC, END, prefixlen=24), "add: address-src.prefixlen: the dialect has no"),
            ("openbsd", Flow("deny", pf.Direction.IN), "add: flow-type.type: a number is needed, not str"),
            (
                "openbsd",
                Lifetime(Ext.LOCAL_AUTH),
                "add: local-auth: openbsd has only a number for it, so it has to be Opaque",
            ),
            ("macos", SessionID((1,)), "add: session-id.v: as many numbers as 16 bytes hold are needed"),
            ("macos", SAStatistics(associations=(SA(spi=1),)), "add: sastat.associations: a tuple of SAStatistic"),
            (
                "illumos",
                ExtendedRegister((pf.SAType.AH, pf.SAType.UNSPEC)),
                "add: extended-register.satypes[1]: a zero would end the list",
            ),
            ("illumos", ExtendedRegister(5), "add: extended-register.satypes: a tuple is needed, not int"),
            (
                "illumos",
                ExtendedProposal(
                    combinations=(
                        ExtendedCombination(
                            algorithms=(AlgorithmDescription(algtype=1, alg=pf.EncryptAlgorithm.AES_CBC),)
                        ),
                    )
                ),
                "add: extended-proposal.combinations[0].algorithms[0].alg: EncryptAlgorithm.AES_CBC is no Auth",
            ),
            (
                "illumos",
                Key(Ext.KEY_ENCRYPT, 8, Secret(b"k"), 16, Secret(b"salt")),
                "add: key-encrypt.extra_bits: the number of bits does not go with 4 bytes",
            ),
        ],
    )
    def test_elsewhere(self, dialect: str, extension: ExtensionValue, text: str) -> None:
        assert refused(extension, dialect=dialect).startswith(text)

    def test_header(self) -> None:
        assert refused(type=pf.MessageType.ADDFLOW) == "addflow: type: linux has no MessageType ADDFLOW"
        assert refused(satype=pf.SAType.IPIP) == "add: satype: linux has no SAType IPIP"
        assert refused(seq=1 << 32) == "add: seq: 4294967296 does not fit 32 bits"
        assert refused(pid=-1) == "add: pid: -1 does not fit 32 bits"
        assert refused(errno=256) == "add: errno: 256 does not fit 8 bits"
        assert refused(reserved="x") == "add: reserved: a number is needed, not str"

    def test_length(self) -> None:
        many = [Opaque(99, bytes(65534 * 8 - 4)), Opaque(98, bytes(12))]
        assert refused(*many) == "add: len: 65538 does not fit 16 bits"

    def test_twice(self) -> None:
        """What decoding would refuse is not written (R-2.3-03)."""
        assert refused(SA(spi=1), SA(spi=2)) == "add: sa: there is one already"
        assert len(message(Opaque(99), Opaque(99)).encode()) == 32

    def test_no_text_shows_a_key(self) -> None:
        key = Key(Ext.KEY_AUTH, 999, Secret(b"top secret"))
        assert "secret" not in refused(key)
        assert "top" not in refused(Key(Ext.KEY_AUTH, 80, b"top secret"))  # type: ignore[arg-type]


def test_encryption_algorithm_in_a_message_about_compression() -> None:
    """0 means none whatever the kind; any other algorithm has to be one of compression."""
    ipcomp = {"satype": pf.SAType.IPCOMP}
    assert message(SA(spi=1), **ipcomp).encode()[27] == 0
    assert message(SA(spi=1, encrypt=pf.CompressAlgorithm.DEFLATE), **ipcomp).encode()[27] == 2
    assert "DES_CBC is no CompressAlgorithm" in refused(SA(spi=1, encrypt=pf.EncryptAlgorithm.DES_CBC), **ipcomp)
    assert "DEFLATE is no EncryptAlgorithm" in refused(SA(spi=1, encrypt=pf.CompressAlgorithm.DEFLATE))


def test_numbers_without_a_structure() -> None:
    """OpenBSD kept the numbers 26 to 29 when their structures went."""
    raw = message(Opaque(26, b"x" * 12, Ext.LOCAL_CREDENTIALS), satype=pf.SAType.ESP).encode("openbsd", "little")
    assert raw[16:20] == b"\2\0\x1a\0"
    (read,) = pf.decode(raw, "openbsd", "little")
    assert read.local_credentials == Opaque(26, b"x" * 12, Ext.LOCAL_CREDENTIALS)
    assert read.replace().encode(byteorder="little") == raw
