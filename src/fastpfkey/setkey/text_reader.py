"""Text that ``setkey -D`` printed, read back as a table: of ipsec-tools, of NetBSD and of FreeBSD.

Each block becomes a message, and the messages become a table, so that the columns are those of any other table. What
the text carries, and so the table: satype, spi, src, dst and their families, state, mode, reqid, replay, flags,
sa2_seq, seq, pid, refcount; auth, encrypt, their keys and lengths where a key is printed, encrypt of IPComp; the
lifetimes current, hard and soft, where there are any (their bytes above 2**53 are rounded); natt_sport, natt_dport and
natt_oa; with -p src_port and dst_port; security contexts, as the extension `sec_ctx`. What it does not carry: prefix
lengths and protocols of addresses, proxies, identities, sensitivities, the type of NAT-T (any stands for ESPINUDP), and
whether a limit that is 0 was there at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from ipaddress import ip_address
from itertools import islice

from .. import spec
from ..columns.associations import SATable
from ..errors import HIDDEN, EncodeError, ScriptError, presentable
from ..spec.model import Dialect
from ..spec.terms import (
    AuthAlgorithm,
    CompressAlgorithm,
    EncryptAlgorithm,
    MessageType,
    Mode,
    NATTType,
    SAState,
    SAType,
)
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import SA, Key, Lifetime
from ..wire.extensions_ipsec import SA2, NATTEncapsulation, NATTPort, ReplayWindow, SecurityContext
from ..wire.message import MessageValue
from ..wire.recovery import OnError
from ..wire.sockaddr import IPAddress, SocketAddress
from ..wire.value import ExtensionValue
from .reading import address
from .words import COMPRESS, FREEBSD, IPCOMP, IPSEC_TOOLS, MODES, SATYPES, STATES

CARRIED = (
    *("satype", "spi", "src", "src_family", "dst", "dst_family", "mode", "reqid", "replay", "flags", "auth", "encrypt"),
    *(f"{limit}_{what}" for limit in ("hard", "soft") for what in ("allocations", "bytes", "addtime", "usetime")),
    *("natt_sport", "natt_dport", "natt_oa", "key_auth", "key_encrypt"),
)
"""What any text carries of what a key manager says, for `diff`."""

EMPTY = ("No SAD entries.", "No SPD entries.")
FIRST = re.compile(r"(?P<src>[^\s\[\]]+)(?P<sports>(?:\[\d+\])*) (?P<dst>[^\s\[\]]+)(?P<dports>(?:\[\d+\])*)")
SECOND = re.compile(
    r"\s*(?P<proto>\S+) mode=(?P<mode>\S+) spi=(?P<spi>\S+?)(?:\(.*?\))? reqid=(?P<reqid>\S+?)(?:\(.*\))?"
)
COMPRESSION = re.compile(r"\s*C: (\S+)\s*")
KEY = re.compile(r"\s*(?P<kind>[EA]): (?P<word>\S+)\s*(?P<digits>.*)")
MEMBER = re.compile(r"(\w+)=(\S+)")
LIMITS = re.compile(
    r"\s*(?P<what>diff|last|current|allocated): (?P<used>.*?)\s*hard: (?P<hard>\d+).*?soft: (?P<soft>\d+)"
)
CREATED = re.compile(r"\s*created: (?P<when>.*?)\s*(?:current:.*)?")
ORIGINAL = re.compile(r"(OA|OAI|OAR)=(\S+)")
CONTEXT = re.compile(r"\s*security context(?: (doi|algorithm|length))?: (.*)")
MEASURES = {"diff": "addtime", "last": "usetime", "current": "bytes", "allocated": "allocations"}
ORIGINALS = {"OA": Ext.NATT_OA, "OAI": Ext.NATT_OA, "OAR": Ext.NATT_OAR}


def is_listing(text: str) -> bool:
    """Whether text looks like what -D prints, which its first lines tell from a script."""
    lines = list(islice(filter(str.strip, text.splitlines()), 2))
    if lines and lines[0].rstrip() == EMPTY[0]:
        return True
    return len(lines) == 2 and bool(FIRST.fullmatch(lines[0].rstrip()) and SECOND.fullmatch(lines[1].rstrip()))


def _numbers(*tables: Mapping[int, str]) -> dict[str, int]:
    """Numbers by word."""
    return {word: number for table in tables for number, word in table.items()}


AUTH = _numbers(FREEBSD.auth, IPSEC_TOOLS.auth)
ENCRYPT = {**_numbers(FREEBSD.encrypt, IPSEC_TOOLS.encrypt), "aes-gmac": 23}
PROTOCOLS = {**_numbers(SATYPES), "unknown": 1}


def read_associations(
    text: str,
    dialect: str | Dialect = "linux",
    *,
    zone: tzinfo | None = None,
    keys: bool = False,
    on_error: OnError = "raise",
) -> SATable:
    """The associations in some text, as a table of a dialect: that of the system that printed it.

    `zone` is where the text was printed, as its times say nothing of that; None is here. `keys=True` keeps the keys.
    Missing line ends, CRLF, keys over several lines, numbers in place of words and sanitised values (which are 0) are
    understood. Raises ScriptError for what is no block, which `on_error="skip"` leaves out and counts, and ValueError
    for a system that has no setkey.
    """
    system = spec.dialect(dialect)
    if Ext.SA2 not in system.by_type:
        raise ValueError(f"{system.name} has no setkey")
    blocks = list(_blocks(text))
    ports = _with_ports(blocks)
    messages = bytearray()
    skipped = 0
    for block in blocks:
        try:
            messages += _Block(block, system, zone, ports).message().encode()
        except (ScriptError, EncodeError) as error:
            if on_error == "raise":
                raise error if isinstance(error, ScriptError) else block.error(str(error)) from None
            if on_error == "stop":
                break
            skipped += 1
    table = SATable.from_buffer(bytes(messages), system, keys=keys)
    table.skipped += skipped
    return table


def _shown(word: str) -> str:
    """What an error may show of a word: a line of digits may be what is left of a key."""
    return HIDDEN if re.search(r"[0-9a-fA-F]{6}|^[0-9a-fA-F:]+$", word) else presentable(word)


@dataclass(frozen=True)
class Block:
    """The lines of one association, keys in one line each, and where it begins."""

    lines: tuple[str, ...]
    line: int

    def error(self, reason: str, number: int = 0) -> ScriptError:
        """What is wrong with it. What is shown of a line is its first word, unless that may be of a key."""
        words = self.lines[number].split() if number < len(self.lines) else []
        return ScriptError(reason, _shown(words[0]) if words else "", self.line + number)

    @property
    def traversing(self) -> bool:
        """Whether the second line tells of NAT traversal."""
        return len(self.lines) > 1 and self.lines[1].lstrip().startswith(("esp-udp", "natt+"))


def _blocks(text: str) -> Iterator[Block]:
    """A block begins in the first column. What begins with a space and a hexadecimal digit goes on with a key."""
    lines: list[str] = []
    begin = 0
    for number, line in enumerate(text.splitlines(), 1):
        line = line.rstrip()
        if not line or line in EMPTY:
            continue
        if not line[0].isspace():
            if lines:
                yield Block(tuple(lines), begin)
            lines, begin = [line], number
        elif lines and re.match(r" [0-9a-fA-F]", line) and re.search(r"\b[EA]: ", lines[-1]):
            lines[-1] += line
        else:
            lines.append(line)
    if lines:
        yield Block(tuple(lines), begin)


def _with_ports(blocks: list[Block]) -> bool:
    """Whether the text was printed with -p: then the first bracket is a port even where there is NAT traversal."""
    for block in blocks:
        found = FIRST.fullmatch(block.lines[0])
        if found and (found["sports"].count("[") > (1 if block.traversing else 0)):
            return True
    return False


class _Block:
    """Makes a message of a block."""

    def __init__(self, block: Block, dialect: Dialect, zone: tzinfo | None, ports: bool) -> None:
        self.block = block
        self.dialect = dialect
        self.zone = zone
        self.ports = ports
        self.found: dict[str, str] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.limits: dict[str, dict[str, int]] = {"current": {}, "hard": {}, "soft": {}}
        self.originals: list[ExtensionValue] = []
        self.context: dict[str, str] = {}
        self.compress: str | None = None
        self.lives = False

    def message(self) -> MessageValue:
        """The message. Raises ScriptError."""
        lines = self.block.lines
        ends = FIRST.fullmatch(lines[0])
        if ends is None:
            raise self.block.error("two addresses are needed")
        traversing = self.block.traversing
        src = self.end(ends["src"], ends["sports"], traversing)
        dst = self.end(ends["dst"], ends["dports"], traversing)
        second = SECOND.fullmatch(lines[1]) if len(lines) > 1 else None
        if second is None:
            raise self.block.error("a line with mode, spi and reqid is needed behind", 0)
        for line in lines[2:]:
            self.line(line)
        word = second["proto"]
        kind = _number("esp" if word == "esp-udp" else word.removeprefix("natt+"), PROTOCOLS)
        satype = SAType(self.dialect.terms["satype"].term(kind))
        mode = Mode(self.dialect.terms["mode"].term(_number(second["mode"], _numbers(MODES))))
        extensions: list[ExtensionValue] = [*self.associated(_number(second["spi"], {}), kind)]
        extensions += self.lifetimes()
        extensions += [address(Ext.ADDRESS_SRC, src[0]), address(Ext.ADDRESS_DST, dst[0])]
        extensions += self.key_values()
        extensions.append(SA2(mode, _number(second["reqid"], {}), _number(self.found.get("seq", "0"), {})))
        if traversing:
            extensions.append(NATTEncapsulation(NATTType.ESPINUDP))
            ports = ((Ext.NATT_SPORT, src[1]), (Ext.NATT_DPORT, dst[1]))
            extensions += [NATTPort(exttype, port) for exttype, port in ports if port is not None]
            extensions += self.originals
        extensions += self.label()
        seq, pid, refcount = (_number(self.found.get(name, "0"), {}) for name in ("sadb_seq", "pid", "refcnt"))
        message = MessageValue(MessageType.DUMP, satype, extensions=tuple(extensions), dialect=self.dialect)
        return message.replace(seq=seq, pid=pid, reserved=refcount)

    def line(self, line: str) -> None:
        """Take what a line tells; one that tells nothing known is passed over."""
        compression = COMPRESSION.match(line)
        if compression is not None:
            self.compress = compression[1]
            line = line[compression.end() :]
        if limits := LIMITS.match(line):
            self.limited(limits)
        elif created := CREATED.fullmatch(line):
            self.lives = True
            self.limits["current"]["addtime"] = self.moment(created["when"])
        elif key := KEY.fullmatch(line):
            self.keys[key["kind"]] = (key["word"], key["digits"])
        elif context := CONTEXT.fullmatch(line):
            self.context[context[1] or "label"] = context[2]
        elif "NAT" in line.split(":")[0].split("=")[0]:
            self.originals += [
                address(ORIGINALS[name], SocketAddress(self.ip(text))) for name, text in ORIGINAL.findall(line)
            ]
        else:
            self.found.update(MEMBER.findall(line))

    def limited(self, found: re.Match[str]) -> None:
        """One of the lines with hard and soft limits; what the numbers measure is said by the first word."""
        measure = MEASURES[found["what"]]
        self.limits["hard"][measure] = _leading(found["hard"])
        self.limits["soft"][measure] = _leading(found["soft"])
        if measure == "usetime":
            self.limits["current"][measure] = self.moment(found["used"])
        elif measure != "addtime":
            self.limits["current"][measure] = _leading(found["used"])

    def moment(self, text: str) -> int:
        """Unix time of a local date; 0 for blanks, and for what was sanitised."""
        try:
            local = datetime.strptime(" ".join(text.split()), "%b %d %H:%M:%S %Y")
            there = local.astimezone() if self.zone is None else local.replace(tzinfo=self.zone)
            return max(int(there.timestamp()), 0)
        except (ValueError, OverflowError, OSError):
            return 0

    def end(self, text: str, brackets: str, traversing: bool) -> tuple[SocketAddress, int | None]:
        """An address with its port, and the port of the encapsulation."""
        numbers = [min(int(number[:9]), 0xFFFF) for number in re.findall(r"\d+", brackets)]
        port = numbers.pop(0) if numbers and (self.ports or not traversing) else 0
        host, _, scope = text.partition("%")
        number = _leading(scope)
        return SocketAddress(self.ip(host), port, number), numbers[0] if numbers and traversing else None

    def ip(self, text: str) -> IPAddress:
        """An address. Raises ScriptError."""
        try:
            return ip_address(text.partition("%")[0])
        except ValueError:
            raise ScriptError("an address is needed", _shown(text), self.block.line) from None

    def associated(self, spi: int, kind: int) -> Iterator[ExtensionValue]:
        """The association itself."""
        terms = self.dialect.terms
        encrypt: EncryptAlgorithm | CompressAlgorithm
        if kind == IPCOMP:
            number = _number(self.compress or "0", _numbers(COMPRESS))
            encrypt = CompressAlgorithm(terms["compress"].term(number))
        else:
            encrypt = EncryptAlgorithm(terms["encrypt"].term(_number(self.keys.get("E", ("0", ""))[0], ENCRYPT)))
        auth = AuthAlgorithm(terms["auth"].term(_number(self.keys.get("A", ("0", ""))[0], AUTH)))
        state = SAState(terms["state"].term(_number(self.found.get("state", "0"), _numbers(STATES))))
        window = _number(self.found.get("replay", "0"), {})
        shift = self.dialect.by_type[Ext.SA].layout["replay"].shift
        flags = _number(self.found.get("flags", "0"), {})
        yield SA(spi, min(window, 0xFF) << shift, state, auth, encrypt, flags)
        if window > 0xFF and Ext.SA_REPLAY in self.dialect.by_type:
            yield ReplayWindow(window << shift)

    def lifetimes(self) -> Iterator[ExtensionValue]:
        """Three, if there are any."""
        if self.lives:
            yield Lifetime(Ext.LIFETIME_CURRENT, **self.limits["current"])
            yield Lifetime(Ext.LIFETIME_HARD, **self.limits["hard"])
            yield Lifetime(Ext.LIFETIME_SOFT, **self.limits["soft"])

    def key_values(self) -> Iterator[ExtensionValue]:
        """Keys; one that was hidden is empty."""
        for letter, exttype in (("A", Ext.KEY_AUTH), ("E", Ext.KEY_ENCRYPT)):
            if letter in self.keys:
                digits = "".join(self.keys[letter][1].split())
                good = len(digits) % 2 == 0 and re.fullmatch(r"[0-9a-fA-F]*", digits)
                yield Key.of(exttype, bytes.fromhex(digits) if good else b"")

    def label(self) -> Iterator[ExtensionValue]:
        """The security context."""
        if "label" in self.context and Ext.SEC_CTX in self.dialect.by_type:
            algorithm, doi = (_number(self.context.get(name, "0"), {}) for name in ("algorithm", "doi"))
            yield SecurityContext(algorithm & 0xFF, doi & 0xFF, self.context["label"].encode() + b"\0")


def _number(word: str, words: Mapping[str, int]) -> int:
    """The number of a word, or that which stands in its place; 0 for what was sanitised."""
    if word in words:
        return words[word]
    try:
        return max(int(word[:40], 16 if word[:2].lower() == "0x" else 10), 0)
    except ValueError:
        return 0


def _leading(text: str) -> int:
    found = re.match(r"\d+", text)
    return int(found[0][:40]) if found else 0
