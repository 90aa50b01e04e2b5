"""Tests of what does input and output, without a kernel."""
