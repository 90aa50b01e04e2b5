"""The test run itself: what must make a test fail does make it fail, under this project's own configuration."""

from pathlib import Path

import pytest

CONFIGURATION = Path(__file__).resolve().parents[1] / "pyproject.toml"

IGNORED_EXCEPTION = """
class Leaky:
    def __del__(self):
        raise ValueError("nobody would see this")

def test_that_leaks():
    Leaky()
"""

LEFT_OPEN = """
def test_that_leaks():
    open(__file__).read()
"""


@pytest.mark.parametrize("leak", [IGNORED_EXCEPTION, LEFT_OPEN])
def test_a_test_that_only_writes_to_stderr_fails(pytester: pytest.Pytester, leak: str) -> None:
    pytester.makepyfile(leak)
    result = pytester.runpytest_subprocess("-c", CONFIGURATION, "--rootdir", pytester.path, pytester.path)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*PytestUnraisableExceptionWarning*"])
