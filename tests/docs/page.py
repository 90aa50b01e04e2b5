"""The code blocks of a page of docs/, and what a page may do with them.

A page is Markdown as people read it; nothing in it is there for the tests alone. `python` and `sh` blocks are run, a
`text` block shows what the run block before it prints, and any block can be left out with a sentence that readers see
too:

    *Not run by the tests: it needs FreeBSD.*
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUN = ("python", "sh")
OUTPUT = "text"
ANYTHING = "..."
"""What stands for any text in shown output."""

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
LEFT_OUT = re.compile(r"^\*Not run by the tests: [^*]+\*\n+\Z", re.MULTILINE)


class PageError(Exception):
    """A page has a block that is neither run nor left out with a reason."""


@dataclass
class Block:
    """A block that is run: where its text begins, and the output that the page shows for it."""

    language: str
    text: str
    line: int
    output: str | None = None


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that are run, in order. Raises PageError."""
    return list(_blocks(page.name, page.read_text(encoding="utf-8")))


def _blocks(name: str, text: str) -> Iterator[Block]:
    last: Block | None = None
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start("text")) + 1
        where, language, code = f"{name}:{line}", found["language"], found["text"]
        if LEFT_OUT.search(text[: found.start()]):
            continue
        if language in RUN:
            if last:
                yield last
            last = Block(language, code, line)
        elif language != OUTPUT:
            raise PageError(f"{where}: a block of {language or 'no language'} needs a reason not to be run")
        elif last is None or last.output is not None:
            raise PageError(f"{where}: output of no block before it")
        else:
            last.output = code
    if last:
        yield last


def agrees(shown: str, printed: str) -> bool:
    """Whether output is what a page shows; `...` stands for anything, and spaces before line ends do not count."""
    pattern = ".*?".join(re.escape(part) for part in _trimmed(shown).split(ANYTHING))
    return re.fullmatch(pattern, _trimmed(printed), re.DOTALL) is not None


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines())
