"""illumos: RFC 2367 with pairs, inner addresses, extended proposals and registrations, and a reason beside each error.

Policies are not reachable over PF_KEY here (they have a socket family of their own, PF_POLICY). sockaddr_in6 is 32
bytes, SPI ranges are in network order, IV lengths in bits. Fields that newer headers name inside words once reserved
are fields here.

Sources: uts/common/net/pfkeyv2.h, inet/ip/{keysock.c,sadb.c}, inet/tcp/tcp_sig.c.
"""

from __future__ import annotations

from . import errnos, replies, rfc2367
from .layouts import layout
from .model import Choice, Counted, Extension, KeyBits, Records, Sized, Sockaddrs, Source, Take
from .sockaddrs import sockaddr_rules
from .terms import AuthAlgorithm as Auth
from .terms import EncryptAlgorithm as Encrypt
from .terms import ExtensionType as Ext
from .terms import IdentityType, MessageType, Mode, NATTType, SAState, SAType

# IV bits in a request, where `bits` covers key, salt and IV; salt bits in the kernel's output, where `bits` covers the
# key alone and the salt follows it.
ENCRYPTION_KEY = layout(
    "sadb_key",
    "sadb_key_",
    """
    len       u16
    exttype   u16
    bits      u16
    extra_bits=sadb_key_reserved  u16
    """,
)

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
    flags=sadb_x_sens_flags  u32
    """,
)

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
    encrypt_saltbits=sadb_x_comb_encrypt_saltbits  u8
    reserved1=sadb_x_comb_reserved                 u8
    reserved2=sadb_comb_reserved                   u16
    soft_allocations  u32
    hard_allocations  u32
    soft_bytes        u64
    hard_bytes        u64
    soft_addtime      u64
    hard_addtime      u64
    soft_usetime      u64
    hard_usetime      u64
    """,
)

EXTENDED_PROP = layout(
    "sadb_prop",
    "sadb_prop_",
    """
    len       u16
    exttype   u16
    replay    u8
    reserved=sadb_x_prop_ereserved    u8
    numecombs=sadb_x_prop_numecombs   u16
    """,
)

EXTENDED_COMB = layout(
    "sadb_x_ecomb",
    "sadb_x_ecomb_",
    """
    numalgs           u8
    reserved          u8
    flags             u16
    reserved2         u32
    soft_allocations  u32
    hard_allocations  u32
    soft_bytes        u64
    hard_bytes        u64
    soft_addtime      u64
    hard_addtime      u64
    soft_usetime      u64
    hard_usetime      u64
    """,
)

ALGDESC = layout(
    "sadb_x_algdesc",
    "sadb_x_algdesc_",
    """
    satype    u8   satype
    algtype   u8
    alg       u8
    saltbits  u8
    minbits   u16
    maxbits   u16
    """,
)

ALG = layout(
    "sadb_alg",
    "sadb_alg_",
    """
    id        u8
    ivlen     u8   >>3
    minbits   u16
    maxbits   u16
    increment=sadb_x_alg_increment  u8
    saltbits=sadb_x_alg_saltbits    u8
    """,
)

SPIRANGE = layout(
    "sadb_spirange",
    "sadb_spirange_",
    """
    len       u16
    exttype   u16
    min       n32
    max       n32
    reserved  u32
    """,
)

# The list of SA types, which ends with a zero, begins in the fixed part and goes on behind it.
EREG = layout(
    "sadb_x_ereg",
    "sadb_x_ereg_",
    """
    len      u16
    exttype  u16
    satypes  b8[4]
    """,
)

EREG_SATYPE = layout("sadb_x_ereg", "sadb_x_ereg_", "satype=sadb_x_ereg_satypes u8 satype")

# The cookie was 32 bits and a reserved word before IKEv2; on little-endian machines the number is the same either way.
KM_COOKIE = layout(
    "sadb_x_kmc",
    "sadb_x_kmc_",
    """
    len      u16
    exttype  u16
    proto    u32
    cookie=sadb_x_kmc_cookie64  u64
    """,
)

PAIR = layout(
    "sadb_x_pair",
    "sadb_x_pair_",
    """
    len      u16
    exttype  u16
    spi      n32
    """,
)

REPLAY_COUNTER = layout(
    "sadb_x_replay_ctr",
    "sadb_x_rc_",
    """
    len      u16
    exttype  u16
    count=sadb_x_rc_replay32    u32
    count64=sadb_x_rc_replay64  u64
    """,
)

EDUMP = layout(
    "sadb_x_edump",
    "sadb_x_edump_",
    """
    len       u16
    exttype   u16
    reserved  u32
    timeout   u64
    """,
)

LABELS = (Sized(("sens_len", "integ_len"), unit=8),)
ALGORITHMS = (Records(ALG),)
COMBINATIONS = (Counted("numecombs", EXTENDED_COMB, "numalgs", ALGDESC),)

EXTENSIONS = (
    Extension(Ext.KEY_ENCRYPT, "SADB_EXT_KEY_ENCRYPT", 9, (ENCRYPTION_KEY,), (KeyBits(extra="extra_bits"),)),
    Extension(Ext.SENSITIVITY, "SADB_EXT_SENSITIVITY", 12, (SENS,), LABELS),
    Extension(Ext.PROPOSAL, "SADB_EXT_PROPOSAL", 13, (rfc2367.PROP,), (Records(COMB),)),
    Extension(Ext.SUPPORTED_AUTH, "SADB_EXT_SUPPORTED_AUTH", 14, (rfc2367.SUPPORTED,), ALGORITHMS),
    Extension(Ext.SUPPORTED_ENCRYPT, "SADB_EXT_SUPPORTED_ENCRYPT", 15, (rfc2367.SUPPORTED,), ALGORITHMS),
    Extension(Ext.SPIRANGE, "SADB_EXT_SPIRANGE", 16, (SPIRANGE,)),
    Extension(Ext.EXTENDED_REGISTER, "SADB_X_EXT_EREG", 17, (EREG,), (Records(EREG_SATYPE),)),
    Extension(Ext.EXTENDED_PROPOSAL, "SADB_X_EXT_EPROP", 18, (EXTENDED_PROP,), COMBINATIONS),
    Extension(Ext.KM_COOKIE, "SADB_X_EXT_KM_COOKIE", 19, (KM_COOKIE,)),
    Extension(Ext.NATT_LOCAL, "SADB_X_EXT_ADDRESS_NATT_LOC", 20, (rfc2367.ADDRESS,), (Sockaddrs(),)),
    Extension(Ext.NATT_REMOTE, "SADB_X_EXT_ADDRESS_NATT_REM", 21, (rfc2367.ADDRESS,), (Sockaddrs(),)),
    Extension(Ext.INNER_DST, "SADB_X_EXT_ADDRESS_INNER_DST", 22, (rfc2367.ADDRESS,), (Sockaddrs(),)),
    Extension(Ext.PAIR, "SADB_X_EXT_PAIR", 23, (PAIR,)),
    Extension(Ext.REPLAY_COUNTER, "SADB_X_EXT_REPLAY_VALUE", 24, (REPLAY_COUNTER,)),
    Extension(Ext.EXTENDED_DUMP, "SADB_X_EXT_EDUMP", 25, (EDUMP,)),
    Extension(Ext.LIFETIME_IDLE, "SADB_X_EXT_LIFETIME_IDLE", 26, (rfc2367.LIFETIME,)),
    Extension(Ext.OUTER_SENSITIVITY, "SADB_X_EXT_OUTER_SENS", 27, (SENS,), LABELS),
    Extension(Ext.STR_AUTH, "SADB_X_EXT_STR_AUTH", 28, (rfc2367.KEY,), (KeyBits(),)),
)

MESSAGES = rfc2367.MESSAGES.without("SADB_X_PCHANGE").extended(
    {
        "SADB_X_INVERSE_ACQUIRE": (12, MessageType.INVERSE_ACQUIRE),
        "SADB_X_UPDATEPAIR": (13, MessageType.UPDATEPAIR),
        "SADB_X_DELPAIR": (14, MessageType.DELPAIR),
        "SADB_X_DELPAIR_STATE": (15, MessageType.DELPAIR_STATE),
    }
)

STATES = rfc2367.STATES.extended(
    {
        "SADB_X_SASTATE_ACTIVE_ELSEWHERE": (4, SAState.ACTIVE_ELSEWHERE),
        "SADB_X_SASTATE_IDLE": (5, SAState.IDLE),
        "SADB_X_SASTATE_ACTIVE": (6, SAState.ACTIVE),
    }
)

AUTH = rfc2367.AUTH.extended(
    {
        "SADB_AALG_MD5": (1, Auth.TCP_MD5),
        "SADB_AALG_SHA256HMAC": (5, Auth.SHA2_256_HMAC),
        "SADB_AALG_SHA384HMAC": (6, Auth.SHA2_384_HMAC),
        "SADB_AALG_SHA512HMAC": (7, Auth.SHA2_512_HMAC),
    }
)

ENCRYPT = rfc2367.ENCRYPT.extended(
    {
        "SADB_EALG_BLOWFISH": (7, Encrypt.BLOWFISH_CBC),
        "SADB_EALG_AES": (12, Encrypt.AES_CBC),
        "SADB_EALG_AES_CCM_8": (14, Encrypt.AES_CCM_ICV8),
        "SADB_EALG_AES_CCM_12": (15, Encrypt.AES_CCM_ICV12),
        "SADB_EALG_AES_CCM_16": (16, Encrypt.AES_CCM_ICV16),
        "SADB_EALG_AES_GCM_8": (18, Encrypt.AES_GCM_ICV8),
        "SADB_EALG_AES_GCM_12": (19, Encrypt.AES_GCM_ICV12),
        "SADB_EALG_AES_GCM_16": (20, Encrypt.AES_GCM_ICV16),
    }
)

IDENTITIES = rfc2367.IDENTITIES.without("SADB_IDENTTYPE_USERFQDN").extended(
    {
        "SADB_IDENTTYPE_USER_FQDN": (3, IdentityType.USERFQDN),
        "SADB_X_IDENTTYPE_DN": (4, IdentityType.DN),
        "SADB_X_IDENTTYPE_GN": (5, IdentityType.GN),
        "SADB_X_IDENTTYPE_KEY_ID": (6, IdentityType.KEY_ID),
        "SADB_X_IDENTTYPE_ADDR_RANGE": (7, IdentityType.ADDRESS_RANGE),
    }
)

FLAGS = {
    "SADB_SAFLAGS_NOREPLAY": 0x00000002,
    "SADB_X_SAFLAGS_NATTED": 0x00001000,
    "SADB_X_SAFLAGS_INBOUND": 0x00004000,
    "SADB_X_SAFLAGS_OUTBOUND": 0x00008000,
    "SADB_X_SAFLAGS_PAIRED": 0x00010000,
    "SADB_X_SAFLAGS_TUNNEL": 0x00020000,
    "SADB_X_SAFLAGS_KRES2": 0x00040000,
    "SADB_X_SAFLAGS_NATT_REM": 0x00080000,
    "SADB_X_SAFLAGS_NATT_LOC": 0x00100000,
    "SADB_X_SAFLAGS_KRES1": 0x00200000,
    "SADB_X_SAFLAGS_KRES": 0x00240000,
    "SADB_X_SAFLAGS_KM4": 0x00400000,
    "SADB_X_SAFLAGS_KM3": 0x00800000,
    "SADB_X_SAFLAGS_KM2": 0x01000000,
    "SADB_X_SAFLAGS_KM1": 0x02000000,
    "SADB_X_SAFLAGS_EALG2": 0x04000000,
    "SADB_X_SAFLAGS_EALG1": 0x08000000,
    "SADB_X_SAFLAGS_AALG2": 0x10000000,
    "SADB_X_SAFLAGS_AALG1": 0x20000000,
    "SADB_X_SAFLAGS_UNIQUE": 0x40000000,
    "SADB_X_SAFLAGS_USED": 0x80000000,
}

CONSTANTS = {
    "PFKEYV2_REVISION": 200109,
    "SADB_MAX": 15,
    "SADB_EXT_MAX": 28,
    "SADB_X_EXT_ADDRESS_INNER_SRC": 7,
    "SADB_SATYPE_MAX": 8,
    "SADB_SASTATE_MAX": 6,
    "SADB_AALG_MAX": 7,
    "SADB_EALG_MAX": 20,
    "SADB_IDENTTYPE_MAX": 7,
    "SADB_X_SENS_IMPLICIT": 1,
    "SADB_X_SENS_UNLABELED": 2,
    "SADB_DPD_NONE": 0,
    "SADB_DPD_MAX": 1,
    "TCPSIG_MD5_KEY_LEN": 80,
    "SADB_X_ALGTYPE_NONE": 0,
    "SADB_X_ALGTYPE_AUTH": 1,
    "SADB_X_ALGTYPE_CRYPT": 2,
    "SADB_X_ALGTYPE_COMPRESS": 3,
    "SADB_X_ALGTYPE_MAX": 3,
    "SADB_X_KMP_MANUAL": 0,
    "SADB_X_KMP_IKE": 1,
    "SADB_X_KMP_KINK": 2,
    "SADB_X_KMP_IKEV2": 3,
    "SADB_X_KMP_MAX": 3,
}

DIAGNOSTICS = """
    NONE UNKNOWN_MSG UNKNOWN_EXT BAD_EXTLEN UNKNOWN_SATYPE SATYPE_NEEDED NO_SADBS NO_EXT BAD_SRC_AF BAD_DST_AF
    BAD_INNER_SRC_AF AF_MISMATCH BAD_SRC BAD_DST ALLOC_HSERR BYTES_HSERR ADDTIME_HSERR USETIME_HSERR MISSING_SRC
    MISSING_DST MISSING_SA MISSING_EKEY MISSING_AKEY MISSING_RANGE DUPLICATE_SRC DUPLICATE_DST DUPLICATE_SA
    DUPLICATE_EKEY DUPLICATE_AKEY DUPLICATE_RANGE MALFORMED_SRC MALFORMED_DST MALFORMED_SA MALFORMED_EKEY
    MALFORMED_AKEY MALFORMED_RANGE AKEY_PRESENT EKEY_PRESENT PROP_PRESENT SUPP_PRESENT BAD_AALG BAD_EALG BAD_SAFLAGS
    BAD_SASTATE BAD_AKEYBITS BAD_EKEYBITS ENCR_NOTSUPP WEAK_EKEY WEAK_AKEY DUPLICATE_KMP DUPLICATE_KMC
    MISSING_NATT_LOC MISSING_NATT_REM DUPLICATE_NATT_LOC DUPLICATE_NATT_REM MALFORMED_NATT_LOC MALFORMED_NATT_REM
    DUPLICATE_NATT_PORTS MISSING_INNER_SRC MISSING_INNER_DST DUPLICATE_INNER_SRC DUPLICATE_INNER_DST
    MALFORMED_INNER_SRC MALFORMED_INNER_DST PREFIX_INNER_SRC PREFIX_INNER_DST BAD_INNER_DST_AF INNER_AF_MISMATCH
    BAD_NATT_REM_AF BAD_NATT_LOC_AF PROTO_MISMATCH INNER_PROTO_MISMATCH DUAL_PORT_SETS PAIR_INAPPROPRIATE
    PAIR_ADD_MISMATCH PAIR_ALREADY PAIR_SA_NOTFOUND BAD_SA_DIRECTION SA_NOTFOUND SA_EXPIRED BAD_CTX INVALID_REPLAY
    MISSING_LIFETIME BAD_LABEL MISSING_ASTR DUPLICATE_ASTR MALFORMED_ASTR
""".split()
"""What follows SADB_X_DIAGNOSTIC_ in the name of each diagnostic, in the order of their numbers from 0."""

TUNNEL = Choice(("SADB_X_SAFLAGS_TUNNEL",), Mode.TUNNEL, Mode.TRANSPORT)
ENCAPSULATED = Choice(("SADB_X_SAFLAGS_NATT_LOC", "SADB_X_SAFLAGS_NATT_REM"), NATTType.ESPINUDP, NATTType.NONE)

DIALECT = rfc2367.DIALECT.derive(
    "illumos",
    wraps=False,
    family=27,
    sockaddr=sockaddr_rules(has_length=False, af_inet6=26, size_in6=32),
    extensions=EXTENSIONS,
    terms={
        "message": MESSAGES,
        "satype": rfc2367.SATYPES.extended({"SADB_X_SATYPE_TCPSIG": (4, SAType.TCPSIGNATURE)}),
        "state": STATES,
        "auth": AUTH,
        "encrypt": ENCRYPT,
        "identity": IDENTITIES,
    },
    flags=FLAGS,
    constants=CONSTANTS,
    # The kernel corrects checksums by the difference between the peer's address and NATT_REM: the address behind its
    # NAT.
    sources={
        "SATable": (
            Source("mode", Ext.SA, "flags", choice=TUNNEL),
            Source("natt_type", Ext.SA, "flags", choice=ENCAPSULATED),
            Source("natt_sport", Ext.NATT_LOCAL, take=Take.PORT),
            Source("natt_dport", Ext.NATT_REMOTE, take=Take.PORT),
            Source("natt_oa", Ext.NATT_REMOTE, take=Take.IP),
        )
    },
    errnos=errnos.ILLUMOS,
    replies=replies.ILLUMOS,
    diagnostics={number: f"SADB_X_DIAGNOSTIC_{name}" for number, name in enumerate(DIAGNOSTICS)},
)
