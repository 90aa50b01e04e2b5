"""The buffer pool: waiting, bounds, and what callers are told."""

from __future__ import annotations

import gc
import os
import random
import threading
import time

import numpy as np
import pytest

import fastpfkey as pf
from fastpfkey import BufferPool, LeaseError

pytestmark = pytest.mark.fuzz


def small(**options: int) -> BufferPool:
    return BufferPool(**{"slab_size": 100, "slabs": 1, "max_slabs": 1} | options)


class TestAcquire:
    def test_a_whole_slab_unless_told(self) -> None:
        pool = small()
        with pool.acquire() as lease:
            assert isinstance(lease, pf.Lease)
            assert len(lease) == 100
        with pool.acquire(7) as lease:
            assert len(lease) == 7
        assert pool.statistics == pf.PoolStatistics(
            in_use=0, high_water=1, retired=0, oversize=0, waits=0, allocations=1
        )

    @pytest.mark.parametrize(
        ("options", "reason"),
        [
            ({"slab_size": 0}, "slab_size is 1 or more, not 0"),
            ({"slabs": 2}, "2 of 1"),
            ({"slabs": -1}, "-1 of 1"),
            ({"slabs": 0, "max_slabs": 0}, "0 of 0"),
            ({"max_retired": -1}, "max_retired is 0 or more, not -1"),
        ],
    )
    def test_impossible_pools_are_refused(self, options: dict[str, int], reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            small(**options)

    def test_a_negative_size_is_refused(self) -> None:
        with pytest.raises(ValueError, match="size is 0 or more, not -1"):
            small().acquire(-1)

    def test_keys_do_not_reach_the_next_user(self) -> None:
        pool = small()
        with pool.acquire() as lease:
            memoryview(lease)[:6] = b"secret"
            lease.holds_keys = True
        with pool.acquire() as lease:
            assert bytes(lease) == bytes(100)


class TestExhaustion:
    def test_it_ends_with_an_error_after_the_timeout(self) -> None:
        pool = small()
        with pool.acquire():
            begin = time.monotonic()
            with pytest.raises(LeaseError, match=r"all 1 slabs are lent, and none came back in 0\.05 s"):
                pool.acquire(timeout=0.05)
            assert time.monotonic() - begin >= 0.05
            with pytest.raises(LeaseError, match="none came back in 0 s"):
                pool.acquire(timeout=0)
            with pool.acquire(101):
                pass
        assert pool.statistics.waits == 2
        with pool.acquire(timeout=0):
            pass

    @pytest.mark.parametrize("timeout", [60.0, None])
    def test_who_waits_gets_what_comes_back(self, timeout: float | None) -> None:
        pool = small()
        lease = pool.acquire()
        threading.Timer(0.02, lease.release).start()
        with pool.acquire(timeout=timeout) as got:
            assert len(got) == 100
        assert pool.statistics.waits == 1

    def test_the_last_view_of_a_retired_slab_does_not_block_for_ever(self) -> None:
        pool = small(max_retired=1)
        lease = pool.acquire()
        view = memoryview(lease)
        threading.Timer(0.02, lease.release).start()
        with pool.acquire(timeout=60) as got:
            assert len(got) == 100
        assert view.nbytes == 100
        assert pool.statistics.retired == 1

    def test_threads_share_it(self) -> None:
        pool = small(max_slabs=3)
        failures: list[str] = []

        def work(number: int) -> None:
            random_ = random.Random(number)
            for _ in range(200):
                with pool.acquire(timeout=60) as lease, memoryview(lease) as view:
                    view[:] = bytes([number]) * 100
                    if random_.random() < 0.3:
                        time.sleep(0.0001)
                    if set(bytes(view)) != {number}:
                        failures.append(f"the slab of thread {number} was written to")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        found = pool.statistics
        assert (found.in_use, found.retired) == (0, 0)
        assert found.high_water <= 3
        assert found.allocations <= 3


class TestRetirement:
    def test_an_array_keeps_its_bytes(self) -> None:
        pool = small()
        with pool.acquire() as lease:
            memoryview(lease)[:] = b"\xaa" * 100
            array = np.frombuffer(lease, np.uint8)
        for octet in range(5):
            with pool.acquire() as other:
                memoryview(other)[:] = bytes([octet]) * 100
        assert array.tolist() == [0xAA] * 100
        assert pool.statistics.retired == 1
        del array
        gc.collect()
        assert pool.statistics.retired == 0

    def test_too_many_are_told(self) -> None:
        pool = small(max_retired=1)
        views = []
        for _ in range(2):
            with pool.acquire() as lease:
                views.append(np.frombuffer(lease, np.uint8))
        with pytest.raises(LeaseError, match="2 slabs are retired, more than max_retired=1"):
            pool.acquire()
        views.clear()
        gc.collect()
        pool.acquire().release()


class TestWipe:
    def test_it_writes(self) -> None:
        secret = bytearray(os.urandom(1000))
        pf.wipe(memoryview(secret)[10:990])
        assert bytes(secret[10:990]) == bytes(980)
        numbers = np.arange(1000, dtype=np.uint64).reshape(10, 100)
        pf.wipe(numbers)
        assert not numbers.any()
        pf.wipe(bytearray())

    def test_a_lease(self) -> None:
        with small().acquire() as lease:
            memoryview(lease)[:] = b"\xaa" * 100
            pf.wipe(lease)
            assert bytes(lease) == bytes(100)

    @pytest.mark.parametrize("buffer", [b"secret", memoryview(bytearray(10))[::2]])
    def test_what_cannot_be_wiped_is_refused(self, buffer: object) -> None:
        with pytest.raises(BufferError, match="writable and contiguous"):
            pf.wipe(buffer)  # type: ignore[arg-type]
