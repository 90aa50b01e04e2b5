"""Statistics of tables, compared with counting row by row; the list of weak algorithms with what the RFCs say."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest
from corpus.groundtruth import capture
from hypothesis import given
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey.columns import statistics
from fastpfkey.columns.duplicates import Duplicates
from fastpfkey.columns.keys import fingerprints
from fastpfkey.columns.statistics import COLUMNS, Statistics
from fastpfkey.columns.synthetic import NOW, synthetic

from .support import MIXED, associations

SALT = bytes(range(20))
GATEWAY = pf.SATable.from_buffer(synthetic(3000, seed=5), "linux", keys=True)
WHOLE = associations(MIXED, keys=True)


def of(*tables: pf.SATable, salt: bytes | None = None) -> Statistics:
    found = Statistics(salt)
    for table in tables:
        found.add(table)
    return found


@pytest.mark.parametrize("table", [GATEWAY, WHOLE], ids=["gateway", "corpus"])
class TestCounts:
    def test_names(self, table: pf.SATable) -> None:
        found = of(table[:20], table[20:])
        rows = list(table.rows())
        assert found.total == len(table)
        for name in statistics.COUNTED:
            assert found.counts[name] == Counter(row[name] for row in rows)
        versions = {4: "IPv4", 6: "IPv6"}
        assert found.counts["family"] == Counter(versions.get(int(each)) for each in table["src_family"])

    def test_ages_and_traffic(self, table: pf.SATable) -> None:
        found = of(table[:20], table[20:])
        rows = list(table.rows())
        now = int(max(table["current_addtime"].max(), table["current_usetime"].max()))
        assert found.latest == now
        for step in found.ages(now + 100):
            ages = [now + 100 - row["current_addtime"] for row in rows if row["current_addtime"]]
            end = float("inf") if step.end is None else step.end
            assert step.associations == sum(step.begin <= age < end for age in ages)
        for step in found.sizes:
            end = float("inf") if step.end is None else step.end
            assert step.associations == sum(step.begin <= (row["current_bytes"] or 0) < end for row in rows)


def test_a_kernels_dying_associations_are_those_past_their_soft_limit() -> None:
    """The made-up table is DYING exactly where the age is past the soft limit, as a kernel's is."""
    dying = int((GATEWAY["state"] == pf.SAState.DYING).sum())
    assert of(GATEWAY).past_soft_limit(NOW) == dying > 0


@pytest.mark.parametrize(
    ("limits", "past"),
    [
        ({}, False),
        ({"soft_addtime": 100}, True),
        ({"soft_addtime": 101}, False),
        ({"soft_usetime": 50}, True),
        ({"soft_usetime": 51}, False),
        ({"soft_bytes": 1000}, True),
        ({"soft_bytes": 1001}, False),
        ({"soft_allocations": 9}, True),
        ({"soft_allocations": 10}, False),
        ({"soft_addtime": 2**64 - 1}, False),  # a sum that does not fit
    ],
)
def test_soft_limits(limits: dict[str, int], past: bool) -> None:
    table = associations(keys=True)[:1]
    for name in (*statistics.COLUMNS[12:],):
        table[name][:] = 0
    for name, value in {
        "current_addtime": 1000,
        "current_usetime": 1050,
        "current_bytes": 1000,
        "current_allocations": 9,
        **limits,
    }.items():
        table[name][:] = value
    assert of(table).past_soft_limit(1100) == past
    assert of(table).past_soft_limit(1000) == (past and not {"soft_addtime", "soft_usetime"} & limits.keys())


def weak(**made: Any) -> list[tuple[str, str, str]]:
    """What is weak in one association."""
    satype = made.pop("satype", "esp")
    message = pf.requests.add(satype, 0x1000, "192.0.2.1", "192.0.2.2", dialect="freebsd", **made)
    table = pf.SATable.from_buffer(message.encode(byteorder="little"), "freebsd", COLUMNS, "little", keys=True)
    return [(each.column, each.algorithm, each.weakness.source) for each in of(table).weak()]


ESP, AH = "RFC 8221, section 5", "RFC 8221, section 6"
DEPRECATED = "RFC 9395, section 5"
MAC = {"auth": "sha2-256-hmac", "auth_key": bytes(32)}


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ({"encrypt": "aes-cbc", "encrypt_key": bytes(16), **MAC}, []),
        ({"encrypt": "des-cbc", "encrypt_key": bytes(8), **MAC}, [("encrypt", "des-cbc", ESP)]),
        ({"encrypt": "triple-des-cbc", "encrypt_key": bytes(24), **MAC}, [("encrypt", "triple-des-cbc", ESP)]),
        (
            {"encrypt": "blowfish-cbc", "encrypt_key": bytes(16), **MAC},
            [("encrypt", "blowfish-cbc", f"{ESP}; {DEPRECATED}")],
        ),
        ({"encrypt": "cast128-cbc", "encrypt_key": bytes(16), **MAC}, [("encrypt", "cast128-cbc", DEPRECATED)]),
        ({"encrypt": "null", **MAC}, [("encrypt", "null", "RFC 2410")]),
        (
            {"encrypt": "null"},
            [("encrypt", "null", "RFC 2410"), ("encrypt", "null", "RFC 4303, section 3.2")],
        ),
        ({"encrypt": "aes-cbc", "encrypt_key": bytes(16)}, [("encrypt", "aes-cbc", "RFC 8221, section 4")]),
        ({"encrypt": "aes-gcm-icv16", "encrypt_key": bytes(20)}, []),  # authenticates by itself
        ({"encrypt": "aes-ctr", "encrypt_key": bytes(20), **MAC}, []),
        (
            {"encrypt": "aes-ctr", "encrypt_key": bytes(16), **MAC},  # 4 bytes of it are no key
            [("encrypt", "aes-ctr", "NIST SP 800-131A rev. 2")],
        ),
        (
            {"satype": "ah", "auth": "sha1-hmac", "auth_key": bytes(10)},
            [("auth", "sha1-hmac", "NIST SP 800-131A rev. 2")],
        ),
        ({"satype": "ah", "auth": "md5-hmac", "auth_key": bytes(16)}, [("auth", "md5-hmac", AH)]),
        ({"satype": "ah", "auth": "sha1-hmac", "auth_key": bytes(20)}, []),
        ({"satype": "ipcomp", "compress": "deflate"}, []),
        (
            {"satype": "tcpsignature", "auth": "tcp-md5", "auth_key": bytes(16)},
            [("auth", "tcp-md5", "RFC 5925, section 1")],
        ),
    ],
)
def test_weak_algorithms(made: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert sorted(weak(**made)) == sorted(expected)


def test_what_a_message_does_not_show_is_not_called_weak() -> None:
    """Linux tells neither algorithm nor key of an AEAD."""
    aead = GATEWAY[(GATEWAY["encrypt"] == 0) & (GATEWAY["auth"] == 0) & (GATEWAY["satype"] == pf.SAType.ESP)]
    assert len(aead)
    assert of(aead).weak() == []


keys_of = st.lists(st.sampled_from([b"", b"k" * 16, b"k" * 17, b"\0" * 16, b"\0" * 24, bytes(range(32))]), max_size=12)


def with_keys(auth: list[bytes], encrypt: list[bytes]) -> pf.SATable:
    """Associations with these keys."""
    messages = [
        pf.requests.add(
            *("esp", 0x1000 + number, "192.0.2.1", "192.0.2.2"),
            **({"auth": "sha1-hmac", "auth_key": one} if one else {}),
            **({"encrypt": "aes-cbc", "encrypt_key": other} if other else {}),
            dialect="linux",
        ).encode(byteorder="little")
        for number, (one, other) in enumerate(zip(auth, encrypt, strict=True))
    ]
    return pf.SATable.from_buffer(b"".join(messages), "linux", COLUMNS, "little", keys=True)


@given(several=st.lists(st.tuples(keys_of, keys_of), min_size=1, max_size=4))
def test_keys_that_occur_more_than_once(several: list[tuple[list[bytes], list[bytes]]]) -> None:
    """In one table or in several, of one kind or of both; told by their fingerprints."""
    pairs = [(auth[: len(encrypt)], encrypt[: len(auth)]) for auth, encrypt in several]
    expected = Counter(key for pair in pairs for keys in pair for key in keys if key)
    found, silent = Duplicates(SALT), Duplicates()
    for auth, encrypt in pairs:
        table = with_keys(auth, encrypt)
        found.add(table)
        silent.add(table)
    wanted = {fingerprints([key], SALT)[0]: count for key, count in expected.items() if count > 1}
    assert {each.fingerprint: each.keys for each in found.found()} == wanted
    assert [each.keys for each in silent.found()] == sorted(wanted.values(), reverse=True)
    assert all(each.fingerprint is None for each in silent.found())


def test_many_tables_with_few_duplicates() -> None:
    found = Duplicates(SALT)
    for begin in range(0, len(GATEWAY), 37):
        found.add(GATEWAY[begin : begin + 37])
    found.add(GATEWAY[1000:1001])
    keys = [key for kind in ("auth", "encrypt") for key in GATEWAY[1000:1001].key_bytes(kind) if key]
    assert {each.fingerprint for each in found.found()} == set(fingerprints(keys, SALT))


def test_marks_tell_keys_apart_by_every_bit() -> None:
    """Structured keys too, in which a sum of products would cancel out."""
    keys = [bytes(size) for size in range(1, 40)]
    keys += [(1 << one | 1 << other).to_bytes(32) for one, other in itertools.combinations(range(0, 256, 7), 2)]
    keys += [(bits << 63 | other << 127).to_bytes(16, "little") for bits in (0, 1) for other in (0, 1)]
    store = with_keys(keys, [b""] * len(keys)).keys
    assert store is not None
    marks = store.marks("auth").tolist()
    assert len(set(marks)) == len(set(keys))
    assert len({(mark, key) for mark, key in zip(marks, keys, strict=True)}) == len(set(keys))
    assert not store.marks("encrypt").any()


def test_nothing() -> None:
    found = of(pf.SATable.from_buffer(b"", "linux", COLUMNS, keys=True))
    assert (found.total, found.latest, found.weak(), found.duplicate_keys()) == (0, 0, [], [])
    assert found.past_soft_limit(NOW) == 0


def test_the_recording_of_every_kind() -> None:
    """Algorithms that the recorded kernel was given on purpose (linux-mixed.cf)."""
    found = {(each.column, each.algorithm) for each in of(associations(capture("linux-mixed.bin"), keys=True)).weak()}
    assert {("encrypt", "des-cbc"), ("encrypt", "triple-des-cbc"), ("auth", "md5-hmac"), ("encrypt", "null")} <= found
