"""The compiled twin: the functions of `contract.HotPath` from the extension modules, one concern each."""

from __future__ import annotations

from .build import build
from .classify import classify
from .columns import decode
from .gather import gather, pack
from .pool import slabs, wipe
from .records import copy_records
from .render import render
from .walk import follow, hop, walk

__all__ = [
    "build",
    "classify",
    "copy_records",
    "decode",
    "follow",
    "gather",
    "hop",
    "pack",
    "render",
    "slabs",
    "walk",
    "wipe",
]
