"""The commands that talk to a key engine: their arguments. What they do stands in modules of their own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..spec import dialect as find_dialect
from . import completing
from .ending import finish
from .options import FORMATS, comma_separated, examples, options, rows_options, system_option

if TYPE_CHECKING:
    from ..transport.client import Client
    from ..wire.message import Message


def number(text: str) -> int:
    """An integer, decimal or with 0x."""
    return int(text, 0)


engine_options = options(
    click.option("--source", default="kernel", show_default=True, help="The key engine."),
    system_option,
)

reply_options = options(
    engine_options,
    click.option(
        "--format", "form", type=click.Choice(("text", "json")), default="text", help="How the reply is shown."
    ),
    click.option("--show-keys", is_flag=True, help="Show keys, which are hidden otherwise."),
)

association = options(
    click.argument("satype"),
    click.argument("spi", type=number),
    click.argument("src"),
    click.argument("dst"),
)


@click.command(epilog=examples("fastpfkey monitor unix:engine.sock --timeout 0.5"))
@click.argument("source", default="kernel", shell_complete=completing.sources)
@system_option
@click.option(
    "--register", callback=comma_separated, metavar="SATYPE,...", help="Hear also what expires and is needed."
)
@click.option("--format", "form", type=click.Choice(("text", "jsonl")), default="text", help="What to write.")
@click.option("--resync", is_flag=True, help="Dump the table where messages were lost.")
@click.option("--timeout", type=click.FloatRange(0), help="End after so many seconds without an event.")
@click.option("--count", type=click.IntRange(1), help="End after so many events.")
def monitor(
    source: str,
    dialect: str,
    register: Sequence[str] | None,
    form: str,
    resync: bool,
    timeout: float | None,
    count: int | None,
) -> None:
    """Show what happens to the associations and policies of SOURCE, a line each, until interrupted.

    Registering makes the kernel take this program for a key manager: it asks for associations, and waits for them.
    """
    from .events import show_events

    show_events(
        source,
        find_dialect(dialect),
        form,
        register=register or (),
        resync=resync,
        timeout=timeout,
        count=count,
        out=sys.stdout,
    )


@click.command(epilog=examples("fastpfkey get ah 0x1000 192.0.2.1 192.0.2.2 --source unix:engine.sock"))
@association
@reply_options
def get(satype: str, spi: int, src: str, dst: str, **shown: Any) -> None:
    """Show one association."""
    _ask(lambda client: client.get(satype, spi, src, dst), **shown)


@click.command(epilog=examples("fastpfkey delete ah 0x1000 192.0.2.1 192.0.2.2 --source unix:engine.sock"))
@association
@reply_options
def delete(satype: str, spi: int, src: str, dst: str, **shown: Any) -> None:
    """Delete one association."""
    _ask(lambda client: client.delete(satype, spi, src, dst), **shown)


@click.command(
    epilog=examples(
        "fastpfkey add ah 0x1000 192.0.2.1 192.0.2.2 --auth sha1-hmac --auth-key @key --source unix:engine.sock"
    )
)
@association
@click.option("--auth", metavar="ALGORITHM", help="Such as hmac: sha2-256-hmac.")
@click.option("--auth-key", metavar="HEX|@FILE", help="Its key; what stands here others can read, a file they cannot.")
@click.option("--encrypt", metavar="ALGORITHM", help="Such as aes-cbc.")
@click.option("--encrypt-key", metavar="HEX|@FILE", help="Its key.")
@click.option("--compress", metavar="ALGORITHM", help="Such as deflate, for ipcomp.")
@click.option("--mode", help="transport or tunnel.")
@click.option("--reqid", type=number, help="Request id, which ties it to a policy.")
@click.option("--replay", type=number, help="Replay window in packets.")
@click.option("--hard", type=number, help="Seconds until it is deleted.")
@click.option("--soft", type=number, help="Seconds until a successor is asked for.")
@reply_options
def add(
    satype: str,
    spi: int,
    src: str,
    dst: str,
    auth_key: str | None,
    encrypt_key: str | None,
    source: str,
    dialect: str,
    form: str,
    show_keys: bool,
    **association: Any,
) -> None:
    """Add one association."""
    from .requesting import given, key

    what = given(auth_key=key(auth_key), encrypt_key=key(encrypt_key), **association)
    _ask(lambda client: client.add(satype, spi, src, dst, **what), source, dialect, form, show_keys)


@click.command(epilog=examples("fastpfkey getspi esp 192.0.2.1 192.0.2.2 --source unix:engine.sock"))
@click.argument("satype")
@click.argument("src")
@click.argument("dst")
@click.option("--min", "minimum", type=number, help="Lowest SPI.")
@click.option("--max", "maximum", type=number, help="Highest SPI.")
@engine_options
def getspi(
    satype: str, src: str, dst: str, minimum: int | None, maximum: int | None, source: str, dialect: str
) -> None:
    """Reserve an SPI, and show it."""
    from .live import connect

    with connect(source, find_dialect(dialect)) as client:
        click.echo(f"0x{client.getspi(satype, src, dst, minimum, maximum):08x}")


@click.command(epilog=examples("fastpfkey flush ah --source unix:engine.sock"))
@click.argument("satype", default="unspec")
@reply_options
def flush(satype: str, **shown: Any) -> None:
    """Delete all associations of an SA type, or of every type."""
    _ask(lambda client: client.flush(satype), **shown)


@click.command(
    epilog=examples(
        "fastpfkey request 'spddump()' --source unix:engine.sock",
        """fastpfkey request 'getspi("esp", "192.0.2.1", "192.0.2.2", reqid=7)' --source unix:engine.sock""",
    )
)
@click.argument("call")
@reply_options
def request(call: str, source: str, dialect: str, form: str, show_keys: bool) -> None:
    """Send any request: CALL is one of fastpfkey.requests, as it is written in Python.

    Where a key is meant, "@FILE" is the file that has it.
    """
    from .calling import show_answer

    show_answer(source, find_dialect(dialect), call, form, show_keys, sys.stdout)


@click.command(epilog=examples("fastpfkey register esp --source unix:engine.sock --sort -maxbits --limit 3"))
@click.argument("satype", default="unspec")
@engine_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write.")
@rows_options
def register(satype: str, source: str, dialect: str, form: str, **options: Any) -> None:
    """Show the algorithms that the engine has for an SA type, registering no longer than it takes to ask."""
    from .requesting import show_algorithms
    from .viewing import view

    wanted = view(form, **options)
    finish(lambda: show_algorithms(source, find_dialect(dialect), satype, wanted, sys.stdout))


def _ask(ask: Callable[[Client], Message], source: str, dialect: str, form: str, show_keys: bool) -> None:
    from .requesting import show_reply

    show_reply(source, find_dialect(dialect), ask, form, show_keys, sys.stdout)


COMMANDS = (monitor, get, add, delete, flush, register, getspi, request)
