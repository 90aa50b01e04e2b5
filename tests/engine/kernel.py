"""What a real Linux kernel was sent and what it said, and when; see tests/vectors/corpus/PROVENANCE.md."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[1] / "vectors" / "corpus"

_SENT = re.compile(r"^\| (?P<case>.*) \| (?:ok|\*\*-1 (?P<errno>\d+) \w+\*\*) \| .* \|$", re.MULTILINE)


@dataclass(frozen=True)
class Datagram:
    """One message of a capture."""

    time: float
    raw: bytes
    note: str


@dataclass(frozen=True)
class Case:
    """One request, and what came back to its sender before the next one."""

    request: Datagram
    until: float
    answers: tuple[bytes, ...]
    send_errno: int


def capture(name: str) -> list[Datagram]:
    """The messages of a capture, by its index."""
    data = (CORPUS / f"{name}.bin").read_bytes()
    with (CORPUS / f"{name}.bin.idx.tsv").open(encoding="utf-8", newline="") as index:
        return [
            Datagram(float(row["t_mono"]), data[(at := int(row["offset"])) : at + int(row["bytes"])], row["note"])
            for row in csv.DictReader(index, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]


def cases() -> list[Case]:
    """The requests of linux-errors.md that have 16 bytes or more, in order."""
    sent, heard = capture("linux-errors.sent"), capture("linux-errors")
    errnos = {
        row["case"]: int(row["errno"] or 0)
        for row in _SENT.finditer((CORPUS / "linux-errors.md").read_text(encoding="utf-8"))
    }
    ends = [*(item.time for item in sent[1:]), float("inf")]
    return [
        Case(
            request,
            end,
            tuple(item.raw for item in heard if request.time <= item.time < end),
            errnos[request.note],
        )
        for request, end in zip(sent, ends, strict=True)
    ]


@dataclass(frozen=True)
class Seen:
    """What one socket saw in a step, as the timeline has it: all but the bytes."""

    type: str
    satype: int
    errno: int
    seq: int
    size: int


@dataclass(frozen=True)
class Step:
    """One thing that was done, and what four sockets saw of it."""

    name: str
    start: float
    shell: str
    sent: bool
    seen: dict[str, list[Seen]]


def timeline() -> list[Step]:
    """The steps of linux-events, in order."""
    steps: list[Step] = []
    with (CORPUS / "linux-events.timeline.tsv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            begins = row["socket"] in ("SENT", "shell")
            if begins or not steps or steps[-1].name != row["step"]:
                shell = row["type"] if row["socket"] == "shell" else ""
                steps.append(Step(row["step"], float(row["t"]), shell, row["socket"] == "SENT", {}))
            if not begins:
                one = Seen(row["type"], int(row["satype"]), int(row["errno"]), int(row["seq"]), int(row["bytes"]))
                steps[-1].seen.setdefault(row["socket"], []).append(one)
    return steps
