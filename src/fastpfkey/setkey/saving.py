"""Associations as a script that makes them again.

The script is setkey's own, as far as setkey has words. What it has none for (proxies, prefix lengths, flags, limits of
use, algorithms without a word) stands in lines that begin with ``#:``, which setkey passes over as comments and which
`Rules.extended` reads: so setkey makes of the script what it can, and `fastpfkey load` all of it. What even that cannot
say is listed: associations without the algorithms or keys that ADD needs, and extensions that are no part of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ..spec.grammar import grammar
from ..spec.model import Dialect
from ..spec.profiles import PROFILES
from ..spec.terms import AuthAlgorithm, EncryptAlgorithm, MessageType, NATTType, SAState, SAType
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import SA, Address, Key, Lifetime
from ..wire.extensions_ipsec import SecurityContext
from ..wire.message import Message
from ..wire.sockaddr import SocketAddress
from ..wire.value import ExtensionValue
from . import keywords
from .keywords import CYCLIC, NULL_CIPHER, NULL_MAC, OLD, PADDING, RAW_CPI
from .reading import ANY_PROTOCOL
from .words import Variant

SAID = frozenset(
    {
        *(Ext.SA, Ext.SA2, Ext.LIFETIME_CURRENT, Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT, Ext.KEY_AUTH, Ext.KEY_ENCRYPT),
        *(Ext.ADDRESS_SRC, Ext.ADDRESS_DST, Ext.ADDRESS_PROXY, Ext.NATT_TYPE, Ext.NATT_SPORT, Ext.NATT_DPORT),
        *(Ext.NATT_OA, Ext.SA_REPLAY, Ext.SEC_CTX),
    }
)
"""Extensions of a dump that a statement tells, or that ADD does not take."""


@dataclass
class Script:
    """A script under way, and what is not in it."""

    dialect: Dialect
    variant: Variant
    count: int = 0
    """Statements so far."""
    omitted: list[str] = field(default_factory=list)
    """What was left out, a sentence each."""

    def statements(self, messages: Iterable[Message]) -> Iterator[str]:
        """A statement for each association that can be made again."""
        for message in messages:
            sa, src, dst = message.sa, message.address_src, message.address_dst
            if message.type is not MessageType.DUMP or message.errno or sa is None or src is None or dst is None:
                continue
            statement = _Statement(self, message, sa, src, dst)
            reason = statement.impossible()
            if reason:
                self.omitted.append(f"{statement.name}: left out: {reason}")
                continue
            for extension in message.extensions:
                if extension.exttype not in SAID or not quotable(extension):
                    self.omitted.append(f"{statement.name}: without its {extension.exttype.label}")
            self.count += 1
            yield statement.text()


class _Statement:
    """Makes the statement of one association."""

    def __init__(self, script: Script, message: Message, sa: SA, src: Address, dst: Address) -> None:
        self.message = message
        self.dialect = script.dialect
        self.freebsd = script.variant.freebsd
        self.variant = script.variant
        self.sa, self.src, self.dst = sa, src, dst
        self.beyond = False  # whether there is no setkey that can read the statement

    @property
    def name(self) -> str:
        """What people call the association."""
        return f"{self.message.satype.label} 0x{self.sa.spi:08x} {self.src.ip} {self.dst.ip}"

    def impossible(self) -> str:
        """Why no ADD can make it again; empty if one can."""
        if self.message.satype not in WORDS:
            return f"no word for {self.message.satype.label}"
        if self.sa.state in (SAState.LARVAL, SAState.DEAD):
            return f"it is {self.sa.state.label}"
        if self.src.ip is None or self.dst.ip is None:
            return "its addresses are not IP"
        for key, number, none in (
            (self.message.key_encrypt, self.cipher, NULL_CIPHER),
            (self.message.key_auth, self.mac, NULL_MAC),
        ):
            if key is not None and key.bits % 8:
                return "a key has no whole bytes"
            if number == 0 and key is not None and key.bits:
                return "the dump shows a key, but not for which algorithm"
            if number not in (0, none) and (key is None or not key.bits):
                return "the dump does not show its key"
        if self.message.satype is not SAType.IPCOMP and not self.cipher and not self.mac:
            return "the dump does not show its algorithms"
        if self.message.satype is SAType.IPCOMP and not self.compression:
            return "no word for its compression"
        return ""

    @property
    def cipher(self) -> int:
        """The number of the encryption; 0 for none."""
        if not isinstance(self.sa.encrypt, EncryptAlgorithm):
            return 0
        return self.dialect.terms["encrypt"].number(self.sa.encrypt)

    @property
    def mac(self) -> int:
        """The number of the authentication; 0 for none."""
        return self.dialect.terms["auth"].number(AuthAlgorithm(self.sa.auth))

    @property
    def compression(self) -> str:
        """The word for the compression."""
        number = int(self.dialect.terms["compress"].number(self.sa.encrypt))
        return word_of(keywords.COMPRESS, number)

    def text(self) -> str:
        """The statement, in up to three lines."""
        algorithms = " ".join(self.algorithms())
        head = " ".join(["add", *self.ends(), f"0x{self.sa.spi:x}", *self.options()])
        more = " ".join(self.more())
        lines = [head, *([f"#: {more}"] if more else []), f"    {algorithms} ;"]
        if self.beyond:
            lines = [line if line.startswith("#:") else f"#: {line}" for line in lines]
        return "\n".join(lines) + "\n"

    def ends(self) -> Iterator[str]:
        """Addresses and protocol."""
        encapsulated = self._encapsulated
        for end, port in ((self.src, self._natt_ports[0]), (self.dst, self._natt_ports[1])):
            scope = f"%{end.scope}" if end.scope else ""
            shown = port if encapsulated else 0 if self.freebsd else end.port
            yield f"{end.ip}{scope}" + (f"[{shown}]" if shown else "")
        word = "esp-udp" if encapsulated else WORDS[self.message.satype]
        yield f"{word}-old" if self._old else word
        if encapsulated and self.message.natt_oa is not None:
            yield str(self.message.natt_oa.ip)

    def options(self) -> Iterator[str]:
        """What setkey has options for."""
        sa2 = self.message.sa2
        if sa2 is not None:
            yield from ("-m", word_of(keywords.MODES, sa2.mode)) if sa2.mode in keywords.MODES.values() else ()
            yield from ("-u", str(sa2.reqid)) if sa2.reqid else ()
        window = self.message.sa_replay.replay if self.message.sa_replay is not None else self.sa.replay
        if window:
            yield from ("-r", str(window >> self.dialect.by_type[Ext.SA].layout["replay"].shift))
        yield from () if self.sa.flags & CYCLIC else ("-f", "nocyclic-seq")
        for word, bit in PADDING.items():
            yield from ("-f", word) if bit and self.sa.flags & bit else ()
        yield from self.limits("addtime", "-l")
        if not self.freebsd:
            yield from self.limits("bytes", "-b")
            yield from label_of(self.message)

    def more(self) -> Iterator[str]:
        """What it has none for."""
        sa2 = self.message.sa2
        known = CYCLIC | (OLD if self._old else 0) | sum(PADDING.values())
        known |= RAW_CPI if self.message.satype is SAType.IPCOMP else 0
        if sa2 is not None and sa2.mode not in keywords.MODES.values():
            yield from ("-mode", str(self.dialect.terms["mode"].number(sa2.mode)))
        if self.sa.flags & ~known:
            yield from ("-flags", f"0x{self.sa.flags:x}")
        if self.freebsd:
            yield from self.limits("bytes", "-b")
        yield from self.limits("usetime", "-u")
        yield from self.limits("allocations", "-a")
        ports = (self.src.port, self.dst.port)
        if self._encapsulated or self.freebsd:
            implied = self._natt_ports if self._encapsulated else (0, 0)
            yield from ("-ports", *map(str, ports)) if ports != implied else ()
        if self.message.natt_type is not None and not self._encapsulated:
            yield from ("-encap", str(int(self.message.natt_type.type)), *map(str, self._natt_ports))
            yield from ("-oa", str(self.message.natt_oa.ip)) if self.message.natt_oa is not None else ()
        if any(_unlike_setkey(end) for end in (self.src, self.dst)):
            ends = (self.src, self.dst)
            yield from ("-ends", *(str(n) for end in ends for n in (end.prefixlen, end.proto)))
        proxy = self.message.address_proxy
        if proxy is None and PROFILES[self.dialect.name].source_is_no_proxy:
            proxy = replace(self.src, exttype=Ext.ADDRESS_PROXY, sockaddr=SocketAddress(self.src.ip))
        form = grammar(self.dialect).form(MessageType.ADD, to_engine=True, bare=False)
        if proxy is not None and proxy.ip is not None and form is not None and Ext.ADDRESS_PROXY in form.known:
            port = f"[{proxy.port}]" if proxy.port else ""
            yield from ("-proxy", f"{proxy.ip}/{proxy.prefixlen}{port}", str(proxy.proto))

    def limits(self, what: str, option: str) -> Iterator[str]:
        """The hard and soft limits of one kind."""
        for letter, limit in (("h", self.message.lifetime_hard), ("s", self.message.lifetime_soft)):
            number = getattr(limit, what) if isinstance(limit, Lifetime) else 0
            yield from (f"{option}{letter}", str(number)) if number else ()

    def algorithms(self) -> Iterator[str]:
        """Algorithms and keys."""
        if self.message.satype is SAType.IPCOMP:
            yield from ("-C", self.compression)
            yield from ("-R",) if self.sa.flags & RAW_CPI else ()
            return
        words = keywords.ciphers(self.variant, self.dialect.name)
        if self.cipher:
            plain = {word: cipher.number for word, cipher in words.items() if not cipher.flags and not cipher.obsolete}
            yield from ("-E", self.algorithm(plain, self.cipher), *_key(self.message.key_encrypt))
        if self.mac:
            macs = keywords.macs(self.variant, self.dialect.name)
            yield from ("-A", self.algorithm(macs, self.mac), *_key(self.message.key_auth))

    def algorithm(self, words: Mapping[str, int], number: int) -> str:
        """The word for an algorithm, or its number, which setkey would not read."""
        word = word_of(words, number)
        self.beyond = self.beyond or not word
        return word or str(number)

    @property
    def _old(self) -> bool:
        """Whether setkey's word for the old kind says so: it goes without a replay window."""
        plain = self.message.satype in (SAType.AH, SAType.ESP) and not self._encapsulated
        return plain and bool(self.sa.flags & OLD) and not self.sa.replay and self.message.sa_replay is None

    @property
    def _natt_ports(self) -> tuple[int, int]:
        sport, dport = self.message.natt_sport, self.message.natt_dport
        return (sport.port if sport is not None else 0, dport.port if dport is not None else 0)

    @property
    def _encapsulated(self) -> bool:
        """Whether setkey's own word for encapsulation says all of it."""
        kind = self.message.natt_type
        plain = kind is not None and kind.type is NATTType.ESPINUDP and all(self._natt_ports)
        return plain and self.message.satype is SAType.ESP and not self.freebsd


WORDS = {
    SAType.AH: "ah",
    SAType.ESP: "esp",
    SAType.IPCOMP: "ipcomp",
    SAType.TCPSIGNATURE: "tcp",
}


def label_of(message: Message) -> tuple[str, ...]:
    """The security context of a message as an option, if it has one that can be quoted."""
    label = message.sec_ctx
    if label is None or not quotable(label):
        return ()
    text = label.context.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return "-ctx", str(label.doi), str(label.algorithm), f'"{text}"'


def quotable(extension: ExtensionValue) -> bool:
    """Whether an extension can stand in a script: a label that has quotes or line ends in it cannot."""
    return not isinstance(extension, SecurityContext) or not set(b'"\n\r') & set(extension.context)


def word_of(words: Mapping[str, int], number: int) -> str:
    """The first word for a number; empty if there is none."""
    return next((word for word, value in words.items() if value == number), "")


def _key(key: Key | None) -> tuple[str, ...]:
    return (f"0x{key.reveal().hex()}",) if key is not None and key.bits else ()


def _unlike_setkey(end: Address) -> bool:
    """Whether prefix or protocol are not those that setkey sends."""
    return end.prefixlen != {4: 32, 6: 128}.get(end.family) or end.proto != ANY_PROTOCOL
