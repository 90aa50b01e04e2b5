"""Statements about policies: spdadd, spdupdate, spddelete."""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.terms import Direction, MessageType
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions_ipsec import Policy, SecurityContext
from ..wire.message import MessageValue
from ..wire.sockaddr import SocketAddress
from ..wire.value import ExtensionValue
from .lexer import Kind, Token
from .policy_text import PolicyText, forwarded
from .reading import ANY_PROTOCOL, Reader, address, pairs
from .rules import Command
from .sa_statements import context
from .words import GRE, ICMP, ICMP6, MH

KINDS = {
    "spdadd": MessageType.SPDADD,
    "spdupdate": MessageType.SPDUPDATE,
    "spddelete": MessageType.SPDDELETE,
}
UPPER = {"any": ANY_PROTOCOL, "icmp6": ICMP6, "ip4": 4}
"""Protocols that the grammar itself has words for."""


class Policies:
    """Reads the statements about policies."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.rules = reader.rules

    def command(self, verb: Token) -> Command:
        """The command of a statement whose first word was read."""
        reader = self.reader
        if Ext.POLICY not in self.rules.dialect.by_type:
            reader.fail(f"{self.rules.dialect.name} has no such policies", verb)
        wanted = reader.filters()
        if reader.next_is("tagged"):
            reader.fail("tags are no part of this grammar", reader.lexer.take())
        src, dst = reader.selector(wanted), reader.selector(wanted)
        proto = self.upper()
        ports = self.arguments(proto)
        label = self.label()
        token = reader.word()
        if token.text != "-P":
            reader.unexpected(token)
        policy = PolicyText(reader, *reader.lexer.rest()).policy()
        end = reader.end()
        policies = [policy]
        if policy.dir is Direction.IN and self.rules.forwards:
            policies.append(forwarded(policy))
        found = []
        for one, other in pairs(src, dst):
            if ports is not None:
                one, other = (SocketAddress(e.ip, p, e.scope) for e, p in zip((one, other), ports, strict=True))
            source = address(Ext.ADDRESS_SRC, one, src.prefixlen, proto)
            destination = address(Ext.ADDRESS_DST, other, dst.prefixlen, proto)
            found += [self.message(verb, part) for part in self.bodies(policies, (source, destination), label)]
        if not found:
            reader.fail("addresses of different families", end)
        return Command(verb.text, reader.lexer.place(verb.at)[0], tuple(found))

    def message(self, verb: Token, extensions: tuple[ExtensionValue, ...]) -> MessageValue:
        """A request."""
        return MessageValue(KINDS[verb.text], extensions=extensions, dialect=self.rules.dialect)

    def bodies(
        self, policies: list[Policy], ends: tuple[ExtensionValue, ...], label: SecurityContext | None
    ) -> Iterator[tuple[ExtensionValue, ...]]:
        """The extensions of each request."""
        for policy in policies:
            yield (policy, *ends, *(() if label is None else (label,)))

    def upper(self) -> int:
        """The protocol above IP."""
        token = self.reader.word()
        if token.text.isascii() and token.text.isdigit():
            return self.reader.fitting(int(token.text[:20]), 0xFF, token)
        if token.text in UPPER:
            return UPPER[token.text]
        try:
            return self.rules.names.protocol(token.text)
        except LookupError:
            self.reader.fail("an unknown protocol", token)

    def arguments(self, proto: int) -> tuple[int, int] | None:
        """What stands in the ports of a protocol that has none: type and code, or a key."""
        token = self.reader.lexer.peek()
        if token.kind is not Kind.WORD or token.text.startswith("-"):
            return None
        return self.argument(proto, self.reader.lexer.take())

    def argument(self, proto: int, token: Token) -> tuple[int, int]:
        """Type and code, or a key in four parts."""
        if proto in (ICMP, ICMP6, MH):
            numbers = token.text.split(",")
            if len(numbers) == 2 and all(number.isascii() and number.isdigit() for number in numbers):
                kind, code = (self.reader.fitting(int(number[:20]), 0xFF, token) for number in numbers)
                return kind, code
        octets = token.text.split(".")
        if proto != GRE or len(octets) != 4 or not all(_is_octet(octet) for octet in octets):
            self.reader.unexpected(token)
        first, second, third, fourth = map(int, octets)
        return first << 8 | second, third << 8 | fourth

    def label(self) -> SecurityContext | None:
        """-ctx, where it is given."""
        if self.rules.variant.freebsd or not self.reader.next_is("-ctx"):
            return None
        self.reader.lexer.take()
        return context(self.reader)


def _is_octet(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text[:9]) < 256
