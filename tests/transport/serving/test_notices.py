"""What a server tells clients beside PF_KEY: errors that a kernel would tell in send, and losses."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

import fastpfkey as pf
from fastpfkey.engine.engine import Engine
from fastpfkey.errors import OverrunError, TransportError
from fastpfkey.transport import notices
from fastpfkey.transport.endpoint import ROOM
from fastpfkey.transport.unix import UnixEndpoint

from .support import Start, add, received


class TestNotices:
    def test_what_a_kernel_would_refuse_in_send(self, start: Start, path: Path) -> None:
        start()
        endpoint = UnixEndpoint(path)
        endpoint.send(add(0x3000)[:-8])
        with pytest.raises(TransportError) as refused:
            endpoint.receive(bytearray(ROOM), 5)
        assert refused.value.errno == 90
        endpoint.send(add(0x3000))
        assert received(endpoint)[0].errno == 0
        endpoint.close()

    def test_a_type_that_there_is_not_between_good_messages(self, start: Start, path: Path) -> None:
        start()
        endpoint = UnixEndpoint(path)
        strange = bytearray(add(0x3001))
        strange[1] = 255
        messages = [add(0x3000, seq=1), bytes(strange), add(0x3002, seq=2)]
        size = len(strange)
        assert endpoint.send_many(b"".join(messages), range(0, 3 * size, size)) == 3
        refusals: list[int | None] = []
        answers: list[pf.Message] = []
        while len(answers) < 2 or not refusals:
            try:
                answers += received(endpoint)
            except TransportError as refused:
                refusals.append(refused.errno)
        assert [(answer.seq, answer.errno) for answer in answers] == [(1, 0), (2, 0)]
        assert refusals == [22]
        endpoint.close()

    def test_a_client_that_knows_no_notices_gets_pf_key(self, start: Start, path: Path) -> None:
        start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as plain:
            plain.settimeout(5)
            plain.connect(str(path))
            plain.send(add(0x3000)[:-8])
            (answer,) = pf.decode(plain.recv(ROOM), "linux")
            assert (answer.type, answer.errno, answer.extensions) == (pf.MessageType.ADD, 90, ())

    def test_a_client_that_does_not_read_is_told_what_it_lost(self, start: Start, path: Path) -> None:
        """R-1.5-4 leaves messages unreliable; that they were lost is no secret here."""
        engine = Engine("linux", queue_limit=4096)
        start(engine)
        idle, busy = UnixEndpoint(path), UnixEndpoint(path)
        for number in range(800):
            busy.send(add(0x4000 + number))
            received(busy)
        heard = 0
        told = ""
        while not told:
            buffer = bytearray(4 * ROOM)
            try:
                heard += len(pf.decode(bytes(buffer[: idle.receive(buffer, 5)]), "linux"))
            except OverrunError as overrun:
                told = str(overrun)
        assert 0 < heard < 800
        assert f"dropped {800 - heard} messages" in told
        idle.close()
        busy.close()

    def test_words(self) -> None:
        assert notices.unpack(notices.pack("lost", 12)) == ("lost", "12")
        assert notices.unpack(add(1)) is None
        assert notices.unpack(b"") is None
        assert notices.Notice("lost", "many").number == 0
