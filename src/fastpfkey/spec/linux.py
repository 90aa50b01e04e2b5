"""Linux: RFC 2367 plus KAME's policy messages, with a wider policy request, NAT-T, security contexts and filters.

Source: include/uapi/linux/pfkeyv2.h and ipsec.h, and net/key/af_key.c; what a 6.1 kernel was seen to do.
"""

from __future__ import annotations

from . import errnos, kame, replies, rfc2367
from .layouts import layout
from .model import Extension, Requests, Sized, Sockaddrs
from .terms import AuthAlgorithm as Auth
from .terms import CompressAlgorithm as Compress
from .terms import Direction, MessageType, Mode
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext

POLICY = layout(
    "sadb_x_policy",
    "sadb_x_policy_",
    """
    len       u16
    exttype   u16
    type      u16  policy_type
    dir       u8   direction
    reserved  u8
    id        u32
    priority  u32
    """,
)

IPSECREQUEST = layout(
    "sadb_x_ipsecrequest",
    "sadb_x_ipsecrequest_",
    """
    len        u16
    proto      u16
    mode       u8   mode
    level      u8   level
    reserved1  u16
    reqid      u32
    reserved2  u32
    """,
)

SEC_CTX = layout(
    "sadb_x_sec_ctx",
    "sadb_x_sec_",
    """
    len      u16
    exttype  u16
    algorithm=sadb_x_ctx_alg  u8
    doi=sadb_x_ctx_doi        u8
    length=sadb_x_ctx_len     u16
    """,
)

KMADDRESS = layout(
    "sadb_x_kmaddress",
    "sadb_x_kmaddress_",
    """
    len       u16
    exttype   u16
    reserved  u32
    """,
)

FILTER = layout(
    "sadb_x_filter",
    "sadb_x_filter_",
    """
    len      u16
    exttype  u16
    saddr    b32[4]
    daddr    b32[4]
    family   u16
    splen    u8
    dplen    u8
    """,
)

EXTENSIONS = (
    Extension(Ext.POLICY, "SADB_X_EXT_POLICY", 18, (POLICY,), (Requests(IPSECREQUEST, kame.POLICY_IS_IPSEC),)),
    Extension(Ext.SA2, "SADB_X_EXT_SA2", 19, (kame.SA2,)),
    Extension(Ext.NATT_TYPE, "SADB_X_EXT_NAT_T_TYPE", 20, (kame.NATT_TYPE,)),
    Extension(Ext.NATT_SPORT, "SADB_X_EXT_NAT_T_SPORT", 21, (kame.NATT_PORT,)),
    Extension(Ext.NATT_DPORT, "SADB_X_EXT_NAT_T_DPORT", 22, (kame.NATT_PORT,)),
    Extension(Ext.NATT_OA, "SADB_X_EXT_NAT_T_OA", 23, (rfc2367.ADDRESS,), (Sockaddrs(),)),
    Extension(Ext.SEC_CTX, "SADB_X_EXT_SEC_CTX", 24, (SEC_CTX,), (Sized(("length",)),)),
    Extension(Ext.KMADDRESS, "SADB_X_EXT_KMADDRESS", 25, (KMADDRESS,), (Sockaddrs(2),)),
    Extension(Ext.FILTER, "SADB_X_EXT_FILTER", 26, (FILTER,)),
)

MESSAGES = kame.MESSAGES.extended(
    {
        "SADB_X_NAT_T_NEW_MAPPING": (23, MessageType.NAT_T_NEW_MAPPING),
        "SADB_X_MIGRATE": (24, MessageType.MIGRATE),
    }
)

AUTH = rfc2367.AUTH.extended(
    {
        "SADB_X_AALG_SHA2_256HMAC": (5, Auth.SHA2_256_HMAC),
        "SADB_X_AALG_SHA2_384HMAC": (6, Auth.SHA2_384_HMAC),
        "SADB_X_AALG_SHA2_512HMAC": (7, Auth.SHA2_512_HMAC),
        "SADB_X_AALG_RIPEMD160HMAC": (8, Auth.RIPEMD160_HMAC),
        "SADB_X_AALG_AES_XCBC_MAC": (9, Auth.AES_XCBC_MAC),
        "SADB_X_AALG_SM3_256HMAC": (10, Auth.SM3_256_HMAC),
        "SADB_X_AALG_NULL": (251, Auth.NULL),
    }
)

ENCRYPT = rfc2367.ENCRYPT.extended(
    {
        "SADB_X_EALG_CASTCBC": (6, Encrypt.CAST128_CBC),
        "SADB_X_EALG_BLOWFISHCBC": (7, Encrypt.BLOWFISH_CBC),
        "SADB_X_EALG_AESCBC": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_AESCTR": (13, Encrypt.AES_CTR),
        "SADB_X_EALG_AES_CCM_ICV8": (14, Encrypt.AES_CCM_ICV8),
        "SADB_X_EALG_AES_CCM_ICV12": (15, Encrypt.AES_CCM_ICV12),
        "SADB_X_EALG_AES_CCM_ICV16": (16, Encrypt.AES_CCM_ICV16),
        "SADB_X_EALG_AES_GCM_ICV8": (18, Encrypt.AES_GCM_ICV8),
        "SADB_X_EALG_AES_GCM_ICV12": (19, Encrypt.AES_GCM_ICV12),
        "SADB_X_EALG_AES_GCM_ICV16": (20, Encrypt.AES_GCM_ICV16),
        "SADB_X_EALG_CAMELLIACBC": (22, Encrypt.CAMELLIA_CBC),
        "SADB_X_EALG_NULL_AES_GMAC": (23, Encrypt.NULL_AES_GMAC),
        "SADB_X_EALG_SM4CBC": (24, Encrypt.SM4_CBC),
        "SADB_X_EALG_SERPENTCBC": (252, Encrypt.SERPENT_CBC),
        "SADB_X_EALG_TWOFISHCBC": (253, Encrypt.TWOFISH_CBC),
    }
)

DIALECT = rfc2367.DIALECT.derive(
    "linux",
    wraps=False,
    counts=True,
    extensions=EXTENSIONS,
    terms={
        "message": MESSAGES,
        "satype": kame.SATYPES,
        "auth": AUTH,
        "encrypt": ENCRYPT,
        "compress": kame.COMPRESS.extended({"SADB_X_CALG_LZJH": (4, Compress.LZJH)}),
        "natt_type": kame.NATT_TYPES,
        "mode": kame.MODES.extended({"IPSEC_MODE_BEET": (3, Mode.BEET), "IPSEC_MODE_IPTFS": (4, Mode.IPTFS)}),
        "direction": kame.DIRECTIONS.extended({"IPSEC_DIR_FWD": (3, Direction.FWD)}),
        "policy_type": kame.POLICY_TYPES,
        "level": kame.LEVELS,
    },
    flags={
        "SADB_SAFLAGS_NOPMTUDISC": 0x20000000,
        "SADB_SAFLAGS_DECAP_DSCP": 0x40000000,
        "SADB_SAFLAGS_NOECN": 0x80000000,
    },
    constants={
        "PFKEYV2_REVISION": 199806,
        "SADB_MAX": 24,
        "SADB_EXT_MAX": 26,
        "SADB_SATYPE_MAX": 9,
        "SADB_SASTATE_MAX": 3,
        "SADB_AALG_MAX": 251,
        "SADB_EALG_MAX": 253,
        "SADB_X_CALG_MAX": 4,
        "SADB_IDENTTYPE_MAX": 3,
        "IPSEC_PORT_ANY": 0,
        "IPSEC_ULPROTO_ANY": 255,
        "IPSEC_PROTO_ANY": 255,
        "IPSEC_DIR_MAX": 4,
        "IPSEC_DIR_INVALID": 5,
        "IPSEC_MANUAL_REQID_MAX": 16383,
        "IPSEC_REPLAYWSIZE": 32,
    },
    ipsec_request=IPSECREQUEST,
    errnos=errnos.LINUX,
    replies=replies.LINUX,
    order=(
        Ext.SA,
        Ext.LIFETIME_HARD,
        Ext.LIFETIME_SOFT,
        Ext.LIFETIME_CURRENT,
        Ext.ADDRESS_SRC,
        Ext.ADDRESS_DST,
        Ext.ADDRESS_PROXY,
        Ext.KEY_AUTH,
        Ext.KEY_ENCRYPT,
        Ext.SA2,
        Ext.NATT_TYPE,
        Ext.NATT_SPORT,
        Ext.NATT_DPORT,
        Ext.SEC_CTX,
    ),
)
