"""Associations as scripts, and back: what is read of a script is what it was written from."""

from __future__ import annotations

from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.setkey.look import Look
from fastpfkey.setkey.rules import Rules
from fastpfkey.setkey.running import Runner, Told
from fastpfkey.setkey.saving import Script
from fastpfkey.setkey.saving_policies import policy_statements
from fastpfkey.setkey.script import script
from fastpfkey.setkey.words import FREEBSD, IPSEC_TOOLS
from fastpfkey.wire.extensions import Lifetime

from .support import capture
from .test_running import Answering


def saved(messages: Any, dialect: str = "linux") -> tuple[str, Script]:
    variant = FREEBSD if dialect == "freebsd" else IPSEC_TOOLS
    found = Script(spec.dialect(dialect), variant)
    return "".join(found.statements(pf.decode(messages, dialect))), found


def loaded(text: str, dialect: str = "linux", extended: bool = True) -> list[pf.Message]:
    variant = FREEBSD if dialect == "freebsd" else IPSEC_TOOLS
    rules = Rules(spec.dialect(dialect), variant, compat=True, extended=extended)
    return [message for command in script(text, rules) for message in command.messages]


def facts(message: pf.Message) -> dict[str, object]:
    """All that ADD carries of an association; what is absent is as what is 0, and on Linux a source as no proxy."""
    sa, sa2, natt = message.sa, message.sa2, message.natt_type
    assert sa is not None
    empty = Lifetime(pf.ExtensionType.LIFETIME_HARD)
    limits = [item or empty for item in (message.lifetime_hard, message.lifetime_soft)]
    keys = [None if key is None or not key.bits else key.reveal() for key in (message.key_auth, message.key_encrypt)]
    proxy = message.address_proxy
    if proxy is not None and message.dialect.name == "linux" and proxy.ip == message.address_src.ip:  # type: ignore[union-attr]
        proxy = None
    return {
        "satype": message.satype,
        "sa": (sa.spi, sa.replay, sa.auth, sa.encrypt, sa.flags),
        "window": message.sa_replay and message.sa_replay.replay,
        "sa2": sa2 and (sa2.mode, sa2.reqid),
        "limits": [(item.allocations, item.bytes, item.addtime, item.usetime) for item in limits],
        "ends": [(item.sockaddr, item.proto, item.prefixlen) for item in (message.address_src, message.address_dst)],  # type: ignore[union-attr]
        "proxy": proxy and (proxy.sockaddr, proxy.prefixlen),
        "keys": keys,
        "natt": natt and (natt.type, *(port.port if port else 0 for port in (message.natt_sport, message.natt_dport))),
        "natt_oa": natt and message.natt_oa and message.natt_oa.ip,
        "label": message.sec_ctx,
    }


def by_spi(messages: Any, dialect: str = "linux") -> dict[tuple[object, ...], pf.Message]:
    views = pf.decode(messages, dialect) if isinstance(messages, bytes) else messages
    return {(m.satype, m.sa.spi, m.address_src.ip, m.address_dst.ip): m for m in views if not m.errno}


@pytest.mark.parametrize("dialect", ["linux", "netbsd", "freebsd"])
def test_made_up_tables_of_every_system(dialect: str) -> None:
    messages = synthetic(600, seed=9, dialect=dialect).tobytes()
    text, found = saved(messages, dialect)
    read, original = by_spi(loaded(text, dialect)), by_spi(messages, dialect)
    assert len(read) == found.count > 300
    assert {name: facts(message) for name, message in read.items()} == {name: facts(original[name]) for name in read}
    left = [line.split(": left out: ")[1] for line in found.omitted]
    assert len(left) + len(read) == len(original)
    assert set(left) <= {"it is larval", "the dump does not show its algorithms"}


def test_a_kernels_table() -> None:
    messages = capture("linux-mixed.bin")
    text, found = saved(messages)
    read, original = by_spi(loaded(text)), by_spi(messages)
    assert found.count == len(read) == 46
    for name, message in read.items():
        assert facts(message) == facts(original[name])
    assert all(" 0x" in line for line in found.omitted)


def test_random_associations() -> None:
    """States, modes and algorithms without a name, flags of every bit, NAT-T on everything, labels."""
    messages = bytearray()
    for message in pf.decode(capture("setkey/sad.bin"), "linux"):
        kept = [item for item in message.extensions if item.exttype is not pf.ExtensionType.SA]
        assert message.sa is not None
        alive = type(message.sa)(**{**_fields(message.sa), "state": pf.SAState.MATURE})
        messages += message.replace(extensions=(*kept, alive)).encode()
    text, found = saved(bytes(messages))
    read, original = by_spi(loaded(text)), by_spi(bytes(messages))
    assert found.count == len(read) == 10
    for name, message in read.items():
        assert facts(message) == facts(original[name])


def _fields(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def test_setkey_reads_what_it_can() -> None:
    """Without the lines that are comments to it, the script is in its own words."""
    (plain,) = loaded("add 1.1.1.1 2.2.2.2 esp 256 -E aes-ctr 0x000102030405060708090a0b0c0d0e0f10111213 ;")
    assert plain.sa is not None
    messages = b""
    for spi, cipher in ((256, pf.EncryptAlgorithm.AES_CTR), (257, pf.EncryptAlgorithm.AES_GCM_ICV16)):
        sa = type(plain.sa)(**{**_fields(plain.sa), "spi": spi, "encrypt": cipher, "state": pf.SAState.MATURE})
        others = tuple(item for item in plain.extensions if item.exttype is not pf.ExtensionType.SA)
        messages += plain.replace(type=pf.MessageType.DUMP, extensions=(sa, *others)).encode()
    text, _ = saved(messages)
    assert [m.sa.spi for m in loaded(text, extended=False)] == [256]  # type: ignore[union-attr]
    full = by_spi(loaded(text))
    assert {name: facts(message) for name, message in full.items()} == {
        name: facts(message) for name, message in by_spi(messages).items()
    }


def test_a_table_goes_into_an_engine_and_comes_back() -> None:
    messages = capture("linux-mixed.bin")
    text, found = saved(messages)
    engine = Answering()
    complaints: list[str] = []
    runner = Runner(engine, Look(), Told(lambda text: None, complaints.append))
    runner.run(script(text, Rules(spec.dialect("linux"), extended=True)))
    (dumped,) = engine.dump(pf.requests.dump(dialect="linux"))
    back = by_spi(dumped)
    assert len(back) == found.count - runner.refused
    assert len(back) >= 30
    original = by_spi(messages)
    for name, message in back.items():
        told, now = facts(original[name]), facts(message)
        assert [now[key] for key in ("satype", "limits", "keys")] == [told[key] for key in ("satype", "limits", "keys")]


def test_a_kernels_policies() -> None:
    found = Script(spec.dialect("linux"), IPSEC_TOOLS)
    messages = pf.decode(capture("linux-policies.bin"), "linux")
    text = "".join(policy_statements(found, messages))
    rules = Rules(spec.dialect("linux"), forward=False)
    read = [message for command in script(text, rules) for message in command.messages]
    told = [message for message in messages if f"policy {message.policy.id}: left out" not in " ".join(found.omitted)]  # type: ignore[union-attr]
    assert found.count == len(read) == len(told) >= 40
    for made, original in zip(read, told, strict=True):
        policy, expected = made.policy, original.policy
        assert policy is not None
        assert expected is not None
        assert (policy.dir, policy.type, policy.requests) == (expected.dir, expected.type, expected.requests)
        assert policy.priority == (expected.priority or 1)
        assert (made.address_src, made.address_dst) == (original.address_src, original.address_dst)
    reasons = {line.partition(": ")[2] for line in found.omitted}
    assert reasons == {"left out: no word for one of its requests"}


def test_the_limits_of_a_policy_are_listed() -> None:
    message = pf.decode(capture("linux-policies.bin"), "linux")[2]
    assert message.policy is not None
    limit = Lifetime(pf.ExtensionType.LIFETIME_HARD, addtime=9)
    others = tuple(item for item in message.extensions if item.exttype is not limit.exttype)
    found = Script(spec.dialect("linux"), IPSEC_TOOLS)
    assert len(list(policy_statements(found, [message.replace(extensions=(*others, limit))]))) == 1
    assert found.omitted == [f"policy {message.policy.id}: without its lifetime-hard"]


def test_policies_of_sockets_are_left_out() -> None:
    message = pf.decode(capture("linux-policies.bin"), "linux")[2]
    assert message.policy is not None
    policy = type(message.policy)(**{**_fields(message.policy), "id": 11})
    others = tuple(item for item in message.extensions if item.exttype is not pf.ExtensionType.POLICY)
    found = Script(spec.dialect("linux"), IPSEC_TOOLS)
    assert list(policy_statements(found, [message.replace(extensions=(policy, *others))])) == []
    assert found.omitted == ["policy 11: left out: it belongs to a socket"]


def test_a_label_with_quotes_cannot_stand_in_a_script() -> None:
    (message,) = loaded('add 1.1.1.1 2.2.2.2 esp 256 -ctx 1 1 "a:b" -E null ;')
    dump = message.replace(
        type=pf.MessageType.DUMP,
        extensions=tuple(
            type(item)(**{**_fields(item), "context": b'a"b\0'})
            if item.exttype is pf.ExtensionType.SEC_CTX
            else type(item)(**{**_fields(item), "state": pf.SAState.MATURE})
            if item.exttype is pf.ExtensionType.SA
            else item
            for item in message.extensions
        ),
    )
    text, found = saved(dump.encode())
    assert "-ctx" not in text
    assert found.omitted == ["esp 0x00000100 1.1.1.1 2.2.2.2: without its sec-ctx"]


def test_extended_options_are_no_part_of_setkeys_grammar() -> None:
    line = "add 1.1.1.1 2.2.2.2 esp 256 -proxy 10.0.0.0/8 0 -E null;"
    assert loaded(line)[0].address_proxy is not None
    with pytest.raises(pf.ScriptError, match="syntax error at `-proxy'"):
        loaded(line, extended=False)
