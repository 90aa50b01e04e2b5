"""What is compared of a message: every byte of it but what no two runs have in common, and what is said here.

The first part of the deliberate differences between the engine and the kernel: those that are in many messages. Those
of single steps are in `differences`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fastpfkey.engine.framing import Framing
from fastpfkey.spec import dialect
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.dialects import Header

LINUX = dialect("linux")
FRAMING = Framing(LINUX)
HIGHEST_CHOSEN = LINUX.constants["IPSEC_MANUAL_REQID_MAX"]

DIFFERENCES = {
    "reserved": "the header's reserved field: the kernel has reference counts there (ENGINE.md, 8)",
    "times": "when an association or a policy was made and first used, where only whether is compared",
    "policy ids": "counted from where the machine is; compared are the direction in them, and which are the same",
    "request ids": "those that the kernel gives to policies that want one of their own, likewise",
    "random SPIs": "those of a range, where a script has given them a name",
    "ACQUIRE numbers": "counted from where the machine is",
    "proposals": "that of an ACQUIRE, which is empty in the kernel for policies made through PF_KEY (ENGINE.md, 16)",
}
"""What is not compared in any message, and why."""


class Heard(NamedTuple):
    """A message without that."""

    type: Msg
    satype: int
    errno: int
    seq: int | str
    pid: int
    extensions: tuple[str, ...]
    """Each with its type's name and its bytes in hexadecimal."""


class Names:
    """Numbers that an engine chose in this run, by what stands for them."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        """By the names that the script gave them, as they stand in messages."""
        self.acquired = b""
        """The number of the last ACQUIRE."""
        self._policies: dict[int, int] = {}
        self._requests: dict[int, int] = {}
        self._acquires: dict[bytes, str] = {}

    def keep(self, name: str, raw: bytes) -> None:
        """Remember the number in an answer."""
        start, size = place(raw)
        self.kept[name] = raw[start : start + size]

    def policy(self, number: int) -> int:
        """What stands for a policy's id: its direction, and its place among those that were seen."""
        return self._policies.setdefault(number, 8 * (len(self._policies) + 1)) | number & 7

    def request(self, number: int) -> int:
        """What stands for a request id."""
        if number <= HIGHEST_CHOSEN:
            return number
        return HIGHEST_CHOSEN + self._requests.setdefault(number, len(self._requests) + 1)

    def number(self, header: Header) -> int | str:
        """What stands for the number of a message."""
        seq = header.seq.to_bytes(4, FRAMING.codec.byteorder)
        if FRAMING.types.get(header.type) == Msg.ACQUIRE and not header.pid:
            self.acquired = seq
            self._acquires.setdefault(seq, f"ACQUIRE {len(self._acquires) + 1}")
        return self._acquires.get(seq, header.seq)

    def spi(self, raw: bytes) -> str:
        """What stands for an SPI; empty if it may be compared."""
        return next((name for name, number in self.kept.items() if number == raw), "")


def place(raw: bytes) -> tuple[int, int]:
    """Where in a message the id of its policy, or else the SPI, lies."""
    begins = {span.number: span.start for span in FRAMING.spans(raw)}
    for exttype, member in ((Ext.POLICY, "id"), (Ext.SA, "spi")):
        start = begins.get(FRAMING.number(exttype))
        if start is not None:
            return start + LINUX.by_type[exttype].layout[member].offset, 4
    raise AssertionError("neither a policy nor an association")


def normal(raw: bytes, names: Names) -> Heard:
    """A message as it is compared."""
    header = FRAMING.header(raw)
    extensions = []
    end = 16
    for number, start, end in FRAMING.spans(raw):
        known = LINUX.by_number.get(number)
        data = raw[start:end]
        if known is None:
            extensions.append(f"{number} {data.hex()}")
            continue
        change = CHANGES.get(known.type)
        extensions.append(f"{known.type.name} {data.hex() if change is None else change(data, names)}")
    if end < len(raw):
        extensions.append(f"rest {raw[end:].hex()}")
    type = FRAMING.types.get(header.type, Msg.RESERVED)
    return Heard(type, header.satype, header.errno, names.number(header), header.pid, tuple(extensions))


def _sa(data: bytes, names: Names) -> str:
    spi = names.spi(data[4:8])
    return data[:4].hex() + f" {spi} " + data[8:].hex() if spi else data.hex()


def _current(data: bytes, names: Names) -> str:
    """Times as whether they are there."""
    parts = [data[:16].hex()]
    parts += ["set" if any(data[start : start + 8]) else "never" for start in (16, 24)]
    return " ".join(parts)


def _policy(data: bytes, names: Names) -> str:
    changed = bytearray(data)
    order = FRAMING.codec.byteorder
    if len(data) < 16:
        return data.hex()
    changed[8:12] = names.policy(int.from_bytes(data[8:12], order)).to_bytes(4, order)
    position = 16
    while position + 16 <= len(data):
        reqid = int.from_bytes(data[position + 8 : position + 12], order)
        changed[position + 8 : position + 12] = names.request(reqid).to_bytes(4, order)
        size = int.from_bytes(data[position : position + 2], order)
        if not size:
            break
        position += size
    return changed.hex()


def _proposal(data: bytes, names: Names) -> str:
    return "of something"


CHANGES: dict[Ext, Callable[[bytes, Names], str]] = {
    Ext.SA: _sa,
    Ext.LIFETIME_CURRENT: _current,
    Ext.POLICY: _policy,
    Ext.PROPOSAL: _proposal,
}
