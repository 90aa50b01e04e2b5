"""What both twins provide: the signatures, the outcome they return, and the limits they keep.

The caller allocates every output and owns every buffer; no function raises a domain error or allocates in proportion
to what the wire says. A function stops at the first fault and says where; what to do about it (raise, stop, skip) is
decided above. Only a lease raises by itself, for it is handed out as it is.

Positions and offsets are bytes from the start of `buffer`, which is any object with a C-contiguous buffer. Outputs are
writable C-contiguous buffers. Both twins write the same bytes to them and leave the same bytes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self, runtime_checkable

from ..spec.building import BuildPlan, Templates
from ..spec.plan import ColumnPlan, Frame
from ..spec.template import Template

if TYPE_CHECKING:
    from typing_extensions import Buffer


class Outcome(NamedTuple):
    """What a hot-path function did."""

    count: int  # type: ignore[assignment]  # tuple has a method of this name, which nobody needs here
    """Good messages written."""
    fault: int
    """`errors.Fault`; 0 if the end, or the room of the output, was reached without one."""
    position: int
    """Byte that shows the fault; equal to `next` without a fault."""
    next: int
    """Where to go on: behind the last good message, which with a fault is the start of the faulty one."""


@runtime_checkable
class Lease(Protocol):
    """Bytes on loan from a pool: a writable buffer of `len(lease)` bytes, and a context manager that releases it.

    What the bytes hold at first is whatever was left there, never keys. Views taken before the release (memoryview,
    np.frombuffer) stay good and keep the memory from being lent again. A lease that is dropped ends by itself.
    """

    holds_keys: bool
    """Whether the bytes may be keys: they are overwritten with zeros when the lease ends."""
    offsets: Any
    """Where the messages begin that were built into it (array of uint64); None if it was not built."""
    left_out: Any
    """Rows that `on_error="skip"` left out when it was built, by reason; None if none were."""

    @property
    def released(self) -> bool:
        """Whether the lease is over, so that any use but of views taken before raises LeaseError.

        One exception: of a new view, the reference twin's memoryview says so with a ValueError.
        """
        ...

    def release(self) -> None:
        """End the lease. A second time does nothing."""
        ...

    def __len__(self) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *exception: object) -> None: ...

    if TYPE_CHECKING:

        def __buffer__(self, flags: int, /) -> memoryview: ...


class Slabs(Protocol):
    """Memory to lend in slabs of one size, and the count of what is lent. Safe to use from several threads.

    A slab that is viewed when its lease ends is retired: it counts as a slab no more, so another may be made in its
    place, and with the last view it is wiped and comes back or, where it would be one too many, is given up.
    """

    @property
    def in_use(self) -> int:
        """Leases that are not over."""
        ...

    @property
    def high_water(self) -> int:
        """Most of them at any time."""
        ...

    @property
    def retired(self) -> int:
        """Slabs that are viewed behind the end of their lease."""
        ...

    @property
    def oversize(self) -> int:
        """Leases so far that were larger than a slab and got memory of their own."""
        ...

    @property
    def allocations(self) -> int:
        """How often memory was made, for slabs and oversize."""
        ...

    def take(self, size: int) -> Lease | None:
        """A lease of `size` bytes.

        None if `size` is negative, more slabs are retired than may be, or all are lent.
        """
        ...

    def add_waiters(self, change: int) -> None:
        """So many more, or fewer, wait for `wake` to be called when something comes back."""
        ...


class Rendered(NamedTuple):
    """What `render` did."""

    rows: int
    """Rows whose text is in the output; fewer than asked for where the next one does not fit."""
    size: int
    """Bytes of their text."""


class HotPath(Protocol):
    """The functions that `reference` and the compiled modules have in common."""

    def walk(self, buffer: Buffer, start: int, stop: int, frame: Frame, strict: bool, offsets: Buffer) -> Outcome:
        """Validate messages from `start` up to `stop`, and write their offsets (uint64) until `offsets` is full."""
        ...

    def decode(
        self,
        buffer: Buffer,
        start: int,
        stop: int,
        plan: ColumnPlan,
        strict: bool,
        columns: Sequence[Buffer],
        row: int,
        rows: int,
    ) -> Outcome:
        """Validate messages from `start` up to `stop` and write one row each into `columns`, from `row` up to `rows`.

        `columns` are in the plan's order, `rows * column.width` bytes or more each, native byte order. Every column of
        every row from `row` to `row + count` is written, with 0 where a message lacks the extension.
        """
        ...

    def follow(
        self, buffer: Buffer, start: int, stop: int, frame: Frame, kind: int, pid: int, seq: int, step: int
    ) -> Outcome:
        """Count good messages from `start` up to `stop` that are what has to come next, up to the first that is not.

        That is: of wire type `kind`, without an errno, for `pid`, the first with number `seq` and each further one
        `step` more, none of them 0 or more than 32 bits. No fault: a message that is not good ends it like any other.
        """
        ...

    def hop(self, buffer: Buffer, start: int, stop: int, swap: bool, target: int) -> Outcome:
        """Count messages from header to header, trusting lengths alone, until one begins at or behind `target`.

        No fault: a length that is impossible ends the hop before its message.
        """
        ...

    def gather(self, buffer: Buffer, offsets: Buffer, bits: Buffer, store: Buffer) -> int:
        """Copy byte strings back to back into `store` and return how many bytes were written.

        `offsets` (uint64) says where each begins, `bits` (uint16) how many bits it has, rounded up to bytes.
        Raises IndexError, having written nothing, if a string or the store is too short.
        """
        ...

    def pack(self, slots: Buffer, stride: int, lengths: Buffer, first: int, out: Buffer) -> tuple[int, int]:
        """Copy datagrams from number `first` on back to back into `out`; return the next number and the bytes written.

        Datagram k has `lengths[k]` bytes (uint32; they need not be contiguous) and begins at `k * stride` in `slots`.
        Stops before one that does not fit into what is left of `out`, is longer than its slot, or is not as long as
        its header says in native byte order. Raises IndexError, having written nothing, if there are fewer slots than
        lengths, or for a negative number.
        """
        ...

    def classify(
        self, columns: Sequence[Buffer], widths: Sequence[int], rows: int, shapes: Buffer, firsts: Buffer
    ) -> int:
        """Number the combinations of values that rows have in some columns, and return how many there are.

        Each row's number goes to `shapes` (uint32), from 0 in the order in which they first appear; the row where a
        number appears first goes to `firsts` (uint32), which has room for as many as there are rows. `widths` are the
        bytes of a value of each column, which are flat buffers of bytes. Raises IndexError if a column or an output is
        too short.
        """
        ...

    def build(
        self,
        plan: BuildPlan,
        templates: Templates,
        shapes: Buffer,
        columns: Sequence[Buffer],
        strings: Sequence[tuple[Buffer, Buffer]],
        offsets: Buffer,
        out: Buffer,
    ) -> int:
        """Write a message for each row back to back, and return the bytes written.

        `shapes` (uint32) says which template each row begins as; the steps of the plan then write `columns`, flat
        buffers of bytes, and `strings` over it, in order. A string is bytes, and where in them those of each row begin
        (uint64). Where each message begins goes to `offsets` (uint64). Raises IndexError if a column, a string or an
        output is too short, a row has no template, or a step leaves its message; what is in the outputs then is nothing
        to go by.
        """
        ...

    def slabs(
        self, size: int, count: int, limit: int, max_retired: int, page: int, wake: Callable[[], object]
    ) -> Slabs:
        """`count` slabs of `size` bytes now, and up to `limit` when they are needed.

        All begin at multiples of `page`. `wake` may be called from finalizers, so it has to be reentrant.
        """
        ...

    def wipe(self, buffer: Buffer) -> None:
        """Overwrite all bytes with zeros, even if nobody reads them afterwards."""
        ...

    def render(
        self, template: Template, columns: Sequence[Buffer], row: int, rows: int, buffer: Buffer, out: Buffer
    ) -> Rendered:
        """Write the text of rows from `row` up to `rows` to the beginning of `out`, as long as whole rows fit.

        `columns` are in the template's order, native byte order. Offsets in them that a template follows count in
        `buffer`; what is not all there is left out. Bytes of `out` behind the text may have changed too.
        Raises ValueError, having written nothing, if there are not as many columns as the template has or one of them
        has too few rows.
        """
        ...

    def copy_records(
        self, buffer: Buffer, offsets: Buffer, out: Buffer, seq: int, step: int, pid: int, ends: Buffer
    ) -> int:
        """Copy messages of this host's byte order back to back into `out` and return how many bytes were written.

        `offsets` (uint64) says where each begins; its length is in its header. The first gets the number `seq`, each
        further one `step` more, all of them `pid`. Where each ends in `out` goes into `ends` (uint64).
        Raises IndexError, having written nothing, if a message does not lie in the buffer or room is too short.
        """
        ...
