"""What the machine is: a kernel that answers, and this installation of the package in it."""

from __future__ import annotations

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.cli.doctoring import examine
from fastpfkey.transport.probe import af_key


def test_the_kernel_has_key_sockets() -> None:
    found = af_key()
    assert found.available, found.explanation
    assert spec.host_dialect() == "linux"


def test_the_package_is_the_one_that_is_tested_outside() -> None:
    report = examine()
    assert report.usable
    assert report.findings["backend"].startswith(pf.BACKEND)
    assert report.findings["AF_KEY"].startswith("available")
