"""Tests against a real Linux kernel. They run inside the virtual machine and are reported outside, see `..machine`."""
