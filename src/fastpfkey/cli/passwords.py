"""`fastpfkey tcpmd5`: where a password comes from, and the lines that are shown. Passwords are arguments of nobody: any
user of a machine can read those.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

import click

from .. import spec
from ..transport import tcpmd5
from ..transport.client import Client
from .errors import SourceError
from .live import connect
from .rendering import row_writer
from .sources import standard_input

LONGEST_LINE = 4096


def password(file: str | None, descriptor: int | None, variable: str | None) -> bytes:
    """The password that a command is given: a line without its end, from one of these places or, if none is named, from
    a terminal or standard input. Raises SourceError, which does not show it.
    """
    if variable is not None:
        if variable not in os.environ:
            raise SourceError(f"there is no variable {variable}")
        return os.environb[os.fsencode(variable)]
    if descriptor is not None:
        try:
            with os.fdopen(descriptor, "rb", closefd=False) as opened:
                return _line(opened.readline(LONGEST_LINE))
        except OSError as error:
            raise SourceError(f"descriptor {descriptor}: {error.strerror}") from None
    if file is not None and file != "-":
        try:
            with Path(file).open("rb") as opened:
                return _line(opened.readline(LONGEST_LINE))
        except OSError as error:
            raise SourceError(f"{file}: {error.strerror}") from None
    if file is None and standard_input().isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)).encode()
    return _line(standard_input().readline(LONGEST_LINE))


def _line(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r")


def set_password(peer: str, local: str, secret: bytes, source: str, dialect: str) -> None:
    """Set the password between two addresses."""
    with _client(source, dialect) as client:
        tcpmd5.set(peer, local, secret, client=client)


def delete_password(peer: str, local: str, source: str, dialect: str) -> bool:
    """Delete the password between two addresses; False if there was none."""
    with _client(source, dialect) as client:
        return bool(tcpmd5.delete(peer, local, client=client))


def show_peerings(source: str, dialect: str, form: str, out: TextIO) -> None:
    """Write between which addresses there are passwords."""
    with _client(source, dialect) as client:
        found = tcpmd5.list(client=client)
    writer = row_writer(form, out, tcpmd5.Peering._fields)
    writer.write(peering._asdict() for peering in found)
    writer.end()


def _client(source: str, dialect: str) -> Client:
    return connect(source, spec.dialect(dialect))
