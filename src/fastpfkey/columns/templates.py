"""Messages of one shape as a structured array, its members derived from a dialect's layouts.

What makes a million messages quickly: all messages with the same extensions of the same lengths are one array, and
setting a field of all of them is one assignment, whatever its offset, width and byte order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..spec.layouts import Field, Layout
from ..spec.model import PF_KEY_V2, WORD, Dialect
from ..spec.rfc2367 import MSG
from ..spec.terms import ExtensionType, Term

Block = npt.NDArray[np.void]


class Piece(NamedTuple):
    """One extension of a template, and the bytes behind its fixed part."""

    type: ExtensionType
    tail: dict[str, Any] | None = None
    """Description of a NumPy dtype; None for nothing."""


class Template:
    """The form of all messages that have the same extensions, in the same order and of the same lengths."""

    def __init__(self, dialect: Dialect, byteorder: str, pieces: Sequence[Piece]) -> None:
        """Pieces whose extension the dialect does not have are left out."""
        self.dialect = dialect
        self.layouts: dict[str, Layout] = {"header": MSG}
        self.numbers: dict[str, int] = {}
        self.lengths: dict[str, int] = {}
        formats: dict[str, tuple[np.dtype[Any], int]] = {"header": (_dtype(MSG.dtype(byteorder)), 0)}
        end = MSG.size
        for piece in pieces:
            extension = dialect.by_type.get(piece.type)
            if extension is None:
                continue
            name = piece.type.name.lower()
            self.numbers[name] = extension.number
            self.layouts[name] = extension.layout
            formats[name] = (_dtype(extension.layout.dtype(byteorder)), end)
            size = extension.layout.size
            if piece.tail is not None:
                tail = _dtype(piece.tail)
                formats[f"{name}_tail"] = (tail, end + size)
                size += tail.itemsize
            self.lengths[name] = _whole_words(size)
            end += self.lengths[name]
        self.size = end
        """Bytes of a message."""
        self.dtype = np.dtype(
            {
                "names": list(formats),
                "formats": [item for item, _ in formats.values()],
                "offsets": [offset for _, offset in formats.values()],
                "itemsize": end,
            }
        )

    def messages(self, count: int) -> Block:
        """So many messages with all versions, lengths and types set, and 0 everywhere else."""
        block = np.zeros(count, self.dtype)
        self.put(block, "header", version=PF_KEY_V2, len=self.size // WORD)
        for name, number in self.numbers.items():
            self.put(block, name, len=self.lengths[name] // WORD, exttype=number)
        return block

    def put(self, block: Block, part: str, **values: Any) -> None:
        """Set fields of the header or an extension in all messages, translating terms.

        A part that the template lacks, or a field that the dialect's layout lacks, is passed over.
        """
        layout = self.layouts.get(part)
        if layout is not None:
            for name in values.keys() & layout.by_name.keys():
                block[part][layout[name].c_name] = self._wire(layout[name], values[name])

    def put_tail(self, block: Block, part: str, **values: Any) -> None:
        """Set members behind the fixed part of an extension."""
        if part in self.layouts:
            for name, value in values.items():
                block[f"{part}_tail"][name] = value

    def _wire(self, field: Field, value: Any) -> Any:
        if isinstance(value, Term):
            return self.dialect.terms[field.terms].number(value)
        return value << -field.shift if field.shift < 0 else value >> field.shift


def sockaddr_tail(dialect: Dialect, version: int, byteorder: str) -> dict[str, Any]:
    """The members of a socket address of this IP version: `family`, `port`, `address`, and BSD's `length`."""
    rules = dialect.sockaddr
    family = rules.version(version)
    host = "<" if byteorder == "little" else ">"
    members = [
        ("family", "u1" if rules.has_length else f"{host}u2", int(rules.has_length)),
        ("port", ">u2", family.port),
        ("address", f"({family.address_size},)u1", family.address),
    ]
    if rules.has_length:
        members.append(("length", "u1", 0))
    names, formats, offsets = zip(*members, strict=True)
    return {"names": names, "formats": formats, "offsets": offsets, "itemsize": family.size}


def key_tail(size: int) -> dict[str, Any]:
    """The member `key`, of so many bytes."""
    return {"names": ["key"], "formats": [f"({size},)u1"], "offsets": [0], "itemsize": size}


def _dtype(description: Any) -> np.dtype[Any]:
    found: np.dtype[Any] = np.dtype(description)
    return found


def _whole_words(size: int) -> int:
    return (size + WORD - 1) // WORD * WORD
