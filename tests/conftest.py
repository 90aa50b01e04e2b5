"""What holds for every test: the live backend is named at the top of the run, and Hypothesis keeps no clock."""

import importlib.metadata
import os

import hypothesis

from fastpfkey.hotpath import BACKEND, REASON

# A deadline would be a timing threshold, and a shared machine would break it. In continuous integration the examples
# are the same in every run, so a failure there can be repeated here.
hypothesis.settings.register_profile("fastpfkey", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("fastpfkey")


def pytest_report_header() -> str:
    """Say which twin these results are about."""
    return f"fastpfkey: {importlib.metadata.version('fastpfkey')}, {BACKEND} backend ({REASON})"
