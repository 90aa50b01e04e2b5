"""Rules about proposals and lists of algorithms (RFC 2367, 2.3.7 and 2.3.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...spec.terms import AuthAlgorithm, EncryptAlgorithm, MessageType
from ...spec.terms import ExtensionType as Ext
from ..extensions import AlgorithmInfo, Combination, Proposal, Supported
from .rule import FROM_ENGINE, Finding, rule, rules_in
from .subject import Subject

NULLS = {"auth": AuthAlgorithm.NULL, "encrypt": EncryptAlgorithm.NULL}

GMAC = (AuthAlgorithm.AES128_GMAC, AuthAlgorithm.AES192_GMAC, AuthAlgorithm.AES256_GMAC)
"""Authentication that does have an initialisation vector."""


class Bounds(NamedTuple):
    """One half of a combination: an algorithm, and the bounds of its key in bits."""

    where: str
    chosen: bool
    null: bool
    lowest: int
    highest: int


def _bounds(subject: Subject, half: str) -> Iterator[Bounds]:
    """The combinations of a proposal, one half of each. Compression has no key, so its bounds are free."""
    if subject.compresses and half == "encrypt":
        return
    for proposal in subject.of(Proposal):
        for number, combination in enumerate(proposal.combinations):
            yield _half(combination, half, f"in combination {number} the key for {half}")


def _half(combination: Combination, half: str, where: str) -> Bounds:
    algorithm: int = getattr(combination, half)
    lowest: int = getattr(combination, f"{half}_minbits")
    highest: int = getattr(combination, f"{half}_maxbits")
    return Bounds(where, algorithm != 0, algorithm == NULLS[half], lowest, highest)


def _needless(subject: Subject, half: str) -> Iterator[Finding]:
    for item in _bounds(subject, half):
        if not item.chosen and (item.lowest or item.highest):
            yield Finding(f"{item.where} has bounds without an algorithm", Ext.PROPOSAL)


def _unbound(subject: Subject, half: str) -> Iterator[Finding]:
    for item in _bounds(subject, half):
        exempt = item.null and subject.grammar.null_bits
        if item.chosen and not exempt and not (item.lowest and item.highest):
            yield Finding(f"{item.where} has a bound of 0 bits", Ext.PROPOSAL)


def _reversed(subject: Subject, half: str) -> Iterator[Finding]:
    for item in _bounds(subject, half):
        if item.lowest > item.highest > 0:
            yield Finding(f"{item.where} is bound below by {item.lowest}, above by {item.highest}", Ext.PROPOSAL)


@rule("R-2.3.7-04", about=(Proposal,))
def no_authentication_no_bounds(subject: Subject) -> Iterator[Finding]:
    """Without authentication both bounds of its key are zero."""
    return _needless(subject, "auth")


@rule("R-2.3.7-05", about=(Proposal,))
def authentication_keys_are_bound(subject: Subject) -> Iterator[Finding]:
    """With authentication neither bound is zero."""
    return _unbound(subject, "auth")


@rule("R-2.3.7-06", about=(Proposal,))
def authentication_bounds_go_upwards(subject: Subject) -> Iterator[Finding]:
    """The lower bound is not above the upper."""
    return _reversed(subject, "auth")


@rule("R-2.3.7-07", about=(Proposal,))
def no_encryption_no_bounds(subject: Subject) -> Iterator[Finding]:
    """Without encryption both bounds of its key are zero."""
    return _needless(subject, "encrypt")


@rule("R-2.3.7-08", about=(Proposal,))
def encryption_keys_are_bound(subject: Subject) -> Iterator[Finding]:
    """With encryption neither bound is zero; kernels that announce NULL give it zeros."""
    return _unbound(subject, "encrypt")


@rule("R-2.3.7-09", about=(Proposal,))
def encryption_bounds_go_upwards(subject: Subject) -> Iterator[Finding]:
    """The lower bound is not above the upper."""
    return _reversed(subject, "encrypt")


@rule("X-proposal", "warning", way=FROM_ENGINE, about=(Proposal,))
def kernels_propose_as_they_do(subject: Subject) -> Iterator[Finding]:
    """An ACQUIRE of OpenBSD has one combination."""
    most = subject.grammar.combinations
    for proposal in subject.of(Proposal) if subject.type == MessageType.ACQUIRE and most else ():
        if len(proposal.combinations) != most:
            sentence = f"{subject.dialect.name} proposes {most} combination, not {len(proposal.combinations)}"
            yield Finding(sentence, Ext.PROPOSAL)


def _listed(subject: Subject) -> Iterator[tuple[Ext, AlgorithmInfo]]:
    for listing in subject.of(Supported, Ext.SUPPORTED_AUTH, Ext.SUPPORTED_ENCRYPT):
        for algorithm in listing.algorithms:
            yield listing.exttype, algorithm


def _label(exttype: Ext, algorithm: AlgorithmInfo) -> str:
    kind = AuthAlgorithm if exttype == Ext.SUPPORTED_AUTH else EncryptAlgorithm
    return kind(algorithm.id).name


def _is_null(exttype: Ext, algorithm: AlgorithmInfo) -> bool:
    return algorithm.id == NULLS["auth" if exttype == Ext.SUPPORTED_AUTH else "encrypt"]


@rule("R-2.3.8-02", way=FROM_ENGINE, about=(Supported,))
def vectors_are_for_ciphers(subject: Subject) -> Iterator[Finding]:
    """What needs no initialisation vector is listed with none."""
    for exttype, algorithm in _listed(subject):
        needs_none = exttype == Ext.SUPPORTED_AUTH and algorithm.id not in GMAC
        if algorithm.ivlen and (needs_none or _is_null(exttype, algorithm)):
            yield Finding(f"{_label(exttype, algorithm)} needs no initialisation vector", exttype)


def _without(subject: Subject, bound: str) -> Iterator[Finding]:
    for exttype, algorithm in _listed(subject):
        exempt = subject.grammar.null_bits and _is_null(exttype, algorithm)
        if not getattr(algorithm, bound) and not exempt:
            yield Finding(f"{_label(exttype, algorithm)} is listed with {bound} 0", exttype)


@rule("R-2.3.8-03", way=FROM_ENGINE, about=(Supported,))
def shortest_keys_have_bits(subject: Subject) -> Iterator[Finding]:
    """No algorithm has a shortest key of no bits."""
    return _without(subject, "minbits")


@rule("R-2.3.8-04", way=FROM_ENGINE, about=(Supported,))
def longest_keys_have_bits(subject: Subject) -> Iterator[Finding]:
    """No algorithm has a longest key of no bits."""
    return _without(subject, "maxbits")


@rule("R-2.3.8-05", way=FROM_ENGINE, about=(Supported,))
def shortest_keys_are_not_the_longest(subject: Subject) -> Iterator[Finding]:
    """The shortest key is not longer than the longest."""
    for exttype, algorithm in _listed(subject):
        if algorithm.minbits > algorithm.maxbits > 0:
            what = f"keys of {algorithm.minbits} bits and more, {algorithm.maxbits} and less"
            yield Finding(f"{_label(exttype, algorithm)} is listed with {what}", exttype)


RULES = rules_in(globals())
"""The rules of this module."""
