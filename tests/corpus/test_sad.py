"""setkey/sad: 60 messages with random values in every field, against what setkey's own code printed for them.

Unlike a kernel's dump these have states, modes and algorithms without a name, byte counts of 60 bits, extensions
missing in every combination, NAT-T on AH and IPComp, ports, original addresses and security labels.
"""

from __future__ import annotations

import pytest

import fastpfkey as pf

from .decoded import Road, associations_from_messages, associations_from_table
from .groundtruth import byhand, capture, facts, setkey, text
from .groundtruth.index import EXTENSIONS

NAME = "setkey/sad.bin"

both_roads = pytest.mark.parametrize("road", [associations_from_messages, associations_from_table])


@both_roads
@pytest.mark.parametrize(("printed", "with_ports"), [("setkey/sad.txt", False), ("setkey/sad.ports.txt", True)])
def test_setkey_said_so(printed: str, with_ports: bool, road: Road) -> None:
    """All that setkey printed, up to the rounding of byte counts; a number n without a name is kept as 0x8000 + n."""
    for sa, decoded in zip(setkey.read_sas(text(printed), with_ports), road(capture(NAME)), strict=True):
        told = facts.canonical(facts.of_setkey(sa) | {"seq": sa.sadb_seq, "pid": sa.pid})
        assert facts.contradictions(told, facts.through_double(decoded)) == {}


@both_roads
def test_the_bytes_say_so(road: Road) -> None:
    """Every column of every message, with the exact byte counts and what setkey does not print."""
    for message, decoded in zip(byhand.split(capture(NAME)), road(capture(NAME)), strict=True):
        told = facts.canonical(facts.of_message(message))
        assert facts.contradictions(told, decoded) == {}
        assert decoded.keys() == told.keys()


def test_labels_are_as_setkey_printed_them() -> None:
    """The security contexts of 14 messages: algorithm, domain, and the label with the NUL that its length counts."""
    batch = pf.decode(capture(NAME), dialect="linux", byteorder="little")
    labels = [sa.sec_ctx for sa in setkey.read_sas(text("setkey/sad.txt"))]
    assert sum(label is not None for label in labels) == 14
    for message, raw, label in zip(batch, byhand.split(capture(NAME)), labels, strict=True):
        ext = byhand.extension(raw, EXTENSIONS["SEC_CTX"])
        assert (message.sec_ctx is None) == (label is None) == (ext is None)
        if message.sec_ctx and label and ext:
            assert (message.sec_ctx.algorithm, message.sec_ctx.doi) == (label.algorithm, label.doi)
            assert message.sec_ctx.context == byhand.sec_ctx(ext)[2] == label.text + b"\0"
