"""One extension module, which cimports from the fastpfkey that is installed."""

from pathlib import Path

from setuptools import Extension, setup

import fastpfkey

# The headers that the declarations include lie beside them.
headers = Path(fastpfkey.__file__).parent / "hotpath"

setup(ext_modules=[Extension("pfkey_traffic", ["pfkey_traffic.pyx"], include_dirs=[str(headers)])])
