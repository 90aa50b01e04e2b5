"""OpenBSD: RFC 2367 with flows in place of policies, pairs of associations (GRPSPIS), and numbers of its own.

Addresses have neither protocol nor prefix: a flow's selectors are sockaddrs, and their masks are sockaddrs too. SA
types differ from everyone's (ESP is 2), and extensions 23 and 25 have the names of KAME's SA2 and POLICY with other
meanings.

Sources: sys/net/pfkeyv2.h v1.95, pfkeyv2.c, pfkeyv2_convert.c, pfkeyv2_parsemessage.c, sys/netinet/ip_ipsp.h.
"""

from __future__ import annotations

from . import errnos, kame, replies, rfc2367, tables
from .layouts import layout
from .model import Choice, Extension, Records, Sized, Sockaddrs, Source, Take, exact
from .sockaddrs import sockaddr_rules
from .term_tables import terms
from .terms import AuthAlgorithm as Auth
from .terms import Direction, FlowType, IdentityType, MessageType, Mode, NATTType, PolicyType, SAType
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext

HEADER_ONLY = layout(
    "sadb_ext",
    "sadb_ext_",
    """
    len   u16
    exttype=sadb_ext_type  u16
    """,
)

ADDRESS = layout(
    "sadb_address",
    "sadb_address_",
    """
    len       u16
    exttype   u16
    reserved  u32
    """,
)

PROP = layout(
    "sadb_prop",
    "sadb_prop_",
    """
    len       u16
    exttype   u16
    num       u8
    replay    u8
    reserved  u16
    """,
)

PROTOCOL = layout(
    "sadb_protocol",
    "sadb_protocol_",
    """
    len        u16
    exttype    u16
    proto      u8
    direction  u8
    flags      u8
    reserved2  u8
    """,
)

# In the reply to ASKPOLICY the kernel puts the transport protocol where the flow type belongs.
FLOW_TYPE = layout(
    "sadb_protocol",
    "sadb_protocol_",
    """
    len        u16
    exttype    u16
    type=sadb_protocol_proto  u8  flow_type
    direction  u8   direction
    flags      u8
    reserved2  u8
    """,
)

SATYPE2 = layout(
    "sadb_protocol",
    "sadb_protocol_",
    """
    len        u16
    exttype    u16
    satype=sadb_protocol_proto  u8  satype
    direction  u8
    flags      u8
    reserved2  u8
    """,
)

POLICY_SEQ = layout(
    "sadb_x_policy",
    "sadb_x_policy_",
    """
    len      u16
    exttype  u16
    seq      u32
    """,
)

UDPENCAP = layout(
    "sadb_x_udpencap",
    "sadb_x_udpencap_",
    """
    len       u16
    exttype   u16
    port      n16
    reserved  u16
    """,
)

TAG = layout(
    "sadb_x_tag",
    "sadb_x_tag_",
    """
    len      u16
    exttype  u16
    taglen   u32
    """,
)

TAP = layout(
    "sadb_x_tap",
    "sadb_x_tap_",
    """
    len      u16
    exttype  u16
    unit     u32
    """,
)

COUNTER = layout(
    "sadb_x_counter",
    "sadb_x_counter_",
    """
    len          u16
    exttype      u16
    reserved=sadb_x_counter_pad  u32
    ipackets     u64
    opackets     u64
    ibytes       u64
    obytes       u64
    idrops       u64
    odrops       u64
    idecompbytes u64
    ouncompbytes u64
    """,
)

RDOMAIN = layout(
    "sadb_x_rdomain",
    "sadb_x_rdomain_",
    """
    len      u16
    exttype  u16
    dom1     u16
    dom2     u16
    """,
)

MTU = layout(
    "sadb_x_mtu",
    "sadb_x_mtu_",
    """
    len      u16
    exttype  u16
    mtu      u32
    """,
)

REPLAY = layout(
    "sadb_x_replay",
    "sadb_x_replay_",
    """
    len       u16
    exttype   u16
    reserved  u32
    count     u64
    """,
)

INTERFACE = layout(
    "sadb_x_iface",
    "sadb_x_iface_",
    """
    len        u16
    exttype    u16
    unit       u32
    direction  u8   direction
    reserved   b8[7]
    """,
)

TAG_NAME_SIZE = 64
"""Bytes of a packet filter tag with its NUL (PF_TAG_NAME_SIZE)."""


def _address(type: Ext, c_name: str, number: int) -> Extension:
    return Extension(type, c_name, number, (ADDRESS,), (Sockaddrs(),))


def _removed(type: Ext, c_name: str, number: int) -> Extension:
    """A number that the header kept when its structure went; the kernel refuses it."""
    return Extension(type, c_name, number, (HEADER_ONLY,), maximum=0)


EXTENSIONS = (
    _address(Ext.ADDRESS_SRC, "SADB_EXT_ADDRESS_SRC", 5),
    _address(Ext.ADDRESS_DST, "SADB_EXT_ADDRESS_DST", 6),
    _address(Ext.ADDRESS_PROXY, "SADB_EXT_ADDRESS_PROXY", 7),
    Extension(Ext.PROPOSAL, "SADB_EXT_PROPOSAL", 13, (PROP,), (Records(rfc2367.COMB),)),
    _address(Ext.SRC_MASK, "SADB_X_EXT_SRC_MASK", 17),
    _address(Ext.DST_MASK, "SADB_X_EXT_DST_MASK", 18),
    _address(Ext.SRC_FLOW, "SADB_X_EXT_SRC_FLOW", 21),
    _address(Ext.DST_FLOW, "SADB_X_EXT_DST_FLOW", 22),
    _address(Ext.SECOND_DST, "SADB_X_EXT_DST2", 24),
    _removed(Ext.LOCAL_CREDENTIALS, "SADB_X_EXT_LOCAL_CREDENTIALS", 26),
    _removed(Ext.REMOTE_CREDENTIALS, "SADB_X_EXT_REMOTE_CREDENTIALS", 27),
    _removed(Ext.LOCAL_AUTH, "SADB_X_EXT_LOCAL_AUTH", 28),
    _removed(Ext.REMOTE_AUTH, "SADB_X_EXT_REMOTE_AUTH", 29),
    Extension(Ext.SUPPORTED_COMP, "SADB_X_EXT_SUPPORTED_COMP", 30, (rfc2367.SUPPORTED,), (Records(rfc2367.ALG),)),
    Extension(Ext.TAG, "SADB_X_EXT_TAG", 33, (TAG,), (Sized(("taglen",)),), maximum=TAG.size + TAG_NAME_SIZE),
    *exact(
        (
            Extension(Ext.PROTOCOL, "SADB_X_EXT_PROTOCOL", 19, (PROTOCOL,)),
            Extension(Ext.FLOW_TYPE, "SADB_X_EXT_FLOW_TYPE", 20, (FLOW_TYPE,)),
            Extension(Ext.SECOND_SA, "SADB_X_EXT_SA2", 23, (rfc2367.SA,)),
            Extension(Ext.POLICY_SEQ, "SADB_X_EXT_POLICY", 25, (POLICY_SEQ,)),
            Extension(Ext.UDPENCAP, "SADB_X_EXT_UDPENCAP", 31, (UDPENCAP,)),
            Extension(Ext.LIFETIME_LASTUSE, "SADB_X_EXT_LIFETIME_LASTUSE", 32, (rfc2367.LIFETIME,)),
            Extension(Ext.TAP, "SADB_X_EXT_TAP", 34, (TAP,)),
            Extension(Ext.SATYPE2, "SADB_X_EXT_SATYPE2", 35, (SATYPE2,)),
            Extension(Ext.COUNTER, "SADB_X_EXT_COUNTER", 36, (COUNTER,)),
            Extension(Ext.RDOMAIN, "SADB_X_EXT_RDOMAIN", 37, (RDOMAIN,)),
            Extension(Ext.MTU, "SADB_X_EXT_MTU", 38, (MTU,)),
            Extension(Ext.REPLAY_COUNTER, "SADB_X_EXT_REPLAY", 39, (REPLAY,)),
            Extension(Ext.INTERFACE, "SADB_X_EXT_IFACE", 40, (INTERFACE,)),
        )
    ),
)

MESSAGES = rfc2367.MESSAGES.without("SADB_X_PCHANGE").extended(
    {
        "SADB_X_ADDFLOW": (12, MessageType.ADDFLOW),
        "SADB_X_DELFLOW": (13, MessageType.DELFLOW),
        "SADB_X_GRPSPIS": (14, MessageType.GRPSPIS),
        "SADB_X_ASKPOLICY": (15, MessageType.ASKPOLICY),
        "SADB_X_SPDDUMP": (16, MessageType.SPDDUMP),
    }
)

SATYPES = terms(
    SAType,
    {
        "SADB_SATYPE_UNSPEC": (0, SAType.UNSPEC),
        "SADB_SATYPE_AH": (1, SAType.AH),
        "SADB_SATYPE_ESP": (2, SAType.ESP),
        "SADB_SATYPE_RSVP": (3, SAType.RSVP),
        "SADB_SATYPE_OSPFV2": (4, SAType.OSPFV2),
        "SADB_SATYPE_RIPV2": (5, SAType.RIPV2),
        "SADB_SATYPE_MIP": (6, SAType.MIP),
        "SADB_X_SATYPE_IPIP": (7, SAType.IPIP),
        "SADB_X_SATYPE_TCPSIGNATURE": (8, SAType.TCPSIGNATURE),
        "SADB_X_SATYPE_IPCOMP": (9, SAType.IPCOMP),
    },
)

AUTH = rfc2367.AUTH.extended(
    {
        "SADB_X_AALG_SHA2_256": (5, Auth.SHA2_256_HMAC),
        "SADB_X_AALG_SHA2_384": (6, Auth.SHA2_384_HMAC),
        "SADB_X_AALG_SHA2_512": (7, Auth.SHA2_512_HMAC),
        "SADB_X_AALG_RIPEMD160HMAC": (8, Auth.RIPEMD160_HMAC),
        "SADB_X_AALG_AES128GMAC": (9, Auth.AES128_GMAC),
        "SADB_X_AALG_AES192GMAC": (10, Auth.AES192_GMAC),
        "SADB_X_AALG_AES256GMAC": (11, Auth.AES256_GMAC),
        "SADB_X_AALG_CHACHA20POLY1305": (12, Auth.CHACHA20_POLY1305),
    }
)

ENCRYPT = rfc2367.ENCRYPT.without("SADB_EALG_DESCBC").extended(
    {
        "SADB_X_EALG_CAST": (6, Encrypt.CAST128_CBC),
        "SADB_X_EALG_BLF": (7, Encrypt.BLOWFISH_CBC),
        "SADB_X_EALG_AES": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_AESCTR": (13, Encrypt.AES_CTR),
        "SADB_X_EALG_AESGCM8": (18, Encrypt.AES_GCM_ICV8),
        "SADB_X_EALG_AESGCM12": (19, Encrypt.AES_GCM_ICV12),
        "SADB_X_EALG_AESGCM16": (20, Encrypt.AES_GCM_ICV16),
        "SADB_X_EALG_AESGMAC": (21, Encrypt.NULL_AES_GMAC),
        "SADB_X_EALG_CHACHA20POLY1305": (22, Encrypt.CHACHA20_POLY1305),
    }
)

FLOW_TYPES = terms(
    FlowType,
    {
        "SADB_X_FLOW_TYPE_USE": (1, FlowType.USE),
        "SADB_X_FLOW_TYPE_ACQUIRE": (2, FlowType.ACQUIRE),
        "SADB_X_FLOW_TYPE_REQUIRE": (3, FlowType.REQUIRE),
        "SADB_X_FLOW_TYPE_BYPASS": (4, FlowType.BYPASS),
        "SADB_X_FLOW_TYPE_DENY": (5, FlowType.DENY),
        "SADB_X_FLOW_TYPE_DONTACQ": (6, FlowType.DONTACQ),
    },
)

POLICY_TYPES = terms(
    PolicyType,
    {
        "SADB_X_FLOW_TYPE_USE": (1, PolicyType.USE),
        "SADB_X_FLOW_TYPE_ACQUIRE": (2, PolicyType.ACQUIRE),
        "SADB_X_FLOW_TYPE_REQUIRE": (3, PolicyType.REQUIRE),
        "SADB_X_FLOW_TYPE_BYPASS": (4, PolicyType.BYPASS),
        "SADB_X_FLOW_TYPE_DENY": (5, PolicyType.DISCARD),
        "SADB_X_FLOW_TYPE_DONTACQ": (6, PolicyType.DONTACQ),
    },
)
"""Flow types as a table of policies names them, beside the policy types of other systems."""

TUNNEL = Choice(("SADB_X_SAFLAGS_TUNNEL",), Mode.TUNNEL, Mode.TRANSPORT)
ENCAPSULATED = Choice(("SADB_X_SAFLAGS_UDPENCAP",), NATTType.ESPINUDP, NATTType.NONE)

DIALECT = rfc2367.DIALECT.derive(
    "openbsd",
    family=30,
    sockaddr=sockaddr_rules(has_length=True, af_inet6=24),
    extensions=exact(item for item in rfc2367.EXTENSIONS if item.type is not Ext.KMPRIVATE),
).derive(
    "openbsd",
    extensions=EXTENSIONS,
    terms={
        "message": MESSAGES,
        "satype": SATYPES,
        "auth": AUTH,
        "encrypt": ENCRYPT,
        "compress": kame.COMPRESS.without("SADB_X_CALG_LZS"),
        "identity": rfc2367.IDENTITIES.extended({"SADB_IDENTTYPE_ASN1_DN": (4, IdentityType.DN)}),
        "direction": terms(
            Direction,
            {"IPSP_DIRECTION_IN": (1, Direction.IN), "IPSP_DIRECTION_OUT": (2, Direction.OUT)},
        ),
        "flow_type": FLOW_TYPES,
        "policy_type": POLICY_TYPES,
    },
    flags={
        "SADB_X_SAFLAGS_TUNNEL": 0x0004,
        "SADB_X_SAFLAGS_CHAINDEL": 0x0008,
        "SADB_X_SAFLAGS_UDPENCAP": 0x0200,
        "SADB_X_SAFLAGS_ESN": 0x0400,
    },
    constants={
        "PFKEYV2_REVISION": 199806,
        "_OPENBSD_IPSEC_API_VERSION": 2,
        "SADB_MAX": 16,
        "SADB_EXT_MAX": 40,
        "SADB_SATYPE_MAX": 9,
        "SADB_SASTATE_MAX": 3,
        "SADB_KEY_FLAGS_MAX": 0,
        "SADB_AALG_MAX": 12,
        "SADB_EALG_MAX": 22,
        "SADB_X_CALG_MAX": 2,
        "SADB_IDENTTYPE_MAX": 4,
        "SADB_X_POLICYFLAGS_POLICY": 1,
        "NET_KEY_SADB_DUMP": 1,
        "NET_KEY_SPD_DUMP": 2,
    },
    sources={
        # The kernel keeps the peer's port alone: an outbound packet goes to it, from the port that serves the whole
        # system.
        "SATable": (
            Source("mode", Ext.SA, "flags", choice=TUNNEL),
            Source("natt_type", Ext.SA, "flags", choice=ENCAPSULATED),
            Source("natt_dport", Ext.UDPENCAP, "port"),
        ),
        # The addresses of a flow are its gateways; what it selects is the flow itself.
        "PolicyTable": (
            *tables.address_sources("src", Ext.SRC_FLOW),
            *tables.address_sources("dst", Ext.DST_FLOW),
            Source("src_prefixlen", Ext.SRC_MASK, take=Take.PREFIX),
            Source("dst_prefixlen", Ext.DST_MASK, take=Take.PREFIX),
            Source("src_proto", Ext.PROTOCOL, "proto"),
            Source("dst_proto", Ext.PROTOCOL, "proto"),
            Source("dir", Ext.FLOW_TYPE, "direction"),
            Source("type", Ext.FLOW_TYPE, "type", terms="policy_type"),
        ),
    },
    errnos=errnos.OPENBSD,
    replies=replies.OPENBSD,
)
