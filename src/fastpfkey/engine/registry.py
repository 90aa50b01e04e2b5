"""The algorithms that an engine offers, to whom, and how it says so."""

from __future__ import annotations

from collections.abc import Iterable

from ..spec.model import Dialect
from ..spec.profile import Profile
from ..spec.supported import Offered, supported
from ..spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, SAType, Term
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import AlgorithmInfo, Supported

_NULL = (AuthAlgorithm.NULL, EncryptAlgorithm.NULL)


class Registry:
    """What is offered, by SA type: algorithms are counted in its context (R-3.5-01)."""

    def __init__(self, dialect: Dialect, profile: Profile) -> None:
        lists = supported(dialect)
        self._profile = profile
        self._terms = dialect.terms
        self.separate = Ext.SUPPORTED_COMP in dialect.by_type
        self._lists: dict[SAType, list[Offered]] = {
            SAType.AH: list(lists.auth),
            SAType.ESP: [*lists.auth, *lists.encrypt],
            SAType.IPCOMP: list(lists.compress),
        }

    def offered(self, satype: SAType) -> list[Offered]:
        """The algorithms for an SA type, or on a system that makes no difference, those of all."""
        every = self._profile.lists_everything or satype == SAType.UNSPEC
        return self._lists.get(SAType.ESP if every else satype, [])

    def knows(self, satype: SAType, algorithm: Term) -> bool:
        """Whether an algorithm is offered for an SA type. Types of which nothing is known know everything."""
        offers = self._lists.get(satype)
        return offers is None or any(item.id == algorithm and type(item.id) is type(algorithm) for item in offers)

    def add(self, satype: SAType, item: Offered) -> None:
        """Offer one more."""
        self._lists.setdefault(satype, []).append(item)

    def remove(self, satype: SAType, algorithm: Term) -> None:
        """Offer one less."""
        self._lists[satype] = [item for item in self._lists.get(satype, []) if item.id != algorithm]

    def extensions(self, satype: SAType) -> list[Supported]:
        """The complete lists that a REGISTER is answered with (R-3.1.7-07)."""
        return self.listed(self.offered(satype))

    def listed(self, offers: list[Offered]) -> list[Supported]:
        """Algorithms as extensions, one for each kind, but never none."""
        if not self._profile.lists_null:
            offers = [item for item in offers if item.id not in _NULL]
        auth = _list(Ext.SUPPORTED_AUTH, offers, AuthAlgorithm)
        encrypt = _list(Ext.SUPPORTED_ENCRYPT, offers, EncryptAlgorithm)
        compress = self._compressions([item for item in offers if isinstance(item.id, CompressAlgorithm)])
        found = [item for item in (auth, encrypt, compress) if item.algorithms]
        return found or [auth]

    def _compressions(self, offers: list[Offered]) -> Supported:
        """Compression in a list of its own; systems without one number it in that of encryption."""
        if self.separate:
            return _list(Ext.SUPPORTED_COMP, offers, CompressAlgorithm)
        to = self._terms["encrypt"].term
        listed = [item._replace(id=EncryptAlgorithm(to(self._terms["compress"].number(item.id)))) for item in offers]
        return _list(Ext.SUPPORTED_ENCRYPT, listed, EncryptAlgorithm)


def _list(exttype: Ext, offers: Iterable[Offered], kind: type[Term]) -> Supported:
    chosen = (item for item in offers if isinstance(item.id, kind))
    rows = (AlgorithmInfo(item.id, item.ivlen, item.minbits, item.maxbits) for item in chosen)
    return Supported(exttype, tuple(rows))
