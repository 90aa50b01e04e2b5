"""Which endpoint a system and a role get, how much room it has, and what an error asks for."""

from __future__ import annotations

import errno
import socket
from typing import Any

import pytest

from fastpfkey import spec
from fastpfkey.errors import PFKeyError, TransportError
from fastpfkey.transport import probe
from fastpfkey.transport.af_key import opening
from fastpfkey.transport.af_key.countdown import CountDownEndpoint, Room
from fastpfkey.transport.af_key.plain import PlainEndpoint
from fastpfkey.transport.answering import AnsweringEndpoint
from fastpfkey.transport.endpoint import Role


class Fake(socket.socket):
    """A socket of some system: what it was told, and the largest buffer that it may have."""

    def __init__(self, most: int = 1 << 30, forced: bool = True, twice: int = 2) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.most, self.forced, self.twice = most, forced, twice
        self.room = 8192
        self.told: list[tuple[int, int]] = []

    def setsockopt(self, level: int, option: int, value: Any) -> None:  # type: ignore[override]
        self.told.append((option, value))
        if option == opening.SO_RCVBUFFORCE and not self.forced:
            raise PermissionError(errno.EPERM, "Operation not permitted")
        if option in (socket.SO_RCVBUF, opening.SO_RCVBUFFORCE):
            if value > self.most:
                raise OSError(errno.ENOBUFS, "No buffer space available")
            self.room = value * self.twice

    def getsockopt(self, level: int, option: int) -> int:  # type: ignore[override]
        assert option == socket.SO_RCVBUF
        return self.room


def opened(monkeypatch: pytest.MonkeyPatch, system: str, role: Role, fake: Fake, dumps: Room | None = None) -> Any:
    monkeypatch.setattr(opening, "open_socket", lambda dialect: fake)
    return opening.open_endpoint(spec.dialect(system), role, dumps or Room(0))


class TestKinds:
    @pytest.mark.parametrize("role", Role)
    def test_linux_is_read_in_batches(self, monkeypatch: pytest.MonkeyPatch, role: Role) -> None:
        fake = Fake()
        endpoint = opened(monkeypatch, "linux", role, fake)
        assert type(endpoint).__name__ == "LinuxEndpoint"
        assert fake.told == [(opening.SO_RCVBUFFORCE, opening.ROOM[role])]
        endpoint.close()

    @pytest.mark.parametrize("system", ["freebsd", "netbsd", "macos"])
    def test_dumps_that_count_down(self, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
        fake = Fake(twice=1)
        endpoint = opened(monkeypatch, system, Role.DUMPS, fake, Room(5 << 20))
        assert type(endpoint) is CountDownEndpoint
        assert fake.told[0] == (socket.SO_RCVBUF, 5 << 20)
        endpoint.close()

    @pytest.mark.parametrize("system", ["freebsd", "netbsd", "macos", "openbsd", "illumos"])
    def test_all_else_message_by_message(self, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
        fake = Fake(twice=1)
        endpoint = opened(monkeypatch, system, Role.EVENTS, fake)
        assert type(endpoint) is PlainEndpoint
        assert dict(fake.told).get(opening.SO_RERROR.get(system, -1)) == (1 if system in opening.SO_RERROR else None)
        endpoint.close()

    def test_openbsd_needs_no_socket_to_dump(self, monkeypatch: pytest.MonkeyPatch) -> None:
        endpoint = opening.open_endpoint(spec.dialect("openbsd"), Role.DUMPS, Room(0))
        assert type(endpoint) is AnsweringEndpoint
        endpoint.close()


class TestRoom:
    def test_linux_gives_less_to_who_may_not_force_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fake = Fake(forced=False)
        opened(monkeypatch, "linux", Role.DUMPS, fake).close()
        assert fake.told == [(opening.SO_RCVBUFFORCE, 1 << 20), (socket.SO_RCVBUF, 1 << 20)]
        assert fake.room == 2 << 20

    def test_elsewhere_it_is_halved_until_the_system_has_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fake = Fake(most=300_000, twice=1)
        opened(monkeypatch, "freebsd", Role.DUMPS, fake).close()
        assert fake.room == 1 << 18

    def test_too_little_is_an_error_and_closes_the_socket(self, monkeypatch: pytest.MonkeyPatch) -> None:
        fake = Fake(most=1000)
        with pytest.raises(TransportError, match="room for 8192 bytes only"):
            opened(monkeypatch, "freebsd", Role.DUMPS, fake)
        assert fake.fileno() == -1


class TestHints:
    @pytest.mark.parametrize(
        ("system", "number", "words"),
        [
            ("linux", errno.EAFNOSUPPORT, ["modprobe af_key", "CONFIG_NET_KEY", "container"]),
            ("linux", errno.EPERM, ["root", "CAP_NET_ADMIN", "--cap-add NET_ADMIN", "network namespace"]),
            ("freebsd", errno.EPROTONOSUPPORT, ["kldload ipsec"]),
            ("netbsd", errno.EAFNOSUPPORT, ["options IPSEC"]),
            ("openbsd", errno.EACCES, ["root"]),
            ("illumos", errno.EPROTONOSUPPORT, ["no PF_KEY"]),
            ("macos", errno.EMFILE, ["Too many open files"]),
        ],
    )
    def test_what_would_have_to_change(
        self, monkeypatch: pytest.MonkeyPatch, system: str, number: int, words: list[str]
    ) -> None:
        def refuse(*arguments: int) -> None:
            assert arguments == (spec.dialect(system).family, socket.SOCK_RAW, 2)
            raise OSError(number, "refused")

        monkeypatch.setattr(socket, "socket", refuse)
        with pytest.raises(TransportError) as caught:
            probe.open_socket(spec.dialect(system))
        assert caught.value.errno == number
        assert isinstance(caught.value, PFKeyError)
        assert [word for word in words if word not in str(caught.value)] == []
