"""Error numbers of each system by name, so that the errno of a foreign capture can be named.

sadb_msg_errno carries the number of the system that wrote it, and only the oldest numbers are the same everywhere.
Listed are those that PF_KEY implementations answer with. Source: each system's sys/errno.h.
"""

from __future__ import annotations

_COMMON = {
    "EPERM": 1,
    "ENOENT": 2,
    "ESRCH": 3,
    "EINTR": 4,
    "ENOMEM": 12,
    "EACCES": 13,
    "EBUSY": 16,
    "EEXIST": 17,
    "EINVAL": 22,
}

LINUX = {
    **_COMMON,
    "EAGAIN": 11,
    "ENOSYS": 38,
    "ELOOP": 40,
    "ENODATA": 61,
    "EPROTO": 71,
    "EMSGSIZE": 90,
    "ENOPROTOOPT": 92,
    "EPROTONOSUPPORT": 93,
    "EOPNOTSUPP": 95,
    "EAFNOSUPPORT": 97,
    "ENOBUFS": 105,
    "ETIMEDOUT": 110,
    "EHOSTUNREACH": 113,
}

_BSD = {
    **_COMMON,
    "EAGAIN": 35,
    "EMSGSIZE": 40,
    "ENOPROTOOPT": 42,
    "EPROTONOSUPPORT": 43,
    "EAFNOSUPPORT": 47,
    "ENOBUFS": 55,
    "ETIMEDOUT": 60,
    "ELOOP": 62,
    "EHOSTUNREACH": 65,
    "ENOSYS": 78,
}

FREEBSD = {**_BSD, "EOPNOTSUPP": 45, "EPROTO": 92}

NETBSD = {**_BSD, "EOPNOTSUPP": 45, "EPROTO": 96}

OPENBSD = {**_BSD, "EOPNOTSUPP": 45}

MACOS = {**_BSD, "ENOTSUP": 45, "EPROTO": 100, "EOPNOTSUPP": 102}

ILLUMOS = {
    **_COMMON,
    "EAGAIN": 11,
    "EPROTO": 71,
    "ENOSYS": 89,
    "ELOOP": 90,
    "EMSGSIZE": 97,
    "ENOPROTOOPT": 99,
    "EPROTONOSUPPORT": 120,
    "EOPNOTSUPP": 122,
    "EAFNOSUPPORT": 124,
    "ENOBUFS": 132,
    "ETIMEDOUT": 145,
    "EHOSTUNREACH": 148,
}
