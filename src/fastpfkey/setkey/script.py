"""Scripts of setkey: statements in order, as the requests that they stand for.

    for command in script(text, Rules(spec.dialect("linux"))):
        for message in command.messages:
            ...

What setkey gets wrong is refused, with line and column: numbers that do not fit (it cuts them), prefixes longer than
their address, SA types that the system does not have (it sends none, which means all), keys that their algorithm cannot
use. `Rules.compat` does as setkey does instead. Reserved bytes, in which setkey sends whatever was in memory, are zero
either way.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import EncodeError
from ..spec.terms import SAType
from ..wire import requests
from .keywords import EXITS
from .lexer import Kind, Token
from .reading import Reader
from .rules import Command, Rules
from .sa_statements import Associations
from .spd_statements import Policies

IPSEC_TOOLS_ALONE = frozenset({"getspi", "spdupdate", *EXITS})


def script(text: str, rules: Rules) -> Iterator[Command]:
    """The commands of a script, each as soon as it is read. Raises ScriptError at what cannot be understood."""
    reader = Reader(text, rules)
    associations, policies = Associations(reader), Policies(reader)
    while True:
        verb = reader.lexer.take()
        if verb.kind is Kind.FINISH:
            return
        if verb.kind is Kind.END:
            continue
        if verb.kind is not Kind.WORD or (rules.variant.freebsd and verb.text in IPSEC_TOOLS_ALONE):
            reader.unexpected(verb)
        match verb.text:
            case "add" | "getspi" | "get" | "delete" | "deleteall":
                command = associations.command(verb)
            case "spdadd" | "spdupdate" | "spddelete":
                command = policies.command(verb)
            case "flush" | "dump" | "spdflush" | "spddump":
                command = _all(reader, associations, verb)
            case word if word in EXITS:
                reader.end()
                return
            case _:
                reader.unexpected(verb)
        yield _fitting(reader, verb, command)


def _all(reader: Reader, associations: Associations, verb: Token) -> Command:
    """A statement about all associations, of one SA type where one is named, or about all policies."""
    satype = SAType.UNSPEC
    if verb.text in ("flush", "dump") and reader.lexer.peek().kind is Kind.WORD:
        satype, _, _ = associations.satype()
    reader.end()
    dialect = reader.rules.dialect
    message = {
        "flush": lambda: requests.flush(satype, dialect=dialect),
        "dump": lambda: requests.dump(satype, dialect=dialect),
        "spdflush": lambda: requests.spdflush(dialect=dialect),
        "spddump": lambda: requests.spddump(dialect=dialect),
    }[verb.text]()
    return Command(verb.text, reader.lexer.place(verb.at)[0], (message,))


def _fitting(reader: Reader, verb: Token, command: Command) -> Command:
    """The command, once it is known that the system's messages have room for all that it says."""
    try:
        for message in command.messages:
            message.encode()
    except EncodeError as error:
        reader.fail(str(error), verb)
    return command
