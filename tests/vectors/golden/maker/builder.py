"""The words in which the messages are written: each makes one extension of whatever dialect the table describes.

Numbers are ramps (0x11121314) where the field allows it, so that a swapped or shifted field cannot look right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maker.algorithms import AUTH, ENCRYPT
from maker.messages import Extension, Message
from maker.tables import Table
from maker.tails import Bitmaps, Data, Key, Records, Request, Requests, Sockaddr, Tail, Text, Values

A4, B4, C4 = Sockaddr("192.0.2.17"), Sockaddr("198.51.100.34"), Sockaddr("203.0.113.51")
A6, B6 = Sockaddr("2001:db8:1112:1314:1516:1718:191a:1b1c"), Sockaddr("2001:db8:2122:2324:2526:2728:292a:2b2c")
C6 = Sockaddr("2001:db8:3132:3334:3536:3738:393a:3b3c")
NET4A, NET4B = Sockaddr("10.20.30.0"), Sockaddr("172.16.48.0")
NET6A, NET6B = Sockaddr("2001:db8:4142:4344::"), Sockaddr("2001:db8:5152:5354::")
CREATED, USED = 0x6553F1A2, 0x6553F2B4


def ramp(first: int, width: int = 4) -> int:
    """A number whose bytes are first, first + 1, ... from the most significant on."""
    return int.from_bytes(ramp_bytes(first, width), "big")


def ramp_bytes(first: int, count: int) -> bytes:
    return bytes((first + i) % 256 for i in range(count))


class Builder:
    """Extensions and messages of one dialect.

    sa_proto and full_prefix say what the dialect puts into the addresses of an association.
    """

    def __init__(self, table: Table, sa_proto: int = 0, full_prefix: bool = True) -> None:
        self.table = table
        self._sa_proto = sa_proto
        self._full_prefix = full_prefix
        self._made = 0
        self.cipher = "aes" if self.knows_cipher("aes") else "3des"
        self.cipher_bits = 256 if self.cipher == "aes" else 192
        self.digest = "sha256" if any(map(table.has, AUTH["sha256"])) else "sha1"
        self.digest_bits = 256 if self.digest == "sha256" else 160

    def knows_cipher(self, word: str) -> bool:
        return any(map(self.table.has, ENCRYPT[word]))

    def message(
        self,
        name: str,
        type: str,
        direction: str | None,
        satype: str | int = "UNSPEC",
        extensions: Sequence[Extension] = (),
        payload: Message | None = None,
        **header: int,
    ) -> Message:
        """Sequence and process ids differ in every message unless given: header fields without their C prefix."""
        self._made += 1
        values = {"seq": 0x51525300 + self._made, "pid": 0x61626300 + self._made} | header
        return Message(
            name,
            self.message_type(type),
            direction,
            satype if isinstance(satype, int) else self.satype(satype),
            list(extensions),
            {f"sadb_msg_{key}": value for key, value in values.items()},
            payload,
        )

    def message_type(self, word: str) -> str:
        types = self.table.message_types
        return next(name for name in (f"SADB_{word}", f"SADB_X_{word}") if name in types)

    def satype(self, word: str) -> int:
        return self.table.first(f"SADB_SATYPE_{word}", f"SADB_X_SATYPE_{word}")

    def extension(self, word: str, tail: Tail | None = None, struct: str | None = None, **values: Any) -> Extension:
        """An extension by its name without SADB_EXT_ or SADB_X_EXT_; fields by their C names."""
        types = self.table.extension_types
        symbol = next(name for name in (f"SADB_EXT_{word}", f"SADB_X_EXT_{word}") if name in types)
        return Extension(symbol, values, tail, struct)

    def sa(
        self,
        spi: int,
        auth: str = "none",
        encrypt: str | int = "none",
        replay: int = 0,
        state: str = "MATURE",
        flags: int = 0,
        word: str = "SA",
        struct: str | None = None,
        **more: Any,
    ) -> Extension:
        values: Values = {
            "sadb_sa_spi": spi,
            "sadb_sa_replay": replay,
            "sadb_sa_state": self.table.first(f"SADB_SASTATE_{state}", f"SADB_X_SASTATE_{state}"),
            "sadb_sa_auth": self.auth(auth),
            "sadb_sa_encrypt": encrypt if isinstance(encrypt, int) else self.encrypt(encrypt),
            "sadb_sa_flags": flags,
        }
        return self.extension(word, None, struct, **values, **more)

    def spi_only(self, spi: int, struct: str | None = None) -> Extension:
        """SA(*): nothing but the SPI counts, so nothing but the SPI is set."""
        return self.extension("SA", None, struct, sadb_sa_spi=spi)

    def auth(self, word: str) -> int:
        return self.table.first(*AUTH[word])

    def encrypt(self, word: str) -> int:
        return self.table.first(*ENCRYPT[word])

    def lifetime(self, word: str, allocations: int, octets: int, addtime: int, usetime: int) -> Extension:
        return self.extension(
            word if word.startswith("L") else f"LIFETIME_{word}",
            sadb_lifetime_allocations=allocations,
            sadb_lifetime_bytes=octets,
            sadb_lifetime_addtime=addtime,
            sadb_lifetime_usetime=usetime,
        )

    def current(self, first: int = 0x05, allocations: int | None = None) -> Extension:
        count = ramp(first, 3) if allocations is None else allocations
        return self.lifetime("CURRENT", count, ramp(first + 4, 5), CREATED + first, USED + first)

    def limits(self, soft: int = 0x11, hard: int = 0x31, allocations: bool = True) -> list[Extension]:
        """HARD and SOFT, every soft limit below its hard one."""
        return [self.limit("HARD", hard, allocations), self.limit("SOFT", soft, allocations)]

    def limit(self, word: str, first: int, allocations: bool = True) -> Extension:
        count = ramp(first) if allocations else 0
        return self.lifetime(word, count, ramp(first + 4, 6), ramp(first + 10, 3), ramp(first + 13, 3))

    def address(self, word: str, end: Sockaddr, proto: int | None = None, prefixlen: int | None = None) -> Extension:
        """An address; OpenBSD's has neither protocol nor prefix length."""
        symbol = f"ADDRESS_{word}" if word in ("SRC", "DST", "PROXY") else word
        if not self.table.has_field("sadb_address", "sadb_address_proto"):
            return self.extension(symbol, end)
        return self.extension(
            symbol,
            end,
            sadb_address_proto=self._sa_proto if proto is None else proto,
            sadb_address_prefixlen=(end.bits if self._full_prefix else 0) if prefixlen is None else prefixlen,
        )

    def ends(self, src: Sockaddr = A4, dst: Sockaddr = B4, proto: int | None = None) -> list[Extension]:
        return [self.address("SRC", src, proto), self.address("DST", dst, proto)]

    def selector(self, src: Sockaddr, src_len: int, dst: Sockaddr, dst_len: int, proto: int = 255) -> list[Extension]:
        return [self.address("SRC", src, proto, src_len), self.address("DST", dst, proto, dst_len)]

    def key(self, word: str, bits: int, first: int, parity: bool = False) -> Extension:
        """Left-justified key bits; what the last octet has to spare is zero. DES wants odd parity in each octet."""
        data = bytearray(ramp_bytes(first, (bits + 7) // 8))
        if parity:
            data = bytearray(octet & 0xFE | 1 - (octet >> 1).bit_count() % 2 for octet in data)
        if bits % 8:
            data[-1] &= 0xFF << (8 - bits % 8) & 0xFF
        return self.extension(f"KEY_{word}", Key(bytes(data)), sadb_key_bits=bits)

    def keys(self, first: int = 0x81) -> list[Extension]:
        """Keys that fit the default digest and cipher."""
        return [
            self.key("AUTH", self.digest_bits, first),
            self.key("ENCRYPT", self.cipher_bits, first + 0x31, parity=self.cipher == "3des"),
        ]

    def identity(self, word: str, kind: str, what: str | Sockaddr | None, number: int = 0) -> Extension:
        type_number = self.table.first(*(f"{p}IDENTTYPE_{kind}" for p in ("SADB_", "SADB_X_")))
        tail = what if isinstance(what, Sockaddr) else Text(what)
        return self.extension(f"IDENTITY_{word}", tail, sadb_ident_type=type_number, sadb_ident_id=number)

    def identities(self) -> list[Extension]:
        userfqdn = "USERFQDN" if self.table.has("SADB_IDENTTYPE_USERFQDN") else "USER_FQDN"
        return [
            self.identity("SRC", "FQDN", "gw1.example.net"),
            self.identity("DST", userfqdn, "alice@example.org", 0x0001_0203),
        ]

    def sensitivity(
        self, dpd: int, levels: tuple[int, int], bitmaps: Bitmaps, word: str = "SENSITIVITY", **more: Any
    ) -> Extension:
        return self.extension(
            word,
            bitmaps,
            sadb_sens_dpd=dpd,
            sadb_sens_sens_level=levels[0],
            sadb_sens_sens_len=len(bitmaps.sens),
            sadb_sens_integ_level=levels[1],
            sadb_sens_integ_len=len(bitmaps.integ),
            **more,
        )

    def combination(self, auth: str, encrypt: str, first: int) -> Values:
        """Soft limits are ramps below the hard ones; no algorithm, no bits."""
        auth_bits = {"none": (0, 0), "md5": (128, 128), "sha1": (160, 160), "sha256": (256, 256)}[auth]
        encrypt_bits = {"none": (0, 0), "3des": (192, 192), "aes": (128, 256), "blowfish": (40, 448)}[encrypt]
        values = {"auth": self.auth(auth), "encrypt": self.encrypt(encrypt)}
        values |= {"auth_minbits": auth_bits[0], "auth_maxbits": auth_bits[1]}
        values |= {"encrypt_minbits": encrypt_bits[0], "encrypt_maxbits": encrypt_bits[1]}
        return _named("sadb_comb_", values | limit_values(first))

    def combinations(self, count: int) -> list[Values]:
        pairs = [(self.digest, self.cipher), ("sha1", "none"), ("md5", "3des")]
        return [self.combination(auth, encrypt, 0x11 + 8 * i) for i, (auth, encrypt) in enumerate(pairs[:count])]

    def proposal(self, combinations: Sequence[Values], replay: int = 32, **more: Any) -> Extension:
        tail = Records("combinations", "sadb_comb", tuple(combinations))
        return self.extension("PROPOSAL", tail, sadb_prop_replay=replay, **more)

    def supported(self, word: str, rows: Sequence[Values]) -> Extension:
        return self.extension(f"SUPPORTED_{word}", Records("algorithms", "sadb_alg", tuple(rows)))

    def spirange(self, low: int, high: int) -> Extension:
        return self.extension("SPIRANGE", sadb_spirange_min=low, sadb_spirange_max=high)

    def kmprivate(self, data: bytes) -> Extension:
        return self.extension("KMPRIVATE", Data(data))

    def sa2(self, mode: str, reqid: int, sequence: int = 0, **more: Any) -> Extension:
        return self.extension(
            "SA2",
            sadb_x_sa2_mode=self.table.number(f"IPSEC_MODE_{mode}"),
            sadb_x_sa2_reqid=reqid,
            sadb_x_sa2_sequence=sequence,
            **more,
        )

    def request(
        self,
        proto: int,
        mode: str,
        level: str,
        reqid: int = 0,
        src: Sockaddr | None = None,
        dst: Sockaddr | None = None,
    ) -> Request:
        """A nested sadb_x_ipsecrequest; proto is the IP protocol, 50 ESP, 51 AH, 108 IPComp."""
        values = {
            "proto": proto,
            "mode": self.table.number(f"IPSEC_MODE_{mode}"),
            "level": self.table.number(f"IPSEC_LEVEL_{level}"),
            "reqid": reqid,
        }
        return Request(_named("sadb_x_ipsecrequest_", values), src, dst)

    def policy(
        self, kind: str, direction: str, requests: Sequence[Request] = (), number: int = 0, **more: int
    ) -> Extension:
        """KAME's policy; more are the fields that only some systems have, without their C prefix."""
        values: Values = {
            "type": self.table.number(f"IPSEC_POLICY_{kind}"),
            "dir": self.table.number(f"IPSEC_DIR_{direction}"),
            "id": number,
        } | more
        return self.extension("POLICY", Requests(tuple(requests)), **_named("sadb_x_policy_", values))

    def natt(self, kind: int, sport: int, dport: int) -> list[Extension]:
        return [
            self.extension("NAT_T_TYPE", sadb_x_nat_t_type_type=kind),
            self.extension("NAT_T_SPORT", sadb_x_nat_t_port_port=sport),
            self.extension("NAT_T_DPORT", sadb_x_nat_t_port_port=dport),
        ]


def _named(prefix: str, values: Values) -> Values:
    return {prefix + name: value for name, value in values.items()}


def limit_values(first: int) -> Values:
    """The eight limits of a combination, in the order of the structure."""
    return {
        "soft_allocations": ramp(first),
        "hard_allocations": ramp(first + 0x40),
        "soft_bytes": ramp(first + 1, 8),
        "hard_bytes": ramp(first + 0x41, 8),
        "soft_addtime": ramp(first + 2, 8),
        "hard_addtime": ramp(first + 0x42, 8),
        "soft_usetime": ramp(first + 3, 8),
        "hard_usetime": ramp(first + 0x43, 8),
    }
