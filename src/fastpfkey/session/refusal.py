"""Error replies as exceptions: what is wrong, and what of the request is.

That is what the system's grammar does not allow in it, and, where a REGISTER reply is at hand, the algorithm or key
that the system does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import ReplyError
from ..spec.explanations import explain
from ..spec.model import Dialect
from ..spec.terms import ExtensionType, MessageType, SAType, Term
from ..wire.extensions import Key, Supported
from ..wire.message import Message

MALFORMED = "EINVAL"
"""What engines answer to whatever does not fit."""


def refusal(
    dialect: Dialect,
    kind: MessageType,
    errno: int,
    seq: int,
    request: Message | None = None,
    supported: Iterable[Supported] = (),
) -> ReplyError:
    """The exception for a reply with this errno.

    With the request it also says what is malformed in it, and with the lists of a REGISTER reply what the system does
    not support.
    """
    reasons = [explain(dialect, kind, errno)]
    if request is not None:
        if errno == dialect.errnos.get(MALFORMED):
            reasons = [*malformed(request), *reasons]
        reasons += unsupported(request, supported)
    return ReplyError(kind, errno, dialect.errno_name(errno), seq, "; ".join(filter(None, reasons)))


def malformed(request: Message) -> list[str]:
    """What the grammar of its system does not allow in a request, a sentence each."""
    from ..wire.rules import check  # which is used only when something is wrong

    return [violation.sentence for violation in check(request) if violation.level == "error"]


def unsupported(request: Message, supported: Iterable[Supported]) -> list[str]:
    """What of an association's algorithms and keys these lists do not have, a sentence each."""
    sa = request.sa
    if sa is None:
        return []
    lists = {item.exttype: item for item in supported}
    compresses = request.satype is SAType.IPCOMP
    encrypt = ExtensionType.SUPPORTED_COMP if compresses else ExtensionType.SUPPORTED_ENCRYPT
    return [
        *_unsupported("authentication", sa.auth, request.key_auth, lists.get(ExtensionType.SUPPORTED_AUTH)),
        *_unsupported(
            "compression" if compresses else "encryption", sa.encrypt, request.key_encrypt, lists.get(encrypt)
        ),
    ]


def _unsupported(what: str, algorithm: Term, key: Key | None, supported: Supported | None) -> Iterator[str]:
    if supported is None or not algorithm:
        return
    entry = next((item for item in supported.algorithms if item.id == algorithm), None)
    if entry is None:
        names = ", ".join(item.id.label for item in supported.algorithms)
        yield f"{what} algorithm {algorithm.label} is not among those that the system lists: {names}"
    elif key is not None and not entry.minbits <= key.bits <= entry.maxbits:
        yield f"{algorithm.label} is listed with keys of {entry.minbits} to {entry.maxbits} bits, not {key.bits}"
