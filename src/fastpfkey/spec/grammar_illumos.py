"""The grammar of illumos (uts/common/inet/ip/sadb.c, keysock.c): inner addresses, pairs, extended proposals.

The answer to ADD and UPDATE is the request with its keys zeroed. A dump ends with a header that carries its errno. An
extended ACQUIRE or REGISTER is for all SA types at once, so it has none.
"""

from __future__ import annotations

from .grammar import Grammar, forms
from .terms import SAState, SAType

TABLE = """
    labels       = [IDENTITY_SRC] [IDENTITY_DST] [SENSITIVITY] [OUTER_SENSITIVITY]
    limits       = [HARD] [SOFT] [LIFETIME_IDLE]
    natt         = [NATT_LOCAL] [NATT_REMOTE]
    inner        = [PROXY] [INNER_DST]
    ends         = SRC DST natt inner [KM_COOKIE]
    changed      = SA limits ends [KEYS] [STR_AUTH] labels [PAIR] [REPLAY_COUNTER]
    state        = changed [CURRENT]

    GETSPI       >  sa   R-3.1.1-02   SRC DST SPIRANGE [KM_COOKIE]
    GETSPI       <  sa   R-3.1.1-05   SA* SRC DST [KM_COOKIE]
    UPDATE       >  sa   R-3.1.2-11   changed [CURRENT]
    UPDATE       <  sa   R-3.1.2-12   state
    ADD          >  sa   R-3.1.3-06   SA limits ends KEYS [STR_AUTH] labels [PAIR] [REPLAY_COUNTER]
    ADD          <  sa   R-3.1.3-07   state
    DELETE       >  sa   R-3.1.4-02   SA* SRC DST
    DELETE       <  sa   R-3.1.4-03   SA* SRC DST
    GET          >  sa   R-3.1.5-02   SA* SRC DST
    GET          <  sa   R-3.1.5-03   state
    ACQUIRE      >  any  R-3.1.6-11   -
    ACQUIRE      >  any  R-3.1.6-03   SRC DST natt inner labels [KM_COOKIE] PROPOSAL|EXTENDED_PROPOSAL
    ACQUIRE      <  any  R-3.1.6-09   SRC DST natt inner labels [KM_COOKIE] PROPOSAL|EXTENDED_PROPOSAL
    REGISTER     >  sa   R-3.1.7-03   -
    REGISTER     >  any  R-3.1.7-03   EXTENDED_REGISTER
    REGISTER     <  sa   R-3.1.7-05   SUPPORTED_AUTH/SUPPORTED_ENCRYPT
    EXPIRE       <  sa   R-3.1.8-04   SA CURRENT HARD|SOFT|LIFETIME_IDLE ends labels [PAIR] [REPLAY_COUNTER]
    FLUSH        >  any  R-3.1.9-03   -
    FLUSH        <  any  R-3.1.9-04   -
    DUMP         >  any  R-3.1.10-02  [EXTENDED_DUMP]
    DUMP         <  any  R-3.1.10-05  -
    DUMP         <  sa   R-3.1.10-05  state
    PROMISC      >  *    R-A-06       -
    PROMISC      <  *    R-A-06       -

    INVERSE_ACQUIRE  >  any  X-layout  SRC DST inner
    INVERSE_ACQUIRE  <  any  X-layout  SRC DST inner [KM_COOKIE] EXTENDED_PROPOSAL
    UPDATEPAIR     >  sa   X-layout   SA* limits SRC DST [PAIR] [REPLAY_COUNTER]
    UPDATEPAIR     <  sa   X-layout   SA* limits SRC DST [PAIR] [REPLAY_COUNTER]
    DELPAIR        >  sa   X-layout   SA* SRC DST
    DELPAIR        <  sa   X-layout   SA* SRC DST
    DELPAIR_STATE  >  sa   X-layout   SA* SRC DST
    DELPAIR_STATE  <  sa   X-layout   SA* SRC DST
"""

GRAMMAR = Grammar(
    "illumos",
    forms(TABLE, frozenset({SAType.AH, SAType.ESP, SAType.TCPSIGNATURE})),
    states=frozenset({SAState.MATURE, SAState.ACTIVE_ELSEWHERE, SAState.IDLE, SAState.ACTIVE}),
    ports="always",
    soft_above_hard="error",
    host_prefixes=False,
    zero_keys=False,
)
