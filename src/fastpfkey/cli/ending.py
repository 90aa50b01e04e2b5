"""How commands end: the exit statuses, and one line that says why."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Any, NoReturn

import click

from ..errors import PFKeyError, QueryError
from .errors import SourceError
from .telling import AS_JSON, tell

FAILURE = 1
"""Exit status: the input is bad, or a source unavailable."""
USAGE = 2
"""Exit status: the command was not understood."""

NOTHING = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click says where a command was needed: its help."""


class Group(click.Group):
    """Turns errors that are not this program's into one line, and a closed pipe into silence."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run the command line, and end the program."""
        arguments = list(sys.argv[1:] if args is None else args)
        AS_JSON.set("--json" in takewhile(lambda argument: argument.startswith("-"), arguments))
        try:
            status = super().main(arguments, prog_name, **{**extra, "standalone_mode": False})
        except NOTHING as error:
            error.show()
            sys.exit(USAGE)
        except click.UsageError as error:
            hint = f"{error.ctx.command_path} --help tells what there is" if error.ctx is not None else ""
            leave(USAGE, error.format_message().rstrip("."), error, hint)
        except click.ClickException as error:
            leave(error.exit_code, error.format_message(), error)
        except click.Abort:
            leave(128 + signal.SIGINT)
        except BrokenPipeError:
            leave(128 + signal.SIGPIPE)
        except OSError as error:  # of help and version, which are printed before there is a command
            leave(FAILURE, _reason(error), error)
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            leave(128 + signal.SIGPIPE)
        except KeyboardInterrupt:
            leave(128 + signal.SIGINT)
        except MemoryError as error:
            leave(FAILURE, "not enough memory", error, "fewer --columns, or --limit, need less")
        except SourceError as error:
            leave(FAILURE, str(error), error, error.hint)
        except PFKeyError as error:
            leave(FAILURE, str(error), error)
        except OSError as error:
            leave(FAILURE, _reason(error), error)
        return result


def _reason(error: OSError) -> str:
    return ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)


def leave(status: int, line: str = "", error: BaseException | None = None, hint: str = "") -> NoReturn:
    """End with this status and a line that says why, behind what was printed before."""
    try:
        sys.stdout.flush()
    except OSError:
        # What cannot be written is dropped here, so that Python does not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if line:
        tell(line, error, hint=hint, status=status)
    sys.exit(status)


def finish(show: Callable[[], bool]) -> None:
    """Do it, and let the exit status tell whether something was bad."""
    try:
        good = show()
    except KeyError as error:
        raise click.UsageError(str(error.args[0]), click.get_current_context()) from None
    except QueryError as error:
        raise click.UsageError(f"--where {error}", click.get_current_context()) from None
    if not good:
        sys.exit(FAILURE)
