"""The text of a policy: direction, priority, type and requests, as libipsec reads it."""

from __future__ import annotations

import re
from typing import NoReturn

from ..spec.terms import Direction, Level, Mode, PolicyType
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions_ipsec import Policy, PolicyRequest
from ..wire.sockaddr import SocketAddress
from .keywords import DIRECTIONS, FARTHEST, LEVELS, MODES, POLICIES, PRIORITIES, REQUESTS
from .lexer import Kind, Token
from .reading import BITS32, Filter, Reader

MIDDLE = PRIORITIES["def"]
PRIORITY = re.compile(
    r"(?:prio|priority)\s+(?:(?P<name>low|def|high)(?:\s*(?P<way>[+-])\s*(?P<far>\d+))?|(?P<sign>-?)\s*(?P<number>\d+))(?!\S)"
)
WORD = re.compile(r"\S+")
ENDS = re.compile(
    r"(?P<src>[^\[\]]*?)(?:\[(?P<sport>[^\[\]]*)\])?-(?P<dst>[^\[\]-][^\[\]]*)(?:\[(?P<dport>[^\[\]]*)\])?"
)
UNKNOWN_ENDS = ("me-any", "any-me")


class PolicyText:
    """Reads the text behind -P."""

    def __init__(self, reader: Reader, text: str, at: int) -> None:
        self.reader = reader
        self.text = text
        self.at = at
        self.position = 0

    def policy(self) -> Policy:
        """The policy. The text may end behind the direction, which is enough to delete one."""
        rules = self.reader.rules
        direction = DIRECTIONS.get(self.word("Too few arguments"))
        if direction is None or direction not in rules.dialect.terms["direction"].numbers:
            self.fail("Invalid direction")
        if not self.more():
            return Policy(PolicyType.DISCARD, direction)
        ordered = "priority" in rules.dialect.by_type[Ext.POLICY].layout.by_name and not rules.variant.freebsd
        priority = self.priority() if ordered else 0
        kind = POLICIES.get(self.word("Too few arguments"))
        if kind is None:
            self.fail("Invalid policy")
        found = []
        while self.more():
            if kind is not PolicyType.IPSEC:
                self.word("")
                self.fail("requests where the policy is not ipsec")
            found.append(self.request(self.word("")))
        return Policy(kind, direction, priority=priority, requests=tuple(found))

    def priority(self) -> int:
        """The priority: the lower the number, the earlier. The one that is asked for is taken from the middle."""
        self.more()
        found = PRIORITY.match(self.text, self.position)
        if found is None:
            return MIDDLE
        self.mark = self.position
        self.position = found.end()
        base = PRIORITIES[found["name"] or "def"]
        far = int((found["far"] or found["number"] or "0")[:20])
        if far > FARTHEST and not self.reader.rules.compat:
            self.fail(f"a priority more than {FARTHEST} away")
        below = found["way"] != "-" and found["sign"] != "-"
        return (base - far if below else base + far) & BITS32

    def request(self, text: str) -> PolicyRequest:
        """One request: protocol, mode, ends and level, with slashes between them."""
        words = text.split("/")
        proto = REQUESTS.get(words[0])
        if proto is None:
            self.fail("Invalid ipsec protocol")
        if len(words) < 2:
            self.fail("Too few arguments")
        if words[1] not in MODES:
            self.fail("Invalid ipsec mode")
        if len(words) > 4:
            self.fail("Invalid ipsec level")
        mode = MODES[words[1]]
        src, dst = self.ends(words[2] if len(words) > 2 else "", mode)
        level, reqid = self.level(words[3] if len(words) > 3 else "default")
        return PolicyRequest(proto, mode, level, reqid, src, dst)

    def ends(self, text: str, mode: Mode) -> tuple[SocketAddress | None, SocketAddress | None]:
        """The ends of a tunnel."""
        if mode is not Mode.TUNNEL and (not text or text in UNKNOWN_ENDS):
            return None, None
        found = ENDS.fullmatch(text)
        if found is None or text in UNKNOWN_ENDS:
            self.fail("Invalid address specification")
        token = self.token()
        ports = [0 if found[name] is None else self.reader.port_of(found[name], token) for name in ("sport", "dport")]
        numeric = Filter(numeric=True)
        src = self.reader.addresses(found["src"], token, numeric, ports[0])[0]
        dst = self.reader.addresses(found["dst"], token, numeric, ports[1])[0]
        if src.family != dst.family:
            self.fail("Family mismatch")
        return src, dst

    def level(self, text: str) -> tuple[Level, int]:
        """The level, and the request id that it may have."""
        word, colon, number = text.partition(":")
        if word not in LEVELS or (colon and (word != "unique" or not number.isascii() or not number.isdigit())):
            self.fail("Invalid ipsec level")
        return LEVELS[word], self.reader.fitting(int(number[:20] or 0), BITS32, self.token()) if colon else 0

    def more(self) -> bool:
        """Whether there is another word."""
        found = WORD.search(self.text, self.position)
        if found is None:
            return False
        self.position = found.start()
        return True

    def word(self, lacking: str) -> str:
        """The next word."""
        found = WORD.search(self.text, self.position)
        self.mark = len(self.text.rstrip()) if found is None else found.start()
        if found is None:
            self.fail(lacking)
        self.position = found.end()
        return found[0]

    def token(self) -> Token:
        """The word that was read last. setkey shows the whole text of the policy instead."""
        if self.reader.rules.compat:
            return Token(Kind.WORD, self.text.rstrip(), self.at)
        return Token(Kind.WORD, self.text[self.mark : self.position].strip(), self.at + self.mark)

    def fail(self, reason: str) -> NoReturn:
        """Refuse the word that was read last."""
        self.reader.fail(reason, self.token())


def forwarded(policy: Policy) -> Policy:
    """The policy for packets that are forwarded, which setkey adds to one for packets that come in."""
    first, *others = policy.requests or (None,)
    if first is not None and first.level is Level.UNIQUE:
        first = PolicyRequest(first.proto, first.mode, Level.REQUIRE, 0, first.src, first.dst)
    rest = tuple(item for item in (first, *others) if item is not None)
    return Policy(policy.type, Direction.FWD, policy.id, policy.priority, requests=rest)
