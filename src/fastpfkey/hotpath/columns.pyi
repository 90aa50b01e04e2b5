from collections.abc import Sequence

from typing_extensions import Buffer

from ..spec.plan import ColumnPlan
from .contract import Outcome

def decode(
    buffer: Buffer,
    start: int,
    stop: int,
    plan: ColumnPlan,
    strict: bool,
    columns: Sequence[Buffer],
    row: int,
    rows: int,
) -> Outcome: ...
