"""One request and its reply, in the noise of everybody's changes.

The endpoint for requests hears what all programs do. So it is emptied before a request goes out, lest the reply find no
room, and what is no reply is passed over.
"""

from __future__ import annotations

from ..errors import OverrunError, TransportError
from ..session.pending import Pending
from ..session.refusal import refusal
from ..spec.terms import MessageType, SAType
from ..wire.decode import decode
from ..wire.message import Message, MessageValue
from .endpoint import Endpoint, Role
from .programs import Context, Deadline, Program

LOST = -1

DRAIN = 64
"""Times that an endpoint is read to empty it; if there is more, it comes faster than it can be read."""


def exchange(context: Context, message: MessageValue, timeout: float | None) -> Program[Message]:
    """Send a request and return its reply. Raises ReplyError if that is an error, NoReplyError if none comes."""
    endpoint = context.endpoint(Role.REQUESTS)
    pending = post(context, endpoint, message)
    yield from until_done(context, endpoint, pending, timeout)
    raise_refusal(context, message, pending)
    return reply_of(context, pending)


def tell(context: Context, message: MessageValue, timeout: float | None) -> Program[None]:
    """Send what is answered only if something is wrong with it, and wait until it was dealt with. Raises ReplyError."""
    endpoint = context.endpoint(Role.REQUESTS)
    pending = post(context, endpoint, message)
    behind = probe(context, endpoint)
    if behind is not None:
        yield from until_done(context, endpoint, behind, timeout, pending)
    # What is told to all comes back to who told it, with the same errno.
    if pending.done and pending.errnos[0] != message.errno:
        raise_refusal(context, message, pending)


def post(context: Context, endpoint: Endpoint, message: MessageValue) -> Pending:
    """Empty an endpoint and send a request, under its own number if it has one."""
    drain(context, endpoint)
    return send(context, endpoint, message)


def send(context: Context, endpoint: Endpoint, message: MessageValue) -> Pending:
    """Send a request, under its own number if it has one."""
    pending = Pending(context.dialect, message.type, endpoint.pid, message.seq or context.numbers.take())
    endpoint.send(message.replace(seq=pending.first, pid=endpoint.pid).encode())
    return pending


def until_done(
    context: Context, endpoint: Endpoint, pending: Pending, timeout: float | None, *others: Pending
) -> Program[None]:
    """Receive until a request is answered, and what comes for others meanwhile. Raises NoReplyError."""
    deadline = Deadline(context, timeout)
    while not pending.done:
        if not hear(context, endpoint, pending, *others) and not pending.done:
            yield from deadline.wait(endpoint, f"the reply to {pending.kind.name}")


def hear(context: Context, endpoint: Endpoint, *pending: Pending) -> int:
    """Take what has come, and return how many bytes it was; `LOST` if something was lost, perhaps a reply."""
    with context.pool.acquire() as lease, memoryview(lease) as view:
        lease.holds_keys = True
        try:
            size = endpoint.receive(view, 0)
        except OverrunError:
            return LOST
        for scan in context.scanner.scan(view, 0, size):
            for request in pending:
                request.feed(scan)
        return size


def drain(context: Context, endpoint: Endpoint) -> None:
    """Throw away what has come."""
    for _ in range(DRAIN):
        if not hear(context, endpoint):
            return


def probe(context: Context, endpoint: Endpoint) -> Pending | None:
    """Send a request that changes nothing and is always answered: a GET that does not say of what.

    Its answer shows that all that was sent before was dealt with. None if it is refused at once, which shows the same.
    """
    try:
        return send(context, endpoint, MessageValue(MessageType.GET, SAType.ESP, dialect=context.dialect))
    except TransportError:
        return None


def raise_refusal(context: Context, message: Message, pending: Pending) -> None:
    """Raise ReplyError if the reply is an error."""
    if pending.errnos[0]:
        raise refusal(context.dialect, message.type, pending.errnos[0], pending.first, message, context.supported)


def reply_of(context: Context, pending: Pending) -> Message:
    """The reply that came. Raises WireError if it cannot be read."""
    return decode(pending.reply or b"", context.dialect)[0]
