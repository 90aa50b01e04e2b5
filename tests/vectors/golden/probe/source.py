"""C source that builds golden messages by filling the system's own structures with the fields of the JSON."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
_TO_NETWORK = {"u16": "htons", "u32": "htonl"}


class Source:
    """Statements for the messages of one table; buffer offsets are bytes from the start of the message."""

    def __init__(self, structs: Json) -> None:
        self._kinds = {
            struct: {field["name"]: (field["type"], field["order"]) for field in body["fields"]}
            for struct, body in structs.items()
        }

    def program(self, messages: list[Json]) -> str:
        functions = "\n".join(self._function(i, message) for i, message in enumerate(messages))
        calls = "\n".join(f"    message_{i}();" for i in range(len(messages)))
        return f'#include "probe.h"\n\n{functions}\nint main(void)\n{{\n{calls}\n    return 0;\n}}\n'

    def _function(self, number: int, message: Json) -> str:
        size = message["header"]["sadb_msg_len"] * 8
        body = "\n".join(f"    {line}" for line in self._message(message, 0))
        opening = f"static void message_{number}(void) /* {message['name']} */"
        buffer = f"    _Alignas(8) unsigned char b[{size}] = {{0}};"
        return f"{opening}\n{{\n{buffer}\n{body}\n    print_message(b, sizeof(b));\n}}\n"

    def _message(self, message: Json, base: int) -> list[str]:
        lines = [self._struct("sadb_msg", message["header"], base)]
        end = base + 16
        for extension in message["extensions"]:
            at = base + extension["offset"]
            lines.append(self._struct(extension["struct"], extension["fields"], at))
            lines += self._tail(extension["tail"], f"{at} + sizeof(struct {extension['struct']})")
            end = at + extension["length"]
        if "payload" in message:
            lines += self._message(message["payload"], end)
        return lines

    def _struct(self, struct: str, fields: Json, at: int | str) -> str:
        filled = " ".join(self._assign(struct, name, value) for name, value in fields.items())
        return f"{{ struct {struct} *p = (void *)(b + {at}); {filled} }}"

    def _assign(self, struct: str, name: str, value: int | str) -> str:
        kind, order = self._kinds[struct][name]
        if isinstance(value, str):
            return f"memcpy(p->{name}, {_literal(value)}, sizeof(p->{name}));"
        number = f"{value:#x}ull"
        return f"p->{name} = {_TO_NETWORK[kind]}({number});" if order == "network" else f"p->{name} = {number};"

    def _tail(self, tail: Json, at: str) -> list[str]:
        """Statements for whatever follows the fixed part; at is a C expression."""
        lines = []
        for name in ("key", "data", "label"):
            if tail.get(name):
                lines.append(f"memcpy(b + {at}, {_literal(tail[name])}, {len(tail[name]) // 2});")
        if tail.get("text") is not None:
            lines.append(f'memcpy(b + {at}, "{tail["text"]}", {len(tail["text"]) + 1});')
        ends = [tail[name] for name in ("sockaddr", "local", "remote") if name in tail]
        lines += self._ends(ends, at)
        words = [word for bitmap in tail.get("bitmaps", {}).values() for word in bitmap]
        lines += [f"((uint64_t *)(void *)(b + {at}))[{i}] = {word:#x}ull;" for i, word in enumerate(words)]
        for name, struct in {"combinations": "sadb_comb", "algorithms": "sadb_alg"}.items():
            for i, row in enumerate(tail.get(name, ())):
                lines.append(self._struct(struct, row, f"{at} + {i} * sizeof(struct {struct})"))
        used = 0
        for request in tail.get("requests", ()):
            lines.append(self._struct("sadb_x_ipsecrequest", request["fields"], f"{at} + {used}"))
            pair = [request[side] for side in ("src", "dst") if request[side]]
            lines += self._ends(pair, f"{at} + {used} + sizeof(struct sadb_x_ipsecrequest)")
            used += request["length"]
        return lines

    def _ends(self, ends: list[Json], at: str) -> list[str]:
        """Sockaddrs one behind the other, as the compiler sizes them."""
        lines, place = [], at
        for end in ends:
            called = f'b + {place}, {end["port"]:#x}, "{end["address"]}"'
            if end["family"] == "ipv6":
                lines.append(f"put_ipv6({called}, {end['flowinfo']:#x}u, {end['scope_id']:#x}u);")
                place += " + sizeof(struct sockaddr_in6)"
            else:
                lines.append(f"put_ipv4({called});")
                place += " + sizeof(struct sockaddr_in)"
        return lines


def _literal(hexadecimal: str) -> str:
    return '"' + "".join(f"\\x{octet:02x}" for octet in bytes.fromhex(hexadecimal)) + '"'
