"""The golden files are what their script makes of the dialect tables, cover those tables, and hold together as bytes.

The checks below read the tables and the JSON themselves: none of the script's own code is trusted to judge its output.
"""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
DIALECTS = ("rfc2367", "linux", "freebsd", "netbsd", "openbsd", "macos", "illumos")
FILES = [(dialect, order) for dialect in DIALECTS for order in ("little", "big")]
SIZES = {"u8": 1, "char": 1, "u16": 2, "u32": 4, "u64": 8}

Json = dict[str, Any]


def load(dialect: str, order: str) -> list[Json]:
    found: list[Json] = json.loads((HERE / f"{dialect}-{order}.json").read_text(encoding="utf-8"))
    return found + [message["payload"] for message in found if "payload" in message]


def table(dialect: str) -> Json:
    found: Json = json.loads((HERE / "dialects" / f"{dialect}.json").read_text(encoding="utf-8"))
    return found


def flat_fields(structs: Json, struct: str, base: int = 0) -> Iterator[tuple[str, int, str, str]]:
    """Name, offset, type and order of every field, nested structures opened."""
    for field in structs[struct]["fields"]:
        if field["type"].startswith("struct "):
            yield from flat_fields(structs, field["type"].removeprefix("struct "), base + field["offset"])
        else:
            yield field["name"], base + field["offset"], field["type"], field["order"]


def check_fields(structs: Json, struct: str, said: Json, data: bytes, order: str) -> None:
    """Every field of the table is in the description, and says what its bytes say."""
    expected: Json = {}
    for name, offset, kind, byteorder in flat_fields(structs, struct):
        word, _, count = kind.rstrip("]").partition("[")
        size, host = SIZES[word], "big" if byteorder == "network" else order
        part = data[offset : offset + size * int(count or 1)]
        if count and (size == 1 or byteorder == "network"):
            expected[name] = part.hex()
        elif count:
            halves = [part[at : at + size] for at in range(0, len(part), size)]
            expected[name] = [int.from_bytes(half, host) for half in halves]  # type: ignore[arg-type]
        else:
            expected[name] = int.from_bytes(part, host)  # type: ignore[arg-type]
    assert said == expected


def test_script_makes_the_committed_files(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(HERE / "make_golden.py"), str(tmp_path)], check=True, cwd=tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in HERE.glob("*.json")}
    assert set(made) == {f"{dialect}-{order}.json" for dialect, order in FILES}


def test_script_imports_nothing_of_the_project() -> None:
    for path in [HERE / "make_golden.py", *(HERE / "maker").glob("*.py")]:
        imported = re.findall(r"^\s*(?:from|import)\s+(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert set(imported) <= {"maker"} | set(sys.stdlib_module_names), path.name


@pytest.mark.parametrize(("dialect", "order"), FILES)
def test_every_number_of_the_table_is_covered(dialect: str, order: str) -> None:
    """Every message type once; every extension at least twice, with different bytes. R-2.3-11."""
    facts, messages = table(dialect), load(dialect, order)
    types = {n for name, n in facts["message_types"].items() if name not in ("SADB_RESERVED", "SADB_MAX")}
    assert {message["header"]["sadb_msg_type"] for message in messages} == types
    contents: dict[int, set[str]] = defaultdict(set)
    for message in messages:
        for extension in message["extensions"]:
            start = 2 * extension["offset"]
            contents[extension["type"]].add(message["hex"][start : start + 2 * extension["length"]])
    numbers = {n for name, n in facts["extension_types"].items() if name not in ("SADB_EXT_RESERVED", "SADB_EXT_MAX")}
    assert set(contents) == numbers
    assert [number for number, seen in contents.items() if len(seen) < 2] == []


@pytest.mark.parametrize(("dialect", "order"), FILES)
def test_every_sa_type_identity_state_and_policy_word_is_covered(dialect: str, order: str) -> None:
    facts, messages = table(dialect), load(dialect, order)
    seen: dict[str, set[int]] = defaultdict(set)
    for message in messages:
        for extension in message["extensions"]:
            for name, value in extension["fields"].items():
                if isinstance(value, int):
                    seen[name].add(value)
            for request in extension["tail"].get("requests", ()):
                seen["mode"].add(request["fields"]["sadb_x_ipsecrequest_mode"])
                seen["level"].add(request["fields"]["sadb_x_ipsecrequest_level"])

    def numbers(section: str, prefix: str) -> set[int]:
        skipped = ("_RESERVED", "_MAX", "_INVALID", "DIR_ANY")
        known = facts.get(section, {}).items()
        return {value for name, value in known if name.startswith(prefix) and not name.endswith(skipped)}

    assert numbers("sa_types", "SADB_") <= {message["header"]["sadb_msg_satype"] for message in messages}
    assert numbers("identity_types", "SADB_") <= seen["sadb_ident_type"]
    assert numbers("sa_states", "SADB_") <= seen["sadb_sa_state"]
    assert numbers("policy", "IPSEC_MODE_") <= seen["mode"]
    assert numbers("policy", "IPSEC_LEVEL_") <= seen["level"]
    assert numbers("policy", "IPSEC_POLICY_") <= seen["sadb_x_policy_type"]
    assert numbers("policy", "IPSEC_DIR_") <= seen["sadb_x_policy_dir"]
    assert numbers("policy", "SADB_X_FLOW_TYPE_") <= seen["sadb_protocol_proto"]


@pytest.mark.parametrize(("dialect", "order"), FILES)
def test_lengths_add_up(dialect: str, order: str) -> None:
    """R-2.1-06, R-2.2-01, R-2.3-01, R-2.3-03."""
    for message in load(dialect, order):
        data, name = bytes.fromhex(message["hex"]) if "hex" in message else b"", message["name"]
        position = 16
        for extension in message["extensions"]:
            assert extension["offset"] == position, name
            assert extension["length"] % 8 == 0, name
            header = data[position : position + 4]
            assert int.from_bytes(header[:2], order) * 8 == extension["length"], name  # type: ignore[arg-type]
            assert int.from_bytes(header[2:], order) == extension["type"], name  # type: ignore[arg-type]
            position += extension["length"]
        if "payload" in message:
            inner = bytes.fromhex(message["payload"]["hex"])
            assert data[position:] == inner, name
            position += len(inner)
        assert position == len(data) == message["header"]["sadb_msg_len"] * 8, name
        types = [extension["type"] for extension in message["extensions"]]
        assert len(types) == len(set(types)), name


@pytest.mark.parametrize(("dialect", "order"), FILES)
def test_fields_say_what_the_bytes_say(dialect: str, order: str) -> None:
    facts = table(dialect)
    structs, numbers = facts["structs"], facts["extension_types"]
    for message in load(dialect, order):
        data = bytes.fromhex(message["hex"])
        check_fields(structs, "sadb_msg", message["header"], data, order)
        assert message["header"]["sadb_msg_version"] == 2
        assert facts["message_types"][message["type"]] == message["header"]["sadb_msg_type"]
        for extension in message["extensions"]:
            assert numbers[extension["name"]] == extension["type"]
            body = data[extension["offset"] : extension["offset"] + extension["length"]]
            check_fields(structs, extension["struct"], extension["fields"], body, order)
            check_tail(facts, extension, body[structs[extension["struct"]]["size"] :], order)


def check_sockaddr(facts: Json, said: Json, data: bytes, order: str) -> int:
    """Compares a sockaddr with its description by hand-written offsets and gives its size. R-2.3.3-02 to R-2.3.3-05."""
    rules = facts["sockaddr"]
    six = said["family"] == "ipv6"
    size: int = rules["sockaddr_in6" if six else "sockaddr_in"]["size"]
    family = rules["af_inet6" if six else "af_inet"]
    assert said["wire_family"] == family
    if rules["has_sa_len"]:
        assert tuple(data[:2]) == (size, family) == (said["sa_len"], family)
    else:
        assert data[:2] == family.to_bytes(2, order)
    address = ipaddress.ip_address(said["address"]).packed
    flow = said.get("flowinfo", 0).to_bytes(4, "big")
    scope = said.get("scope_id", 0).to_bytes(4, order)  # type: ignore[arg-type]
    rest = flow + address + scope if six else address
    assert data[2:size] == (said["port"].to_bytes(2, "big") + rest).ljust(size - 2, b"\0")
    return size


def check_tail(facts: Json, extension: Json, data: bytes, order: str) -> None:
    """The bytes after the fixed part, each kind read in its own way; what is left over is zero."""
    structs, tail, fields = facts["structs"], extension["tail"], extension["fields"]
    used = 0
    for name in ("sockaddr", "local", "remote"):
        if name in tail:
            used += check_sockaddr(facts, tail[name], data[used:], order)
    for name in ("key", "salt", "iv", "data", "label"):
        if name in tail:
            part = bytes.fromhex(tail[name])
            assert data[used : used + len(part)] == part
            used += len(part)
    if "key" in tail and not {"salt", "iv"} & set(tail):
        assert used == (fields["sadb_key_bits"] + 7) // 8
    if tail.get("text") is not None:
        used = len(tail["text"]) + 1
        assert data[:used] == tail["text"].encode() + b"\0"
    for words in tail.get("bitmaps", {}).values():
        for word in words:
            assert data[used : used + 8] == word.to_bytes(8, order)  # type: ignore[arg-type]
            used += 8
    for name, struct in {"combinations": "sadb_comb", "algorithms": "sadb_alg", "stats": "sastat"}.items():
        for row in tail.get(name, ()):
            check_fields(structs, struct, row, data[used:], order)
            used += structs[struct]["size"]
    for row in tail.get("ecombs", ()):
        check_fields(structs, "sadb_x_ecomb", row["fields"], data[used:], order)
        used += structs["sadb_x_ecomb"]["size"]
        assert row["fields"]["sadb_x_ecomb_numalgs"] == len(row["algdescs"])
        for description in row["algdescs"]:
            check_fields(structs, "sadb_x_algdesc", description, data[used:], order)
            used += 8
    for request in tail.get("requests", ()):
        check_fields(structs, "sadb_x_ipsecrequest", request["fields"], data[used:], order)
        assert request["fields"]["sadb_x_ipsecrequest_len"] == request["length"]
        end = used + structs["sadb_x_ipsecrequest"]["size"]
        for side in ("src", "dst"):
            if request[side] is not None:
                end += check_sockaddr(facts, request[side], data[end:], order)
        used += request["length"]
        assert end <= used < end + 8
    if "satypes" in tail:
        listed = bytes.fromhex(fields["sadb_x_ereg_satypes"]) + data
        assert listed.rstrip(b"\0") == bytes(tail["satypes"])
        assert len(listed) > len(tail["satypes"])
        used = len(data)
    assert 0 <= len(data) - used < 8
    assert not any(data[used:])


@pytest.mark.parametrize("dialect", DIALECTS)
def test_byte_orders_differ_in_bytes_only(dialect: str) -> None:
    """Both files tell the same messages; fields that overlap others of another width are the one exception."""
    overlapping = {"sadb_comb_reserved", "sadb_comb_reserved_newer", "sadb_alg_reserved", "sadb_prop_reserved"}
    overlapping |= {"sadb_x_kmc_cookie", "sadb_x_kmc_reserved", "sadb_x_kmc_cookie64"}

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k != "hex" and k not in overlapping}
        return [plain(item) for item in value] if isinstance(value, list) else value

    little, big = load(dialect, "little"), load(dialect, "big")
    assert plain(little) == plain(big)
    assert all(one["hex"] != other["hex"] for one, other in zip(little, big, strict=True))


@pytest.mark.parametrize(("dialect", "order"), FILES)
def test_reserved_fields_are_zero_in_what_an_engine_is_sent(dialect: str, order: str) -> None:
    """R-2.1-10; names that other fields overlap, and illumos's salted keys, carry values of their own."""
    named = {
        "sadb_x_kmc_reserved",
        "sadb_key_reserved",
        "sadb_x_sa2_reserved1",
        "sadb_x_sa2_reserved2",
        "sadb_reserved0",
    }
    for message in load(dialect, order):
        assert message["direction"] in ("to-engine", "from-engine", None)
        if message["direction"] == "to-engine":
            assert message["header"]["sadb_msg_reserved"] == 0, message["name"]
            for extension in message["extensions"]:
                for name, value in extension["fields"].items():
                    if re.search(r"reserved|_pad$", name) and name not in named:
                        assert value in (0, "00" * (len(str(value)) // 2)), (message["name"], name)


@pytest.mark.parametrize(("dialect", "order"), FILES)
def test_names_are_unique_and_files_small(dialect: str, order: str) -> None:
    path = HERE / f"{dialect}-{order}.json"
    names = [message["name"] for message in json.loads(path.read_text(encoding="utf-8"))]
    assert len(names) == len(set(names))
    assert path.stat().st_size < 214_000
