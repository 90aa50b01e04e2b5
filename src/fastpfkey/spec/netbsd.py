"""NetBSD: KAME plus NAT-T with both original addresses and its fragment size.

Sources: sys/net/pfkeyv2.h v1.34.2.1, sys/netipsec/ipsec.h v1.93, sys/netipsec/key.c and keysock.c.
"""

from __future__ import annotations

from . import errnos, kame
from .layouts import layout
from .model import Extension
from .sockaddrs import sockaddr_rules
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext
from .terms import MessageType, Mode

POLICY = layout(
    "sadb_x_policy",
    "sadb_x_policy_",
    """
    len        u16
    exttype    u16
    type       u16  policy_type
    dir        u8   direction
    flags      u8
    id         u32
    reserved2  u32
    """,
)

DIALECT = kame.DIALECT.derive(
    "netbsd",
    family=29,
    sockaddr=sockaddr_rules(has_length=True, af_inet6=24),
    extensions=(
        Extension(Ext.POLICY, "SADB_X_EXT_POLICY", 18, (POLICY,), (kame.REQUESTS,)),
        *kame.NATT_EXTENSIONS,
    ),
    terms={
        "message": kame.MESSAGES.extended({"SADB_X_NAT_T_NEW_MAPPING": (23, MessageType.NAT_T_NEW_MAPPING)}),
        "satype": kame.BSD_SATYPES,
        "auth": kame.BSD_AUTH,
        "encrypt": kame.BSD_ENCRYPT.extended({"SADB_X_EALG_SKIPJACK": (250, Encrypt.SKIPJACK)}),
        "natt_type": kame.NATT_TYPES,
        "mode": kame.MODES.extended({"IPSEC_MODE_TCPMD5": (3, Mode.TCPMD5)}),
    },
    constants={
        **kame.CONSTANTS,
        "SADB_MAX": 23,
        "SADB_EXT_MAX": 25,
        "SADB_X_EXT_NAT_T_OA": 23,
        "SADB_SATYPE_MAX": 12,
        "SADB_KEY_FLAGS_MAX": 0x0FFF,
        # Below the number of TCP-MD5, as the header has it.
        "SADB_AALG_MAX": 251,
        "SADB_EALG_MAX": 250,
        "IPSEC_POLICY_FLAG_ORIGIN_KERNEL": 0x80,
    },
    errnos=errnos.NETBSD,
)
