"""Reading the pieces that statements are made of: words, numbers, addresses, keys, and the options before addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import NamedTuple, NoReturn, TypeVar

from ..errors import ScriptError
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import Address
from ..wire.sockaddr import SocketAddress
from .lexer import Kind, Lexer, Token
from .rules import Rules

V = TypeVar("V")

_NAME = re.compile(r"(?=.*[g-z]|.{1,3}$)[a-z0-9]+(-[a-z0-9]+)*")
"""What may be meant as the name of an algorithm, or its number."""

ANY_PROTOCOL = 255
BITS32, BITS64 = (1 << 32) - 1, (1 << 64) - 1


class End(NamedTuple):
    """An address as it was written: all that its name stands for, and what was said beside it."""

    addresses: tuple[SocketAddress, ...]
    prefixlen: int | None = None
    token: Token = Token(Kind.FINISH, "", 0)


class Filter(NamedTuple):
    """What -4, -6 and -n say about addresses."""

    versions: frozenset[int] = frozenset({4, 6})
    numeric: bool = False


class Reader:
    """Reads pieces; what is wrong with one is a ScriptError that says where."""

    def __init__(self, text: str, rules: Rules) -> None:
        self.lexer = Lexer(text, rules.extended)
        self.rules = rules

    def fail(self, reason: str, token: Token) -> NoReturn:
        """Refuse a token."""
        raise self.lexer.error(reason, token)

    def unexpected(self, token: Token) -> NoReturn:
        """Refuse a token that the grammar has no place for."""
        self.fail("syntax error", token)

    def word(self) -> Token:
        """A word."""
        token = self.lexer.take()
        if token.kind is not Kind.WORD:
            self.unexpected(token)
        return token

    def end(self) -> Token:
        """The semicolon."""
        token = self.lexer.take()
        if token.kind is not Kind.END:
            self.unexpected(token)
        return token

    def next_is(self, *words: str) -> bool:
        """Whether one of these words comes next."""
        token = self.lexer.peek()
        return token.kind is Kind.WORD and token.text in words

    def algorithm(self, words: Mapping[str, V], of_number: Callable[[int], V]) -> tuple[V, Token]:
        """What a word stands for; a number stands for itself where scripts are extended."""
        token = self.lexer.peek()
        named = _NAME.fullmatch(token.text)
        self.lexer.keys_from = None if named else token.at  # it may be a key, where an algorithm was forgotten
        if self.rules.extended and token.kind is Kind.WORD and token.text.isascii() and token.text.isdigit():
            found = of_number(self.number(0xFF))
        else:
            found, token = self.choice(words)
        self.lexer.keys_from = token.at + 1
        return found, token

    def choice(self, words: Mapping[str, V]) -> tuple[V, Token]:
        """What one of these words stands for."""
        token = self.word()
        if token.text not in words:
            self.unexpected(token)
        return words[token.text], token

    def number(self, most: int) -> int:
        """A decimal number. setkey cuts one that is too large; so does --compat."""
        token = self.word()
        if not (token.text.isascii() and token.text.isdigit()):
            self.unexpected(token)
        return self.fitting(int(token.text[:40]), most, token)

    def fitting(self, number: int, most: int, token: Token) -> int:
        """A number that is at most this large."""
        if number > most:
            if not self.rules.compat:
                self.fail(f"a number above {most}", token)
            number &= most
        return number

    def spi(self) -> int:
        """A decimal or hexadecimal number of 32 bits."""
        token = self.word()
        text = token.text[:40].lower()
        try:
            if text.startswith("0x"):
                number = int(text[2:], 16) if text[2:].isalnum() else -1
            else:
                number = int(text) if text.isascii() and text.isdigit() else -1
        except ValueError:
            number = -1
        if number < 0:
            self.unexpected(token)
        return self.fitting(number, BITS32, token)

    def filters(self) -> Filter:
        """Options before addresses, in any number."""
        versions, numeric = {4, 6}, False
        while True:
            token = self.lexer.peek()
            letters = token.text[1:]
            if token.kind is not Kind.WORD or token.text[:1] != "-" or not letters or set(letters) - set("46n"):
                return Filter(frozenset(versions), numeric)
            self.lexer.take()
            for letter in letters:
                if letter == "n":
                    numeric = True
                else:
                    versions &= {int(letter)}

    def endpoint(self, wanted: Filter, ports: bool) -> End:
        """An address, with a port in brackets where there may be one."""
        token = self.word()
        port = self.port() if ports and self.lexer.peek().kind is Kind.PORT else 0
        return End(self.addresses(token.text, token, wanted, port), None, token)

    def selector(self, wanted: Filter) -> End:
        """An address with a prefix length and a port."""
        token = self.word()
        text, slash, bits = token.text.partition("/")
        if slash and not (bits.isascii() and bits.isdigit()):
            self.unexpected(token)
        port = self.port() if self.lexer.peek().kind is Kind.PORT else 0
        found = self.addresses(text, token, wanted, port)
        if not slash:
            return End(found, None, token)
        length = int(bits[:9])
        if not self.rules.compat and any(length > _bits(address) for address in found):
            self.fail("a prefix longer than the address", token)
        return End(found, self.fitting(length, 255, token), token)

    def addresses(self, text: str, token: Token, wanted: Filter, port: int = 0) -> tuple[SocketAddress, ...]:
        """What an address or a name stands for."""
        host, percent, zone = text.partition("%")
        found: Sequence[IPv4Address | IPv6Address]
        try:
            found = [ip_address(host)]
        except ValueError:
            if wanted.numeric or percent:
                self.fail("a numeric address is needed", token)
            try:
                found = self.rules.names.hosts(text)
            except LookupError:
                self.fail("an unknown host", token)
        scope = self.scope(zone, token) if percent else 0
        fitting = tuple(SocketAddress(ip, port, scope) for ip in found if ip.version in wanted.versions)
        if not fitting:
            self.fail("no address of this family", token)
        return fitting

    def scope(self, zone: str, token: Token) -> int:
        """The number of an interface."""
        if zone.isascii() and zone.isdigit():
            return self.fitting(int(zone[:40]), BITS32, token)
        try:
            return self.rules.names.interface(zone)
        except LookupError:
            self.fail("an unknown interface", token)

    def port(self) -> int:
        """A port in brackets."""
        token = self.lexer.take()
        return self.port_of(token.text, token)

    def port_of(self, text: str, token: Token) -> int:
        """The port of a number, the name of a service, or any."""
        if text == "any":
            return 0
        if text.isascii() and text.isdigit() and int(text[:9]) <= 0xFFFF:
            return int(text)
        try:
            return self.rules.names.service(text)
        except LookupError:
            self.fail("Servname not supported for ai_socktype", token)

    def key(self) -> bytes:
        """A key: quoted text, or 0x and digits. With an odd number of digits the first one is a byte of its own."""
        token = self.lexer.take()
        self.lexer.keys_from = token.at
        if token.kind is Kind.QUOTED:
            if not token.text:
                self.unexpected(token)
            return token.text.encode("utf-8", "surrogateescape")
        digits = token.text[2:]
        if token.kind is not Kind.WORD or token.text[:2].lower() != "0x" or not digits.isascii():
            self.unexpected(token)
        try:
            return bytes.fromhex("0" * (len(digits) % 2) + digits)
        except ValueError:
            self.unexpected(token)

    def quoted(self) -> str:
        """Quoted text that is no key."""
        token = self.lexer.take()
        if token.kind is not Kind.QUOTED:
            self.unexpected(token)
        return token.text


def pairs(src: End, dst: End) -> Iterator[tuple[SocketAddress, SocketAddress]]:
    """Every source with every destination of its family."""
    for source in src.addresses:
        for destination in dst.addresses:
            if source.family == destination.family:
                yield source, destination


def address(exttype: Ext, sockaddr: SocketAddress, prefixlen: int | None = None, proto: int = ANY_PROTOCOL) -> Address:
    """An address extension, for one host unless told."""
    return Address(exttype, sockaddr, proto, _bits(sockaddr) if prefixlen is None else prefixlen)


def _bits(sockaddr: SocketAddress) -> int:
    return 32 if sockaddr.family == 4 else 128


__all__ = ["ANY_PROTOCOL", "BITS32", "BITS64", "End", "Filter", "Reader", "ScriptError", "address", "pairs"]
