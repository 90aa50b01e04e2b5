"""`python -m fastpfkey`: the command line."""

from .cli import main

main()
