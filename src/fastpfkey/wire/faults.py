"""Faults inside one structure, before anyone knows which message and which byte of the buffer it belongs to.

Decoding works on bytes that were validated, so a `MisreadError` means that the buffer changed meanwhile. Encoding works
on values that anyone may have built, so a `MisfitError` names the field, and whoever holds the structure puts its own
name before it.
"""

from __future__ import annotations

from ..errors import EncodeError, Fault


class MisreadError(Exception):
    """Bytes of a structure contradict each other; `position` is from the start of the structure."""

    def __init__(self, fault: Fault, position: int) -> None:
        super().__init__(fault, position)
        self.fault = fault
        self.position = position


class MisfitError(Exception):
    """A value does not fit. The text never contains the bytes of a key."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(reason, field)
        self.reason = reason
        self.field = field

    def inside(self, name: str) -> MisfitError:
        """The same, seen from what holds the value under this name."""
        return MisfitError(self.reason, f"{name}.{self.field}" if self.field else name)


class named:  # noqa: N801 - used as a function; it is entered for every field, which generators make slow
    """What does not fit in here is part of the field of this name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MisfitError):
            raise error.inside(self.name) from None


class told_of:  # noqa: N801 - likewise
    """What does not fit in here is an EncodeError about the message, or whatever else is being built, of this name."""

    __slots__ = ("label",)

    def __init__(self, label: str) -> None:
        self.label = label

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, MisfitError):
            raise EncodeError(": ".join(filter(None, (self.label, error.field, error.reason)))) from None
