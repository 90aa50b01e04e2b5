"""Writes the golden messages: for each dialect and byte order one JSON file, one message a line.

    python make_golden.py [DIRECTORY]

The numbers, sizes, offsets and byte orders come from dialects/*.json alone. README.md describes the files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from maker import codec, illumos, kame, linux, macos, openbsd, rfc2367
from maker.builder import Builder
from maker.messages import Message
from maker.tables import Order, Table

HERE = Path(__file__).parent
ORDERS: tuple[Order, ...] = ("little", "big")


# The messages of a dialect, and what it puts into the protocol and the prefix length of an association's addresses.
DIALECTS: dict[str, tuple[Callable[[Builder], Iterator[Message]], int, bool]] = {
    "rfc2367": (rfc2367.messages, 0, False),
    "linux": (linux.messages, 0, True),
    "freebsd": (kame.freebsd, 255, True),
    "netbsd": (kame.netbsd, 255, True),
    "macos": (macos.messages, 255, True),
    "openbsd": (openbsd.messages, 0, False),
    "illumos": (illumos.messages, 0, False),
}


def write(directory: Path) -> None:
    for dialect, (make, sa_proto, full_prefix) in DIALECTS.items():
        builder = Builder(Table(HERE / "dialects" / f"{dialect}.json"), sa_proto, full_prefix)
        messages = [*make(builder), *codec.messages(builder)]
        for host in ORDERS:
            lines = [json.dumps(message.pack(builder.table, host)[1], separators=(",", ":")) for message in messages]
            text = "[\n" + ",\n".join(lines) + "\n]\n"
            (directory / f"{dialect}-{host}.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
