"""KAME: what FreeBSD, NetBSD and macOS share, and what Linux took over from it.

KAME's kernel brought policies into PF_KEY (messages 13 to 22, extension 18) and the second part of an association (19).
It counts the replay window in bytes of bitmap, eight packets each. Its `DIALECT` is an ancestor only: no system speaks
it as it stands.

Sources: sys/net/pfkeyv2.h, sys/netipsec/ipsec.h and key.c of FreeBSD and NetBSD; bsd/net/pfkeyv2.h and bsd/netkey/key.c
of xnu.
"""

from __future__ import annotations

from dataclasses import replace

from . import replies, rfc2367
from .layouts import layout
from .model import Extension, Requests, Sockaddrs, Text, When, exact
from .term_tables import terms
from .terms import AuthAlgorithm as Auth
from .terms import CompressAlgorithm as Compress
from .terms import Direction, IdentityType, Level, MessageType, Mode, NATTType, PolicyType, SAType
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext

SA = layout(
    "sadb_sa",
    "sadb_sa_",
    """
    len      u16
    exttype  u16
    spi      n32
    replay   u8   <<3
    state    u8   state
    auth     u8   auth
    encrypt  u8   encrypt
    flags    u32
    """,
)

SA2 = layout(
    "sadb_x_sa2",
    "sadb_x_sa2_",
    """
    len        u16
    exttype    u16
    mode       u8   mode
    reserved1  u8
    reserved2  u16
    sequence   u32
    reqid      u32
    """,
)

IPSECREQUEST = layout(
    "sadb_x_ipsecrequest",
    "sadb_x_ipsecrequest_",
    """
    len    u16
    proto  u16
    mode   u8   mode
    level  u8   level
    reqid  u16
    """,
)

NATT_TYPE = layout(
    "sadb_x_nat_t_type",
    "sadb_x_nat_t_type_",
    """
    len       u16
    exttype   u16
    type      u8   natt_type
    reserved  b8[3]
    """,
)

NATT_PORT = layout(
    "sadb_x_nat_t_port",
    "sadb_x_nat_t_port_",
    """
    len       u16
    exttype   u16
    port      n16
    reserved  u16
    """,
)

NATT_FRAG = layout(
    "sadb_x_nat_t_frag",
    "sadb_x_nat_t_frag_",
    """
    len       u16
    exttype   u16
    fraglen   u16
    reserved  u16
    """,
)

POLICY_IS_IPSEC = When("type", 2)
"""Requests follow a policy only if its type is IPSEC_POLICY_IPSEC."""

REQUESTS = Requests(IPSECREQUEST, POLICY_IS_IPSEC)

IDENTITY = (Sockaddrs(when=When("type", 4)), Text())
"""An identity of type SADB_X_IDENTTYPE_ADDR is a socket address, any other is text."""

EXTENSIONS = (
    *exact(
        (
            Extension(Ext.SA, "SADB_EXT_SA", 1, (SA,)),
            Extension(Ext.SA2, "SADB_X_EXT_SA2", 19, (SA2,)),
        )
    ),
    Extension(Ext.IDENTITY_SRC, "SADB_EXT_IDENTITY_SRC", 10, (rfc2367.IDENT,), IDENTITY),
    Extension(Ext.IDENTITY_DST, "SADB_EXT_IDENTITY_DST", 11, (rfc2367.IDENT,), IDENTITY),
    # The headers define it, the kernels refuse it.
    Extension(Ext.KMPRIVATE, "SADB_X_EXT_KMPRIVATE", 17, (rfc2367.KMPRIVATE,), maximum=0),
)

NATT_EXTENSIONS = exact(
    (
        Extension(Ext.NATT_TYPE, "SADB_X_EXT_NAT_T_TYPE", 20, (NATT_TYPE,)),
        Extension(Ext.NATT_SPORT, "SADB_X_EXT_NAT_T_SPORT", 21, (NATT_PORT,)),
        Extension(Ext.NATT_DPORT, "SADB_X_EXT_NAT_T_DPORT", 22, (NATT_PORT,)),
        Extension(Ext.NATT_OA, "SADB_X_EXT_NAT_T_OAI", 23, (rfc2367.ADDRESS,), (Sockaddrs(),)),
        Extension(Ext.NATT_OAR, "SADB_X_EXT_NAT_T_OAR", 24, (rfc2367.ADDRESS,), (Sockaddrs(),)),
        Extension(Ext.NATT_FRAG, "SADB_X_EXT_NAT_T_FRAG", 25, (NATT_FRAG,)),
    )
)
"""NAT traversal on FreeBSD and NetBSD; the original address of the initiator stands where Linux has its only one."""

MESSAGES = rfc2367.MESSAGES.extended(
    {
        "SADB_X_SPDUPDATE": (13, MessageType.SPDUPDATE),
        "SADB_X_SPDADD": (14, MessageType.SPDADD),
        "SADB_X_SPDDELETE": (15, MessageType.SPDDELETE),
        "SADB_X_SPDGET": (16, MessageType.SPDGET),
        "SADB_X_SPDACQUIRE": (17, MessageType.SPDACQUIRE),
        "SADB_X_SPDDUMP": (18, MessageType.SPDDUMP),
        "SADB_X_SPDFLUSH": (19, MessageType.SPDFLUSH),
        "SADB_X_SPDSETIDX": (20, MessageType.SPDSETIDX),
        "SADB_X_SPDEXPIRE": (21, MessageType.SPDEXPIRE),
        "SADB_X_SPDDELETE2": (22, MessageType.SPDDELETE2),
    }
)

SATYPES = rfc2367.SATYPES.extended({"SADB_X_SATYPE_IPCOMP": (9, SAType.IPCOMP)})

BSD_SATYPES = SATYPES.extended({"SADB_X_SATYPE_TCPSIGNATURE": (11, SAType.TCPSIGNATURE)})

BSD_AUTH = rfc2367.AUTH.extended(
    {
        "SADB_X_AALG_SHA2_256": (5, Auth.SHA2_256_HMAC),
        "SADB_X_AALG_SHA2_384": (6, Auth.SHA2_384_HMAC),
        "SADB_X_AALG_SHA2_512": (7, Auth.SHA2_512_HMAC),
        "SADB_X_AALG_RIPEMD160HMAC": (8, Auth.RIPEMD160_HMAC),
        "SADB_X_AALG_AES_XCBC_MAC": (9, Auth.AES_XCBC_MAC),
        "SADB_X_AALG_AES128GMAC": (11, Auth.AES128_GMAC),
        "SADB_X_AALG_AES192GMAC": (12, Auth.AES192_GMAC),
        "SADB_X_AALG_AES256GMAC": (13, Auth.AES256_GMAC),
        "SADB_X_AALG_MD5": (249, Auth.KEYED_MD5),
        "SADB_X_AALG_SHA": (250, Auth.KEYED_SHA1),
        "SADB_X_AALG_NULL": (251, Auth.NULL),
        "SADB_X_AALG_TCP_MD5": (252, Auth.TCP_MD5),
    }
)

BSD_ENCRYPT = rfc2367.ENCRYPT.extended(
    {
        "SADB_X_EALG_CAST128CBC": (6, Encrypt.CAST128_CBC),
        "SADB_X_EALG_BLOWFISHCBC": (7, Encrypt.BLOWFISH_CBC),
        "SADB_X_EALG_AES": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_RIJNDAELCBC": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_AESCTR": (13, Encrypt.AES_CTR),
        "SADB_X_EALG_AESGCM8": (18, Encrypt.AES_GCM_ICV8),
        "SADB_X_EALG_AESGCM12": (19, Encrypt.AES_GCM_ICV12),
        "SADB_X_EALG_AESGCM16": (20, Encrypt.AES_GCM_ICV16),
        "SADB_X_EALG_CAMELLIACBC": (22, Encrypt.CAMELLIA_CBC),
        "SADB_X_EALG_AESGMAC": (23, Encrypt.NULL_AES_GMAC),
    }
)
"""Algorithms of FreeBSD and NetBSD; macOS has numbers of its own."""

COMPRESS = terms(
    Compress,
    {
        "SADB_X_CALG_NONE": (0, Compress.NONE),
        "SADB_X_CALG_OUI": (1, Compress.OUI),
        "SADB_X_CALG_DEFLATE": (2, Compress.DEFLATE),
        "SADB_X_CALG_LZS": (3, Compress.LZS),
    },
)

IDENTITIES = rfc2367.IDENTITIES.extended({"SADB_X_IDENTTYPE_ADDR": (4, IdentityType.ADDRESS)})

NATT_TYPES = terms(
    NATTType,
    {
        "UDP_ENCAP_NONE": (0, NATTType.NONE),
        "UDP_ENCAP_ESPINUDP_NON_IKE": (1, NATTType.ESPINUDP_NON_IKE),
        "UDP_ENCAP_ESPINUDP": (2, NATTType.ESPINUDP),
    },
)

MODES = terms(
    Mode,
    {
        "IPSEC_MODE_ANY": (0, Mode.ANY),
        "IPSEC_MODE_TRANSPORT": (1, Mode.TRANSPORT),
        "IPSEC_MODE_TUNNEL": (2, Mode.TUNNEL),
    },
)

DIRECTIONS = terms(
    Direction,
    {
        "IPSEC_DIR_ANY": (0, Direction.ANY),
        "IPSEC_DIR_INBOUND": (1, Direction.IN),
        "IPSEC_DIR_OUTBOUND": (2, Direction.OUT),
    },
)

POLICY_TYPES = terms(
    PolicyType,
    {
        "IPSEC_POLICY_DISCARD": (0, PolicyType.DISCARD),
        "IPSEC_POLICY_NONE": (1, PolicyType.NONE),
        "IPSEC_POLICY_IPSEC": (2, PolicyType.IPSEC),
        "IPSEC_POLICY_ENTRUST": (3, PolicyType.ENTRUST),
        "IPSEC_POLICY_BYPASS": (4, PolicyType.BYPASS),
    },
)

LEVELS = terms(
    Level,
    {
        "IPSEC_LEVEL_DEFAULT": (0, Level.DEFAULT),
        "IPSEC_LEVEL_USE": (1, Level.USE),
        "IPSEC_LEVEL_REQUIRE": (2, Level.REQUIRE),
        "IPSEC_LEVEL_UNIQUE": (3, Level.UNIQUE),
    },
)

FLAGS = {
    "SADB_X_EXT_NONE": 0,
    "SADB_X_EXT_OLD": 0x0001,
    "SADB_X_EXT_IV4B": 0x0010,
    "SADB_X_EXT_DERIV": 0x0020,
    "SADB_X_EXT_CYCSEQ": 0x0040,
    "SADB_X_EXT_RAWCPI": 0x0080,
    "SADB_X_EXT_PSEQ": 0,
    "SADB_X_EXT_PRAND": 0x0100,
    "SADB_X_EXT_PZERO": 0x0200,
    "SADB_X_EXT_PMASK": 0x0300,
}
"""Bits of sadb_sa_flags; "old format" has the bit of the RFC's SADB_SAFLAGS_PFS. PMASK covers the kinds of padding."""

CONSTANTS = {
    "PFKEYV2_REVISION": 199806,
    "SADB_SASTATE_MAX": 3,
    "SADB_X_CALG_MAX": 4,
    "SADB_IDENTTYPE_MAX": 4,
    "SADB_X_LIFETIME_ALLOCATIONS": 0,
    "SADB_X_LIFETIME_BYTES": 1,
    "SADB_X_LIFETIME_ADDTIME": 2,
    "SADB_X_LIFETIME_USETIME": 3,
    "PFKEY_SOFT_LIFETIME_RATE": 80,
    "IPSEC_PORT_ANY": 0,
    "IPSEC_ULPROTO_ANY": 255,
    "IPSEC_PROTO_ANY": 255,
    "IPSEC_DIR_MAX": 3,
    "IPSEC_DIR_INVALID": 4,
    "IPSEC_MANUAL_REQID_MAX": 16383,
    "IPSEC_REPLAYWSIZE": 32,
}

DIALECT = replace(rfc2367.DIALECT, extensions=exact(rfc2367.EXTENSIONS)).derive(
    "kame",
    counts=True,
    extensions=EXTENSIONS,
    terms={
        "message": MESSAGES,
        "satype": SATYPES,
        "compress": COMPRESS,
        "identity": IDENTITIES,
        "mode": MODES,
        "direction": DIRECTIONS,
        "policy_type": POLICY_TYPES,
        "level": LEVELS,
    },
    flags=FLAGS,
    constants=CONSTANTS,
    ipsec_request=IPSECREQUEST,
    replies=replies.KAME,
)
