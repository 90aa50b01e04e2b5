"""The grammar of NetBSD (sys/netipsec/key.c): NAT-T is always told, and its ports stand in the addresses too."""

from __future__ import annotations

from dataclasses import replace

from . import grammar_kame as kame
from .grammar import forms
from .terms import Mode, SAType

TABLE = (
    """
    natt       = [NATT_TYPE] [NATT_SPORT] [NATT_DPORT] [NATT_OA] [NATT_OAR] [NATT_FRAG]
    names      = [IDENTITY_SRC] [IDENTITY_DST]
    limits     = [HARD] [SOFT]
    ends       = SRC DST
    place      = -

    GETSPI     >  sa     R-3.1.1-02   SRC DST [SPIRANGE] [SA2]
    GETSPI     <  sa     R-3.1.1-05   SA* SRC DST
    UPDATE     >  sa     R-3.1.2-11   SA [SA2] [CURRENT] limits SRC DST [PROXY] [KEYS] names natt
    UPDATE     <  sa     R-3.1.2-12   SA [SA2] limits SRC DST names
    ADD        >  sa     R-3.1.3-06   SA [SA2] limits SRC DST [PROXY] KEYS names natt
    ADD        <  sa     R-3.1.3-07   SA [SA2] limits SRC DST names
    DELETE     >  sa     R-3.1.4-02   [SA*] SRC DST
    DELETE     <  sa     R-3.1.4-03   [SA*] SRC DST
    GET        >  sa     R-3.1.5-02   SA* SRC DST
    GET        <  sa     R-3.1.5-03   SA [SA2] limits [CURRENT] SRC DST [KEYS] names natt
    EXPIRE     <  sa     R-3.1.8-04   SA [SA2] CURRENT HARD|SOFT SRC DST natt
    DUMP       <  sa     R-3.1.10-05  SA [SA2] limits [CURRENT] SRC DST [KEYS] names natt
    SPDDUMP    >  UNSPEC  X-layout    -
    NAT_T_NEW_MAPPING  >  ESP  X-layout  SA* SRC NATT_SPORT DST NATT_DPORT
    NAT_T_NEW_MAPPING  <  ESP  X-layout  SA* SRC NATT_SPORT DST NATT_DPORT
    """
    + kame.CONTROL
    + kame.ACQUIRE
    + kame.POLICIES
)

GRAMMAR = replace(
    kame.GRAMMAR,
    name="netbsd",
    forms=forms(TABLE, frozenset({SAType.AH, SAType.ESP, SAType.IPCOMP, SAType.TCPSIGNATURE})),
    ports="with NAT-T",
    largest_reqid=0xFFFF,
    natt_types=frozenset({0, 1, 2}),
    modes=frozenset({Mode.ANY, Mode.TRANSPORT, Mode.TUNNEL, Mode.TCPMD5}),
)
