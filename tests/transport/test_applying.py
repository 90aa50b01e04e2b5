"""Plans: what is done to an engine so that its tables say what is wanted, in what order, and that it is done once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.transport.loopback import Loopback

A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"
OTHER = bytes(range(1, 21))
MADE = {"encrypt": "null", "auth": "sha1-hmac", "auth_key": bytes(range(20))}
LIMITED = {"hard": 3600, "soft": 3000}
SYSTEMS = ["linux", "freebsd", "netbsd", "openbsd", "macos", "illumos"]
WITH_POLICIES = ["linux", "freebsd", "netbsd", "macos"]
Type = pf.MessageType


def client_of(dialect: str) -> pf.Client:
    return pf.Client(Loopback(spec.dialect(dialect)))


def add(client: pf.Client, spi: int, src: str = A, dst: str = B, **more: Any) -> None:
    given = {**MADE, **(LIMITED if more.pop("limited", True) else {}), **more}
    if Ext.SA2 in client.dialect.by_type:
        given = {"mode": "tunnel", "reqid": spi & 0xFF, **given}
    client.add("esp", spi, src, dst, **given)


def spdadd(client: pf.Client, src: str = "10.0.0.0/8", direction: str = "out", **more: Any) -> None:
    one = pf.requests.transform("esp", mode="tunnel", level="require", src=A, dst=B)
    client.spdadd(src, "10.1.0.0/16", pf.requests.policy(direction, transforms=[one], **more))


def tables(client: pf.Client) -> tuple[Any, Any]:
    policies = client.dump_policies() if Ext.POLICY in client.dialect.by_type else None
    return client.dump(keys=True), policies


def planned(live: pf.Client, wanted: pf.Client, **how: Any) -> pf.Plan:
    (one, two), (three, four) = tables(live), tables(wanted)
    return pf.plan(one, three, two, four, **how)


def settled(live: pf.Client, wanted: pf.Client) -> list[tuple[str, int]]:
    """Apply, see that all was done and that nothing is left to do; kinds of requests and their numbers."""
    applied = live.apply(planned(live, wanted))
    assert list(applied.undone()) == []
    assert applied.complete
    assert not planned(live, wanted)
    assert repr(live.apply(planned(live, wanted))) == "<Applied: nothing to do>"
    return [(done.step.kind.name, done.count) for done in applied.steps]


@pytest.mark.parametrize("dialect", SYSTEMS)
class TestEverySystem:
    def test_nothing_to_do(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            for client in (live, wanted):
                add(client, 0x1000)
            assert settled(live, wanted) == []

    def test_from_nothing_and_back(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            for spi in range(0x1000, 0x1020):
                add(wanted, spi)
            assert settled(live, wanted) == [("ADD", 32)]
            with client_of(dialect) as empty:
                assert settled(live, empty) == [("DELETE", 32)]

    def test_lifetimes(self, dialect: str) -> None:
        """By UPDATE, unless the system lets nobody update but who added."""
        with client_of(dialect) as live, client_of(dialect) as wanted:
            add(live, 0x1000)
            add(wanted, 0x1000, hard=7200, soft=7000)
            bound = dialect in ("freebsd", "netbsd", "macos")
            assert settled(live, wanted) == ([("DELETE", 1), ("ADD", 1)] if bound else [("UPDATE", 1)])

    def test_limits_that_end(self, dialect: str) -> None:
        """An UPDATE without lifetimes ends them on Linux, which shows them always; elsewhere they would stay."""
        with client_of(dialect) as live, client_of(dialect) as wanted:
            add(live, 0x1000)
            add(wanted, 0x1000, limited=False)
            assert settled(live, wanted) == ([("UPDATE", 1)] if dialect == "linux" else [("DELETE", 1), ("ADD", 1)])

    def test_keys(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            add(live, 0x1000)
            add(wanted, 0x1000, auth_key=OTHER)
            assert settled(live, wanted) == [("DELETE", 1), ("ADD", 1)]

    def test_rekeyed(self, dialect: str) -> None:
        """The successor is there before the old one goes."""
        with client_of(dialect) as live, client_of(dialect) as wanted:
            add(live, 0x1000)
            add(wanted, 0x1100, auth_key=OTHER)
            assert settled(live, wanted) == [("ADD", 1), ("DELETE", 1)]

    def test_what_is_being_negotiated_is_left_alone(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            live.getspi("esp", A, B, 0x2000, 0x2000)
            add(live, 0x1000)
            found = planned(live, wanted)
            assert {reason: rows.tolist() for reason, rows in found.spared.items()}.keys() == {
                "larval: without algorithms and keys yet"
            }
            live.apply(found)
            (left,) = live.dump()["spi"].tolist()
            assert left == 0x2000

    def test_keeping_what_is_not_named(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            add(live, 0x1000)
            add(wanted, 0x1001, dst=C)
            live.apply(planned(live, wanted, keep=True))
            assert sorted(live.dump()["spi"].tolist()) == [0x1000, 0x1001]

    def test_many(self, dialect: str) -> None:
        """A made-up gateway, of which a part is what is wanted of another."""
        with client_of(dialect) as live, client_of(dialect) as wanted:
            messages = pf.SATable.from_buffer(synthetic(700, seed=6, dialect=dialect), dialect, keys=True)
            live.add_many(messages[:500])
            wanted.add_many(messages[200:])
            settled(live, wanted)


@pytest.mark.parametrize("dialect", ["freebsd", "netbsd", "openbsd", "illumos"])
class TestPasswords:
    """Associations for TCP-MD5, which each system keeps in its own manner."""

    def test_from_nothing_and_back(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted, client_of(dialect) as empty:
            for peer in (B, C):
                pf.tcpmd5.set(peer, A, "correct horse", client=wanted)
            assert planned(live, wanted).spared == {}
            assert settled(live, wanted) == [("ADD", 4)]
            assert len(pf.tcpmd5.list(client=live)) == 2
            assert settled(live, empty) == [("DELETE", 4)]

    def test_another_password(self, dialect: str) -> None:
        """Of the same length. Where each association has an SPI of its own, it is a successor of another one."""
        with client_of(dialect) as live, client_of(dialect) as wanted:
            pf.tcpmd5.set(B, A, "correct horse", client=live)
            pf.tcpmd5.set(B, A, "battery stapl", client=wanted)
            replaced = [("ADD", 2), ("DELETE", 2)] if dialect == "openbsd" else [("DELETE", 2), ("ADD", 2)]
            assert settled(live, wanted) == replaced

    def test_what_another_program_keeps_there(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            pf.tcpmd5.set(B, A, "correct horse", client=live)
            assert not live.apply(planned(live, wanted, keep=True)).steps
            assert len(pf.tcpmd5.list(client=live)) == 1


def test_freebsd_has_each_spi_once() -> None:
    with client_of("freebsd") as live, client_of("freebsd") as wanted:
        add(live, 0x1000, dst=B)
        add(wanted, 0x1000, dst=C)
        assert settled(live, wanted) == [("DELETE", 1), ("ADD", 1)]


@pytest.mark.parametrize("dialect", WITH_POLICIES)
class TestPolicies:
    def test_they_come_behind_what_they_want_and_go_before_it(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            add(live, 0x1000)
            spdadd(live, "10.2.0.0/16")
            add(wanted, 0x2001)
            spdadd(wanted)
            assert settled(live, wanted) == [("ADD", 1), ("SPDADD", 1), ("SPDDELETE", 1), ("DELETE", 1)]

    def test_they_are_replaced_in_one_request(self, dialect: str) -> None:
        with client_of(dialect) as live, client_of(dialect) as wanted:
            spdadd(live)
            client = wanted
            one = pf.requests.transform("esp", mode="tunnel", level="unique", reqid=5, src=A, dst=C)
            client.spdadd("10.0.0.0/8", "10.1.0.0/16", pf.requests.policy("out", transforms=[one]))
            assert settled(live, wanted) == [("SPDUPDATE", 1)]

    def test_nothing_wanted_of_them_leaves_them_alone(self, dialect: str) -> None:
        with client_of(dialect) as live:
            spdadd(live)
            found = pf.plan(live.dump(keys=True), live.dump(keys=True), live.dump_policies(), None)
            assert not found
            assert found.policies is None


class TestRefusals:
    def test_the_old_one_stays_if_its_successor_is_refused(self, connect: Callable[..., Any]) -> None:
        source = Loopback(spec.dialect("linux"))
        live = connect(source)
        with client_of("linux") as wanted, pf.Client(source) as other:
            add(other, 0x1000)
            add(other, 0x1101, dst=C)
            add(wanted, 0x1100, auth_key=OTHER)
            add(wanted, 0x1200, src=C)
            found = pf.plan(other.dump(keys=True), wanted.dump(keys=True))
            add(other, 0x1100)  # somebody takes the SPI meanwhile
            applied = live.apply(found)
            assert not applied.complete
            told = [(item.kind, int(item.table["spi"][item.row]), item.reason) for item in applied.undone()]
            assert told[0][:2] == (Type.ADD, 0x1100)
            assert told[0][2].startswith("EEXIST (17): ")
            assert told[1] == (Type.DELETE, 0x1000, "not sent, because the ADD before it was refused")
            assert len(told) == 2
            assert sorted(other.dump()["spi"].tolist()) == [0x1000, 0x1100, 0x1200]
            assert repr(applied) == "<Applied: ADD 1 of 2, DELETE 0 of 1, DELETE 1 of 1>"

    def test_what_cannot_be_deleted_is_not_added(self, connect: Callable[..., Any]) -> None:
        source = Loopback(spec.dialect("linux"))
        live = connect(source)
        with client_of("linux") as wanted, pf.Client(source) as other:
            add(other, 0x1000)
            add(wanted, 0x1000, auth_key=OTHER)
            found = pf.plan(other.dump(keys=True), wanted.dump(keys=True))
            other.delete("esp", 0x1000, A, B)
            applied = live.apply(found)
            assert [item.kind for item in applied.undone()] == [Type.DELETE, Type.ADD]
            assert len(other.dump()) == 0

    def test_policies_that_are_refused(self, connect: Callable[..., Any]) -> None:
        source = Loopback(spec.dialect("linux"))
        live = connect(source)
        with client_of("linux") as wanted, pf.Client(source) as other:
            spdadd(wanted)
            found = pf.plan(None, None, other.dump_policies(), wanted.dump_policies())
            spdadd(other)
            (undone,) = live.apply(found).undone()
            assert undone.kind is Type.SPDADD
            assert undone.reason.startswith("EEXIST (17): ")


def test_tables_without_keys_make_no_plan() -> None:
    with client_of("linux") as client:
        add(client, 0x1000)
        with pytest.raises(ValueError, match="decode both tables with keys=True"):
            pf.plan(client.dump(), client.dump(keys=True))


def test_how_each_difference_is_dealt_with() -> None:
    with client_of("linux") as live, client_of("linux") as wanted:
        for spi in (0x1000, 0x1001, 0x1002, 0x1003):
            add(live, spi)
        add(wanted, 0x1000, hard=60, soft=50)
        add(wanted, 0x1001, auth_key=OTHER)
        add(wanted, 0x1102)
        add(wanted, 0x1204)
        spdadd(wanted)
        rows = {(row["how"], row.get("spi")) for row in planned(live, wanted).rows()}
        assert rows == {
            *[("add", 0x1204), ("delete", 0x1003), ("update", 0x1000), ("replace", 0x1001), ("rekey", 0x1102)],
            ("add", None),
        }
