"""The tables written while capturing: one row per message, and the timeline of the event capture.

``*.idx.tsv`` was written by the capturing program from the datagrams as ``recv`` and ``send`` delimited them, so `size`
is the datagram's true size while `header_length` is what its ``sadb_msg_len`` claims. Both agree for all that the
kernel sent; they differ for the broken requests of linux-errors.sent.bin. Extension names are that program's own;
`EXTENSIONS` and `MESSAGES` give their numbers in Linux's ``<linux/pfkeyv2.h>``.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import text

MESSAGES = {
    "RESERVED": 0,
    "GETSPI": 1,
    "UPDATE": 2,
    "ADD": 3,
    "DELETE": 4,
    "GET": 5,
    "ACQUIRE": 6,
    "REGISTER": 7,
    "EXPIRE": 8,
    "FLUSH": 9,
    "DUMP": 10,
    "X_PROMISC": 11,
    "X_PCHANGE": 12,
    "X_SPDUPDATE": 13,
    "X_SPDADD": 14,
    "X_SPDDELETE": 15,
    "X_SPDGET": 16,
    "X_SPDACQUIRE": 17,
    "X_SPDDUMP": 18,
    "X_SPDFLUSH": 19,
    "X_SPDSETIDX": 20,
    "X_SPDEXPIRE": 21,
    "X_SPDDELETE2": 22,
    "X_NAT_T_NEW_MAPPING": 23,
    "X_MIGRATE": 24,
}
EXTENSIONS = {
    "RESERVED": 0,
    "SA": 1,
    "LT_CUR": 2,
    "LT_HARD": 3,
    "LT_SOFT": 4,
    "SRC": 5,
    "DST": 6,
    "PROXY": 7,
    "KEY_AUTH": 8,
    "KEY_ENC": 9,
    "ID_SRC": 10,
    "ID_DST": 11,
    "SENS": 12,
    "PROP": 13,
    "SUP_AUTH": 14,
    "SUP_ENC": 15,
    "SPIRANGE": 16,
    "KMPRIVATE": 17,
    "POLICY": 18,
    "SA2": 19,
    "NATT_TYPE": 20,
    "NATT_SPORT": 21,
    "NATT_DPORT": 22,
    "NATT_OA": 23,
    "SEC_CTX": 24,
    "KMADDRESS": 25,
    "FILTER": 26,
}


@dataclass(frozen=True)
class IndexedExtension:
    """One extension as the index lists it; `faulty` where the capturing program gave up (length 0 or past the end)."""

    number: int
    size: int
    faulty: bool


@dataclass(frozen=True)
class IndexRow:
    """One datagram: where it lies in the capture, its header's fields, and its extensions in wire order."""

    number: int
    offset: int
    size: int
    type: int
    satype: int
    errno: int
    seq: int
    pid: int
    header_length: int
    extensions: tuple[IndexedExtension, ...]
    note: str

    def cut(self, data: bytes) -> bytes:
        """The datagram itself, out of the whole capture."""
        return data[self.offset : self.offset + self.size]


@dataclass(frozen=True)
class TimelineRow:
    """One message that one socket saw, or that was sent (`socket` is ``SENT``)."""

    step: str
    socket: str
    type: int
    satype: int
    errno: int
    seq: int
    pid: int
    size: int
    extensions: tuple[int, ...]
    header: bytes


def _rows(name: str) -> list[dict[str, str]]:
    head, *lines = text(name).splitlines()
    names = head.split("\t")
    return [dict(zip(names, line.split("\t"), strict=False)) for line in lines]


def _number(word: str, names: dict[str, int]) -> int:
    return names[word] if word in names else int(word)


def _extension(item: str) -> IndexedExtension:
    name, size = item.removesuffix("!").split(":")
    return IndexedExtension(_number(name, EXTENSIONS), int(size), item.endswith("!"))


def read_index(name: str) -> list[IndexRow]:
    """The rows of ``NAME.idx.tsv``, in capture order."""
    return [
        IndexRow(
            number=int(row["n"]),
            offset=int(row["offset"]),
            size=int(row["bytes"]),
            type=_number(row["type"], MESSAGES),
            satype=int(row["satype"]),
            errno=int(row["errno"]),
            seq=int(row["seq"]),
            pid=int(row["pid"]),
            header_length=int(row["hdr_len_bytes"]),
            extensions=tuple(_extension(item) for item in row["exts"].split(",") if item),
            note=row["note"],
        )
        for row in _rows(f"{name}.idx.tsv")
    ]


def read_timeline(name: str) -> list[TimelineRow]:
    """The messages of the timeline, in order; shell commands and remarks are left out."""
    return [
        TimelineRow(
            step=row["step"],
            socket=row["socket"],
            type=_number(row["type"], MESSAGES),
            satype=int(row["satype"]),
            errno=int(row["errno"]),
            seq=int(row["seq"]),
            pid=int(row["pid"]),
            size=int(row["bytes"]),
            extensions=tuple(_number(item, EXTENSIONS) for item in row["exts"].split(",") if item),
            header=bytes.fromhex(row["hex_head"]),
        )
        for row in _rows(name)
        if row.get("hex_head")
    ]
