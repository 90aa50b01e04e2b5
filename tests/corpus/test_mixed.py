"""linux-mixed: 53 SAs of every kind a Linux 6.1 kernel shows, against what setkey and iproute2 said about them.

AH, ESP and IPComp; transport, tunnel and beet; IPv4 and IPv6; larval, mature and dying; AEAD and cmac, which PF_KEY
cannot name; selectors in ADDRESS_PROXY; UDP encapsulation; limits in seconds, bytes and packets; two SAs with traffic.
"""

from __future__ import annotations

import pytest

import fastpfkey as pf

from .decoded import Road, associations_from_messages, associations_from_table
from .groundtruth import byhand, capture, facts, setkey, text, xfrm
from .groundtruth.facts import contradictions
from .groundtruth.index import read_index

CAPTURES = ["linux-mixed.bin", "linux-mixed-satype2.bin", "linux-mixed-satype3.bin", "linux-mixed-satype9.bin"]

both_roads = pytest.mark.parametrize("road", [associations_from_messages, associations_from_table])


@both_roads
def test_setkey_said_so(road: Road) -> None:
    """Addresses, SPI (R-2.3.1-03), reqid, mode, state, algorithms, keys, lifetimes, replay, flags, NAT-T ports."""
    printed = setkey.read_sas(text("linux-mixed.setkey.txt"))
    for sa, decoded in zip(printed, road(capture("linux-mixed.bin")), strict=True):
        assert contradictions(facts.of_setkey(sa), decoded) == {}


@both_roads
def test_iproute2_said_so(road: Road) -> None:
    """The same and what setkey does not print: key bits, proxies, algorithms without keys, NAT-T types."""
    printed = xfrm.read_states(text("linux-mixed.xfrm.txt"))
    for state, decoded in zip(printed, road(capture("linux-mixed.bin")), strict=True):
        assert contradictions(facts.of_xfrm(state), decoded) == {}


@both_roads
@pytest.mark.parametrize("name", CAPTURES)
def test_the_bytes_say_so(name: str, road: Road) -> None:
    """Every column, also the absent ones and the headers, in the whole dump and in those of one satype."""
    data = capture(name)
    for message, decoded in zip(byhand.split(data), road(data), strict=True):
        told = facts.canonical(facts.of_message(message))
        assert contradictions(told, decoded) == {}
        assert decoded.keys() == told.keys()


@pytest.mark.parametrize("name", CAPTURES)
def test_messages_lie_where_the_index_says(name: str) -> None:
    """Offsets and lengths of every message, and its extensions in wire order."""
    rows = read_index(name)
    batch = pf.decode(capture(name), dialect="linux", byteorder="little")
    table = pf.SATable.from_buffer(capture(name), dialect="linux", byteorder="little")
    assert [(message.offset, message.length) for message in batch] == [(row.offset, row.size) for row in rows]
    assert table["message_offset"].tolist() == [row.offset for row in rows]
    assert table["message_length"].tolist() == [row.size for row in rows]
    for message, row in zip(batch, rows, strict=True):
        assert [ext.exttype for ext in message.extensions] == [ext.number for ext in row.extensions]


def test_the_dump_ends_with_seq_0() -> None:
    """Linux counts a dump's messages from 1 and gives the last one 0, so that a reader knows the end (R-3.1.10-04)."""
    seqs = pf.SATable.from_buffer(capture("linux-mixed.bin"), dialect="linux", byteorder="little")["seq"]
    assert seqs.tolist() == [*range(1, 53), 0]


def test_empty_sad_is_one_message_with_an_errno() -> None:
    """A dump of nothing is a bare header with ENOENT, which is a message like any other."""
    (message,) = pf.decode(capture("linux-sad-empty.bin"), dialect="linux", byteorder="little")
    assert (message.type, message.errno, message.length) == (pf.MessageType.DUMP, 2, 16)
    assert message.extensions == ()
    assert message.sa is None
