"""Text of rows, normative: what each step of a template writes."""

from __future__ import annotations

import bisect
import struct
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ..spec.template import Template, TextOp, TextStep
from .contract import Rendered

if TYPE_CHECKING:
    from typing_extensions import Buffer

NUMBER = 1 << 64
LAST_DATE = 253402300799
"""The last second of year 9999."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def render(template: Template, columns: Sequence[Buffer], row: int, rows: int, buffer: Buffer, out: Buffer) -> Rendered:
    """Write the text of rows from `row` up to `rows` into `out`, as long as whole rows fit."""
    writer = _Writer(template, columns, rows, buffer)
    target = _octets(out)
    used = 0
    for number in range(row, rows):
        text = writer.text(0, len(template.steps), number)
        if len(text) > len(target) - used:
            return Rendered(number - row, used)
        target[used : used + len(text)] = text
        used += len(text)
    return Rendered(max(rows - row, 0), used)


class _Writer:
    def __init__(self, template: Template, columns: Sequence[Buffer], rows: int, buffer: Buffer) -> None:
        if len(columns) != len(template.columns):
            raise ValueError(f"the template has {len(template.columns)} columns, not {len(columns)}")
        self.template = template
        self.columns = [_octets(item) for item in columns]
        self.buffer = _octets(buffer)
        self.since = [zone.since for zone in template.zones]
        sizes = [len(data) // item.width for data, item in zip(self.columns, template.columns, strict=True)]
        offsets = {step.column for step in template.steps if step.op == TextOp.EACH}
        for place in sorted(template.outer):
            if sizes[place] < rows + (place in offsets and rows > 0):
                raise ValueError(f"column {template.columns[place].name} has fewer than {rows} rows")
        self.inner = min((sizes[place] for place in template.inner), default=0)

    def text(self, first: int, last: int, row: int) -> bytes:
        """What the steps from `first` up to `last` make of a row."""
        found = bytearray()
        while first < last:
            step = self.template.steps[first]
            first += 1
            if step.op == TextOp.EACH:
                begin, end = self.number(step.column, 8, row), self.number(step.column, 8, row + 1)
                for inner in range(begin, min(end, self.inner)):
                    found += self.text(first, first + step.skip, inner)
                first += step.skip
            elif step.op >= TextOp.EQUAL:
                if not self.holds(step, row):
                    first += step.skip
            else:
                found += self.written(step, row)
        return bytes(found)

    def holds(self, step: TextStep, row: int) -> bool:
        number = self.number(step.column, step.width, row)
        if step.op == TextOp.BELOW:
            return (number - step.first) % NUMBER < step.second % NUMBER
        expected = self.number(step.other, step.other_width, row) if step.other_width else step.second % NUMBER
        return ((number & step.first % NUMBER) == expected) == (step.op == TextOp.EQUAL)

    def written(self, step: TextStep, row: int) -> bytes:
        match step.op:
            case TextOp.LITERAL:
                return self.quoted(step.first, step.second)
            case TextOp.HEXADECIMAL:
                return f"{self.number(step.column, step.width, row):016x}"[16 - step.first :].encode()
            case TextOp.LOOKUP:
                return self.word(step, self.number(step.column, step.width, row))
            case TextOp.ADDRESS:
                return self.address(step, row)
            case TextOp.DATE:
                return self.date(self.number(step.column, step.width, row))
            case TextOp.OCTETS:
                return self.octets(step, row)
            case TextOp.STRING:
                size = self.number(step.other, step.other_width, row) if step.other_width else step.second
                raw = self.taken((self.number(step.column, 8, row) - step.first) % NUMBER, size)
                return bytes(octet if 32 <= octet < 127 else ord("?") for octet in raw.partition(b"\0")[0])
            case _:
                return b"%*d" % (step.second, self.value(step, row))

    def value(self, step: TextStep, row: int) -> int:
        """The number that a decimal step writes."""
        number = self.number(step.column, step.width, row)
        match step.op:
            case TextOp.DECIMAL:
                return (number - step.first) % NUMBER
            case TextOp.REST:
                return (step.first - number) % NUMBER
            case TextOp.SHIFTED:
                return number >> step.first
            case TextOp.JOINED:
                return ((number << step.first) + self.number(step.other, step.other_width, row)) % NUMBER
            case _:
                return int(float(number))

    def number(self, column: int, width: int, row: int) -> int:
        code = {1: "=B", 2: "=H", 4: "=I", 8: "=Q"}[width]
        value: int = struct.unpack_from(code, self.columns[column], row * width)[0]
        return value

    def quoted(self, start: int, length: int) -> bytes:
        return self.template.text[start : start + length]

    def word(self, step: TextStep, number: int) -> bytes:
        if number < step.second:
            word = self.template.words[step.first + number]
            if word.start >= 0:
                return self.quoted(*word)
        return str(number).encode()

    def address(self, step: TextStep, row: int) -> bytes:
        raw = bytes(self.columns[step.column][row * 16 : row * 16 + 16])
        match self.number(step.other, step.other_width, row):
            case 4:
                return ".".join(map(str, raw[12:])).encode()
            case 6:
                return _ipv6(raw).encode()
            case _:
                return self.quoted(step.first, step.second)

    def date(self, seconds: int) -> bytes:
        if seconds == 0:
            return b" " * 20
        if seconds > LAST_DATE:
            return b"%20d" % seconds
        zone = self.template.zones[max(bisect.bisect_right(self.since, seconds) - 1, 0)]
        local = min(max(seconds + zone.offset, 0), LAST_DATE)
        moment = EPOCH + timedelta(seconds=local)
        return f"{MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S} {moment.year:4d}".encode()

    def octets(self, step: TextStep, row: int) -> bytes:
        size = self.number(step.other, step.other_width, row) // 8
        raw = self.taken(self.number(step.column, 8, row), size)
        found = ""
        for place, octet in enumerate(raw):
            if place and place % step.second == 0:
                found += "\n"
            if place % step.first == 0:
                found += " "
            found += f"{octet:02x}"
        return found.encode()

    def taken(self, begin: int, size: int) -> bytes:
        """Bytes of the buffer; none where they are not all there."""
        return bytes(self.buffer[begin : begin + size]) if begin + size <= len(self.buffer) else b""


def _octets(data: Buffer) -> memoryview:
    view = memoryview(data)
    return view.cast("B") if view.nbytes else memoryview(bytearray())


def _ipv6(raw: bytes) -> str:
    """As inet_ntop writes it: the first longest run of zero groups, if two or more, as ``::``; embedded IPv4 dotted."""
    groups = struct.unpack(">8H", raw)
    start, length = 0, 0
    place = 0
    while place < 8:
        end = place
        while end < 8 and groups[end] == 0:
            end += 1
        if end - place > max(length, 1):
            start, length = place, end - place
        place = max(end, place + 1)
    texts = [f"{group:x}" for group in groups]
    if start == 0 and (length == 6 or (length == 5 and groups[5] == 0xFFFF)):
        texts[6:] = [".".join(map(str, raw[12:]))]
    if not length:
        return ":".join(texts)
    return ":".join(texts[:start]) + "::" + ":".join(texts[start + length :])
