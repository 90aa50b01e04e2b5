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
from . import extensions_ipsec as ipsec
from .value import ExtensionValue, Value

TailKind = type[Sockaddrs] | type[KeyBits] | type[Sized] | type[Records] | type[Requests] | type[Counted] | type[Text]


@dataclass(frozen=True)
class Recipe:
    """How a value is made from the parts of an extension."""

    value: type[ExtensionValue]
    tails: Mapping[TailKind, tuple[str, ...]] = field(default_factory=dict)
    """Fields by the kind of tail that they come from."""
    record: type[Value] | None = None
    """Class of the records in a list."""
    record_terms: Mapping[str, str] = field(default_factory=dict)
    """Term tables of record members that mean something else in each extension."""
    sub: tuple[str, type[Value]] | None = None
    """Field of a record that holds its sub-records, and their class."""
    rest: str = ""
    """Field that takes the bytes behind the fixed part where the dialect describes no tail."""
    text: frozenset[str] = frozenset()
    """Members that are arrays of text."""


_ADDRESS = Recipe(rfc.Address, {Sockaddrs: ("sockaddr",)})
_KEY = Recipe(rfc.Key, {KeyBits: ("material",)})
_LIFETIME = Recipe(rfc.Lifetime)
_IDENTITY = Recipe(rfc.Identity, {Text: ("text",), Sockaddrs: ("sockaddr",)})
_NATT_PORT = Recipe(ipsec.NATTPort)


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
    Ext.SENSITIVITY: Recipe(rfc.Sensitivity, {Sized: ("sens_bitmap", "integ_bitmap")}),
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
}
