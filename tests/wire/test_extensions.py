"""Each extension of RFC 2367 and Linux, from bytes packed by hand in both byte orders."""

from __future__ import annotations

import struct
from ipaddress import ip_address

import pytest

import fastpfkey as pf
from fastpfkey.wire.extensions import (
    SA,
    AlgorithmInfo,
    Combination,
    Identity,
    Lifetime,
    Opaque,
    Proposal,
    Sensitivity,
    SPIRange,
    Supported,
)
from fastpfkey.wire.extensions_ipsec import (
    SA2,
    Filter,
    KMAddress,
    KMPrivate,
    NATTEncapsulation,
    NATTPort,
    Policy,
    PolicyRequest,
    SecurityContext,
)
from fastpfkey.wire.sockaddr import SocketAddress

from .build import ADD, ESP, IPCOMP, REGISTER, Builder

Ext = pf.ExtensionType
Auth, Encrypt, Compress = pf.AuthAlgorithm, pf.EncryptAlgorithm, pf.CompressAlgorithm


def read(build: Builder, extension: bytes, satype: int = ESP, type: int = ADD):
    """The only extension of a message; it also has to come back from encoding as it was."""
    raw = build.message(extension, satype=satype, type=type)
    (message,) = pf.decode(raw, "linux", build.byteorder)
    (value,) = message.extensions
    assert message.replace().encode(byteorder=build.byteorder) == raw
    return value


class TestAssociation:
    def test_fields(self, build: Builder) -> None:
        """The SPI is in network order on every host (R-2.3.1-03)."""
        assert read(build, build.sa(0x01020304)) == SA(
            spi=0x01020304,
            replay=32,
            state=pf.SAState.MATURE,
            auth=Auth.SHA1_HMAC,
            encrypt=Encrypt.AES_CBC,
            flags=0x40000000,
        )

    def test_encrypt_is_the_compression_of_ipcomp(self, build: Builder) -> None:
        """What a number means depends on the SA type (R-3.5-01)."""
        sa = read(build, build.sa(encrypt=2), satype=IPCOMP)
        assert sa.encrypt is Compress.DEFLATE
        assert read(build, build.sa(encrypt=2)).encrypt is Encrypt.DES_CBC

    def test_unknown_algorithms_survive(self, build: Builder) -> None:
        sa = read(build, build.sa(encrypt=99), satype=IPCOMP)
        assert isinstance(sa.encrypt, Compress)
        assert (sa.encrypt, sa.encrypt.label) == (0x8000 + 99, "unknown-99")


@pytest.mark.parametrize("number", [2, 3, 4])
def test_lifetime(build: Builder, number: int) -> None:
    """64 bits of time (R-2.3.2-08)."""
    top = 0xFFFFFFFFFFFFFFFE
    value = read(build, build.extension(number, build.pack("IQQQ", 0xFFFFFFFF, top, 1 << 40, 7)))
    assert value == Lifetime(Ext(number), allocations=0xFFFFFFFF, bytes=top, addtime=1 << 40, usetime=7)


class TestAddress:
    @pytest.mark.parametrize("number", [5, 6, 7, 23])
    def test_ipv4(self, build: Builder, number: int) -> None:
        value = read(build, build.address(number, build.sockaddr("192.0.2.17", 0x1F90), proto=17, prefixlen=24))
        assert value.exttype == {5: Ext.ADDRESS_SRC, 6: Ext.ADDRESS_DST, 7: Ext.ADDRESS_PROXY, 23: Ext.NATT_OA}[number]
        assert (value.ip, value.port, value.family) == (ip_address("192.0.2.17"), 0x1F90, 4)
        assert (value.proto, value.prefixlen, value.scope, value.flowinfo) == (17, 24, 0, 0)

    def test_ipv6(self, build: Builder) -> None:
        """The scope is in host order, port and flow information are in network order."""
        value = read(build, build.address(5, build.sockaddr("fe80::17", 500, scope=0x01020304, flowinfo=0x000A0B0C)))
        assert (value.ip, value.port, value.family) == (ip_address("fe80::17"), 500, 6)
        assert (value.scope, value.flowinfo) == (0x01020304, 0x000A0B0C)

    def test_no_family(self, build: Builder) -> None:
        value = read(build, build.address(5, bytes(16)))
        assert (value.ip, value.family, value.port) == (None, 0, 0)

    def test_other_family(self, build: Builder) -> None:
        """Nothing is known of it but its number and that its bytes reach to the end."""
        value = read(build, build.address(5, build.pack("H", 17) + b"netlink-or-so!"))
        assert (value.ip, value.family) == (None, 0x8000 + 17)
        assert value.sockaddr == SocketAddress(af=17, data=b"netlink-or-so!")

    def test_largest_family_number(self, build: Builder) -> None:
        value = read(build, build.address(5, build.pack("H", 0xFFFF) + bytes(14)))
        assert (value.family, value.sockaddr.af) == (0xFFFF, 0xFFFF)


@pytest.mark.parametrize(("bits", "size"), [(0, 0), (1, 1), (22, 3), (127, 16), (128, 16), (448, 56)])
def test_key(build: Builder, bits: int, size: int) -> None:
    """As many bytes as hold the bits (R-2.3.4-08)."""
    material = bytes(range(1, size + 1))
    value = read(build, build.key(9, bits, material))
    assert (value.exttype, value.bits, value.reveal()) == (Ext.KEY_ENCRYPT, bits, material)
    assert (value.extra_bits, value.extra) == (None, None)


class TestIdentity:
    @pytest.mark.parametrize(
        ("kind", "term"),
        [
            (1, pf.IdentityType.PREFIX),
            (2, pf.IdentityType.FQDN),
            (3, pf.IdentityType.USERFQDN),
            (9, pf.IdentityType.unknown(9)),
        ],
    )
    def test_fields(self, build: Builder, kind: int, term: pf.IdentityType) -> None:
        """The number has 64 bits (R-2.3.5-02)."""
        value = read(build, build.identity(10, kind, 0x0102030405060708, b"gw.example.net\0"))
        assert value == Identity(Ext.IDENTITY_SRC, term, 0x0102030405060708, "gw.example.net")

    def test_no_text_is_not_an_empty_text(self, build: Builder) -> None:
        """R-2.3.5-04."""
        assert read(build, build.identity(11, 2, 7, b"")).text is None
        assert read(build, build.identity(11, 2, 7, bytes(8))).text == ""

    def test_text_that_is_no_utf8_survives(self, build: Builder) -> None:
        assert read(build, build.identity(10, 2, 0, b"caf\xe9\0")).text == "caf\udce9"

    def test_text_without_its_nul_ends_with_the_extension(self) -> None:
        build = Builder()
        (message,) = pf.decode(build.message(build.identity(10, 2, 0, b"eightlet")), "linux", "little")
        assert message.identity_src is not None
        assert message.identity_src.text == "eightlet"


def test_sensitivity(build: Builder) -> None:
    """Two bitmaps of 64-bit words, the sensitivity's first (R-2.3.6-01)."""
    words = build.pack("QQQ", 0x0102030405060708, 2, 3)
    value = read(build, build.extension(12, build.pack("IBBBBI", 0x80000001, 5, 2, 6, 1, 0) + words))
    assert value == Sensitivity(
        dpd=0x80000001, sens_level=5, integ_level=6, sens_bitmap=(0x0102030405060708, 2), integ_bitmap=(3,)
    )


def test_proposal(build: Builder) -> None:
    """Combinations keep their order (R-2.3.7-02)."""
    first = build.pack("BBHHHHHIIIQQQQQQ", 3, 12, 1, 160, 161, 128, 256, 0, 1, 2, 3, 4, 5, 6, 7, 8)
    second = build.pack("BBHHHHHIIIQQQQQQ", 251, 0, *[0] * 14)
    value = read(build, build.extension(13, bytes([32, 0, 0, 0]) + first + second))
    assert value == Proposal(
        replay=32,
        combinations=(
            Combination(
                auth=Auth.SHA1_HMAC,
                encrypt=Encrypt.AES_CBC,
                flags=1,
                auth_minbits=160,
                auth_maxbits=161,
                encrypt_minbits=128,
                encrypt_maxbits=256,
                soft_allocations=1,
                hard_allocations=2,
                soft_bytes=3,
                hard_bytes=4,
                soft_addtime=5,
                hard_addtime=6,
                soft_usetime=7,
                hard_usetime=8,
            ),
            Combination(auth=Auth.NULL),
        ),
    )


@pytest.mark.parametrize(("number", "kind"), [(14, Auth), (15, Encrypt)])
@pytest.mark.parametrize("satype", [ESP, IPCOMP])
def test_supported(build: Builder, number: int, kind: type[pf.AuthAlgorithm], satype: int) -> None:
    """What the ids are follows from the extension alone."""
    rows = build.pack("BBHHH", 2, 8, 64, 128, 0) + build.pack("BBHHH", 199, 0, 1, 2, 0)
    value = read(build, build.extension(number, build.pack("I", 0) + rows), satype, REGISTER)
    assert value == Supported(
        Ext(number), (AlgorithmInfo(kind(2), 8, 64, 128), AlgorithmInfo(kind.unknown(199), 0, 1, 2))
    )
    assert {type(item.id) for item in value.algorithms} == {kind}


def test_empty_lists(build: Builder) -> None:
    assert read(build, build.extension(13, bytes(4))) == Proposal()
    assert read(build, build.extension(14, bytes(4))).algorithms == ()


def test_spirange(build: Builder) -> None:
    """In host order, although the ends are SPIs (R-2.3.9-01)."""
    value = read(build, build.extension(16, build.pack("III", 0x100, 0xF0000000, 0)))
    assert value == SPIRange(min=0x100, max=0xF0000000)


@pytest.mark.parametrize("data", [b"", b"8 octets", bytes(16)])
def test_kmprivate(build: Builder, data: bytes) -> None:
    """Its data begins behind eight bytes (R-C-04)."""
    assert read(build, build.extension(17, bytes(4) + data)) == KMPrivate(data)


class TestPolicy:
    def test_requests_with_and_without_ends(self, build: Builder) -> None:
        four = build.sockaddr("192.0.2.1") + build.sockaddr("192.0.2.2", 4500)
        six = build.sockaddr("2001:db8::1", scope=3) + build.sockaddr("2001:db8::2")
        value = read(
            build,
            build.policy(
                build.request(50, 2, 3, 0x01020304, four),
                build.request(51, 1, 2, 0),
                build.request(108, 2, 1, 7, six),
            ),
        )
        assert value == Policy(
            type=pf.PolicyType.IPSEC,
            dir=pf.Direction.OUT,
            id=0x0A0B0C0D,
            priority=7,
            requests=(
                PolicyRequest(
                    50,
                    pf.Mode.TUNNEL,
                    pf.Level.UNIQUE,
                    0x01020304,
                    SocketAddress(ip_address("192.0.2.1")),
                    SocketAddress(ip_address("192.0.2.2"), 4500),
                ),
                PolicyRequest(51, pf.Mode.TRANSPORT, pf.Level.REQUIRE),
                PolicyRequest(
                    108,
                    pf.Mode.TUNNEL,
                    pf.Level.USE,
                    7,
                    SocketAddress(ip_address("2001:db8::1"), scope=3),
                    SocketAddress(ip_address("2001:db8::2")),
                ),
            ),
        )

    def test_ends_of_two_families(self, build: Builder) -> None:
        ends = build.sockaddr("192.0.2.1") + build.sockaddr("2001:db8::2")
        raw = build.request(50, 2, 2, 1, ends + bytes(4))  # 16 + 16 + 28 bytes, padded
        (request,) = read(build, build.policy(raw)).requests
        assert (request.src.ip, request.dst.ip) == (ip_address("192.0.2.1"), ip_address("2001:db8::2"))

    def test_end_of_unknown_family_hides_the_other(self, build: Builder) -> None:
        (request,) = read(build, build.policy(build.request(50, 2, 2, 1, build.pack("H", 77) + bytes(30)))).requests
        assert (request.src, request.dst) == (SocketAddress(af=77, data=bytes(30)), None)

    @pytest.mark.parametrize("kind", [0, 1, 3, 4, 99])
    def test_only_ipsec_has_requests(self, build: Builder, kind: int) -> None:
        assert read(build, build.policy(kind=kind)).requests == ()
        (message,) = pf.decode(
            build.message(build.policy(build.request(50, 2, 2, 1), kind=kind)), "linux", build.byteorder
        )
        assert message.policy is not None
        assert message.policy.requests == ()

    def test_leftovers_behind_the_requests_are_tolerated(self, build: Builder) -> None:
        raw = build.message(build.policy(build.request(50, 1, 2, 1), bytes(8)))
        (message,) = pf.decode(raw, "linux", build.byteorder)
        assert message.policy is not None
        assert len(message.policy.requests) == 1


def test_sa2(build: Builder) -> None:
    value = read(build, build.extension(19, build.pack("BBHII", 3, 0, 0, 0x01020304, 0x05060708)))
    assert value == SA2(mode=pf.Mode.BEET, reqid=0x05060708, sequence=0x01020304)


def test_natt(build: Builder) -> None:
    """Ports are in network order."""
    assert read(build, build.extension(20, bytes([2, 0, 0, 0]))) == NATTEncapsulation(pf.NATTType.ESPINUDP)
    for number, exttype in ((21, Ext.NATT_SPORT), (22, Ext.NATT_DPORT)):
        value = read(build, build.extension(number, struct.pack(">HH", 4500, 0)))
        assert value == NATTPort(exttype, 4500)


@pytest.mark.parametrize("context", [b"", b"system_u:object_r:ipsec_spd_t:s0\0", b"\xff\xfe\0\0"])
def test_security_context(build: Builder, context: bytes) -> None:
    value = read(build, build.extension(24, build.pack("BBH", 1, 2, len(context)) + context))
    assert value == SecurityContext(algorithm=1, doi=2, context=context)


class TestKMAddress:
    def test_local_and_remote(self, build: Builder) -> None:
        ends = build.sockaddr("192.0.2.1", 500) + build.sockaddr("2001:db8::2", 4500)
        value = read(build, build.extension(25, build.pack("I", 0) + ends))
        assert value == KMAddress(
            SocketAddress(ip_address("192.0.2.1"), 500), SocketAddress(ip_address("2001:db8::2"), 4500)
        )

    def test_local_of_unknown_family_hides_remote(self, build: Builder) -> None:
        value = read(build, build.extension(25, build.pack("IH", 0, 88) + bytes(30)))
        assert value == KMAddress(SocketAddress(af=88, data=bytes(30)), None)


@pytest.mark.parametrize(
    ("number", "family", "src", "dst"),
    [(2, 4, "10.0.0.0", "10.1.0.0"), (10, 6, "2001:db8::", "2001:db8:1::"), (0, 0, None, None)],
)
def test_filter(build: Builder, number: int, family: int, src: str | None, dst: str | None) -> None:
    """Addresses are bytes in network order, the family is a number in host order."""
    raw = [ip_address(text).packed.ljust(16, b"\0") if text else bytes(16) for text in (src, dst)]
    value = read(build, build.extension(26, raw[0] + raw[1] + build.pack("HBB", number, 8, 16)))
    assert value == Filter(family=family, saddr=raw[0], splen=8, daddr=raw[1], dplen=16)
    assert [value.src, value.dst] == [ip_address(text) if text else None for text in (src, dst)]


@pytest.mark.parametrize("number", [0, 27, 63, 64, 0x7FFF, 0x8000, 0xFFFF])
def test_unknown_type(build: Builder, number: int) -> None:
    """Kept as bytes, with its number, and written back (R-2.3-08)."""
    value = read(build, build.extension(number, b"\1\2\3\4" + bytes(8)))
    assert value == Opaque(number, b"\1\2\3\4" + bytes(8))
    assert value.exttype == Ext.unknown(number)
    assert value.wire.sadb_ext_type == number
    assert repr(value) == f"Opaque(number={number}, data=<12 bytes>, exttype=UNKNOWN_{min(number, 0x7FFF)})"
