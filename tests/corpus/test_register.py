"""linux-register-*: what a Linux 6.1 kernel says it supports when a socket registers.

The kernel answers alike for every SA type, also for IPComp and unspec: the authentication and encryption algorithms
that it has loaded. Each line below is a struct sadb_alg (id, ivlen, minbits, maxbits) read from the bytes by eye,
beside the name that <linux/pfkeyv2.h> gives the id.
"""

from __future__ import annotations

import pytest

import fastpfkey as pf

from .groundtruth import byhand, capture
from .groundtruth.index import EXTENSIONS, read_index

Auth, Encrypt = pf.AuthAlgorithm, pf.EncryptAlgorithm

AUTH = [
    (Auth.NULL, 251, 0, 0, 0),
    (Auth.MD5_HMAC, 2, 0, 128, 128),
    (Auth.SHA1_HMAC, 3, 0, 160, 160),
    (Auth.SHA2_256_HMAC, 5, 0, 256, 256),
    (Auth.SHA2_384_HMAC, 6, 0, 384, 384),
    (Auth.SHA2_512_HMAC, 7, 0, 512, 512),
    (Auth.RIPEMD160_HMAC, 8, 0, 160, 160),
    (Auth.AES_XCBC_MAC, 9, 0, 128, 128),
]
ENCRYPT = [
    (Encrypt.NULL, 11, 0, 0, 0),
    (Encrypt.DES_CBC, 2, 8, 64, 64),
    (Encrypt.TRIPLE_DES_CBC, 3, 8, 192, 192),
    (Encrypt.CAST128_CBC, 6, 8, 40, 128),
    (Encrypt.BLOWFISH_CBC, 7, 8, 40, 448),
    (Encrypt.AES_CBC, 12, 8, 128, 256),
    (Encrypt.SERPENT_CBC, 252, 8, 128, 256),
    (Encrypt.CAMELLIA_CBC, 22, 8, 128, 256),
    (Encrypt.TWOFISH_CBC, 253, 8, 128, 256),
    (Encrypt.AES_CTR, 13, 8, 160, 288),
]

replies = pytest.mark.parametrize(
    ("name", "satype"),
    [
        ("linux-register-ah.bin", pf.SAType.AH),
        ("linux-register-esp.bin", pf.SAType.ESP),
        ("linux-register-ipcomp.bin", pf.SAType.IPCOMP),
        ("linux-register-unspec.bin", pf.SAType.UNSPEC),
    ],
)


@replies
def test_reply_lists_the_algorithms(name: str, satype: pf.SAType) -> None:
    """Header, both extensions in order, and every algorithm with its IV length and key sizes."""
    (message,) = pf.decode(capture(name), dialect="linux", byteorder="little")
    (row,) = read_index(name)
    assert (message.type, message.satype, message.errno) == (pf.MessageType.REGISTER, satype, 0)
    assert (message.seq, message.pid, message.length) == (row.seq, row.pid, row.size)
    assert [ext.exttype for ext in message.extensions] == [
        pf.ExtensionType.SUPPORTED_AUTH,
        pf.ExtensionType.SUPPORTED_ENCRYPT,
    ]
    for extension, expected in ((message.supported_auth, AUTH), (message.supported_encrypt, ENCRYPT)):
        assert extension is not None
        told = [(alg.id, alg.ivlen, alg.minbits, alg.maxbits) for alg in extension.algorithms]
        assert told == [(term, *sizes) for term, _, *sizes in expected]


@replies
def test_the_bytes_say_so(name: str, satype: pf.SAType) -> None:
    """The lists above are what the bytes hold, by wire number."""
    (message,) = byhand.split(capture(name))
    assert byhand.header(message).satype == satype
    for ext, expected in (("SUP_AUTH", AUTH), ("SUP_ENC", ENCRYPT)):
        found = byhand.extension(message, EXTENSIONS[ext])
        assert found is not None
        assert byhand.supported(found) == [byhand.Algorithm(*wire) for _, *wire in expected]


@replies
def test_algorithm_table_has_a_row_for_each(name: str, satype: pf.SAType) -> None:
    """Both lists one after the other, with the extension that each algorithm was in."""
    table = pf.AlgorithmTable.from_buffer(capture(name), dialect="linux", byteorder="little")
    assert len(table) == len(AUTH) + len(ENCRYPT)
    assert set(table["satype"].tolist()) == {satype}
    kinds = [pf.ExtensionType.SUPPORTED_AUTH] * len(AUTH) + [pf.ExtensionType.SUPPORTED_ENCRYPT] * len(ENCRYPT)
    assert table["kind"].tolist() == kinds
    rows = zip(*(table[column].tolist() for column in ("id", "ivlen", "minbits", "maxbits")), strict=True)
    assert list(rows) == [(term, *sizes) for term, _, *sizes in AUTH + ENCRYPT]
