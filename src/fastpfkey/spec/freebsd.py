"""FreeBSD: KAME plus NAT-T with both original addresses, replay windows in packets, new addresses and hardware offload.

Sources: sys/net/pfkeyv2.h and sys/netipsec/{ipsec.h,key.c,keysock.c}, main of 2024-10. Releases up to 14 end at
extension 28.
"""

from __future__ import annotations

from . import errnos, kame, rfc2367
from .layouts import layout
from .model import Extension, Sockaddrs, Source, exact
from .sockaddrs import sockaddr_rules
from .terms import AuthAlgorithm as Auth
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext
from .terms import Mode

POLICY = layout(
    "sadb_x_policy",
    "sadb_x_policy_",
    """
    len       u16
    exttype   u16
    type      u16  policy_type
    dir       u8   direction
    scope     u8
    id        u32
    priority  u32
    """,
)

SA_REPLAY = layout(
    "sadb_x_sa_replay",
    "sadb_x_sa_replay_",
    """
    len      u16
    exttype  u16
    replay   u32
    """,
)

IF_HW_OFFLOAD = layout(
    "sadb_x_if_hw_offl",
    "sadb_x_if_hw_offl_",
    """
    len      u16
    exttype  u16
    flags    u32
    interface=sadb_x_if_hw_offl_if  b8[32]
    """,
)

EXTENSIONS = (
    Extension(Ext.POLICY, "SADB_X_EXT_POLICY", 18, (POLICY,), (kame.REQUESTS,)),
    *kame.NATT_EXTENSIONS,
    *exact(
        (
            Extension(Ext.SA_REPLAY, "SADB_X_EXT_SA_REPLAY", 26, (SA_REPLAY,)),
            Extension(Ext.NEW_ADDRESS_SRC, "SADB_X_EXT_NEW_ADDRESS_SRC", 27, (rfc2367.ADDRESS,), (Sockaddrs(),)),
            Extension(Ext.NEW_ADDRESS_DST, "SADB_X_EXT_NEW_ADDRESS_DST", 28, (rfc2367.ADDRESS,), (Sockaddrs(),)),
            Extension(Ext.LIFETIME_SW_OFFLOAD, "SADB_X_EXT_LFT_CUR_SW_OFFL", 29, (rfc2367.LIFETIME,)),
            Extension(Ext.LIFETIME_HW_OFFLOAD, "SADB_X_EXT_LFT_CUR_HW_OFFL", 30, (rfc2367.LIFETIME,)),
            Extension(Ext.IF_HW_OFFLOAD, "SADB_X_EXT_IF_HW_OFFL", 31, (IF_HW_OFFLOAD,)),
        )
    ),
)

AUTH = kame.BSD_AUTH.extended({"SADB_X_AALG_CHACHA20POLY1305": (14, Auth.CHACHA20_POLY1305)})

ENCRYPT = kame.BSD_ENCRYPT.extended(
    {
        "SADB_X_EALG_AESCBC": (12, Encrypt.AES_CBC),
        "SADB_X_EALG_CHACHA20POLY1305": (15, Encrypt.CHACHA20_POLY1305),
    }
)

DIALECT = kame.DIALECT.derive(
    "freebsd",
    family=27,
    sockaddr=sockaddr_rules(has_length=True, af_inet6=28),
    extensions=EXTENSIONS,
    terms={
        "satype": kame.BSD_SATYPES,
        "auth": AUTH,
        "encrypt": ENCRYPT,
        "natt_type": kame.NATT_TYPES,
        "mode": kame.MODES.extended({"IPSEC_MODE_TCPMD5": (3, Mode.TCPMD5)}),
    },
    flags={"SADB_X_SAFLAGS_ESN": 0x0400},
    constants={
        **kame.CONSTANTS,
        "SADB_MAX": 22,
        "SADB_EXT_MAX": 31,
        "SADB_X_EXT_NAT_T_OA": 23,
        "SADB_SATYPE_MAX": 12,
        "SADB_KEY_FLAGS_MAX": 0x0FFF,
        "SADB_AALG_MAX": 252,
        "SADB_EALG_MAX": 23,
        "IPSEC_POLICYSCOPE_ANY": 0,
        "IPSEC_POLICYSCOPE_GLOBAL": 1,
        "IPSEC_POLICYSCOPE_IFNET": 2,
        "IPSEC_POLICYSCOPE_PCB": 4,
    },
    # The byte in the association cannot say more than 2040 packets; then, and only then, the kernel adds the extension.
    sources={"SATable": (Source("replay", Ext.SA_REPLAY, "replay"),)},
    errnos=errnos.FREEBSD,
    order=(
        Ext.SA,
        Ext.SA2,
        Ext.SA_REPLAY,
        Ext.LIFETIME_HARD,
        Ext.LIFETIME_SOFT,
        Ext.LIFETIME_CURRENT,
        Ext.ADDRESS_SRC,
        Ext.ADDRESS_DST,
        Ext.ADDRESS_PROXY,
        Ext.KEY_AUTH,
        Ext.KEY_ENCRYPT,
    ),
)
