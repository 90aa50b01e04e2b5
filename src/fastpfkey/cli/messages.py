"""The commands that read messages of files and engines: their arguments."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from . import completing
from .ending import finish
from .options import FORMATS, choice_options, dialect_options, examples, reading_options, view_options

if TYPE_CHECKING:
    from ..spec.plan import ByteOrder
    from ..wire.recovery import OnError
    from .sources import Source


@click.command(
    epilog=examples(
        "fastpfkey decode --dialect linux sad.bin",
        "fastpfkey decode --dialect auto --format jsonl sad.bin",
        "fastpfkey decode --dialect linux --columns spi,src,dst --on-error skip - < sad.bin",
    )
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", shell_complete=completing.files)
@reading_options
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True, help="What to write.")
@view_options
def decode(
    files: tuple[str, ...],
    dialect: str,
    byteorder: ByteOrder,
    on_error: OnError,
    strict: bool,
    form: str,
    **options: Any,
) -> None:
    """Show the messages that lie back to back in files; - is standard input.

    text, json and jsonl show whole messages; csv, arrow and parquet, and any format with an option about rows, the rows
    of a table. Files may be larger than memory. A bad message is told in one line, behind all that was before it.
    """
    from .decoding import show_messages, show_rows
    from .inputs import captures
    from .viewing import view

    wanted = view(form, **options)
    how, sources = captures(files, dialect, byteorder, on_error, strict)
    finish(lambda: (show_rows if wanted.rows else show_messages)(sources, how, wanted, sys.stdout))


@click.command(
    epilog=examples(
        "fastpfkey dump demo:5",
        "fastpfkey dump demo:1000 --where \"state == 'dying'\" --sort -current_bytes --limit 3",
        'fastpfkey dump demo:1000 --where "hard_addtime > 0 and current_addtime + hard_addtime - now < 300"',
        "fastpfkey dump demo:1000 --format parquet --output sad.parquet",
    )
)
@click.argument("source", default="kernel", shell_complete=completing.sources)
@reading_options
@click.option("--format", "form", type=click.Choice(FORMATS), help="Rows in this format; a pipe gets text.")
@choice_options
@view_options
def dump(
    source: str,
    dialect: str,
    byteorder: ByteOrder,
    on_error: OnError,
    strict: bool,
    form: str | None,
    satype: str | None,
    networks: dict[str, Any],
    **options: Any,
) -> None:
    """Show the table of SOURCE: the running kernel's, unless something else is named.

    demo:N is a made-up table of N associations, anything else a file. A terminal gets a summary, unless --format or an
    option about rows asks for the rows.
    """
    from .choosing import Choice
    from .decoding import show_rows
    from .dumping import show_summary
    from .errors import SourceError
    from .inputs import for_engine
    from .inputs import source as find_source
    from .live import Live
    from .sources import is_engine
    from .telling import tell
    from .viewing import view

    wanted = view(form or "text", **options)
    choice = Choice(satype, networks, wanted.table)
    if choice.question and wanted.table not in (None, "associations"):
        raise click.UsageError(f"--satype and --filter choose associations, not {wanted.table}")
    engine: Live | None = None
    named: Source
    if is_engine(source):
        how = for_engine(dialect, byteorder, on_error, strict)
        named = engine = Live(source, how.dialect, wanted.table or "associations", choice)
        engine.ask()  # before anything is written: a kernel that cannot be asked has no empty table
        if engine.incomplete and wanted.output is not None and on_error == "raise":
            raise SourceError(
                f"{source}: {engine.incomplete}; {wanted.output} was not written", "--on-error stop writes what came"
            )
    else:
        how, named = find_source(source, dialect, byteorder, on_error, strict)

    def show() -> bool:
        if sys.stdout.isatty() and form is None and not wanted.asks:
            good = show_summary(named, how, choice)
        else:
            of = wanted._replace(table=wanted.table or ("associations" if choice.question else None))
            good = show_rows([named], how, of, sys.stdout, choice, table=True)
        if engine and engine.incomplete:
            tell(f"{source}: {engine.incomplete}")
        return good and not (engine and engine.incomplete)

    finish(show)


@click.command(epilog=examples("fastpfkey bench demo:10000 --json"))
@click.argument("source", default="demo:1000000", shell_complete=completing.sources)
@dialect_options
@click.option("--json", "as_json", is_flag=True, help="An array with an object for each line of the table.")
def bench(source: str, dialect: str, byteorder: ByteOrder, as_json: bool) -> None:
    """Measure both backends over SOURCE (demo:N or a file), beside memcpy of the same bytes.

    Times are the best of several runs; on a busy machine read the ratios.
    """
    from .benching import show_measurements
    from .inputs import source as find_source

    how, named = find_source(source, dialect, byteorder, "raise", strict=False)
    show_measurements(named, how, as_json)


COMMANDS = (decode, dump, bench)
