"""The extensions of RFC 2367 with arbitrary sound values, as the layouts of a dialect have room for them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from hypothesis import strategies as st

from fastpfkey.spec.grammar import Grammar
from fastpfkey.spec.layouts import Layout
from fastpfkey.spec.model import Dialect
from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm, IdentityType, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire import extensions as rfc
from fastpfkey.wire.sockaddr import SocketAddress
from fastpfkey.wire.value import Secret

LETTERS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1, max_size=20)


@dataclass(frozen=True)
class Setting:
    """What the extensions of one message have to agree on."""

    dialect: Dialect
    grammar: Grammar
    type: Msg
    to_engine: bool
    satype: SAType
    version: int
    """IP version of source and destination."""
    src: Any
    dst: Any
    auth: AuthAlgorithm
    encrypt: Any

    @property
    def submits(self) -> bool:
        return self.to_engine and self.type in (Msg.ADD, Msg.UPDATE)


def unicast(version: int) -> st.SearchStrategy[Any]:
    if version == 4:
        return st.integers(0x01000000, 0xDFFFFFFF).map(IPv4Address)
    return st.integers(0x2000 << 112, (0x3FFF << 112) | ((1 << 112) - 1)).map(IPv6Address)


def number_of(item: Any) -> st.SearchStrategy[int]:
    """Any number that a field can tell, in the field's unit."""
    largest = (1 << 8 * item.width) - 1
    if item.shift > 0:
        return st.integers(0, largest).map(lambda number: number << item.shift)
    return st.integers(0, largest >> -item.shift)


def plain(setting: Setting, layout: Layout, kind: type[Any], **known: st.SearchStrategy[Any]) -> dict[str, Any]:
    """Strategies for the members of a structure that are fields of a value, those that are known first."""
    own = {item.name: item for item in fields(kind)}
    found: dict[str, st.SearchStrategy[Any]] = {}
    for item in layout.fields:
        if item.name in own and item.name not in ("len", "exttype") and not item.reserved:
            found[item.name] = known[item.name] if item.name in known else _member(setting, item, own[item.name])
    return found


def _member(setting: Setting, item: Any, field: Any) -> st.SearchStrategy[Any]:
    if field.type == "str":
        return st.text("abcxyz019", max_size=item.size - 1)
    if item.count > 1 and (item.width == 1 or item.order.value == "bytes"):
        return st.binary(min_size=item.size, max_size=item.size)
    if item.count > 1:
        return st.tuples(*[st.integers(0, (1 << 8 * item.width) - 1)] * item.count)
    if item.terms:
        return st.sampled_from(sorted(set(setting.dialect.terms[item.terms].canonical.values())))
    return number_of(item)


def association(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    compresses = setting.satype == SAType.IPCOMP
    flags = sorted(setting.dialect.flags.values())
    layouts = setting.dialect.by_type[exttype].layouts
    second = exttype == Ext.SECOND_SA
    known: dict[str, st.SearchStrategy[Any]] = {
        "spi": st.integers(256, 0xFFFF if compresses else 0xFFFFFFFF),
        "state": st.just(SAState.MATURE) if setting.to_engine else st.sampled_from(tuple(SAState)[:4]),
        "auth": st.just(AuthAlgorithm.NONE if second else setting.auth),
        "encrypt": st.just(EncryptAlgorithm.NONE if second and not compresses else setting.encrypt),
        "flags": st.sets(st.sampled_from(flags)).map(lambda bits: _union(bits)),
    }
    if setting.to_engine and setting.grammar.largest_window:
        known["replay"] = st.integers(0, setting.grammar.largest_window)
    longest = layouts[-1]
    encapsulated = setting.dialect.flags.get("SADB_X_EXT_NATT", 0)  # goes with the longest, which has ports
    choices = []
    for item in layouts:
        own = (
            known
            if item is longest or not setting.to_engine
            else known | {"flags": known["flags"].map(lambda bits: bits & ~encapsulated)}
        )
        choices.append(st.builds(rfc.SA, exttype=st.just(exttype), **plain(setting, item, rfc.SA, **own)))
    return st.one_of(choices)


def _union(bits: set[int]) -> int:
    whole = 0
    for bit in bits:
        whole |= bit
    return whole


def spi_only(setting: Setting) -> st.SearchStrategy[Any]:
    """SA(*): an SPI, and nothing else that counts; to move one takes the structure with ports."""
    ports: dict[str, Any] = {}
    if setting.type == Msg.MIGRATE:
        ports = {item.name: 0 for item in setting.dialect.by_type[Ext.SA].layouts[-1].fields if "natt" in item.name}
    largest = 0xFFFF if setting.satype == SAType.IPCOMP else 0xFFFFFFFF
    return st.integers(256, largest).map(lambda spi: rfc.SA(spi, **ports))


def address(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    ips = {Ext.ADDRESS_SRC: st.just(setting.src), Ext.ADDRESS_DST: st.just(setting.dst)}
    ip = ips.get(exttype, st.sampled_from((4, 6)).flatmap(unicast))
    has_proto = "proto" in setting.dialect.by_type[exttype].layout.by_name
    session = setting.type in (Msg.ACQUIRE, Msg.PCHANGE)

    def made(ip: Any, port: int, proto: int, prefixlen: int) -> rfc.Address:
        port = port if session else 0
        if not has_proto:
            return rfc.Address(exttype, SocketAddress(ip, port))
        return rfc.Address(exttype, SocketAddress(ip, port), proto if port else 0, min(prefixlen, ip.max_prefixlen))

    return st.builds(made, ip, st.integers(0, 0xFFFF), st.integers(1, 255), st.integers(0, 128))


def key(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    tables = setting.grammar.keys
    lengths = tables.auth.get(setting.auth)
    if exttype == Ext.KEY_ENCRYPT:
        lengths = tables.encrypt.get(setting.encrypt) if setting.satype != SAType.IPCOMP else None
    sizes = st.integers(8, 80).map(lambda size: size * 8)
    if lengths is not None:
        steps = (min(lengths.longest, 1024) - lengths.shortest) // lengths.step
        sizes = st.integers(0, steps).map(lambda step: lengths.shortest + step * lengths.step)
    extra = "extra_bits" in setting.dialect.by_type[exttype].layout.by_name
    return sizes.flatmap(
        lambda bits: st.binary(min_size=(bits + 7) // 8, max_size=(bits + 7) // 8).map(
            lambda data: rfc.Key(exttype, bits, Secret(_sound(setting, data)), 0 if extra else None)
        )
    )


def _sound(setting: Setting, key: bytes) -> bytes:
    return key if any(key) or setting.grammar.zero_keys else b"\x01" + key[1:]


def identity(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    owner = setting.src if exttype == Ext.IDENTITY_SRC else setting.dst
    prefix = st.integers(0, owner.max_prefixlen).map(lambda length: _network(owner, length))
    kinds = [
        st.builds(rfc.Identity, st.just(exttype), st.just(IdentityType.FQDN), st.just(0), LETTERS),
        st.builds(rfc.Identity, st.just(exttype), st.just(IdentityType.PREFIX), st.just(0), prefix),
        st.builds(
            lambda user, domain, id: rfc.Identity(exttype, IdentityType.USERFQDN, id, f"{user}@{domain}"),
            LETTERS,
            LETTERS,
            st.integers(0, 2**64 - 1),
        ),
        st.builds(rfc.Identity, st.just(exttype), st.just(IdentityType.USERFQDN), st.integers(0, 2**64 - 1)),
    ]
    if IdentityType.ADDRESS in setting.dialect.terms["identity"].numbers:
        kinds.append(st.just(rfc.Identity(exttype, IdentityType.ADDRESS, sockaddr=SocketAddress(owner))))
    return st.one_of(kinds)


def _network(ip: Any, length: int) -> str:
    bits = ip.max_prefixlen - length
    return f"{type(ip)(int(ip) >> bits << bits)}/{length}"


def sensitivity(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    words = st.lists(st.integers(0, 2**64 - 1), max_size=3).map(tuple)
    numbers = plain(setting, setting.dialect.by_type[exttype].layout, rfc.Sensitivity)
    return st.builds(rfc.Sensitivity, exttype=st.just(exttype), sens_bitmap=words, integ_bitmap=words, **numbers)


LIMITS = ("allocations", "bytes", "addtime", "usetime")


def lifetime(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    """Soft limits below 2 ** 16, hard ones above, so that they agree in every message."""
    numbers = limits("soft" if exttype == Ext.LIFETIME_SOFT else "hard")
    return st.builds(rfc.Lifetime, st.just(exttype), **numbers)


def limits(half: str) -> dict[str, st.SearchStrategy[int]]:
    """The four limits of a lifetime."""
    if half == "soft":
        return dict.fromkeys(LIMITS, st.integers(0, 0xFFFF))
    wide = dict.fromkeys(LIMITS, st.integers(0x10000, 2**64 - 1))
    return wide | {"allocations": st.integers(0x10000, 2**32 - 1)}


def range(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    largest = 0xFFFF if setting.satype == SAType.IPCOMP else 0xFFFFFFFF
    ends = st.tuples(st.integers(256, largest), st.integers(256, largest)).map(sorted)
    return ends.map(lambda pair: rfc.SPIRange(*pair))
