"""Error numbers: the systems' own headers, as a table of their differences and as Python knows the running system's."""

from __future__ import annotations

import errno
import sys

import pytest

from fastpfkey.spec import DIALECTS, dialect, host_dialect

# Transcribed from each system's sys/errno.h; "-" where it was not seen.
HEADERS = """
                 linux  freebsd  netbsd  openbsd  macos  illumos
EPERM                1        1       1        1      1        1
ENOENT               2        2       2        2      2        2
ESRCH                3        3       3        3      3        3
EINTR                4        4       4        4      4        4
ENOMEM              12       12      12       12     12       12
EACCES              13       13      13       13     13       13
EBUSY               16       16      16       16     16       16
EEXIST              17       17      17       17     17       17
EINVAL              22       22      22       22     22       22
EAGAIN              11       35      35       35     35       11
ENOSYS              38       78      78       78     78       89
EMSGSIZE            90       40      40       40     40       97
ENOPROTOOPT         92       42      42       42     42       99
EPROTONOSUPPORT     93       43      43       43     43      120
ENOTSUP              -        -       -        -     45        -
EOPNOTSUPP          95       45      45       45    102      122
EAFNOSUPPORT        97       47      47       47     47      124
ENOBUFS            105       55      55       55     55      132
ETIMEDOUT          110       60      60       60     60      145
ELOOP               40       62      62       62     62       90
EHOSTUNREACH       113       65      65       65     65      148
ENODATA             61        -       -        -      -        -
EPROTO              71       92      96        -    100       71
"""


def column(name: str) -> dict[str, int]:
    head, *rows = (line.split() for line in HEADERS.strip().splitlines())
    place = head.index(name) + 1
    return {row[0]: int(row[place]) for row in rows if row[place] != "-"}


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "rfc2367"])
def test_numbers(name: str) -> None:
    assert dict(dialect(name).errnos) == column(name)


@pytest.mark.parametrize("name", [name for name in DIALECTS if name != "rfc2367"])
def test_names(name: str) -> None:
    subject = dialect(name)
    assert {subject.errno_name(number) for number in column(name).values()} == set(column(name))
    assert subject.errno_name(254) == "errno 254"


def test_rfc_2367_names_no_errors() -> None:
    assert dialect("rfc2367").errno_name(22) == "errno 22"


@pytest.mark.skipif(host_dialect() == "rfc2367", reason=f"{sys.platform} has no dialect")
def test_running_system() -> None:
    known: dict[int, set[str]] = {number: set() for number in errno.errorcode}
    for name in dir(errno):
        if name.startswith("E"):
            known[getattr(errno, name)].add(name)
    for name, number in dialect("host").errnos.items():
        assert name in known[number]
