"""What the formats say, parsed back, against what setkey said about the same associations and policies."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest
from corpus.groundtruth import facts, policies, policy_facts, setkey, text
from corpus.groundtruth.facts import Facts, contradictions

import fastpfkey as pf

from .conftest import CORPUS, LINUX, Invoke

Parse = Callable[[str], list[dict[str, Any]]]

TERMS = {
    "satype": pf.SAType,
    "state": pf.SAState,
    "mode": pf.Mode,
    "auth": pf.AuthAlgorithm,
    "encrypt": pf.EncryptAlgorithm,
    "dir": pf.Direction,
    "type": pf.PolicyType,
    "level": pf.Level,
}
ADDRESSES = ("src", "dst", "proxy", "natt_oa")


def from_csv(out: str) -> list[dict[str, Any]]:
    return list(csv.DictReader(io.StringIO(out)))


def from_jsonl(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def known(row: dict[str, Any]) -> Facts:
    """A row in the vocabulary of the witnesses: codes for labels, addresses, numbers; 0 for what is absent."""
    found: Facts = {}
    for name, value in row.items():
        if name in TERMS:
            table = pf.CompressAlgorithm if name == "encrypt" and row["satype"] == "ipcomp" else TERMS[name]
            found[name] = table[value.upper().replace("-", "_")] if value else 0
        elif name in ADDRESSES:
            found[name] = ip_address(value) if value else None
        elif name in ("key_auth", "key_encrypt"):
            found[name] = bytes.fromhex(value or "")
        elif name not in ("msg_type", "present", "natt_type", "requests"):
            found[name] = int(value or 0)
    return found


@pytest.mark.parametrize(("form", "parse"), [("csv", from_csv), ("jsonl", from_jsonl), ("json", json.loads)])
@pytest.mark.parametrize("command", ["decode", "dump"])
def test_rows_of_associations(invoke: Invoke, command: str, form: str, parse: Parse) -> None:
    done = invoke(
        *(command, *LINUX, "--table", "associations", "--show-keys", "--format", form, CORPUS / "linux-mixed.bin")
    )
    assert (done.exit_code, done.stderr) == (0, "")
    printed = setkey.read_sas(text("linux-mixed.setkey.txt"))
    for sa, row in zip(printed, parse(done.stdout), strict=True):
        found = known(row) | {"natt": bool(row["natt_type"])}
        assert contradictions(facts.of_setkey(sa), found) == {}


@pytest.mark.parametrize(("form", "parse"), [("jsonl", from_jsonl), ("json", json.loads)])
def test_whole_messages(invoke: Invoke, form: str, parse: Parse) -> None:
    done = invoke("decode", *LINUX, "--show-keys", "--format", form, CORPUS / "linux-mixed.bin")
    printed = setkey.read_sas(text("linux-mixed.setkey.txt"))
    for sa, message in zip(printed, parse(done.stdout), strict=True):
        row = {name: message["sa"][name] for name in ("spi", "replay", "state", "auth", "encrypt", "flags")}
        row |= {"satype": message["satype"], "refcount": message["reserved"]}
        row |= {"mode": message["sa2"]["mode"], "reqid": message["sa2"]["reqid"], "sa2_seq": message["sa2"]["sequence"]}
        for name in ("src", "dst"):
            row |= {name: message[f"address_{name}"]["ip"], f"{name}_family": message[f"address_{name}"]["family"]}
            row |= {f"natt_{name[0]}port": message.get(f"natt_{name[0]}port", {}).get("port")}
        for name in ("auth", "encrypt"):
            key = message.get(f"key_{name}", {"bits": 0, "material": ""})
            row |= {f"key_{name}": key["material"], f"key_{name}_bits": key["bits"]}
        for which in ("current", "hard", "soft"):
            row |= {f"{which}_{name}": value for name, value in message[f"lifetime_{which}"].items()}
        row["natt_oa"] = message.get("natt_oa", {}).get("ip")
        found = known(row) | {"natt": "natt_type" in message}
        assert contradictions(facts.of_setkey(sa), found) == {}


def test_whole_messages_as_text(invoke: Invoke) -> None:
    out = invoke("decode", *LINUX, CORPUS / "linux-mixed.bin").stdout
    blocks = re.split(r"^(?=\d+ )", out, flags=re.MULTILINE)[1:]
    for number, (sa, block) in enumerate(zip(setkey.read_sas(text("linux-mixed.setkey.txt")), blocks, strict=True)):
        assert block.startswith(f"{number} dump {pf.SAType(sa.satype).label} ")
        assert f"spi 0x{sa.spi:08x}, replay {sa.replay}, state {pf.SAState(sa.state).label}, " in block
        assert re.search(rf"^    address-src +{re.escape(str(sa.src.ip))}/", block, re.MULTILINE)
        assert re.search(rf"^    address-dst +{re.escape(str(sa.dst.ip))}/", block, re.MULTILINE)
        assert f"mode {pf.Mode(sa.mode).label}, reqid {sa.reqid}" in block
        if sa.hard is not None:
            limit = re.search(r"^    lifetime-hard .*?addtime (\d+) s", block, re.MULTILINE)
            assert int(limit[1] if limit else 0) == sa.hard.addtime


REQUEST = re.compile(r"(\w+)/(\w+)/(?:(\S+?)-(\S+?))?/(\w+)(?::(\d+))?")


def _request_of_text(words: str) -> tuple[Any, ...]:
    match = REQUEST.fullmatch(words)
    assert match
    proto, mode, src, dst, level, reqid = match.groups()
    ends = [(ip_address(end), 0) if end else None for end in (src, dst)]
    return (policies.REQUEST_PROTOCOLS[proto], pf.Mode[mode.upper()], pf.Level[level.upper()], int(reqid or 0), *ends)


def _request_of_row(row: dict[str, Any]) -> tuple[Any, ...]:
    ends = [(ip_address(row[end]), row[f"{end}_port"]) if row[end] else None for end in ("src", "dst")]
    return (row["proto"], pf.Mode[row["mode"].upper()], pf.Level[row["level"].upper()], row["reqid"], *ends)


@pytest.mark.parametrize(("form", "parse"), [("csv", from_csv), ("jsonl", from_jsonl)])
def test_rows_of_policies(invoke: Invoke, form: str, parse: Parse) -> None:
    """The first message decides that these are policies."""
    done = invoke("dump", *LINUX, "--format", form, CORPUS / "linux-policies.bin")
    printed = policies.read_policies(text("linux-policies.setkey.txt"))
    for policy, row in zip(printed, parse(done.stdout), strict=True):
        found = known(row)
        if form == "csv":
            found["requests"] = [_request_of_text(words) for words in row["requests"].split()]
        else:
            found["requests"] = [_request_of_row(request) for request in row["requests"]]
        assert contradictions(policy_facts.of_setkey(policy), found) == {}


@pytest.mark.parametrize("name", ["linux-register-esp.bin", "linux-register-ah.bin", "linux-register-unspec.bin"])
def test_rows_of_algorithms(invoke: Invoke, name: str) -> None:
    """Twice the same reply: the rows carry the number of their message."""
    data = (CORPUS / name).read_bytes()
    rows = from_csv(invoke("decode", *LINUX, "--format", "csv", "-", stdin=data + data).stdout)
    [message, again] = from_jsonl(invoke("decode", *LINUX, "--format", "jsonl", "-", stdin=data + data).stdout)
    listed = [
        (kind, algorithm["id"], algorithm["minbits"], algorithm["maxbits"])
        for kind in ("auth", "encrypt")
        for algorithm in message[f"supported_{kind}"]["algorithms"]
    ]
    told = [(row["kind"], row["id"], int(row["minbits"]), int(row["maxbits"])) for row in rows]
    assert told == listed * 2
    assert [row["message"] for row in rows] == ["0"] * len(listed) + ["1"] * len(listed)
    assert ("auth", "sha1-hmac", 160, 160) in listed
    assert again["offset"] == len(data)


def test_rows_as_text_stand_below_their_names(invoke: Invoke) -> None:
    names = ("spi", "src", "reqid")
    head, *lines = invoke("dump", *LINUX, "--columns", ",".join(names), CORPUS / "linux-mixed.bin").stdout.splitlines()
    assert head.split() == list(names)
    for sa, line in zip(setkey.read_sas(text("linux-mixed.setkey.txt")), lines, strict=True):
        assert line.split() == [f"0x{sa.spi:08x}", str(sa.src.ip), str(sa.reqid)]
        assert line[head.index("src") :].startswith(str(sa.src.ip))
        assert line.endswith(str(sa.reqid))
    assert {len(line) for line in lines} == {len(head)}  # numbers are flush right
