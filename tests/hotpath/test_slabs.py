"""Lending memory: what both twins promise of slabs and leases, seen through the memory itself."""

from __future__ import annotations

import ctypes
import gc
import mmap
import tracemalloc

import numpy as np
import pytest

from fastpfkey.errors import LeaseError
from fastpfkey.hotpath import Slabs, load
from fastpfkey.hotpath.contract import HotPath, Lease

from .twins import needs_compiled

pytestmark = pytest.mark.fuzz

SIZE = 10_000


def never() -> None:
    raise AssertionError("nobody waits")


def lender(twin: HotPath, count: int = 1, limit: int = 1, max_retired: int = 9, size: int = SIZE) -> Slabs:
    return twin.slabs(size, count, limit, max_retired, mmap.PAGESIZE, never)


def take(slabs: Slabs, size: int = SIZE) -> Lease:
    lease = slabs.take(size)
    assert lease is not None
    return lease


def fill(lease: Lease, octet: int) -> None:
    with memoryview(lease) as view:
        view[:] = bytes([octet]) * len(view)


def content(lease: Lease) -> set[int]:
    """The different bytes in it."""
    with memoryview(lease) as view:
        return set(bytes(view))


class TestLease:
    @pytest.mark.parametrize("size", [0, 1, 4097, SIZE, SIZE + 1, 10 * SIZE])
    def test_it_is_a_buffer_of_the_size_asked_for(self, twin: HotPath, size: int) -> None:
        with take(lender(twin), size) as lease, memoryview(lease) as view:
            assert isinstance(lease, Lease)
            assert (len(lease), view.nbytes, view.format, view.readonly) == (size, size, "B", False)
            assert (lease.holds_keys, lease.offsets, lease.released) == (False, None, False)

    @pytest.mark.parametrize("size", [1, SIZE, 10 * SIZE])
    def test_it_begins_at_a_page(self, twin: HotPath, size: int) -> None:
        slabs = lender(twin, 3, 3)
        leases = [take(slabs, size) for _ in range(3)]
        begins = {np.frombuffer(lease, np.uint8).ctypes.data for lease in leases}
        assert len(begins) == 3
        assert {begin % mmap.PAGESIZE for begin in begins} == {0}

    def test_leases_share_nothing(self, twin: HotPath) -> None:
        slabs = lender(twin, 2, 3)
        leases = [take(slabs), take(slabs), take(slabs), take(slabs, SIZE + 1)]
        for octet, lease in enumerate(leases):
            fill(lease, octet)
        assert [content(lease) for lease in leases] == [{0}, {1}, {2}, {3}]

    def test_its_use_after_the_release_is_an_error(self, twin: HotPath) -> None:
        lease = take(lender(twin))
        lease.release()
        assert lease.released
        with pytest.raises(LeaseError, match="the lease was released"):
            len(lease)
        with pytest.raises(LeaseError, match="the lease was released"), lease:
            pass
        with pytest.raises((LeaseError, ValueError)):
            memoryview(lease)
        with pytest.raises((LeaseError, ValueError)):
            np.frombuffer(lease, np.uint8)
        assert repr(lease) == "<Lease of 10,000 bytes, released>"

    def test_an_old_lease_stays_over_when_its_slab_is_lent_again(self, twin: HotPath) -> None:
        slabs = lender(twin)
        old = take(slabs)
        old.release()
        new = take(slabs)
        old.release()
        assert (old.released, new.released, slabs.in_use) == (True, False, 1)

    def test_it_ends_with_its_block_whatever_happens(self, twin: HotPath) -> None:
        slabs = lender(twin)
        with pytest.raises(ZeroDivisionError), take(slabs):
            raise ZeroDivisionError
        assert slabs.in_use == 0

    def test_one_that_is_dropped_ends(self, twin: HotPath) -> None:
        slabs = lender(twin)
        take(slabs)
        gc.collect()
        assert slabs.in_use == 0
        take(slabs).release()

    def test_it_outlives_what_lent_it(self, twin: HotPath) -> None:
        lease = take(lender(twin))
        gc.collect()
        fill(lease, 7)
        lease.release()


class TestReuse:
    def test_a_slab_is_lent_again_as_it_was_left(self, twin: HotPath) -> None:
        slabs = lender(twin)
        for octet in range(1, 5):
            lease = take(slabs)
            assert content(lease) == {octet - 1} or octet == 1
            fill(lease, octet)
            lease.release()
        assert slabs.allocations == 1

    def test_memory_is_made_at_first_and_when_it_is_needed(self, twin: HotPath) -> None:
        slabs = lender(twin, 2, 4)
        assert slabs.allocations == 2
        for _ in range(3):
            leases = [take(slabs) for _ in range(4)]
            assert slabs.take(SIZE) is None
            for lease in leases:
                lease.release()
        assert (slabs.allocations, slabs.high_water, slabs.in_use) == (4, 4, 0)

    def test_a_negative_size_is_not_lent(self, twin: HotPath) -> None:
        assert lender(twin).take(-1) is None

    def test_oversize_is_counted_and_not_kept(self, twin: HotPath) -> None:
        slabs = lender(twin)
        for count in range(1, 4):
            take(slabs, SIZE + 1).release()
            assert (slabs.oversize, slabs.allocations) == (count, 1 + count)
        with take(slabs):
            assert slabs.take(SIZE) is None
            with take(slabs, SIZE + 1):
                assert slabs.in_use == 2

    def test_the_steady_state_allocates_nothing(self, twin: HotPath) -> None:
        slabs = lender(twin, 2, 2)

        def work() -> None:
            for _ in range(1000):
                with take(slabs), take(slabs, 100):
                    pass

        work()
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            work()
            after, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert slabs.allocations == 2
        assert after - before < 1000  # one byte for each of a thousand leases would be a leak
        assert peak - before < SIZE  # never a slab's worth at once

    @needs_compiled
    @pytest.mark.parametrize("twin", ["compiled"], indirect=True)
    def test_a_compiled_lease_comes_from_a_free_list(self, twin: HotPath) -> None:
        slabs = lender(twin)
        lease = slabs.take(SIZE)
        lease = None
        for _ in range(10):
            tracemalloc.start()
            lease = slabs.take(SIZE)
            traced = tracemalloc.get_object_traceback(lease)
            tracemalloc.stop()
            lease = None
            assert traced is None
            assert slabs.in_use == 0


class TestKeys:
    def test_what_held_keys_is_wiped_before_it_is_lent_again(self, twin: HotPath) -> None:
        slabs = lender(twin)
        with take(slabs) as lease:
            lease.holds_keys = True
            fill(lease, 0xAA)
        with take(slabs) as lease:
            assert content(lease) == {0}
            assert not lease.holds_keys

    @needs_compiled
    @pytest.mark.parametrize("twin", ["compiled"], indirect=True)
    def test_it_is_wiped_at_once(self, twin: HotPath) -> None:
        slabs = lender(twin)
        lease = take(slabs)
        fill(lease, 0xAA)
        lease.holds_keys = True
        address = np.frombuffer(lease, np.uint8).ctypes.data
        lease.release()
        assert ctypes.string_at(address, SIZE) == bytes(SIZE)

    def test_a_dropped_lease_with_keys_is_wiped_too(self, twin: HotPath) -> None:
        slabs = lender(twin)
        lease = take(slabs)
        fill(lease, 0xAA)
        lease.holds_keys = True
        del lease
        gc.collect()
        assert content(take(slabs)) == {0}

    def test_wiping_writes(self, twin: HotPath) -> None:
        memory = bytearray(b"\xaa" * SIZE)
        twin.wipe(memoryview(memory)[1:-1])
        assert memory == b"\xaa" + bytes(SIZE - 2) + b"\xaa"
        twin.wipe(bytearray())


class TestRetirement:
    @pytest.mark.parametrize("how", ["memoryview", "slice", "array"])
    def test_a_viewed_slab_is_not_lent_again(self, twin: HotPath, how: str) -> None:
        slabs = lender(twin)
        lease = take(slabs)
        fill(lease, 0xAA)
        view = {
            "memoryview": memoryview,
            "slice": lambda lease: memoryview(lease)[5:],
            "array": lambda lease: np.frombuffer(lease, np.uint8)[5:],
        }[how](lease)
        lease.release()
        assert (slabs.in_use, slabs.retired) == (0, 1)
        with take(slabs) as other:
            fill(other, 0x55)
            assert set(bytes(view)) == {0xAA}
        assert (slabs.retired, slabs.allocations) == (1, 2)
        del view
        gc.collect()
        assert slabs.retired == 0

    def test_it_is_wiped_with_its_last_view_and_comes_back(self, twin: HotPath) -> None:
        slabs = lender(twin)
        lease = take(slabs)
        fill(lease, 0xAA)
        first, second = np.frombuffer(lease, np.uint8), memoryview(lease)
        lease.release()
        del first
        gc.collect()
        assert slabs.retired == 1
        assert set(bytes(second)) == {0xAA}
        del second
        gc.collect()
        assert slabs.retired == 0
        with take(slabs) as again:
            assert content(again) == {0}
        assert slabs.allocations == 1

    def test_a_view_may_outlive_the_lease_itself(self, twin: HotPath) -> None:
        slabs = lender(twin)
        lease = take(slabs)
        fill(lease, 0xAA)
        view = np.frombuffer(lease, np.uint8)
        lease.release()
        del lease
        gc.collect()
        assert set(view.tolist()) == {0xAA}
        assert slabs.retired == 1
        del view
        gc.collect()
        assert slabs.retired == 0

    def test_a_dropped_lease_is_lent_as_long_as_it_is_viewed(self, twin: HotPath) -> None:
        slabs = lender(twin)
        view = memoryview(take(slabs))
        gc.collect()
        assert (slabs.in_use, slabs.retired) == (1, 0)
        assert slabs.take(SIZE) is None
        del view
        gc.collect()
        assert slabs.in_use == 0

    def test_it_does_not_come_back_where_it_would_be_one_too_many(self, twin: HotPath) -> None:
        slabs = lender(twin)
        view = memoryview(take(slabs))
        view.obj.release()  # type: ignore[attr-defined]
        leases = [take(slabs)]
        del view
        gc.collect()
        assert slabs.take(SIZE) is None
        leases.pop().release()
        take(slabs).release()
        assert (slabs.retired, slabs.allocations) == (0, 2)

    def test_oversize_retires_too(self, twin: HotPath) -> None:
        slabs = lender(twin)
        lease = take(slabs, SIZE + 1)
        fill(lease, 0xAA)
        view = np.frombuffer(lease, np.uint8)
        lease.release()
        assert slabs.retired == 1
        assert set(view.tolist()) == {0xAA}
        del view
        gc.collect()
        assert slabs.retired == 0

    def test_there_is_a_bound(self, twin: HotPath) -> None:
        slabs = lender(twin, 1, 1, max_retired=2)
        views = []
        for _ in range(3):
            with take(slabs) as lease:
                views.append(memoryview(lease))
        assert slabs.retired == 3
        assert slabs.take(SIZE) is None
        assert slabs.take(SIZE + 1) is None
        views.pop()
        gc.collect()
        take(slabs).release()


class TestWithoutFilesInMemory:
    """The reference where the system has no `memfd_create`."""

    @pytest.fixture
    def slabs(self, monkeypatch: pytest.MonkeyPatch) -> Slabs:
        monkeypatch.delattr("os.memfd_create", raising=False)
        return lender(load("reference"), 1, 2)

    def test_slabs_are_lent_up_to_the_limit_and_again(self, slabs: Slabs) -> None:
        leases = [take(slabs), take(slabs)]
        for octet, lease in enumerate(leases, 1):
            fill(lease, octet)
        assert [content(lease) for lease in leases] == [{1}, {2}]
        assert slabs.take(SIZE) is None
        leases[0].release()
        with take(slabs) as again:
            assert content(again) == {0}
        assert (slabs.in_use, slabs.high_water, slabs.allocations) == (1, 2, 2)

    def test_a_viewed_slab_retires_until_the_view_dies(self, slabs: Slabs) -> None:
        lease = take(slabs)
        fill(lease, 7)
        lease.holds_keys = True
        view = memoryview(lease)
        lease.release()
        assert (slabs.retired, view[0], view[-1]) == (1, 7, 7)
        view.release()
        assert slabs.retired == 0
        assert {*content(take(slabs)), *content(take(slabs))} == {0}
