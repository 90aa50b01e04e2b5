"""RFC 2367 itself: the messages, extensions, numbers and layouts that every dialect descends from.

Section numbers stand beside what they define. Where the RFC leaves a thing to the system (sockaddr, PF_KEY's number)
the values are Linux's.
"""

from __future__ import annotations

from .layouts import layout
from .model import Dialect, Extension, KeyBits, Records, Sized, Sockaddrs, Text
from .sockaddrs import sockaddr_rules
from .term_tables import terms
from .terms import AuthAlgorithm as Auth
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext
from .terms import IdentityType, MessageType, SAState, SAType

MSG = layout(
    "sadb_msg",
    "sadb_msg_",
    """
    version   u8
    type      u8   message
    errno     u8
    satype    u8   satype
    len       u16
    reserved  u16
    seq       u32
    pid       u32
    """,
)  # 2.1

SA = layout(
    "sadb_sa",
    "sadb_sa_",
    """
    len      u16
    exttype  u16
    spi      n32
    replay   u8
    state    u8   state
    auth     u8   auth
    encrypt  u8   encrypt
    flags    u32
    """,
)  # 2.3.1

LIFETIME = layout(
    "sadb_lifetime",
    "sadb_lifetime_",
    """
    len          u16
    exttype      u16
    allocations  u32
    bytes        u64
    addtime      u64
    usetime      u64
    """,
)  # 2.3.2

ADDRESS = layout(
    "sadb_address",
    "sadb_address_",
    """
    len        u16
    exttype    u16
    proto      u8
    prefixlen  u8
    reserved   u16
    """,
)  # 2.3.3

KEY = layout(
    "sadb_key",
    "sadb_key_",
    """
    len       u16
    exttype   u16
    bits      u16
    reserved  u16
    """,
)  # 2.3.4

IDENT = layout(
    "sadb_ident",
    "sadb_ident_",
    """
    len       u16
    exttype   u16
    type      u16  identity
    reserved  u16
    id        u64
    """,
)  # 2.3.5

SENS = layout(
    "sadb_sens",
    "sadb_sens_",
    """
    len          u16
    exttype      u16
    dpd          u32
    sens_level   u8
    sens_len     u8
    integ_level  u8
    integ_len    u8
    reserved     u32
    """,
)  # 2.3.6

PROP = layout(
    "sadb_prop",
    "sadb_prop_",
    """
    len       u16
    exttype   u16
    replay    u8
    reserved  b8[3]
    """,
)  # 2.3.7

COMB = layout(
    "sadb_comb",
    "sadb_comb_",
    """
    auth              u8   auth
    encrypt           u8   encrypt
    flags             u16
    auth_minbits      u16
    auth_maxbits      u16
    encrypt_minbits   u16
    encrypt_maxbits   u16
    reserved          u32
    soft_allocations  u32
    hard_allocations  u32
    soft_bytes        u64
    hard_bytes        u64
    soft_addtime      u64
    hard_addtime      u64
    soft_usetime      u64
    hard_usetime      u64
    """,
)  # 2.3.7

SUPPORTED = layout(
    "sadb_supported",
    "sadb_supported_",
    """
    len       u16
    exttype   u16
    reserved  u32
    """,
)  # 2.3.8

ALG = layout(
    "sadb_alg",
    "sadb_alg_",
    """
    id        u8
    ivlen     u8
    minbits   u16
    maxbits   u16
    reserved  u16
    """,
)  # 2.3.8

SPIRANGE = layout(
    "sadb_spirange",
    "sadb_spirange_",
    """
    len       u16
    exttype   u16
    min       u32
    max       u32
    reserved  u32
    """,
)  # 2.3.9

KMPRIVATE = layout(
    "sadb_x_kmprivate",
    "sadb_x_kmprivate_",
    """
    len       u16
    exttype   u16
    reserved  u32
    """,
)  # appendix C

MESSAGES = terms(
    MessageType,
    {
        "SADB_RESERVED": (0, MessageType.RESERVED),
        "SADB_GETSPI": (1, MessageType.GETSPI),
        "SADB_UPDATE": (2, MessageType.UPDATE),
        "SADB_ADD": (3, MessageType.ADD),
        "SADB_DELETE": (4, MessageType.DELETE),
        "SADB_GET": (5, MessageType.GET),
        "SADB_ACQUIRE": (6, MessageType.ACQUIRE),
        "SADB_REGISTER": (7, MessageType.REGISTER),
        "SADB_EXPIRE": (8, MessageType.EXPIRE),
        "SADB_FLUSH": (9, MessageType.FLUSH),
        "SADB_DUMP": (10, MessageType.DUMP),
        "SADB_X_PROMISC": (11, MessageType.PROMISC),
        "SADB_X_PCHANGE": (12, MessageType.PCHANGE),
    },
)  # 3.1, appendices A and B

SATYPES = terms(
    SAType,
    {
        "SADB_SATYPE_UNSPEC": (0, SAType.UNSPEC),
        "SADB_SATYPE_AH": (2, SAType.AH),
        "SADB_SATYPE_ESP": (3, SAType.ESP),
        "SADB_SATYPE_RSVP": (5, SAType.RSVP),
        "SADB_SATYPE_OSPFV2": (6, SAType.OSPFV2),
        "SADB_SATYPE_RIPV2": (7, SAType.RIPV2),
        "SADB_SATYPE_MIP": (8, SAType.MIP),
    },
)  # 3.3

STATES = terms(
    SAState,
    {
        "SADB_SASTATE_LARVAL": (0, SAState.LARVAL),
        "SADB_SASTATE_MATURE": (1, SAState.MATURE),
        "SADB_SASTATE_DYING": (2, SAState.DYING),
        "SADB_SASTATE_DEAD": (3, SAState.DEAD),
    },
)  # 3.4

AUTH = terms(
    Auth,
    {
        "SADB_AALG_NONE": (0, Auth.NONE),
        "SADB_AALG_MD5HMAC": (2, Auth.MD5_HMAC),
        "SADB_AALG_SHA1HMAC": (3, Auth.SHA1_HMAC),
    },
)  # 3.5

ENCRYPT = terms(
    Encrypt,
    {
        "SADB_EALG_NONE": (0, Encrypt.NONE),
        "SADB_EALG_DESCBC": (2, Encrypt.DES_CBC),
        "SADB_EALG_3DESCBC": (3, Encrypt.TRIPLE_DES_CBC),
        "SADB_EALG_NULL": (11, Encrypt.NULL),
    },
)  # 3.5

IDENTITIES = terms(
    IdentityType,
    {
        "SADB_IDENTTYPE_RESERVED": (0, IdentityType.RESERVED),
        "SADB_IDENTTYPE_PREFIX": (1, IdentityType.PREFIX),
        "SADB_IDENTTYPE_FQDN": (2, IdentityType.FQDN),
        "SADB_IDENTTYPE_USERFQDN": (3, IdentityType.USERFQDN),
    },
)  # 3.7

EXTENSIONS = (
    Extension(Ext.SA, "SADB_EXT_SA", 1, (SA,)),
    Extension(Ext.LIFETIME_CURRENT, "SADB_EXT_LIFETIME_CURRENT", 2, (LIFETIME,)),
    Extension(Ext.LIFETIME_HARD, "SADB_EXT_LIFETIME_HARD", 3, (LIFETIME,)),
    Extension(Ext.LIFETIME_SOFT, "SADB_EXT_LIFETIME_SOFT", 4, (LIFETIME,)),
    Extension(Ext.ADDRESS_SRC, "SADB_EXT_ADDRESS_SRC", 5, (ADDRESS,), (Sockaddrs(),)),
    Extension(Ext.ADDRESS_DST, "SADB_EXT_ADDRESS_DST", 6, (ADDRESS,), (Sockaddrs(),)),
    Extension(Ext.ADDRESS_PROXY, "SADB_EXT_ADDRESS_PROXY", 7, (ADDRESS,), (Sockaddrs(),)),
    Extension(Ext.KEY_AUTH, "SADB_EXT_KEY_AUTH", 8, (KEY,), (KeyBits(),)),
    Extension(Ext.KEY_ENCRYPT, "SADB_EXT_KEY_ENCRYPT", 9, (KEY,), (KeyBits(),)),
    Extension(Ext.IDENTITY_SRC, "SADB_EXT_IDENTITY_SRC", 10, (IDENT,), (Text(),)),
    Extension(Ext.IDENTITY_DST, "SADB_EXT_IDENTITY_DST", 11, (IDENT,), (Text(),)),
    Extension(Ext.SENSITIVITY, "SADB_EXT_SENSITIVITY", 12, (SENS,), (Sized(("sens_len", "integ_len"), unit=8),)),
    Extension(Ext.PROPOSAL, "SADB_EXT_PROPOSAL", 13, (PROP,), (Records(COMB),)),
    Extension(Ext.SUPPORTED_AUTH, "SADB_EXT_SUPPORTED_AUTH", 14, (SUPPORTED,), (Records(ALG),)),
    Extension(Ext.SUPPORTED_ENCRYPT, "SADB_EXT_SUPPORTED_ENCRYPT", 15, (SUPPORTED,), (Records(ALG),)),
    Extension(Ext.SPIRANGE, "SADB_EXT_SPIRANGE", 16, (SPIRANGE,)),
    Extension(Ext.KMPRIVATE, "SADB_X_EXT_KMPRIVATE", 17, (KMPRIVATE,)),
)  # 2.3, appendix C

DIALECT = Dialect(
    name="rfc2367",
    family=15,
    sockaddr=sockaddr_rules(has_length=False, af_inet6=10),
    extensions=EXTENSIONS,
    terms={
        "message": MESSAGES,
        "satype": SATYPES,
        "state": STATES,
        "auth": AUTH,
        "encrypt": ENCRYPT,
        "identity": IDENTITIES,
    },
    flags={"SADB_SAFLAGS_PFS": 1},
    constants={
        "PFKEYV2_REVISION": 199806,
        "SADB_MAX": 12,
        "SADB_EXT_MAX": 17,
        "SADB_SATYPE_MAX": 8,
        "SADB_SASTATE_MAX": 3,
        "SADB_KEY_FLAGS_MAX": 0,
        "SADB_AALG_MAX": 3,
        "SADB_EALG_MAX": 11,
        "SADB_IDENTTYPE_MAX": 3,
    },
)
