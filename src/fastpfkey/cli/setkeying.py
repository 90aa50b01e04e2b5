"""`fastpfkey-setkey` and `fastpfkey setkey`: the arguments of setkey(8), and what is done for them.

Options are read as getopt(3) reads them, so that ``-DPp`` means what it means there. Errors that setkey has words for
are told in its words, behind its name.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from getopt import GetoptError, gnu_getopt
from importlib import metadata
from pathlib import Path

import click

from .. import spec
from ..errors import ScriptError, TransportError
from ..setkey.clock import zones
from ..setkey.debug import debug_text, hexdump
from ..setkey.look import Look
from ..setkey.printing import Associations, Policies, Printer, Short
from ..setkey.rules import Command, Rules
from ..setkey.running import Engine, Runner, Told
from ..setkey.script import script
from ..setkey.short import HEADER
from ..setkey.words import variant
from ..spec.model import Dialect
from ..transport.resolver import System, interfaces, protocols
from ..wire import requests
from ..wire.decode import decode
from ..wire.message import MessageValue
from .setkey_sources import engine_of
from .sources import capture

FAILURE = 1
SCOPES = {"g": 1, "t": 2}
"""FreeBSD's choice of policies: global ones, and those of interfaces."""
SHORT = "acde:f:gthHklnNpPrvVxDF"
LONG = ("source=", "redact", "compat", "variant=", "dialect=", "help")
USAGE = """\
usage: setkey [-vrk] file ...
       setkey [-nvrk] -c
       setkey [-nvrk] -f filename
       setkey [-PalpvNrk] -D
       setkey [-Pv] -F
       setkey [-H] -x
       setkey [-V] [-h]
 with: [--source kernel|unix:PATH|engine|demo:N|FILE] [--dialect NAME] [--variant ipsec-tools|freebsd]
       [--redact] [--compat]
"""


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    flags: frozenset[str]
    dialect: Dialect
    stamps: int = 0
    """How often -x was given."""
    file: str | None = None
    text: str | None = None
    source: str = "kernel"
    variant: str = "host"
    files: tuple[str, ...] = ()

    def has(self, flag: str) -> bool:
        """Whether a flag was given."""
        return flag in self.flags


class UsageError(Exception):
    """The arguments make no sense."""


def parsed(arguments: Sequence[str]) -> Options:
    """The arguments, understood. Raises UsageError."""
    try:
        found, files = gnu_getopt(list(arguments), SHORT, LONG)
    except GetoptError as error:
        raise UsageError(str(error)) from None
    values = dict(found)
    names = [name for name, _ in found]
    try:
        dialect = spec.dialect(values.get("--dialect", "host"))
        variant(values.get("--variant", "host"))
    except ValueError as error:
        raise UsageError(str(error)) from None
    flags = frozenset(name.lstrip("-") for name in names)
    options = Options(
        flags,
        dialect,
        names.count("-x"),
        values.get("-f"),
        values.get("-e"),
        values.get("--source", "kernel"),
        values.get("--variant", "host"),
        tuple(files),
    )
    if flags & {"g", "t", "e"} and not variant(options.variant).freebsd:
        raise UsageError("-e, -g and -t are FreeBSD's: give --variant freebsd")
    return options


def main(arguments: Sequence[str]) -> int:
    """Do what the arguments say; the exit status is setkey's."""
    try:
        options = parsed(arguments)
    except UsageError as error:
        complain(str(error))
        click.echo(USAGE, err=True, nl=False)
        return FAILURE
    if "help" in options.flags:
        click.echo(_title() + USAGE, nl=False)
        return 0
    if options.has("V"):
        click.echo(_title(), nl=False)
        return FAILURE
    modes = [flag for flag in ("c", "f", "e", "D", "F", "x") if options.has(flag)]
    if len(modes) > 1 or options.has("h") or options.has("d") or not (modes or options.files):
        click.echo(_title() + USAGE, err=True, nl=False)
        return FAILURE
    try:
        return _Session(options).run(modes[0] if modes else "")
    except TransportError as error:
        complain(f"pfkey_open: {os.strerror(error.errno or 0)}")
        raise
    except OSError as error:
        if options.file is None or error.filename != options.file:
            raise
        complain(f"Can't open `{options.file}': {error.strerror}")
        return FAILURE


def complain(line: str) -> None:
    """A line on standard error, in setkey's manner."""
    sys.stdout.flush()
    click.echo(f"setkey: {line}", err=True)


def _title() -> str:
    return f"setkey @(#) fastpfkey {metadata.version('fastpfkey')}\n"


def _write(text: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(text)


class _Session:
    def __init__(self, options: Options) -> None:
        self.options = options
        self.variant = variant(options.variant)

    def run(self, mode: str) -> int:
        """Do one of the things that setkey does."""
        match mode:
            case "D":
                self.dump()
            case "F":
                self.flush()
            case "x":
                self.watch()
            case "":
                self.show_files()
            case _:
                return self.script()
        return 0

    @property
    def policies(self) -> bool:
        return self.options.has("P")

    def look(self) -> Look:
        """How text is wanted, now."""
        options = self.options
        return Look(
            self.variant,
            int(time.time()),
            None,
            zones(),
            ports=options.has("p"),
            dead=options.has("a"),
            sockets=not options.has("N"),
            redact=options.has("redact"),
            protocols=protocols(),
            interfaces=interfaces(),
        )

    def runner(self, engine: Engine, file: str | None = None, in_script: bool = False) -> Runner:
        """What sends requests and prints answers."""
        options = self.options
        told = Told(_write, complain, file, in_script, options.has("v"), options.has("H"))
        return Runner(engine, self.look(), told)

    def dump(self) -> None:
        """-D, -DP, and -l for ever."""
        listing = self.options.has("l") and not self.policies
        if listing:
            click.echo(HEADER, nl=False)
        with engine_of(self.options.source, self.options.dialect) as engine:
            while True:
                runner = self.runner(engine)
                runner.dump(self.request(engine.dialect), self.printer(engine.dialect, runner.look, listing))
                if not listing:
                    return
                sys.stdout.flush()
                time.sleep(1)

    def request(self, dialect: Dialect) -> MessageValue:
        """What asks for the table."""
        if not self.policies:
            return requests.dump(dialect=dialect)
        return requests.spddump(scope=sum(SCOPES[flag] for flag in SCOPES if self.options.has(flag)), dialect=dialect)

    def printer(self, dialect: Dialect, look: Look, listing: bool) -> Printer:
        """What prints it."""
        kind = Policies if self.policies else Short if listing else Associations
        return kind(dialect, look)

    def flush(self) -> None:
        """-F, -FP."""
        make = requests.spdflush if self.policies else requests.flush
        with engine_of(self.options.source, self.options.dialect) as engine:
            self.runner(engine).run([Command("flush", 0, (make(dialect=engine.dialect),))])

    def script(self) -> int:
        """-c, -f and -e."""
        options = self.options
        text = options.text if options.text is not None else self.text()
        if options.has("n"):
            return self.run_script(text, options.dialect, list)
        name = None if self.variant.freebsd else options.file
        with engine_of(options.source, options.dialect) as engine:
            runner = self.runner(engine, name, in_script=True)
            return self.run_script(text, engine.dialect, runner.run)

    def run_script(self, text: str, dialect: Dialect, run: Callable[[Iterable[Command]], object]) -> int:
        """Read a script and run it: whole, so that nothing is sent unless all of it can be understood.

        With --compat each statement is run as soon as it is read, and a mistake on standard input ends its line alone.
        """
        rules = self.rules(dialect)
        by_line = self.options.has("c") and rules.compat
        failed = False
        for line in text.splitlines() if by_line else [text]:
            commands = script(line, rules)
            try:
                run(commands if rules.compat else list(commands))
            except ScriptError as error:
                failed = True
                self.tell(error)
        return FAILURE if failed and not by_line else 0

    def text(self) -> str:
        """The script: standard input with -c, or a file."""
        options = self.options
        if options.has("c") or (options.file == "-" and not self.variant.freebsd):
            return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        return Path(options.file or "").read_bytes().decode("utf-8", "surrogateescape")

    def rules(self, dialect: Dialect) -> Rules:
        """How scripts are read."""
        return Rules(
            dialect,
            self.variant,
            compat=self.options.has("compat"),
            forward=not self.options.has("k"),
            names=System(),
        )

    def tell(self, error: ScriptError) -> None:
        """What is wrong with a script, where and in which words: setkey's, and the column beside the line."""
        compat, file = self.options.has("compat"), self.options.file
        what = f"{error.reason} at `{error.token}'"
        if self.variant.freebsd:
            complain(f"line {error.line}: {error.reason} at [{error.token}]")
            complain(f"parse failed, line {error.line}.")
        elif file is None and compat:
            click.echo(what, err=True, nl=False)
        else:
            where = f"{file or '-'},{error.line}"
            complain(f"{where}: {what}" if compat else f"{where},{error.column}: {what}")
            complain(f"{where}: parse failed")

    def watch(self) -> None:
        """-x: every message that anybody gets, until interrupted."""
        look = self.look()
        with engine_of(self.options.source, self.options.dialect) as engine:
            for message in engine.watched():
                now = time.time()
                stamp = f"{now:.6f}" if self.options.stamps > 1 else f"{datetime.fromtimestamp(now):%H:%M:%S.%f}"
                _write(f"{stamp} \n".encode())
                if self.options.has("H"):
                    _write(hexdump(message.raw).encode())
                _write(debug_text(message, look.redact).encode())
                sys.stdout.flush()

    def show_files(self) -> None:
        """Files of messages."""
        look = self.look()
        for name in self.options.files:
            for window in capture(name, "native").windows():
                for message in decode(window.messages, self.options.dialect):
                    _write(debug_text(message, look.redact).encode())
