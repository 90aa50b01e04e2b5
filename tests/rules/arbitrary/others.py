"""Lists of algorithms, policies and what single systems have, with arbitrary sound values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from fastpfkey.spec.terms import Direction, EncryptAlgorithm, Level, Mode, NATTType, PolicyType, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire import extensions as rfc
from fastpfkey.wire import extensions_illumos as illumos
from fastpfkey.wire import extensions_ipsec as ipsec
from fastpfkey.wire import extensions_macos as macos
from fastpfkey.wire import extensions_openbsd as openbsd
from fastpfkey.wire.catalogue import RECIPES
from fastpfkey.wire.sockaddr import SocketAddress

from . import values
from .values import Setting, plain, unicast


def extension(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    """Any sound extension of a type."""
    kind = RECIPES[exttype].value
    if kind in _SPECIAL:
        return _SPECIAL[kind](setting, exttype)
    return st.builds(kind, exttype=st.just(exttype), **plain(setting, _layout(setting, exttype), kind))


def _layout(setting: Setting, exttype: Ext) -> Any:
    return setting.dialect.by_type[exttype].layout


def _record(setting: Setting, exttype: Ext) -> Any:
    tail: Any = setting.dialect.by_type[exttype].tails[0]
    return tail.layout


def _both_limits() -> dict[str, st.SearchStrategy[int]]:
    return {f"{half}_{name}": limit for half in ("soft", "hard") for name, limit in values.limits(half).items()}


def _proposal(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    numbers = plain(setting, _record(setting, exttype), rfc.Combination) | _both_limits()
    if setting.satype == SAType.IPCOMP:
        numbers["encrypt"] = st.just(setting.encrypt)
    bits = st.tuples(st.integers(1, 300), st.integers(1, 300)).map(sorted)
    number = 0 if setting.to_engine else setting.grammar.combinations
    row = st.builds(_bound, st.builds(rfc.Combination, **numbers), bits, bits)
    rows = st.lists(row, min_size=number, max_size=number or 3).map(tuple)
    return st.builds(rfc.Proposal, combinations=rows, **plain(setting, _layout(setting, exttype), rfc.Proposal))


def _bound(combination: rfc.Combination, auth: list[int], encrypt: list[int]) -> rfc.Combination:
    """The combination with bounds for the algorithms that it has."""
    auth = auth if combination.auth else [0, 0]
    encrypt = encrypt if combination.encrypt else [0, 0]
    return replace(
        combination,
        auth_minbits=auth[0],
        auth_maxbits=auth[1],
        encrypt_minbits=encrypt[0],
        encrypt_maxbits=encrypt[1],
    )


def _supported(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    kind = {Ext.SUPPORTED_AUTH: "auth", Ext.SUPPORTED_ENCRYPT: "encrypt"}.get(exttype, "compress")
    terms = [item for item in set(setting.dialect.terms[kind].canonical.values()) if item.name not in ("NONE", "NULL")]
    known: dict[str, st.SearchStrategy[Any]] = {"minbits": st.integers(1, 300), "maxbits": st.integers(300, 600)}
    if kind == "auth":
        known["ivlen"] = st.just(0)
    numbers = plain(setting, _record(setting, exttype), rfc.AlgorithmInfo, **known)
    numbers["id"] = st.sampled_from(sorted(terms))
    rows = st.lists(st.builds(rfc.AlgorithmInfo, **numbers), max_size=4).map(tuple)
    return st.builds(rfc.Supported, st.just(exttype), rows)


def _policy(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    """A policy of type IPSEC with requests, in MIGRATE in pairs of old and new, or one without either."""
    numbers = plain(setting, _layout(setting, exttype), ipsec.Policy)
    numbers["dir"] = st.sampled_from(sorted(setting.grammar.directions))
    requests = st.lists(_request(setting), min_size=1, max_size=4).map(tuple)
    if setting.type == Msg.MIGRATE:
        requests = st.lists(_pair(setting), min_size=1, max_size=2).map(lambda pairs: sum(pairs, ()))
    ipsec_policy = st.builds(ipsec.Policy, requests=requests, **(numbers | {"type": st.just(PolicyType.IPSEC)}))
    if setting.type == Msg.MIGRATE:
        return ipsec_policy
    other = st.sampled_from([PolicyType.DISCARD, PolicyType.NONE])
    return st.one_of(ipsec_policy, st.builds(ipsec.Policy, **(numbers | {"type": other})))


def _request(setting: Setting) -> st.SearchStrategy[Any]:
    layout: Any = setting.dialect.ipsec_request
    numbers = plain(setting, layout, ipsec.PolicyRequest)
    numbers["proto"] = st.sampled_from([50, 51, 108])
    numbers["level"] = st.sampled_from([Level.REQUIRE, Level.UNIQUE])
    ends = st.sampled_from((4, 6)).flatmap(lambda version: st.tuples(unicast(version), unicast(version)))
    transport = st.builds(ipsec.PolicyRequest, **(numbers | {"mode": st.just(Mode.TRANSPORT)}))
    tunnel = st.builds(
        lambda request, pair: replace(request, src=SocketAddress(pair[0]), dst=SocketAddress(pair[1])),
        st.builds(ipsec.PolicyRequest, **(numbers | {"mode": st.just(Mode.TUNNEL)})),
        ends,
    )
    return tunnel if setting.type == Msg.MIGRATE else st.one_of(transport, tunnel)


def _pair(setting: Setting) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda old, ip: (old, replace(old, src=SocketAddress(ip), dst=SocketAddress(ip))),
        _request(setting),
        unicast(4),
    )


def _mode(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    modes = setting.grammar.modes & set(setting.dialect.terms["mode"].numbers)
    known = {"mode": st.sampled_from(sorted(modes))}
    return st.builds(ipsec.SA2, **plain(setting, _layout(setting, exttype), ipsec.SA2, **known))


def _encapsulation(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    return st.sampled_from([NATTType(number) for number in sorted(setting.grammar.natt_types)]).map(
        ipsec.NATTEncapsulation
    )


def _filter(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    octets, length = st.binary(min_size=16, max_size=16), st.integers(0, 128)
    return st.builds(ipsec.Filter, st.sampled_from([0, 4, 6]), octets, length, octets, length)


def _private(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    """Whole words, because nobody knows where data ends and padding begins."""
    return st.lists(st.binary(min_size=8, max_size=8), max_size=3).map(lambda words: ipsec.KMPrivate(b"".join(words)))


def _context(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    number = st.integers(0, 255)
    return st.builds(ipsec.SecurityContext, number, number, st.binary(max_size=30))


def _key_manager(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    end = unicast(setting.version).map(SocketAddress)
    return st.builds(ipsec.KMAddress, end, end)


def _tag(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    return values.LETTERS.map(lambda text: openbsd.Tag(text.encode() + b"\0"))


def _flow(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    return st.builds(openbsd.Flow, **plain(setting, _layout(setting, exttype), openbsd.Flow))


def _extended_proposal(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    described = st.builds(
        illumos.AlgorithmDescription,
        st.sampled_from([SAType.AH, SAType.ESP]),
        st.just(2),
        st.sampled_from([EncryptAlgorithm.AES_CBC, EncryptAlgorithm.AES_GCM_ICV16]),
        st.integers(0, 255),
        st.integers(1, 200),
        st.integers(200, 400),
    )
    row = st.builds(
        illumos.ExtendedCombination,
        flags=st.integers(0, 0xFFFF),
        algorithms=st.lists(described, max_size=3).map(tuple),
        **_both_limits(),
    )
    return st.builds(illumos.ExtendedProposal, st.integers(0, 255), st.lists(row, max_size=3).map(tuple))


def _registration(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    return st.lists(st.sampled_from([SAType.AH, SAType.ESP]), max_size=9).map(
        lambda satypes: illumos.ExtendedRegister(tuple(satypes))
    )


def _statistics(setting: Setting, exttype: Ext) -> st.SearchStrategy[Any]:
    numbers = plain(setting, _record(setting, exttype), macos.SAStatistic)
    numbers |= {"len": st.just(4), "exttype": st.just(2)}
    rows = st.lists(st.builds(macos.SAStatistic, **numbers), max_size=3).map(tuple)
    return st.builds(macos.SAStatistics, st.sampled_from([Direction.IN, Direction.OUT]), rows)


_SPECIAL: dict[type[Any], Callable[[Setting, Ext], st.SearchStrategy[Any]]] = {
    rfc.SA: values.association,
    rfc.Lifetime: values.lifetime,
    rfc.Address: values.address,
    rfc.Key: values.key,
    rfc.Identity: values.identity,
    rfc.Sensitivity: values.sensitivity,
    rfc.Proposal: _proposal,
    rfc.Supported: _supported,
    rfc.SPIRange: values.range,
    ipsec.KMPrivate: _private,
    ipsec.Policy: _policy,
    ipsec.SA2: _mode,
    ipsec.NATTEncapsulation: _encapsulation,
    ipsec.SecurityContext: _context,
    ipsec.KMAddress: _key_manager,
    ipsec.Filter: _filter,
    openbsd.Tag: _tag,
    openbsd.Flow: _flow,
    illumos.ExtendedProposal: _extended_proposal,
    illumos.ExtendedRegister: _registration,
    macos.SAStatistics: _statistics,
}
