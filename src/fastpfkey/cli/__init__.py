"""The command line: arguments, exit statuses and rendering; it knows nothing of the protocol."""

from __future__ import annotations

import io
import sys


def setkey() -> None:
    """Run the command of this name: the entry point of the console script that stands in for the old program."""
    main(["setkey", *sys.argv[1:]])


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; the entry point of the console script."""
    from .app import cli  # click is imported only when the command line is used

    if sys.stdout is None:
        sys.exit("fastpfkey: standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal that cannot show a character gets its number
    cli(arguments, prog_name="fastpfkey")
