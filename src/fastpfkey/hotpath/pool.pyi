from collections.abc import Callable

from typing_extensions import Buffer

from .contract import Slabs

def slabs(size: int, count: int, limit: int, max_retired: int, page: int, wake: Callable[[], object]) -> Slabs: ...
def wipe(buffer: Buffer) -> None: ...
