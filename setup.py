"""The extension modules; everything else about the build is in pyproject.toml.

FASTPFKEY_EXTENSIONS=require, the default, fails the build when one of them does not compile; never builds a package
without them.
"""

import os

from setuptools import Extension, setup

HOTPATH = (
    "shapes",
    "steps",
    "windows",
    "rows",
    "walk",
    "columns",
    "gather",
    "pool",
    "render",
    "records",
    "classify",
    "moves",
    "build",
)

choice = os.environ.get("FASTPFKEY_EXTENSIONS", "require")
if choice not in ("require", "never"):
    raise SystemExit(f"FASTPFKEY_EXTENSIONS must be 'require' or 'never', not {choice!r}")

extensions = [
    Extension(
        f"fastpfkey.hotpath.{name}",
        [f"src/fastpfkey/hotpath/{name}.pyx"],
        include_dirs=["src/fastpfkey/hotpath"],
        extra_compile_args=["-O3", "-funroll-loops"],
    )
    for name in HOTPATH
]
# No module, but built and installed as one: the library that programs other than Python load.
extensions.append(Extension("fastpfkey.preload.library", ["src/fastpfkey/preload/preload.c"]))

setup(
    ext_modules=extensions if choice == "require" else [],
    options={"build_ext": {"cython_c_in_temp": True}},
)
