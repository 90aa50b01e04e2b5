"""Walking, decoding and building take no memory for a message, not even for a moment: every `malloc` is counted.

The count is that of a library in front of the C library, and Python's own objects go through `malloc` too, so nothing
is missed. A call may take what it needs to begin, but no more of it for ten times as many messages.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .twins import needs_compiled

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
LIBC = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in getattr(os, "confstr_names", {}) else None

PROGRAM = """
import ctypes, gc, json, sys
from array import array
import fastpfkey as pf
from fastpfkey import hotpath
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.spec.plan import frame

counter = ctypes.CDLL(None).allocations
counter.restype = ctypes.c_long
linux = pf.spec.dialect("linux")
pool = pf.BufferPool(16 << 20, slabs=4)
few = bytes(synthetic(2_000, byteorder=sys.byteorder))
many = few * 10  # with the same shapes, each of which is made once a call
offsets = array("Q", bytes(8 * 20_000))
tables = {len(data): pf.SATable.from_buffer(data, linux, keys=True) for data in (few, many)}

def walk(data):
    return hotpath.walk(data, 0, len(data), frame(linux), False, offsets).count

def decode(data):
    return len(pf.SATable.from_buffer(data, linux, out=pool))

def decode_keys(data):
    return len(pf.SATable.from_buffer(data, linux, keys=True, out=pool))

def build(data):
    with pf.build_dump(tables[len(data)]) as lease:
        return len(lease.offsets)

def counted(function, data):
    before = counter()
    rows = function(data)
    return counter() - before, rows

gc.disable()
found = {}
for function in (walk, decode, decode_keys, build):
    for data in (few, many) * 3:  # what is made once is made by then
        function(data)
    (some, rows), (more, all_rows) = counted(function, few), counted(function, many)
    assert (rows, all_rows) == (2_000, 20_000)
    found[function.__name__] = [some, more]
print(json.dumps(found))
"""


@needs_compiled
@pytest.mark.skipif(COMPILER is None or LIBC is None, reason="needs a C compiler and glibc")
def test_no_memory_is_taken_for_a_message(tmp_path: Path) -> None:
    assert COMPILER is not None
    library = tmp_path / "allocations.so"
    source = Path(__file__).with_name("allocations.c")
    subprocess.run([COMPILER, "-O2", "-Wall", "-shared", "-fPIC", str(source), "-o", str(library)], check=True)
    environment = os.environ | {
        "LD_PRELOAD": str(library),
        "PYTHONMALLOC": "malloc",
        "FASTPFKEY_BACKEND": "compiled",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    for name, (some, more) in json.loads(done.stdout).items():
        assert some > 0, name
        assert more - some < 18, f"{name}: {more - some} allocations more for 18,000 messages more"
