"""The memory of dumps: used again when nobody looks at it any more, and never with keys in it."""

from __future__ import annotations

import pytest

from fastpfkey.errors import LimitError
from fastpfkey.transport import dumping
from fastpfkey.transport.dumping import Slab
from fastpfkey.transport.endpoint import ROOM
from fastpfkey.transport.memory import FIRST, Memory


def dump(memory: Memory, size: int) -> memoryview:
    """What a dump of so many bytes leaves."""
    slab = Slab(memory)
    while slab.used < size:
        step = min(ROOM, size - slab.used)
        slab.room()[:step] = b"k" * step
        slab.used += step
    return slab.compact([(0, size)])


def pool(memory: Memory) -> int:
    """Pieces of memory that were asked of the system for slabs of the present size."""
    return memory._pool.statistics.allocations


def test_the_next_dump_gets_the_memory_of_the_last_one() -> None:
    memory = Memory()
    for _ in range(5):
        found = dump(memory, 1000)
        assert bytes(found) == b"k" * 1000
        del found
    assert pool(memory) == 1


def test_not_while_somebody_looks_at_it() -> None:
    memory = Memory()
    first = dump(memory, 1000)
    second = dump(memory, 2000)
    assert bytes(first) == b"k" * 1000
    assert pool(memory) == 2
    del first, second
    dump(memory, 3000)
    assert pool(memory) == 2


def test_it_is_wiped_before() -> None:
    memory = Memory()
    dump(memory, FIRST - ROOM)
    assert not any(memoryview(memory.lend()))


def test_many_may_be_kept() -> None:
    memory = Memory()
    kept = [dump(memory, 16) for _ in range(100)]
    assert {bytes(each) for each in kept} == {b"k" * 16}


def test_it_grows_with_a_dump_and_stays_so() -> None:
    memory = Memory()
    found = dump(memory, 5 * FIRST)
    assert bytes(found) == b"k" * (5 * FIRST)
    del found
    dump(memory, 5 * FIRST)
    assert memory._pool.slab_size == 8 * FIRST
    assert pool(memory) == 1


def test_no_more_is_lent_than_the_next_one_is_likely_to_need() -> None:
    """For all that is lent is wiped."""
    memory = Memory()
    dump(memory, 12 * FIRST)
    assert memory._pool.slab_size == 16 * FIRST
    assert len(memory.lend()) == 12 * FIRST + 12 * FIRST // 8 + ROOM
    dump(memory, 13 * FIRST)
    assert pool(memory) == 1
    assert bytes(dump(memory, 20 * FIRST)) == b"k" * (20 * FIRST)
    assert not any(memoryview(memory.lend(memory._pool.slab_size)))


def test_it_shrinks_when_a_dump_is_much_smaller() -> None:
    memory = Memory()
    dump(memory, 9 * FIRST)
    dump(memory, 2 * FIRST)
    assert memory._pool.slab_size == 2 * FIRST + ROOM
    dump(memory, 10)
    assert memory._pool.slab_size == 2 * FIRST + ROOM


def test_parts_are_moved_together() -> None:
    slab = Slab(Memory())
    slab.room()[:6] = b"abcdef"
    slab.used = 6
    assert bytes(slab.compact([(1, 3), (5, 6)])) == b"bcf"


def test_it_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dumping, "MOST", FIRST)
    with pytest.raises(LimitError, match="no end in sight"):
        dump(Memory(), 9 * FIRST)
