"""What the signals that end programs do while there is something to be finished or taken away first."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import FrameType

ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
"""What ends a program that does not care; SIGINT raises KeyboardInterrupt already."""


@contextmanager
def acting(actions: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Do something else than usual when these signals come."""

    def handler(action: Callable[[], None]) -> Callable[[int, FrameType | None], None]:
        return lambda number, frame: action()

    before = {number: signal.signal(number, handler(action)) for number, action in actions.items()}
    try:
        yield
    finally:
        for number, usual in before.items():
            signal.signal(number, usual)


@contextmanager
def leaving_nothing() -> Iterator[None]:
    """Have signals that would end the program raise SystemExit, so that a file under way is taken away.

    Signals that are ignored (nohup) or have another meaning keep it; only the main thread can say what they do.
    """
    usual: list[signal.Signals] = []
    if threading.current_thread() is threading.main_thread():
        usual = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]
    with acting({number: partial(sys.exit, 128 + number) for number in usual}):
        yield
