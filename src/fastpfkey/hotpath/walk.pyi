from typing_extensions import Buffer

from ..spec.plan import Frame
from .contract import Outcome

def walk(buffer: Buffer, start: int, stop: int, frame: Frame, strict: bool, offsets: Buffer) -> Outcome: ...
def follow(
    buffer: Buffer, start: int, stop: int, frame: Frame, kind: int, pid: int, seq: int, step: int
) -> Outcome: ...
def hop(buffer: Buffer, start: int, stop: int, swap: bool, target: int) -> Outcome: ...
