"""What all typed parts of a message have in common: immutable, compared by content, printable without a key's bytes.

A part that was decoded also remembers the numbers it was decoded from, as `wire`. They are no part of its content:
equality, hashing, copying and encoding know only the typed fields.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from ipaddress import IPv4Address, IPv6Address
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from ..spec.terms import ExtensionType, Term

if TYPE_CHECKING:
    from .structs import Origin

HIDDEN = {"hidden": True}
"""Field metadata: bytes that may be secret, shown by their length only."""

HEX = {"hex": True}
"""Field metadata: a number that people write in hexadecimal."""

TEXT = {"text": True}
"""Field metadata: bytes that people read as text."""

ADDRESS = {"address": True}
"""Field metadata: bytes that begin with an IP address of the value's `family`."""


class Secret:
    """Bytes that no repr, text or format shows; `reveal` gives them. Compared in constant time."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes = b"") -> None:
        self._data = bytes(data)

    def reveal(self) -> bytes:
        """The bytes themselves."""
        return self._data

    def __len__(self) -> int:
        return len(self._data)

    def __eq__(self, other: object) -> bool:
        return hmac.compare_digest(self._data, other._data) if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._data)

    def __repr__(self) -> str:
        return f"<{len(self)} secret bytes>"

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("secret bytes are not pickled")


class Value:
    """Base of the typed structures: frozen dataclasses with fields named as the C members without their prefix."""

    __slots__ = ("_origin",)
    _origin: Origin
    """Set only by whoever decodes."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def wire(self) -> SimpleNamespace:
        """The untranslated numbers of the structure by their C names, in native byte order.

        Raises AttributeError for a value that was not decoded.
        """
        try:
            origin = self._origin
        except AttributeError:
            raise AttributeError(f"a {type(self).__name__} that was not decoded has no wire numbers") from None
        return origin.codec.namespace(origin.fixed)

    def items(self) -> Iterator[tuple[str, object, Field[Any] | None]]:
        """Name, value and field description of everything that makes up the content, in order."""
        for item in fields(self):
            yield item.name, getattr(self, item.name), item

    def __repr__(self) -> str:
        shown = (
            f"{name}={shown_value(value, item)}"
            for name, value, item in self.items()
            if item is None or item.default is MISSING or value != item.default
        )
        return f"{type(self).__name__}({', '.join(shown)})"


class ExtensionValue(Value):
    """Base of the typed extensions."""

    __slots__ = ()
    exttype: ExtensionType
    """Which extension this is, canonical."""

    def __post_init__(self) -> None:
        if type(self.exttype) is not ExtensionType:  # a plain number, which type checkers refuse
            object.__setattr__(self, "exttype", ExtensionType(self.exttype))

    @property
    def size(self) -> int | None:
        """Bytes that the extension took in the message it was decoded from; None if it was not decoded."""
        origin = getattr(self, "_origin", None)
        return None if origin is None else origin.size


def shown_value(value: object, item: Field[Any] | None) -> str:
    """A value as the repr of what holds it shows it."""
    if isinstance(value, Term):
        return value.name
    if isinstance(value, IPv4Address | IPv6Address):
        return str(value)
    if item is not None and isinstance(value, int) and item.metadata.get("hex"):
        return f"0x{value:08x}"
    if item is not None and isinstance(value, bytes) and item.metadata.get("hidden"):
        return f"<{len(value)} bytes>"
    return repr(value)
