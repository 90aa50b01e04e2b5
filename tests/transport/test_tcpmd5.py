"""Passwords for TCP: what is in the table of each system, that a replacement leaves one, and that none shows.

All of it holds for the functions that block and for those that are awaited.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.spec.tcpmd5 import MANNERS
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.transport import operations, peerings
from fastpfkey.transport.loopback import Loopback
from fastpfkey.transport.programs import Context, Program

LOCAL, PEER, THIRD = "192.0.2.1", "192.0.2.2", "192.0.2.3"
PASSWORD, OTHER = "correct horse", b"battery staple"
SYSTEMS = ["freebsd", "netbsd", "openbsd", "illumos"]


@pytest.fixture(params=SYSTEMS)
def client(request: pytest.FixtureRequest) -> Iterator[pf.Client]:
    with pf.Client(Loopback(spec.dialect(request.param))) as opened:
        yield opened


class Awaited:
    """`aio.tcpmd5` with functions that block, for the engine of a client that does."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(pf.aio.tcpmd5, name)

        async def awaited(client: pf.Client, *arguments: Any) -> Any:
            async with pf.aio.Client(client._context.source) as own:
                return await function(*arguments, client=own)

        return lambda *arguments, client: asyncio.run(awaited(client, *arguments))


@pytest.fixture(params=["blocking", "awaited"])
def tcpmd5(request: pytest.FixtureRequest) -> Any:
    return pf.tcpmd5 if request.param == "blocking" else Awaited()


def test_both_kinds_have_the_same_functions() -> None:
    assert pf.tcpmd5.__all__ == pf.aio.tcpmd5.__all__
    for name in ("delete", "list", "set"):
        ours, theirs = (inspect.signature(getattr(module, name)) for module in (pf.tcpmd5, pf.aio.tcpmd5))
        assert str(ours) == str(theirs)
        assert inspect.iscoroutinefunction(getattr(pf.aio.tcpmd5, name))


def passwords(client: pf.Client) -> dict[tuple[str, str], bytes]:
    """What the table has, by source and destination."""
    table = client.dump(keys=True)
    ends = [(row["src"], row["dst"]) for row in table.rows(["src", "dst"])]
    if client.dialect.name == "illumos":
        return {ends[row]: key.reveal() for row, key in table.extensions("str_auth")}  # type: ignore[attr-defined]
    return dict(zip(ends, table.key_bytes("auth"), strict=True))


def test_both_directions(tcpmd5: Any, client: pf.Client) -> None:
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    assert passwords(client) == {(LOCAL, PEER): PASSWORD.encode(), (PEER, LOCAL): PASSWORD.encode()}
    assert sorted(tcpmd5.list(client=client)[0][:2]) == [LOCAL, PEER]
    assert [item.both for item in tcpmd5.list(client=client)] == [True]


def test_how_each_system_has_them(tcpmd5: Any, client: pf.Client) -> None:
    """SA type, algorithm and SPI: 11, 252 and 0x1000; 8, 0 and any; 4, 1 and 0."""
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    first = client.dump(pf.SAType.TCPSIGNATURE, keys=True)
    (message, _) = pf.decode(first.buffer, client.dialect)  # type: ignore[arg-type]
    sa = message.sa
    assert sa is not None
    satype = client.dialect.satype(message.satype)
    auth = client.dialect.terms["auth"].number(pf.AuthAlgorithm(sa.auth))
    match client.dialect.name:
        case "openbsd":
            assert (satype, auth) == (8, 0)
            assert sa.spi >= 0x100
        case "illumos":
            assert (satype, auth, sa.spi) == (4, 1, 0)
            assert message.key_auth is None
        case _:
            assert (satype, auth) == (11, 252)
            assert 0x1000 in first["spi"]
    assert sa.encrypt == pf.EncryptAlgorithm.NONE


def test_freebsd_gives_a_taken_spi_away_and_has_each_once(tcpmd5: Any) -> None:
    with pf.Client(Loopback(spec.dialect("freebsd"))) as client:
        client.add("esp", 0x1000, LOCAL, PEER, encrypt="null", auth="null")
        tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
        tcpmd5.set(THIRD, LOCAL, OTHER, client=client)
        found = client.dump()["spi"].tolist()
        assert len(set(found)) == len(found) == 5
        assert tcpmd5.delete(PEER, LOCAL, client=client) == 2


def test_several_peers_of_one_address(tcpmd5: Any, client: pf.Client) -> None:
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    tcpmd5.set(THIRD, LOCAL, OTHER, client=client)
    tcpmd5.set("2001:db8::2", "2001:db8::1", PASSWORD, client=client)
    assert passwords(client) == {
        (LOCAL, PEER): PASSWORD.encode(),
        (PEER, LOCAL): PASSWORD.encode(),
        (LOCAL, THIRD): OTHER,
        (THIRD, LOCAL): OTHER,
        ("2001:db8::1", "2001:db8::2"): PASSWORD.encode(),
        ("2001:db8::2", "2001:db8::1"): PASSWORD.encode(),
    }
    assert len(tcpmd5.list(client=client)) == 3
    assert tcpmd5.delete(PEER, LOCAL, client=client) == 2
    assert (LOCAL, PEER) not in passwords(client)
    assert len(passwords(client)) == 4


def test_a_password_is_replaced(tcpmd5: Any, client: pf.Client) -> None:
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    for _ in range(3):
        tcpmd5.set(PEER, LOCAL, OTHER, client=client)
        assert passwords(client) == {(LOCAL, PEER): OTHER, (PEER, LOCAL): OTHER}


def test_one_direction_that_was_there(tcpmd5: Any, client: pf.Client) -> None:
    """What another program left half done is completed."""
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    rows = client.dump(columns=["satype", "spi", "src", "dst"])
    client.delete_many(rows[:1])
    assert [item.both for item in tcpmd5.list(client=client)] == [False]
    tcpmd5.set(PEER, LOCAL, OTHER, client=client)
    assert passwords(client) == {(LOCAL, PEER): OTHER, (PEER, LOCAL): OTHER}


def test_everything_else_is_left_alone(tcpmd5: Any, client: pf.Client) -> None:
    client.add("ah", 0x2000, LOCAL, PEER, auth="sha1-hmac", auth_key=bytes(range(20)))
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    tcpmd5.delete(PEER, LOCAL, client=client)
    assert client.dump()["spi"].tolist() == [0x2000]
    assert tcpmd5.list(client=client) == []


def test_what_is_not_there_is_deleted_without_an_error(tcpmd5: Any, client: pf.Client) -> None:
    assert tcpmd5.delete(PEER, LOCAL, client=client) == 0


@pytest.mark.parametrize("dialect", SYSTEMS)
def test_a_refusal_leaves_nothing_half_done(tcpmd5: Any, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pf.Client(Loopback(spec.dialect(dialect))) as client:
        asked = operations.request
        kind = pf.MessageType.UPDATE if dialect == "openbsd" else pf.MessageType.ADD
        count = 0

        def refusing(context: Context, message: pf.Message) -> Program[pf.Message]:
            nonlocal count
            count += message.type is kind
            if count == 2:
                raise pf.ReplyError(12, "ENOMEM", kind.name, "no memory")  # type: ignore[arg-type]
            return (yield from asked(context, message))

        monkeypatch.setattr(operations, "request", refusing)
        with pytest.raises(pf.ReplyError):
            tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
        assert passwords(client) == {}


def test_no_message_is_more_than_the_grammar_takes(
    tcpmd5: Any, client: pf.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[pf.Message] = []
    asked = operations.request

    def noted(context: Context, message: pf.Message) -> Program[pf.Message]:
        sent.append(message)
        return (yield from asked(context, message))

    monkeypatch.setattr(operations, "request", noted)
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    tcpmd5.set(PEER, LOCAL, OTHER, client=client)
    assert len(sent) >= 4
    for message in sent:
        assert [found for found in pf.check(message) if found.level == "error"] == []
        assert pf.MessageType.FLUSH is not message.type


@pytest.mark.parametrize(
    ("peer", "local", "password", "told"),
    [
        (PEER, LOCAL, "", "a password has 1 to 80 bytes, not 0"),
        (PEER, LOCAL, "é" * 41, "a password has 1 to 80 bytes, not 82"),
        (PEER, PEER, PASSWORD, "two addresses of one family are needed, not 192.0.2.2 and 192.0.2.2"),
        (PEER, "2001:db8::1", PASSWORD, "two addresses of one family are needed"),
        ("a.example", LOCAL, PASSWORD, "'a.example' does not appear to be an IPv4 or IPv6 address"),
    ],
)
def test_what_cannot_be(tcpmd5: Any, client: pf.Client, peer: str, local: str, password: str, told: str) -> None:
    with pytest.raises(pf.EncodeError) as raised:
        tcpmd5.set(peer, local, password, client=client)
    assert told in str(raised.value)
    assert not password or password not in str(raised.value)
    assert passwords(client) == {}


def test_lengths_and_objects(tcpmd5: Any, client: pf.Client) -> None:
    tcpmd5.set(ip_address(PEER), ip_address(LOCAL), "x" * 80, client=client)
    assert set(passwords(client).values()) == {b"x" * 80}
    tcpmd5.set(PEER, LOCAL, b"\1", client=client)
    assert set(passwords(client).values()) == {b"\1"}


def test_linux_has_a_socket_option_instead(tcpmd5: Any) -> None:
    with pf.Client(Loopback(spec.dialect("linux"))) as client:
        for ask in (lambda: tcpmd5.set(PEER, LOCAL, PASSWORD, client=client), lambda: tcpmd5.list(client=client)):
            with pytest.raises(pf.EncodeError, match=r"linux keeps no passwords in PF_KEY: .* TCP_MD5SIG"):
                ask()


@pytest.mark.parametrize("dialect", ["macos", "rfc2367"])
def test_systems_without(tcpmd5: Any, dialect: str) -> None:
    with pf.Client(Loopback(spec.dialect(dialect))) as client, pytest.raises(pf.EncodeError, match="freebsd, netbsd"):
        tcpmd5.delete(PEER, LOCAL, client=client)


@pytest.mark.parametrize("dialect", SYSTEMS)
def test_an_engine_takes_no_other_association_for_tcp(dialect: str) -> None:
    """Without a password, with one of 81 bytes, or with another algorithm."""
    with pf.Client(Loopback(spec.dialect(dialect))) as client:
        key = Ext.STR_AUTH if dialect == "illumos" else Ext.KEY_AUTH
        manner = MANNERS[dialect]
        good = peerings._request(client.dialect, pf.MessageType.ADD, manner, 0x1000, (LOCAL, PEER), b"good")
        without = good.replace(extensions=tuple(item for item in good.extensions if item.exttype is not key))
        long = peerings._request(client.dialect, pf.MessageType.ADD, manner, 0x1000, (LOCAL, PEER), bytes(81))
        for bad in (without, long):
            with pytest.raises(pf.ReplyError, match="EINVAL"):
                client.request(bad)
        client.request(good)


def test_netbsd_has_one_spi_for_all_of_them() -> None:
    """It looks associations for TCP up by their addresses and that SPI, so it takes no other."""
    with pf.Client(Loopback(spec.dialect("netbsd"))) as client:
        given = {"auth": "tcp-md5", "auth_key": b"secret"}
        with pytest.raises(pf.ReplyError, match="EINVAL"):
            client.add("tcpsignature", 0x1001, LOCAL, PEER, **given)
        spi = client.getspi("tcpsignature", LOCAL, PEER, 0x2000, 0x2000)
        with pytest.raises(pf.ReplyError, match="EINVAL"):
            client.update("tcpsignature", spi, LOCAL, PEER, **given)
        client.add("tcpsignature", 0x1000, LOCAL, PEER, **given)
        client.add("esp", 0x1001, LOCAL, PEER, encrypt="null", auth="null")
        assert sorted(client.dump()["spi"].tolist()) == [0x1000, 0x1001, 0x2000]


def test_no_password_in_a_log(tcpmd5: Any, client: pf.Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tcpmd5.set(PEER, LOCAL, PASSWORD, client=client)
    assert PASSWORD not in caplog.text
    assert PASSWORD not in repr(tcpmd5.list(client=client)) + repr(client.dump(keys=True))
