"""What ``setkey -D`` of ipsec-tools printed, as values.

The text is lossy, and in these ways it is not what was on the wire:

* times are local time without a zone (these texts were printed in UTC), blanks stand for 0;
* the lifetime lines appear only if LIFETIME_CURRENT is there, and a missing HARD or SOFT is printed as zeros;
* byte counts pass through a C double, so above 2**53 the last digits are rounded;
* ``E:`` is printed only for ESP and ``C:`` only for IPComp, whatever keys the message carries;
* NAT-T (``esp-udp``, ``natt+``, the bracketed ports, ``NAT OA``) shows only if NAT_T_TYPE is there and not 0;
* a key is printed without its bit count: its length is bits / 8;
* the type of NAT-T, prefix lengths, the proxy address and the protocol of the addresses are not printed at all;
* ``sadb_seq`` and ``pid`` are of setkey's own request, so they match a capture only if setkey read that very capture.
"""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import strptime

SATYPES = {"unspec": 0, "ah": 2, "esp": 3, "rsvp": 5, "ospfv2": 6, "ripv2": 7, "mip": 8, "ipcomp": 9}
MODES = {"any": 0, "transport": 1, "tunnel": 2}
STATES = {"larval": 0, "mature": 1, "dying": 2, "dead": 3}
AUTH = {
    "none": 0,
    "hmac-md5": 2,
    "hmac-sha1": 3,
    "hmac-sha256": 5,
    "hmac-sha384": 6,
    "hmac-sha512": 7,
    "hmac-ripemd160": 8,
    "aes-xcbc-mac": 9,
    "md5": 249,
    "sha": 250,
    "null": 251,
}
ENCRYPT = {
    "none": 0,
    "des-cbc": 2,
    "3des-cbc": 3,
    "cast128-cbc": 6,
    "blowfish-cbc": 7,
    "null": 11,
    "aes-cbc": 12,
    "aes-ctr": 13,
    "camellia-cbc": 22,
    "twofish-cbc": 253,
}
COMPRESS = {"none": 0, "oui": 1, "deflate": 2, "lzs": 3}


@dataclass(frozen=True)
class Endpoint:
    """One end on the first line; `port` only with -p, `natt_port` only with NAT-T."""

    ip: IPv4Address | IPv6Address
    port: int | None
    natt_port: int | None


@dataclass(frozen=True)
class PrintedLifetime:
    """One of current, hard, soft. For current, addtime is ``created`` and usetime is ``last``, as on the wire."""

    allocations: int
    bytes: int
    addtime: int
    usetime: int


@dataclass(frozen=True)
class PrintedLabel:
    """The security context. `length` counts the NUL that ends the label, which `text` is without."""

    doi: int
    algorithm: int
    length: int
    text: bytes


@dataclass(frozen=True)
class PrintedSA:
    """One block. A None is a line that setkey did not print."""

    src: Endpoint
    dst: Endpoint
    natt: bool
    satype: int
    mode: int
    spi: int
    reqid: int
    natt_oa: IPv4Address | IPv6Address | None
    auth: int | None
    auth_key: bytes | None
    encrypt: int | None
    encrypt_key: bytes | None
    compress: int | None
    sequence: int
    replay: int
    flags: int
    state: int
    current: PrintedLifetime | None
    hard: PrintedLifetime | None
    soft: PrintedLifetime | None
    sec_ctx: PrintedLabel | None
    sadb_seq: int
    pid: int
    refcnt: int


def number(word: str, names: dict[str, int]) -> int:
    """The value of a word setkey prints by table, or of the number it prints where the table has no word."""
    return names[word] if word in names else int(word)


def moment(words: str) -> int:
    """Seconds since the epoch of ``Nov 23 07:04:14 2026``; 0 for the blanks that stand for it."""
    return timegm(strptime(words.strip(), "%b %d %H:%M:%S %Y")) if words.strip() else 0


def _blocks(text: str) -> Iterator[str]:
    # A block begins in the first column; a line that begins with one space continues the key above it.
    yield from re.findall(r"^\S.*\n(?:[\t ].*\n)*", text, re.MULTILINE)


def _find(pattern: str, block: str) -> tuple[str, ...]:
    found = re.search(pattern, block, re.MULTILINE)
    if found is None:
        raise ValueError(f"no {pattern!r} in {block!r}")
    return found.groups()


def _key(letter: str, names: dict[str, int], block: str) -> tuple[int | None, bytes | None]:
    found = re.search(rf"\t{letter}: (\S+) ((?: [0-9a-f]+)*(?:\n(?: [0-9a-f]+)+)*)\n", block)
    return (number(found[1], names), bytes.fromhex(found[2])) if found else (None, None)


def _end(words: str, natt: bool, with_ports: bool) -> Endpoint:
    ip, *brackets = words.replace("]", "").split("[")
    ports = [int(port) for port in brackets]
    port = ports.pop(0) if with_ports else None
    natt_port = ports.pop(0) if ports and natt else None
    if ports:
        raise ValueError(f"too many ports in {words!r}")
    return Endpoint(ip_address(ip), port, natt_port)


def _lifetimes(block: str) -> tuple[PrintedLifetime, PrintedLifetime, PrintedLifetime] | tuple[None, None, None]:
    if "\tcreated: " not in block:
        return None, None, None
    (created,) = _find(r"^\tcreated: (.{20})\tcurrent: ", block)
    hard_add, soft_add = _find(r"^\tdiff: \S+\(s\)\thard: (\d+)\(s\)\tsoft: (\d+)\(s\)$", block)
    last, hard_use, soft_use = _find(r"^\tlast: (.{20})\thard: (\d+)\(s\)\tsoft: (\d+)\(s\)$", block)
    sizes = _find(r"^\tcurrent: (\d+)\(bytes\)\thard: (\d+)\(bytes\)\tsoft: (\d+)\(bytes\)$", block)
    counts = _find(r"^\tallocated: (\d+)\thard: (\d+)\tsoft: (\d+)$", block)
    added = (moment(created), int(hard_add), int(soft_add))
    used = (moment(last), int(hard_use), int(soft_use))
    current, hard, soft = (PrintedLifetime(int(counts[i]), int(sizes[i]), added[i], used[i]) for i in range(3))
    return current, hard, soft


def _sec_ctx(block: str) -> PrintedLabel | None:
    if "\tsecurity context: " not in block:
        return None
    doi, algorithm, length = (
        int(_find(rf"^\tsecurity context {name}: (\d+)$", block)[0]) for name in ("doi", "algorithm", "length")
    )
    (label,) = _find(r"^\tsecurity context: (.*)$", block)
    return PrintedLabel(doi, algorithm, length, label.encode())


def _sa(block: str, with_ports: bool) -> PrintedSA:
    src, dst = _find(r"^(\S+) (\S+) $", block)
    proto, mode, spi, spi_hex, reqid, reqid_hex = _find(
        r"^\t(\S+) mode=(\S+) spi=(\d+)\(0x(\w{8})\) reqid=(\d+)\(0x(\w{8})\)$", block
    )
    if (int(spi), int(reqid)) != (int(spi_hex, 16), int(reqid_hex, 16)):
        raise ValueError(f"decimal and hexadecimal differ in {block!r}")
    natt = proto == "esp-udp" or proto.startswith("natt+")
    oa = re.search(r"^\tNAT OA=(\S+)$", block, re.MULTILINE)
    auth, auth_key = _key("A", AUTH, block)
    encrypt, encrypt_key = _key("E", ENCRYPT, block)
    compress = re.search(r"\tC: (\S+) ", block)
    sequence, replay, flags, state = _find(r"\tseq=0x(\w{8}) replay=(\d+) flags=0x(\w{8}) state=(\w+) $", block)
    current, hard, soft = _lifetimes(block)
    sadb_seq, pid, refcnt = _find(r"^\tsadb_seq=(\d+) pid=(\d+) refcnt=(\d+)$", block)
    return PrintedSA(
        src=_end(src, natt, with_ports),
        dst=_end(dst, natt, with_ports),
        natt=natt,
        satype=SATYPES["esp" if proto == "esp-udp" else proto.removeprefix("natt+")],
        mode=number(mode, MODES),
        spi=int(spi),
        reqid=int(reqid),
        natt_oa=ip_address(oa[1]) if oa else None,
        auth=auth,
        auth_key=auth_key,
        encrypt=encrypt,
        encrypt_key=encrypt_key,
        compress=number(compress[1], COMPRESS) if compress else None,
        sequence=int(sequence, 16),
        replay=int(replay),
        flags=int(flags, 16),
        state=number(state, STATES),
        current=current,
        hard=hard,
        soft=soft,
        sec_ctx=_sec_ctx(block),
        sadb_seq=int(sadb_seq),
        pid=int(pid),
        refcnt=int(refcnt),
    )


def read_sas(text: str, with_ports: bool = False) -> list[PrintedSA]:
    """The SAs of ``setkey -D`` (`with_ports`: ``setkey -D -p``), in the order printed."""
    return [_sa(block, with_ports) for block in _blocks(text)]
