"""What ``ip -d -s xfrm state`` and ``ip -d xfrm policy`` printed, as values.

This is the kernel's own view, which PF_KEY shows only in part:

* a transform without a PF_KEY number (``cmac(aes)``) has algorithm 0 on the wire, but its key is sent; an AEAD
  has neither algorithm nor key on the wire;
* ``flag`` noecn, decap-dscp and nopmtudisc become bits 31, 30 and 29 of sadb_sa_flags; the other flags, ESN, the mark,
  if_id and the output mark have no place on the wire;
* ``replay-window`` is sadb_sa_replay; of an ESN state that is 0, its window stands in the ESN line;
* ``sel src`` becomes ADDRESS_PROXY where it is not the SA's own source; ``sel dst`` and the ports are not sent; with
  flag af-unspec iproute2 prints no selector;
* (INF) is 0 on the wire, packets are allocations;
* of a policy's template, the SPI and the algorithm masks have no place on the wire, and its addresses are sent only if
  the mode is tunnel; ``level required`` is UNIQUE if it has a reqid and REQUIRE if not;
* states of protocol 4 and 41 are helpers of tunnel-mode IPComp; PF_KEY dumps neither these nor ``ptype sub`` policies.
"""

from __future__ import annotations

import re
from calendar import timegm
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import strptime

PROTOCOLS = {"esp": 50, "ah": 51, "comp": 108}
MODES = {"transport": 1, "tunnel": 2, "beet": 3}
UPPER_PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "ipv6-icmp": 58, "sctp": 132}
DIRECTIONS = {"in": 1, "out": 2, "fwd": 3}

Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Limits:
    """Hard or soft limits, 0 for none; packets are what PF_KEY calls allocations."""

    bytes: int
    packets: int
    add: int
    use: int


@dataclass(frozen=True)
class Transform:
    """One algorithm line; `trunc` is the number behind the key: the bits kept of a MAC or an AEAD's check value."""

    name: str
    key: bytes
    bits: int
    trunc: int | None


@dataclass(frozen=True)
class Selector:
    """Traffic ends with prefix lengths, the upper protocol (0 for any) and ports; ICMP has type and code there."""

    src: Address
    src_prefixlen: int
    dst: Address
    dst_prefixlen: int
    proto: int
    sport: int
    dport: int


@dataclass(frozen=True)
class State:
    """One SA of the kernel."""

    src: Address
    dst: Address
    proto: int
    spi: int
    reqid: int
    mode: int
    replay_window: int
    flags: frozenset[str]
    auth: Transform | None
    enc: Transform | None
    aead: Transform | None
    comp: str | None
    encap: tuple[str, int, int] | None
    sel: Selector | None
    hard: Limits
    soft: Limits
    current_bytes: int
    current_packets: int
    added: int
    used: int


@dataclass(frozen=True)
class Template:
    """One transform that a policy asks for."""

    src: Address
    dst: Address
    proto: int
    reqid: int
    mode: int
    optional: bool


@dataclass(frozen=True)
class Policy:
    """One policy of the kernel; `ptype` is main or sub."""

    sel: Selector
    dir: int
    allow: bool
    index: int
    priority: int
    ptype: str
    hard: Limits
    soft: Limits
    added: int
    used: int
    templates: tuple[Template, ...]


def _find(pattern: str, block: str) -> tuple[str, ...]:
    found = re.search(pattern, block, re.MULTILINE)
    if found is None:
        raise ValueError(f"no {pattern!r} in {block!r}")
    return found.groups()


def _maybe(pattern: str, block: str) -> re.Match[str] | None:
    return re.search(pattern, block, re.MULTILINE)


def _limit(word: str) -> int:
    return 0 if word == "(INF)" else int(word)


def _limits(block: str) -> tuple[Limits, Limits]:
    size = _find(r"limit: soft (\S+)\(bytes\), hard (\S+)\(bytes\)$", block)
    count = _find(r"limit: soft (\S+)\(packets\), hard (\S+)\(packets\)$", block)
    add = _find(r"expire add: soft (\d+)\(sec\), hard (\d+)\(sec\)$", block)
    use = _find(r"expire use: soft (\d+)\(sec\), hard (\d+)\(sec\)$", block)
    soft, hard = (Limits(_limit(size[i]), _limit(count[i]), int(add[i]), int(use[i])) for i in range(2))
    return hard, soft


def _moment(words: str) -> int:
    return 0 if words == "-" else timegm(strptime(words, "%Y-%m-%d %H:%M:%S"))


def _times(block: str) -> tuple[int, int]:
    added, used = _find(r"^\t  add (-|\S+ \S+) use (-|\S+ \S+)$", block)
    return _moment(added), _moment(used)


def _transform(kind: str, block: str) -> Transform | None:
    found = _maybe(rf"^\t{kind} (\S+) (?:0x([0-9a-f]*) \((\d+) bits\))? ?(\d+)?$", block)
    if found is None:
        return None
    name, key, bits, trunc = found.groups()
    return Transform(name, bytes.fromhex(key or ""), int(bits or 0), int(trunc) if trunc else None)


def _selector(words: str) -> Selector:
    src, src_prefixlen, dst, dst_prefixlen = _find(r"^src (\S+)/(\d+) dst (\S+)/(\d+) ", words)
    numbers = {name: int(value) for name, value in re.findall(r"(sport|dport|type|code) (\d+)", words)}
    proto = re.search(r" proto (\S+)", words)
    return Selector(
        src=ip_address(src),
        src_prefixlen=int(src_prefixlen),
        dst=ip_address(dst),
        dst_prefixlen=int(dst_prefixlen),
        proto=UPPER_PROTOCOLS[proto[1]] if proto else 0,
        sport=numbers.get("sport", numbers.get("type", 0)),
        dport=numbers.get("dport", numbers.get("code", 0)),
    )


def _state(block: str) -> State:
    src, dst = _find(r"^src (\S+) dst (\S+)$", block)
    proto, spi, reqid, mode = _find(r"^\tproto (\S+) spi 0x(\w+)\(\d+\) reqid (\d+)\(0x\w+\) mode (\w+)$", block)
    window, flags = _find(r"^\treplay-window (\d+) seq 0x\w+ flag (.*) \(0x\w+\)$", block)
    encap = _maybe(r"^\tencap type (\S+) sport (\d+) dport (\d+) addr \S+$", block)
    comp = _maybe(r"^\tcomp (\S+) $", block)
    sel = _maybe(r"^\tsel (src .*)$", block)
    size, packets = _find(r"^\t  (\d+)\(bytes\), (\d+)\(packets\)$", block)
    hard, soft = _limits(block)
    added, used = _times(block)
    return State(
        src=ip_address(src),
        dst=ip_address(dst),
        proto=PROTOCOLS[proto] if proto in PROTOCOLS else int(proto),
        spi=int(spi, 16),
        reqid=int(reqid),
        mode=MODES[mode],
        replay_window=int(window),
        flags=frozenset(flags.split()),
        auth=_transform("auth-trunc", block),
        enc=_transform("enc", block),
        aead=_transform("aead", block),
        comp=comp[1] if comp else None,
        encap=(encap[1], int(encap[2]), int(encap[3])) if encap else None,
        sel=_selector(sel[1]) if sel else None,
        hard=hard,
        soft=soft,
        current_bytes=int(size),
        current_packets=int(packets),
        added=added,
        used=used,
    )


def _policy(block: str) -> Policy:
    dir_, action, index, priority, ptype = _find(
        r"^\tdir (\w+) action (\w+) index (\d+) priority (\d+) ptype (\w+) ", block
    )
    templates = re.findall(
        r"^\ttmpl src (\S+) dst (\S+)\n"
        r"\t\tproto (\w+) spi \S+ reqid (\d+)\(\S+\) mode (\w+)\n"
        r"\t\tlevel (use|required) ",
        block,
        re.MULTILINE,
    )
    hard, soft = _limits(block)
    added, used = _times(block)
    return Policy(
        sel=_selector(block),
        dir=DIRECTIONS[dir_],
        allow=action == "allow",
        index=int(index),
        priority=int(priority),
        ptype=ptype,
        hard=hard,
        soft=soft,
        added=added,
        used=used,
        templates=tuple(
            Template(ip_address(src), ip_address(dst), PROTOCOLS[proto], int(reqid), MODES[mode], level == "use")
            for src, dst, proto, reqid, mode, level in templates
        ),
    )


def _blocks(text: str) -> list[str]:
    return re.findall(r"^src .*\n(?:\t.*\n)*", text, re.MULTILINE)


def read_states(text: str) -> list[State]:
    """The SAs of ``ip -d -s xfrm state`` that have a place in PF_KEY, in the order printed."""
    return [state for state in map(_state, _blocks(text)) if state.proto in PROTOCOLS.values()]


def read_policies(text: str) -> list[Policy]:
    """The policies of ``ip -d -s xfrm policy``, in the order printed."""
    return [_policy(block) for block in _blocks(text)]
