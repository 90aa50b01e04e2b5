"""What the grammars of FreeBSD, NetBSD and macOS have in common: KAME's key_parse and its answers.

An error is the whole request again, with its errno. The answer to a change has no keys, and an UPDATE of an association
that is in use may not have any. DELETE without an association deletes all between two addresses. Known extensions that
a request does not need are ignored; duplicates, unknown types and KMPRIVATE never get as far as that.
"""

from __future__ import annotations

from .grammar import Grammar, Requests
from .terms import Direction, PolicyType

POLICIES = """
    SPDADD      >  UNSPEC  X-layout     ends [HARD] POLICY place
    SPDADD      <  UNSPEC  X-layout     ends [HARD] POLICY place
    SPDUPDATE   >  UNSPEC  X-layout     ends [HARD] POLICY place
    SPDUPDATE   <  UNSPEC  X-layout     ends [HARD] POLICY place
    SPDSETIDX   >  UNSPEC  X-layout     ends [HARD] POLICY place
    SPDSETIDX   <  UNSPEC  X-layout     ends [HARD] POLICY place
    SPDDELETE   >  UNSPEC  X-layout     ends POLICY place
    SPDDELETE   <  UNSPEC  X-layout     ends POLICY place
    SPDGET      >  UNSPEC  X-layout     POLICY
    SPDGET      <  UNSPEC  X-layout     ends POLICY [CURRENT] [HARD] place
    SPDDUMP     <  UNSPEC  X-layout     ends POLICY [CURRENT] [HARD] place
    SPDACQUIRE  <  UNSPEC  X-layout     -
    SPDFLUSH    >  UNSPEC  X-layout     - only
    SPDFLUSH    <  UNSPEC  X-layout     -
    SPDEXPIRE   <  UNSPEC  X-layout     CURRENT HARD SRC DST POLICY
    SPDDELETE2  >  UNSPEC  X-layout     POLICY
    SPDDELETE2  <  UNSPEC  X-layout     POLICY
"""
"""Policies. Each system says what their `ends` and their `place` are, and what an SPDDUMP asks for."""

CONTROL = """
    REGISTER    >  any     R-3.1.7-03   -
    REGISTER    <  any     R-3.1.7-05   SUPPORTED_AUTH/SUPPORTED_ENCRYPT
    FLUSH       >  any     R-3.1.9-03   -
    FLUSH       <  any     R-3.1.9-04   -
    DUMP        >  any     R-3.1.10-02  -
    PROMISC     >  *       R-A-06       -
    PROMISC     <  *       R-A-06       -
"""

ACQUIRE = """
    ACQUIRE     >  sa      R-3.1.6-11   -
    ACQUIRE     >  sa      R-3.1.6-03   SRC DST [IDENTITY_SRC] [IDENTITY_DST] PROPOSAL
    ACQUIRE     <  sa      R-3.1.6-09   SRC DST [IDENTITY_SRC] [IDENTITY_DST] [POLICY] [SA2] PROPOSAL
"""

GRAMMAR = Grammar(
    "kame",
    (),
    errors_with_body=None,
    null_bits=True,
    null_needs_key=True,
    limits_together=True,
    policy_types=frozenset({PolicyType.DISCARD, PolicyType.NONE, PolicyType.IPSEC}),
    directions=frozenset({Direction.IN, Direction.OUT}),
    requests=Requests(needed=True),
)
"""Without lines, which each system has of its own."""
