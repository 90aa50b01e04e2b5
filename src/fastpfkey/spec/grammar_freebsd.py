"""The grammar of FreeBSD (sys/netipsec/key.c, main of 2024)."""

from __future__ import annotations

from dataclasses import replace

from . import grammar_kame as kame
from .grammar import forms
from .terms import Mode, SAType

TABLE = (
    """
    natt       = [NATT_TYPE] [NATT_SPORT] [NATT_DPORT] [NATT_OA] [NATT_OAR] [NATT_FRAG]
    names      = [IDENTITY_SRC] [IDENTITY_DST]
    moved      = [NEW_ADDRESS_SRC] [NEW_ADDRESS_DST]
    offload    = [LIFETIME_SW_OFFLOAD] [LIFETIME_HW_OFFLOAD] [IF_HW_OFFLOAD]
    limits     = [HARD] [SOFT]
    ends       = SRC DST
    place      = [IF_HW_OFFLOAD]

    GETSPI     >  sa     R-3.1.1-02   SRC DST [SPIRANGE] [SA2]
    GETSPI     <  sa     R-3.1.1-05   SA* SRC DST
    UPDATE     >  sa     R-3.1.2-11   SA [SA2] [SA_REPLAY] [CURRENT] limits SRC DST [PROXY] [KEYS] names natt moved
    + [IF_HW_OFFLOAD]
    UPDATE     <  sa     R-3.1.2-12   SA [SA2] limits SRC DST names natt moved
    ADD        >  sa     R-3.1.3-06   SA [SA2] [SA_REPLAY] limits SRC DST [PROXY] KEYS names natt [IF_HW_OFFLOAD]
    ADD        <  sa     R-3.1.3-07   SA [SA2] limits SRC DST names natt
    DELETE     >  sa     R-3.1.4-02   [SA*] SRC DST
    DELETE     <  sa     R-3.1.4-03   [SA*] SRC DST
    GET        >  sa     R-3.1.5-02   SA* SRC DST
    GET        <  sa     R-3.1.5-03   SA [SA2] [SA_REPLAY] limits [CURRENT] SRC DST [KEYS] names natt offload
    EXPIRE     <  sa     R-3.1.8-04   SA [SA2] [SA_REPLAY] CURRENT HARD|SOFT SRC DST natt
    DUMP       <  sa     R-3.1.10-05  SA [SA2] [SA_REPLAY] limits [CURRENT] SRC DST [KEYS] names natt offload
    SPDDUMP    >  *      X-layout     -
    """
    + kame.CONTROL
    + kame.ACQUIRE
    + kame.POLICIES
)
"""The SA type of a request for policies is a set of scopes."""

GRAMMAR = replace(
    kame.GRAMMAR,
    name="freebsd",
    forms=forms(TABLE, frozenset({SAType.AH, SAType.ESP, SAType.IPCOMP, SAType.TCPSIGNATURE})),
    ports="with NAT-T",
    lowest_spi="error",
    natt_types=frozenset({2}),
    modes=frozenset({Mode.ANY, Mode.TRANSPORT, Mode.TUNNEL, Mode.TCPMD5}),
    requests=replace(kame.GRAMMAR.requests, most=4),
)
