"""Many requests at once do what the same requests do one by one: same table, same answers, same order."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastpfkey.engine import installs
from fastpfkey.spec.terms import AuthAlgorithm, CompressAlgorithm, EncryptAlgorithm, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.extensions import SA, Key, Lifetime, Opaque
from fastpfkey.wire.extensions_ipsec import SA2
from fastpfkey.wire.message import MessageValue

from .world import World, ends, hard, keys, proxy, sa, soft, which, whole

PROFILES = ("linux", "rfc2367", "freebsd", "netbsd")


def encoded(world: World, *requests: tuple[Msg, SAType, tuple[object, ...]]) -> bytes:
    """Requests back to back, numbered."""
    return b"".join(
        MessageValue(
            kind, satype, seq=number, pid=4000 + number % 3, extensions=extensions, dialect=world.engine.dialect
        ).encode()  # type: ignore[arg-type]
        for number, (kind, satype, extensions) in enumerate(requests)
    )


def outcome(world: World, many: bool, data: bytes) -> tuple[object, ...]:
    """What a table and two clients look like after the requests of a buffer."""
    port, other = world.port(limit=1 << 22), world.port(2, limit=5000)
    failures = []
    if many:
        failures = [tuple(item) for item in world.engine.handle_many(port, data).failures]
    else:
        offset = number = 0
        while offset < len(data):
            size = int.from_bytes(data[offset + 4 : offset + 6], "little") * 8
            try:
                world.engine.handle(port, data[offset : offset + size])
            except OSError as error:
                failures.append((number, error.errno))
            offset += size
            number += 1
    rows = world.engine._core.store.rows[: world.engine._core.store.count].copy()
    records = [world.engine._core.store.record(slot) for slot in range(len(rows)) if rows[slot]["alive"]]
    rows = rows[rows["alive"]]
    names = [name for name in rows.dtype.names if name not in ("offset", "serial")]
    heard = (port.receive(), other.receive(), other.dropped)
    world.wait(15)
    ended = (port.receive(), len(world.engine), world.engine.next_deadline())
    return (failures, heard, records, [rows[name].tolist() for name in names], ended)


def same(profile: str, *requests: tuple[Msg, SAType, tuple[object, ...]], **knobs: object) -> tuple[object, ...]:
    """The outcome, which is the same either way."""
    results = []
    for many in (False, True):
        world = World(profile, "linux" if profile == "rfc2367" else profile, **knobs)
        results.append(outcome(world, many, encoded(world, *requests)))
    assert results[0] == results[1]
    return results[1]


def added(*extensions: object, satype: SAType = SAType.ESP) -> tuple[Msg, SAType, tuple[object, ...]]:
    """An ADD."""
    return (Msg.ADD, satype, extensions)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many associations were installed at once, each time."""
    found: list[int] = []
    install = installs._set_rows

    def counting(core: object, port: object, batch: installs.Batch, slots: object) -> None:
        found.append(len(batch.rows))
        install(core, port, batch, slots)  # type: ignore[arg-type]

    monkeypatch.setattr(installs, "_set_rows", counting)
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_alike(profile: str, counted: list[int]) -> None:
    def one(n: int) -> tuple[object, ...]:
        limits = (hard(addtime=10 + n, bytes=n), soft(addtime=n % 7, allocations=3))
        given = (sa(1000 + n), *limits, *ends(dst=f"192.0.2.{n + 1}"), *keys(bytes([n]) * 20, bytes([n]) * 16))
        return (*given, SA2(reqid=n)) if profile != "rfc2367" else given

    same(profile, *(added(*one(n)) for n in range(50)))
    assert counted == [50]


@pytest.mark.parametrize("profile", PROFILES)
def test_of_several_kinds_among_others(profile: str, counted: list[int]) -> None:
    key_auth = keys()[0]
    empty = () if profile == "rfc2367" else (Key.of(Ext.KEY_ENCRYPT, b""),)
    requests = []
    for n in range(60):
        spi = 1000 + n
        requests.append(
            [
                added(*whole(spi)),
                added(*whole(spi, src="2001:db8::1", dst="2001:db8::2")),
                added(sa(spi, encrypt=0), *ends(), key_auth, satype=SAType.AH),
                added(sa(spi, encrypt=EncryptAlgorithm.NULL), *ends(), key_auth, *empty),
                added(SA(spi, state=SAState.MATURE, encrypt=CompressAlgorithm.DEFLATE), *ends(), satype=SAType.IPCOMP),
            ][n % 5]
        )
    requests[40] = (Msg.DELETE, SAType.ESP, which(1000))
    requests[41] = (Msg.FLUSH, SAType.AH, ())
    same(profile, *requests)
    assert sum(counted) >= 35


@pytest.mark.parametrize("profile", PROFILES)
def test_with_proxies(profile: str, counted: list[int]) -> None:
    """Those of tunnels are mostly any address; others, the source itself, and what cannot be one, among them."""
    proxies = [proxy("0.0.0.0")] * 40
    proxies[10:12] = [proxy("192.0.2.9"), proxy("224.0.0.1")]
    proxies[20:] = [proxy("192.0.2.25")] * 20
    sources = [f"192.0.2.{n}" if n >= 20 else "192.0.2.200" for n in range(40)]
    ends = zip(sources, (f"192.0.2.{n + 1}" for n in range(40)), strict=True)
    same(
        profile,
        *(
            added(*whole(1000 + n, each, src=src, dst=dst))
            for n, (each, (src, dst)) in enumerate(zip(proxies, ends, strict=True))
        ),
    )
    assert sum(counted) >= 30


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_refused_in_between(profile: str, counted: list[int]) -> None:
    requests = [added(*whole(1000 + n)) for n in range(90)]
    requests[20] = added(*whole(5))
    requests[21] = added(*whole(0))
    requests[22] = added(*whole(3000, src="224.0.0.1"))
    requests[23] = added(*whole(3001, src="255.255.255.255"))
    requests[24] = added(*whole(3002, src="ff02::1", dst="ff02::2"))
    requests[25] = added(sa(3003, state=SAState.LARVAL), *ends(), *keys())
    requests[26] = added(sa(3004, flags=1), *ends(), *keys())
    requests[27] = added(*whole(3005, Opaque(200, b"....")))
    requests[28] = added(*whole(3006, hard(bytes=2**64 - 1), soft(bytes=2**64 - 1)))
    requests[29] = added(sa(3007, auth=AuthAlgorithm.unknown(99)), *ends(), *keys())
    requests[30] = added(sa(3008), *ends(), *keys(encrypt=b"e" * 15))
    requests[31] = added(*whole(3009, hard(addtime=5)))
    requests[32] = added(sa(3010, encrypt=EncryptAlgorithm.DES_CBC), *ends(), *keys(encrypt=bytes(8)))
    requests[33] = added(*whole(3011, Lifetime(Ext.LIFETIME_CURRENT, bytes=5)))
    same(profile, *requests)
    assert sum(counted) >= 70


@pytest.mark.parametrize("profile", PROFILES)
def test_identities_that_are_taken(profile: str, counted: list[int]) -> None:
    requests = [added(*whole(1000 + n % 30)) for n in range(60)]
    result = same(profile, *requests)
    assert len(result[2]) == 30  # type: ignore[arg-type]


def test_bytes_that_cannot_be_read() -> None:
    for profile in PROFILES:
        results = []
        for many in (False, True):
            world = World(profile, "linux" if profile == "rfc2367" else profile)
            data = bytearray(encoded(world, *(added(*whole(1000 + n)) for n in range(30))))
            size = len(data) // 30
            data[10 * size + 16] = 0  # an extension of no length
            data[20 * size] = 1  # a version that is not 2
            results.append(outcome(world, many, bytes(data)))
        assert results[0] == results[1]


def test_a_listener_to_everything_gets_everything() -> None:
    for profile in ("linux", "freebsd"):
        heard = []
        for many in (False, True):
            world = World(profile, profile)
            port, snoop = world.port(), world.port(2, limit=1 << 20)
            world.send(snoop, Msg.PROMISC, SAType.unknown(1))
            data = encoded(world, *(added(*whole(1000 + n)) for n in range(20)))
            if many:
                world.engine.handle_many(port, data)
            else:
                for place in range(20):
                    size = len(data) // 20
                    world.engine.handle(port, data[place * size : (place + 1) * size])
            heard.append(snoop.receive())
        assert heard[0] == heard[1]


def test_pending_requests_are_answered() -> None:
    world = World("rfc2367")
    port = world.port(limit=1 << 20)
    world.ask(port, Msg.REGISTER, SAType.ESP)
    pending = [world.engine.find_outbound(SAType.ESP, "192.0.2.1", f"192.0.2.{n + 10}") for n in range(3)]
    world.engine.handle_many(
        port, encoded(world, *(added(*whole(1000 + n, dst=f"192.0.2.{n + 8}")) for n in range(40)))
    )
    assert [item.state for item in pending] == ["done"] * 3
    assert [world.engine.obtained(item).spi for item in pending] == [1000 + item.seq for item in pending]


def test_a_port_without_the_right_adds_nothing() -> None:
    world = World("linux", authorize=lambda port, operation: operation != "modify")
    port = world.port(limit=1 << 20)
    world.engine.handle_many(port, encoded(world, *(added(*whole(1000 + n)) for n in range(20))))
    assert {message.errno for message in world.heard(port)} == {world.errno("EPERM")}
    assert len(world.engine) == 0


def test_moulds_are_forgotten_when_algorithms_go() -> None:
    world = World("linux")
    port = world.port(limit=1 << 20)
    data = encoded(world, *(added(*whole(1000 + n)) for n in range(20)))
    world.engine.handle_many(port, data)
    world.send(port, Msg.FLUSH)
    world.engine.remove_algorithm(SAType.ESP, EncryptAlgorithm.AES_CBC)
    world.engine.handle_many(port, data)
    assert len(world.engine) == 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    profile=st.sampled_from(PROFILES),
    changes=st.lists(st.tuples(st.integers(0, 39), st.integers(0, 200), st.integers(0, 255)), max_size=12),
)
def test_any_bytes(profile: str, changes: list[tuple[int, int, int]]) -> None:
    results = []
    for many in (False, True):
        world = World(profile, "linux" if profile == "rfc2367" else profile)
        data = np.frombuffer(
            bytearray(encoded(world, *(added(*whole(1000 + n, hard(addtime=9), soft(addtime=8))) for n in range(40)))),
            np.uint8,
        ).reshape(40, -1)
        for row, place, value in changes:
            if place not in (4, 5):  # the length decides where the next message is
                data[row, place % data.shape[1]] = value
        results.append(outcome(world, many, data.tobytes()))
    assert results[0] == results[1]


@pytest.mark.parametrize("profile", ["freebsd", "netbsd", "illumos"])
def test_passwords_for_tcp_that_share_an_spi(profile: str) -> None:
    """FreeBSD gives each an SPI of its own; elsewhere addresses tell them apart."""
    spi, kind = (0, Ext.STR_AUTH) if profile == "illumos" else (0x1000, Ext.KEY_AUTH)
    one = SA(spi, state=SAState.MATURE, auth=AuthAlgorithm.TCP_MD5)
    peers = [f"192.0.2.{n + 1}" for n in range(20)]
    given = [(one, *ends(src=peer, dst="192.0.2.200"), Key.of(kind, b"secret")) for peer in [*peers, peers[3]]]
    (_, _, records, columns, _) = same(profile, *(added(*item, satype=SAType.TCPSIGNATURE) for item in given))
    assert len(records) == 20  # type: ignore[arg-type]
    assert columns
