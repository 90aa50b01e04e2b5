"""Messages made by hand, and what a session makes of them when they arrive in pieces."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.session.dump import DumpAssembly
from fastpfkey.session.scan import Scan, Scanner
from fastpfkey.wire.dialects import codec

PID, SEQ = 4711, 0x0FED_CBA9
FOREIGN = 815
SA = struct.pack("=HHIBBBBI", 2, 1, 0x12345678, 0, 1, 0, 0, 0)


def message(kind: int, seq: int = SEQ, pid: int = PID, errno: int = 0, body: bytes = SA, satype: int = 3) -> bytes:
    """A message of a system of this machine's byte order, by its wire numbers."""
    return struct.pack("=BBBBHHII", 2, kind, errno, satype, 2 + len(body) // 8, 0, seq, pid) + body


def record(seq: int, pid: int = PID, errno: int = 0) -> bytes:
    """An association of a dump."""
    return message(10, seq, pid, errno)


def bare(seq: int = SEQ, pid: int = PID, errno: int = 0, kind: int = 10) -> bytes:
    """A header alone."""
    return message(kind, seq, pid, errno, b"")


def scans(dialect: str, *batches: bytes, byteorder: str = sys.byteorder) -> Iterable[Scan]:
    """What a session sees of batches that arrive one after the other in one buffer."""
    buffer, start = memoryview(b"".join(batches)), 0
    scanner = Scanner(codec(spec.dialect(dialect), byteorder))  # type: ignore[arg-type]
    for batch in batches:
        yield from scanner.scan(buffer, start, start + len(batch))
        start += len(batch)


@dataclass
class Assembled:
    """A dump, and the messages that it consists of."""

    dump: DumpAssembly
    messages: bytes

    @property
    def state(self) -> tuple[bool, int, int | None, int]:
        """Whether it is whole, how many messages it has, how many it lacks, and its error."""
        return self.dump.complete, self.dump.count, self.dump.missing, self.dump.error


def assemble(
    dialect: str, batches: Sequence[bytes], kind: pf.MessageType = pf.MessageType.DUMP, pid: int = PID, seq: int = SEQ
) -> Assembled:
    """Feed batches to a dump, and cut out what it took. Following first what comes as it has to changes nothing."""
    fed, followed = (DumpAssembly(spec.dialect(dialect), kind, pid, seq) for _ in range(2))
    for scan in scans(dialect, *batches):
        fed.feed(scan)
    data, stop = memoryview(b"".join(batches)), 0
    scanner = Scanner(codec(spec.dialect(dialect), sys.byteorder))
    for batch in batches:
        start, stop = stop, stop + len(batch)
        if not followed.done:
            start = followed.follow(scanner, data, start, stop)
            for scan in scanner.scan(data, start, stop):
                followed.feed(scan)
    assert _told(fed) == _told(followed)
    return Assembled(followed, b"".join(data[begin:end] for begin, end in followed.runs))


def _told(dump: DumpAssembly) -> tuple[object, ...]:
    """All that a dump says of itself."""
    faults = [(type(fault), str(fault)) for fault in dump.faults]
    told = (dump.runs, dump.count, dump.done, dump.busy, dump.error, faults, dump.unreadable)
    return *told, dump.complete, dump.missing, dump.duplicates
