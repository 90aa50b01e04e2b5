"""What messages rows are built into: which extensions each kind of message has, and which rows it cannot be made of.

A dump gives back what was there. A request has what the dialect's grammar lists for it and no more, and what the
system insists on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from ..spec.grammar import LIMIT_TYPES, Form, Grammar, grammar
from ..spec.grammar_keys import COMBINED
from ..spec.model import Dialect
from ..spec.tables import ASSOCIATIONS
from ..spec.tcpmd5 import MANNERS, Manner
from ..spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, MessageType, SAState, SAType
from ..spec.terms import ExtensionType as Ext
from .material import KEYS, bits_name

Values = Mapping[str, int]
"""The columns that make a shape, in one row."""

SUBMITTED = frozenset({"satype", "seq", "spi", "replay", "auth", "encrypt", "flags"})
"""Columns of the header and the association that are a key manager's to say; the state is MATURE."""

NAMED = frozenset({"satype", "seq", "spi"})
"""Those of a request that is about an association that is there."""

GIVEN_BACK = frozenset({"errno", "refcount", "pid", "state"}) | SUBMITTED
"""Those of a dump."""

OWN = (None, Ext.SA)
"""What these columns are about."""


@dataclass(frozen=True)
class Kind:
    """A kind of message in a dialect."""

    type: MessageType
    dialect: Dialect

    @property
    def submits(self) -> bool:
        """Whether it brings a whole association."""
        return self.type in (MessageType.ADD, MessageType.UPDATE)

    @property
    def dumps(self) -> bool:
        """Whether it is what an engine says."""
        return self.type is MessageType.DUMP

    @cached_property
    def extensions(self) -> frozenset[Ext]:
        """Extensions that it may have."""
        if self.dumps:
            return frozenset(self.dialect.by_type)
        return self._form.known.intersection(self.dialect.by_type) - {Ext.LIFETIME_CURRENT}

    @property
    def copied(self) -> frozenset[Ext]:
        """Extensions that may be copied as they are; what a request says of an association is never all that was."""
        return self.extensions if self.dumps else self.extensions - {Ext.SA}

    @property
    def added(self) -> frozenset[Ext]:
        """Extensions that it may have though the row has not."""
        return LIMIT_TYPES | {Ext.KEY_ENCRYPT} if self.submits else frozenset()

    @property
    def needed(self) -> tuple[str, ...]:
        """Columns without which there is nothing to build."""
        return ("satype",) if self.dumps else ("satype", "spi", "src", "dst")

    @property
    def judged(self) -> tuple[str, ...]:
        """Columns that are not written, but decide whether a row can be used."""
        return ("other_extensions",) if self.dumps else ("state",)

    def takes(self, column: str) -> bool:
        """Whether a column of the table goes into the message."""
        told = {item.extension for item in ASSOCIATIONS.sources if item.column == column}
        if told.intersection(OWN):
            return column in (GIVEN_BACK if self.dumps else SUBMITTED if self.submits else NAMED)
        return bool(told)

    def extensions_of(self, values: Values) -> set[Ext]:
        """The extensions of a message, from those that the row has."""
        found = {kind for kind in self.extensions if values["present"] >> kind.bit & 1}
        if not self.submits:
            return found
        return found | self._grammar.demanded(found, SAType(values["satype"]), values.get("encrypt", 0))

    def objection(self, values: Values, found: set[Ext]) -> str | None:
        """Why rows with these values cannot be used; None if they can."""
        if self.dumps:
            unknown = values.get("other_extensions", 0)
            return "with extensions that the dialect does not know, which no column has" if unknown else None
        satype = SAType(values["satype"])
        if not satype or (self._form.satypes is not None and satype not in self._form.satypes):
            return f"SA type {satype.label}: {self.dialect.name} takes no {self.type.label} for it"
        lacking = {Ext.SA, Ext.ADDRESS_SRC, Ext.ADDRESS_DST}.intersection(self.extensions) - found
        if lacking:
            return f"without {', '.join(sorted(kind.label for kind in lacking))}"
        if not self.submits:
            return None
        manner = MANNERS.get(self.dialect.name) if satype is SAType.TCPSIGNATURE else None
        unfit = _unfit(self._grammar, values, found) if manner is None else _lacking(manner, values, found)
        return next(chain(_unready(values), unfit), None)

    @cached_property
    def _grammar(self) -> Grammar:
        return grammar(self.dialect)

    @cached_property
    def _form(self) -> Form:
        form = self._grammar.form(self.type, to_engine=True, bare=False)
        if form is None:
            raise ValueError(f"{self.dialect.name} has no message {self.type.label}")
        return form


def _unready(values: Values) -> Iterator[str]:
    """States of which no request can say that an association has them."""
    state = values.get("state", SAState.MATURE)
    if state == SAState.LARVAL:
        yield "larval: without algorithms and keys yet"
    if state == SAState.DEAD:
        yield "dead"


def _lacking(manner: Manner, values: Values, found: set[Ext]) -> Iterator[str]:
    """What keeps a password for TCP from being submitted in the manner of a system."""
    told = any(manner.key is kind for kind in KEYS.values())
    if manner.key not in found or (told and not values.get(bits_name(manner.key), 0)):
        yield f"{AuthAlgorithm.TCP_MD5.label} without its password"


def _unfit(grammar: Grammar, values: Values, found: set[Ext]) -> Iterator[str]:
    """What keeps an association from being submitted whose algorithms and keys are as IPsec has them."""
    keys = {name: kind in found and values.get(bits_name(kind), 0) > 0 for name, kind in KEYS.items()}
    auth, satype = AuthAlgorithm(values.get("auth", 0)), SAType(values["satype"])
    if keys["auth"] and auth is AuthAlgorithm.NONE:
        yield "key without algorithm: authentication"
    if satype is SAType.IPCOMP:
        if not values.get("encrypt", 0):
            yield "IPCOMP without a compression algorithm"
        if CompressAlgorithm(values.get("encrypt", 0)).is_unknown:
            yield "with a compression algorithm that is not known"
        return
    encrypt = EncryptAlgorithm(values.get("encrypt", 0))
    if keys["encrypt"] and encrypt is EncryptAlgorithm.NONE:
        yield "key without algorithm: encryption"
    if encrypt in grammar.unsettable:
        yield f"{encrypt.label}, which {grammar.name} does not set up here"
    if encrypt in COMBINED and not keys["encrypt"]:
        yield "AEAD without key"
    if satype is SAType.ESP and encrypt is EncryptAlgorithm.NONE:
        yield "AEAD without key: ESP without an encryption algorithm"
    if satype is SAType.AH and auth is AuthAlgorithm.NONE:
        yield "AH without an authentication algorithm"
    if auth.is_unknown or encrypt.is_unknown:
        yield "with an algorithm that is not known"
    if auth not in (AuthAlgorithm.NONE, AuthAlgorithm.NULL) and not keys["auth"] and encrypt not in COMBINED:
        yield f"{auth.label} without its key"
    if encrypt not in (EncryptAlgorithm.NONE, EncryptAlgorithm.NULL) and not keys["encrypt"]:
        yield f"{encrypt.label} without its key"
