"""How an engine behaves where RFC 2367 and the kernels part: the knobs, each with what it means.

A profile is a named set of knobs; `profiles` has one for each system. What a message has to look like is the grammar's
business (fastpfkey.spec.grammar), and who hears what the delivery table's (fastpfkey.spec.delivery); here is what is
left: identity, states, lifetimes, ACQUIRE, REGISTER, PROMISC, dumps, errors and limits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, NamedTuple, get_args, get_origin, get_type_hints

from .delivery import DELIVERIES
from .model import LONGEST_MESSAGE
from .terms import SAType


class HeaderError(NamedTuple):
    """What becomes of a message with a bad base header."""

    errno: str
    """C name of the error; empty: the engine does not look."""
    how: Literal["send", "reply"]
    """Whether the sender's send() fails or an error message comes back."""


SENT_EINVAL = HeaderError("EINVAL", "send")
SENT_EMSGSIZE = HeaderError("EMSGSIZE", "send")
REPLIED_EINVAL = HeaderError("EINVAL", "reply")
REPLIED_EMSGSIZE = HeaderError("EMSGSIZE", "reply")
IGNORED = HeaderError("", "reply")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The knobs. The defaults are those of RFC 2367 by the letter."""

    name: str
    """The system, as its dialect is named."""
    evidence: str
    """How well the profile is known to be what the system does."""
    grammar: str
    """Whose grammar requests are held to: "dialect" for that of the engine's dialect, or a name."""
    deliveries: str
    """Column of the delivery table."""

    # Base header and framing
    short: HeaderError = SENT_EMSGSIZE
    """Fewer than 16 bytes."""
    mismatch: HeaderError = REPLIED_EMSGSIZE
    """The length in the header is not that of the message."""
    oversize: HeaderError = REPLIED_EMSGSIZE
    """More bytes than `largest_message`."""
    version: HeaderError = REPLIED_EINVAL
    """The version is not 2."""
    reserved: HeaderError = REPLIED_EINVAL
    """The header's reserved field is not zero."""
    unknown_type: HeaderError = REPLIED_EINVAL
    """The message type is 0 or one that the dialect does not have."""
    framing: HeaderError = REPLIED_EINVAL
    """An extension is empty, too long, too short or there twice."""
    ragged_length: bool = False
    """Whether the header's length is compared with that of the message rounded down to words, as Linux does."""
    unknown_extensions: bool = True
    """Whether extensions of unknown type are ignored (R-2.3-06)."""
    own_pid: bool = False
    """Whether a request has to carry the pid of its sender, where the engine knows it."""
    largest_message: int = LONGEST_MESSAGE
    """Bytes; the header can say no more."""

    # Requests
    tolerates: frozenset[str] = frozenset()
    """Rules of `check` that the engine does not hold requests to, as a whole or for one extension, as in
    "R-2.2-02 KEY_AUTH"."""
    errnos: Mapping[str, str] = field(default_factory=dict)
    """Errors other than EINVAL by rule, or by rule and message type as in "R-3.4-02 ADD"."""
    strays: Literal["ignore", "grammar"] = "ignore"
    """Whether known extensions that a request has no place for are ignored (R-3.1.7-03), or as the grammar says."""
    unserved: str = "EINVAL"
    """Error for a message that the engine knows and has no answer to."""
    refuses_warnings: frozenset[str] = frozenset({"R-3.1.2-05"})
    """Rules whose warnings are refused too: keys of DES without parity or weak ones, and flags that nobody knows."""
    unknown_algorithm: str = "EINVAL"
    """Error for an algorithm that the engine does not offer; one beyond the system's numbers is EINVAL anyway."""
    null_needs_auth: bool = True
    """Whether ESP that neither encrypts nor authenticates is refused."""
    request_errors: bool = False
    """Whether an error comes with the whole request rather than its header; keys in it are zeroed."""

    # Identity
    match_source: bool = True
    """Whether UPDATE, DELETE and GET compare the source address too."""
    unique: Literal["destination", "spi"] = "destination"
    """What makes an SPI one of its kind: SA type and destination, or nothing else at all (FreeBSD)."""
    source_identifies: frozenset[SAType] = frozenset()
    """SA types whose associations are told apart by the source address too (R-3.1-03)."""
    ends_identify: frozenset[SAType] = frozenset()
    """SA types whose associations are told apart by their addresses, whatever the SPI. Where SPIs are one of their kind
    (FreeBSD), one that is taken is replaced by another."""
    tcp_spi: int | None = None
    """The only SPI that ADD and UPDATE may give an association for TCP-MD5, if there is but one (NetBSD)."""
    spi_zero: bool = False
    """Whether an association may have SPI 0."""
    reserved_spis: bool = False
    """Whether GETSPI may pick SPIs from 1 to 255, and ADD and UPDATE may install them, in AH and ESP."""
    default_range: tuple[int, int] | None = None
    """SPIs of a GETSPI without a range; None: the range has to be there."""
    default_range_ipcomp: tuple[int, int] | None = None
    """The same for IPComp, whose identifiers have 16 bits; None: those of others."""
    exhausted: str = "EEXIST"
    """Error of a GETSPI that finds no free SPI."""
    most_associations: int = 0
    """Associations that there may be, larval ones too; 0: as many as memory holds."""
    table_full: str = "ENOBUFS"
    """Error of a GETSPI or ADD when there are so many."""

    # UPDATE, DELETE
    update_live: Literal["strict", "keyless", "lenient"] = "strict"
    """UPDATE of an association in use. strict: lifetimes alone may differ from what is there (R-3.1.2-10); keyless:
    it may have no keys, other differences are ignored (KAME); lenient: all differences are ignored (Linux)."""
    update_ports: bool = False
    """Whether an UPDATE of an association in use sets its ports of UDP encapsulation, and is refused where one of the
    two has none or another kind (Linux)."""
    update_resets_limits: bool = False
    """Whether lifetimes that an UPDATE leaves out are reset to none, rather than kept."""
    update_sets_current: bool = True
    """Whether the current lifetime of an UPDATE sets the counters."""
    update_moves: bool = False
    """Whether completing a larval association makes it the newest in dumps."""
    update_unknown: str = "ESRCH"
    """Error of an UPDATE whose SPI nobody has."""
    creator: Literal["anyone", "socket", "pid"] = "anyone"
    """Who may UPDATE an association: R-3.1.2-02 allows to refuse others than its creator."""
    creator_errno: str = "EACCES"
    """Error for who may not."""
    delete_pairs: bool = False
    """Whether DELETE without an association deletes all between two addresses."""

    # Lifetimes
    limit_exceeded: bool = False
    """Whether a limit has to be exceeded (KAME) rather than reached (Linux) to end an association."""
    larval_lifetime: float = 30.0
    """Seconds that an SPI is kept for the UPDATE to come."""
    larval_expires: bool = False
    """Whether the end of a larval association is told by EXPIRE."""
    larval_limit: bool = False
    """Whether a larval association shows its time as a hard lifetime."""
    dead_seconds: float = 1.0
    """Seconds that an expired association is still there, as DEAD; 0: it goes at once."""
    dead_in_dumps: bool = True
    """Whether dumps show associations that are DEAD."""
    expire_seq: Literal["zero", "creation"] = "zero"
    """Sequence number of EXPIRE: 0, or that of the message that made the association."""

    no_limit: int = 0
    """A limit of bytes that means none, beside 0."""
    reached_by_next: bool = False
    """Whether a limit of bytes or allocations ends an association when it is next to be used, and not at once."""
    allocations_are_packets: bool = False
    """Whether `allocations` counts packets, as on Linux, rather than lookups."""

    # ACQUIRE
    acquire_lifetime: float = 30.0
    """Seconds that a request for an association is pending."""
    acquire_misses: int = 0
    """After how many further misses a pending ACQUIRE is sent again; 0: never."""
    acquire_same_spi: bool = False
    """Whether GETSPI with the number of an ACQUIRE gives the SPI that it gave before."""
    add_closes_larval: bool = False
    """Whether an ADD with the number of an ACQUIRE removes the larval association made for it."""
    acquire_placeholder: bool = False
    """Whether a pending ACQUIRE is a larval association of SPI 0 in dumps, and expires as such."""
    acquire_bare: Literal["refuse", "ignore"] = "refuse"
    """What becomes of a bare ACQUIRE that reports no error: EINVAL, or silence."""
    relays: Mapping[str, str] = field(default_factory=dict)
    """What programs may not tell each other through the engine: message types, and the error that says so."""

    # REGISTER
    register_again: str = ""
    """Error of a second REGISTER for the same type on one socket; empty: it succeeds again."""
    register_query: bool = True
    """Whether REGISTER for no type in particular asks for the list without registering."""
    lists_null: bool = False
    """Whether NULL algorithms are listed, with keys of 0 bits, which R-2.3.8-03 calls invalid."""
    lists_everything: bool = False
    """Whether every SA type is told the algorithms of all, as Linux does."""

    # PROMISC
    wraps: bool = True
    """Whether promiscuous sockets get copies behind a header of their own (R-A-10), rather than raw.
    Where the dialect has no such copies they are raw anyway."""
    copies_to_sender: bool = False
    """Whether a promiscuous socket gets copies of its own requests."""
    copies_bad_headers: bool = True
    """Whether messages with a bad base header are copied (R-A-11)."""
    promisc_data: bool = True
    """Whether programs can send messages to each other behind a PROMISC header (R-A-07)."""

    # FLUSH and DUMP
    flush_told_empty: bool = True
    """Whether a flush of an empty table is told to all, rather than to the sender alone."""
    newest_first: bool = False
    """Order of dumps."""
    dump: Literal["paced", "lossy", "whole"] = "paced"
    """paced: a dump goes on as its reader reads, seq 1, 2, ... and 0 for the last; lossy: all at once, seq counting
    down to 0, what does not fit is lost (KAME); whole: all at once or ENOBUFS (NetBSD)."""
    dump_empty: str = "ENOENT"
    """Error of a dump of nothing (R-3.1.10-08)."""

    # Policies
    policies: Literal["none", "linux", "kame"] = "none"
    """Whose SPD messages the engine has."""

    too_many_requests: str = "EINVAL"
    """Error of a policy with more requests than the grammar allows."""
    policy_missing: str = "ENOENT"
    """Error of SPDDELETE and SPDDELETE2 where there is no such policy."""

    # Records
    record: str = ""
    """What an association looks like in GET and DUMP: extensions in order; + marks those that are always there."""
    shown: Mapping[str, str] = field(default_factory=dict)
    """What of it other messages show: "all", "public" (all but keys and private data), or names."""
    clamp_replay: int = 0
    """Largest replay window; 0: any."""
    kept_flags: tuple[str, ...] | None = None
    """C names of the only flags that are stored; None: all of them."""
    transport_by_default: bool = False
    """Whether an association for any mode is one for transport mode."""
    source_is_no_proxy: bool = False
    """Whether a proxy that is the source itself is not shown, and any host is where there is none."""
    plain_addresses: bool = False
    """Whether associations show their addresses without port and protocol and with full prefix length."""

    # Sockets
    queue_limit: int = 1 << 20
    """Bytes of messages that wait for a reader; what is said to a full socket is lost, and counted."""
    faithful_keys: bool = False
    """Whether keys go where the kernel sends them. By default no socket gets the keys of another's request."""

    def __post_init__(self) -> None:
        for name, choices in _choices().items():
            value = getattr(self, name)
            if value not in choices:
                raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")
        if self.deliveries not in DELIVERIES:
            raise ValueError(f"deliveries is one of {', '.join(map(repr, DELIVERIES))}, not {self.deliveries!r}")


@cache
def _choices() -> Mapping[str, tuple[object, ...]]:
    """The knobs that have named positions, and these."""
    hints = get_type_hints(Profile)
    found = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}
    return found | {name: (False, True) for name, hint in hints.items() if hint is bool}
