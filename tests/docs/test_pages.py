"""Every block of every page of docs/ runs and prints what the page shows; links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .page import PageError, agrees, blocks

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
"""Packages with tests of their own."""
PAGES = sorted(page for page in DOCS.rglob("*.md") if EXAMPLES not in page.parents)


def run(page: Path) -> subprocess.CompletedProcess[str]:
    """Run a page in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "tests.docs.run", str(page)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES if "```" in page.read_text()]
)
def test_what_a_page_shows_is_true(page: Path) -> None:
    done = run(page)
    assert (done.returncode, done.stderr) == (0, "")


class TestRun:
    def check(self, tmp_path: Path, page: str) -> str:
        path = tmp_path / "page.md"
        path.write_text(page, encoding="utf-8")
        return run(path).stderr

    def test_blocks_share_names_files_and_output(self, tmp_path: Path) -> None:
        page = """
```python
from pathlib import Path
Path("here").write_text("written\\n")
count = 1
```

```sh
cat here
python -c 'print(2)'
```

That prints

```text
writ...
2
```

```python
print(count + 1)
```

```text
2
```
"""
        assert self.check(tmp_path, page) == ""

    @pytest.mark.parametrize(
        ("page", "told"),
        [
            ("```python\nprint(1)\n```\n```text\n2\n```\n", "page.md:2 shows\n2\n\nbut it prints\n1\n"),
            ("\n\n```python\n1 / 0\n```\n", 'page.md", line 4, in <module>'),
            ("```sh\nfalse\ntrue\n```\n", "page.md:2 ends with status 1"),
            ("```sh\nfalse | true\n```\n", "page.md:2 ends with status 1"),
            ("```sh\necho $unset\n```\n", "unbound variable"),
            ("```toml\na = 1\n```\n", "page.md:2: a block of toml needs a reason"),
            ("```\na = 1\n```\n", "page.md:2: a block of no language needs a reason"),
            ("```text\n1\n```\n", "page.md:2: output of no block"),
            ("*Not run by the tests: *\n```python\n1 / 0\n```\n", "ZeroDivisionError"),
        ],
    )
    def test_what_is_not_true_is_told_with_its_line(self, tmp_path: Path, page: str, told: str) -> None:
        assert told in self.check(tmp_path, page)

    def test_a_block_that_hangs_is_ended(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("```sh\nsleep 1000\n```\n")
        code = f"from pathlib import Path; from tests.docs import run; run.PATIENCE = 0.2; run.run(Path({str(page)!r}))"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
        assert "page.md:2 ends with status none after 0.2 s" in done.stderr

    def test_what_runs_in_the_background_is_waited_for_and_ended(self, tmp_path: Path) -> None:
        ended = tmp_path / "ended"
        page = f"""
```sh
(trap 'touch {ended}' TERM; sleep 0.2; echo ready; sleep 1000 & wait) &
```

```text
ready
```
"""
        assert self.check(tmp_path, page) == ""
        patience = time.monotonic() + 30
        while not ended.exists() and time.monotonic() < patience:
            time.sleep(0.01)
        assert ended.exists()


class TestPage:
    def test_a_block_is_left_out_with_a_reason(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("*Not run by the tests: it needs\nFreeBSD.*\n\n```sh\nfalse\n```\n\n```python\n1\n```\n")
        (block,) = blocks(page)
        assert (block.language, block.line, block.output) == ("python", 9, None)

    def test_a_block_has_one_output(self, tmp_path: Path) -> None:
        page = tmp_path / "page.md"
        page.write_text("```sh\ntrue\n```\n```text\n```\n```text\n```\n")
        with pytest.raises(PageError, match=r"page.md:7: output of no block"):
            blocks(page)

    @pytest.mark.parametrize(
        ("shown", "printed", "same"),
        [
            ("a\nb\n", "a  \nb", True),
            ("a...c\n", "a\nb\nc\n", True),
            ("a\n", "a\nb\n", False),
            ("a.c\n", "abc\n", False),
            ("", "", True),
        ],
    )
    def test_shown_output_agrees(self, shown: str, printed: str, same: bool) -> None:
        assert agrees(shown, printed) is same


LINK = re.compile(r"\[[^\]\n]*\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The fragments by which a page's headings are linked to, as forges make them."""
    headings = HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in [ROOT / "README.md", *PAGES]]
)
def test_links_lead_somewhere(page: Path) -> None:
    wrong = []
    for path, fragment in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / path if path else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            wrong.append(f"{path}#{fragment}" if fragment else path)
    assert wrong == []


def test_every_page_is_in_an_index() -> None:
    for page in PAGES:
        index = page.parent / "README.md"
        if page != index:
            assert f"]({page.name})" in index.read_text(encoding="utf-8"), page.name
