"""The extensions of a message as attributes: one for each canonical type, named as the type in lower case.

An attribute is the first extension of its type, or None. It is looked up when it is asked for, in whatever kind of
message.
"""

from __future__ import annotations

from typing import Generic, Protocol, Self, TypeVar, overload

from ..spec.terms import ExtensionType as Ext
from .extensions import SA, Address, Identity, Key, Lifetime, Proposal, Sensitivity, SPIRange, Supported
from .extensions_ipsec import (
    SA2,
    Filter,
    KMAddress,
    KMPrivate,
    NATTEncapsulation,
    NATTPort,
    Policy,
    SecurityContext,
)
from .value import ExtensionValue

E = TypeVar("E", bound=ExtensionValue)


class HasExtensions(Protocol):
    """What the attributes ask for extensions."""

    def get(self, exttype: Ext) -> ExtensionValue | None:
        """The first extension of a type."""
        ...


class Part(Generic[E]):
    """The attribute of one extension type."""

    __slots__ = ("exttype",)

    def __init__(self, exttype: Ext) -> None:
        self.exttype = exttype

    @overload
    def __get__(self, message: None, owner: object) -> Self: ...
    @overload
    def __get__(self, message: HasExtensions, owner: object) -> E | None: ...
    def __get__(self, message: HasExtensions | None, owner: object) -> Self | E | None:
        if message is None:
            return self
        return message.get(self.exttype)  # type: ignore[return-value]


class Parts:
    """The attributes of every message."""

    __slots__ = ()

    sa = Part[SA](Ext.SA)
    lifetime_current = Part[Lifetime](Ext.LIFETIME_CURRENT)
    lifetime_hard = Part[Lifetime](Ext.LIFETIME_HARD)
    lifetime_soft = Part[Lifetime](Ext.LIFETIME_SOFT)
    address_src = Part[Address](Ext.ADDRESS_SRC)
    address_dst = Part[Address](Ext.ADDRESS_DST)
    address_proxy = Part[Address](Ext.ADDRESS_PROXY)
    key_auth = Part[Key](Ext.KEY_AUTH)
    key_encrypt = Part[Key](Ext.KEY_ENCRYPT)
    identity_src = Part[Identity](Ext.IDENTITY_SRC)
    identity_dst = Part[Identity](Ext.IDENTITY_DST)
    sensitivity = Part[Sensitivity](Ext.SENSITIVITY)
    proposal = Part[Proposal](Ext.PROPOSAL)
    supported_auth = Part[Supported](Ext.SUPPORTED_AUTH)
    supported_encrypt = Part[Supported](Ext.SUPPORTED_ENCRYPT)
    spirange = Part[SPIRange](Ext.SPIRANGE)
    kmprivate = Part[KMPrivate](Ext.KMPRIVATE)
    policy = Part[Policy](Ext.POLICY)
    sa2 = Part[SA2](Ext.SA2)
    natt_type = Part[NATTEncapsulation](Ext.NATT_TYPE)
    natt_sport = Part[NATTPort](Ext.NATT_SPORT)
    natt_dport = Part[NATTPort](Ext.NATT_DPORT)
    natt_oa = Part[Address](Ext.NATT_OA)
    sec_ctx = Part[SecurityContext](Ext.SEC_CTX)
    kmaddress = Part[KMAddress](Ext.KMADDRESS)
    filter = Part[Filter](Ext.FILTER)
