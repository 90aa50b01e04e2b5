from collections.abc import Sequence

from typing_extensions import Buffer

from ..spec.building import BuildPlan, Templates

def build(
    plan: BuildPlan,
    templates: Templates,
    shapes: Buffer,
    columns: Sequence[Buffer],
    strings: Sequence[tuple[Buffer, Buffer]],
    offsets: Buffer,
    out: Buffer,
) -> int: ...
