"""The Linux dialect against the headers of this system: every size, offset, byte order and constant that they have.

The names come out of the preprocessed headers, the numbers out of a program that the C compiler made of those names.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fastpfkey.spec import dialect
from fastpfkey.spec.layouts import Layout, Order
from fastpfkey.spec.model import PF_KEY_V2

from .facts import UNNAMED, layouts_of, numbers_of

INCLUDES = "#include <stddef.h>\n#include <stdio.h>\n#include <linux/pfkeyv2.h>\n#include <linux/ipsec.h>\n"
INCLUDES += "#include <linux/udp.h>\n"

OURS = re.compile(r"SADB_|PFKEYV?2?_|PF_KEY_V2$|IPSEC_|UDP_ENCAP_ESPINUDP")
"""Names of PF_KEY, among the others that the headers bring along."""

NEWER = {
    "SADB_X_AALG_SM3_256HMAC": "6.1",
    "SADB_X_EALG_SM4CBC": "6.1",
    "IPSEC_MODE_IPTFS": "6.14",
}
"""Constants that older headers lack, by the version of Linux in whose headers they were seen."""

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


@dataclass
class Headers:
    """What the headers of this system say."""

    constants: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    offsets: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    """(structure, member) -> (offset, bytes)."""
    network: dict[tuple[str, str], bool] = field(default_factory=dict)
    """Whether a member's type is one of the big-endian ones."""


def preprocess(source: Path, *options: str) -> str:
    assert COMPILER is not None
    done = subprocess.run([COMPILER, "-E", *options, str(source)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("the headers of Linux are not installed")
    return done.stdout


def compile_and_run(source: Path) -> list[list[str]]:
    assert COMPILER is not None
    program = source.with_suffix("")
    subprocess.run([COMPILER, "-Wall", "-Werror", "-o", str(program), str(source)], check=True)
    shown = subprocess.run([str(program)], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.split() for line in shown.splitlines()]


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Headers:
    if not sys.platform.startswith("linux"):
        pytest.skip("not Linux")
    if COMPILER is None:
        pytest.skip("no C compiler")
    source = tmp_path_factory.mktemp("probe") / "probe.c"
    source.write_text(INCLUDES)
    found = Headers()
    macros = re.findall(r"^#define (\w+) \S", preprocess(source, "-dM"), re.MULTILINE)
    text = preprocess(source, "-P")
    enumerated = [name for body in re.findall(r"enum\s*\{([^}]*)\}", text) for name in re.findall(r"(\w+)\s*=", body)]
    lines = [
        rf'printf("constant {name} %lld\n", (long long)({name}));'
        for name in [*macros, *enumerated]
        if OURS.match(name)
    ]
    for struct, body in re.findall(r"struct\s+(sadb_\w+)\s*\{([^}]*)\}", text):
        lines.append(rf'printf("size {struct} %zu\n", sizeof(struct {struct}));')
        for kind, member in re.findall(r"(\w+)\s+(\w+)\s*(?:\[\d+\])?;", body):
            found.network[struct, member] = kind.startswith("__be")
            place = f"offsetof(struct {struct}, {member}), sizeof(((struct {struct} *)0)->{member})"
            lines.append(rf'printf("member {struct} {member} %zu %zu\n", {place});')
    source.write_text(INCLUDES + "int main(void)\n{\n" + "\n".join(lines) + "\nreturn 0;\n}\n")
    for what, *words in compile_and_run(source):
        if what == "constant":
            found.constants[words[0]] = int(words[1])
        elif what == "size":
            found.sizes[words[0]] = int(words[1])
        else:
            found.offsets[words[0], words[1]] = (int(words[2]), int(words[3]))
    return found


@pytest.fixture(scope="module")
def layouts() -> dict[str, Layout]:
    return {item.c_name: item for item in layouts_of(dialect("linux"))}


def test_sizes(headers: Headers, layouts: dict[str, Layout]) -> None:
    assert {name: item.size for name, item in layouts.items()} | {"sadb_ext": 4} == headers.sizes


def test_members(headers: Headers, layouts: dict[str, Layout]) -> None:
    ours = {
        (struct, item.c_name): (item.offset, item.size) for struct, layout in layouts.items() for item in layout.fields
    }
    assert ours == {key: place for key, place in headers.offsets.items() if key[0] != "sadb_ext"}


def test_byte_orders(headers: Headers, layouts: dict[str, Layout]) -> None:
    for struct, layout in layouts.items():
        for item in layout.fields:
            assert (item.order is Order.NETWORK) == headers.network[struct, item.c_name]


def test_constants(headers: Headers) -> None:
    ours = numbers_of(dialect("linux")) | {"PF_KEY_V2": PF_KEY_V2, "SADB_EXT_RESERVED": 0}
    assert {name: ours.get(name) for name in headers.constants} == headers.constants
    assert ours.keys() - headers.constants.keys() <= UNNAMED | NEWER.keys()


def test_constants_newer_than_the_headers(headers: Headers) -> None:
    newer = {name: version for name, version in NEWER.items() if name not in headers.constants}
    assert newer.keys() <= numbers_of(dialect("linux")).keys()
    if newer:
        pytest.skip("not in these headers: " + ", ".join(f"{name} ({version})" for name, version in newer.items()))
