"""The extensions of a message as attributes: one for each canonical type, named as the type in lower case.

An attribute is the first extension of its type, or None. It is looked up when it is asked for, in whatever kind of
message. The four of UDP encapsulation, the mode and the replay window are in messages of all systems that have such
things, wherever they put them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from ..spec.terms import ExtensionType as Ext
from ..spec.terms import Mode
from .extensions import SA, Address, Identity, Key, Lifetime, Opaque, Proposal, Sensitivity, SPIRange, Supported
from .extensions_illumos import ExtendedDump, ExtendedProposal, ExtendedRegister, KMCookie, Pair
from .extensions_ipsec import (
    SA2,
    Filter,
    HardwareOffload,
    KMAddress,
    KMPrivate,
    NATTEncapsulation,
    NATTFragment,
    NATTPort,
    Policy,
    ReplayCounter,
    ReplayWindow,
    SecurityContext,
)
from .extensions_macos import IPsecInterface, SAStatistics, SessionID
from .extensions_openbsd import (
    MTU,
    Counters,
    Flow,
    Interface,
    PolicySequence,
    Protocol,
    RoutingDomains,
    SecondSAType,
    Tag,
    Tap,
)
from .facts import fact
from .sockaddr import SocketAddress
from .value import ExtensionValue

if TYPE_CHECKING:
    from .message import Message

E = TypeVar("E", bound=ExtensionValue)


class Part(Generic[E]):
    """The attribute of one extension type."""

    __slots__ = ("exttype",)

    def __init__(self, exttype: Ext) -> None:
        self.exttype = exttype

    @overload
    def __get__(self, message: None, owner: object) -> Self: ...
    @overload
    def __get__(self, message: Message, owner: object) -> E | None: ...
    def __get__(self, message: Message | None, owner: object) -> Self | E | None:
        if message is None:
            return self
        return self.find(message)  # type: ignore[return-value]

    def find(self, message: Message) -> ExtensionValue | None:
        """The extension of a message, or None."""
        return message.get(self.exttype)


class Folded(Part[E]):
    """The attribute of an extension whose fact some systems have elsewhere; on those it is made of what they say."""

    __slots__ = ("column", "made")

    def __init__(self, exttype: Ext, made: Callable[[Any], E]) -> None:
        super().__init__(exttype)
        self.column = exttype.name.lower()
        self.made = made

    def find(self, message: Message) -> ExtensionValue | None:
        """The extension, or one with the fact; None if there is neither, or the fact is a zero."""
        found = super().find(message)
        if found is not None or self.exttype in message.dialect.by_type:
            return found
        told = fact(message, self.column)
        return self.made(told) if told else None


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
    natt_type = Folded[NATTEncapsulation](Ext.NATT_TYPE, NATTEncapsulation)
    natt_sport = Folded[NATTPort](Ext.NATT_SPORT, partial(NATTPort, Ext.NATT_SPORT))
    natt_dport = Folded[NATTPort](Ext.NATT_DPORT, partial(NATTPort, Ext.NATT_DPORT))
    natt_oa = Folded[Address](Ext.NATT_OA, lambda ip: Address(Ext.NATT_OA, SocketAddress(ip)))
    sec_ctx = Part[SecurityContext](Ext.SEC_CTX)
    kmaddress = Part[KMAddress](Ext.KMADDRESS)
    filter = Part[Filter](Ext.FILTER)
    natt_oar = Part[Address](Ext.NATT_OAR)
    natt_frag = Part[NATTFragment](Ext.NATT_FRAG)
    sa_replay = Part[ReplayWindow](Ext.SA_REPLAY)
    new_address_src = Part[Address](Ext.NEW_ADDRESS_SRC)
    new_address_dst = Part[Address](Ext.NEW_ADDRESS_DST)
    lifetime_sw_offload = Part[Lifetime](Ext.LIFETIME_SW_OFFLOAD)
    lifetime_hw_offload = Part[Lifetime](Ext.LIFETIME_HW_OFFLOAD)
    if_hw_offload = Part[HardwareOffload](Ext.IF_HW_OFFLOAD)
    src_mask = Part[Address](Ext.SRC_MASK)
    dst_mask = Part[Address](Ext.DST_MASK)
    protocol = Part[Protocol](Ext.PROTOCOL)
    flow_type = Part[Flow](Ext.FLOW_TYPE)
    src_flow = Part[Address](Ext.SRC_FLOW)
    dst_flow = Part[Address](Ext.DST_FLOW)
    second_sa = Part[SA](Ext.SECOND_SA)
    second_dst = Part[Address](Ext.SECOND_DST)
    policy_seq = Part[PolicySequence](Ext.POLICY_SEQ)
    supported_comp = Part[Supported](Ext.SUPPORTED_COMP)
    udpencap = Part[NATTPort](Ext.UDPENCAP)
    lifetime_lastuse = Part[Lifetime](Ext.LIFETIME_LASTUSE)
    tag = Part[Tag](Ext.TAG)
    tap = Part[Tap](Ext.TAP)
    satype2 = Part[SecondSAType](Ext.SATYPE2)
    counter = Part[Counters](Ext.COUNTER)
    rdomain = Part[RoutingDomains](Ext.RDOMAIN)
    mtu = Part[MTU](Ext.MTU)
    replay_counter = Part[ReplayCounter](Ext.REPLAY_COUNTER)
    interface = Part[Interface](Ext.INTERFACE)
    pair = Part[Pair](Ext.PAIR)
    natt_local = Part[Address](Ext.NATT_LOCAL)
    natt_remote = Part[Address](Ext.NATT_REMOTE)
    inner_dst = Part[Address](Ext.INNER_DST)
    str_auth = Part[Key](Ext.STR_AUTH)
    km_cookie = Part[KMCookie](Ext.KM_COOKIE)
    lifetime_idle = Part[Lifetime](Ext.LIFETIME_IDLE)
    extended_proposal = Part[ExtendedProposal](Ext.EXTENDED_PROPOSAL)
    extended_register = Part[ExtendedRegister](Ext.EXTENDED_REGISTER)
    session_id = Part[SessionID](Ext.SESSION_ID)
    sastat = Part[SAStatistics](Ext.SASTAT)
    ipsecif = Part[IPsecInterface](Ext.IPSECIF)
    migrate_ipsecif = Part[IPsecInterface](Ext.MIGRATE_IPSECIF)
    range_src_start = Part[Address](Ext.RANGE_SRC_START)
    range_src_end = Part[Address](Ext.RANGE_SRC_END)
    range_dst_start = Part[Address](Ext.RANGE_DST_START)
    range_dst_end = Part[Address](Ext.RANGE_DST_END)
    extended_dump = Part[ExtendedDump](Ext.EXTENDED_DUMP)
    outer_sensitivity = Part[Sensitivity](Ext.OUTER_SENSITIVITY)
    local_credentials = Part[Opaque](Ext.LOCAL_CREDENTIALS)
    remote_credentials = Part[Opaque](Ext.REMOTE_CREDENTIALS)
    local_auth = Part[Opaque](Ext.LOCAL_AUTH)
    remote_auth = Part[Opaque](Ext.REMOTE_AUTH)

    @property
    def mode(self: Message) -> Mode | None:  # type: ignore[misc]  # every message is of both classes
        """Mode of the association, a number on some systems and a flag on others; None where the message has none."""
        return fact(self, "mode")  # type: ignore[return-value]

    @property
    def replay(self: Message) -> int | None:  # type: ignore[misc]
        """Replay window in packets, wherever and in whatever unit the system has it; None without an association."""
        return fact(self, "replay")  # type: ignore[return-value]
