"""Many associations at once: a result for every row, whatever happens to some. Each test is of both clients."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest

import fastpfkey as pf
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.wire.message import Message

from .fake import EEXIST, EINVAL, FakeEndpoint, FakeEngine

Type = pf.MessageType


def rows(count: int, **changes: Any) -> dict[str, Any]:
    """Columns of so many associations."""
    src, dst = (np.frombuffer(ip_address(f"::ffff:192.0.2.{number}").packed, np.uint8) for number in (1, 2))
    spi = np.arange(0x1000, 0x1000 + count)
    keys = np.zeros((count, 20), np.uint8)
    return {
        "satype": pf.SAType.AH,
        "spi": spi,
        "auth": pf.AuthAlgorithm.SHA1_HMAC,
        "key_auth": keys,
        "src": src,
        "dst": dst,
        **changes,
    }


def test_all_rows_are_added_updated_and_deleted(client: Any, engine: FakeEngine) -> None:
    seen: list[int] = []
    done = client.add_many(rows(1000), batch=64, progress=seen.append)
    assert (len(done), done.done, done.complete, done.unanswered) == (1000, 1000, True, 0)
    assert list(done.failures()) == []
    assert [spi for _, spi in engine.table] == list(range(0x1000, 0x1000 + 1000))
    assert seen == [*range(64, 1000, 64), 1000]
    engine.before = lambda endpoint, request: request.type is Type.UPDATE and not engine.tell(request)
    assert client.update_many(rows(100)).complete
    engine.before = lambda endpoint, request: False
    assert client.delete_many(rows(1000)).complete
    assert engine.table == {}


def test_a_table_goes_from_one_engine_to_another(client: Any, engine: FakeEngine) -> None:
    """What one dump showed is added again, with its keys; what no request can be made of is told."""
    table = pf.SATable.from_buffer(synthetic(500), "linux", keys=True)
    done = client.add_many(table)
    failures = list(done.failures())
    assert done.done + len(failures) == 500
    assert 0 < len(failures) < 250  # AEADs and larval ones, of which a dump shows no algorithms
    assert all(failure.reason and not failure.name for failure in failures)
    again = client.dump(keys=True)
    kept = np.setdiff1d(np.arange(500), [failure.row for failure in failures])
    assert again["spi"].tolist() == table[kept]["spi"].tolist()
    assert again.key_bytes("auth") == table[kept].key_bytes("auth")


def test_what_fails_keeps_nothing_else(client: Any, engine: FakeEngine) -> None:
    client.add_many(rows(300, spi=np.arange(0x1000, 0x1000 + 300) * 2))
    done = client.add_many(rows(600, spi=np.arange(0x1E00, 0x1E00 + 600)))
    assert (done.done, done.complete) == (556, False)
    failures = list(done.failures())
    taken = {0x2000 + 2 * row for row in range(300)}
    assert [failure.row for failure in failures] == [row for row in range(600) if 0x1E00 + row in taken]
    assert {(failure.errno, failure.name) for failure in failures} == {(EEXIST, "EEXIST")}
    assert "UPDATE completes it" in failures[0].reason
    assert repr(done) == "<ADD: 556 of 600 rows carried out>"


def test_what_is_refused_when_it_is_sent_has_its_errno(client: Any, engine: FakeEngine) -> None:
    def refuse(endpoint: FakeEndpoint, request: Message) -> bool:
        if request.sa and request.sa.spi % 100 == 7:
            raise pf.TransportError(EINVAL, "the message is refused")
        return False

    engine.before = refuse
    done = client.add_many(rows(300))
    expected = [row for row in range(300) if (0x1000 + row) % 100 == 7]
    assert [(failure.row, failure.errno, failure.reason) for failure in done.failures()] == [
        (row, EINVAL, "the message is refused") for row in expected
    ]


def test_replies_that_were_lost_are_told_and_not_waited_for(client: Any, engine: FakeEngine) -> None:
    client.timeout = None
    lost = {0x1000 + 5, 0x1000 + 250}

    def lose(endpoint: FakeEndpoint, request: Message) -> bool:
        if request.sa and request.sa.spi in lost:
            engine.table[request.satype, request.sa.spi] = request
            endpoint.push(None)
            return True
        return False

    engine.before = lose
    done = client.add_many(rows(300), batch=50)
    assert (done.done, done.unanswered) == (298, 2)
    assert [(failure.row, failure.name) for failure in done.failures()] == [(5, ""), (250, "")]
    assert len(engine.table) == 300


def test_an_engine_that_falls_silent_is_not_sent_more(client: Any, engine: FakeEngine) -> None:
    engine.before = lambda endpoint, request: len(engine.table) >= 100
    done = client.add_many(rows(1000), batch=50, timeout=0.02)
    reasons = {failure.reason for failure in done.failures()}
    assert (done.done, done.unanswered) == (100, 50)
    assert len(reasons) == 2
    assert sum(request.type is Type.ADD for _, request in engine.requests) == 150


def test_nothing_and_nonsense(client: Any, engine: FakeEngine) -> None:
    assert client.add_many(rows(0)).complete
    with pytest.raises(ValueError, match="batch is 1 or more"):
        client.add_many(rows(1), batch=0)
    with pytest.raises(pf.EncodeError, match="columns are missing"):
        client.add_many({"spi": [1]})
    assert engine.requests == []
