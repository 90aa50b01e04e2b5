from collections.abc import Sequence

from typing_extensions import Buffer

def classify(columns: Sequence[Buffer], widths: Sequence[int], rows: int, shapes: Buffer, firsts: Buffer) -> int: ...
