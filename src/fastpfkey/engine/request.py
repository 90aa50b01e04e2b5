"""A request that was read and found good enough to be acted on."""

from __future__ import annotations

from functools import cached_property

from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, SAType
from ..wire.extensions import SA, Address
from ..wire.message import MessageView
from ..wire.sockaddr import IPAddress
from ..wire.value import ExtensionValue
from .framing import Framing
from .refusal import RefusedError


class Request:
    """A request's header and typed extensions."""

    def __init__(self, framing: Framing, raw: bytes, view: MessageView) -> None:
        self.framing = framing
        self.raw = raw
        self.header = framing.header(raw)
        self.type: MessageType = view.type
        self.satype: SAType = view.satype
        self._view = view

    @cached_property
    def values(self) -> dict[Ext, ExtensionValue]:
        """The extensions, the first of each type."""
        found: dict[Ext, ExtensionValue] = {}
        for value in self._view.extensions:
            found.setdefault(value.exttype, value)
        return found

    @property
    def bare(self) -> bool:
        """Whether it is a base header and nothing else."""
        return not self.values

    def sa(self) -> SA:
        """The association. Raises RefusedError if there is none."""
        found = self.values.get(Ext.SA)
        if not isinstance(found, SA):
            raise RefusedError
        return found

    def ends(self) -> tuple[IPAddress, IPAddress]:
        """Source and destination. Raises RefusedError where one is missing or no IP address."""
        src, dst = self.values.get(Ext.ADDRESS_SRC), self.values.get(Ext.ADDRESS_DST)
        if not (isinstance(src, Address) and isinstance(dst, Address)) or src.ip is None or dst.ip is None:
            raise RefusedError
        if src.ip.version != dst.ip.version:
            raise RefusedError
        return src.ip, dst.ip

    def reply(self, body: bytes = b"") -> bytes:
        """An answer with these extensions: type, SA type, number and pid are the request's."""
        header = self.header
        return self.framing.message(self.type, header.satype, body, seq=header.seq, pid=header.pid)
