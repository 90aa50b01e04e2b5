"""What an engine begins with: a recorded dump, a script of save's or setkey's, or the snapshot of another engine.

A dump and a script are requests: what they name is added as if somebody asked for it now, so lifetimes begin, and what
the engine refuses is not there. A snapshot is a state, and its lifetimes go on.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import closing
from pathlib import Path

from ..columns.associations import SATable
from ..columns.build import build_add
from ..columns.submitting import submittable
from ..engine.engine import Engine
from ..engine.entries import MAGIC, Reader
from ..engine.snapshot import restore, settle
from ..errors import WireError
from ..setkey.saving import Script
from ..setkey.saving_policies import policy_statements
from ..setkey.words import variant as find_variant
from ..spec.model import PF_KEY_V2
from ..spec.terms import MessageType
from ..transport.loopback import Loopback
from ..wire.decode import decode
from ..wire.windows import mapping
from .errors import SourceError
from .saving import run_script
from .setkey_sources import Live
from .telling import note, tell

VARIANT = "host"
"""Whose setkey a script is for."""

ROOM = 1 << 40
"""Bytes of answers that may wait: all that come are looked at behind the last request."""


def fill(engine: Engine, path: Path) -> None:
    """Give an empty engine what a file has. Raises SourceError, StateFileError and OSError."""
    with path.open("rb") as file:
        data = memoryview(mapping(file) or file.read())
    if data[: len(MAGIC)] == MAGIC:
        restore(engine, Reader(path, data))
        if ended := settle(engine):
            tell(f"{path}: {ended:,} associations ended since")
    elif data[:1] == bytes([PF_KEY_V2]):
        try:
            _add(engine, path, data)
        except WireError as error:
            raise SourceError(f"{path}: {error}") from None
    else:
        _run(engine, path, bytes(data))


def _add(engine: Engine, path: Path, data: memoryview) -> None:
    """Add what a dump shows."""
    dialect = engine.dialect
    types = dialect.terms["message"].numbers
    with_keys = SATable.from_buffer(data, dialect, keys=True)
    table = with_keys[with_keys["msg_type"] == types[MessageType.DUMP]]
    port = engine.connect(os.getpid(), limit=ROOM)
    try:
        with build_add(submittable(table), on_error="skip") as requests:
            for reason, rows in (requests.left_out or {}).items():
                tell(f"{path}: associations left out, {reason}: {len(rows):,}")
            engine.handle_many(port, requests)
        _tell_refusals(path, SATable.from_buffer(port.receive(), dialect, ["errno"]), engine)
    finally:
        with_keys.wipe()
        engine.disconnect(port)
    if (with_keys["msg_type"] == types.get(MessageType.SPDDUMP, -1)).any():
        _add_policies(engine, path, data)


def _tell_refusals(path: Path, answers: SATable, engine: Engine) -> None:
    names = {number: name for name, number in engine.dialect.errnos.items()}
    for number, count in Counter(answers["errno"].tolist()).items():
        if number:
            tell(f"{path}: associations refused with {names.get(number, f'errno {number}')}: {count:,}")


def _add_policies(engine: Engine, path: Path, data: memoryview) -> None:
    """Policies are few: they go the way of a script."""
    found = Script(engine.dialect, find_variant(VARIANT))
    text = "".join(policy_statements(found, decode(data, engine.dialect)))
    for line in found.omitted:
        tell(f"{path}: {line}")
    _run(engine, path, text.encode("utf-8", "surrogateescape"))


def _run(engine: Engine, path: Path, text: bytes) -> None:
    with closing(Live(Loopback(engine.dialect, engine))) as live:
        if not run_script(str(path), text, live, VARIANT):
            note(f"{path}: what was refused is not in the engine")
