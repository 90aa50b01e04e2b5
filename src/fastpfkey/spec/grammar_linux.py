"""The grammar of Linux, as net/key/af_key.c reads and writes messages and a 6.1 kernel was seen to do.

Every notification about an association is its whole state, keys included. A combined-mode association, which only
netlink can make, has neither algorithms nor keys here. Requests of types 8, 12, 17, 21 and 23, and an ACQUIRE with
extensions, are answered with EOPNOTSUPP, so they have no line.
"""

from __future__ import annotations

from .grammar import Grammar, Requests, forms
from .grammar_keys import COMBINED, LINUX_KEYS
from .terms import Direction, Mode, PolicyType, SAType
from .terms import MessageType as Msg

TABLE = """
    natt         = [NATT_TYPE] [NATT_SPORT] [NATT_DPORT] [NATT_OA]
    labels       = [IDENTITY_SRC] [IDENTITY_DST] [SENSITIVITY] [KMPRIVATE]
    new          = SA [HARD] [SOFT] SRC DST [PROXY] KEYS labels [SA2] natt [SEC_CTX]
    state        = SA [HARD] [SOFT] [CURRENT] SRC DST [PROXY] [KEYS] [SA2] natt [SEC_CTX]
    policy       = SRC DST [HARD] [SOFT] [CURRENT] POLICY [SEC_CTX]

    GETSPI       >  sa   R-3.1.1-02   SRC DST [SPIRANGE] [PROXY] [SA2]
    GETSPI       <  sa   R-3.1.1-05   state
    UPDATE       >  sa   R-3.1.2-11   new [CURRENT]
    UPDATE       <  sa   R-3.1.2-12   state
    ADD          >  sa   R-3.1.3-06   new
    ADD          <  sa   R-3.1.3-07   state
    DELETE       >  sa   R-3.1.4-02   SA* SRC DST
    DELETE       <  sa   R-3.1.4-03   state
    GET          >  sa   R-3.1.5-02   SA* SRC DST
    GET          <  sa   R-3.1.5-03   state
    ACQUIRE      >  sa   R-3.1.6-11   - only
    ACQUIRE      <  sa   R-3.1.6-09   SRC DST [PROXY] [POLICY] [PROPOSAL] [SEC_CTX]
    REGISTER     >  UNSPEC,AH,ESP,RSVP,OSPFV2,RIPV2,MIP,IPCOMP  R-3.1.7-03  -
    REGISTER     <  UNSPEC,AH,ESP,RSVP,OSPFV2,RIPV2,MIP,IPCOMP  R-3.1.7-05  SUPPORTED_AUTH/SUPPORTED_ENCRYPT
    EXPIRE       <  any  R-3.1.8-04   SA CURRENT HARD|SOFT SRC DST [PROXY] [SA2] natt [SEC_CTX]
    FLUSH        >  any  R-3.1.9-03   -
    FLUSH        <  any  R-3.1.9-04   -
    DUMP         >  any  R-3.1.10-02  [FILTER]
    DUMP         <  sa   R-3.1.10-05  state
    PROMISC      >  *    R-A-06       -
    PROMISC      <  *    R-A-06       -

    NAT_T_NEW_MAPPING  <  ESP  X-layout  SA* SRC NATT_SPORT DST NATT_DPORT
    MIGRATE      >  *    X-layout     [KMADDRESS] SRC DST POLICY
    MIGRATE      <  *    X-layout     [KMADDRESS] SRC DST POLICY
    SPDADD       >  *    X-layout     SRC DST [HARD] [SOFT] POLICY [SEC_CTX]
    SPDADD       <  *    X-layout     policy
    SPDUPDATE    >  *    X-layout     SRC DST [HARD] [SOFT] POLICY [SEC_CTX]
    SPDUPDATE    <  *    X-layout     policy
    SPDSETIDX    >  *    X-layout     SRC DST [HARD] [SOFT] POLICY [SEC_CTX]
    SPDDELETE    >  *    X-layout     SRC DST POLICY [SEC_CTX]
    SPDDELETE    <  *    X-layout     policy
    SPDGET       >  *    X-layout     POLICY
    SPDGET       <  *    X-layout     policy
    SPDDELETE2   >  *    X-layout     POLICY
    SPDDELETE2   <  *    X-layout     policy
    SPDDUMP      >  *    X-layout     -
    SPDDUMP      <  *    X-layout     policy
    SPDFLUSH     >  *    X-layout     -
    SPDFLUSH     <  *    X-layout     -
"""

GRAMMAR = Grammar(
    "linux",
    forms(TABLE, frozenset({SAType.AH, SAType.ESP, SAType.IPCOMP})),
    # A dump that cannot go on reports so in the record that it was writing.
    errors_with_body=frozenset({Msg.DUMP, Msg.SPDDUMP}),
    keys=LINUX_KEYS,
    unsettable=COMBINED,
    null_bits=True,
    null_needs_key=True,
    limits_together=True,
    largest_window=32,
    larger_windows="warning",
    natt_types=frozenset({1, 2}),
    modes=frozenset({Mode.ANY, Mode.TRANSPORT, Mode.TUNNEL, Mode.BEET}),
    policy_types=frozenset({PolicyType.DISCARD, PolicyType.NONE, PolicyType.IPSEC}),
    directions=frozenset({Direction.IN, Direction.OUT, Direction.FWD}),
    requests=Requests(
        modes=frozenset({Mode.TRANSPORT, Mode.TUNNEL, Mode.BEET}), most=6, any_level=True, strict_tunnels=True
    ),
)
