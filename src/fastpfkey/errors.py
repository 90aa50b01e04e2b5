"""What can go wrong: the exception tree, the fault codes, and the one table from fault to exception.

The hot path never raises. It returns a `Fault` with a byte position and a message index, and `wire_error` here turns
the three into an exception, so type, text and offset are the same whichever backend found the fault.

    PFKeyError
      WireError (ValueError)        bytes that cannot be PF_KEY
        TruncatedError                the buffer ends inside a message
        MalformedError                a length or count contradicts what holds it
        LimitError                    more than the caller allowed
      EncodeError (ValueError)      a value does not fit its field
        UnusableRowsError             rows of a table that cannot become messages
      TranslationError (ValueError) another dialect cannot say what a message says
      QueryError (ValueError)       a question to a table that cannot be answered
      DetectionError (ValueError)   no dialect, or more than one, fits a buffer
      StateFileError (ValueError)   a file that keeps an engine's state is damaged, or another's
      ScriptError (ValueError)      a setkey script, or text that setkey printed, that cannot be understood
      BackendError (ImportError)    the requested backend is unavailable
      ReplyError (OSError)          a key engine answered with an error
      TransportError (OSError)      a socket cannot be opened, or fails
        OverrunError                  messages were lost on the way
        NoReplyError (TimeoutError)   nothing came in time
        CancelledError                another thread ended it
      LeaseError (RuntimeError)     a lease is over, or a pool has none to give

No text here ever contains bytes of a message: they may be keys.
"""

from __future__ import annotations

import enum
import errno
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .spec.terms import MessageType

SHOWN_ROWS = 5
"""Rows that a text names of those with the same fault; the error itself has all."""


HIDDEN = "..."
LONGEST_SHOWN = 80
"""Characters of a word that an error shows."""

_KEY = re.compile(r"0[xX][0-9a-fA-F]{9}|(?![0-9]+$)[0-9a-fA-F]{16}")


def presentable(text: str) -> str:
    """What a message may show of a word: nothing that may be a key, nothing that commands a terminal, and no page."""
    if _KEY.search(text[: LONGEST_SHOWN + 16]):  # so that no beginning of a key is left at the end
        return HIDDEN
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text[:LONGEST_SHOWN])
    return shown + HIDDEN if len(text) > LONGEST_SHOWN else shown


class PFKeyError(Exception):
    """Base of every error that fastpfkey raises on purpose."""


class Fault(enum.IntEnum):
    """Why bytes cannot be PF_KEY. Everything else that may be wrong with a message is for `check`, not a fault.

    The text below each code says which byte its position points at.
    """

    NONE = 0
    HEADER_TRUNCATED = 1
    """start of the message"""
    VERSION = 2
    """sadb_msg_version"""
    MESSAGE_SHORT = 3
    """sadb_msg_len"""
    MESSAGE_TRUNCATED = 4
    """sadb_msg_len"""
    EXTENSION_EMPTY = 5
    """sadb_ext_len"""
    EXTENSION_OVERRUN = 6
    """sadb_ext_len"""
    EXTENSION_SHORT = 7
    """sadb_ext_len"""
    EXTENSION_DUPLICATE = 8
    """sadb_ext_type of the second"""
    EXTENSION_UNKNOWN = 9
    """sadb_ext_type; only when strict"""
    SOCKADDR_OVERRUN = 10
    """first byte of the sockaddr"""
    KEY_OVERRUN = 11
    """sadb_key_bits"""
    DATA_OVERRUN = 12
    """the length or count field"""
    RECORD_PARTIAL = 13
    """first byte of the incomplete record"""
    REQUEST_SHORT = 14
    """sadb_x_ipsecrequest_len"""
    REQUEST_OVERRUN = 15
    """sadb_x_ipsecrequest_len"""
    ITEM_OVERRUN = 16
    """first byte of the item that does not fit"""


_REASONS = {
    Fault.HEADER_TRUNCATED: "fewer than 16 bytes are left for a message header",
    Fault.VERSION: "the version is not 2 (PF_KEY_V2)",
    Fault.MESSAGE_SHORT: "the message length is shorter than its 16-byte header",
    Fault.MESSAGE_TRUNCATED: "the message length runs past the end of the buffer",
    Fault.EXTENSION_EMPTY: "an extension has length 0",
    Fault.EXTENSION_OVERRUN: "an extension runs past the end of its message",
    Fault.EXTENSION_SHORT: "an extension is shorter than its fixed part",
    Fault.EXTENSION_DUPLICATE: "an extension appears twice",
    Fault.EXTENSION_UNKNOWN: "the extension type is not one the dialect knows",
    Fault.SOCKADDR_OVERRUN: "a socket address does not fit its extension",
    Fault.KEY_OVERRUN: "the key bits do not fit the key extension",
    Fault.DATA_OVERRUN: "a length or count in an extension does not fit it",
    Fault.RECORD_PARTIAL: "an extension ends inside a record of its list",
    Fault.REQUEST_SHORT: "a policy request is shorter than its fixed part",
    Fault.REQUEST_OVERRUN: "a policy request runs past the end of its policy",
    Fault.ITEM_OVERRUN: "an item of a counted list does not fit its extension",
}


class WireError(PFKeyError, ValueError):
    """Bytes that cannot be PF_KEY.

    `fault` is the code, `offset` the byte in the decoded buffer that shows it, `message_index` the number of the
    message (from 0, counted from the start of the buffer), `good` the number of messages decoded before it.
    """

    def __init__(self, fault: Fault, offset: int, message_index: int, good: int | None = None) -> None:
        self.fault = fault
        self.offset = offset
        self.message_index = message_index
        self.good = message_index if good is None else good
        super().__init__(fault, offset, message_index, self.good)

    def __str__(self) -> str:
        return f"message {self.message_index}, byte {self.offset}: {self.reason}"

    @property
    def reason(self) -> str:
        """The fault in words."""
        return _REASONS[self.fault]


class TruncatedError(WireError):
    """The buffer ends inside a message: more bytes may make it whole."""


class MalformedError(WireError):
    """A version, length or count contradicts what holds it: more bytes cannot help."""


class LimitError(PFKeyError, ValueError):
    """The input asks for more than the caller allowed."""


class EncodeError(PFKeyError, ValueError):
    """A value does not fit its field. The text names message, extension and field, never a key's bytes."""


class UnusableRowsError(EncodeError):
    """Rows of a table cannot become messages. `rows` maps each reason to the numbers of the rows that it holds for."""

    def __init__(self, rows: Mapping[str, Sequence[int]], total: int) -> None:
        self.rows = rows
        self.total = total
        super().__init__(rows, total)

    def __str__(self) -> str:
        count = sum(map(len, self.rows.values()))
        reasons = "; ".join(_reason(*item) for item in self.rows.items())
        return f"{count} of {self.total} rows cannot be used: {reasons}"


def _reason(reason: str, rows: Sequence[int]) -> str:
    """A reason and the first rows that it holds for."""
    first = ", ".join(str(row) for row in rows[:SHOWN_ROWS])
    return f"{len(rows)} {reason} (row {first}{', ...' if len(rows) > SHOWN_ROWS else ''})"


class TranslationError(PFKeyError, ValueError):
    """A dialect cannot say what a message of another one says; `fields` names what."""

    def __init__(self, dialect: str, fields: tuple[str, ...]) -> None:
        self.dialect = dialect
        self.fields = fields
        super().__init__(dialect, fields)

    def __str__(self) -> str:
        return f"{self.dialect} cannot express {', '.join(self.fields)}"


class DetectionError(PFKeyError, ValueError):
    """No dialect, or more than one, fits a buffer equally well; `candidates` names those that do."""

    def __init__(self, reason: str, candidates: tuple[str, ...] = ()) -> None:
        self.reason = reason
        self.candidates = candidates
        super().__init__(reason, candidates)

    def __str__(self) -> str:
        return f"the dialect cannot be told from the bytes: {self.reason}"


class QueryError(PFKeyError, ValueError):
    """A question to a table that cannot be answered; `text` is the question, `position` where in it that shows."""

    def __init__(self, text: str, position: int, reason: str) -> None:
        self.text = text
        self.position = position
        self.reason = reason
        super().__init__(text, position, reason)

    def __str__(self) -> str:
        return f"{self.text!r}, character {self.position + 1}: {self.reason}"


class StateFileError(PFKeyError, ValueError):
    """A snapshot or a journal of an engine that is damaged, or not this engine's.

    `path` is the file, `offset` the byte that shows it, `reason` what is wrong there.
    """

    def __init__(self, path: os.PathLike[str], offset: int, reason: str) -> None:
        self.path = path
        self.offset = offset
        self.reason = reason
        super().__init__(path, offset, reason)

    def __str__(self) -> str:
        return f"{os.fspath(self.path)}, byte {self.offset}: {self.reason}"


class ScriptError(PFKeyError, ValueError):
    """A setkey script, or text that setkey printed, that cannot be understood.

    `reason` is what is wrong, `token` the words that show it (never a key), `line` and `column` where they are, counted
    from 1; `column` is 0 where a whole line is meant.
    """

    def __init__(self, reason: str, token: str, line: int, column: int = 0) -> None:
        self.reason = reason
        self.token = token
        self.line = line
        self.column = column
        super().__init__(reason, token, line, column)

    def __str__(self) -> str:
        where = f"line {self.line}, column {self.column}" if self.column else f"line {self.line}"
        return f"{where}: {self.reason} at `{self.token}'"


class BackendError(PFKeyError, ImportError):
    """The backend that FASTPFKEY_BACKEND asks for is unavailable, or its extension modules fail to load."""


class ReplyError(PFKeyError, OSError):
    """A key engine answered a request with an error.

    `errno` is the number of the system that answered and `name` its C name, `message_type` and `seq` are those of the
    request, and `explanation` says what the number means there; it may be empty.
    """

    def __init__(self, message_type: MessageType, errno: int, name: str, seq: int, explanation: str = "") -> None:
        super().__init__(errno, name)
        self.message_type = message_type
        self.name = name
        self.seq = seq
        self.explanation = explanation

    def __str__(self) -> str:
        number = f"{self.name} ({self.errno})" if self.name.startswith("E") else self.name
        return f"{self.message_type.name}: {number}" + (f": {self.explanation}" if self.explanation else "")

    def __reduce__(self) -> tuple[type[ReplyError], tuple[object, ...]]:
        return type(self), (self.message_type, self.errno, self.name, self.seq, self.explanation)


class TransportError(PFKeyError, OSError):
    """A socket cannot be opened, or refuses a message; `errno` is the running system's, the text says what to do."""

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class OverrunError(TransportError):
    """Messages were lost on the way, or may have been: more came than there was room for."""


class LeaseError(PFKeyError, RuntimeError):
    """A lease was used after its release, or a pool has nothing to lend."""


class NoReplyError(TransportError, TimeoutError):
    """Nothing came in time. A request that was sent may have been carried out all the same."""

    @classmethod
    def after(cls, seconds: float, what: str) -> NoReplyError:
        """The error of having waited so long for something."""
        return cls(errno.ETIMEDOUT, f"{what} did not come within {seconds:g} s")


class CancelledError(TransportError):
    """Another thread ended what was being waited for."""


_TRUNCATED = frozenset({Fault.HEADER_TRUNCATED, Fault.MESSAGE_TRUNCATED})


def wire_error(fault: int, offset: int, message_index: int, good: int | None = None) -> WireError:
    """The exception for a fault at a byte offset in a message."""
    code = Fault(fault)
    kind = TruncatedError if code in _TRUNCATED else MalformedError
    return kind(code, offset, message_index, good)
