"""What both kinds of client are before anything is waited for: opened by name, with a dialect and a timeout."""

from __future__ import annotations

from typing import Self

from ..spec.model import Dialect
from .endpoint import Role, Source
from .programs import TIMEOUT, Context
from .sources import source as find_source


class BaseClient:
    """What a client is of, and what it shares among its operations."""

    def __init__(self, source: Source, timeout: float | None = TIMEOUT) -> None:
        self._context = Context(source, timeout)

    @classmethod
    def open(
        cls, source: str | Source = "kernel", *, dialect: str | Dialect = "host", timeout: float | None = TIMEOUT
    ) -> Self:
        """A client of the running kernel, of an engine that is served (unix:PATH), of one of its own (engine) or of a
        made-up table (demo:N), which speak `dialect`, or of any `Source`. `timeout` is in seconds, None without end.

        Sockets are opened when they are needed, and TransportError then says what is missing. Raises ValueError for a
        name that is no source.
        """
        return cls(find_source(source, dialect) if isinstance(source, str) else source, timeout)

    @property
    def dialect(self) -> Dialect:
        """What the engine speaks."""
        return self._context.dialect

    @property
    def pid(self) -> int:
        """What requests carry as sadb_msg_pid, which tells whose a reply or an event is. Raises TransportError."""
        return self._context.endpoint(Role.REQUESTS).pid

    @property
    def timeout(self) -> float | None:
        """Seconds of silence that an operation puts up with, None for ever."""
        return self._context.timeout

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self._context.timeout = seconds

    def close(self) -> None:
        """Give all sockets back, which ends registrations. May be called again."""
        self._context.close()
