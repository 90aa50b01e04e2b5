"""linux-errors: 224 malformed and unusual requests, each with the fault it must give or none, and the kernel's answers.

A fault is only what makes bytes unreadable or a length impossible. What the kernel refuses for another reason (missing
extensions, families that disagree, key lengths unfit for the algorithm, reserved bits) decodes, for a caller to judge.
So what the kernel accepted must decode, and what faults here the kernel refused; both are tested against its answers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.wire.extensions import Opaque

from .groundtruth import answers, byhand, capture, facts
from .groundtruth.index import MESSAGES, IndexRow, read_index

SENT, ANSWERED = "linux-errors.sent.bin", "linux-errors.bin"

# In the requests below SA is at byte 16, SRC at 32, DST at 56, KEY_AUTH at 80, KEY_ENC at 112, and what a case adds at
# 136; of policies, SRC is at 16, DST at 40, POLICY at 64 and its first request at 80.
FAULTS = {
    "len field 0": (pf.Fault.MESSAGE_SHORT, 4),
    "len field 1 (< header)": (pf.Fault.MESSAGE_SHORT, 4),
    "len field 3, 16 bytes sent": (pf.Fault.MESSAGE_TRUNCATED, 4),
    "len field 65535, 16 bytes sent": (pf.Fault.MESSAGE_TRUNCATED, 4),
    # The length is cut to 16 bits and became 1.
    "send 213000-byte message (> sndbuf-32)": (pf.Fault.MESSAGE_SHORT, 4),
    "version 0": (pf.Fault.VERSION, 0),
    "version 1": (pf.Fault.VERSION, 0),
    "version 3": (pf.Fault.VERSION, 0),
    "version 255": (pf.Fault.VERSION, 0),
    "ext length 0 at the end": (pf.Fault.EXTENSION_EMPTY, 136),
    "ext length 0 first": (pf.Fault.EXTENSION_EMPTY, 16),
    "ext longer than the message": (pf.Fault.EXTENSION_OVERRUN, 136),
    "ext length 65535": (pf.Fault.EXTENSION_OVERRUN, 136),
    "SA ext of 8 bytes (too short)": (pf.Fault.EXTENSION_SHORT, 16),
    "LIFETIME exts of 24 bytes (too short)": (pf.Fault.EXTENSION_SHORT, 136),
    # A duplicate shows in the type field of the second, 2 bytes in.
    "duplicate SA ext": (pf.Fault.EXTENSION_DUPLICATE, 138),
    "duplicate SRC address": (pf.Fault.EXTENSION_DUPLICATE, 138),
    "duplicate SA2": (pf.Fault.EXTENSION_DUPLICATE, 154),
    # The bits of a key are 4 bytes into its extension, a sockaddr begins 8 bytes into an address.
    "KEY_AUTH: bits 160 but only 8 key bytes": (pf.Fault.KEY_OVERRUN, 84),
    "KEY_AUTH bits 65535": (pf.Fault.KEY_OVERRUN, 84),
    "SRC address: 8-byte ext, no sockaddr": (pf.Fault.SOCKADDR_OVERRUN, 40),
    "SRC address: sockaddr_in cut to 8 bytes": (pf.Fault.SOCKADDR_OVERRUN, 40),
    "SPDADD request len 0": (pf.Fault.REQUEST_SHORT, 80),
    "SPDADD request len beyond the ext": (pf.Fault.REQUEST_OVERRUN, 80),
}
# A buffer is messages back to back, so bytes behind a good message are the beginning of another, cut short.
TRAILING = {
    "len field 2, 24 bytes sent (trailing 8 bytes)": 16,
    "len field 2, 20 bytes sent (trailing 4 bytes: len/8 rounds down)": 16,
    "3 trailing bytes after the last ext (len/8 rounds down)": 136,
}
# Numbers that Linux skips, 0 aside, which it refuses: they are kept with their bytes.
UNKNOWN_EXTENSIONS = {0, 27, 200, 65535}
ROWS = read_index(SENT)


def requests(*, faulty: bool) -> list[object]:
    """The rows whose only message has a fault, or has none, one test each."""
    chosen = [row for row in ROWS if row.note not in TRAILING and (row.note in FAULTS) == faulty]
    return [pytest.param(row, id=f"{row.number}-{row.note.replace(' ', '-')}") for row in chosen]


def test_every_case_of_the_table_was_sent() -> None:
    """No line of the two tables above is dead, and the notes name the rows uniquely."""
    notes = [row.note for row in ROWS]
    assert len(set(notes)) == len(notes) == 224
    assert FAULTS.keys() | TRAILING.keys() <= set(notes)


def test_the_kernel_refused_what_faults() -> None:
    """No request is called unreadable here that the kernel read without blaming its bytes."""
    understood = answers.understood()
    assert not [note for note in (*FAULTS, *TRAILING) if understood[note]]


@pytest.mark.parametrize("row", requests(faulty=True))
def test_request_is_unreadable(row: IndexRow) -> None:
    """The fault, the byte that shows it, and that no message came before it."""
    with pytest.raises(pf.WireError) as caught:
        pf.decode(row.cut(capture(SENT)), dialect="linux", byteorder="little")
    assert (caught.value.fault, caught.value.offset) == FAULTS[row.note]
    assert (caught.value.message_index, caught.value.good) == (0, 0)


@pytest.mark.parametrize("row", requests(faulty=False))
def test_request_is_readable(row: IndexRow) -> None:
    """Header and extensions are those of the index, known or not, in order, whatever the kernel thought of them."""
    (message,) = pf.decode(row.cut(capture(SENT)), dialect="linux", byteorder="little")
    header = byhand.header(row.cut(capture(SENT)))
    assert message.type == (row.type if row.type <= MESSAGES["X_MIGRATE"] else pf.MessageType.unknown(row.type))
    assert message.satype == facts.canonical_satype(row.satype)
    assert (message.errno, message.seq, message.pid) == (row.errno, row.seq, row.pid)
    assert (message.length, message.reserved) == (row.size, header.reserved)
    for extension, told in zip(message.extensions, row.extensions, strict=True):
        assert extension.size == told.size
        assert not told.faulty
        if isinstance(extension, Opaque):
            assert (extension.number, told.number in UNKNOWN_EXTENSIONS) == (told.number, True)
        else:
            assert extension.exttype == told.number


# What a case is about, read off its bytes by eye: where it shows in the message, and its value.
VALUES: dict[str, list[tuple[Callable[[Any], object], object]]] = {
    "KEY_ENC 127 bits": [
        (lambda m: m.key_encrypt.bits, 127),
        (lambda m: m.key_encrypt.reveal(), bytes(range(16))),
    ],
    "KEY_ENC bits 0": [(lambda m: m.key_encrypt.bits, 0), (lambda m: m.key_encrypt.reveal(), b"")],
    "prefixlen 24 and port 500, proto 17 in the SA addresses": [
        (lambda m: (m.address_src.prefixlen, m.address_src.port, m.address_src.proto), (24, 500, 17)),
        (lambda m: (m.address_dst.prefixlen, m.address_dst.port, m.address_dst.proto), (24, 500, 17)),
    ],
    "SRC/DST address family AF_UNSPEC (0)": [(lambda m: (m.address_src.family, m.address_src.ip), (0, None))],
    "KAME sockaddr (first byte = length 16, second = family 2)": [
        (lambda m: (m.address_src.family, m.address_src.ip), (0x8000 + 0x0210, None)),
    ],
    "SRC IPv4, DST IPv6": [(lambda m: (m.address_src.family, m.address_dst.family), (4, 6))],
    "lifetimes 2^64-1": [
        (lambda m: (m.lifetime_hard.allocations, m.lifetime_hard.bytes), (2**32 - 1, 2**64 - 1)),
        (lambda m: (m.lifetime_soft.addtime, m.lifetime_soft.usetime), (2**64 - 1, 2**64 - 1)),
    ],
    "SPI 0": [(lambda m: m.sa.spi, 0)],
    "SPI 255": [(lambda m: m.sa.spi, 255)],
    "SA flags 0xffffffff": [(lambda m: m.sa.flags, 2**32 - 1)],
    "state field DEAD (3)": [(lambda m: m.sa.state, pf.SAState.DEAD)],
    "auth alg 4 (unassigned)": [(lambda m: m.sa.auth, 0x8000 + 4)],
    "enc alg 20 AES_GCM_ICV16 with 20-byte key, no auth": [
        (lambda m: m.sa.encrypt, pf.EncryptAlgorithm.AES_GCM_ICV16),
        (lambda m: m.key_encrypt.bits, 160),
    ],
    "IPCOMP alg 3 (LZS)": [(lambda m: m.sa.encrypt, pf.CompressAlgorithm.LZS)],
    "IPCOMP alg 9 (> max)": [(lambda m: m.sa.encrypt, 0x8000 + 9)],
    "mode 9 in SA2": [(lambda m: (m.sa2.mode, m.sa2.reqid), (0x8000 + 9, 1))],
    "NAT-T type 99": [(lambda m: m.natt_type.type, 0x8000 + 99)],
    "NAT-T with OA address": [(lambda m: str(m.natt_oa.ip), "192.168.7.7")],
    "IDENTITY exts (FQDN)": [
        (lambda m: (m.identity_src.type, m.identity_src.text), (pf.IdentityType.FQDN, "a.example")),
        (
            lambda m: (m.identity_dst.type, m.identity_dst.text, m.identity_dst.id),
            (pf.IdentityType.FQDN, "b.example", 0),
        ),
    ],
    "SENSITIVITY ext": [
        (lambda m: (m.sensitivity.dpd, m.sensitivity.sens_bitmap, m.sensitivity.integ_bitmap), (0, (), ())),
    ],
    "SEC_CTX ext (SELinux string)": [
        (lambda m: (m.sec_ctx.algorithm, m.sec_ctx.doi, m.sec_ctx.context), (1, 1, b"system_u\0\0")),
    ],
    "PROXY address": [(lambda m: (str(m.address_proxy.ip), m.address_proxy.prefixlen), ("192.168.9.0", 24))],
    "DUMP with FILTER ext (IPv4 src 10.9.0.0/16)": [
        (lambda m: (m.filter.family, str(m.filter.src), m.filter.splen), (4, "10.9.0.0", 16)),
        (lambda m: (str(m.filter.dst), m.filter.dplen), ("0.0.0.0", 0)),
    ],
    "DUMP with FILTER splen 200": [(lambda m: m.filter.splen, 200)],
    "GETSPI min > max": [(lambda m: m.spirange.min > m.spirange.max, True)],
    "SPDADD dir 9": [(lambda m: m.policy.dir, 0x8000 + 9)],
    "SPDADD type 9": [(lambda m: m.policy.type, 0x8000 + 9)],
    "SPDADD 7 requests": [(lambda m: len(m.policy.requests), 7)],
    "SPDADD tunnel request without addresses": [
        (lambda m: [(item.mode, item.src, item.dst) for item in m.policy.requests], [(pf.Mode.TUNNEL, None, None)]),
    ],
    "SPDADD request level 4 (transport)": [(lambda m: m.policy.requests[0].level, 0x8000 + 4)],
    "SPDADD unique with reqid 70000 (> 0x3fff)": [
        (lambda m: (m.policy.requests[0].level, m.policy.requests[0].reqid), (pf.Level.UNIQUE, 70000)),
    ],
    "SPDADD policy ext with trailing 8 bytes": [(lambda m: len(m.policy.requests), 1)],
}


@pytest.mark.parametrize("note", VALUES)
def test_unusual_value_is_kept(note: str) -> None:
    """What the kernel refuses or changes is what the message says all the same."""
    (row,) = [row for row in ROWS if row.note == note]
    (message,) = pf.decode(row.cut(capture(SENT)), dialect="linux", byteorder="little")
    for read, expected in VALUES[note]:
        assert read(message) == expected


@pytest.mark.parametrize(("note", "position"), TRAILING.items())
def test_bytes_behind_the_message_are_a_cut_header(note: str, position: int) -> None:
    """The message before them is good and kept by on_error="stop"."""
    (row,) = [row for row in ROWS if row.note == note]
    data = row.cut(capture(SENT))
    with pytest.raises(pf.WireError) as caught:
        pf.decode(data, dialect="linux", byteorder="little")
    assert (caught.value.fault, caught.value.offset) == (pf.Fault.HEADER_TRUNCATED, position)
    assert (caught.value.message_index, caught.value.good) == (1, 1)
    assert len(pf.decode(data, dialect="linux", byteorder="little", on_error="stop")) == 1


def test_what_the_kernel_read_decodes() -> None:
    """Every request that the kernel answered without blaming its bytes."""
    understood = answers.understood()
    accepted = [row for row in ROWS if understood[row.note]]
    assert len(accepted) > 100
    for row in accepted:
        assert len(pf.decode(row.cut(capture(SENT)), dialect="linux", byteorder="little")) == 1, row.note


def test_answers_are_whole() -> None:
    """All that the kernel sent back decodes in one walk, the record of a dump cut short (errno 234) too."""
    rows = read_index(ANSWERED)
    batch = pf.decode(capture(ANSWERED), dialect="linux", byteorder="little")
    assert len(batch) == len(rows)
    for message, row in zip(batch, rows, strict=True):
        assert (message.type, message.satype) == (row.type, facts.canonical_satype(row.satype))
        assert message.errno == row.errno
        assert (message.seq, message.pid, message.offset, message.length) == (row.seq, row.pid, row.offset, row.size)
        assert [(ext.exttype, ext.size) for ext in message.extensions] == [(e.number, e.size) for e in row.extensions]
    (cut_short,) = [message for message in batch if message.errno == 256 - 22]
    assert cut_short.policy is not None
