"""Two tables compared: what is one and the same association or policy, what is said to differ, and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import fastpfkey as pf
from fastpfkey.columns.synthetic import synthetic

A, B, C = "192.0.2.1", "192.0.2.2", "2001:db8::3"
KEY = bytes(range(16))
OTHER = bytes(range(1, 17))
Ext = pf.ExtensionType


def sa(
    spi: int = 0x1000, src: str = A, dst: str = B, satype: str = "esp", dialect: str = "linux", **more: Any
) -> bytes:
    """The message with which an engine would dump an association."""
    given = {"encrypt": "aes-cbc", "encrypt_key": KEY, "mode": "tunnel", "reqid": 7, "hard": 3600, **more}
    made = pf.requests.add(satype, spi, src, dst, dialect=dialect, **given)
    return made.replace(type=pf.MessageType.DUMP).encode()


def table(*messages: bytes, keys: bool = True, dialect: str = "linux", **how: Any) -> pf.SATable:
    return pf.SATable.from_buffer(b"".join(messages), dialect, keys=keys, **how)


def told(old: Any, new: Any, columns: Sequence[str] | None = None) -> list[tuple[Any, ...]]:
    """Kind, SPI and what differs, of each difference."""
    return [
        (row["what"], row["spi"], {**row["changes"], **dict.fromkeys(row["differ"])})
        for row in pf.diff(old, new, columns).rows()
    ]


class TestAssociations:
    def test_the_same_in_another_order(self) -> None:
        messages = [sa(spi) for spi in range(256, 266)]
        found = pf.diff(table(*messages), table(*reversed(messages)))
        assert not found
        assert repr(found) == "<SATable: 0 added, 0 removed, 0 changed, 0 rekeyed>"

    def test_added_and_removed(self) -> None:
        old, new = table(sa(256), sa(257, reqid=8)), table(sa(258, dst=C, src=C), sa(256))
        assert told(old, new) == [("added", 258, {}), ("removed", 257, {})]
        found = pf.diff(old, new)
        assert (found.added.tolist(), found.removed.tolist()) == ([0], [1])

    @pytest.mark.parametrize(
        ("more", "changes"),
        [
            ({"hard": 7200}, {"hard_addtime": [3600, 7200]}),
            ({"soft": 60}, {"soft_addtime": [0, 60]}),
            ({"mode": "transport"}, {"mode": ["tunnel", "transport"]}),
            ({"reqid": 8}, {"reqid": [7, 8]}),
            ({"replay": 64}, {"replay": [0, 64]}),
            ({"src": C}, {"src": [A, C], "src_family": [4, 6], "src_prefixlen": [32, 128]}),
            (
                {"encrypt": "aes-ctr", "encrypt_key": KEY + b"salt"},
                {"encrypt": ["aes-cbc", "aes-ctr"], "key_encrypt": None},
            ),
            ({"encrypt_key": OTHER}, {"key_encrypt": None}),
            ({"auth": "sha1-hmac", "auth_key": bytes(20)}, {"auth": ["none", "sha1-hmac"], "key_auth": None}),
            (
                {"natt": pf.requests.natt(4500, 4501)},
                {"natt_type": [None, "espinudp"], "natt_sport": [None, 4500], "natt_dport": [None, 4501]},
            ),
            ({"src_identity": "a.example"}, {"identity_src": None}),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, dict) else None,
    )
    def test_changed(self, more: dict[str, Any], changes: dict[str, Any]) -> None:
        rows = told(table(sa()), table(sa(**more)))
        assert rows == [("changed", 0x1000, changes)]

    def test_what_the_engine_counts_is_not_compared(self) -> None:
        (message,) = pf.decode(sa(), "linux")
        assert message.sa is not None
        dying = type(message.sa)(**{**_members(message.sa), "state": pf.SAState.DYING})
        others = tuple(item for item in message.extensions if item.exttype is not Ext.SA)
        later = message.replace(seq=9, pid=77, reserved=3, extensions=(dying, *others)).encode()
        assert not pf.diff(table(sa()), table(later))

    def test_no_key_is_told(self) -> None:
        found = pf.diff(table(sa()), table(sa(encrypt_key=OTHER)))
        text = repr(list(found.rows())) + repr(found)
        assert KEY.hex() not in text
        assert OTHER.hex() not in text

    def test_without_keys_their_lengths_are_compared(self) -> None:
        old = table(sa(), keys=False)
        assert not pf.diff(old, table(sa(encrypt_key=OTHER)))
        assert told(old, table(sa(encrypt_key=bytes(32)))) == [("changed", 0x1000, {"key_encrypt": None})]

    def test_extensions_that_were_not_there(self) -> None:
        old, new = table(sa(src_identity="a.example")), table(sa(src_identity="b.example"))
        assert told(old, new) == [("changed", 0x1000, {"identity_src": None})]
        assert not pf.diff(new, new)

    def test_rekeyed(self) -> None:
        old = table(sa(0x100), sa(0x200, src=B, dst=A))
        new = table(sa(0x101, encrypt_key=OTHER, hard=60), sa(0x200, src=B, dst=A))
        assert told(old, new) == [("rekeyed", 0x101, {"hard_addtime": [3600, 60]})]
        (row,) = pf.diff(old, new).rows()
        assert row["old_spi"] == 0x100

    @pytest.mark.parametrize("more", [{"reqid": 8}, {"mode": "transport"}, {"src": C, "dst": C}, {"satype": "ah"}])
    def test_what_is_no_successor(self, more: dict[str, Any]) -> None:
        given = {"auth": "sha1-hmac", "auth_key": bytes(20)}
        if more.get("satype"):
            more |= {"encrypt": "none", "encrypt_key": None}
        new = table(sa(0x101, **{**given, **{k: v for k, v in more.items() if v is not None}}), keys=False)
        assert Counter(row[0] for row in told(table(sa(0x100, **given)), new)) == {"added": 1, "removed": 1}

    def test_of_several_each_has_one_successor(self) -> None:
        old, new = table(sa(0x100), sa(0x101), sa(0x102)), table(sa(0x200), sa(0x201))
        assert Counter(row[0] for row in told(old, new)) == {"rekeyed": 2, "removed": 1}

    def test_sources_tell_those_for_tcp_apart(self) -> None:
        def tcp(src: str, key: bytes) -> bytes:
            made = {"auth": "tcp-md5", "auth_key": key, "dialect": "freebsd"}
            return pf.requests.add("tcpsignature", 0x1000, src, B, **made).replace(type=pf.MessageType.DUMP).encode()  # type: ignore[arg-type]

        old = table(tcp(A, b"one"), tcp("192.0.2.9", b"two"), dialect="freebsd")
        new = table(tcp("192.0.2.9", b"two"), tcp(A, b"six"), dialect="freebsd")
        (row,) = pf.diff(old, new).rows()
        assert (row["what"], row["src"], row["differ"]) == ("changed", A, ["key_auth"])

    def test_sources_tell_apart_what_has_the_same_identity(self) -> None:
        old, new = table(sa(src=A), sa(src="192.0.2.9")), table(sa(src="192.0.2.9"))
        (row,) = pf.diff(old, new).rows()
        assert (row["what"], row["src"]) == ("removed", A)
        assert not pf.diff(table(sa(), sa()), table(sa(), sa()))
        assert told(table(sa(), sa()), table(sa())) == [("removed", 0x1000, {})]

    def test_some_columns_alone(self) -> None:
        old, new = table(sa()), table(sa(hard=1, reqid=9))
        assert told(old, new, ["reqid"]) == [("changed", 0x1000, {"reqid": [7, 9]})]
        assert told(old, new, ["key_encrypt"]) == []
        few = table(sa(), columns=["satype", "spi", "src", "dst", "reqid"], keys=False)
        assert told(few, new) == [("changed", 0x1000, {"reqid": [7, 9]})]

    def test_empty_tables(self) -> None:
        assert not pf.diff(table(), table())
        assert told(table(), table(sa())) == [("added", 0x1000, {})]
        assert told(table(sa()), table()) == [("removed", 0x1000, {})]

    def test_what_cannot_be_compared(self) -> None:
        with pytest.raises(ValueError, match="a table of linux cannot be compared with one of freebsd"):
            pf.diff(table(), table(dialect="freebsd"))
        with pytest.raises(ValueError, match="a SATable cannot be compared with a PolicyTable"):
            pf.diff(table(), pf.PolicyTable.from_buffer(b"", "linux"))  # type: ignore[type-var]
        with pytest.raises(KeyError, match="'satype' was not decoded"):
            pf.diff(table(sa(), columns=["spi"], keys=False), table(sa()))

    @pytest.mark.parametrize("dialect", ["rfc2367", "linux", "freebsd", "netbsd", "openbsd", "macos", "illumos"])
    def test_many_of_every_system(self, dialect: str) -> None:
        messages = synthetic(3000, seed=3, dialect=dialect)
        old = pf.SATable.from_buffer(messages, dialect, keys=True)
        order = np.random.default_rng(5).permutation(len(old))
        new = old[order[:2900]]
        new["replay"][:40] += np.uint32(1)
        found = pf.diff(old, new)
        assert not len(found.added)
        assert sorted(found.removed.tolist()) == sorted(order[2900:].tolist())
        assert sorted(found.changed.new.tolist()) == list(range(40))
        assert found.changed.columns.keys() == {"replay"}
        back = pf.diff(new, old)
        assert sorted(back.added.tolist()) == sorted(found.removed.tolist())


def _members(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def policy(src: str = "10.0.0.0/8", dst: str = "10.1.0.0/16", dialect: str = "linux", **more: Any) -> bytes:
    stored = {name: more.pop(name) for name in ("hard", "proto") if name in more}
    given = {"direction": "out", "transforms": [request()], **more}
    made = pf.requests.spdadd(src, dst, pf.requests.policy(**given), dialect=dialect, **stored)
    return made.replace(type=pf.MessageType.SPDDUMP).encode()


def request(**more: Any) -> Any:
    return pf.requests.transform("esp", **{"mode": "tunnel", "level": "require", "src": A, "dst": B, **more})


def policies(*messages: bytes, dialect: str = "linux") -> pf.PolicyTable:
    return pf.PolicyTable.from_buffer(b"".join(messages), dialect)


class TestPolicies:
    @pytest.mark.parametrize("dialect", ["linux", "freebsd", "netbsd", "macos"])
    def test_what_identifies_one(self, dialect: str) -> None:
        old = policies(policy(dialect=dialect), dialect=dialect)
        others = [
            {"src": "10.0.0.0/9"},
            {"dst": "10.1.0.0/16[443]", "proto": "tcp"},
            {"direction": "in"},
            {"proto": "udp"},
        ]
        for other in others:
            new = policies(policy(dialect=dialect, **other), dialect=dialect)
            assert [row["what"] for row in pf.diff(old, new).rows()] == ["added", "removed"]

    def test_what_changes(self) -> None:
        cases: list[tuple[dict[str, Any], list[str]]] = [
            ({"transforms": [request(level="unique", reqid=5)]}, ["requests"]),
            ({"transforms": [request(dst=C, src=C)]}, ["requests"]),
            ({"transforms": [request(), request(mode="transport", src=None, dst=None)]}, ["requests"]),
            ({"type": "discard", "transforms": []}, ["type", "requests"]),
            ({"priority": 17}, ["priority"]),
            ({"hard": 60}, ["hard_addtime"]),
        ]
        for more, expected in cases:
            (row,) = pf.diff(
                policies(policy(), policy(direction="in")), policies(policy(direction="in"), policy(**more))
            ).rows()
            assert (row["what"], [*row["changes"], *row["differ"]]) == ("changed", expected)

    def test_ids_and_counters_are_not_compared(self) -> None:
        assert not pf.diff(policies(policy(id=8)), policies(policy(id=16)))

    def test_requests_in_their_order(self) -> None:
        one, two = request(), request(mode="transport", src=None, dst=None)
        old, new = policies(policy(transforms=[one, two])), policies(policy(transforms=[two, one]))
        assert [row["differ"] for row in pf.diff(old, new).rows()] == [["requests"]]
        assert not pf.diff(old, old)
