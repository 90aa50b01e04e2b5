"""A message under judgement: its extensions by type, their bytes where there are any, and the line it has to match."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TypeVar

from ...spec.grammar import Form, Grammar, grammar
from ...spec.model import HEADER_SIZE, Dialect
from ...spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, MessageType, SAType
from ...spec.terms import ExtensionType as Ext
from ..extensions import SA, Address
from ..message import Message, MessageView
from ..value import ExtensionValue

V = TypeVar("V", bound=ExtensionValue)

ENDS = (Ext.ADDRESS_SRC, Ext.ADDRESS_DST)
HOSTS = (*ENDS, Ext.ADDRESS_PROXY)


class Subject:
    """What every rule wants to know of a message."""

    def __init__(self, message: Message, to_engine: bool, dialect: Dialect) -> None:
        self.message = message
        self.to_engine = to_engine
        self.dialect = dialect
        self.type = message.type
        self.satype = message.satype
        self.extensions = message.extensions
        self.grammar: Grammar = grammar(dialect)
        self.form: Form | None = self.grammar.form(message.type, to_engine, not self.extensions)
        self.by_type: dict[Ext, ExtensionValue] = {}
        for extension in self.extensions:
            self.by_type.setdefault(extension.exttype, extension)

    @property
    def kind(self) -> str:
        """What the message is, for sentences."""
        return f"{self.type.name} {'to' if self.to_engine else 'from'} the engine"

    @cached_property
    def classes(self) -> frozenset[type[ExtensionValue]]:
        """The classes of the extensions."""
        return frozenset(map(type, self.extensions))

    @property
    def reports_error(self) -> bool:
        """Whether this is the engine saying that it could not do what was asked."""
        return not self.to_engine and self.message.errno != 0

    @property
    def of_rfc(self) -> bool:
        """Whether the message is one of RFC 2367's."""
        return self.type <= MessageType.PCHANGE

    @cached_property
    def sa(self) -> SA | None:
        """The association, if all of it counts (not SA(*) of RFC 2367, 3.1)."""
        found = self.by_type.get(Ext.SA)
        return found if isinstance(found, SA) and (self.form is None or not self.form.spi_only) else None

    @cached_property
    def new_sa(self) -> SA | None:
        """The association with its algorithms, if the message submits one.

        An UPDATE that the dialect takes without keys submits algorithms only if it has any: without, those of the
        association in the table stand.
        """
        if not self.to_engine or self.type not in (MessageType.ADD, MessageType.UPDATE):
            return None
        keyed = Ext.KEY_AUTH in self.by_type or Ext.KEY_ENCRYPT in self.by_type
        needed = self.form is not None and self.form.keys == "needed"
        return self.sa if keyed or needed else None

    def auth(self, sa: SA) -> AuthAlgorithm:
        """The authentication algorithm of an association, a term even where it was built with a plain number."""
        return AuthAlgorithm(sa.auth)

    def encrypt(self, sa: SA) -> EncryptAlgorithm | None:
        """The encryption algorithm of an association; None where it compresses."""
        compresses = self.compresses or isinstance(sa.encrypt, CompressAlgorithm)
        return None if compresses else EncryptAlgorithm(sa.encrypt)

    @property
    def compresses(self) -> bool:
        """Whether `encrypt` is a compression."""
        return self.satype == SAType.IPCOMP

    def of(self, kind: type[V], *types: Ext) -> Iterator[V]:
        """The extensions of this class, all of them or those of some types only, in the order of the message."""
        for extension in self.extensions:
            if isinstance(extension, kind) and (not types or extension.exttype in types):
                yield extension

    @cached_property
    def hosts(self) -> tuple[Address, ...]:
        """Source, destination and proxy, those that are there."""
        return tuple(self.of(Address, *HOSTS))

    def address(self, exttype: Ext) -> Address | None:
        """The address of this type."""
        found = self.by_type.get(exttype)
        return found if isinstance(found, Address) else None

    @cached_property
    def raw(self) -> tuple[tuple[ExtensionValue, bytes], ...]:
        """Each extension with its bytes; none of a message that was built, or that another dialect is to judge."""
        message = self.message
        if not isinstance(message, MessageView) or message.dialect is not self.dialect:
            return ()
        data, position, found = message.raw, HEADER_SIZE, []
        for extension in self.extensions:
            size = extension.size or 0
            found.append((extension, data[position : position + size]))
            position += size
        return tuple(found)

    def bytes_of(self, kind: type[V], *types: Ext) -> Iterator[tuple[V, bytes]]:
        """The extensions of this class with their bytes."""
        for extension, data in self.raw:
            if isinstance(extension, kind) and (not types or extension.exttype in types):
                yield extension, data
