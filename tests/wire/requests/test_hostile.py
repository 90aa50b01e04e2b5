"""Whatever is given for any argument of any function: a message or a part that can be used, or an EncodeError."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from ipaddress import IPv6Address, IPv6Interface, IPv6Network
from typing import Any, get_type_hints

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.wire.extensions import Key, Lifetime
from fastpfkey.wire.value import Secret

SRC, DST = "192.0.2.1", "192.0.2.2"
SECRET = bytes.fromhex("5ec2e75ec2e75ec2e75ec2e75ec2e75e")
POLICY = requests.policy("out", "none")
TRANSFORM = requests.transform("esp")
ROW = requests.combination("sha1-hmac", "des-cbc")
CURRENT = requests.limits(bytes=1)

SOUND: dict[str, tuple[str, tuple[Any, ...]]] = {
    "acquire": ("rfc2367", ("esp", SRC, DST, [ROW])),
    "acquire_failure": ("linux", ("esp", 5)),
    "add": ("illumos", ("esp", 1, SRC, DST)),
    "addflow": ("openbsd", (SRC, DST)),
    "address": ("linux", ("address-src", SRC)),
    "askpolicy": ("openbsd", (1,)),
    "combination": ("", ()),
    "delete": ("linux", ("esp", 1, SRC, DST)),
    "delflow": ("openbsd", (SRC, DST)),
    "delpair": ("illumos", ("esp", 1, SRC, DST)),
    "delpair_state": ("illumos", ("esp", 1, SRC, DST)),
    "dump": ("linux", ("esp",)),
    "expire": ("freebsd", ("esp", 1, SRC, DST, CURRENT)),
    "flush": ("linux", ("esp",)),
    "get": ("netbsd", ("esp", 1, SRC, DST)),
    "getsastat": ("macos", ((1, 2), "in", [1, 2])),
    "getspi": ("linux", ("esp", SRC, DST)),
    "grpspis": ("openbsd", ("esp", 1, SRC, "esp", 2, DST)),
    "inverse_acquire": ("illumos", (SRC, DST)),
    "limits": ("", ()),
    "migrate": ("linux", (SRC, DST, "out", [(TRANSFORM, TRANSFORM)])),
    "migrate_sa": ("macos", ("esp", 1, SRC, DST, SRC, DST)),
    "nat_t_new_mapping": ("linux", ("esp", 1, SRC, 1, DST, 2)),
    "natt": ("", ()),
    "pchange": ("rfc2367", ("esp", SRC, DST)),
    "policy": ("", ("out",)),
    "promisc": ("macos", ()),
    "register": ("illumos", ("esp",)),
    "spdacquire": ("netbsd", ()),
    "spdadd": ("linux", (SRC, DST, POLICY)),
    "spddelete": ("linux", (SRC, DST, "out")),
    "spddelete2": ("linux", (1,)),
    "spddisable": ("macos", (1,)),
    "spddump": ("freebsd", ()),
    "spdenable": ("macos", (1,)),
    "spdexpire": ("netbsd", (SRC, DST, POLICY, CURRENT, 5)),
    "spdflush": ("linux", ()),
    "spdget": ("linux", (1,)),
    "spdsetidx": ("macos", (SRC, DST, POLICY)),
    "spdupdate": ("freebsd", (SRC, DST, POLICY)),
    "transform": ("", ("esp",)),
    "update": ("macos", ("esp", 1, SRC, DST)),
    "updatepair": ("illumos", ("esp", 1, SRC, DST)),
}
"""A system that has each message, and arguments that it takes."""

HOSTILE: list[Any] = [
    *(None, True, False, -1, 1 << 8, 1 << 16, 1 << 32, 1 << 64, 10**400, 1.5, float("nan"), float("inf"), 1j),
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "\u00e9",
        "\ud800",
        "0x",
        "0xabc",
        "zz",
        "-",
        "-5",
        "any",
        "none",
        "x" * 70_000,
        SECRET.hex(),
    ),
    *("unknown-17", "unknown-99999", "unknown-\N{FULLWIDTH DIGIT ONE}", "\N{FULLWIDTH DIGIT ONE}"),
    *("10.0.0.0/33", "::1/129", "fe80::1%3", "fe80::1%eth0", "fe80::1%99999999999", "1.2.3.4%3", "1.2.3.4[70000]"),
    *("10.0.0.1-10.0.0.9", "10.0.0.1-", "a-b-c", (SRC, -1), (SRC, None), (SRC,), ((SRC, 5), 6), ("a", "b")),
    *(b"", b"\0", bytearray(b"abc"), memoryview(b"abcd")[::2], b"x" * 70_000, SECRET, Secret(SECRET)),
    *([], (), {}, set(), [None], [{}], range(3), object(), type, print),
    *(timedelta(-1), timedelta(seconds=1.5), timedelta.max, datetime(1960, 1, 1), date(1960, 1, 1)),
    *(IPv6Address("fe80::1%eth0"), IPv6Address("fe80::1%4294967296"), IPv6Interface("fe80::1%3/64")),
    IPv6Network("fe80::/64"),  # which is also a list of 2 ** 64 addresses
    *(pf.SAType.ESP, pf.AuthAlgorithm.NONE, pf.EncryptAlgorithm.AES_CBC),
    *(
        Key.of(pf.ExtensionType.KEY_AUTH, SECRET),
        Lifetime(pf.ExtensionType.LIFETIME_HARD),
        requests.flush(dialect="linux"),
    ),
]


def arguments(name: str) -> Iterator[str | int]:
    """Places of those that are given by place, and the names of all others."""
    function = getattr(requests, name)
    given = len(SOUND[name][1])
    yield from range(given)
    for parameter in list(inspect.signature(function).parameters.values())[given:]:
        if parameter.kind is parameter.VAR_KEYWORD:
            common = get_type_hints(function, include_extras=False)[parameter.name]
            yield from get_type_hints(getattr(common, "__args__", (common,))[0])
        else:
            yield parameter.name


def called(function: Callable[..., Any], dialect: str, given: tuple[Any, ...], **named: Any) -> str:
    """What an EncodeError says; nothing if all is well."""
    more = {"dialect": dialect} if dialect else {}
    if function is requests.acquire_failure:
        more["seq"] = 1
    try:
        found = function(*given, **(more | named))
        repr(found)
        if isinstance(found, pf.Message):
            found.encode()
            assert found == found.replace()
            hash(found)
    except pf.EncodeError as error:
        return str(error)
    return ""


def test_all_functions_are_tried() -> None:
    assert sorted(SOUND) == sorted(requests.__all__)
    for name, (dialect, given) in SOUND.items():
        assert called(getattr(requests, name), dialect, given) == "", name


@pytest.mark.parametrize("name", sorted(SOUND))
def test_any_value_for_any_argument(name: str) -> None:
    function, (dialect, given) = getattr(requests, name), SOUND[name]
    for place in arguments(name):
        if place == "dialect":
            continue
        for value in HOSTILE:
            if isinstance(place, int):
                told = called(function, dialect, (*given[:place], value, *given[place + 1 :]))
            else:
                told = called(function, dialect, given, **{place: value})
            assert SECRET.hex()[:8] not in told or "key" not in str(place), (place, value)
            assert not told or told.startswith(f"{name.replace('_', '-')}") or name in ("acquire_failure", "migrate_sa")
