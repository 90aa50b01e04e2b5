"""Words of a script with their places: what is wrong can then be told by line and column.

A script is words, quoted text, ports in brackets and semicolons, with free white space and comments from ``#`` to the
end of the line. The text of a policy, which has a grammar of its own, is taken whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from enum import Enum
from functools import cached_property
from typing import NamedTuple

from ..errors import HIDDEN, ScriptError, presentable


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted text"
    PORT = "port"
    END = "semicolon"
    FINISH = "end"


class Token(NamedTuple):
    """A token: its text without quotes or brackets, and where in the script it begins."""

    kind: Kind
    text: str
    at: int

    @property
    def shown(self) -> str:
        """What errors call it. Quoted text may be a key, so it shows nowhere."""
        if self.kind is Kind.QUOTED:
            return HIDDEN
        if self.kind is Kind.END:
            return ";"
        return presentable(self.text)


_SPACE = re.compile(r"(?:\s+|#[^\n]*)*")
_SPACE_EXTENDED = re.compile(r"(?:\s+|#:|#(?!:)[^\n]*)*")
"""Lines that begin with ``#:`` are not comments then, but what setkey has no words for."""
_TOKEN = re.compile(r'(?P<end>;)|"(?P<quoted>[^"]*)"|\[(?P<port>[^\]\s;]*)\]|(?P<word>[^\s;#"\[\]]+)')
_REST = re.compile(r"[^;#]*(?:#[^\n]*[^;#]*)*")


class Lexer:
    """Reads a script token by token, with one token of sight."""

    def __init__(self, text: str, extended: bool = False) -> None:
        self.text = text
        self.space = _SPACE_EXTENDED if extended else _SPACE
        self.position = 0
        self.keys_from: int | None = None
        """From where on, in this statement, a word that is out of place may be part of a key."""
        self._next: Token | None = None

    def peek(self) -> Token:
        """The token that comes next."""
        if self._next is None:
            self._next = self._read()
        return self._next

    def take(self) -> Token:
        """The next token, which is then behind."""
        token = self.peek()
        self._next = None
        if token.kind is Kind.END:
            self.keys_from = None
        return token

    def rest(self) -> tuple[str, int]:
        """Everything up to the semicolon, comments blanked, and where it begins."""
        begin = self.position if self._next is None else self._next.at
        found = _REST.match(self.text, begin)
        assert found is not None  # it matches the empty string
        self._next = None
        self.position = found.end()
        return re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), found[0]), begin

    def place(self, at: int) -> tuple[int, int]:
        """Line and column of a character, counted from 1."""
        line = bisect_left(self._line_ends, at)
        return line + 1, at - (self._line_ends[line - 1] if line else -1)

    @cached_property
    def _line_ends(self) -> list[int]:
        """Found once: each statement asks for its line, and counting anew would take the square of their number."""
        return [found.start() for found in re.finditer("\n", self.text)]

    def error(self, reason: str, token: Token) -> ScriptError:
        """What is wrong with a token."""
        hidden = self.keys_from is not None and token.at >= self.keys_from and token.kind is not Kind.END
        return ScriptError(reason, HIDDEN if hidden and token.text else token.shown, *self.place(token.at))

    def _read(self) -> Token:
        begin = self.space.match(self.text, self.position)
        assert begin is not None
        at = begin.end()
        if at >= len(self.text):
            return Token(Kind.FINISH, "", len(self.text))
        found = _TOKEN.match(self.text, at)
        if found is None:
            raise ScriptError("no end is found of what begins", self.text[at], *self.place(at))
        self.position = found.end()
        kind = {"end": Kind.END, "quoted": Kind.QUOTED, "port": Kind.PORT, "word": Kind.WORD}[str(found.lastgroup)]
        return Token(kind, str(found[found.lastgroup or 0]), at)
