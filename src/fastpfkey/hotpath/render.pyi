from collections.abc import Sequence

from typing_extensions import Buffer

from ..spec.template import Template
from .contract import Rendered

def render(
    template: Template, columns: Sequence[Buffer], row: int, rows: int, buffer: Buffer, out: Buffer
) -> Rendered: ...
