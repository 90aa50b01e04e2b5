"""The decoder and `check` against a kernel: 227 requests, odd ones most of them, and what Linux 6.1 made of each.

linux-errors.md has a line for each case with what send(2) and the kernel's reply said; the captures beside it have the
bytes, by the name of the case. Where we are stricter or laxer than the kernel, the reason stands beside the case.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey import spec

CORPUS = Path(__file__).resolve().parents[1] / "vectors" / "corpus"

STRICTER = {
    "duplicate unknown ext 200": (
        "R-2.3-03",
        "the RFC forbids any type twice; Linux looks for that among the types that it knows",
    ),
    "SA ext of 24 bytes (too long)": (
        "R-2.2-05",
        "the structure has 16 bytes, and another reader may take the rest for an extension; Linux wants no fewer",
    ),
    "SA2 ext of 24 bytes": ("R-2.2-05", "as with the SA extension"),
    "KEY_AUTH: bits 160, ext 8 bytes longer than needed": (
        "R-2.2-02",
        "an extension is as long as what is in it, rounded up to words; Linux reads the bits and no further",
    ),
    "KEY_ENC 127 bits": (
        "R-2.3.4-04",
        "AES has no key of 127 bits; Linux rounds up to bytes and uses 128",
    ),
    "prefixlen 24 and port 500, proto 17 in the SA addresses": (
        "R-2.3.3-06",
        "ports are zero but for negotiations; Linux takes no notice of them here",
    ),
    "state field DEAD (3)": ("R-3.1.3-04", "an association is added mature; Linux makes it so, whatever was asked for"),
    "state field LARVAL (0)": ("R-3.1.3-04", "as with DEAD"),
    "IPCOMP, CPI 0x12345 (> 16 bit)": (
        "R-2.3.1-02",
        "a CPI has 16 bits on the wire, so such an association can never match a packet; Linux stores it",
    ),
    "ACQUIRE from userland, errno 0": (
        "R-3.1.6-11",
        "a bare ACQUIRE reports a failure, so it names one; Linux does nothing and says nothing",
    ),
}
"""What the kernel takes: the rule that it breaks, and why we hold to it."""

_EMPTY = "the table is empty, or nothing in it matches: an answer, not a fault of the request"
_MISSING = "what is asked for does not exist"
_EXISTS = "what is to be made exists already"
_TAKEN = "the only SPI of the range is taken"
LAXER = {
    "DUMP, header only, empty SAD": ("ENOENT", _EMPTY),
    "errno field 5 in a DUMP request": ("ENOENT", f"{_EMPTY}; that errno is not 0 draws a warning"),
    "pid field of somebody else (4242), seq 0xfffffffe": ("ENOENT", _EMPTY),
    "pid 0 seq 0": ("ENOENT", _EMPTY),
    "DUMP satype 9": ("ENOENT", _EMPTY),
    "DUMP with 65528-byte total (len 8191), unknown ext": ("ENOENT", _EMPTY),
    "DUMP with FILTER that matches nothing": ("ENOENT", _EMPTY),
    "DUMP with FILTER splen 33": (
        "ENOENT",
        f"{_EMPTY}; no family is named, so 33 bits may be those of an IPv6 prefix",
    ),
    "DUMP all, empty SAD": ("ENOENT", _EMPTY),
    "SPDDUMP empty": ("ENOENT", _EMPTY),
    "send with MSG_OOB": ("EOPNOTSUPP", "the flag is no part of the message"),
    "second ADD, same dst/proto/spi": ("EEXIST", _EXISTS),
    "same SPI, other source": ("EEXIST", f"{_EXISTS}: Linux does not tell associations apart by their source"),
    "REGISTER ESP again on the same socket": ("EEXIST", _EXISTS),
    "SPDADD duplicate": ("EEXIST", _EXISTS),
    "UPDATE of an unknown SPI": ("ESRCH", _MISSING),
    "GET wrong satype (AH)": ("ESRCH", _MISSING),
    "GET missing": ("ESRCH", _MISSING),
    "DELETE again": ("ESRCH", _MISSING),
    "SPDGET index 0": ("ENOENT", _MISSING),
    "SPDGET dir 9 index 9": ("ENOENT", _MISSING),
    "SPDDELETE missing": ("ENOENT", _MISSING),
    "X_MIGRATE for a missing policy": ("ENOENT", _MISSING),
    "GETSPI same single SPI, other seq": ("ENOENT", _TAKEN),
    "GETSPI same single SPI, same seq as the first": ("ENOENT", _TAKEN),
    "IPCOMP alg 3 (LZS)": (
        "ENOSYS",
        "the number is assigned, and whether a kernel has the algorithm is for its REGISTER reply to say",
    ),
    "SPDDUMP with only a route-optimization policy": (
        "EINVAL",
        "there is a policy that PF_KEY cannot express, which the request cannot know",
    ),
    "SPDDUMP: 5 good policies added after the RO one (so RO is last in the walk)": (
        "errno 234",
        "the same; behind good records the kernel forgets the sign, and EINVAL becomes 256 - 22",
    ),
}
"""What the kernel refuses and we do not: with which error, and why that is not for us to say."""


@dataclass(frozen=True)
class Verdict:
    """What became of one case."""

    case: str
    sent: int
    """Bytes."""
    kernel: str
    """Name of the error of send(2) or of the reply; empty if it was taken, or passed over in silence."""
    decoder: str
    """Name of the fault; empty if the bytes can be read."""
    check: frozenset[str]
    """The rules that are broken."""

    @property
    def refused_by_us(self) -> bool:
        return bool(self.decoder or self.check)


def _table(name: str) -> list[dict[str, str]]:
    with (CORPUS / f"{name}.idx.tsv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def _said() -> dict[str, str]:
    """What send(2) said to each case of the tables of messages, errors by name."""
    found = {}
    for line in (CORPUS / "linux-errors.md").read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"\| (.+?) \| (?:ok|\*\*-1 \d+ (\w+)\*\*) \| (\S.*) \|", line)
        if match:
            found[match[1]] = (match[2] or "").replace("ENOTSUP", "EOPNOTSUPP")
    return found


@cache
def verdicts() -> dict[str, Verdict]:
    """All cases."""
    answered: Counter[str] = Counter()
    for row in _table("linux-errors.bin"):  # where copies of the request are among the replies, their errno is 0
        answered[row["note"]] = max(answered[row["note"]], int(row["errno"]))
    data = (CORPUS / "linux-errors.sent.bin").read_bytes()
    bytes_of = {row["note"]: data[int(row["offset"]) :][: int(row["bytes"])] for row in _table("linux-errors.sent.bin")}
    linux = spec.dialect("linux")
    found = {}
    for case, refusal in _said().items():
        short = re.match(r"\d+", case)  # what is shorter than a header is not in the capture
        message = bytes_of.get(case, bytes(int(short[0])) if short else None)
        assert message is not None, case
        kernel = refusal or (linux.errno_name(answered[case]) if answered[case] else "")
        found[case] = _judged(case, message, kernel)
    return found


def _judged(case: str, message: bytes, kernel: str) -> Verdict:
    batch = pf.decode(message, "linux", "little", on_error="stop")
    if batch.fault or len(batch) != 1:
        fault = batch.fault.fault.name if batch.fault else "NOTHING"
        return Verdict(case, len(message), kernel, fault, frozenset())
    rules = frozenset(item.rule for item in pf.check(batch[0]) if item.level == "error")
    return Verdict(case, len(message), kernel, "", rules)


def test_every_case_is_judged() -> None:
    """As many as there are lines, and most of them bad."""
    assert len(verdicts()) == 227
    assert sum(bool(verdict.kernel) for verdict in verdicts().values()) > 130
    assert sum(verdict.refused_by_us for verdict in verdicts().values()) > 110


@pytest.mark.requirement("R-2.3-06")
def test_what_the_kernel_took_has_no_errors_but_where_we_are_stricter() -> None:
    taken = [verdict for verdict in verdicts().values() if not verdict.kernel]
    assert len(taken) > 80
    assert {item.case: (item.decoder, item.check) for item in taken if item.refused_by_us} == {
        case: ("", {rule}) for case, (rule, _) in STRICTER.items()
    }


@pytest.mark.requirement("R-2.3.1-07", "R-2.3.4-01", "R-2.3.9-02")
def test_what_the_kernel_refused_is_refused_but_where_we_are_laxer() -> None:
    refused = [verdict for verdict in verdicts().values() if verdict.kernel]
    assert {item.case: item.kernel for item in refused if not item.refused_by_us} == {
        case: errno for case, (errno, _) in LAXER.items()
    }


@pytest.mark.parametrize(
    ("case", "kernel", "decoder", "rules"),
    [
        ("15 bytes", "EMSGSIZE", "HEADER_TRUNCATED", set()),
        ("len field 1 (< header)", "EMSGSIZE", "MESSAGE_SHORT", set()),
        ("len field 65535, 16 bytes sent", "EMSGSIZE", "MESSAGE_TRUNCATED", set()),
        ("version 3", "EINVAL", "VERSION", set()),
        ("ext length 0 first", "EINVAL", "EXTENSION_EMPTY", set()),
        ("duplicate SA ext", "EINVAL", "EXTENSION_DUPLICATE", set()),
        ("KEY_AUTH bits 65535", "EINVAL", "KEY_OVERRUN", set()),
        ("SRC address: sockaddr_in cut to 8 bytes", "EINVAL", "SOCKADDR_OVERRUN", set()),
        ("SPDADD request len beyond the ext", "EINVAL", "REQUEST_OVERRUN", set()),
        ("reserved field 1", "EINVAL", "", {"R-2.1-10"}),
        ("GETSPI min > max", "EINVAL", "", {"R-2.3.9-02"}),
        ("well-formed ADD", "", "", set()),
    ],
)
def test_some_as_the_table_shows_them(case: str, kernel: str, decoder: str, rules: set[str]) -> None:
    found = verdicts()[case]
    assert (found.kernel, found.decoder, found.check) == (kernel, decoder, rules)
