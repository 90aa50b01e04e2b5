"""The grammar of RFC 2367 by the letter: sections 3.1.1 to 3.1.10 and the appendices.

SA types that nobody has heard of are fine: they are for security protocols in user space (3.1.7). The answer to ADD
takes the proxy address too, which 3.1.3 leaves out and 3.1.2 has; an engine of any system may want to tell it.
"""

from __future__ import annotations

from .grammar import Grammar, forms

TABLE = """
    labels     = [IDENTITY_SRC] [IDENTITY_DST] [SENSITIVITY]

    GETSPI     >  sa   R-3.1.1-02   SRC DST SPIRANGE
    GETSPI     <  sa   R-3.1.1-05   SA* SRC DST
    UPDATE     >  sa   R-3.1.2-11   SA [CURRENT] [HARD] [SOFT] SRC DST [PROXY] KEYS labels [KMPRIVATE]
    UPDATE     <  sa   R-3.1.2-12   SA [CURRENT] [HARD] [SOFT] SRC DST [PROXY] labels
    ADD        >  sa   R-3.1.3-06   SA [HARD] [SOFT] SRC DST [PROXY] KEYS labels [KMPRIVATE]
    ADD        <  sa   R-3.1.3-07   SA [HARD] [SOFT] SRC DST [PROXY] labels
    DELETE     >  sa   R-3.1.4-02   SA* SRC DST
    DELETE     <  sa   R-3.1.4-03   SA* SRC DST
    GET        >  sa   R-3.1.5-02   SA* SRC DST
    GET        <  sa   R-3.1.5-03   SA [CURRENT] [HARD] [SOFT] SRC DST [PROXY] KEYS labels [KMPRIVATE]
    ACQUIRE    >  sa   R-3.1.6-11   -
    ACQUIRE    >  sa   R-3.1.6-03   SRC DST [PROXY] labels PROPOSAL
    ACQUIRE    <  sa   R-3.1.6-09   SRC DST [PROXY] labels PROPOSAL
    REGISTER   >  sa   R-3.1.7-03   -
    REGISTER   <  sa   R-3.1.7-05   SUPPORTED_AUTH/SUPPORTED_ENCRYPT
    EXPIRE     >  sa   R-3.1.8-04   SA CURRENT HARD|SOFT SRC DST [PROXY] [SENSITIVITY]
    EXPIRE     <  sa   R-3.1.8-04   SA CURRENT HARD|SOFT SRC DST [PROXY] [SENSITIVITY]
    FLUSH      >  any  R-3.1.9-03   -
    FLUSH      <  any  R-3.1.9-04   -
    DUMP       >  any  R-3.1.10-02  -
    DUMP       <  sa   R-3.1.10-05  SA [CURRENT] [HARD] [SOFT] SRC DST [PROXY] KEYS labels [KMPRIVATE]
    PROMISC    >  *    R-A-06       -
    PROMISC    <  *    R-A-06       -
    PCHANGE    >  sa   R-B-03       SRC DST labels [PROPOSAL]
    PCHANGE    <  sa   R-B-03       SRC DST labels [PROPOSAL]
"""

GRAMMAR = Grammar("rfc2367", forms(TABLE, None), strays="error", strays_from_engine="error")
