"""What the library decoded, in the vocabulary of the ground truth: from message objects and from table columns.

Two roads to the same facts, so that every witness judges both. Nothing is computed here but the shape of the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import fastpfkey as pf

from .groundtruth.facts import Facts, address

ADDRESSES = ("src", "dst", "proxy")
LIFETIMES = ("current", "hard", "soft")
LIFETIME_FIELDS = ("allocations", "bytes", "addtime", "usetime")
HEADER_FIELDS = ("errno", "satype", "seq", "pid")

_HEADER_COLUMNS = ("message_length", "msg_type", "errno", "satype", "refcount", "seq", "pid")
_SA_COLUMNS = (
    *("spi", "replay", "state", "auth", "encrypt", "flags", "mode", "reqid", "sa2_seq"),
    *("natt_type", "natt_sport", "natt_dport", "key_auth_bits", "key_encrypt_bits"),
)
_POLICY_COLUMNS = ("spid", "dir", "type", "priority")


def associations_from_messages(data: bytes) -> list[Facts]:
    """Facts of every message, by the attributes of its view."""
    return [association(message) for message in pf.decode(data, dialect="linux", byteorder="little")]


def associations_from_table(data: bytes) -> list[Facts]:
    """Facts of every message, by the columns of an SATable with keys."""
    table = pf.SATable.from_buffer(data, dialect="linux", byteorder="little", keys=True)
    keys = {name: table.key_bytes(name) for name in ("auth", "encrypt")}
    rows = []
    for row in range(len(table)):
        facts = _row(table, row, (*_HEADER_COLUMNS, *_SA_COLUMNS), ADDRESSES)
        oa = bytes(table["natt_oa"][row])
        facts |= {
            "natt": facts["natt_type"] != 0,
            "natt_oa": _ip(oa, 4 if IPv6Address(oa).ipv4_mapped else 6) if any(oa) else None,
            "extensions": present(int(table["present"][row])),
        }
        rows.append(facts | {f"key_{name}": bytes(column[row]) for name, column in keys.items()})
    return rows


def policies_from_messages(data: bytes) -> list[Facts]:
    """Facts of every policy message, by the attributes of its view."""
    return [policy(message) for message in pf.decode(data, dialect="linux", byteorder="little")]


def policies_from_table(data: bytes) -> list[Facts]:
    """Facts of every policy message, by the columns of a PolicyTable and its flat table of requests."""
    table = pf.PolicyTable.from_buffer(data, dialect="linux", byteorder="little")
    rows = []
    for row in range(len(table)):
        facts = _row(table, row, (*_HEADER_COLUMNS, *_POLICY_COLUMNS), ("src", "dst"))
        facts |= address("proxy", None)
        begin, end = (int(table.request_offsets[row + i]) for i in range(2))
        facts["requests"] = [_request_row(table.requests, number) for number in range(begin, end)]
        facts["extensions"] = present(int(table["present"][row]))
        rows.append(facts)
    return rows


Road = Callable[[bytes], list[Facts]]


def association(message: Any) -> Facts:
    """Facts of one SA message; what an absent extension would tell is 0, b"" for a key, None for an IP."""
    facts = _header(message)
    for name in ("spi", "replay", "state", "auth", "encrypt", "flags"):
        facts[name] = getattr(message.sa, name) if message.sa else 0
    facts |= {"mode": 0, "reqid": 0, "sa2_seq": 0}
    if message.sa2:
        facts |= {"mode": message.sa2.mode, "reqid": message.sa2.reqid, "sa2_seq": message.sa2.sequence}
    for name in ("auth", "encrypt"):
        key = getattr(message, f"key_{name}")
        facts |= {f"key_{name}": key.reveal() if key else b"", f"key_{name}_bits": key.bits if key else 0}
    natt_type = message.natt_type.type if message.natt_type else 0
    return facts | {
        "natt": natt_type != 0,
        "natt_type": natt_type,
        "natt_sport": message.natt_sport.port if message.natt_sport else 0,
        "natt_dport": message.natt_dport.port if message.natt_dport else 0,
        "natt_oa": message.natt_oa.ip if message.natt_oa else None,
    }


def policy(message: Any) -> Facts:
    """Facts of one message with a policy."""
    told = message.policy
    requests = [
        (request.proto, request.mode, request.level, request.reqid, _end(request.src), _end(request.dst))
        for request in told.requests
    ]
    facts = {"spid": told.id, "dir": told.dir, "type": told.type, "priority": told.priority, "requests": requests}
    return _header(message) | facts


def present(mask: int) -> list[int]:
    """The bits of the column `present`, which are Linux's extension numbers, as a sorted list."""
    return [bit for bit in range(64) if mask >> bit & 1]


def _header(message: Any) -> Facts:
    facts: Facts = {name: getattr(message, name) for name in HEADER_FIELDS}
    facts |= {"message_length": message.length, "msg_type": message.type, "refcount": message.reserved}
    facts["extensions"] = sorted(extension.exttype for extension in message.extensions)
    for name in LIFETIMES:
        lifetime = getattr(message, f"lifetime_{name}")
        facts |= {f"{name}_{item}": getattr(lifetime, item) if lifetime else 0 for item in LIFETIME_FIELDS}
    for name in ADDRESSES:
        address = getattr(message, f"address_{name}")
        facts[name] = address.ip if address else None
        for item in ("family", "port", "prefixlen", "proto", "scope"):
            facts[f"{name}_{item}"] = getattr(address, item) if address else 0
    return facts


def _row(table: Any, row: int, columns: tuple[str, ...], addresses: tuple[str, ...]) -> Facts:
    facts: Facts = {name: int(table[name][row]) for name in columns}
    for name in LIFETIMES:
        facts |= {f"{name}_{item}": int(table[f"{name}_{item}"][row]) for item in LIFETIME_FIELDS}
    for name in addresses:
        for item in ("family", "port", "prefixlen", "proto", "scope"):
            facts[f"{name}_{item}"] = int(table[f"{name}_{item}"][row])
        facts[name] = _ip(bytes(table[name][row]), facts[f"{name}_family"])
    return facts


def _request_row(requests: Any, row: int) -> tuple[object, ...]:
    ends = []
    for name in ("src", "dst"):
        ip = _ip(bytes(requests[name][row]), int(requests[f"{name}_family"][row]))
        ends.append((ip, int(requests[f"{name}_port"][row])) if ip else None)
    return (*(int(requests[name][row]) for name in ("proto", "mode", "level", "reqid")), *ends)


def _ip(raw: bytes, family: int) -> IPv4Address | IPv6Address | None:
    """A column's 16 bytes: a v4-mapped address is only read as IPv4 where the family says so."""
    if family == 4:
        mapped = IPv6Address(raw).ipv4_mapped
        assert mapped is not None, f"{raw.hex()} is not v4-mapped"
        return mapped
    if family == 6:
        return IPv6Address(raw)
    assert not any(raw), "an address without a family"
    return None


def _end(address: Any) -> tuple[object, int] | None:
    return (address.ip, address.port) if address else None
