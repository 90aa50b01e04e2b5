"""Statements about associations: add, getspi, get, delete, deleteall."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from ..spec.grammar_keys import RFC2367_KEYS, KeyLengths
from ..spec.terms import AuthAlgorithm as Auth
from ..spec.terms import CompressAlgorithm, EncryptAlgorithm, MessageType, Mode, NATTType, SAType
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import SAState as State
from ..wire import requests
from ..wire.extensions import SA, Address, Key, Lifetime, SPIRange
from ..wire.extensions_ipsec import (
    SA2,
    HardwareOffload,
    NATTEncapsulation,
    NATTFragment,
    NATTPort,
    ReplayWindow,
    SecurityContext,
)
from ..wire.message import MessageValue
from ..wire.sockaddr import SocketAddress
from ..wire.value import ExtensionValue
from . import keywords
from .keywords import CYCLIC, DELETE_ALL, ESN, MODES, NULL_CIPHER, NULL_MAC, OLD, PADDING, RAW_CPI
from .lexer import Kind, Token
from .reading import ANY_PROTOCOL, BITS32, BITS64, End, Filter, Reader, address, pairs
from .rules import Command

ENCAPSULATED = 4500
"""The port on both sides where none was given (RFC 3948)."""

LARGEST_CPI = 0xFFFF


@dataclass
class Association:
    """What a statement says of an association."""

    satype: SAType
    encapsulated: bool
    original: End | None = None
    spi: int = 0
    mode: Mode = Mode.ANY
    reqid: int = 0
    replay: int = 0
    flags: int = CYCLIC
    auth: Auth = Auth.NONE
    encrypt: EncryptAlgorithm | CompressAlgorithm = EncryptAlgorithm.NONE
    keys: list[Key] = field(default_factory=list)
    hard: dict[str, int] = field(default_factory=dict)
    soft: dict[str, int] = field(default_factory=dict)
    context: SecurityContext | None = None
    natt: tuple[End, End] | None = None
    fragment: int | None = None
    interface: str = ""
    exact: int | None = None
    """All flags, if they were given as a number; this and what follows is for extended scripts alone."""
    ports: tuple[int, int] | None = None
    """Of the addresses."""
    encapsulation: tuple[int, int, int] | None = None
    """Type and ports."""
    ends: tuple[tuple[int, int], tuple[int, int]] | None = None
    """Prefix length and protocol of each address."""
    proxy: tuple[End, int] | None = None
    """And its protocol."""


class Associations:
    """Reads the statements about associations."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.rules = reader.rules
        self.warnings: list[str] = []

    def command(self, verb: Token) -> Command:
        """The command of a statement whose first word was read."""
        self.warnings = []
        wanted = self.reader.filters()
        ports = verb.text == "add" and not self.rules.variant.freebsd
        src, dst = self.reader.endpoint(wanted, ports), self.reader.endpoint(wanted, ports)
        sa = self.protocol()
        if verb.text == "deleteall":
            self.reader.end()
            return self.delete_all(verb, sa.satype, src, dst)
        sa.spi = self.reader.spi()
        self.options(sa)
        if verb.text == "add":
            self.algorithms(sa)
        elif sa.mode is not Mode.ANY and verb.text in ("delete", "get"):
            self.warnings.append("WARNING: mode is obsolete at `;'")
        end = self.reader.end()
        build: Callable[[Association, SocketAddress, SocketAddress], Iterator[ExtensionValue]]
        build = {"add": self.added, "getspi": self.asked_for}.get(verb.text, self.named)
        kind = {"add": MessageType.ADD, "getspi": MessageType.GETSPI, "get": MessageType.GET}.get(
            verb.text, MessageType.DELETE
        )
        found = tuple(
            self.message(kind, sa.satype, (*build(sa, source, destination),)) for source, destination in pairs(src, dst)
        )
        if not found:
            self.reader.fail("addresses of different families", end)
        return Command(verb.text, self.reader.lexer.place(verb.at)[0], found, tuple(self.warnings))

    def message(self, kind: MessageType, satype: SAType, extensions: tuple[ExtensionValue, ...]) -> MessageValue:
        """A request."""
        return MessageValue(kind, satype, extensions=extensions, dialect=self.rules.dialect)

    def delete_all(self, verb: Token, satype: SAType, src: End, dst: End) -> Command:
        """One request on systems that have one for it; else the dump that tells what there is to delete."""
        line = self.reader.lexer.place(verb.at)[0]
        ends = tuple(pairs(src, dst))
        if not ends:
            self.reader.fail("addresses of different families", verb)
        dialect = self.rules.dialect
        if dialect.name in DELETE_ALL:
            every = tuple(requests.delete(satype, None, one, other, dialect=dialect) for one, other in ends)
            return Command(verb.text, line, every)
        return Command(verb.text, line, (requests.dump(satype, dialect=dialect),), between=(satype, ends))

    def protocol(self) -> Association:
        """The word for the protocol, and the original address that esp-udp may have."""
        satype, flags, token = self.satype()
        sa = Association(satype, token.text == "esp-udp", flags=flags | (CYCLIC if self._kame else 0))
        following = self.reader.lexer.peek()
        if sa.encapsulated and following.kind is Kind.WORD and ("." in following.text or ":" in following.text):
            sa.original = self.reader.endpoint(Filter(), ports=False)
        return sa

    def satype(self) -> tuple[SAType, int, Token]:
        """An SA type of the system, its flags, and its word."""
        words = dict(keywords.PROTOCOLS)
        if self.rules.variant.freebsd:
            del words["esp-udp"]
        (satype, flags), token = self.reader.choice(words)
        if satype not in self.rules.dialect.terms["satype"].numbers:
            if not self.rules.compat:
                self.reader.fail(f"{self.rules.dialect.name} has no such associations", token)
            satype = SAType.UNSPEC
        return satype, flags, token

    def options(self, sa: Association) -> None:
        """Options between the SPI and the algorithms."""
        while True:
            token = self.reader.lexer.peek()
            if token.kind is not Kind.WORD or not token.text.startswith("-") or token.text in ("-E", "-A", "-C"):
                return
            self.reader.lexer.take()
            self.option(sa, token)

    def option(self, sa: Association, token: Token) -> None:
        """One option."""
        reader, freebsd = self.reader, self.rules.variant.freebsd
        match token.text:
            case "-m":
                sa.mode, _ = reader.choice(MODES)
            case "-u":
                sa.reqid = reader.number(BITS32)
            case "-r":
                self.window(sa)
            case "-f":
                self.padding(sa)
            case "-lh" | "-ls":
                (sa.hard if token.text == "-lh" else sa.soft)["addtime"] = reader.number(BITS64)
            case "-bh" | "-bs" if not freebsd:
                (sa.hard if token.text == "-bh" else sa.soft)["bytes"] = reader.number(BITS64)
            case "-ctx" if not freebsd:
                sa.context = context(reader)
            case "-natt" if freebsd:
                sa.natt = (reader.endpoint(Filter(), True), reader.endpoint(Filter(), True))
            case "-natt_mtu" if freebsd:
                sa.fragment = reader.number(0xFFFF)
            case "-esn" if freebsd:
                sa.flags |= ESN
            case "-hwif" if freebsd:
                sa.interface = reader.word().text
            case _ if not (self.rules.extended and self.extended_option(sa, token)):
                reader.unexpected(token)

    def extended_option(self, sa: Association, token: Token) -> bool:
        """One option that setkey does not have; False if there is no such either."""
        reader = self.reader
        match token.text:
            case "-mode":
                sa.mode = Mode(self.rules.dialect.terms["mode"].term(reader.number(0xFF)))
            case "-flags":
                sa.exact = reader.spi()
            case "-uh" | "-us":
                (sa.hard if token.text == "-uh" else sa.soft)["usetime"] = reader.number(BITS64)
            case "-ah" | "-as":
                (sa.hard if token.text == "-ah" else sa.soft)["allocations"] = reader.number(BITS32)
            case "-bh" | "-bs":
                (sa.hard if token.text == "-bh" else sa.soft)["bytes"] = reader.number(BITS64)
            case "-ports":
                sa.ports = (reader.number(0xFFFF), reader.number(0xFFFF))
            case "-encap":
                sa.encapsulation = (reader.number(0xFF), reader.number(0xFFFF), reader.number(0xFFFF))
            case "-oa":
                sa.original = reader.endpoint(Filter(numeric=True), ports=False)
            case "-ends":
                sa.ends = ((reader.number(0xFF), reader.number(0xFF)), (reader.number(0xFF), reader.number(0xFF)))
            case "-proxy":
                sa.proxy = (reader.selector(Filter(numeric=True)), reader.number(0xFF))
            case _:
                return False
        return True

    def window(self, sa: Association) -> None:
        """-r: the replay window, in the unit that the system counts it in."""
        token = self.reader.lexer.peek()
        number = self.reader.number(BITS32 >> 3 if self.rules.variant.freebsd else 0xFF)
        if sa.flags & OLD and number:
            self.reader.fail("replay prevention cannot be used with ah/esp-old", token)
        sa.replay = number

    def padding(self, sa: Association) -> None:
        """-f: what stands in the padding, and whether sequence numbers may begin anew."""
        if self.reader.next_is("nocyclic-seq"):
            self.reader.lexer.take()
            sa.flags &= ~CYCLIC
        else:
            bits, _ = self.reader.choice(PADDING)
            sa.flags |= bits

    def algorithms(self, sa: Association) -> None:
        """What protects packets, and with which keys."""
        token = self.reader.word()
        if token.text == "-C" and sa.satype is SAType.IPCOMP:
            self.compression(sa)
        elif token.text == "-E":
            self.encryption(sa)
            if self.reader.next_is("-A"):
                self.reader.lexer.take()
                self.authentication(sa)
        elif token.text == "-A":
            self.authentication(sa)
        else:
            self.reader.unexpected(token)

    def compression(self, sa: Association) -> None:
        """-C."""
        number, token = self.reader.choice(keywords.COMPRESS)
        sa.encrypt = CompressAlgorithm(self.rules.dialect.terms["compress"].term(number))
        if self.reader.next_is("-R"):
            self.reader.lexer.take()
            sa.flags |= RAW_CPI
        if sa.spi > LARGEST_CPI and not self.rules.compat:
            self.reader.fail(f"a compression parameter index above {LARGEST_CPI}", token)

    def encryption(self, sa: Association) -> None:
        """-E."""
        words = keywords.ciphers(self.rules.variant, self.rules.dialect.name)
        cipher, token = self.reader.algorithm(words, keywords.Cipher)
        if cipher.flags and not sa.flags & OLD:
            self.reader.fail("algorithm mismatched", token)
        if cipher.obsolete:
            self.warnings.append(f"WARNING: obsolete algorithm at `{token.text}'")
        sa.flags |= cipher.flags
        sa.encrypt = EncryptAlgorithm(self.rules.dialect.terms["encrypt"].term(cipher.number))
        key = b"" if cipher.number == NULL_CIPHER else self.key(RFC2367_KEYS.encrypt.get(sa.encrypt), token)
        sa.keys.append(Key.of(Ext.KEY_ENCRYPT, key))

    def authentication(self, sa: Association) -> None:
        """-A."""
        words = keywords.macs(self.rules.variant, self.rules.dialect.name)
        number, token = self.reader.algorithm(words, int)
        sa.auth = Auth(self.rules.dialect.terms["auth"].term(number))
        if number != NULL_MAC:
            sa.keys.append(Key.of(Ext.KEY_AUTH, self.key(RFC2367_KEYS.auth.get(sa.auth), token)))

    def key(self, lengths: KeyLengths | None, algorithm: Token) -> bytes:
        """A key that the algorithm can use."""
        key = self.reader.key()
        if lengths is not None and not self.rules.compat and not lengths.allow(len(key) * 8):
            self.reader.fail(f"a key of {len(key) * 8} bits where {lengths} are needed", algorithm)
        return key

    def added(self, sa: Association, src: SocketAddress, dst: SocketAddress) -> Iterator[ExtensionValue]:
        """The extensions of ADD, in setkey's order."""
        yield from sa.keys
        yield from self.limits(sa)
        yield from self.identified(sa, State.LARVAL if self._kame else State.MATURE)
        if self.rules.variant.freebsd:
            yield from self.freebsd_extras(sa)
        kind, sport, dport = NATTType.ESPINUDP, src.port or ENCAPSULATED, dst.port or ENCAPSULATED
        if sa.encapsulation is not None:
            number, sport, dport = sa.encapsulation
            kind = NATTType(number)
        if sa.encapsulated or sa.encapsulation is not None:
            yield NATTEncapsulation(kind)
            if sa.original is not None:
                yield address(Ext.NATT_OA, sa.original.addresses[0])
        yield from self.addresses(sa, src, dst)
        if sa.encapsulated or sa.encapsulation is not None:
            yield from (NATTPort(Ext.NATT_SPORT, sport), NATTPort(Ext.NATT_DPORT, dport))

    def addresses(self, sa: Association, src: SocketAddress, dst: SocketAddress) -> Iterator[ExtensionValue]:
        """Both ends, and the proxy."""
        if sa.ports is not None:
            src, dst = (SocketAddress(end.ip, port, end.scope) for end, port in zip((src, dst), sa.ports, strict=True))
        both = (None, ANY_PROTOCOL)
        (sbits, sproto), (dbits, dproto) = sa.ends or (both, both)
        yield self.end(Ext.ADDRESS_SRC, src, sbits, sproto)
        yield self.end(Ext.ADDRESS_DST, dst, dbits, dproto)
        if sa.proxy is not None:
            end, proto = sa.proxy
            yield self.end(Ext.ADDRESS_PROXY, end.addresses[0], end.prefixlen, proto)

    def freebsd_extras(self, sa: Association) -> Iterator[ExtensionValue]:
        """What FreeBSD's setkey sends between the association and its addresses."""
        if sa.replay > 0xFF:
            yield ReplayWindow(sa.replay << self._unit)
        if sa.natt is not None:
            initiator, responder = (end.addresses[0] for end in sa.natt)
            yield NATTEncapsulation(NATTType.ESPINUDP)
            yield address(Ext.NATT_OA, initiator)
            yield NATTPort(Ext.NATT_SPORT, initiator.port)
            yield address(Ext.NATT_OAR, responder)
            yield NATTPort(Ext.NATT_DPORT, responder.port)
        if sa.fragment is not None:
            yield NATTFragment(sa.fragment)
        if sa.interface:
            yield HardwareOffload(sa.interface)

    def asked_for(self, sa: Association, src: SocketAddress, dst: SocketAddress) -> Iterator[ExtensionValue]:
        """The extensions of GETSPI: a range of one."""
        yield from self.limits(sa)
        yield SPIRange(sa.spi, sa.spi)
        yield from self.named(sa, src, dst)

    def named(self, sa: Association, src: SocketAddress, dst: SocketAddress) -> Iterator[ExtensionValue]:
        """The extensions of GET and DELETE."""
        yield from self.identified(sa)
        yield from (self.end(Ext.ADDRESS_SRC, src), self.end(Ext.ADDRESS_DST, dst))

    def limits(self, sa: Association) -> Iterator[ExtensionValue]:
        """Lifetimes and context, as far as they were given."""
        for exttype, given in ((Ext.LIFETIME_HARD, sa.hard), (Ext.LIFETIME_SOFT, sa.soft)):
            if given:
                yield Lifetime(exttype, **given)
        if sa.context is not None:
            yield sa.context

    def identified(self, sa: Association, state: State = State.LARVAL) -> Iterator[ExtensionValue]:
        """The association itself: setkey leaves it to the system to call it mature, as KAME's systems do."""
        window, flags = min(sa.replay, 0xFF) << self._unit, sa.flags if sa.exact is None else sa.exact
        yield SA(sa.spi, window, state, auth=sa.auth, encrypt=sa.encrypt, flags=flags)
        if self._kame:
            yield SA2(sa.mode, sa.reqid)

    def end(
        self, exttype: Ext, sockaddr: SocketAddress, prefixlen: int | None = None, proto: int = ANY_PROTOCOL
    ) -> Address:
        """An address, with what this system tells of one."""
        found = address(exttype, sockaddr, prefixlen, proto)
        told = self.rules.dialect.by_type[exttype].layout.by_name
        return found if "prefixlen" in told else replace(found, prefixlen=0, proto=0)

    @property
    def _kame(self) -> bool:
        """Whether the system has KAME's additions, and so a setkey of its own."""
        return Ext.SA2 in self.rules.dialect.by_type

    @property
    def _unit(self) -> int:
        """By how many bits the window on the wire differs from packets."""
        return self.rules.dialect.by_type[Ext.SA].layout["replay"].shift


def context(reader: Reader) -> SecurityContext:
    """-ctx: domain of interpretation, algorithm, and the label."""
    doi, algorithm = reader.number(0xFF), reader.number(0xFF)
    label = reader.quoted().encode("utf-8", "surrogateescape")
    return SecurityContext(algorithm, doi, label + b"\0")
