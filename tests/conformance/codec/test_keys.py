"""Keys and algorithms: RFC 2367, sections 1.1, 2.3.1, 2.3.4, 2.3.7 and 3.5."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from wire.build import ADD, AH, ESP, IPCOMP, Builder

import fastpfkey as pf
from fastpfkey.spec import dialect
from fastpfkey.spec.grammar import grammar
from fastpfkey.spec.grammar_keys import DES_SUBKEYS
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions import SA, Address, Combination, Key, Lifetime, Proposal
from fastpfkey.wire.message import MessageValue
from fastpfkey.wire.sockaddr import SocketAddress
from fastpfkey.wire.value import Secret

Auth, Encrypt = pf.AuthAlgorithm, pf.EncryptAlgorithm


@pytest.mark.requirement("R-2.3.4-02", "R-2.3.4-03", "R-2.3.4-05")
def test_keys_come_and_go_byte_for_byte(build: Builder) -> None:
    """Of 3DES the three keys, one after another, as they were submitted."""
    first, second, third = (bytes(range(start, start + 8)) for start in (0x10, 0x20, 0x30))
    auth = bytes(range(0x40, 0x54))
    raw = build.message(build.key(8, 160, auth), build.key(9, 192, first + second + third), type=ADD)
    (message,) = pf.decode(raw, "linux", build.byteorder)
    assert message.key_auth is not None
    assert message.key_encrypt is not None
    assert message.key_auth.reveal() == auth
    assert message.key_encrypt.reveal() == first + second + third
    assert message.replace().encode(byteorder=build.byteorder) == raw


@pytest.mark.requirement("R-2.3.4-06")
def test_the_algorithm_tells_where_each_key_ends() -> None:
    """All three keys of 3DES are as long as the one of DES."""
    lengths = grammar(dialect("rfc2367")).keys.encrypt
    for algorithm, count in DES_SUBKEYS.items():
        assert lengths[algorithm].allow(64 * count)
        assert not lengths[algorithm].allow(56 * count)
        assert lengths[algorithm].shortest == lengths[algorithm].longest


@pytest.mark.requirement("R-2.3.4-08")
def test_a_key_of_22_bits_takes_three_bytes_and_five_of_padding(build: Builder) -> None:
    value = Key(Ext.KEY_AUTH, 22, Secret(b"\xab\xcd\xec"))
    raw = MessageValue(pf.MessageType.ADD, extensions=(value,)).encode("rfc2367", build.byteorder)
    assert raw[16:] == build.pack("HHHH", 2, 8, 22, 0) + b"\xab\xcd\xec" + bytes(5)
    (message,) = pf.decode(raw, "rfc2367", build.byteorder)
    assert message.key_auth == value


@pytest.mark.requirement("R-2.3.4-09")
@pytest.mark.parametrize(("bits", "octets"), [(65, 8), (129, 16), (0xFFFF, 24)])
def test_bits_fit_into_the_extension(build: Builder, bits: int, octets: int) -> None:
    with pytest.raises(pf.MalformedError) as caught:
        pf.decode(build.message(build.key(8, bits, bytes(octets))), "rfc2367", build.byteorder)
    assert caught.value.fault is pf.Fault.KEY_OVERRUN
    with pytest.raises(pf.EncodeError, match="bits"):
        MessageValue(pf.MessageType.ADD, extensions=(Key(Ext.KEY_AUTH, bits, Secret(bytes(octets))),)).encode("rfc2367")


@pytest.mark.requirement("R-3.5-01")
def test_a_number_means_what_the_sa_type_makes_of_it(build: Builder) -> None:
    meant = {}
    for satype in (AH, ESP, IPCOMP):
        (message,) = pf.decode(build.message(build.sa(encrypt=2), satype=satype), "linux", build.byteorder)
        assert message.sa is not None
        meant[satype] = message.sa.encrypt
    assert meant[ESP] is Encrypt.DES_CBC
    assert meant[IPCOMP] is pf.CompressAlgorithm.DEFLATE


@pytest.mark.requirement("R-1.1-02")
def test_one_number_may_stand_for_a_bundle() -> None:
    """AES-GCM encrypts and authenticates with one key, and an association is complete with it."""
    sa = SA(0x1000, 32, pf.SAState.MATURE, Auth.NONE, Encrypt.AES_GCM_ICV16)
    limits = (Lifetime(Ext.LIFETIME_HARD, addtime=3600), Lifetime(Ext.LIFETIME_SOFT, addtime=3000))
    src = Address(Ext.ADDRESS_SRC, SocketAddress(ip_address("192.0.2.1")))
    dst = Address(Ext.ADDRESS_DST, SocketAddress(ip_address("192.0.2.2")))
    parts = (sa, *limits, src, dst, Key.of(Ext.KEY_ENCRYPT, bytes(range(20))))
    add = MessageValue(pf.MessageType.ADD, pf.SAType.ESP, extensions=parts, dialect=dialect("freebsd"))
    assert pf.check(add) == []
    divided = SA(0x1000, 32, pf.SAState.MATURE, Auth.SHA1_HMAC, Encrypt.AES_CBC)
    assert {item.extension for item in pf.check(add.replace(extensions=(divided, *parts[1:-1])))} == {
        Ext.KEY_AUTH,
        Ext.KEY_ENCRYPT,
    }


@pytest.mark.requirement("R-1.1-03")
def test_a_construction_has_a_number_and_a_key_length_has_none() -> None:
    for name in ("linux", "freebsd", "illumos"):
        numbers = dialect(name).terms["encrypt"].numbers
        assert numbers[Encrypt.DES_CBC] != numbers[Encrypt.TRIPLE_DES_CBC]
        assert len({numbers[item] for item in numbers}) == len(numbers)
        lengths = grammar(dialect(name)).keys.encrypt[Encrypt.AES_CBC]
        assert [bits for bits in range(600) if lengths.allow(bits)] == [128, 192, 256]
    numbers = dialect("netbsd").terms["auth"].numbers
    assert numbers[Auth.KEYED_MD5] != numbers[Auth.MD5_HMAC] != numbers[Auth.SHA1_HMAC]


@pytest.mark.requirement("R-3.9-01", "R-2.3.7-11", "R-3.2-01")
@pytest.mark.parametrize("name", ["rfc2367", "linux", "openbsd", "macos", "illumos"])
def test_combinations_have_the_numbers_and_flags_of_associations(build: Builder, name: str) -> None:
    sa = SA(1, auth=Auth.SHA1_HMAC, encrypt=Encrypt.TRIPLE_DES_CBC, flags=1)
    combination = Combination(sa.auth, Encrypt.TRIPLE_DES_CBC, sa.flags)
    parts = (sa, Proposal(combinations=(combination,)))
    raw = MessageValue(pf.MessageType.ACQUIRE, pf.SAType.ESP, extensions=parts).encode(name, build.byteorder)
    assert raw[16 + 10 : 16 + 12] == raw[32 + 8 : 32 + 10]
    assert raw[16 + 12 : 16 + 16] == build.pack("I", 1)
    assert raw[32 + 10 : 32 + 12] == build.pack("H", 1)
    (message,) = pf.decode(raw, name, build.byteorder)
    assert message.sa == sa
    assert message.proposal is not None
    (found,) = message.proposal.combinations
    assert (found.auth, found.encrypt, found.flags) == (sa.auth, sa.encrypt, sa.flags)
    assert dialect("rfc2367").flags["SADB_SAFLAGS_PFS"] == 1
