"""Running scripts: what is sent, and what is said about the answers, in setkey's words."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.engine.engine import Engine as KeyEngine
from fastpfkey.errors import ReplyError
from fastpfkey.session.refusal import refusal
from fastpfkey.setkey.debug import debug_text
from fastpfkey.setkey.look import Look
from fastpfkey.setkey.rules import Rules
from fastpfkey.setkey.running import Runner, Told
from fastpfkey.setkey.script import script
from fastpfkey.setkey.words import FREEBSD, IPSEC_TOOLS, Variant

from .support import capture

PID = 77


class Answering:
    """A key engine in this process, asked one thing at a time."""

    def __init__(self, dialect: str = "linux") -> None:
        self.dialect = spec.dialect(dialect)
        self.pid = PID
        self.engine = KeyEngine(dialect)
        self.port = self.engine.connect(pid=PID)
        self.sent: list[str] = []

    def exchange(self, message: pf.Message) -> bytes:
        self.sent.append(message.type.name)
        self.engine.handle(self.port, message.replace(seq=len(self.sent), pid=PID).encode())
        return bytes(self.port.receive(1 << 24))

    def request(self, message: pf.Message) -> pf.Message:
        reply = next(view for view in pf.decode(self.exchange(message), self.dialect) if view.pid == PID)
        if reply.errno:
            raise refusal(self.dialect, message.type, reply.errno, reply.seq)
        return reply

    def dump(self, message: pf.Message) -> Iterator[bytes]:
        found = self.exchange(message)
        if not pf.decode(found, self.dialect)[0].errno:
            yield found


class Desk:
    """Runs scripts and keeps what was printed."""

    def __init__(self, engine: Any, variant: Variant = IPSEC_TOOLS, **told: Any) -> None:
        self.engine = engine
        self.variant = variant
        self.out = bytearray()
        self.complaints: list[str] = []
        self.look = Look(variant, now=1_800_000_000)
        self.told = Told(self.out.extend, self.complaints.append, **told)

    def run(self, text: str) -> str:
        self.out.clear()
        rules = Rules(self.engine.dialect, self.variant)
        Runner(self.engine, self.look, self.told).run(script(text, rules))
        return self.out.decode()


ADD = "add 192.0.2.1 192.0.2.2 esp {} -u 9 -E aes-cbc 0x000102030405060708090a0b0c0d0e0f;"


class TestOneEngine:
    def test_associations_come_and_go(self) -> None:
        desk = Desk(Answering())
        assert desk.run("dump;") == "No SAD entries.\n"
        assert desk.run(ADD.format(256) + ADD.format(257)) == ""
        text = desk.run("dump esp;")
        assert text.count("192.0.2.1 192.0.2.2 \n\tesp mode=transport spi=") == 2
        assert "\tE: aes-cbc  00010203 04050607 08090a0b 0c0d0e0f\n" in text
        (block,) = [part for part in text.split("192.0.2.1 192.0.2.2 \n") if "spi=256(" in part]
        got = desk.run("get 192.0.2.1 192.0.2.2 esp 256;")
        assert got.splitlines()[1:5] == block.splitlines()[:4]
        assert desk.run("delete 192.0.2.1 192.0.2.2 esp 256; get 192.0.2.1 192.0.2.2 esp 256;") == "No such process.\n"
        assert desk.run("flush; dump;") == "No SAD entries.\n"

    def test_deleteall_asks_first(self) -> None:
        engine = Answering()
        desk = Desk(engine)
        desk.run(ADD.format(256) + ADD.format(257) + ADD.format(258).replace("192.0.2.2", "192.0.2.3"))
        engine.sent.clear()
        assert desk.run("deleteall 192.0.2.1 192.0.2.2 esp;") == ""
        assert engine.sent == ["DUMP", "DELETE", "DELETE"]
        assert desk.run("dump;").count("192.0.2.1 192.0.2.3 \n") == 1

    def test_a_refusal_is_told_and_the_next_statement_runs(self) -> None:
        desk = Desk(Answering())
        text = desk.run(ADD.format(256) + ADD.format(256) + ADD.format(257) + "dump;")
        assert text.startswith("File exists.\n192.0.2.1")
        assert text.count("\tesp ") == 2


class Refusing:
    """Answers everything with one error."""

    def __init__(self, errno: str) -> None:
        self.dialect = spec.dialect("linux")
        self.errno = self.dialect.errnos[errno]

    def request(self, message: pf.Message) -> pf.Message:
        raise refusal(self.dialect, message.type, self.errno, 1)

    def dump(self, message: pf.Message) -> Iterator[bytes]:
        raise refusal(self.dialect, message.type, self.errno, 1)
        yield b""


TEXTS = {
    "delete 1.1.1.1 2.2.2.2 esp 256;": "No entry",
    "get 1.1.1.1 2.2.2.2 esp 256;": "No entry",
    "spddelete 1.1.1.1 2.2.2.2 any -P out;": "No entry",
    "dump;": "No SAD entries",
    "spddump;": "No SPD entries",
    "flush;": "No such file or directory",
}


@pytest.mark.parametrize("line", TEXTS)
def test_what_is_said_where_there_is_nothing(line: str) -> None:
    text = TEXTS[line]
    plain = Desk(Refusing("ENOENT"))
    assert plain.run(line) == f"{text}.\n"
    in_file = Desk(Refusing("ENOENT"), file="a.conf", script=True)
    assert in_file.run("\n" + line) == ""
    assert in_file.complaints == [f"a.conf,2: {text}"]
    freebsd = Desk(Refusing("ENOENT"), FREEBSD, script=True)
    assert freebsd.run("\n" + line) == f"The result of line 2: {text}.\n"


def test_warnings_are_told_with_their_line() -> None:
    desk = Desk(Answering(), file="a.conf", script=True)
    desk.run("\nadd 1.1.1.1 2.2.2.2 esp 300 -E simple;")
    assert desk.complaints[0] == "a.conf,2: WARNING: obsolete algorithm at `simple'"


def test_messages_are_shown_on_request() -> None:
    desk = Desk(Answering(), verbose=True, hexadecimal=True)
    text = desk.run(ADD.format(256))
    assert text.startswith("00000000: 02 03 00 03 ")
    assert "sadb_key{ bits=128 reserved=0\n  key= 00010203 04050607 08090a0b 0c0d0e0f }\n" in text
    assert "sadb_sa{ spi=256 replay=0 state=0\n  auth=0 encrypt=12 flags=0x00000040 }\n" in text
    assert "sadb_address{ proto=255 prefixlen=32 reserved=0x0000 }\n" in text
    assert "sockaddr{ len=16 family=2 port=0\n c0000201  }\n" in text
    assert "sadb_x_sa2{ mode=0 reqid=9\n  reserved1=0 reserved2=0 sequence=0 }\n" in text
    assert text.count("sadb_msg{ version=2 type=3 errno=0 satype=3\n") == 2
    (sent, _) = re.findall(r"^  len=\d+ reserved=0 seq=(\d+) pid=(\d+) }$", text, re.MULTILINE)
    assert sent == ("0", str(PID))
    assert text.splitlines()[0].split(": ")[1].split()[12:] == [
        f"{octet:02x}" for octet in PID.to_bytes(4, sys.byteorder)
    ]


def test_policies_are_shown_structure_by_structure() -> None:
    text = debug_text(pf.decode(capture("linux-policies.bin"), "linux")[2])
    assert "sadb_x_policy{ type=2 dir=2 id=151 priority=1234 }\n" in text
    assert " { len=48 proto=50 mode=2 level=3 reqid=66\nsockaddr{ len=16 family=2 port=0\n 0a020001  }\n" in text


def test_errors_are_what_engines_raise() -> None:
    with pytest.raises(ReplyError):
        Refusing("EINVAL").request(pf.requests.flush(dialect="linux"))
