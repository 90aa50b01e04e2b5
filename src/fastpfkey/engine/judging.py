"""What stands between a message and its handler: framing, header, grammar, in the order in which engines look.

A bad base header makes send() fail or brings an error back, as the profile says. Then promiscuous sockets get their
copies, then extensions are walked, then the grammar and the rules of fastpfkey.wire.rules are applied. What a kernel
does not look at is in `Profile.tolerates`.
"""

from __future__ import annotations

from ..errors import Fault
from ..spec.model import HEADER_SIZE, PF_KEY_V2, WORD
from ..spec.profile import HeaderError
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType
from ..wire.message import MessageView
from ..wire.rules import check
from ..wire.rules.rule import Violation
from .core import Core
from .port import Port
from .refusal import RefusedError

_BY_RFC = Ext.KMPRIVATE
"""The last extension that RFC 2367 knows; its grammar says nothing of others."""


def admitted(core: Core, port: Port, raw: bytes) -> MessageType:
    """The type of a message whose base header is sound; promiscuous sockets have seen it then.

    Raises RefusedError.
    """
    profile = core.profile
    if len(raw) < HEADER_SIZE:
        raise RefusedError(profile.short.errno, sent=True)
    if profile.copies_bad_headers:
        core.copy_request(raw, port)
    bad = _bad_header(core, port, raw)
    if bad.errno:
        raise RefusedError(bad.errno, sent=bad.how == "send")
    if not profile.copies_bad_headers:
        core.copy_request(raw, port)
    return core.framing.types[core.framing.header(raw).type]


_SOUND = HeaderError("", "reply")


def _bad_header(core: Core, port: Port, raw: bytes) -> HeaderError:
    profile, header = core.profile, core.framing.header(raw)
    if len(raw) > profile.largest_message:
        return profile.oversize
    if header.version != PF_KEY_V2 and profile.version.errno:
        return profile.version
    if header.reserved and profile.reserved.errno:
        return profile.reserved
    if header.type not in core.framing.types or not header.type:
        return profile.unknown_type
    words, rest = divmod(len(raw), WORD)
    if header.len != words or header.len * WORD < HEADER_SIZE or (rest and not profile.ragged_length):
        return profile.mismatch
    if profile.own_pid and port.pid and header.pid != port.pid:
        return HeaderError("EINVAL", "send")
    return _SOUND


def readable(core: Core, raw: bytes) -> MessageView:
    """The typed view of a message whose extensions can be read. Raises RefusedError."""
    fault = Fault.MESSAGE_TRUNCATED if len(raw) % WORD else core.framing.fault(_second_version(raw))
    if fault:
        raise RefusedError(core.profile.framing.errno, sent=core.profile.framing.how == "send")
    view = core.framing.view(_second_version(raw))
    if not core.profile.unknown_extensions and any(item.exttype.is_unknown for item in view.extensions):
        raise RefusedError(core.profile.framing.errno, sent=core.profile.framing.how == "send")
    return view


def _second_version(raw: bytes) -> bytes:
    """The message as one of version 2: an engine that does not look at the version has gone on with it."""
    return raw if raw[0] == PF_KEY_V2 else bytes([PF_KEY_V2]) + raw[1:]


def judge(core: Core, view: MessageView) -> None:
    """Hold a request to the grammar. Raises RefusedError."""
    for violation in check(view, dialect=core.framing.dialect):
        refused = violation.level == "error" or violation.rule in core.profile.refuses_warnings
        if refused and not _tolerated(core, view, violation):
            raise RefusedError(_errno(core, view, violation))


def _errno(core: Core, view: MessageView, violation: Violation) -> str:
    """How a violation is told: EINVAL, unless the profile has another name for it."""
    most = core.grammar.requests.most
    policy = view.policy
    if violation.rule == "X-requests" and policy is not None and most and len(policy.requests) > most:
        return core.profile.too_many_requests
    errnos = core.profile.errnos
    return errnos.get(f"{violation.rule} {view.type.name}") or errnos.get(violation.rule) or "EINVAL"


def _tolerated(core: Core, view: MessageView, violation: Violation) -> bool:
    found = violation.extension
    if violation.rule in core.profile.tolerates:
        return True
    if found is None:
        return False
    if f"{violation.rule} {found.name}" in core.profile.tolerates:
        return True
    if found.wire == 0 if found.is_unknown else core.profile.strays != "ignore":
        return False
    form = core.grammar.form(view.type, True, not view.extensions)
    stray = form is not None and view.get(found) is not None and found not in form.known
    return stray or (core.profile.grammar == "rfc2367" and not found.is_unknown and found > _BY_RFC)
