"""The grammar of macOS (xnu's bsd/netkey/key.c): address ranges for policies, sessions, interfaces, migration.

NAT traversal is in the longer association instead of extensions. Only AH and ESP are served.
"""

from __future__ import annotations

from dataclasses import replace

from . import grammar_kame as kame
from .grammar import forms
from .terms import Mode, SAType

TABLE = (
    """
    names       = [IDENTITY_SRC] [IDENTITY_DST]
    limits      = [HARD] [SOFT]
    place       = [IPSECIF]
    ends        = SRC|RANGE_SRC_START [RANGE_SRC_END] DST|RANGE_DST_START [RANGE_DST_END]

    GETSPI      >  sa      R-3.1.1-02   SRC DST [SPIRANGE] [SA2]
    GETSPI      <  sa      R-3.1.1-05   SA* SRC DST
    UPDATE      >  sa      R-3.1.2-11   SA [SA2] [CURRENT] limits SRC DST [PROXY] [KEYS] names [IPSECIF]
    UPDATE      <  sa      R-3.1.2-12   SA [SA2] limits SRC DST names
    ADD         >  sa      R-3.1.3-06   SA [SA2] limits SRC DST [PROXY] KEYS names [IPSECIF]
    ADD         <  sa      R-3.1.3-07   SA [SA2] limits SRC DST names
    DELETE      >  sa      R-3.1.4-02   [SA*] SRC DST
    DELETE      <  sa      R-3.1.4-03   [SA*] SRC DST
    GET         >  sa      R-3.1.5-02   SA* SRC DST
    GET         <  sa      R-3.1.5-03   SA [SA2] limits [CURRENT] SRC DST [KEYS] names [IPSECIF]
    EXPIRE      <  sa      R-3.1.8-04   SA [SA2] CURRENT HARD|SOFT SRC DST [IPSECIF]
    DUMP        <  sa      R-3.1.10-05  SA [SA2] limits [CURRENT] SRC DST [KEYS] names [IPSECIF]
    GETSASTAT   >  any     X-layout     SESSION_ID SASTAT
    GETSASTAT   <  any     X-layout     SESSION_ID SASTAT
    MIGRATE     >  sa      X-layout     SA* SRC DST NEW_ADDRESS_SRC NEW_ADDRESS_DST [IPSECIF] [MIGRATE_IPSECIF]
    MIGRATE     <  sa      X-layout     SA* SRC DST [NEW_ADDRESS_SRC] [NEW_ADDRESS_DST] [IPSECIF] [MIGRATE_IPSECIF]
    SPDDUMP     >  UNSPEC  X-layout     -
    SPDENABLE   >  UNSPEC  X-layout     POLICY
    SPDENABLE   <  UNSPEC  X-layout     POLICY
    SPDDISABLE  >  UNSPEC  X-layout     POLICY
    SPDDISABLE  <  UNSPEC  X-layout     POLICY
    """
    + kame.CONTROL
    + kame.ACQUIRE
    + kame.POLICIES
)

GRAMMAR = replace(
    kame.GRAMMAR,
    name="macos",
    forms=forms(TABLE, frozenset({SAType.AH, SAType.ESP})),
    modes=frozenset({Mode.ANY, Mode.TRANSPORT, Mode.TUNNEL}),
)
