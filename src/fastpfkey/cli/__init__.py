"""The command line: arguments, exit statuses and rendering; it knows nothing of the protocol.

Exit statuses: 0 success, 1 the input is bad or a source unavailable, 2 the command was not understood.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line; the entry point of the console script."""
    from .app import cli  # click is imported only when the command line is used

    cli(prog_name="fastpfkey")
