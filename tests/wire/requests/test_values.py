"""What natural values mean, and what is said of those that mean nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.wire.extensions import Identity, Key, Proposal
from fastpfkey.wire.extensions_openbsd import Tag
from fastpfkey.wire.sockaddr import SocketAddress
from fastpfkey.wire.value import Secret

SECRET = bytes.fromhex("5ec2e75ec2e75ec2e75ec2e75ec2e75e")


def esp(dialect: str = "linux", **association: Any) -> Any:
    """An association with these facts."""
    return requests.add("esp", 0x1001, "192.0.2.1", "192.0.2.2", dialect=dialect, **association)


@pytest.mark.parametrize(
    ("value", "ip", "prefixlen", "port", "scope"),
    [
        ("192.0.2.1", "192.0.2.1", 32, 0, 0),
        ("192.0.2.1/32", "192.0.2.1", 32, 0, 0),
        ("10.0.0.1/8", "10.0.0.1", 8, 0, 0),
        ("10.0.0.0/8[443]", "10.0.0.0", 8, 443, 0),
        ("10.0.0.0/8[any]", "10.0.0.0", 8, 0, 0),
        (("10.0.0.0/8", 443), "10.0.0.0", 8, 443, 0),
        ("2001:db8::1", "2001:db8::1", 128, 0, 0),
        ("fe80::1%3/64[500]", "fe80::1", 64, 500, 3),
        (IPv6Address("fe80::1%3"), "fe80::1", 128, 0, 3),
        (IPv4Address("192.0.2.1"), "192.0.2.1", 32, 0, 0),
        (ip_network("10.0.0.0/8"), "10.0.0.0", 8, 0, 0),
        ((ip_interface("10.0.0.1/8"), 25), "10.0.0.1", 8, 25, 0),
        (SocketAddress(IPv4Address("192.0.2.1"), 25), "192.0.2.1", 32, 25, 0),
        ("::/0", "::", 0, 0, 0),
    ],
)
def test_addresses(value: Any, ip: str, prefixlen: int, port: int, scope: int) -> None:
    message = requests.spdadd(value, value, requests.policy("out", "none"), dialect="linux")
    for found in (message.address_src, message.address_dst):
        assert found is not None
        assert (found.ip, found.prefixlen, found.port, found.scope) == (ip_address(ip), prefixlen, port, scope)


def test_a_host_has_the_prefix_that_its_system_gives_to_hosts() -> None:
    told = {name: requests.get("esp", 256, "192.0.2.1", "192.0.2.2", dialect=name).address_src for name in SYSTEMS}
    lengths = {name: found.prefixlen for name, found in told.items() if found is not None}
    assert lengths == dict.fromkeys(SYSTEMS, 32) | {"openbsd": 0, "illumos": 0}


SYSTEMS = ("rfc2367", "linux", "freebsd", "netbsd", "openbsd", "macos", "illumos")


@pytest.mark.parametrize("value", ["aes-cbc", "AES_CBC", pf.EncryptAlgorithm.AES_CBC, 12])
def test_terms(value: Any) -> None:
    assert esp(encrypt=value).sa.encrypt is pf.EncryptAlgorithm.AES_CBC


def test_a_number_without_a_meaning_has_a_name() -> None:
    assert esp(auth="unknown-17").sa.auth == pf.AuthAlgorithm.unknown(17)
    assert pf.decode(esp(auth="unknown-17").encode(), "linux")[0].wire.sadb_msg_type == 3


@pytest.mark.parametrize(
    "value", [SECRET, bytearray(SECRET), memoryview(SECRET), SECRET.hex(), "0x" + SECRET.hex(), SECRET.hex(" ")]
)
def test_keys(value: Any) -> None:
    key = esp(encrypt="aes-cbc", encrypt_key=value).key_encrypt
    assert key == Key(pf.ExtensionType.KEY_ENCRYPT, 128, Secret(SECRET))
    assert esp(encrypt="aes-cbc", encrypt_key=key).key_encrypt == key
    assert esp(encrypt="aes-cbc", encrypt_key=Secret(SECRET)).key_encrypt == key


def test_times() -> None:
    assert esp(hard=timedelta(hours=1)).lifetime_hard == esp(hard=3600).lifetime_hard
    assert esp(hard=requests.limits(addtime=3600)).lifetime_hard == esp(hard=3600).lifetime_hard


@pytest.mark.parametrize(
    ("value", "type", "text"),
    [
        ("vpn.example", "fqdn", "vpn.example"),
        ("alice@example.net", "userfqdn", "alice@example.net"),
        ("10.0.0.0/8", "prefix", "10.0.0.0/8"),
        (ip_interface("10.0.0.1/8"), "prefix", "10.0.0.1/8"),
        (("fqdn", "10.0.0.0/33"), "fqdn", "10.0.0.0/33"),
        ("192.0.2.1", "prefix", "192.0.2.1/32"),
        (IPv6Address("2001:db8::1"), "prefix", "2001:db8::1/128"),
        (ip_network("10.0.0.0/8"), "prefix", "10.0.0.0/8"),
        (("userfqdn", "root"), "userfqdn", "root"),
        (Identity(pf.ExtensionType.IDENTITY_DST, pf.IdentityType.FQDN, text="a"), "fqdn", "a"),
    ],
)
def test_identities(value: Any, type: str, text: str) -> None:
    found = esp(src_identity=value).identity_src
    assert (found.type.label, found.text) == (type, text)


def test_limits_come_in_pairs_where_the_system_wants_both() -> None:
    for name in SYSTEMS:
        both = name in ("linux", "freebsd", "netbsd", "macos")
        hard, soft = esp(name, hard=60), esp(name, soft=60)
        assert (hard.lifetime_soft is not None, soft.lifetime_hard is not None) == (both, both)
        assert esp(name).lifetime_hard is esp(name).lifetime_soft is None


def test_null_has_a_key_of_no_bits_where_the_system_wants_one() -> None:
    for name in SYSTEMS:
        key = esp(name, encrypt="null").key_encrypt
        assert (key is not None) == (name in ("linux", "freebsd", "netbsd", "macos"))
        assert key is None or key.bits == 0


def test_the_mode_goes_to_where_the_system_has_it() -> None:
    for name in ("linux", "freebsd", "netbsd", "macos"):
        assert esp(name, mode="tunnel", reqid=5).sa2.mode is pf.Mode.TUNNEL
    for name, flag in (("openbsd", 0x4), ("illumos", 0x20000)):
        message = esp(name, mode="tunnel")
        assert (message.sa.flags, message.sa2) == (flag, None)
        assert (esp(name, mode="transport").sa.flags, esp(name, mode="any").sa.flags) == (0, 0)


def test_encapsulation_goes_to_where_the_system_has_it() -> None:
    natt = requests.natt(0, 4501)
    for name in ("linux", "freebsd", "netbsd"):
        message = esp(name, natt=natt)
        assert (message.natt_type.type, message.natt_dport.port) == (pf.NATTType.ESPINUDP, 4501)
    assert esp("openbsd", natt=natt).udpencap.port == esp("macos", natt=natt).sa.natt_port == 4501
    illumos = esp("illumos", natt=natt)
    assert (str(illumos.natt_remote.ip), illumos.natt_remote.port) == ("192.0.2.2", 4501)
    behind = esp("illumos", natt=requests.natt(original="10.0.0.9"))
    assert str(behind.natt_remote.ip) == "10.0.0.9"


def test_a_wide_replay_window_is_told_beside_the_association() -> None:
    narrow, wide = esp("freebsd", replay=2040), esp("freebsd", replay=4096)
    assert (narrow.sa.replay, narrow.sa_replay) == (2040, None)
    assert (wide.sa.replay, wide.sa_replay.replay) == (2040, 4096)
    with pytest.raises(pf.EncodeError, match=r"add: sa\.replay: "):
        esp("netbsd", replay=4096).encode()


def test_flags_have_names() -> None:
    assert esp("openbsd", flags=["SADB_X_SAFLAGS_ESN", "SADB_X_SAFLAGS_CHAINDEL"]).sa.flags == 0x408


def test_an_extra_extension_is_added_or_takes_the_place_of_one() -> None:
    tagged = esp("openbsd", extra=[Tag(b"blue\0"), Key.of(pf.ExtensionType.KEY_AUTH, b"new")], auth_key=b"old")
    assert tagged.tag == Tag(b"blue\0")
    assert tagged.key_auth.reveal() == b"new"
    assert tagged.extensions.count(tagged.key_auth) == 1


def test_messages_are_values() -> None:
    one, same, other = esp(hard=60, seq=7), esp(hard=60, seq=7), esp(hard=61, seq=7)
    assert one == same != other
    assert len({one, same, other}) == 2
    assert one.replace(seq=8).seq == 8
    with pytest.raises(AttributeError):
        one.seq = 9


def test_the_system_is_that_of_the_host_unless_given() -> None:
    assert requests.flush().dialect is requests.flush(dialect="host").dialect
    with pytest.raises(ValueError, match="unknown dialect 'plan9'"):
        requests.flush(dialect="plan9")


def test_ranges_are_for_macos() -> None:
    message = requests.spdadd("10.0.0.1-10.0.0.9", "192.0.2.0/24", requests.policy("out", "none"), dialect="macos")
    assert message.address_src is None
    assert message.range_src_start is not None
    assert str(message.range_src_start.ip) == "10.0.0.1"
    assert message.range_src_end is not None
    assert str(message.range_src_end.ip) == "10.0.0.9"


def test_a_flow_is_a_prefix_and_a_mask() -> None:
    message = requests.addflow("10.0.0.0/8", "2001:db8::/32[443]", peer="192.0.2.2", proto="tcp", dialect="openbsd")
    src, dst = message.src_mask, message.dst_mask
    assert src is not None
    assert (str(src.ip), src.port) == ("255.0.0.0", 0)
    assert dst is not None
    assert (str(dst.ip), dst.port) == ("ffff:ffff::", 0xFFFF)
    assert message.protocol is not None
    assert message.protocol.proto == 6


def test_a_proposal_lists_combinations() -> None:
    hour = requests.limits(addtime=timedelta(hours=1), bytes=10**9)
    row = requests.combination("sha1-hmac", "aes-cbc", auth_bits=(160, 160), encrypt_bits=(128, 256), hard=hour)
    message = requests.acquire("esp", "192.0.2.1[500]", "192.0.2.2", [row], proto="udp", dialect="rfc2367")
    assert message.proposal == Proposal(32, combinations=(row,))
    assert (row.hard_addtime, row.hard_bytes, row.encrypt_maxbits) == (3600, 10**9, 256)


@pytest.mark.parametrize(
    ("association", "complaint"),
    [
        ({"auth": "md6"}, r"add: sa\.auth: there is no AuthAlgorithm 'md6'; known are none, md5-hmac, "),
        ({"auth": pf.EncryptAlgorithm.AES_CBC}, r"add: sa\.auth: EncryptAlgorithm\.AES_CBC is no AuthAlgorithm"),
        ({"encrypt": 1 << 20}, r"add: sa\.encrypt: there is no EncryptAlgorithm of this number"),
        ({"encrypt": 1.5}, r"add: sa\.encrypt: a number is needed, not float"),
        ({"compress": "deflate"}, r"add: sa\.encrypt: ESP does not compress"),
        ({"auth_key": "secret"}, r"add: key-auth: the text is no even number of hexadecimal digits"),
        ({"encrypt_key": 5}, r"add: key-encrypt: bytes are needed, not int"),
        ({"hard": 1.5}, r"add: lifetime-hard: a number is needed, not float"),
        ({"soft": timedelta(milliseconds=1500)}, r"add: lifetime-soft: whole seconds are needed"),
        (
            {"proxy": "example.net"},
            r"add: address-proxy: 'example\.net' is no ADDRESS, ADDRESS/BITS",
        ),
        ({"proxy": "10.0.0.0/33"}, r"add: address-proxy: '10\.0\.0\.0/33' is no ADDRESS"),
        ({"proxy": IPv6Address("fe80::1%eth0")}, r"add: address-proxy: fe80::1%eth0 names an interface"),
        ({"proxy": 5}, r"add: address-proxy: an address is needed, not int"),
        ({"src_identity": 5}, r"add: identity-src: an identity is needed, not int"),
        (
            {"src_identity": "10.0.0.0/33"},
            r"add: identity-src: '10\.0\.0\.0/33' is no prefix, user@domain or domain name",
        ),
        ({"src_identity": ""}, r"add: identity-src: '' is no prefix, user@domain or domain name"),
        ({"dst_identity": "fe80::1%eth0"}, r"add: identity-dst: fe80::1%eth0/128 names an interface"),
        ({"natt": 4500}, r"add: natt: what natt makes is needed, not int"),
        ({"sensitivity": 3}, r"add: sensitivity: a Sensitivity is needed, not int"),
        ({"auth": True}, r"add: sa\.auth: a number is needed, not bool"),
        ({"auth": "unknown-\N{FULLWIDTH DIGIT ONE}"}, r"add: sa\.auth: there is no AuthAlgorithm 'unknown-"),
        ({"proxy": "10.0.0.1[\N{FULLWIDTH DIGIT ONE}]"}, r"add: address-proxy: '10\.0\.0\.1\[.\]' is no ADDRESS"),
        ({"hard": datetime(1969, 12, 31)}, r"add: lifetime-hard: a number is needed, not datetime"),
        ({"flags": [5]}, r"add: sa\.flags: linux has no flag 5; it has"),
        ({"extra": 5}, r"add: extra: a list is needed, not int"),
        ({"state": "sleepy"}, r"add: sa\.state: there is no SAState 'sleepy'"),
        ({"mode": "warp"}, r"add: mode: there is no Mode 'warp'"),
        ({"replay": "wide"}, r"add: sa\.replay: a number is needed, not str"),
        ({"flags": ["SADB_X_EXT_CYCSEQ"]}, r"add: sa\.flags: linux has no flag SADB_X_EXT_CYCSEQ; it has SADB_SAFLAGS"),
        ({"private": "text"}, r"add: kmprivate: bytes are needed, not str"),
        ({"extra": ["SA"]}, r"add: extra: an extension is needed, not str"),
        ({"dialect": "openbsd", "mode": "beet"}, r"add: mode: openbsd has no mode BEET"),
        ({"dialect": "openbsd", "natt": requests.natt()}, r"add: natt: openbsd has no natt-sport"),
        (
            {"dialect": "rfc2367", "natt": requests.natt()},
            r"add: natt: rfc2367 has no natt-type and no natt-sport and no natt-dport",
        ),
    ],
)
def test_what_means_nothing_is_told_at_once(association: dict[str, Any], complaint: str) -> None:
    with pytest.raises(pf.EncodeError, match=complaint):
        esp(**association)


@pytest.mark.parametrize(
    ("association", "complaint"),
    [
        ({"reqid": 1 << 32}, r"^add: sa2\.reqid: 4294967296 does not fit 32 bits$"),
        ({"replay": 256}, r"^add: sa\.replay: 256 does not fit 8 bits$"),
        ({"hard": -1}, r"^add: lifetime-hard\.addtime: -1 does not fit 64 bits$"),
        ({"hard": timedelta(days=-1)}, r"^add: lifetime-hard\.addtime: -86400 does not fit 64 bits$"),
        ({"seq": True}, r"^add: seq: a number is needed, not bool$"),
        ({"pid": 1 << 32}, r"^add: pid: 4294967296 does not fit 32 bits$"),
        ({"proxy": "192.0.2.1%3"}, r"^add: address-proxy\.sockaddr\.scope: an IPv4 address has none$"),
        ({"proxy": "192.0.2.1[65536]"}, r"^add: address-proxy\.sockaddr\.port: 65536 does not fit 16 bits$"),
        ({"auth": "tcp-md5"}, r"^add: sa\.auth: linux has no AuthAlgorithm TCP_MD5$"),
        ({"new_src": "10.0.0.1"}, r"^add: new-address-src: linux has no such extension$"),
        ({"dialect": "openbsd", "reqid": 5}, r"^add: sa2: openbsd has no such extension$"),
        (
            {"dialect": "openbsd", "proxy": "10.0.0.0/8"},
            r"^add: address-proxy\.prefixlen: the dialect has no",
        ),
    ],
)
def test_what_does_not_fit_is_told_by_the_encoding(association: dict[str, Any], complaint: str) -> None:
    with pytest.raises(pf.EncodeError, match=complaint):
        esp(**association).encode()


def test_other_messages_and_parts_name_themselves() -> None:
    for make, complaint in (
        (lambda: requests.add("rsa", 1, "::1", "::2"), "add: satype: there is no SAType 'rsa'"),
        (lambda: requests.flush("tcpsignature", dialect="linux"), "flush: satype: linux has no SAType TCPSIGNATURE"),
        (lambda: requests.spdflush(dialect="openbsd"), "spdflush: type: openbsd has no MessageType SPDFLUSH"),
        (lambda: requests.transform("tcp"), "transform: proto: no IP protocol 'tcp'; known are esp, ah, ipcomp"),
        (lambda: requests.transform(pf.SAType.MIP), "transform: proto: MIP transforms no packets"),
        (lambda: requests.transform("esp", src="nowhere"), "transform: src: 'nowhere' is no ADDRESS"),
        (lambda: requests.policy("up"), "policy: direction: there is no Direction 'up'"),
        (lambda: requests.natt(type="tcp"), "natt: type: there is no NATTType 'tcp'"),
        (lambda: requests.dump(filter="10.0.0.0/8"), "dump: filter: a Filter or a pair of prefixes is needed"),
        (lambda: requests.dump(filter=("10.0.0.0/8", "::/0")), "dump: filter: the prefixes are of different families"),
        (lambda: requests.address("nowhere", "::1"), "address: place: there is no ExtensionType 'nowhere'"),
        (lambda: requests.limits(bytes="1G"), "limits: bytes: a number is needed, not str"),
        (lambda: requests.natt(True), "natt: sport: a number is needed, not bool"),
        (lambda: requests.transform("esp", reqid=None), "transform: reqid: a number is needed, not NoneType"),
        (lambda: requests.policy("out", priority=1.0), "policy: priority: a number is needed, not float"),
        (
            lambda: requests.policy("out", transforms=["esp"]),
            "policy: transforms: what transform makes is needed, not ",
        ),
        (lambda: requests.policy("out", transforms=5), "policy: transforms: a list is needed, not int"),
        (lambda: requests.combination(auth_bits=128), "combination: auth_bits: a pair of numbers is needed"),
        (lambda: requests.combination(encrypt_bits=("a", 1)), "combination: encrypt_bits: a number is needed, not str"),
        (lambda: requests.spdadd("::1", "::1", None, dialect="linux"), "spdadd: policy: what policy makes is needed"),
        (lambda: requests.acquire("esp", "::1", "::2", [5], dialect="linux"), "acquire: proposal: a combination is "),
        (lambda: requests.promisc("off"), "promisc: on: true or false is needed, not str"),
        (lambda: requests.promisc(payload=b""), "promisc: payload: a message is needed, not bytes"),
        (lambda: requests.spddump(scope=256, dialect="freebsd"), "spddump: scope: 256 does not fit 8 bits"),
        (lambda: requests.register(satypes=3, dialect="illumos"), "register: satypes: a list is needed, not int"),
        (
            lambda: requests.migrate("::1", "::2", "out", [requests.transform("esp")], dialect="linux"),
            "migrate: moves: a pair of transformations is needed",
        ),
        (
            lambda: requests.migrate("::1", "::2", "out", [], key_manager=("::1",), dialect="linux"),
            "migrate: kmaddress: a pair of addresses is needed",
        ),
        (lambda: requests.getsastat(5, "in", [1], dialect="macos"), "getsastat: session: a pair of numbers is needed"),
        (lambda: requests.addflow("::1", "::2", static=1, dialect="openbsd"), "addflow: static: true or false is "),
    ):
        with pytest.raises(pf.EncodeError) as caught:
            make()
        assert str(caught.value).startswith(complaint)


@pytest.mark.parametrize("text", [SECRET.hex()[:-1], SECRET.hex() + "zz"])
def test_no_key_is_shown(text: str) -> None:
    with pytest.raises(pf.EncodeError) as caught:
        esp(encrypt_key=text)
    assert SECRET.hex()[:8] not in str(caught.value)
    shown = repr(esp(auth_key=SECRET, encrypt_key=SECRET, extra=()))
    assert SECRET.hex()[:6] not in shown
    assert repr(SECRET) not in shown
    assert "<16 secret bytes>" in shown
