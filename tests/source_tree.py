"""The files that make up the project, as opposed to what building and testing leave beside them."""

import fnmatch
import os
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]


def source_files() -> list[Path]:
    """Every file of the tree that .gitignore does not name, relative to `TREE`; works without Git too.

    `.git` is a folder, or in a linked worktree a file.
    """
    lines = (TREE / ".gitignore").read_text(encoding="utf-8").splitlines()
    patterns = [".git", *(line for line in lines if line and not line.startswith("#"))]
    found = []
    for folder, folders, files in os.walk(TREE):
        here = Path(folder).relative_to(TREE)
        folders[:] = [name for name in folders if not _ignored(here / name, True, patterns)]
        found += [here / name for name in files if not _ignored(here / name, False, patterns)]
    return sorted(found)


def _ignored(path: Path, is_folder: bool, patterns: list[str]) -> bool:
    """Whether one of the `patterns` names `path`: by its last part, or whole where the pattern holds a slash."""
    for pattern in patterns:
        if pattern.endswith("/") and not is_folder:
            continue
        bare = pattern.rstrip("/")
        if fnmatch.fnmatch(path.as_posix() if "/" in bare else path.name, bare):
            return True
    return False
