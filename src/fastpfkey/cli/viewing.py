"""What the options about tables ask for, checked before anything is read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import click

from ..columns.keys import SHORTEST_SALT
from ..columns.where import Question
from ..interop.files import available
from .errors import SourceError

if TYPE_CHECKING:
    from ..columns.arrow import Addresses

BINARY = frozenset({"arrow", "parquet"})
"""Formats that are not text."""

STANDARD = "-"
"""What standard output is called where a file could be named."""

LONGEST_SALT = 4096
"""Bytes of a salt: a file that has more of them is something else."""


class View(NamedTuple):
    """How the user wants messages shown."""

    form: str = "text"
    table: Literal["associations", "policies", "algorithms"] | None = None
    """Whose rows; None for what the first message is about."""
    columns: Sequence[str] | None = None
    show_keys: bool = False
    where: Question | None = None
    """Which rows; None for all."""
    sort: Sequence[str] = ()
    limit: int | None = None
    salt: bytes | None = None
    """What keys are hashed with, if fingerprints of them are wanted."""
    addresses: Addresses = "binary"
    """How binary formats have addresses."""
    output: str | None = None
    """The file to be written; None for standard output."""

    @property
    def rows(self) -> bool:
        """Whether something asks for rows of a table; whole messages can be written to a file as well."""
        return self.form in ("csv", *BINARY) or self._replace(output=None).asks

    @property
    def asks(self) -> bool:
        """Whether something beside the format asks for rows of a table."""
        return self != View(self.form, show_keys=self.show_keys)


def view(
    form: str,
    *,
    salt_file: str | None = None,
    addresses: Addresses | None = None,
    output: str | None = None,
    sort: Sequence[str] | None = None,
    **options: object,
) -> View:
    """What options ask for. Raises click.UsageError for what cannot be had together, SourceError, OSError."""
    if output == STANDARD:
        output = None
    if form in BINARY:
        if not available():
            raise SourceError(f"{form} needs pyarrow, which is not installed", "pip install 'fastpfkey[arrow]'")
        if output is None and sys.stdout.isatty():
            raise click.UsageError(f"{form} is nothing for a terminal; name a file with --output")
    elif addresses is not None:
        raise click.UsageError("--addresses is for arrow and parquet; text always has addresses as people write them")
    salt = None if salt_file is None else salt_of(salt_file)
    return View(
        form,
        salt=salt,
        addresses=addresses or "binary",
        output=output,
        sort=sort or (),
        **options,  # type: ignore[arg-type]
    )


def salt_of(name: str) -> bytes:
    """What a file has to hash keys with. Raises SourceError for too little or far too much, and OSError."""
    with Path(name).open("rb") as file:
        found = file.read(LONGEST_SALT + 1)
    if not SHORTEST_SALT <= len(found) <= LONGEST_SALT:
        size = f"{len(found)} bytes" if len(found) <= LONGEST_SALT else "more"
        raise SourceError(
            f"{name}: a salt has {SHORTEST_SALT} to {LONGEST_SALT} bytes, and this file {size}",
            "head -c 32 /dev/urandom > FILE makes one",
        )
    return found
