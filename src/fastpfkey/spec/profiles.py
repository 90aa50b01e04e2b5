"""The profiles: one for each system, as far as its behaviour is known.

Linux was observed (6.1.176, `[live]` in the tables that this was written from), FreeBSD, NetBSD, macOS and OpenBSD were
read in source, and of illumos what it does for TCP-MD5; apart from that its profile is the RFC's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from .profile import IGNORED, SENT_EINVAL, SENT_EMSGSIZE, HeaderError, Profile
from .tcpmd5 import MANNERS
from .terms import SAType

_LABELS = "IDENTITY_SRC IDENTITY_DST SENSITIVITY"
_NATT = "NATT_TYPE NATT_SPORT NATT_DPORT"
_BARE = "SA* ADDRESS_SRC ADDRESS_DST"

_TCP = frozenset({SAType.TCPSIGNATURE})

_LATER = frozenset({"R-3.1.2-11 KEY_AUTH", "R-3.1.2-11 KEY_ENCRYPT"})
"""Whether an UPDATE needs keys shows when it is known what it updates."""

RFC2367 = Profile(
    name="rfc2367",
    evidence="the letter of RFC 2367; choices where it is ambiguous are in docs/decisions/engine.md",
    grammar="rfc2367",
    deliveries="rfc2367",
    tolerates=_LATER,
    record=(
        "SA +LIFETIME_CURRENT LIFETIME_HARD LIFETIME_SOFT ADDRESS_SRC ADDRESS_DST ADDRESS_PROXY KEY_AUTH KEY_ENCRYPT "
        f"{_LABELS} KMPRIVATE SA2 {_NATT} NATT_OA SA_REPLAY SEC_CTX"
    ),
    shown={
        "GETSPI": _BARE,
        "ADD": "public -LIFETIME_CURRENT",
        "UPDATE": "public",
        "DELETE": _BARE,
        "GET": "all",
        "EXPIRE": "SA LIFETIME_CURRENT LIFETIME ADDRESS_SRC ADDRESS_DST ADDRESS_PROXY SENSITIVITY",
    },
)

_UNCHECKED = frozenset(
    {
        # What Linux and the KAME systems were seen to take, or are known not to look at.
        "R-2.1-10",
        "R-2.2-02 KEY_AUTH",
        "R-2.2-02 KEY_ENCRYPT",
        "R-2.2-05",
        "R-2.3-03",
        "R-2.3.3-05",
        "R-2.3.3-06",
        "R-2.3.3-08",
        "R-2.3.3-14",
        "R-3.1.2-06",
        "R-3.1.3-04",
        "R-3.1.6-11",
        "R-2.3.6-01",
        "R-3.7-01",
        "R-3.7-02",
        "R-3.7-03",
        "R-3.7-05",
        "R-3.7-06",
        "R-3.7-07",
        "R-2.3.5-03",
        "R-C-01",
    }
)

_LINUX_STATE = (
    "SA +LIFETIME_HARD +LIFETIME_SOFT +LIFETIME_CURRENT ADDRESS_SRC ADDRESS_DST +ADDRESS_PROXY KEY_AUTH KEY_ENCRYPT "
    f"+SA2 {_NATT} SEC_CTX"
)

LINUX = Profile(
    name="linux",
    evidence="observed on Linux 6.1.176, message by message",
    grammar="dialect",
    deliveries="linux",
    mismatch=SENT_EMSGSIZE,
    oversize=SENT_EMSGSIZE,
    version=SENT_EINVAL,
    reserved=SENT_EINVAL,
    unknown_type=SENT_EINVAL,
    ragged_length=True,
    largest_message=212_992 - 32,
    tolerates=_UNCHECKED | {"R-2.3.1-02", "R-2.3.4-04", "R-2.3.7-05", "R-2.3.7-08", "R-3.5-04", "R-2.3.1-07"},
    errnos={
        "R-3.4-02 ADD": "EPROTONOSUPPORT",
        "R-3.4-02 UPDATE": "EPROTONOSUPPORT",
        "R-3.4-02 GET": "ESRCH",
        "R-3.4-02 DELETE": "ESRCH",
    },
    match_source=False,
    unserved="EOPNOTSUPP",
    refuses_warnings=frozenset(),
    unknown_algorithm="ENOSYS",
    null_needs_auth=False,
    spi_zero=True,
    reserved_spis=True,
    default_range=(0x100, 0x0FFFFFFF),
    exhausted="ENOENT",
    update_live="lenient",
    update_ports=True,
    update_resets_limits=True,
    update_sets_current=False,
    update_moves=True,
    larval_expires=True,
    larval_limit=True,
    dead_seconds=0.0,
    acquire_same_spi=True,
    add_closes_larval=True,
    acquire_placeholder=True,
    acquire_bare="ignore",
    relays={"ACQUIRE": "EOPNOTSUPP", "EXPIRE": "EOPNOTSUPP", "PCHANGE": "EOPNOTSUPP"},
    register_again="EEXIST",
    lists_null=True,
    lists_everything=True,
    wraps=False,
    copies_to_sender=True,
    copies_bad_headers=False,
    promisc_data=False,
    flush_told_empty=False,
    newest_first=True,
    policies="linux",
    too_many_requests="ELOOP",
    record=_LINUX_STATE,
    shown={
        "GETSPI": "all",
        "ADD": "all",
        "UPDATE": "all",
        "DELETE": "all",
        "GET": "all",
        "EXPIRE": f"SA LIFETIME LIFETIME_CURRENT ADDRESS_SRC ADDRESS_DST ADDRESS_PROXY SA2 {_NATT} SEC_CTX",
    },
    no_limit=0xFFFFFFFFFFFFFFFF,
    reached_by_next=True,
    allocations_are_packets=True,
    transport_by_default=True,
    source_is_no_proxy=True,
    clamp_replay=32,
    kept_flags=("SADB_SAFLAGS_NOECN", "SADB_SAFLAGS_DECAP_DSCP", "SADB_SAFLAGS_NOPMTUDISC"),
    plain_addresses=True,
    queue_limit=212_992,
)

_KAME_PUBLIC = f"SA SA2 ADDRESS_SRC ADDRESS_DST LIFETIME_HARD LIFETIME_SOFT IDENTITY_SRC IDENTITY_DST {_NATT}"

FREEBSD = Profile(
    name="freebsd",
    evidence="read in source (main of 2024); without the faults that source had in GETSPI",
    grammar="dialect",
    deliveries="kame",
    short=SENT_EINVAL,
    mismatch=SENT_EINVAL,
    oversize=HeaderError("ENOBUFS", "send"),
    reserved=IGNORED,
    framing=SENT_EINVAL,
    unknown_extensions=False,
    largest_message=2048,
    tolerates=_UNCHECKED,
    refuses_warnings=frozenset(),
    null_needs_auth=False,
    request_errors=True,
    unique="spi",
    ends_identify=_TCP,
    default_range=(0x100, 0x0FFFFFFF),
    default_range_ipcomp=(0x100, 0xFFFF),
    update_live="keyless",
    update_resets_limits=True,
    update_sets_current=False,
    update_unknown="EINVAL",
    creator="pid",
    creator_errno="EINVAL",
    delete_pairs=True,
    limit_exceeded=True,
    dead_seconds=0.0,
    expire_seq="creation",
    acquire_lifetime=20.0,
    acquire_misses=10,
    acquire_bare="ignore",
    relays={"EXPIRE": "EINVAL", "PCHANGE": "EINVAL"},
    register_again="EEXIST",
    copies_to_sender=True,
    promisc_data=False,
    dump="lossy",
    policies="kame",
    policy_missing="EINVAL",
    record=(
        "SA +SA2 SA_REPLAY LIFETIME_HARD LIFETIME_SOFT +LIFETIME_CURRENT ADDRESS_SRC ADDRESS_DST KEY_AUTH KEY_ENCRYPT "
        f"IDENTITY_SRC IDENTITY_DST {_NATT} NATT_OA NATT_OAR NATT_FRAG"
    ),
    shown={
        "GETSPI": _BARE,
        "ADD": _KAME_PUBLIC,
        "UPDATE": _KAME_PUBLIC,
        "DELETE": _BARE,
        "GET": "all",
        "EXPIRE": "SA SA2 SA_REPLAY LIFETIME_CURRENT LIFETIME ADDRESS_SRC ADDRESS_DST",
    },
    queue_limit=8192,
)

NETBSD = replace(
    FREEBSD,
    name="netbsd",
    evidence="read in source, less closely than FreeBSD, from which it differs in dumps",
    dump="whole",
    unique="destination",
    ends_identify=frozenset(),
    source_identifies=_TCP,
    tcp_spi=MANNERS["netbsd"].spi,
)

MACOS = replace(
    FREEBSD,
    name="macos",
    evidence="as FreeBSD, with which it shares KAME's code; not read as closely",
    unique="destination",
    ends_identify=frozenset(),
)

OPENBSD = replace(
    RFC2367,
    name="openbsd",
    evidence="read in source; what was not read is the RFC's",
    grammar="dialect",
    deliveries="openbsd",
    short=SENT_EINVAL,
    mismatch=SENT_EINVAL,
    oversize=SENT_EMSGSIZE,
    version=IGNORED,
    reserved=SENT_EINVAL,
    unknown_type=SENT_EINVAL,
    framing=SENT_EINVAL,
    unknown_extensions=False,
    own_pid=True,
    table_full="ENOMEM",
    strays="grammar",
    match_source=False,
    update_live="keyless",
    dead_seconds=0.0,
    record=RFC2367.record + " LIFETIME_LASTUSE UDPENCAP TAG TAP RDOMAIN INTERFACE FLOW_TYPE PROTOCOL SRC_FLOW DST_FLOW",
)

ILLUMOS = replace(
    RFC2367,
    name="illumos",
    table_full="ENOMEM",
    evidence="the RFC's, and for TCP-MD5 read in source; beyond that its behaviour was neither observed nor read",
    grammar="dialect",
    ends_identify=_TCP,
    record=RFC2367.record + " STR_AUTH",
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {item.name: item for item in (RFC2367, LINUX, FREEBSD, NETBSD, OPENBSD, MACOS, ILLUMOS)}
)
"""The profiles by name."""


def profile(name: str) -> Profile:
    """The profile of this name. Raises ValueError with the known names for a name that is none of them."""
    if name not in PROFILES:
        raise ValueError(f"unknown profile {name!r}; known are {', '.join(PROFILES)}")
    return PROFILES[name]
