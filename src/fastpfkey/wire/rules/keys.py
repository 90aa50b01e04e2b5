"""Rules about keys (RFC 2367, 2.3.4). They look at keys, and never say what they saw."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from itertools import pairwise
from operator import or_

from ...spec.grammar import KEY_TYPES
from ...spec.grammar_keys import DES_SUBKEYS, WEAK_DES_KEYS, KeyLengths
from ...spec.terms import AuthAlgorithm, EncryptAlgorithm
from ...spec.terms import ExtensionType as Ext
from ...spec.terms import MessageType as Msg
from ..extensions import SA, Key
from .rule import FROM_ENGINE, TO_ENGINE, Finding, rule, rules_in
from .subject import Subject

DES_KEY_SIZE = 8


@rule("R-2.3.4-01", about=(Key,))
def keys_have_bits(subject: Subject) -> Iterator[Finding]:
    """A key of no bits is an error, unless it is the NULL algorithm's and the dialect wants it so."""
    for key in subject.of(Key, *KEY_TYPES, Ext.STR_AUTH):
        if key.bits == 0 and not (subject.grammar.null_bits and _is_null(subject, key)):
            yield Finding(f"{key.exttype.name} has 0 bits", key.exttype)


def _is_null(subject: Subject, key: Key) -> bool:
    """Whether a key is one of the NULL algorithm, or may be, for want of an association that tells."""
    sa = subject.sa
    if sa is None:
        return True
    if key.exttype == Ext.KEY_AUTH:
        return sa.auth == AuthAlgorithm.NULL
    return subject.encrypt(sa) == EncryptAlgorithm.NULL


@rule("R-2.3.4-04", about=(Key,))
def keys_fit_their_algorithm(subject: Subject) -> Iterator[Finding]:
    """A key has the bits that its algorithm needs, parity and salt included."""
    for key in subject.of(Key, *KEY_TYPES):
        lengths, name = _lengths(subject, key)
        bits = _bits(subject, key)
        if lengths is not None and bits and not lengths.allow(bits):
            yield Finding(f"{bits} bits are no key for {name}, which takes {lengths}", key.exttype)


def _lengths(subject: Subject, key: Key) -> tuple[KeyLengths | None, str]:
    """What the algorithm of a key allows, and the name of the algorithm."""
    sa, tables = subject.sa, subject.grammar.keys
    if sa is None:
        return None, ""
    if key.exttype == Ext.KEY_AUTH:
        auth = subject.auth(sa)
        return tables.auth.get(auth), auth.name
    encrypt = subject.encrypt(sa)
    return (None, "") if encrypt is None else (tables.encrypt.get(encrypt), encrypt.name)


def _bits(subject: Subject, key: Key) -> int:
    """Bits of a key with its salt.

    illumos counts an IV with a key that it is given, and repeats that in its answer; of a salt it tells apart.
    """
    told = not subject.to_engine and subject.type not in (Msg.ADD, Msg.UPDATE)
    return key.bits + (key.extra_bits or 0) * (1 if told else -1)


@rule("R-3.1.2-05", "warning", way=TO_ENGINE, about=(Key,))
def des_keys_are_sound(subject: Subject) -> Iterator[Finding]:
    """DES keys have odd parity, are not weak, and the three of 3DES differ."""
    sa, key = subject.new_sa, subject.by_type.get(Ext.KEY_ENCRYPT)
    encrypt = None if sa is None else subject.encrypt(sa)
    if encrypt is None or not isinstance(key, Key):
        return
    count = DES_SUBKEYS.get(encrypt, 0)
    material = key.reveal()
    if not count or len(material) != count * DES_KEY_SIZE:
        return
    parts = [material[at : at + DES_KEY_SIZE] for at in range(0, len(material), DES_KEY_SIZE)]
    if any(octet.bit_count() % 2 == 0 for octet in material):
        yield Finding("the parity of the DES key is wrong", Ext.KEY_ENCRYPT)
    if any(_with_parity(part) in WEAK_DES_KEYS for part in parts):
        yield Finding("the DES key is a weak one", Ext.KEY_ENCRYPT)
    if any(one == other for one, other in pairwise(parts)):
        yield Finding("the keys of 3DES repeat, which leaves single DES", Ext.KEY_ENCRYPT)


@rule("X-key", way=TO_ENGINE, implies=("R-3.1.2-05",), about=(Key,))
def keys_are_not_zero(subject: Subject) -> Iterator[Finding]:
    """No key of zeros, where the kernel refuses it: the answers of illumos have such keys in place of the real ones."""
    for key in () if subject.grammar.zero_keys else subject.of(Key, *KEY_TYPES, Ext.STR_AUTH):
        if key.bits and not any(key.reveal()):
            yield Finding(f"{subject.dialect.name} takes no key of zeros, as {key.exttype.name} is", key.exttype)


def _with_parity(key: bytes) -> bytes:
    return bytes(octet & 0xFE | 1 - (octet >> 1).bit_count() % 2 for octet in key)


@rule("R-3.1.2-05", "warning", way=TO_ENGINE, about=(SA,))
def flags_are_known(subject: Subject) -> Iterator[Finding]:
    """Each flag is one that the dialect has."""
    sa = subject.new_sa
    unknown = 0 if sa is None else sa.flags & ~reduce(or_, subject.dialect.flags.values(), 0)
    if unknown:
        yield Finding(f"{subject.dialect.name} has no flags 0x{unknown:x}", Ext.SA)


@rule("R-3.1.2-13", way=FROM_ENGINE, implies=("R-3.1.2-12",), about=(Key,))
def answers_to_update_have_no_keys(subject: Subject) -> Iterator[Finding]:
    """Not every listener may see them; Linux sends them all the same, and illumos sends zeros."""
    if subject.type != Msg.UPDATE or subject.form is None or subject.form.keys != "none":
        return
    for key in subject.of(Key, *KEY_TYPES):
        yield Finding(f"the answer to UPDATE has {key.exttype.name}, which is nobody else's business", key.exttype)


RULES = rules_in(globals())
"""The rules of this module."""
