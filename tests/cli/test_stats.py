"""`fastpfkey stats`: what it says of files, made-up tables and key engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from transport.fake import EINVAL, FakeEndpoint, FakeEngine
from transport.test_dump import fill

import fastpfkey as pf
from fastpfkey.columns.keys import fingerprints
from fastpfkey.wire.message import Message

from .conftest import CORPUS, LINUX, Invoke
from .test_commands import terminal

MIXED, POLICIES = CORPUS / "linux-mixed.bin", CORPUS / "linux-policies.bin"


def told(invoke: Invoke, *arguments: object, status: int = 0) -> dict[str, Any]:
    done = invoke("stats", "--format", "json", *arguments)
    assert done.exit_code == status, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_recording(invoke: Invoke) -> None:
    found = told(invoke, *LINUX, MIXED)
    assert (found["associations"], found["dialect"]) == (53, "linux")
    assert found["counts"]["satype"] == {"esp": 41, "ah": 9, "ipcomp": 3}
    assert found["policies_without_association"] is None
    assert sum(step["associations"] for step in found["bytes"]) == 53
    table = pf.SATable.from_buffer(MIXED.read_bytes(), "linux", byteorder="little")
    assert found["now"] == max(table["current_addtime"].max(), table["current_usetime"].max())


def test_text_says_the_same(invoke: Invoke) -> None:
    done = invoke("stats", *LINUX, MIXED, "--policies", POLICIES)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == f"53 associations from {MIXED} (linux)"
    assert any(line.split()[:2] == ["esp", "41"] for line in lines)
    found = told(invoke, *LINUX, MIXED, "--policies", POLICIES)["policies_without_association"]
    assert f"policies without a usable association: {len(found)}" in lines
    assert f"  and {len(found) - 10} more (--format json has all)" in lines


def test_policies_in_the_same_file(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "both.bin"
    path.write_bytes(MIXED.read_bytes() + POLICIES.read_bytes())
    assert (
        told(invoke, *LINUX, path)["policies_without_association"]
        == told(invoke, *LINUX, MIXED, "--policies", POLICIES)["policies_without_association"]
        != []
    )
    assert told(invoke, *LINUX, path)["associations"] == 53


def test_a_question(invoke: Invoke) -> None:
    """About associations; whether policies are served is a matter of all of them."""
    found = told(invoke, *LINUX, MIXED, "--where", "satype == 'ah' and errno == 0", "--policies", POLICIES)
    assert found["counts"]["satype"] == {"ah": 9}
    whole = told(invoke, *LINUX, MIXED, "--policies", POLICIES)
    assert found["policies_without_association"] == whole["policies_without_association"]
    done = invoke("stats", "--where", "colour == 1", MIXED)
    assert (done.exit_code, done.stdout) == (2, "")


def test_duplicate_keys_are_named_by_fingerprint_on_request(invoke: Invoke, tmp_path: Path) -> None:
    salt = tmp_path / "salt"
    salt.write_bytes(bytes(16))
    found = told(invoke, *LINUX, MIXED, "--key-fingerprint", salt)["duplicate_keys"]
    table = pf.SATable.from_buffer(MIXED.read_bytes(), "linux", byteorder="little", keys=True)
    keys = [key for kind in ("auth", "encrypt") for key in table.key_bytes(kind) if key]
    assert {each["fingerprint"] for each in found} == {
        fingerprints([key], bytes(16))[0] for key in keys if keys.count(key) > 1
    }
    silent = told(invoke, *LINUX, MIXED)["duplicate_keys"]
    assert [each["keys"] for each in silent] == [each["keys"] for each in found]
    assert {each["fingerprint"] for each in silent} == {None}
    text = invoke("stats", *LINUX, MIXED).stdout + json.dumps(found)
    assert not any(key.hex() in text for key in keys)


def test_bad_input_is_told_and_what_was_good_is_counted(invoke: Invoke, tmp_path: Path, mixed: bytes) -> None:
    path = tmp_path / "bad.bin"
    path.write_bytes(mixed[:-1])
    assert told(invoke, *LINUX, path, status=1)["associations"] == 52
    path.write_bytes(b"")
    assert told(invoke, *LINUX, path)["associations"] == 0


def test_events_that_are_about_nothing(invoke: Invoke) -> None:
    found = told(invoke, *LINUX, CORPUS / "linux-register-esp.bin")
    assert (found["associations"], found["other_messages"]) == (0, 1)


def test_a_terminal_sees_bars() -> None:
    shown = terminal("stats", "demo:2000")
    assert "█" in shown
    assert max(map(len, shown.splitlines())) <= 120


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """What `kernel` is in these tests."""
    fake = FakeEngine("kernel")
    monkeypatch.setattr("fastpfkey.transport.base.find_source", lambda name, dialect: fake)
    return fake


def test_an_engine_is_asked_for_both_tables(invoke: Invoke, engine: FakeEngine) -> None:
    fill(engine, 5)
    transform = pf.requests.transform("ah", mode="transport")
    for number, (src, dst) in enumerate((("10.1.0.1", "10.0.1.2"), ("10.1.0.1", "10.0.9.9"))):
        policy = pf.requests.policy("out", "ipsec", [transform])
        engine.policies[number] = pf.requests.spdadd(src, dst, policy, dialect="linux")
    found = told(invoke, "--dialect", "linux")
    assert found["associations"] == 5
    assert [row["dst"] for row in found["policies_without_association"]] == ["10.0.9.9"]


def test_an_engine_without_policies(invoke: Invoke, engine: FakeEngine) -> None:
    fill(engine, 2)

    def refuse(endpoint: FakeEndpoint, request: Message) -> bool:
        if request.type is pf.MessageType.SPDDUMP:
            engine.tell(request.replace(errno=EINVAL), [endpoint])
            return True
        return False

    engine.before = refuse
    done = invoke("stats", "--dialect", "linux", "--format", "json")
    assert json.loads(done.stdout)["associations"] == 2
    assert done.stderr.startswith("fastpfkey: kernel: no policies: SPDDUMP: EINVAL (22)")
    assert done.exit_code == 0
