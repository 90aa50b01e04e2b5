"""The extensions that natural values make in a dialect.

What the dialect is known to insist on is done here, by the facts of spec/, so that no function names a system.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import or_

from ...spec.grammar import grammar
from ...spec.model import Dialect
from ...spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, Mode, SAState, SAType
from ...spec.terms import ExtensionType as Ext
from ..conversions import as_bytes, as_number, term_number
from ..encapsulation import Encapsulation, placed
from ..extensions import SA, Address, Key, Lifetime, Sensitivity
from ..extensions_ipsec import SA2, KMPrivate, ReplayWindow
from ..facts import choice
from ..faults import MisfitError, named
from ..value import ExtensionValue
from . import values
from .values import End, KeyLike, Limit, Name, Who

Part = ExtensionValue | None
Cipher = EncryptAlgorithm | CompressAlgorithm
Flags = int | Iterable[str]
"""Flags of an association: the dialect's bits, or their C names."""


class Maker:
    """Makes extensions for messages in one dialect. An absent value makes none."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.grammar = grammar(dialect)

    def satype(self, value: object) -> SAType:
        """An SA type that the dialect has, or a number without a meaning."""
        with named("satype"):
            found = values.term(SAType, value)
            term_number(self.dialect, self.dialect.terms["satype"], found)
        return found

    def has(self, exttype: Ext) -> bool:
        """Whether the dialect has an extension."""
        return exttype in self.dialect.by_type

    def address(self, exttype: Ext, value: End, proto: int = 0) -> Address:
        """An address; that of one host has the prefix length that the dialect gives to hosts."""
        with named(exttype.label):
            sockaddr, prefixlen = values.end(value)
        if prefixlen is None:
            known = self.dialect.by_type.get(exttype)
            told = known is not None and "prefixlen" in known.layout.by_name and self.grammar.host_prefixes
            prefixlen = sockaddr.ip.max_prefixlen if told and sockaddr.ip is not None else 0
        return Address(exttype, sockaddr, proto, prefixlen)

    def maybe(self, exttype: Ext, value: End | None, proto: int = 0) -> Address | None:
        """An address, if there is one."""
        return None if value is None else self.address(exttype, value, proto)

    def ends(self, src: End, dst: End, proto: int = 0) -> list[Part]:
        """Source and destination."""
        return [self.address(Ext.ADDRESS_SRC, src, proto), self.address(Ext.ADDRESS_DST, dst, proto)]

    def any_protocol(self) -> int:
        """How the system says that a selector is for every protocol."""
        return self.dialect.constants.get("IPSEC_ULPROTO_ANY", 0)

    def identity(self, exttype: Ext, value: Who | None) -> Part:
        """An identity."""
        with named(exttype.label):
            return None if value is None else values.identity(exttype, value)

    def limits(self, hard: Limit | None, soft: Limit | None) -> list[Part]:
        """Hard and soft lifetime. Where the system takes both or neither, the missing one is without limits."""
        pair = {Ext.LIFETIME_HARD: hard, Ext.LIFETIME_SOFT: soft}
        found = {exttype: self.lifetime(exttype, value) for exttype, value in pair.items() if value is not None}
        lacking = self.grammar.demanded(found.keys())
        return [found.get(exttype) or (Lifetime(exttype) if exttype in lacking else None) for exttype in pair]

    def lifetime(self, exttype: Ext, value: Limit | None) -> Lifetime | None:
        """A lifetime."""
        with named(exttype.label):
            return None if value is None else values.lifetime(exttype, value)

    def key(self, exttype: Ext, value: KeyLike | None) -> Key | None:
        """A key."""
        with named(exttype.label):
            return None if value is None else values.key(exttype, value)

    def sensitivity(self, value: Sensitivity | None) -> Part:
        """A label."""
        with named(Ext.SENSITIVITY.label):
            return None if value is None else values.one(Sensitivity, value, "a Sensitivity")

    def private(self, value: bytes | None) -> Part:
        """A key manager's own data."""
        with named(Ext.KMPRIVATE.label):
            return None if value is None else KMPrivate(as_bytes(value))

    def flags(self, value: Flags) -> int:
        """The bits of flags."""
        with named("sa.flags"):
            if isinstance(value, str) or not isinstance(value, Iterable):
                return as_number(value)
            return reduce(or_, map(self._flag, value), 0)

    def _flag(self, name: object) -> int:
        if not isinstance(name, str) or name not in self.dialect.flags:
            raise MisfitError(f"{self.dialect.name} has no flag {name}; it has {', '.join(self.dialect.flags)}")
        return self.dialect.flags[name]

    def auth(self, value: Name | None) -> AuthAlgorithm:
        """An authentication algorithm."""
        with named("sa.auth"):
            return AuthAlgorithm.NONE if value is None else values.term(AuthAlgorithm, value)

    def encrypt(self, satype: SAType, encrypt: Name | None, compress: Name | None) -> Cipher:
        """An encryption algorithm, or the compression that stands in its place in IPCOMP."""
        compresses = satype is SAType.IPCOMP
        with named("sa.encrypt"):
            if (encrypt if compresses else compress) is not None:
                raise MisfitError(f"{satype.name} does not {'encrypt' if compresses else 'compress'}")
            if compresses:
                return CompressAlgorithm.NONE if compress is None else values.term(CompressAlgorithm, compress)
            return EncryptAlgorithm.NONE if encrypt is None else values.term(EncryptAlgorithm, encrypt)

    def cipher_key(self, satype: SAType, encrypt: Cipher, value: KeyLike | None) -> Part:
        """An encryption key; where the system wants one for NULL too, that has no bits."""
        if value is None and Ext.KEY_ENCRYPT in self.grammar.demanded(satype=satype, encrypt=encrypt):
            return Key.of(Ext.KEY_ENCRYPT, b"")
        return self.key(Ext.KEY_ENCRYPT, value)

    def with_replay(self, sa: SA, packets: int) -> tuple[SA, Part]:
        """The association with its replay window, and the extension that tells one too wide for it."""
        with named("sa.replay"):
            window = as_number(packets)
        item = self.dialect.by_type[Ext.SA].layout["replay"]
        widest = ((1 << 8 * item.width) - 1) << item.shift
        if window <= widest or not self.has(Ext.SA_REPLAY):
            return replace(sa, replay=window), None
        return replace(sa, replay=widest), ReplayWindow(window)

    def with_mode(self, sa: SA, mode: Name | None, reqid: int | None) -> tuple[SA, Part]:
        """The association in this mode, and the extension that tells mode and request id where there is one."""
        sa2, bits = self.sa2(mode, reqid), choice(self.dialect, "mode")
        if sa2 is None or reqid is not None or bits is None:
            return sa, sa2
        if sa2.mode not in (Mode.ANY, bits.chosen, bits.otherwise):
            raise MisfitError(f"{self.dialect.name} has no mode {sa2.mode.name}", "mode")
        flags = self.dialect.mask(bits.flags) if sa2.mode is bits.chosen else 0
        return replace(sa, flags=sa.flags | flags), None

    def sa2(self, mode: Name | None, reqid: int | None) -> SA2 | None:
        """Mode and request id, if there is either."""
        if mode is None and reqid is None:
            return None
        with named("mode"):
            return SA2(Mode.ANY if mode is None else values.term(Mode, mode), 0 if reqid is None else reqid)

    def with_natt(self, sa: SA, natt: Encapsulation | None, src: End, dst: End) -> tuple[SA, tuple[Part, ...]]:
        """The association in UDP, and the extensions that say so."""
        if natt is None:
            return sa, ()
        with named("natt"):
            values.one(Encapsulation, natt, "what natt makes")
            ends = (values.end(src).sockaddr, values.end(dst).sockaddr)
            place = placed(natt, sa, ends, self.dialect)
            if place.homeless:
                raise MisfitError(f"{self.dialect.name} has no {' and no '.join(place.homeless)}")
        return replace(place.sa, flags=sa.flags | self.dialect.mask(place.flags)), place.extensions

    def state(self, value: Name) -> SAState:
        """The state of an association."""
        with named("sa.state"):
            return values.term(SAState, value)
