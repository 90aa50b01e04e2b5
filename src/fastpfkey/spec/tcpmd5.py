"""How systems keep the passwords that sign TCP segments with MD5 (RFC 2385), those that keep them as associations."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from .grammar_keys import KeyLengths
from .terms import AuthAlgorithm
from .terms import ExtensionType as Ext

PASSWORD = KeyLengths(8, 640)
"""Bits of a password that every one of these systems takes."""


class Manner(NamedTuple):
    """How a system keeps passwords."""

    spi: int | None
    """The SPI of all of them; None where each has its own, which the system gives."""
    auth: AuthAlgorithm
    """What an association says about its algorithm: OpenBSD has no number for this one."""
    key: Ext
    """The extension that the password stands in."""


MANNERS: Mapping[str, Manner] = MappingProxyType(
    {
        "freebsd": Manner(0x1000, AuthAlgorithm.TCP_MD5, Ext.KEY_AUTH),
        "netbsd": Manner(0x1000, AuthAlgorithm.TCP_MD5, Ext.KEY_AUTH),
        "openbsd": Manner(None, AuthAlgorithm.NONE, Ext.KEY_AUTH),
        "illumos": Manner(0, AuthAlgorithm.TCP_MD5, Ext.STR_AUTH),
    }
)
"""By dialect. What each does with them otherwise is in its profile."""
