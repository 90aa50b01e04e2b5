"""Messages and extensions before they have a byte order, and how they become bytes and JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from maker.tables import Order, Table
from maker.tails import Packed, Tail, Values, padded

TO_ENGINE = "to-engine"
FROM_ENGINE = "from-engine"
CODEC = None


@dataclass(frozen=True)
class Extension:
    symbol: str
    values: Values
    tail: Tail | None = None
    struct: str | None = None

    def pack(self, table: Table, host: Order) -> Packed:
        struct = self.struct or table.struct_of(self.symbol)
        body, said = self.tail.pack(table, host) if self.tail else (b"", {})
        length = len(padded(bytes(table.size(struct)) + body))
        length_field, type_field = (f.name for f in table.fields(struct)[:2])
        number = table.extension_types[self.symbol]
        head = table.pack(struct, host, self.values | {length_field: length // 8, type_field: number})
        described = {
            "type": number,
            "name": self.symbol,
            "struct": struct,
            "offset": 0,
            "length": length,
            "fields": table.unpack(struct, host, head),
            "tail": said,
        }
        return padded(head + body), described


@dataclass(frozen=True)
class Message:
    name: str
    type: str
    direction: str | None
    satype: int = 0
    extensions: list[Extension] = field(default_factory=list)
    header: Values = field(default_factory=dict)
    payload: Message | None = None

    def pack(self, table: Table, host: Order) -> Packed:
        body, described = b"", []
        size = table.size("sadb_msg")
        for extension in self.extensions:
            data, said = extension.pack(table, host)
            described.append(said | {"offset": size + len(body)})
            body += data
        inner: dict[str, Any] | None = None
        if self.payload:
            data, inner = self.payload.pack(table, host)
            body += data
        values = {
            "sadb_msg_version": table.version,
            "sadb_msg_type": table.message_types[self.type],
            "sadb_msg_satype": self.satype,
            "sadb_msg_len": (size + len(body)) // 8,
        }
        head = table.pack("sadb_msg", host, values | self.header)
        said = {
            "name": self.name,
            "type": self.type,
            "direction": self.direction,
            "header": table.unpack("sadb_msg", host, head),
            "extensions": described,
        }
        if inner is not None:
            said["payload"] = inner
        return head + body, said | {"hex": (head + body).hex()}
