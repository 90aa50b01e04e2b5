"""What the machine is: a kernel that answers, and this installation of the package in it."""

from __future__ import annotations

import errno
import os
import socket

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.cli.doctoring import examine
from fastpfkey.transport.probe import af_key, open_socket


def test_the_kernel_has_key_sockets() -> None:
    found = af_key()
    assert found.available, found.explanation
    assert spec.host_dialect() == "linux"


@pytest.mark.requirement("R-1.3-01", "R-1.3-04")
def test_the_protocol_is_version_two_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The family's number is the system's, whether Python has a name for it or not."""
    monkeypatch.delattr(socket, "AF_KEY", raising=False)
    linux = spec.dialect("linux")
    open_socket(linux).close()
    with pytest.raises(OSError, match="Protocol not supported") as caught:
        socket.socket(linux.family, socket.SOCK_RAW, 1)
    assert caught.value.errno == errno.EPROTONOSUPPORT


def test_who_may_not_is_told_what_to_do() -> None:
    """As nobody, which only a child can become."""
    assert af_key().available
    child = os.fork()
    if not child:
        os.setuid(65534)
        found = af_key()
        os._exit(0 if not found.available and "CAP_NET_ADMIN" in found.explanation else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0


def test_the_package_is_the_one_that_is_tested_outside() -> None:
    report = examine()
    assert report.usable
    assert report.findings["backend"].startswith(pf.BACKEND)
    assert report.findings["AF_KEY"].startswith("available")
