"""Canonical terms: one name for one meaning, whatever number a system gives it.

The idea: an attribute or a table column says `SAType.ESP` for ESP, on OpenBSD (2) as on Linux (3). Canonical codes are
the RFC's and Linux's numbers where they exist, and 256 upwards elsewhere. The enumerations are open: a number that the
dialect does not know is kept as 0x8000 + number, so nothing is lost between decoding and encoding.
"""

from __future__ import annotations

import enum
from typing import Self

UNKNOWN = 0x8000
"""Added to a wire number that the dialect has no term for."""


class Term(enum.IntEnum):
    """Base of the open enumerations; a code outside the members makes a member that names its wire number."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or not 0 <= value <= 0xFFFF:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value - UNKNOWN}" if value >= UNKNOWN else f"CODE_{value}"
        member._value_ = value
        return member

    @classmethod
    def unknown(cls, number: int) -> Self:
        """The term of a wire number that the dialect does not know; numbers above 0x7fff share the last code."""
        return cls(UNKNOWN + min(number, UNKNOWN - 1))

    @property
    def is_unknown(self) -> bool:
        """Whether this stands for a wire number without a meaning."""
        return self.value >= UNKNOWN

    @property
    def wire(self) -> int:
        """The wire number of an unknown term."""
        return self.value - UNKNOWN

    @property
    def label(self) -> str:
        """The term as people write it: lower case with hyphens; an unknown number as `unknown-17`."""
        return self._name_.lower().replace("_", "-")

    def __str__(self) -> str:
        return self.label

    def __format__(self, spec: str) -> str:
        """The label, padded where the spec is one of text; the number where it ends in an integer's type, as in `d`."""
        return format(self.value, spec) if spec[-1:] in tuple("bcdoxXneEfFgG%") else format(self.label, spec)


class MessageType(Term):
    """sadb_msg_type."""

    RESERVED = 0
    GETSPI = 1
    UPDATE = 2
    ADD = 3
    DELETE = 4
    GET = 5
    ACQUIRE = 6
    REGISTER = 7
    EXPIRE = 8
    FLUSH = 9
    DUMP = 10
    PROMISC = 11
    PCHANGE = 12
    SPDUPDATE = 13
    SPDADD = 14
    SPDDELETE = 15
    SPDGET = 16
    SPDACQUIRE = 17
    SPDDUMP = 18
    SPDFLUSH = 19
    SPDSETIDX = 20
    SPDEXPIRE = 21
    SPDDELETE2 = 22
    NAT_T_NEW_MAPPING = 23
    MIGRATE = 24
    ADDFLOW = 256
    DELFLOW = 257
    GRPSPIS = 258
    ASKPOLICY = 259
    GETSASTAT = 260
    SPDENABLE = 261
    SPDDISABLE = 262
    INVERSE_ACQUIRE = 263
    UPDATEPAIR = 264
    DELPAIR = 265
    DELPAIR_STATE = 266


class ExtensionType(Term):
    """sadb_ext_type. Codes below 63 are the extension's bit in the column `present` too; rare ones above share 63."""

    RESERVED = 0
    SA = 1
    LIFETIME_CURRENT = 2
    LIFETIME_HARD = 3
    LIFETIME_SOFT = 4
    ADDRESS_SRC = 5
    ADDRESS_DST = 6
    ADDRESS_PROXY = 7
    KEY_AUTH = 8
    KEY_ENCRYPT = 9
    IDENTITY_SRC = 10
    IDENTITY_DST = 11
    SENSITIVITY = 12
    PROPOSAL = 13
    SUPPORTED_AUTH = 14
    SUPPORTED_ENCRYPT = 15
    SPIRANGE = 16
    KMPRIVATE = 17
    POLICY = 18
    SA2 = 19
    NATT_TYPE = 20
    NATT_SPORT = 21
    NATT_DPORT = 22
    NATT_OA = 23
    SEC_CTX = 24
    KMADDRESS = 25
    FILTER = 26
    NATT_OAR = 27
    NATT_FRAG = 28
    SA_REPLAY = 29
    NEW_ADDRESS_SRC = 30
    NEW_ADDRESS_DST = 31
    LIFETIME_SW_OFFLOAD = 32
    LIFETIME_HW_OFFLOAD = 33
    IF_HW_OFFLOAD = 34
    SRC_MASK = 35
    DST_MASK = 36
    PROTOCOL = 37
    FLOW_TYPE = 38
    SRC_FLOW = 39
    DST_FLOW = 40
    SECOND_SA = 41
    SECOND_DST = 42
    POLICY_SEQ = 43
    SUPPORTED_COMP = 44
    UDPENCAP = 45
    LIFETIME_LASTUSE = 46
    TAG = 47
    TAP = 48
    SATYPE2 = 49
    COUNTER = 50
    RDOMAIN = 51
    MTU = 52
    REPLAY_COUNTER = 53
    INTERFACE = 54
    PAIR = 55
    NATT_LOCAL = 56
    NATT_REMOTE = 57
    INNER_DST = 58
    STR_AUTH = 59
    KM_COOKIE = 60
    LIFETIME_IDLE = 61
    EXTENDED_PROPOSAL = 62
    EXTENDED_REGISTER = 256
    SESSION_ID = 257
    SASTAT = 258
    IPSECIF = 259
    MIGRATE_IPSECIF = 260
    RANGE_SRC_START = 261
    RANGE_SRC_END = 262
    RANGE_DST_START = 263
    RANGE_DST_END = 264
    EXTENDED_DUMP = 265
    OUTER_SENSITIVITY = 266
    LOCAL_CREDENTIALS = 267
    REMOTE_CREDENTIALS = 268
    LOCAL_AUTH = 269
    REMOTE_AUTH = 270

    @property
    def bit(self) -> int:
        """Bit of this extension in the column `present`."""
        return min(self.value, 63)


class SAType(Term):
    """sadb_msg_satype."""

    UNSPEC = 0
    AH = 2
    ESP = 3
    RSVP = 5
    OSPFV2 = 6
    RIPV2 = 7
    MIP = 8
    IPCOMP = 9
    TCPSIGNATURE = 256
    IPIP = 257
    POLICY = 258


class SAState(Term):
    """sadb_sa_state."""

    LARVAL = 0
    MATURE = 1
    DYING = 2
    DEAD = 3
    ACTIVE_ELSEWHERE = 256
    IDLE = 257
    ACTIVE = 258


class AuthAlgorithm(Term):
    """sadb_sa_auth and authentication algorithms elsewhere."""

    NONE = 0
    MD5_HMAC = 2
    SHA1_HMAC = 3
    SHA2_256_HMAC = 5
    SHA2_384_HMAC = 6
    SHA2_512_HMAC = 7
    RIPEMD160_HMAC = 8
    AES_XCBC_MAC = 9
    SM3_256_HMAC = 10
    NULL = 251
    AES128_GMAC = 256
    AES192_GMAC = 257
    AES256_GMAC = 258
    CHACHA20_POLY1305 = 259
    KEYED_MD5 = 260
    KEYED_SHA1 = 261
    TCP_MD5 = 262


class EncryptAlgorithm(Term):
    """sadb_sa_encrypt of every SA type but IPCOMP, and encryption algorithms elsewhere."""

    NONE = 0
    DES_CBC = 2
    TRIPLE_DES_CBC = 3
    CAST128_CBC = 6
    BLOWFISH_CBC = 7
    NULL = 11
    AES_CBC = 12
    AES_CTR = 13
    AES_CCM_ICV8 = 14
    AES_CCM_ICV12 = 15
    AES_CCM_ICV16 = 16
    AES_GCM_ICV8 = 18
    AES_GCM_ICV12 = 19
    AES_GCM_ICV16 = 20
    CAMELLIA_CBC = 22
    NULL_AES_GMAC = 23
    SM4_CBC = 24
    SERPENT_CBC = 252
    TWOFISH_CBC = 253
    CHACHA20_POLY1305 = 256
    SKIPJACK = 257


class CompressAlgorithm(Term):
    """sadb_sa_encrypt of an IPCOMP association."""

    NONE = 0
    OUI = 1
    DEFLATE = 2
    LZS = 3
    LZJH = 4


class IdentityType(Term):
    """sadb_ident_type."""

    RESERVED = 0
    PREFIX = 1
    FQDN = 2
    USERFQDN = 3
    ADDRESS = 256
    DN = 257
    GN = 258
    KEY_ID = 259
    ADDRESS_RANGE = 260


class Mode(Term):
    """sadb_x_sa2_mode and sadb_x_ipsecrequest_mode."""

    ANY = 0
    TRANSPORT = 1
    TUNNEL = 2
    BEET = 3
    IPTFS = 4
    TCPMD5 = 256


class PolicyType(Term):
    """sadb_x_policy_type; from USE on, OpenBSD's flow types that are none of the others."""

    DISCARD = 0
    NONE = 1
    IPSEC = 2
    ENTRUST = 3
    BYPASS = 4
    GENERATE = 256
    USE = 257
    ACQUIRE = 258
    REQUIRE = 259
    DONTACQ = 260


class Direction(Term):
    """sadb_x_policy_dir and the direction of an OpenBSD flow."""

    ANY = 0
    IN = 1
    OUT = 2
    FWD = 3


class Level(Term):
    """sadb_x_ipsecrequest_level."""

    DEFAULT = 0
    USE = 1
    REQUIRE = 2
    UNIQUE = 3


class NATTType(Term):
    """sadb_x_nat_t_type_type: how ESP is put into UDP (RFC 3948)."""

    NONE = 0
    ESPINUDP_NON_IKE = 1
    ESPINUDP = 2


class FlowType(Term):
    """sadb_protocol_proto of an OpenBSD FLOW_TYPE extension."""

    USE = 1
    ACQUIRE = 2
    REQUIRE = 3
    BYPASS = 4
    DENY = 5
    DONTACQ = 6
