"""`fastpfkey save` and `load`: associations and policies as a script, and back.

A script holds keys, so it is written beside its place, readable by its owner alone, and put there when it is whole.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TextIO

from ..errors import ReplyError, ScriptError
from ..setkey.look import Look
from ..setkey.rules import Rules
from ..setkey.running import Engine, Runner, Told
from ..setkey.saving import Script
from ..setkey.saving_policies import policy_statements
from ..setkey.script import script
from ..setkey.words import variant as find_variant
from ..spec.model import Dialect
from ..spec.terms import ExtensionType as Ext
from ..transport.files import replacing
from ..transport.resolver import System
from ..wire import requests
from ..wire.decode import decode
from .errors import SourceError
from .setkey_sources import engine_of
from .signals import leaving_nothing
from .telling import note, tell
from .viewing import STANDARD


def save_table(name: str, dialect: Dialect, output: str, variant: str) -> None:
    """Write the associations and policies of a source as a script."""
    with engine_of(name, dialect) as engine:
        found = Script(engine.dialect, find_variant(variant))
        with _written(Path(output)) as file:
            file.write(f"# {engine.dialect.name}: associations with their keys, and policies, for `fastpfkey load`\n")
            for messages in engine.dump(requests.dump(dialect=engine.dialect)):
                file.writelines(found.statements(decode(messages, engine.dialect)))
            associations = found.count
            if Ext.POLICY in engine.dialect.by_type:
                try:
                    for messages in engine.dump(requests.spddump(dialect=engine.dialect)):
                        file.writelines(policy_statements(found, decode(messages, engine.dialect)))
                except ReplyError as error:
                    found.omitted.append(f"no policies: {error}")
            file.writelines(f"# {line}\n" for line in found.omitted)
    for line in found.omitted:
        tell(line)
    policies = found.count - associations
    note(f"{associations:,} associations and {policies:,} policies written to {output}")


def load_script(name: str, source: str, dialect: Dialect, variant: str) -> bool:
    """Run a script; False if something was refused."""
    text = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    with engine_of(source, dialect) as engine:
        return run_script(name, text, engine, variant)


def run_script(name: str, text: bytes, engine: Engine, variant: str) -> bool:
    """The same with the text of a script, whose name errors tell."""
    # A saved script has the policies for forwarded packets that there were, so none are added.
    rules = Rules(engine.dialect, find_variant(variant), forward=False, names=System(), extended=True)
    try:
        commands = list(script(text.decode("utf-8", "surrogateescape"), rules))
    except ScriptError as error:
        raise SourceError(f"{name}: {error}") from None
    runner = Runner(engine, Look(rules.variant), Told(sys.stdout.buffer.write, tell, name, script=True))
    runner.run(commands)
    sent = sum(len(command.messages) for command in commands)
    note(f"{sent - runner.refused:,} of {sent:,} requests done")
    return not runner.refused


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """The text of a file that is its owner's alone, and in its place only when it is whole; - is standard output."""
    target = nullcontext(sys.stdout.buffer) if str(path) == STANDARD else replacing(path, private=True)
    with leaving_nothing(), target as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", write_through=True)
        yield text
        text.detach()
