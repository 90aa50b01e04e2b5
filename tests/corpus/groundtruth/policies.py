"""What ``setkey -DP`` of ipsec-tools printed, as values.

The text is lossy, and in these ways it is not what was on the wire:

* a prefix is printed only if it is not the full length of the address;
* the ports of icmp, icmp6 and mh selectors are printed as ``type,code`` and those of gre as one key, only if not 0;
* a policy whose requests setkey cannot name (mode beet) is printed as ``Policy:[reason]``, without direction, requests;
* of the lifetimes only addtime and usetime are printed: ``created`` and ``lastused`` of CURRENT, ``lifetime`` and
  ``validtime`` of HARD; the SOFT one is not;
* ``created`` is local time (these texts were printed in UTC), and ``seq`` and ``pid`` are of setkey's own request;
* ports of a request's addresses are printed only with -p.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from .setkey import MODES, moment, number

DIRECTIONS = {"in": 1, "out": 2, "fwd": 3}
TYPES = {"discard": 0, "none": 1, "ipsec": 2}
PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "ipv6-icmp": 58, "sctp": 132}
REQUEST_PROTOCOLS = {"esp": 50, "ah": 51, "ipcomp": 108}
LEVELS = {"default": 0, "use": 1, "require": 2, "unique": 3}
PRIORITIES = {"high": 0x40000000, "def": 0x80000000, "low": 0xC0000000}


@dataclass(frozen=True)
class Selector:
    """One end of the traffic a policy is for; `proto` is the same for both ends."""

    ip: IPv4Address | IPv6Address
    prefixlen: int
    port: int
    proto: int


@dataclass(frozen=True)
class PrintedRequest:
    """One line ``proto/mode/src-dst/level``; no addresses where none are printed."""

    proto: int
    mode: int
    level: int
    reqid: int
    src: tuple[IPv4Address | IPv6Address, int] | None
    dst: tuple[IPv4Address | IPv6Address, int] | None


@dataclass(frozen=True)
class PrintedPolicy:
    """One block. `unprintable` is setkey's reason for not printing dir, type, priority and requests."""

    src: Selector
    dst: Selector
    unprintable: str | None
    dir: int | None
    type: int | None
    priority: int | None
    requests: tuple[PrintedRequest, ...]
    created: int
    lastused: int
    lifetime: int
    validtime: int
    spid: int
    seq: int
    pid: int
    refcnt: int


def _selectors(line: str) -> tuple[Selector, Selector]:
    src, dst, name, *extra = line.split()
    proto = number(name, PROTOCOLS)
    ports = {"src": 0, "dst": 0}
    if extra and proto == PROTOCOLS["gre"]:
        ports["src"], ports["dst"] = divmod(int(extra[0]), 65536)
    elif extra:
        ports["src"], ports["dst"] = (int(item) for item in extra[0].split(","))
    ends = []
    for words, port in ((src, ports["src"]), (dst, ports["dst"])):
        address, plen, bracket = re.fullmatch(r"([0-9a-f:.]+)(?:/(\d+))?(?:\[(\w+)\])?", words).groups()  # type: ignore[union-attr]
        ip = ip_address(address)
        if bracket is not None:
            port = 0 if bracket == "any" else int(bracket)
        ends.append(Selector(ip, ip.max_prefixlen if plen is None else int(plen), port, proto))
    return ends[0], ends[1]


def _priority(base: str | None, sign: str | None, distance: str | None) -> int:
    if base is None:
        return 0
    offset = int(distance or 0)
    # "+ N" is more important, which is a smaller number.
    return PRIORITIES[base] - (offset if sign == "+" else -offset)


def _request(line: str) -> PrintedRequest:
    proto, mode, addresses, level = line.split("/")
    name, _, reqid = re.sub("[:#]", " ", level).partition(" ")
    ends: list[tuple[IPv4Address | IPv6Address, int] | None] = [None, None]
    if addresses:
        ends = []
        for words in addresses.split("-"):
            ip, _, port = words.rstrip("]").partition("[")
            ends.append((ip_address(ip), int(port or 0)))
    return PrintedRequest(
        number(proto, REQUEST_PROTOCOLS), number(mode, MODES), LEVELS[name], int(reqid or 0), ends[0], ends[1]
    )


def _policy(block: str) -> PrintedPolicy:
    first, second, *rest = (line.strip("\t") for line in block.splitlines())
    src, dst = _selectors(first)
    refused = re.fullmatch(r"Policy:\[(.*)\]", second)
    words = re.fullmatch(r"(\w+)(?: prio (\w+)(?: ([+-]) (\d+))?)? (\w+)", second)
    if not refused and not words:
        raise ValueError(f"no direction and type in {second!r}")
    tail = "\n".join(rest)
    found = re.search(
        r"created: (?P<created>.{20})  lastused: (?P<lastused>.{20})\n"
        r"lifetime: (?P<lifetime>\d+)\(s\) validtime: (?P<validtime>\d+)\(s\)\n"
        r"spid=(?P<spid>\d+) seq=(?P<seq>\d+) pid=(?P<pid>\d+)\nrefcnt=(?P<refcnt>\d+)$",
        tail,
    )
    if found is None:
        raise ValueError(f"unfinished block {block!r}")
    return PrintedPolicy(
        src=src,
        dst=dst,
        unprintable=refused[1] if refused else None,
        dir=DIRECTIONS[words[1]] if words else None,
        type=TYPES[words[5]] if words else None,
        priority=_priority(words[2], words[3], words[4]) if words else None,
        requests=tuple(_request(line) for line in tail[: found.start()].splitlines()),
        created=moment(found["created"]),
        lastused=moment(found["lastused"]),
        **{name: int(found[name]) for name in ("lifetime", "validtime", "spid", "seq", "pid", "refcnt")},
    )


def read_policies(text: str) -> list[PrintedPolicy]:
    """The policies of ``setkey -DP``, with or without -p, in the order printed."""
    return [_policy(block) for block in re.findall(r"^\S.*\n(?:\t.*\n)*", text, re.MULTILINE)]
