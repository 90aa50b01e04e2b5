"""What holds for every test: Hypothesis keeps no clock."""

import os

import hypothesis

# A deadline would be a timing threshold, and a shared machine would break it. In continuous integration the examples
# are the same in every run, so a failure there can be repeated here.
hypothesis.settings.register_profile("fastpfkey", deadline=None, derandomize="CI" in os.environ, print_blob=True)
hypothesis.settings.load_profile("fastpfkey")
