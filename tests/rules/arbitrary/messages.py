"""Messages put together by the lines of a grammar."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from fastpfkey.spec import dialect as find_dialect
from fastpfkey.spec.grammar import Form, grammar
from fastpfkey.spec.grammar_keys import COMBINED
from fastpfkey.spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.message import MessageValue
from fastpfkey.wire.rules.framing import GROUPS

from .others import extension
from .values import Setting, spi_only, unicast

LIMITS = {Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT}
NATT = {Ext.NATT_TYPE, Ext.NATT_SPORT, Ext.NATT_DPORT, Ext.NATT_OA, Ext.NATT_OAR, Ext.NATT_FRAG}


@st.composite
def messages(draw: st.DrawFn, name: str) -> tuple[MessageValue, bool]:
    """A valid message of a system, and whether it is one to the engine."""
    dialect = find_dialect(name)
    form = draw(st.sampled_from(grammar(dialect).forms))
    satype = draw(_satypes(name, form))
    version = draw(st.sampled_from((4, 6)))
    src, dst = draw(unicast(version)), draw(unicast(version))
    auth, encrypt = draw(_algorithms(name, satype))
    rules = grammar(dialect)
    setting = Setting(dialect, rules, form.type, form.to_engine, satype, version, src, dst, auth, encrypt)
    types = _chosen(draw, setting, form)
    parts = [draw(_part(setting, form, item)) for item in sorted(types, key=_order)]
    failure = form.type == Msg.ACQUIRE and form.to_engine and not parts
    least = 1 if failure else 0
    message = MessageValue(
        form.type,
        satype,
        errno=draw(st.integers(1, 255)) if failure else 0,
        seq=draw(st.integers(least, 2**32 - 1)),
        pid=draw(st.integers(0, 2**32 - 1)),
        reserved=0 if form.to_engine else draw(st.integers(0, 0xFFFF)),
        extensions=tuple(parts),
        dialect=dialect,
    )
    return message, form.to_engine


def _order(exttype: Ext) -> tuple[int, int]:
    """The RFC's extensions in its order, others behind them."""
    return GROUPS.get(exttype, len(GROUPS)), exttype.value


def _satypes(name: str, form: Form) -> st.SearchStrategy[SAType]:
    table = find_dialect(name).terms["satype"]
    if form.type == Msg.PROMISC:
        return st.sampled_from([0, 1]).map(lambda number: SAType(table.term(number)))
    known = {SAType(item) for item in table.canonical.values()}
    if form.satypes is not None:
        known &= form.satypes
    if form.needs_satype:
        known -= {SAType.UNSPEC}
    return st.sampled_from(sorted(known))


@st.composite
def _algorithms(draw: st.DrawFn, name: str, satype: SAType) -> tuple[AuthAlgorithm, Any]:
    """Algorithms that an association of this type may have in this dialect."""
    dialect = find_dialect(name)
    auth = sorted({AuthAlgorithm(item) for item in dialect.terms["auth"].canonical.values()} - {AuthAlgorithm.NULL})
    ciphers = {EncryptAlgorithm(item) for item in dialect.terms["encrypt"].canonical.values()}
    ciphers -= grammar(dialect).unsettable | {EncryptAlgorithm.NULL}
    if satype == SAType.IPCOMP:
        table = dialect.terms["compress"].canonical.values()
        return AuthAlgorithm.NONE, draw(st.sampled_from(sorted(CompressAlgorithm(item) for item in table)))
    if satype != SAType.ESP:
        return draw(st.sampled_from([item for item in auth if item])), EncryptAlgorithm.NONE
    cipher = draw(st.sampled_from(sorted(ciphers - {EncryptAlgorithm.NONE})))
    return AuthAlgorithm.NONE if cipher in COMBINED else draw(st.sampled_from(auth)), cipher


def _chosen(draw: st.DrawFn, setting: Setting, form: Form) -> set[Ext]:
    """Which extensions the message has: those it needs, and some of those it may have."""
    types = set(form.required)
    # Both ends of macOS's policies are addresses, or both are ranges.
    choice = draw(st.integers(0, 2)) if form.one_of else 0
    types |= {group[choice % len(group)] for group in form.one_of}
    for group in form.some_of:
        types |= draw(st.sets(st.sampled_from(group), min_size=1))
    optional = sorted(form.optional)
    if optional:
        types |= draw(st.sets(st.sampled_from(optional)))
    keys = {Ext.KEY_AUTH} if setting.auth else set()
    if setting.satype == SAType.ESP:
        keys.add(Ext.KEY_ENCRYPT)
    keyed = form.keys == "needed" or (form.keys == "optional" and draw(st.booleans()))
    if keyed and setting.satype != SAType.IPCOMP:
        types |= keys
    return _agreed(setting, types, form)


def _agreed(setting: Setting, types: set[Ext], form: Form) -> set[Ext]:
    """The same without what does not go with the rest."""
    changes = setting.to_engine and setting.type in (Msg.ADD, Msg.UPDATE)
    if changes and setting.grammar.limits_together and not types >= LIMITS:
        types -= LIMITS
    if setting.to_engine and setting.satype != SAType.ESP and form.type != Msg.NAT_T_NEW_MAPPING:
        types -= NATT
    ends = {Ext.ADDRESS_SRC, Ext.ADDRESS_DST}
    if len(types & ends) == 1 and ends <= form.known:
        types |= ends
    return types


def _part(setting: Setting, form: Form, exttype: Ext) -> st.SearchStrategy[Any]:
    if exttype == Ext.SA and form.spi_only:
        return spi_only(setting)
    return extension(setting, exttype)
