"""How commands end: the exit statuses, and one line that says why."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from ..errors import PFKeyError, QueryError
from .errors import SourceError

FAILURE = 1
"""Exit status: the input is bad, or a source unavailable."""
USAGE = 2
"""Exit status: the command was not understood."""


class Group(click.Group):
    """Turns errors that are not this program's into one line, and a closed pipe into silence."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            leave(128 + signal.SIGPIPE)
        except KeyboardInterrupt:
            leave(128 + signal.SIGINT)
        except MemoryError:
            leave(FAILURE, "not enough memory")
        except SourceError as error:
            leave(error.status, str(error))
        except PFKeyError as error:
            leave(FAILURE, str(error))
        except OSError as error:
            leave(FAILURE, ": ".join(str(part) for part in (error.filename, error.strerror or error) if part))
        return result


def leave(status: int, line: str = "") -> NoReturn:
    """End with this status and a line that says why, behind what was printed before."""
    try:
        sys.stdout.flush()
    except OSError:
        # What cannot be written is dropped here, so that Python does not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if line:
        click.echo(f"fastpfkey: {line}", err=True)
    sys.exit(status)


def finish(show: Callable[[], bool]) -> None:
    """Do it, and let the exit status tell whether something was bad."""
    try:
        good = show()
    except KeyError as error:
        raise click.UsageError(str(error.args[0])) from None
    except QueryError as error:
        raise click.UsageError(f"--where {error}") from None
    if not good:
        sys.exit(FAILURE)
