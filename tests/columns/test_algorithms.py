"""Supported algorithms, against the bytes read by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from corpus.groundtruth import byhand, capture
from corpus.groundtruth.index import EXTENSIONS

from fastpfkey.columns.algorithms import AlgorithmTable
from fastpfkey.errors import WireError
from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm, ExtensionType, SAType
from fastpfkey.wire.decode import decode

from .support import MIXED, same

REPLIES = b"".join(capture(f"linux-register-{name}.bin") for name in ("ah", "esp", "ipcomp", "unspec"))
KINDS = {"SUP_AUTH": ExtensionType.SUPPORTED_AUTH, "SUP_ENC": ExtensionType.SUPPORTED_ENCRYPT}


def algorithms(data: bytes = REPLIES, **arguments) -> AlgorithmTable:
    """A table of a Linux capture from a little-endian host."""
    return AlgorithmTable.from_buffer(data, dialect="linux", byteorder="little", **arguments)


def test_rows_are_what_the_bytes_say() -> None:
    told = []
    for number, message in enumerate(byhand.split(REPLIES)):
        for name, kind in KINDS.items():
            found = byhand.extension(message, EXTENSIONS[name])
            assert found is not None
            for alg in byhand.supported(found):
                told.append((number, message[3], kind, alg.id, alg.ivlen, alg.minbits, alg.maxbits))
    table = algorithms()
    assert table.columns == ("message", "satype", "kind", "id", "ivlen", "minbits", "maxbits")
    assert list(zip(*(table[name].tolist() for name in table.columns), strict=True)) == told
    assert len(told) == 4 * 18


def test_columns_are_typed_and_native() -> None:
    table = algorithms()
    assert [table[name].dtype.str[1:] for name in table.columns] == "u4 u2 u2 u2 u1 u2 u2".split()
    assert all(table[name].dtype.isnative and table[name].flags.c_contiguous for name in table.columns)


def test_questions_one_asks() -> None:
    table = algorithms()
    esp = table[(table["satype"] == SAType.ESP) & (table["kind"] == ExtensionType.SUPPORTED_ENCRYPT)]
    assert EncryptAlgorithm.AES_CBC in esp["id"].tolist()
    longest = esp[esp["id"] == EncryptAlgorithm.AES_CBC]
    assert (longest["minbits"].tolist(), longest["maxbits"].tolist()) == ([128], [256])
    assert AuthAlgorithm.SHA2_256_HMAC in table[table["kind"] == ExtensionType.SUPPORTED_AUTH]["id"].tolist()


def test_labels_depend_on_the_kind() -> None:
    rows = [(row["kind"], row["id"]) for row in algorithms().rows() if row["message"] == 1]
    assert ("auth", "md5-hmac") in rows
    assert ("encrypt", "des-cbc") in rows
    assert "sha2-256-hmac" in repr(algorithms())


def reply(order: str) -> bytes:
    """A reply with one algorithm that nobody knows, in either byte order."""
    listed = struct.pack(f"{order}HHI", 2, 15, 0) + struct.pack(f"{order}BBHHH", 99, 16, 128, 300, 0)
    return struct.pack(f"{order}BBBBHHII", 2, 7, 0, 3, 4, 0, 1, 1) + listed


def test_byte_order_and_unknown_algorithms() -> None:
    little, big = (
        AlgorithmTable.from_buffer(reply(order), "linux", byteorder=name)
        for order, name in (("<", "little"), (">", "big"))
    )
    assert same(little, big)
    assert little["id"].tolist() == [0x8000 + 99]
    assert little["maxbits"].tolist() == [300]
    assert next(little.rows())["id"] == "unknown-99"


def test_messages_without_lists_have_no_rows() -> None:
    for data in (MIXED, b""):
        table = algorithms(data)
        assert len(table) == 0
        assert table["maxbits"].dtype == np.uint16


def test_faults_are_treated_as_everywhere() -> None:
    with pytest.raises(WireError):
        algorithms(REPLIES[:-8])
    stopped = algorithms(REPLIES[:-8], on_error="stop")
    assert len(stopped) == 3 * 18
    assert stopped.fault is not None
    broken = bytearray(REPLIES)
    broken[16] = 0
    skipped = algorithms(bytes(broken), on_error="skip")
    assert (len(skipped), skipped.skipped) == (3 * 18, 1)


def test_a_batch_makes_the_same_table() -> None:
    assert same(AlgorithmTable.from_batch(decode(REPLIES, "linux", "little")), algorithms())
