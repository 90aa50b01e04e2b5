"""What many records say, field by field: the columns of a decode, without tables around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ..hotpath import decode
from ..spec.plan import column_plan
from ..spec.tables import ASSOCIATIONS
from .framing import Framing

Octets = npt.NDArray[np.uint8]


def columns(framing: Framing, messages: Octets, count: int, names: Sequence[str]) -> dict[str, npt.NDArray[Any]] | None:
    """Columns of a table of associations, by name; None if these are not so many sound messages, back to back."""
    plan = column_plan(framing.dialect, ASSOCIATIONS, names)
    found = {
        item.name: np.empty((count, 16), np.uint8) if item.dtype == "16u1" else np.empty(count, item.dtype)
        for item in plan.columns
    }
    buffers = [array.reshape(-1).view(np.uint8).data for array in found.values()]
    outcome = decode(messages.data, 0, len(messages), plan, False, buffers, 0, count)
    return found if outcome.count == count and outcome.next == len(messages) else None


def rows_as_bytes(matrix: Octets) -> list[bytes]:
    """Each row of a matrix."""
    found: list[bytes] = np.ascontiguousarray(matrix).view(f"V{matrix.shape[1]}")[:, 0].tolist()
    return found
