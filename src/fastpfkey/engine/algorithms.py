"""Which algorithms and keys an association may have."""

from __future__ import annotations

from ..spec.grammar import grammar
from ..spec.grammar_keys import KeyLengths
from ..spec.tcpmd5 import MANNERS, PASSWORD
from ..spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, SAType, Term
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import SA, Key
from .core import Core
from .refusal import RefusedError
from .request import Request

_LIMITS = {AuthAlgorithm: "SADB_AALG_MAX", EncryptAlgorithm: "SADB_EALG_MAX", CompressAlgorithm: "SADB_X_CALG_MAX"}

IPSEC = (SAType.AH, SAType.ESP, SAType.IPCOMP)


def check(core: Core, request: Request) -> None:
    """Hold the algorithms and keys of a request to what the engine offers. Raises RefusedError."""
    sa = request.sa()
    satype = request.satype
    if satype is SAType.TCPSIGNATURE:
        _password(core, request, sa)
    if satype not in IPSEC:
        return
    auth = AuthAlgorithm(sa.auth)
    if auth != AuthAlgorithm.NONE:
        _known(core, satype, auth)
    if satype == SAType.IPCOMP:
        _known(core, satype, CompressAlgorithm(sa.encrypt))
        return
    encrypt = EncryptAlgorithm(sa.encrypt)
    if satype == SAType.ESP:
        if encrypt == EncryptAlgorithm.NONE:
            raise RefusedError
        _known(core, satype, encrypt)
        silent = encrypt == EncryptAlgorithm.NULL and auth == AuthAlgorithm.NONE
        if silent and core.profile.null_needs_auth:
            raise RefusedError
    elif auth == AuthAlgorithm.NONE:
        raise RefusedError
    elif encrypt != EncryptAlgorithm.NONE:
        _known(core, SAType.ESP, encrypt)
    _keys(core, request, sa)


def _password(core: Core, request: Request, sa: SA) -> None:
    """What signs TCP segments: MD5, where the system has a number for it, and a password of up to 80 bytes."""
    manner = MANNERS.get(core.dialect.name)
    if manner is None:
        raise RefusedError
    key = request.values.get(manner.key)
    named = manner.auth is not AuthAlgorithm.NONE
    if named and AuthAlgorithm(sa.auth) is not manner.auth:
        raise RefusedError
    if not isinstance(key, Key) or not PASSWORD.allow(key.bits):
        raise RefusedError


def _known(core: Core, satype: SAType, algorithm: Term) -> None:
    offered = core.algorithms.knows(satype, algorithm)
    if offered or algorithm in (AuthAlgorithm.NULL, EncryptAlgorithm.NULL):
        return
    last = core.dialect.constants.get(_LIMITS[type(algorithm)])
    number = algorithm.wire if algorithm.is_unknown else 0
    raise RefusedError("EINVAL" if last is not None and number > last else core.profile.unknown_algorithm)


def _keys(core: Core, request: Request, sa: SA) -> None:
    """Keys are there for the algorithms that have any, and as long as these need."""
    tables = grammar(core.dialect).keys
    auth, encrypt = AuthAlgorithm(sa.auth), EncryptAlgorithm(sa.encrypt)
    _key(request, Ext.KEY_AUTH, auth == AuthAlgorithm.NONE, tables.auth.get(auth))
    _key(request, Ext.KEY_ENCRYPT, encrypt == EncryptAlgorithm.NONE, tables.encrypt.get(encrypt))


def _key(request: Request, exttype: Ext, idle: bool, lengths: KeyLengths | None) -> None:
    key = request.values.get(exttype)
    if not isinstance(key, Key) or not key.bits:
        if not idle and lengths is not None:
            raise RefusedError
        return
    if idle:
        raise RefusedError
    if lengths is not None and not lengths.allow((key.bits + 7) // 8 * 8):
        raise RefusedError
