"""What the project's files say holds on every machine, not only on the one where they were written."""

import re

from source_tree import TREE, source_files

# Written so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(rb"(?<![\w.])/(?:[w]ork|[r]oot|[t]mp/team)/|(?<![\w/])[.]{2}/[s]hared/")
REGISTRY = re.compile(rb"\b(?:[p]ypi\.org|[p]ythonhosted\.org|[n]pmjs\.(?:org|com)|[d]eb\.debian\.org)\b")


def test_the_walk_finds_the_sources_and_nothing_that_was_built() -> None:
    names = {path.as_posix() for path in source_files()}
    assert {"pyproject.toml", ".ci/run", "src/fastpfkey/errors.py", "tests/test_repository.py"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc")) or name.startswith((".git/", ".venv/"))]


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {
        f"{path}: {match.group().decode()}"
        for path in source_files()
        for pattern in (MACHINE_PATH, REGISTRY)
        for match in pattern.finditer((TREE / path).read_bytes())
    }
    assert found == set()


def test_the_patterns_match_what_they_should() -> None:
    assert MACHINE_PATH.search(b"see /work" + b"/main/x")
    assert MACHINE_PATH.search(b'"/root' + b'/.cache"')
    assert not MACHINE_PATH.search(b"net/work/x and a/root/b")
    assert REGISTRY.search(b"https://files.python" + b"hosted.org/packages")
