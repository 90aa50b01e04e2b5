"""What RFC 2367 asks of documentation: dumps are for inspection, and SA types have names."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
from collections.abc import Iterator

import pytest
from transport.fake import FakeEngine

import fastpfkey as pf
from fastpfkey import requests

from .page import Block, blocks
from .test_pages import DOCS, PAGES

ENDS = ("192.0.2.1", "192.0.2.2")
BY_HAND = {"add", "delete", "flush", "get", "getspi", "register"}
"""Commands whose first argument is an SA type."""


@pytest.mark.requirement("R-1.5-07")
def test_dump_is_said_to_be_for_inspection() -> None:
    paragraphs = (DOCS / "concepts.md").read_text(encoding="utf-8").split("\n\n")
    (said,) = [" ".join(each.split()) for each in paragraphs if each.startswith("DUMP")]
    assert "meant for inspection and debugging" in said
    assert "key managers must not depend on it" in said


@pytest.mark.requirement("R-1.5-07")
def test_nothing_but_a_dump_asks_for_one() -> None:
    engine = FakeEngine()
    with pf.Client(engine) as client, client.monitor(timeout=0):
        spi = client.getspi("esp", *ENDS, min=0x1000, max=0x1000)
        client.add("esp", spi + 1, *ENDS, encrypt="aes-cbc", encrypt_key=bytes(16))
        client.get("esp", spi + 1, *ENDS)
        client.delete("esp", spi + 1, *ENDS)
        client.algorithms("esp")
        client.flush()
    kinds = {request.type for _, request in engine.requests}
    assert len(kinds) == 6
    assert not {pf.MessageType.DUMP, pf.MessageType.SPDDUMP} & kinds


def numbers(source: str) -> Iterator[str]:
    """Calls in Python code that give an SA type as a number."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        known = getattr(requests, name, None) or getattr(pf.Client, name, None)
        if not inspect.isfunction(known):
            continue
        parameters = [each for each in inspect.signature(known).parameters if each not in ("context", "self")]
        given = dict(zip(parameters, node.args, strict=False)) | {each.arg: each.value for each in node.keywords}
        for place in ("satype", "satype2"):
            if isinstance(given.get(place), ast.Constant) and not isinstance(given[place].value, str):
                yield ast.unparse(node)


def numbered(block: Block) -> list[str]:
    """What in a block gives an SA type as a number."""
    if block.language == "python":
        return list(numbers(block.text))
    found = [line for line in block.text.splitlines() if re.search(r"--satype[ =]\d", line)]
    for line in block.text.splitlines():
        words = shlex.split(line, comments=True) if line.startswith("fastpfkey ") else []
        if len(words) > 2 and words[1] in BY_HAND and words[2].isdigit():
            found.append(line)
        if len(words) > 2 and words[1] == "request":
            found += numbers(words[2])
    return found


@pytest.mark.requirement("R-3.4-03")
def test_examples_call_sa_types_by_name() -> None:
    shown = [block for page in PAGES for block in blocks(page)]
    assert sum("esp" in block.text for block in shown) > 5
    assert [wrong for block in shown for wrong in numbered(block)] == []


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "client.add(3, 0x1000, '192.0.2.1', '192.0.2.2')"),
        ("python", "pf.requests.flush(satype=3)"),
        ("sh", "fastpfkey flush 3"),
        ("sh", "fastpfkey dump --satype 3"),
        ("sh", "fastpfkey request 'flush(3)' --source engine"),
    ],
)
def test_a_number_is_found(language: str, text: str) -> None:
    assert len(numbered(Block(language, text, 1))) == 1
    named = text.replace("3", "'esp'" if language == "python" else "esp", 1).replace("flush(esp)", 'flush("esp")')
    assert numbered(Block(language, named, 1)) == []
