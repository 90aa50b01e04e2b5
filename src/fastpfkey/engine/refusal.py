"""An engine's no, before anyone knows how it is told."""

from __future__ import annotations


class RefusedError(Exception):
    """A request is refused with this error, named as in C: each system has a number of its own for it."""

    def __init__(self, errno: str = "EINVAL", sent: bool = False) -> None:
        super().__init__(errno)
        self.errno = errno
        self.sent = sent
        """Whether the sender's send() fails, instead of an error message coming back."""
