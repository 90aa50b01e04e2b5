"""macOS: KAME with two sizes of association, interfaces, address ranges, sessions, and algorithm numbers of its own.

The longer association (flag NATT, and every MIGRATE) carries the UDP ports of NAT traversal, one in host order, one in
network order. Sources: xnu bsd/net/pfkeyv2.h with its private parts, bsd/netinet6/ipsec.h,
bsd/netkey/{key.c,keysock.c}.
"""

from __future__ import annotations

from . import errnos, kame, rfc2367
from .layouts import layout
from .model import Choice, Extension, Records, Sockaddrs, Source, exact
from .sockaddrs import sockaddr_rules
from .term_tables import terms
from .terms import AuthAlgorithm as Auth
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext
from .terms import MessageType, NATTType, PolicyType, SAType

SA_2 = layout(
    "sadb_sa_2",
    "sadb_sa_",
    """
    len       u16
    exttype   u16
    spi       n32
    replay    u8   <<3
    state     u8   state
    auth      u8   auth
    encrypt   u8   encrypt
    flags     u32
    natt_port              u16
    natt_interval          u16
    natt_offload_interval  u16
    natt_src_port          n16
    """,
)

SA2 = layout(
    "sadb_x_sa2",
    "sadb_x_sa2_",
    """
    len           u16
    exttype       u16
    mode          u8   mode
    alwaysexpire  u8
    flags         u16
    sequence      u32
    reqid         u32
    """,
)

POLICY = layout(
    "sadb_x_policy",
    "sadb_x_policy_",
    """
    len        u16
    exttype    u16
    type       u16  policy_type
    dir        u8   direction
    reserved   u8
    id         u32
    reserved2  u32
    """,
)

# The two words are aligned to 8 bytes on 64-bit systems, the only ones that Apple still makes.
SESSION_ID = layout(
    "sadb_session_id",
    "sadb_session_id_",
    """
    len       u16
    exttype   u16
    reserved  b8[4]
    v         u64[2]
    """,
)

SASTAT = layout(
    "sadb_sastat",
    "sadb_sastat_",
    """
    len       u16
    exttype   u16
    dir       u32  direction
    reserved  u32
    list_len  u32
    """,
)

SASTAT_RECORD = layout(
    "sastat",
    "sadb_lifetime_",
    """
    spi=spi          n32
    created=created  u32
    len              u16
    exttype          u16
    allocations      u32
    bytes            u64
    addtime          u64
    usetime          u64
    """,
)

IPSECIF = layout(
    "sadb_x_ipsecif",
    "sadb_x_ipsecif_",
    """
    len                u16
    exttype            u16
    internal_if        b8[24]
    outgoing_if        b8[24]
    ipsec_if           b8[24]
    init_disabled      u16
    reserved=reserved  u16
    """,
)


def _address(type: Ext, c_name: str, number: int) -> Extension:
    return Extension(type, c_name, number, (rfc2367.ADDRESS,), (Sockaddrs(),))


EXTENSIONS = (
    Extension(Ext.POLICY, "SADB_X_EXT_POLICY", 18, (POLICY,), (kame.REQUESTS,)),
    Extension(Ext.SESSION_ID, "SADB_EXT_SESSION_ID", 20, (SESSION_ID,)),
    Extension(Ext.SASTAT, "SADB_EXT_SASTAT", 21, (SASTAT,), (Records(SASTAT_RECORD, count="list_len"),)),
    *exact(
        (
            Extension(Ext.SA, "SADB_EXT_SA", 1, (kame.SA, SA_2)),
            Extension(Ext.SA2, "SADB_X_EXT_SA2", 19, (SA2,)),
            Extension(Ext.IPSECIF, "SADB_X_EXT_IPSECIF", 22, (IPSECIF,)),
            Extension(Ext.MIGRATE_IPSECIF, "SADB_X_EXT_MIGRATE_IPSECIF", 29, (IPSECIF,)),
        )
    ),
    _address(Ext.RANGE_SRC_START, "SADB_X_EXT_ADDR_RANGE_SRC_START", 23),
    _address(Ext.RANGE_SRC_END, "SADB_X_EXT_ADDR_RANGE_SRC_END", 24),
    _address(Ext.RANGE_DST_START, "SADB_X_EXT_ADDR_RANGE_DST_START", 25),
    _address(Ext.RANGE_DST_END, "SADB_X_EXT_ADDR_RANGE_DST_END", 26),
    _address(Ext.NEW_ADDRESS_SRC, "SADB_EXT_MIGRATE_ADDRESS_SRC", 27),
    _address(Ext.NEW_ADDRESS_DST, "SADB_EXT_MIGRATE_ADDRESS_DST", 28),
)

MESSAGES = kame.MESSAGES.extended(
    {
        "SADB_GETSASTAT": (23, MessageType.GETSASTAT),
        "SADB_X_SPDENABLE": (24, MessageType.SPDENABLE),
        "SADB_X_SPDDISABLE": (25, MessageType.SPDDISABLE),
        "SADB_MIGRATE": (26, MessageType.MIGRATE),
    }
)

# KAME's private numbers from before RFC 2407.
AUTH = terms(
    Auth,
    {
        "SADB_AALG_NONE": (0, Auth.NONE),
        "SADB_AALG_MD5HMAC": (1, Auth.MD5_HMAC),
        "SADB_AALG_SHA1HMAC": (2, Auth.SHA1_HMAC),
        "SADB_X_AALG_MD5": (3, Auth.KEYED_MD5),
        "SADB_X_AALG_SHA": (4, Auth.KEYED_SHA1),
        "SADB_X_AALG_NULL": (5, Auth.NULL),
        "SADB_X_AALG_SHA2_256": (6, Auth.SHA2_256_HMAC),
        "SADB_X_AALG_SHA2_384": (7, Auth.SHA2_384_HMAC),
        "SADB_X_AALG_SHA2_512": (8, Auth.SHA2_512_HMAC),
    },
)

ENCRYPT = terms(
    Encrypt,
    {
        "SADB_EALG_NONE": (0, Encrypt.NONE),
        "SADB_EALG_DESCBC": (1, Encrypt.DES_CBC),
        "SADB_EALG_3DESCBC": (2, Encrypt.TRIPLE_DES_CBC),
        "SADB_EALG_NULL": (3, Encrypt.NULL),
        "SADB_X_EALG_BLOWFISHCBC": (4, Encrypt.BLOWFISH_CBC),
        "SADB_X_EALG_CAST128CBC": (5, Encrypt.CAST128_CBC),
        "SADB_X_EALG_AESCBC": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_AES": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_RIJNDAELCBC": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_AES_GCM": (13, Encrypt.AES_GCM_ICV16),
        "SADB_X_EALG_CHACHA20POLY1305": (14, Encrypt.CHACHA20_POLY1305),
        "SADB_X_EALG_AES_GMAC": (15, Encrypt.NULL_AES_GMAC),
    },
)

ENCAPSULATED = Choice(("SADB_X_EXT_NATT",), NATTType.ESPINUDP, NATTType.NONE)

DIALECT = kame.DIALECT.derive(
    "macos",
    family=29,
    sockaddr=sockaddr_rules(has_length=True, af_inet6=30),
    extensions=EXTENSIONS,
    terms={
        "message": MESSAGES,
        "satype": kame.SATYPES.extended({"SADB_X_SATYPE_POLICY": (10, SAType.POLICY)}),
        "auth": AUTH,
        "encrypt": ENCRYPT,
        "policy_type": kame.POLICY_TYPES.extended({"IPSEC_POLICY_GENERATE": (5, PolicyType.GENERATE)}),
    },
    flags={
        "SADB_X_EXT_NATT": 0x0002,
        "SADB_X_EXT_NATT_KEEPALIVE": 0x0004,
        "SADB_X_EXT_NATT_MULTIPLEUSERS": 0x0008,
        "SADB_X_EXT_IIV": 0x0400,
        "SADB_X_EXT_NATT_DETECTED_PEER": 0x1000,
        "SADB_X_EXT_ESP_KEEPALIVE": 0x2000,
        "SADB_X_EXT_PUNT_RX_KEEPALIVE": 0x4000,
        "SADB_X_EXT_NATT_KEEPALIVE_OFFLOAD": 0x8000,
    },
    constants={
        **kame.CONSTANTS,
        "SADB_MAX": 26,
        "SADB_EXT_MAX": 29,
        "SADB_SATYPE_MAX": 11,
        "SADB_KEY_FLAGS_MAX": 0x7FFF,
        "SADB_AALG_MAX": 8,
        # Below three of its own numbers, as the header has it.
        "SADB_EALG_MAX": 12,
        "SADB_SA_NATT_SRC_PORT": 1,
        "NATT_KEEPALIVE_OFFLOAD_INTERVAL": 1,
        "SADB_X_EXT_SA2_DELETE_ON_DETACH": 1,
        "SADB_X_EXT_SA2_SEQ_PER_TRAFFIC_CLASS": 2,
        "IFXNAMSIZ": 24,
    },
    # An outbound packet goes from the system's own port to the peer's, which is the one named without "src".
    sources={
        "SATable": (
            Source("natt_type", Ext.SA, "flags", choice=ENCAPSULATED),
            Source("natt_sport", Ext.SA, "natt_src_port"),
            Source("natt_dport", Ext.SA, "natt_port"),
        )
    },
    errnos=errnos.MACOS,
)
