"""The operations of a client that are a request and its reply: what is sent, and what becomes of the answer.

They are programs (see `programs`), and methods of `client.Client` and `aio.Client`. Most have the arguments of the
function that makes the request.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import update_wrapper, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..columns.algorithms import AlgorithmTable
from ..wire import requests
from ..wire.message import Message, MessageValue
from ..wire.requests.values import Name
from .exchange import exchange, tell
from .programs import Context, Program
from .reading import algorithms_in
from .watching import watch

P = ParamSpec("P")
F = TypeVar("F", bound=Callable[..., Any])


def request(context: Context, message: MessageValue, *, timeout: float | None = None) -> Program[Message]:
    """Send any request and return its reply; pid and, unless it has one, sequence number are set.

    `timeout` is in seconds; without one the client's counts. Raises ReplyError if the reply is an error, NoReplyError
    if none comes, and TransportError if the request is refused at once.
    """
    return (yield from exchange(context, message, context.timeout if timeout is None else timeout))


def _requests(make: Callable[P, MessageValue]) -> Callable[Concatenate[Context, P], Program[Message]]:
    """The operation that sends what a function makes, and returns the reply."""

    def operation(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> Program[Message]:
        return (yield from exchange(context, _made(context, make, *args, **kwargs), context.timeout))

    return _named(operation, make, Message)


def _tells(make: Callable[P, MessageValue]) -> Callable[Concatenate[Context, P], Program[None]]:
    """The same for what has no reply if all goes well."""

    def operation(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> Program[None]:
        yield from tell(context, _made(context, make, *args, **kwargs), context.timeout)

    return _named(operation, make, None)


def _made(context: Context, make: Callable[P, MessageValue], *args: P.args, **kwargs: P.kwargs) -> MessageValue:
    kwargs["dialect"] = context.dialect
    return make(*args, **kwargs)


def _named(operation: F, make: Callable[..., object], result: type | None) -> F:
    """An operation that is called and explained as the function that makes its request."""
    signature = inspect.signature(make)
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_ONLY)
    update_wrapper(operation, make)
    parameters = [context, *signature.parameters.values()]
    returned = f"Program[{result and result.__name__}]"
    operation.__signature__ = inspect.Signature(parameters, return_annotation=returned)  # type: ignore[attr-defined]
    return operation


add = _requests(requests.add)
update = _requests(requests.update)
delete = _requests(requests.delete)
get = _requests(requests.get)
flush = _requests(requests.flush)
acquire = _tells(requests.acquire)
acquire_failure = _tells(requests.acquire_failure)
spdadd = _requests(requests.spdadd)
spdupdate = _requests(requests.spdupdate)
spdsetidx = _requests(requests.spdsetidx)
spddelete = _requests(requests.spddelete)
spddelete2 = _requests(requests.spddelete2)
spdget = _requests(requests.spdget)
spdflush = _requests(requests.spdflush)
migrate = _requests(requests.migrate)
_getspi = _requests(requests.getspi)


def _spi(make: Callable[Concatenate[Context, P], Program[Message]]) -> Callable[Concatenate[Context, P], Program[int]]:
    """The operation whose result is the SPI in the reply of another one."""

    @wraps(make)
    def operation(context: Context, /, *args: P.args, **kwargs: P.kwargs) -> Program[int]:
        reply = yield from make(context, *args, **kwargs)
        return 0 if reply.sa is None else reply.sa.spi

    told = inspect.signature(make).replace(return_annotation="Program[int]")
    operation.__signature__ = told  # type: ignore[attr-defined]
    return operation


getspi = _spi(_getspi)


def register(context: Context, satype: Name) -> Program[AlgorithmTable]:
    """Become a key manager for an SA type, and return the algorithms that the engine has for it.

    From then on the engine asks this client for associations, and waits for an answer: read what it asks with
    `monitor`. To know the algorithms without that, ask for `algorithms`.
    """
    return algorithms_in(context, (yield from watch(context).register(satype, context.timeout)))
