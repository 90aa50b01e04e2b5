"""Translation: the same facts in another system's layout, and a list of those that it has no place for."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.spec.terms import AuthAlgorithm as Auth
from fastpfkey.spec.terms import Direction, Level, MessageType, Mode, PolicyType, SAType
from fastpfkey.spec.terms import EncryptAlgorithm as Encrypt
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions import SA, Address, AlgorithmInfo, Combination, Key, Proposal, Supported
from fastpfkey.wire.extensions_ipsec import Policy, PolicyRequest, ReplayWindow
from fastpfkey.wire.message import MessageValue, MessageView
from fastpfkey.wire.sockaddr import SocketAddress
from fastpfkey.wire.value import Secret

from . import golden
from .build import ADD, Builder

SYSTEMS = [name for name in DIALECTS if name != "rfc2367"]


def read(data: bytes, name: str = "linux", byteorder: Any = "little") -> MessageView:
    (message,) = pf.decode(data, name, byteorder)
    return message


@pytest.fixture
def linux(build: Builder) -> MessageView:
    return read(
        build.message(
            build.extension(1, bytes.fromhex("01020304") + build.pack("BBBBI", 32, 1, 3, 12, 1)),
            build.lifetime(3),
            build.address(5, build.sockaddr("192.0.2.1")),
            build.address(6, build.sockaddr("192.0.2.2")),
            build.key(8, 160, b"twenty bytes of key."),
            build.key(9, 128, b"sixteen  secrets"),
            build.extension(19, build.pack("BBHII", 2, 0, 0, 0, 0)),
            build.extension(20, build.pack("BBH", 2, 0, 0)),
            build.extension(21, bytes.fromhex("11940000")),
            build.extension(22, bytes.fromhex("11950000")),
            type=ADD,
        ),
        byteorder=build.byteorder,
    )


@pytest.mark.parametrize("target", ["freebsd", "netbsd"])
def test_to_kame_nothing_is_lost(linux: MessageView, target: str) -> None:
    translation = linux.translate(target)
    assert translation.dropped == ()
    again = read(translation.message.encode(), target)
    assert again == translation.message == linux
    assert (again.sa.wire.sadb_sa_replay, linux.sa.wire.sadb_sa_replay) == (4, 32)


def test_to_openbsd_mode_and_encapsulation_move(linux: MessageView) -> None:
    with pytest.raises(pf.TranslationError, match="openbsd cannot express natt-sport") as caught:
        linux.translate("openbsd")
    assert caught.value.fields == ("natt-sport",)
    translation = linux.translate("openbsd", lossy=True)
    assert translation.dropped == caught.value.fields
    again = read(translation.message.encode(), "openbsd")
    assert again.udpencap.port == 4501
    assert again.sa.flags == 0x0001 | 0x0004 | 0x0200
    assert again.wire.sadb_msg_satype == 2
    assert again.key_encrypt == linux.key_encrypt
    back = again.translate("linux").message
    assert (back.sa2.mode, back.natt_dport, back.sa) == (pf.Mode.TUNNEL, linux.natt_dport, linux.sa)


def test_to_macos_and_illumos_ports_move(linux: MessageView) -> None:
    macos = read(linux.translate("macos").message.encode(), "macos")
    assert (macos.sa.natt_src_port, macos.sa.natt_port, macos.sa.flags) == (4500, 4501, 3)
    assert macos.sa.wire.sadb_sa_auth == 2
    assert macos.translate("linux", lossy=True).message.natt_sport == linux.natt_sport
    illumos = read(linux.translate("illumos").message.encode(), "illumos")
    assert (illumos.natt_local.port, illumos.natt_remote.port) == (4500, 4501)
    assert str(illumos.natt_remote.ip) == "192.0.2.2"
    assert illumos.translate("linux").message.natt_dport == linux.natt_dport


def test_type_and_satype_are_never_dropped(build: Builder) -> None:
    message = read(build.header(2, 18, 9), byteorder=build.byteorder)
    with pytest.raises(pf.TranslationError) as caught:
        message.translate("illumos", lossy=True)
    assert caught.value.fields == ("type spddump", "satype ipcomp")


def test_errors_go_by_name(build: Builder) -> None:
    reply = read(build.header(2, 9, 3), byteorder=build.byteorder).replace(errno=97)
    assert reply.translate("freebsd").message.errno == 47


def value(name: str, *extensions: Any, satype: Any = SAType.ESP, **header: Any) -> MessageValue:
    """A message that was built."""
    kind = header.pop("type", MessageType.ADD)
    return MessageValue(kind, satype, extensions=extensions, dialect=dialect(name), **header)


def test_one_unknown_algorithm_does_not_cost_the_others() -> None:
    """The one is named, and dropped only where losses are accepted."""
    algorithms = tuple(
        AlgorithmInfo(auth, 0, 128, 512) for auth in (Auth.MD5_HMAC, Auth.AES_XCBC_MAC, Auth.SHA2_256_HMAC)
    )
    reply = value("linux", Supported(Ext.SUPPORTED_AUTH, algorithms), type=MessageType.REGISTER)
    with pytest.raises(pf.TranslationError) as caught:
        reply.translate("openbsd")
    assert caught.value.fields == ("supported-auth.aes-xcbc-mac",)
    translation = reply.translate("openbsd", lossy=True)
    assert translation.dropped == caught.value.fields
    assert [item.id for item in translation.message.supported_auth.algorithms] == [Auth.MD5_HMAC, Auth.SHA2_256_HMAC]


def test_one_unknown_combination_does_not_cost_the_others() -> None:
    combinations = (
        Combination(Auth.SHA1_HMAC, Encrypt.CAMELLIA_CBC),
        Combination(Auth.SHA1_HMAC, Encrypt.AES_CBC, encrypt_saltbits=0),
    )
    request = value("freebsd", Proposal(32, combinations=combinations), type=MessageType.ACQUIRE)
    translation = request.translate("illumos", lossy=True)
    assert translation.dropped == ("proposal.combinations[0]",)
    assert translation.message.proposal.combinations == combinations[1:]


def test_what_a_system_says_more_of_an_algorithm_is_listed() -> None:
    supported = Supported(Ext.SUPPORTED_ENCRYPT, (AlgorithmInfo(Encrypt.AES_CBC, 16, 128, 256, 64, 32),))
    translation = value("illumos", supported, type=MessageType.REGISTER).translate("linux", lossy=True)
    names = ("increment", "saltbits")
    assert translation.dropped == tuple(f"supported-encrypt.algorithms[0].{name}" for name in names)
    assert translation.message.supported_encrypt.algorithms[0].ivlen == 16


def test_a_number_without_meaning_means_nothing_elsewhere() -> None:
    """It may have a meaning there, and would become another algorithm."""
    sa = SA(1, auth=Auth.unknown(9), encrypt=Encrypt.AES_CBC)
    translation = value("openbsd", sa).translate("linux", lossy=True)
    assert translation.dropped == ("sa.auth",)
    assert translation.message.sa.auth is Auth.NONE
    with pytest.raises(pf.TranslationError, match="cannot express type unknown-99"):
        value("linux", type=MessageType.unknown(99)).translate("freebsd", lossy=True)


def test_an_address_of_a_family_of_the_system_is_dropped_whole() -> None:
    address = Address(Ext.ADDRESS_SRC, SocketAddress(af=17, data=b"12345678"))
    translation = value("linux", address).translate("macos", lossy=True)
    assert translation.dropped == ("address-src.sockaddr", "address-src")
    assert translation.message.extensions == ()


def test_request_ids_beyond_16_bits_cost_only_themselves() -> None:
    request = PolicyRequest(50, Mode.TRANSPORT, Level.UNIQUE, reqid=70000)
    policy = Policy(PolicyType.IPSEC, Direction.OUT, requests=(request,))
    translation = value("linux", policy, type=MessageType.SPDADD, satype=SAType.UNSPEC).translate("freebsd", lossy=True)
    assert translation.dropped == ("policy.requests[0].reqid",)
    assert translation.message.policy.requests[0].level is Level.UNIQUE


def test_a_mode_that_a_request_cannot_have_costs_the_policy() -> None:
    """Another mode would be another policy."""
    policy = Policy(PolicyType.IPSEC, Direction.OUT, requests=(PolicyRequest(50, Mode.BEET, Level.USE),))
    translation = value("linux", policy, type=MessageType.SPDADD, satype=SAType.UNSPEC).translate("freebsd", lossy=True)
    assert translation.dropped == ("policy.requests[0].mode", "policy")
    assert translation.message.policy is None


class TestWindow:
    """Packets on some systems, bytes of bitmap on others, both on FreeBSD."""

    def test_of_freebsd_elsewhere(self) -> None:
        message = value("freebsd", SA(1, 2040), ReplayWindow(2048))
        translation = message.translate("linux", lossy=True)
        assert (translation.dropped, translation.message.replay) == (("sa.replay",), 0)
        assert message.replace(extensions=(SA(1, 32), ReplayWindow(36))).translate("linux").message.sa == SA(1, 36)

    def test_that_bytes_of_bitmap_cannot_say(self) -> None:
        message = value("linux", SA(1, 17))
        assert message.translate("freebsd").message.extensions == (SA(1, 16), ReplayWindow(17))
        assert message.translate("freebsd").message.replay == 17
        assert message.translate("netbsd", lossy=True).dropped == ("sa.replay",)


class TestEncapsulation:
    ENDS = (
        Address(Ext.ADDRESS_SRC, SocketAddress(ip_address("192.0.2.1"))),
        Address(Ext.ADDRESS_DST, SocketAddress(ip_address("192.0.2.2"))),
    )

    def of_illumos(self, local: str, remote: str) -> MessageValue:
        natt = (
            Address(Ext.NATT_LOCAL, SocketAddress(ip_address(local), 4500)),
            Address(Ext.NATT_REMOTE, SocketAddress(ip_address(remote), 4501)),
        )
        return value("illumos", SA(1, flags=0x00180000), *self.ENDS, *natt)

    def test_the_original_address_of_illumos(self) -> None:
        """The address behind the NAT is kept where there is room for it, and listed where there is none."""
        message = self.of_illumos("192.0.2.1", "10.0.0.7")
        linux = message.translate("linux").message
        assert (str(linux.natt_oa.ip), linux.natt_sport.port, linux.natt_dport.port) == ("10.0.0.7", 4500, 4501)
        assert linux.translate("illumos").message.natt_remote == message.natt_remote
        assert message.translate("macos", lossy=True).dropped == ("natt-oa",)
        assert message.translate("openbsd", lossy=True).dropped == ("natt-oa", "natt-sport")

    def test_an_address_that_says_nothing_new(self) -> None:
        translation = self.of_illumos("192.0.2.1", "192.0.2.2").translate("linux")
        assert translation.message.natt_oa is None

    def test_an_own_address_behind_a_nat(self) -> None:
        translation = self.of_illumos("10.0.0.9", "192.0.2.2").translate("linux", lossy=True)
        assert translation.dropped == ("natt-local",)

    def test_where_there_is_none(self, linux: MessageView) -> None:
        translation = linux.translate("rfc2367", lossy=True)
        assert translation.dropped == ("natt-type", "natt-sport", "natt-dport", "sa.encrypt", "sa2")


def test_salt_behind_a_key_goes_into_it() -> None:
    """illumos reports key and salt apart, and takes them together, as everyone does."""
    key = Key(Ext.KEY_ENCRYPT, 128, Secret(bytes(range(16))), 32, Secret(b"salt"))
    linux = value("illumos", SA(1, encrypt=Encrypt.AES_GCM_ICV16), key).translate("linux").message
    assert linux.key_encrypt == Key(Ext.KEY_ENCRYPT, 160, Secret(bytes(range(16)) + b"salt"))


def test_an_initialisation_vector_in_a_key_does_not_become_part_of_it() -> None:
    key = Key(Ext.KEY_ENCRYPT, 192, Secret(bytes(range(24))), 64)
    translation = value("illumos", SA(1), key).translate("linux", lossy=True)
    assert translation.dropped == ("key-encrypt.extra_bits",)
    assert translation.message.key_encrypt == Key(Ext.KEY_ENCRYPT, 128, Secret(bytes(range(16))))


def test_a_reference_count_stays_where_there_are_such() -> None:
    message = value("freebsd", type=MessageType.GET, reserved=3)
    assert message.translate("linux").message.reserved == 3
    for target in ("openbsd", "illumos", "rfc2367"):
        translation = message.translate(target, lossy=True)
        assert (translation.dropped, translation.message.reserved) == (("reserved",), 0)


def test_flags_of_combinations_go_by_name() -> None:
    """One bit is another flag on macOS than on OpenBSD and FreeBSD."""
    proposal = Proposal(combinations=(Combination(flags=0x0400),))
    translation = value("macos", proposal, type=MessageType.ACQUIRE).translate("freebsd", lossy=True)
    assert translation.dropped == ("proposal.combinations[0].flags.SADB_X_EXT_IIV",)
    translation = value("openbsd", proposal, type=MessageType.ACQUIRE).translate("freebsd")
    assert translation.message.proposal.combinations[0].flags == 0x0400


@pytest.mark.parametrize("target", SYSTEMS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_golden_message_is_translated_or_refused(name: str, target: str) -> None:
    """What comes out can be written, says no more than was said to be kept, and is the same within one system."""
    for item in golden.messages(name, "little"):
        message = read(bytes.fromhex(item["hex"]), name)
        try:
            translation = message.translate(target, lossy=True)
        except pf.TranslationError as error:
            refused = error.fields
        else:
            refused = ()
        if refused:
            assert name != target
            assert all(field.startswith(("type ", "satype ", "payload", "policy.", "address-")) for field in refused)
            continue
        assert translation.message.dialect is dialect(target)
        again = read(translation.message.encode(byteorder="little"), target)
        assert again == translation.message
        if name == target:
            assert translation == pf.Translation(message.replace(), ())
        if translation.dropped:
            with pytest.raises(pf.TranslationError):
                message.translate(target)
