"""Readers of the ground truth beside the captures. They import nothing from the library they are used to judge.

`byhand` reads the bytes with ``struct``; `index` reads the tables written while capturing; `setkey` and `policies`
read what setkey printed; `xfrm` reads what iproute2 printed; `facts` gives what they tell in one vocabulary. Where two
of them see one fact, test_groundtruth.py compares them.
"""

from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "vectors" / "corpus"


def capture(name: str) -> bytes:
    """The datagrams of one capture, concatenated in the order they came."""
    return (CORPUS / name).read_bytes()


def text(name: str) -> str:
    """One text file of the corpus."""
    return (CORPUS / name).read_text(encoding="utf-8")
