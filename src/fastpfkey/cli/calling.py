"""Requests that are written as the calls of `fastpfkey.requests` that make them: `spdget(8)`.

What is understood is a small part of Python: calls of those functions, lists, tuples, numbers, strings and names of
arguments. Nothing is evaluated, so no other code can be reached.
"""

from __future__ import annotations

import ast
import difflib
import inspect
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import EncodeError
from ..spec.model import Dialect
from ..spec.terms import MessageType
from ..wire import requests
from ..wire.decode import decode
from ..wire.message import Message, MessageValue
from .errors import SourceError
from .live import connect
from .requesting import key, show_messages

if TYPE_CHECKING:
    from ..transport.client import Client

DUMPS = (MessageType.DUMP, MessageType.SPDDUMP)
"""What is answered by many messages."""

KEYS = ("auth_key", "encrypt_key")
"""Arguments that may name a file, as the options of this name do."""


def show_answer(source: str, dialect: Dialect, call: str, form: str, show_keys: bool, out: TextIO) -> None:
    """Send the request that a call makes, and show what comes. Raises SourceError, ReplyError and TransportError."""
    with connect(source, dialect) as client:
        message = called(call, client.dialect)
        show_messages(answered(client, message), client.dialect, form, show_keys, out)


def called(text: str, dialect: Dialect) -> MessageValue:
    """The message that a call makes. Raises SourceError for what is no such call, and EncodeError."""
    try:
        found = _value(ast.parse(text.strip(), mode="eval").body, dialect)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, EncodeError):
            raise
        raise SourceError(f"{text!r} is no call, such as spdget(8)") from None
    if not isinstance(found, MessageValue):
        raise SourceError(f"{text!r} makes no message")
    return found


def answered(client: Client, message: MessageValue) -> list[Message]:
    """Send a request and return what comes: its reply, the messages of a dump, or nothing if a key manager gives up.

    Raises what the client does.
    """
    if message.type is MessageType.ACQUIRE and message.errno:
        client.acquire_failure(message.satype, message.errno, seq=message.seq, pid=message.pid)
        return []
    if message.type in DUMPS:
        return list(decode(client.dump_messages(message).messages, client.dialect))
    return [client.request(message)]


def _value(node: ast.expr, dialect: Dialect) -> Any:
    if isinstance(node, ast.Call):
        return _made(node, dialect)
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item, dialect) for item in node.elts]
    return ast.literal_eval(node)


def _made(node: ast.Call, dialect: Dialect) -> Any:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in requests.__all__:
        near = difflib.get_close_matches(name, requests.__all__, 1)
        raise SourceError(f"there is no request {name!r}" + (f"; is {near[0]!r} meant?" if near else ""))
    function = getattr(requests, name)
    given = {item.arg: _value(item.value, dialect) for item in node.keywords if item.arg is not None}
    given |= {name: key(given[name]) for name in KEYS if isinstance(given.get(name), str)}
    if _takes_dialect(function):
        given["dialect"] = dialect
    try:
        return function(*(_value(item, dialect) for item in node.args), **given)
    except TypeError as error:
        raise SourceError(str(error)) from None


def _takes_dialect(function: Any) -> bool:
    parameters = inspect.signature(function).parameters.values()
    return any(each.name == "dialect" or each.kind is each.VAR_KEYWORD for each in parameters)
