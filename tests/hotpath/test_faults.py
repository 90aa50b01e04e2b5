"""Every fault: its code, the byte that shows it, and the message it is in; and what is not a fault.

Bytes are packed by hand. A position is counted from the start of the faulty message, and each case runs alone, behind
two good messages and in the middle of a larger buffer, by walking and by decoding.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fastpfkey.errors import Fault
from fastpfkey.hotpath.contract import HotPath

from .made_up import (
    ADDRESS,
    COUNTED,
    GAP,
    KEY,
    LAST,
    OPTIONAL,
    PAIR,
    PLAIN,
    RECORDS,
    REPEATS,
    REQUESTS,
    SIZED,
    TYPED,
    Builder,
)
from .verdict import verdict

Bytes = Callable[[Builder], bytes]

IPV4, IPV6 = bytes([192, 0, 2, 1]), bytes.fromhex("20010db8000000000000000000000001")


def key(build: Builder, bits: int, material: bytes = b"") -> bytes:
    return build.extension(KEY, build.pack("HH", bits, 0) + material)


def sized(build: Builder, first: int, second: int, words: int) -> bytes:
    return build.extension(SIZED, build.pack("HHQ", first, second, 0) + bytes(8 * words))


def counted(build: Builder, count: int, items: bytes) -> bytes:
    return build.extension(COUNTED, build.pack("HH", count, 0) + items)


FAULTS: list[tuple[str, Bytes, Fault, int]] = [
    ("version 1", lambda b: b.header(2, version=1), Fault.VERSION, 0),
    ("version 0", lambda b: b.header(2, version=0), Fault.VERSION, 0),
    ("wrong version and wrong length", lambda b: b.header(0, version=3), Fault.VERSION, 0),
    ("length 0", lambda b: b.header(0), Fault.MESSAGE_SHORT, 4),
    ("length 8", lambda b: b.header(1), Fault.MESSAGE_SHORT, 4),
    ("a word too long", lambda b: b.header(3), Fault.MESSAGE_TRUNCATED, 4),
    ("the greatest length", lambda b: b.header(0xFFFF), Fault.MESSAGE_TRUNCATED, 4),
    ("empty extension", lambda b: b.message(b.extension(PLAIN, bytes(12), words=0)), Fault.EXTENSION_EMPTY, 16),
    ("empty unknown extension", lambda b: b.message(b.extension(GAP, bytes(4), words=0)), Fault.EXTENSION_EMPTY, 16),
    ("zeros behind an extension", lambda b: b.message(b.extension(OPTIONAL, bytes(4)), bytes(8)),
     Fault.EXTENSION_EMPTY, 24),
    ("a word over", lambda b: b.message(b.extension(PLAIN, bytes(12), words=3)), Fault.EXTENSION_OVERRUN, 16),
    ("an unknown one over", lambda b: b.message(b.extension(999, bytes(4), words=2)), Fault.EXTENSION_OVERRUN, 16),
    ("far over", lambda b: b.message(b.extension(OPTIONAL, bytes(4)), b.extension(PLAIN, bytes(12), words=0xFFFF)),
     Fault.EXTENSION_OVERRUN, 24),
    ("over, though short for its type too", lambda b: b.message(b.extension(SIZED, bytes(4), words=2)),
     Fault.EXTENSION_OVERRUN, 16),
    ("shorter than its fixed part", lambda b: b.message(b.extension(PLAIN, bytes(4))), Fault.EXTENSION_SHORT, 16),
    ("short, and a second one", lambda b: b.message(b.extension(PLAIN, bytes(12)), b.extension(PLAIN, bytes(4))),
     Fault.EXTENSION_SHORT, 32),
    ("twice", lambda b: b.message(b.extension(PLAIN, bytes(12)), b.extension(PLAIN, bytes(12))),
     Fault.EXTENSION_DUPLICATE, 34),
    ("twice, apart", lambda b: b.message(b.extension(LAST, bytes(4)), key(b, 0), b.extension(LAST, bytes(4))),
     Fault.EXTENSION_DUPLICATE, 34),
    ("no room for a family", lambda b: b.message(b.extension(ADDRESS, bytes(4))), Fault.SOCKADDR_OVERRUN, 24),
    ("half an IPv4 sockaddr", lambda b: b.message(b.extension(ADDRESS, bytes(4) + b.v4(IPV4)[:8])),
     Fault.SOCKADDR_OVERRUN, 24),
    ("an IPv6 sockaddr less a word", lambda b: b.message(b.extension(ADDRESS, bytes(4) + b.v6(IPV6)[:24])),
     Fault.SOCKADDR_OVERRUN, 24),
    ("no second sockaddr", lambda b: b.message(b.extension(PAIR, bytes(4) + b.v4(IPV4))), Fault.SOCKADDR_OVERRUN, 40),
    ("a cut second sockaddr", lambda b: b.message(b.extension(PAIR, bytes(4) + b.v4(IPV4) + b.v4(IPV4)[:8])),
     Fault.SOCKADDR_OVERRUN, 40),
    ("a cut second sockaddr off the grid",
     lambda b: b.message(b.extension(PAIR, bytes(4) + b.v6(IPV6) + b.v4(IPV4)[:12])), Fault.SOCKADDR_OVERRUN, 52),
    ("the condition holds", lambda b: b.message(b.extension(TYPED, b.pack("H", 0x0107) + bytes(2))),
     Fault.SOCKADDR_OVERRUN, 24),
    ("one key bit", lambda b: b.message(key(b, 1)), Fault.KEY_OVERRUN, 20),
    ("a bit more than the key", lambda b: b.message(key(b, 65, bytes(8))), Fault.KEY_OVERRUN, 20),
    ("the most key bits", lambda b: b.message(key(b, 0xFFFF, bytes(8))), Fault.KEY_OVERRUN, 20),
    ("a word of data missing", lambda b: b.message(sized(b, 1, 0, 0)), Fault.DATA_OVERRUN, 20),
    ("a word of the second missing", lambda b: b.message(sized(b, 1, 1, 1)), Fault.DATA_OVERRUN, 22),
    ("the second alone too long", lambda b: b.message(sized(b, 0, 3, 2)), Fault.DATA_OVERRUN, 22),
    ("both too long", lambda b: b.message(sized(b, 0xFFFF, 0xFFFF, 2)), Fault.DATA_OVERRUN, 20),
    ("8 bytes of a record of 12", lambda b: b.message(b.extension(RECORDS, bytes(4 + 8))), Fault.RECORD_PARTIAL, 24),
    ("a record and 4 bytes", lambda b: b.message(b.extension(RECORDS, bytes(4 + 16))), Fault.RECORD_PARTIAL, 36),
    ("a request of length 0", lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request(length=0))),
     Fault.REQUEST_SHORT, 24),
    ("a request less than its fixed part", lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request(length=15))),
     Fault.REQUEST_SHORT, 24),
    ("a second request too short",
     lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request() + b.request(length=8))), Fault.REQUEST_SHORT, 40),
    ("a request a byte over", lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request(length=17))),
     Fault.REQUEST_OVERRUN, 24),
    ("a second request far over",
     lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request() + b.request(length=0xFFFF))),
     Fault.REQUEST_OVERRUN, 40),
    ("a request with one sockaddr", lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request(b.v4(IPV4)))),
     Fault.SOCKADDR_OVERRUN, 56),
    ("sockaddrs past their request, not past the extension",
     lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request(b.v4(IPV4), b.v4(IPV4)[:8]) + b.request())),
     Fault.SOCKADDR_OVERRUN, 56),
    ("no first item", lambda b: b.message(counted(b, 1, b"")), Fault.ITEM_OVERRUN, 24),
    ("no third item", lambda b: b.message(counted(b, 3, bytes(8))), Fault.ITEM_OVERRUN, 32),
    ("an item without its records", lambda b: b.message(counted(b, 1, bytes([0, 0, 0, 1]) + bytes(4))),
     Fault.ITEM_OVERRUN, 24),
    ("the second item of many records",
     lambda b: b.message(counted(b, 2, bytes([0, 0, 0, 1]) + bytes(6) + bytes([0, 0, 0, 255]) + bytes(10))),
     Fault.ITEM_OVERRUN, 34),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "fault", "position"), [case[1:] for case in FAULTS], ids=[case[0] for case in FAULTS])
@pytest.mark.parametrize("strict", [False, True])
def test_each_fault(twin: HotPath, build: Builder, raw: Bytes, fault: Fault, position: int, strict: bool) -> None:
    bad = raw(build)
    good = build.message(build.extension(PLAIN, bytes(12)))
    assert verdict(twin, bad, build, strict) == ((0, fault, position, 0), [])
    assert verdict(twin, good + good + bad, build, strict) == ((2, fault, 64 + position, 64), [0, 32])


def test_every_fault_is_among_the_cases() -> None:
    elsewhere = {Fault.NONE, Fault.HEADER_TRUNCATED, Fault.EXTENSION_UNKNOWN}
    assert {case[2] for case in FAULTS} | elsewhere == set(Fault)


GOOD: list[tuple[str, Bytes]] = [
    ("a header alone", lambda b: b.message()),
    ("the least of each", lambda b: b.message(
        b.extension(PLAIN, bytes(12)), b.extension(OPTIONAL, bytes(4)), key(b, 0), sized(b, 0, 0, 0),
        b.extension(RECORDS, bytes(4)), b.extension(REQUESTS, bytes(4)), counted(b, 0, b""),
        b.extension(REPEATS, bytes(4)), b.extension(TYPED, bytes(4)), b.extension(LAST, bytes(4)))),
    ("sockaddrs that fit to the byte", lambda b: b.message(
        b.extension(ADDRESS, bytes(4) + b.v4(IPV4)), b.extension(PAIR, bytes(4) + b.v6(IPV6) + b.v6(IPV6)))),
    ("a key that fits to the bit", lambda b: b.message(key(b, 64, bytes(8)))),
    ("a key of 57 bits in 8 bytes", lambda b: b.message(key(b, 57, bytes(8)))),
    ("a key with room to spare", lambda b: b.message(key(b, 8, bytes(24)))),
    ("data that fits to the word", lambda b: b.message(sized(b, 2, 1, 3))),
    ("whole records", lambda b: b.message(b.extension(RECORDS, bytes(4 + 24)))),
    ("requests with and without sockaddrs", lambda b: b.message(
        b.extension(REQUESTS, bytes(4) + b.request(b.v4(IPV4), b.v4(IPV4)) + b.request()
                    + b.request(b.v6(IPV6), b.v6(IPV6))))),
    ("less than a request at the end", lambda b: b.message(b.extension(REQUESTS, bytes(4) + b.request() + bytes(8)))),
    ("items that fit to the byte", lambda b: b.message(
        counted(b, 2, bytes([0, 0, 0, 2]) + bytes(12) + bytes([0, 0, 0, 1]) + bytes(6) + bytes(2)))),
    ("a condition that does not hold", lambda b: b.message(b.extension(TYPED, b.pack("H", 0x0701) + bytes(2)))),
    ("families nobody knows", lambda b: b.message(
        b.extension(ADDRESS, bytes(4) + b.pack("H", 0x0A00) + bytes(6)),
        b.extension(PAIR, bytes(4) + b.pack("HHI", 99, 0, 0)),
        b.extension(REQUESTS, bytes(4) + b.request(b.pack("H", 0x0200) + bytes(6))))),
    ("an unspecified family", lambda b: b.message(b.extension(ADDRESS, bytes(4) + bytes(8)))),
    ("a repeated one that may be", lambda b: b.message(*[b.extension(REPEATS, bytes(4 + 8 * k)) for k in range(5)])),
    ("any other header field", lambda b: bytes([2, 255, 255, 255]) + b.pack("HHII", 2, 0xFFFF, 1 << 31, 1 << 31)),
]  # fmt: skip


@pytest.mark.parametrize("raw", [case[1] for case in GOOD], ids=[case[0] for case in GOOD])
@pytest.mark.parametrize("strict", [False, True])
def test_what_is_no_fault(twin: HotPath, build: Builder, raw: Bytes, strict: bool) -> None:
    """The buffer ends with the message, or goes on with another."""
    good = raw(build)
    size = len(good)
    assert verdict(twin, good, build, strict) == ((1, 0, size, size), [0])
    assert verdict(twin, good * 3, build, strict) == ((3, 0, 3 * size, 3 * size), [0, size, 2 * size])


@pytest.mark.parametrize("left", range(1, 16))
def test_a_rest_shorter_than_a_header(twin: HotPath, build: Builder, left: int) -> None:
    good = build.message(build.extension(PLAIN, bytes(12)))
    assert verdict(twin, good[:left], build) == ((0, Fault.HEADER_TRUNCATED, 0, 0), [])
    assert verdict(twin, good * 2 + good[:left], build) == ((2, Fault.HEADER_TRUNCATED, 64, 64), [0, 32])
    assert verdict(twin, good * 2 + bytes(left), build) == ((2, Fault.HEADER_TRUNCATED, 64, 64), [0, 32])


def test_a_message_cut_at_every_byte(twin: HotPath, build: Builder) -> None:
    whole = build.message(build.extension(ADDRESS, bytes(4) + build.v4(IPV4)), key(build, 64, bytes(8)))
    for size in range(1, len(whole)):
        fault, position = (Fault.HEADER_TRUNCATED, 0) if size < 16 else (Fault.MESSAGE_TRUNCATED, 4)
        assert verdict(twin, whole[:size], build) == ((0, fault, position, 0), [])
        assert verdict(twin, whole + whole[:size], build) == ((1, fault, len(whole) + position, len(whole)), [0])


def test_nothing_to_read(twin: HotPath, build: Builder) -> None:
    assert verdict(twin, b"", build) == ((0, 0, 0, 0), [])


@pytest.mark.parametrize("number", [0, GAP, LAST - 1, LAST + 1, 128, 255, 256, 0x4000, 0xFFFF])
def test_unknown_numbers_are_counted_unless_strict(twin: HotPath, build: Builder, number: int) -> None:
    """Twice too, and of any content; 64 and more are not taken for what they are modulo 64."""
    first, unknown = build.extension(PLAIN, bytes(12)), build.extension(number, b"\xff" * 12)
    data = build.message(first) + build.message(first, unknown, unknown)
    assert verdict(twin, data, build) == ((2, 0, 96, 96), [0, 32])
    assert verdict(twin, data, build, strict=True) == ((1, Fault.EXTENSION_UNKNOWN, 66, 32), [0])


def test_the_first_fault_of_a_message_counts(twin: HotPath, build: Builder) -> None:
    """Extensions are read in order, and the length of each before its type."""
    short, over = build.extension(PLAIN, bytes(4)), build.extension(PLAIN, bytes(4), words=9)
    assert verdict(twin, build.message(short, over), build)[0].position == 16
    assert verdict(twin, build.message(short, over), build)[0].fault == Fault.EXTENSION_SHORT
    assert verdict(twin, build.message(over, short), build)[0].fault == Fault.EXTENSION_OVERRUN


def test_the_first_faulty_message_counts(twin: HotPath, build: Builder) -> None:
    """Whatever is wrong behind it, in messages of the same length and of others."""
    good, bad = build.message(build.extension(PLAIN, bytes(12))), build.message(key(build, 1), key(build, 1))
    worse = build.header(4, version=9) + bytes(16)
    for data, count in [(good + bad + worse, 1), (good + good + worse + bad, 2), (bad + worse + good, 0)]:
        outcome, _ = verdict(twin, data, build)
        assert outcome.count == count
        assert outcome.next == 32 * count


@pytest.mark.parametrize("number", [GAP, KEY])
def test_the_longest_message(twin: HotPath, build: Builder, number: int) -> None:
    """65535 words, in one extension and then in 65534."""
    body = build.pack("HH", 0xFFFF, 0).ljust(65533 * 8 - 4, b"\0")
    longest = build.message(build.extension(number, body))
    assert len(longest) == 65535 * 8
    assert verdict(twin, longest * 2, build) == ((2, 0, 2 * len(longest), 2 * len(longest)), [0, len(longest)])
    outcome, _ = verdict(twin, longest[:-1], build)
    assert outcome == (0, Fault.MESSAGE_TRUNCATED, 4, 0)
    many = build.header(0xFFFF) + build.extension(GAP, bytes(4)) * 65533
    assert verdict(twin, many, build)[0] == (1, 0, len(many), len(many))
    assert verdict(twin, many, build, strict=True)[0] == (0, Fault.EXTENSION_UNKNOWN, 18, 0)
    last_empty = many[:-8] + build.extension(GAP, bytes(4), words=0)
    assert verdict(twin, last_empty, build)[0] == (0, Fault.EXTENSION_EMPTY, len(many) - 8, 0)


@pytest.mark.parametrize("known", [100, 5000])
def test_a_fault_behind_many_good_messages(twin: HotPath, build: Builder, known: int) -> None:
    """Messages of a known kind are recognised, not examined; one that differs in a byte that matters is examined."""
    good = build.message(key(build, 64, bytes(8)), build.extension(PLAIN, bytes(12)))
    bad = build.message(key(build, 65, bytes(8)), build.extension(PLAIN, bytes(12)))
    size = len(good)
    outcome, offsets = verdict(twin, good * known + bad + good, build)
    assert outcome == (known, Fault.KEY_OVERRUN, known * size + 20, known * size)
    assert offsets == list(range(0, known * size, size))
