"""The grammar of OpenBSD: the tables of sys/net/pfkeyv2_parsemessage.c, the closest that a kernel came to a validator.

What a request may have beyond its table is refused. What the kernel itself sends is more than its own tables list: a
GET answers with all that is known of an association.
"""

from __future__ import annotations

from .grammar import Grammar, forms
from .terms import SAType

TABLE = """
    names      = [IDENTITY_SRC] [IDENTITY_DST]
    limits     = [CURRENT] [HARD] [SOFT]
    flow       = FLOW_TYPE SRC_FLOW SRC_MASK DST_FLOW DST_MASK
    traffic    = [flow] [PROTOCOL]
    places     = [UDPENCAP] [TAG] [TAP] [RDOMAIN] [INTERFACE]
    use        = [COUNTER] [REPLAY_COUNTER]
    second     = [SECOND_SA] [SECOND_DST] [SATYPE2]

    GETSPI     >  sa   R-3.1.1-02   SRC DST SPIRANGE
    GETSPI     <  sa   R-3.1.1-05   SA* [SRC] DST
    UPDATE     >  sa   R-3.1.2-11   SA limits SRC DST [PROXY] [KEYS] names traffic places use
    UPDATE     <  sa   R-3.1.2-12   SA limits [SRC] DST [PROXY] names traffic places
    ADD        >  sa   R-3.1.3-06   SA limits [SRC] DST KEYS names traffic places use [LIFETIME_LASTUSE]
    ADD        <  sa   R-3.1.3-07   SA limits [SRC] DST names traffic places
    DELETE     >  sa   R-3.1.4-02   SA* [SRC] DST [RDOMAIN]
    DELETE     <  sa   R-3.1.4-03   SA* [SRC] DST [RDOMAIN]
    GET        >  sa   R-3.1.5-02   SA* [SRC] DST [RDOMAIN]
    GET        <  sa   R-3.1.5-03   SA CURRENT [HARD] [SOFT] [SRC] DST [KEYS] names traffic places use
    + [LIFETIME_LASTUSE] [MTU] second
    ACQUIRE    >  sa   R-3.1.6-11   -
    ACQUIRE    >  sa   R-3.1.6-03   SRC DST names PROPOSAL
    ACQUIRE    <  sa   R-3.1.6-09   SRC DST names PROPOSAL
    REGISTER   >  AH,ESP,IPCOMP  R-3.1.7-03  -
    REGISTER   <  AH,ESP,IPCOMP  R-3.1.7-05  SUPPORTED_AUTH SUPPORTED_ENCRYPT SUPPORTED_COMP
    EXPIRE     >  sa   R-3.1.8-04   SA SRC DST
    EXPIRE     <  sa   R-3.1.8-04   SA CURRENT HARD|SOFT [SRC] DST
    FLUSH      >  any  R-3.1.9-03   -
    FLUSH      <  any  R-3.1.9-04   -
    DUMP       >  any  R-3.1.10-02  -
    DUMP       <  any  R-3.1.10-05  SA limits [SRC] DST [KEYS] names traffic places use [LIFETIME_LASTUSE] [MTU] second
    PROMISC    >  *    R-A-06       -
    PROMISC    <  *    R-A-06       -

    ADDFLOW    >  any  X-layout     [SRC] [DST] names flow [PROTOCOL] [RDOMAIN]
    ADDFLOW    <  any  X-layout     [SRC] [DST] names flow [PROTOCOL] [RDOMAIN]
    DELFLOW    >  any  X-layout     flow [PROTOCOL] [RDOMAIN]
    DELFLOW    <  any  X-layout     flow [PROTOCOL] [RDOMAIN]
    GRPSPIS    >  sa   X-layout     SA* DST SECOND_SA SECOND_DST SATYPE2 [RDOMAIN]
    GRPSPIS    <  sa   X-layout     SA* DST SECOND_SA SECOND_DST SATYPE2 [RDOMAIN]
    ASKPOLICY  >  any  X-layout     POLICY_SEQ
    ASKPOLICY  <  any  X-layout     flow [POLICY_SEQ]
    SPDDUMP    >  any  X-layout     -
    SPDDUMP    <  any  X-layout     [SRC] [DST] names flow [PROTOCOL]
"""

GRAMMAR = Grammar(
    "openbsd",
    forms(TABLE, frozenset({SAType.AH, SAType.ESP, SAType.IPIP, SAType.TCPSIGNATURE, SAType.IPCOMP})),
    strays="error",
    largest_window=64,
    largest_message=4096,
    combinations=1,
    unspecified_family=frozenset({SAType.TCPSIGNATURE}),
)
