"""What RFC 2367 demands of applications, shown with a client and an engine that answers it."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

import pytest
from corpus.groundtruth import capture
from corpus.groundtruth.index import read_index
from transport.fake import EEXIST, ESRCH, FakeEndpoint, FakeEngine
from transport.test_client import DST, KEY, SRC, add
from transport.test_dump import Answers

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.session.events import EventReader
from fastpfkey.transport import probe, reading
from fastpfkey.transport.af_key.linux import LinuxEndpoint
from fastpfkey.transport.af_key.plain import PlainEndpoint
from fastpfkey.transport.endpoint import Role
from fastpfkey.transport.programs import Context
from fastpfkey.wire.dialects import codec
from fastpfkey.wire.message import Message

Type, Kind = pf.MessageType, pf.EventKind


class TestSocket:
    @pytest.mark.requirement("R-1.3-01", "R-1.3-04")
    @pytest.mark.parametrize("name", [name for name in spec.DIALECTS if name != "rfc2367"])
    def test_it_is_asked_for_by_number(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        """The family of each system, raw, PF_KEY_V2; Python has no name for the family, and none is needed."""
        monkeypatch.delattr(socket, "AF_KEY", raising=False)
        asked: list[tuple[int, ...]] = []

        def refuse(*arguments: int) -> socket.socket:
            asked.append(arguments)
            raise OSError(errno.EPROTONOSUPPORT, "refused")

        monkeypatch.setattr(probe.socket, "socket", refuse)
        with pytest.raises(pf.TransportError) as raised:
            probe.open_socket(spec.dialect(name))
        families = {"linux": 15, "freebsd": 27, "netbsd": 29, "openbsd": 30, "macos": 29, "illumos": 27}
        assert asked == [(families[name], socket.SOCK_RAW, 2)]
        assert raised.value.errno == errno.EPROTONOSUPPORT

    @pytest.mark.requirement("R-1.6-07")
    def test_a_process_has_its_own_pid_also_after_a_fork(self) -> None:
        """An endpoint from before the fork refuses to go on; one that is opened behind it has the new pid."""
        pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]

        class Pair:
            name, dialect = "pair", spec.dialect("linux")
            ends = iter([inner for inner, _ in pairs])

            def open_endpoint(self, role: Role) -> PlainEndpoint:
                return PlainEndpoint(next(self.ends))

        def flush(client: pf.Client) -> type[BaseException]:
            try:
                client.flush()
            except pf.TransportError as error:
                return type(error)
            raise AssertionError("nobody answers")

        with pf.Client.open(Pair(), timeout=0.01) as parent:
            assert flush(parent) is pf.NoReplyError
            child = os.fork()
            if not child:
                refused = flush(parent) is pf.TransportError
                with pf.Client.open(Pair(), timeout=0.01) as client:
                    os._exit(0 if refused and flush(client) is pf.NoReplyError else 1)
            assert os.waitpid(child, 0)[1] == 0
        assert [pf.decode(outer.recv(100), "linux")[0].pid for _, outer in pairs] == [os.getpid(), child]
        for pair in pairs:
            for end in pair:
                end.close()


class TestRequests:
    @pytest.mark.requirement("R-1.2-05")
    def test_get_has_what_was_negotiated_with_its_keys(self, client: Any) -> None:
        add(client, 0x2000, reqid=7)
        found = client.get("esp", 0x2000, SRC, DST)
        assert found.sa.encrypt is pf.EncryptAlgorithm.AES_CBC
        assert (found.key_encrypt.reveal(), found.sa2.reqid) == (KEY, 7)

    @pytest.mark.requirement("R-1.6-03", "R-2.1-05")
    def test_errors_by_message_alone_are_enough(self, client: Any, engine: FakeEngine) -> None:
        """This engine takes everything that is sent."""
        add(client, 0x2000)
        for number, ask in (
            (EEXIST, lambda: add(client, 0x2000)),
            (ESRCH, lambda: client.get("esp", 0x2001, SRC, DST)),
            (ESRCH, lambda: client.delete("esp", 0x2001, SRC, DST)),
        ):
            with pytest.raises(pf.ReplyError) as raised:
                ask()
            assert raised.value.errno == number

    @pytest.mark.requirement("R-1.6-04")
    def test_an_error_of_sending_ends_the_request_at_once(self, client: Any, engine: FakeEngine) -> None:
        client.timeout = None  # so that waiting for a reply would never end

        def refuse(endpoint: FakeEndpoint, request: Message) -> bool:
            raise pf.TransportError(errno.EMSGSIZE, "too long")

        engine.before = refuse
        with pytest.raises(pf.TransportError, match="too long") as raised:
            client.flush()
        assert raised.value.errno == errno.EMSGSIZE
        with pytest.raises(pf.TransportError, match="too long"):
            client.dump()

    @pytest.mark.requirement("R-2.3-07")
    def test_vendor_extensions_may_be_overlooked(self, client: Any, engine: FakeEngine) -> None:
        def overlook(endpoint: FakeEndpoint, request: Message) -> bool:
            known = [item for item in request.extensions if item.exttype < pf.ExtensionType.KMPRIVATE]
            engine.on_add(endpoint, request.replace(extensions=known))
            return True

        engine.before = overlook
        reply = add(client, 0x2000, mode="tunnel", reqid=7)
        assert (reply.sa.spi, reply.sa2) == (0x2000, None)

    @pytest.mark.requirement("R-2.3.5-01")
    def test_no_identity_is_made_up(self, client: Any, engine: FakeEngine) -> None:
        add(client, 0x2000)
        (_, sent), *_ = engine.requests
        assert (sent.identity_src, sent.identity_dst) == (None, None)
        assert [str(end.sockaddr.ip) for end in (sent.address_src, sent.address_dst)] == [SRC, DST]  # type: ignore[union-attr]

    @pytest.mark.requirement("R-5.2-03")
    def test_an_inner_source_is_the_proxy(self, client: Any, engine: FakeEngine) -> None:
        add(client, 0x2000, proxy="10.0.0.5")
        (_, sent), *_ = engine.requests
        assert str(sent.address_proxy.sockaddr.ip) == "10.0.0.5"  # type: ignore[union-attr]

    @pytest.mark.requirement("R-3.3-05")
    def test_a_soft_lifetime_needs_no_hard_one(self, client: Any, engine: FakeEngine) -> None:
        """The RFC's message has none; Linux takes both or neither, so there it is one without limits."""
        request = pf.requests.add("esp", 1, SRC, DST, soft=3600, dialect="rfc2367")
        assert (request.lifetime_hard, request.lifetime_soft.addtime) == (None, 3600)  # type: ignore[union-attr]
        add(client, 0x2000, soft=3600)
        hard, soft = engine.requests[0][1].lifetime_hard, engine.requests[0][1].lifetime_soft
        assert (hard.addtime, hard.usetime, hard.bytes, hard.allocations) == (0, 0, 0, 0)  # type: ignore[union-attr]
        assert soft.addtime == 3600  # type: ignore[union-attr]


class TestKeyManager:
    @pytest.mark.requirement("R-3.1.7-02", "R-5.1-01")
    def test_each_type_is_registered_for_by_a_message(self, client: Any, engine: FakeEngine) -> None:
        with client.monitor(["esp", "ah"], timeout=0.01):
            sent = [(request.type, request.satype) for _, request in engine.requests]
        assert sent == [(Type.REGISTER, pf.SAType.ESP), (Type.REGISTER, pf.SAType.AH)]

    @pytest.mark.requirement("R-1.5-05", "R-3.1.3-02", "R-3.1.6-04", "R-5.1-05", "R-5.1-06")
    def test_all_that_serves_an_acquire_has_its_number(self, client: Any, engine: FakeEngine) -> None:
        """Both SPIs by GETSPI, both associations by UPDATE or ADD; the ACQUIRE has pid 0, and the answers ours."""
        with client.monitor(["esp"], timeout=0.05) as monitor:
            proposal = [pf.requests.combination(encrypt="aes-cbc")]
            engine.tell(pf.requests.acquire("esp", SRC, DST, proposal, seq=77, dialect="linux"))
            (event,) = monitor
        assert (event.kind, event.message.pid) == (Kind.ACQUIRE, 0)
        engine.requests.clear()
        number = event.message.seq
        for ends in ((SRC, DST), (DST, SRC)):
            spi = client.getspi("esp", *ends, seq=number)
            engine.table.clear()
            client.add("esp", spi, *ends, encrypt="aes-cbc", encrypt_key=KEY, seq=number)
        engine.before = lambda endpoint, request: bool(engine.tell(request)) or True
        client.update("esp", spi, DST, SRC, encrypt="aes-cbc", encrypt_key=KEY, seq=number)
        assert [request.type for _, request in engine.requests] == [Type.GETSPI, Type.ADD] * 2 + [Type.UPDATE]
        assert {(request.seq, request.pid) for _, request in engine.requests} == {(77, os.getpid())}

    @pytest.mark.requirement("R-3.1.6-06")
    def test_errno_and_state_in_an_acquire_mean_nothing(self, client: Any, engine: FakeEngine) -> None:
        """What is bare and has an errno is the report of a failure; what asks for an association is not."""
        request = pf.requests.acquire("esp", SRC, DST, [], seq=77, dialect="linux")
        with client.monitor(["esp"], timeout=0.05) as monitor:
            engine.tell(request.replace(errno=110))
            engine.tell(request.replace(errno=110, extensions=()))
            assert [event.kind for event in monitor] == [Kind.ACQUIRE, Kind.ACQUIRE_FAILED]

    @pytest.mark.requirement("R-3.1.6-14", "R-5.3-02")
    def test_a_consumer_gets_what_it_waited_for(self, client: Any, engine: FakeEngine) -> None:
        """GET fails, ACQUIRE asks, the UPDATE of a key manager tells that it is there, GET has it."""
        satype = pf.SAType.OSPFV2
        ready = pf.requests.update("ah", 0x300, SRC, DST, auth="sha1-hmac", auth_key=bytes(20), dialect="linux")
        with client.monitor(timeout=0.05) as monitor:
            with pytest.raises(pf.ReplyError, match="ESRCH"):
                client.get(satype, 0x300, SRC, DST)
            engine.before = lambda endpoint, request: request.type is Type.ACQUIRE
            client.acquire(satype, SRC, DST, [pf.requests.combination(auth="sha1-hmac")])
            engine.table[satype, 0x300] = ready.replace(satype=satype)
            engine.tell(ready.replace(satype=satype, seq=3, pid=815))
            update = next(event for event in monitor if event.message.satype is satype)
            assert update.kind is Kind.UPDATED
            found = client.get(update.message.satype, update.message.sa.spi, SRC, DST)
        assert found.key_auth.reveal() == bytes(20)

    @pytest.mark.requirement("R-3.1.8-09")
    def test_an_expiry_tells_which_limit_was_hit(self) -> None:
        """The captured ones of a kernel: by bytes, and by seconds since the association was added."""
        heard, rows = capture("linux-events.bin"), read_index("linux-events.bin")
        burst = EventReader(codec(spec.dialect("linux"), "little")).read(heard, 0.0)
        found = {}
        for event, row in zip(burst, rows, strict=True):
            message = event.message
            if event.kind is Kind.SOFT_EXPIRED and message is not None:
                limit, current = message.lifetime_soft, message.lifetime_current
                assert limit is not None
                assert current is not None
                found[row.note] = ("bytes" if 0 < limit.bytes <= current.bytes else "", limit.addtime, limit.usetime)
        assert found == {
            "add with soft 1 s hard 2 s": ("", 1, 0),
            "add AH v6 soft 1 hard 2": ("", 1, 0),
            "ping x8 -> byte expiry": ("bytes", 0, 0),
            "ping x1 -> use expiry": ("", 0, 1),
        }


class TestDump:
    @pytest.mark.requirement("R-3.1.10-07")
    def test_nothing_but_listing_needs_it(self, client: Any, engine: FakeEngine) -> None:
        def without(endpoint: FakeEndpoint, request: Message) -> bool:
            if request.type not in (Type.DUMP, Type.SPDDUMP):
                return False
            engine.tell(request.replace(errno=95, extensions=()), [endpoint])
            return True

        engine.before = without
        with client.monitor(["esp"], timeout=0.01) as monitor:
            add(client, 0x2000)
            assert client.get("esp", 0x2000, SRC, DST).sa.spi == 0x2000
            client.delete("esp", 0x2000, SRC, DST)
            client.flush()
            assert len(client.algorithms("esp")) > 0
            assert [event.kind for event in monitor] == [Kind.ADDED, Kind.DELETED, Kind.REGISTERED]
        with pytest.raises(pf.ReplyError, match="EOPNOTSUPP"):
            client.dump()

    @pytest.mark.requirement("R-5.4-02")
    def test_it_is_read_without_a_pause(self) -> None:
        """As long as messages are there, a dump neither waits nor does anything else."""
        program = reading.dump(Context(Answers("linux", synthetic(20_000).tobytes()), None))
        with pytest.raises(StopIteration) as raised:
            next(program)
        assert len(raised.value.value) == 20_000


FORBIDDEN = ("bind", "connect", "connect_ex", "listen", "accept", "getsockname", "getpeername")


class OnlyPFKey(socket.socket):
    """A socket that refuses every call that means nothing to PF_KEY."""


def _refuses(name: str) -> Any:
    def call(self: OnlyPFKey, *arguments: object) -> None:
        raise AssertionError(f"{name} is not for PF_KEY sockets")

    return call


for _name in FORBIDDEN:
    setattr(OnlyPFKey, _name, _refuses(_name))


@pytest.mark.requirement("R-1.4-07")
@pytest.mark.parametrize("kind", ["plain", "linux"])
def test_no_call_that_pf_key_sockets_do_not_have(kind: str) -> None:
    inner, outer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    strict = OnlyPFKey(fileno=inner.detach())
    with pytest.raises(AssertionError, match="not for PF_KEY"):
        strict.getsockname()
    endpoint = PlainEndpoint(strict) if kind == "plain" else LinuxEndpoint(strict, Role.REQUESTS)
    request = pf.requests.flush("esp", dialect="linux").encode()
    endpoint.send(request)
    assert endpoint.send_many(request * 2, [0, len(request)]) == 2
    assert [outer.recv(64) for _ in range(3)] == [request] * 3
    outer.send(request)
    buffer = bytearray(1 << 20)
    assert bytes(buffer[: endpoint.receive(buffer, 5)]) == request
    endpoint.close()
    outer.close()
