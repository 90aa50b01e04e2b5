"""Which typed value each canonical extension becomes, and which of its fields come from what follows the fixed part.

This is the one place that a new kind of extension has to be entered; where its fields lie, and which number it has, is
the dialect's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..spec.model import Counted, KeyBits, Records, Requests, Sized, Sockaddrs, Text
from ..spec.terms import ExtensionType as Ext
from . import extensions as rfc
from . import extensions_illumos as illumos
from . import extensions_ipsec as ipsec
from . import extensions_macos as macos
from . import extensions_openbsd as openbsd
from .structs import Choice
from .value import ExtensionValue, Value

TailKind = type[Sockaddrs] | type[KeyBits] | type[Sized] | type[Records] | type[Requests] | type[Counted] | type[Text]


@dataclass(frozen=True)
class Recipe:
    """How a value is made from the parts of an extension."""

    value: type[ExtensionValue]
    tails: Mapping[TailKind, tuple[str, ...]] = field(default_factory=dict)
    """Fields by the kind of tail that they come from."""
    record: type[Value] | None = None
    """Class of the records in a list; None where the list is of single bytes."""
    record_terms: Mapping[str, str] = field(default_factory=dict)
    """Term tables of record members that mean something else in each extension."""
    sub: tuple[str, type[Value]] | None = None
    """Field of a record that holds its sub-records, and their class."""
    sub_choices: Mapping[str, Choice] = field(default_factory=dict)
    """Members of the sub-records whose term table depends on another member."""
    rest: str = ""
    """Field that takes the bytes behind the fixed part where the dialect describes no tail."""
    text: frozenset[str] = frozenset()
    """Members that are arrays of text."""


_ADDRESS = Recipe(rfc.Address, {Sockaddrs: ("sockaddr",)})
_KEY = Recipe(rfc.Key, {KeyBits: ("material", "extra")})
_LIFETIME = Recipe(rfc.Lifetime)
_IDENTITY = Recipe(rfc.Identity, {Text: ("text",), Sockaddrs: ("sockaddr",)})
_SENSITIVITY = Recipe(rfc.Sensitivity, {Sized: ("sens_bitmap", "integ_bitmap")})
_NATT_PORT = Recipe(ipsec.NATTPort)
_IPSECIF = Recipe(macos.IPsecInterface, text=frozenset({"internal_if", "outgoing_if", "ipsec_if"}))


def _supported(terms: str) -> Recipe:
    return Recipe(rfc.Supported, {Records: ("algorithms",)}, rfc.AlgorithmInfo, {"id": terms})


RECIPES: Mapping[Ext, Recipe] = {
    Ext.SA: Recipe(rfc.SA),
    Ext.LIFETIME_CURRENT: _LIFETIME,
    Ext.LIFETIME_HARD: _LIFETIME,
    Ext.LIFETIME_SOFT: _LIFETIME,
    Ext.ADDRESS_SRC: _ADDRESS,
    Ext.ADDRESS_DST: _ADDRESS,
    Ext.ADDRESS_PROXY: _ADDRESS,
    Ext.KEY_AUTH: _KEY,
    Ext.KEY_ENCRYPT: _KEY,
    Ext.IDENTITY_SRC: _IDENTITY,
    Ext.IDENTITY_DST: _IDENTITY,
    Ext.SENSITIVITY: _SENSITIVITY,
    Ext.PROPOSAL: Recipe(rfc.Proposal, {Records: ("combinations",)}, rfc.Combination),
    Ext.SUPPORTED_AUTH: _supported("auth"),
    Ext.SUPPORTED_ENCRYPT: _supported("encrypt"),
    Ext.SPIRANGE: Recipe(rfc.SPIRange),
    Ext.KMPRIVATE: Recipe(ipsec.KMPrivate, rest="data"),
    Ext.POLICY: Recipe(ipsec.Policy, {Requests: ("requests",)}, ipsec.PolicyRequest),
    Ext.SA2: Recipe(ipsec.SA2),
    Ext.NATT_TYPE: Recipe(ipsec.NATTEncapsulation),
    Ext.NATT_SPORT: _NATT_PORT,
    Ext.NATT_DPORT: _NATT_PORT,
    Ext.NATT_OA: _ADDRESS,
    Ext.SEC_CTX: Recipe(ipsec.SecurityContext, {Sized: ("context",)}),
    Ext.KMADDRESS: Recipe(ipsec.KMAddress, {Sockaddrs: ("local", "remote")}),
    Ext.FILTER: Recipe(ipsec.Filter),
    Ext.NATT_OAR: _ADDRESS,
    Ext.NATT_FRAG: Recipe(ipsec.NATTFragment),
    Ext.SA_REPLAY: Recipe(ipsec.ReplayWindow),
    Ext.NEW_ADDRESS_SRC: _ADDRESS,
    Ext.NEW_ADDRESS_DST: _ADDRESS,
    Ext.LIFETIME_SW_OFFLOAD: _LIFETIME,
    Ext.LIFETIME_HW_OFFLOAD: _LIFETIME,
    Ext.IF_HW_OFFLOAD: Recipe(ipsec.HardwareOffload, text=frozenset({"interface"})),
    Ext.SRC_MASK: _ADDRESS,
    Ext.DST_MASK: _ADDRESS,
    Ext.PROTOCOL: Recipe(openbsd.Protocol),
    Ext.FLOW_TYPE: Recipe(openbsd.Flow),
    Ext.SRC_FLOW: _ADDRESS,
    Ext.DST_FLOW: _ADDRESS,
    Ext.SECOND_SA: Recipe(rfc.SA),
    Ext.SECOND_DST: _ADDRESS,
    Ext.POLICY_SEQ: Recipe(openbsd.PolicySequence),
    Ext.SUPPORTED_COMP: _supported("compress"),
    Ext.UDPENCAP: _NATT_PORT,
    Ext.LIFETIME_LASTUSE: _LIFETIME,
    Ext.TAG: Recipe(openbsd.Tag, {Sized: ("tag",)}),
    Ext.TAP: Recipe(openbsd.Tap),
    Ext.SATYPE2: Recipe(openbsd.SecondSAType),
    Ext.COUNTER: Recipe(openbsd.Counters),
    Ext.RDOMAIN: Recipe(openbsd.RoutingDomains),
    Ext.MTU: Recipe(openbsd.MTU),
    Ext.REPLAY_COUNTER: Recipe(ipsec.ReplayCounter),
    Ext.INTERFACE: Recipe(openbsd.Interface),
    Ext.PAIR: Recipe(illumos.Pair),
    Ext.NATT_LOCAL: _ADDRESS,
    Ext.NATT_REMOTE: _ADDRESS,
    Ext.INNER_DST: _ADDRESS,
    Ext.STR_AUTH: _KEY,
    Ext.KM_COOKIE: Recipe(illumos.KMCookie),
    Ext.LIFETIME_IDLE: _LIFETIME,
    Ext.EXTENDED_PROPOSAL: Recipe(
        illumos.ExtendedProposal,
        {Counted: ("combinations",)},
        illumos.ExtendedCombination,
        sub=("algorithms", illumos.AlgorithmDescription),
        sub_choices={"alg": Choice("algtype", {1: "auth", 2: "encrypt", 3: "compress"})},
    ),
    Ext.EXTENDED_REGISTER: Recipe(illumos.ExtendedRegister, {Records: ("satypes",)}),
    Ext.SESSION_ID: Recipe(macos.SessionID),
    Ext.SASTAT: Recipe(macos.SAStatistics, {Records: ("associations",)}, macos.SAStatistic),
    Ext.IPSECIF: _IPSECIF,
    Ext.MIGRATE_IPSECIF: _IPSECIF,
    Ext.RANGE_SRC_START: _ADDRESS,
    Ext.RANGE_SRC_END: _ADDRESS,
    Ext.RANGE_DST_START: _ADDRESS,
    Ext.RANGE_DST_END: _ADDRESS,
    Ext.EXTENDED_DUMP: Recipe(illumos.ExtendedDump),
    Ext.OUTER_SENSITIVITY: _SENSITIVITY,
}
