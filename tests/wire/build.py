"""Bytes of Linux messages in either byte order, packed by hand from <linux/pfkeyv2.h>, with no code of the library."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Literal

HostOrder = Literal["little", "big"]

ADD, DUMP, REGISTER, SPDADD = 3, 10, 7, 14
AH, ESP, IPCOMP = 2, 3, 9


class Builder:
    """Structures of a host of one byte order."""

    def __init__(self, byteorder: HostOrder = "little") -> None:
        self.byteorder: HostOrder = byteorder
        self.prefix = "<" if byteorder == "little" else ">"

    def pack(self, codes: str, *values: int | bytes) -> bytes:
        return struct.pack(self.prefix + codes, *values)

    def header(self, words: int, type: int = DUMP, satype: int = ESP, version: int = 2) -> bytes:
        return self.pack("BBBBHHII", version, type, 0, satype, words, 0, 0x01020304, 0x05060708)

    def message(self, *extensions: bytes, type: int = DUMP, satype: int = ESP) -> bytes:
        body = b"".join(extensions)
        return self.header((16 + len(body)) // 8, type, satype) + body

    def extension(self, number: int, body: bytes) -> bytes:
        body += bytes(-(4 + len(body)) % 8)
        return self.pack("HH", (4 + len(body)) // 8, number) + body

    def sa(self, spi: int = 0x0102A3B4, encrypt: int = 12, number: int = 1) -> bytes:
        return self.extension(number, struct.pack(">I", spi) + self.pack("BBBBI", 32, 1, 3, encrypt, 0x40000000))

    def lifetime(self, number: int, first: int = 1) -> bytes:
        return self.extension(number, self.pack("IQQQ", first, first + 1, first + 2, first + 3))

    def sockaddr(self, text: str, port: int = 0, scope: int = 0, flowinfo: int = 0) -> bytes:
        ip = ip_address(text)
        if ip.version == 4:
            return self.pack("H", 2) + struct.pack(">H", port) + ip.packed + bytes(8)
        tail = ip.packed + self.pack("I", scope)
        return self.pack("H", 10) + struct.pack(">HI", port, flowinfo) + tail

    def address(self, number: int, sockaddr: bytes, proto: int = 0, prefixlen: int = 32) -> bytes:
        return self.extension(number, self.pack("BBH", proto, prefixlen, 0) + sockaddr)

    def key(self, number: int, bits: int, material: bytes) -> bytes:
        return self.extension(number, self.pack("HH", bits, 0) + material)

    def identity(self, number: int, kind: int, id: int, text: bytes) -> bytes:
        return self.extension(number, self.pack("HHQ", kind, 0, id) + text)

    def policy(self, *requests: bytes, kind: int = 2, direction: int = 2) -> bytes:
        body = self.pack("HBBII", kind, direction, 0, 0x0A0B0C0D, 7) + b"".join(requests)
        return self.extension(18, body)

    def request(self, proto: int, mode: int, level: int, reqid: int, ends: bytes = b"") -> bytes:
        return self.pack("HHBBHII", 16 + len(ends), proto, mode, level, 0, reqid, 0) + ends
