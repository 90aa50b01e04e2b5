"""One recognisable key through everything that shows something: it is in no repr, text, error, log, row or export."""

from __future__ import annotations

import base64
import logging
import pickle
import traceback
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.cli.app import cli
from fastpfkey.cli.setkeying import main as setkey
from fastpfkey.engine.framing import SECRETS
from fastpfkey.interop import files
from fastpfkey.spec import DIALECTS
from fastpfkey.transport.loopback import Loopback

SRC, DST = "192.0.2.1", "192.0.2.2"
ENCRYPT = b"Zq7wX2vK\xfe\xa7\x01\x99JhTn"
AUTH = b"\xf0yB4m\xe1Dd9\x8cGsVpQ3r\xccUk"
SECRET = {"auth": "sha1-hmac", "auth_key": AUTH, "encrypt": "aes-cbc", "encrypt_key": ENCRYPT}


def forms(key: bytes) -> Iterator[tuple[str, bytes]]:
    """How a key may look, half of it being enough: as it is, as Python and C print it, in digits, in base 64."""
    for half in (key[:8], key[8:16]):
        yield "raw", half
        yield "repr", repr(half)[2:-1].encode()
        yield "escaped", half.decode("latin-1").encode("unicode_escape")
        yield "utf-8", half.decode("latin-1").encode()
        digits = half.hex()
        yield "hex", digits.encode()
        yield "words of setkey", f"{digits[:8]} {digits[8:]}".encode()
        yield "bytes", half.hex(" ").encode()
        yield "colons", half.hex(":").encode()
        yield "numbers", ", ".join(map(str, half)).encode()
        yield "a number", str(int.from_bytes(half, "big")).encode()
        yield "a little number", str(int.from_bytes(half, "little")).encode()
        for lead in range(3):
            text = base64.b64encode(bytes(lead) + half)[4 if lead else 0 :].rstrip(b"=")[:-1]
            yield "base 64", text
            yield "base 64 of URLs", text.replace(b"+", b"-").replace(b"/", b"_")


FORMS = [found for key in (ENCRYPT, AUTH) for found in forms(key)]


def hidden(what: str, shown: object) -> None:
    """Check that what is shown has no form of a key in it."""
    data = shown if isinstance(shown, bytes) else str(shown).encode("utf-8", "surrogatepass")
    lower = data.lower()
    for name, form in FORMS:
        found = form in data if "base" in name or name in ("raw", "repr", "escaped", "utf-8") else form in lower
        assert not found, f"{what} shows a key: {name}"


def added(dialect: str = "linux", **more: object) -> pf.Message:
    """An ADD with the keys."""
    return requests.add("esp", 0x1000, SRC, DST, dialect=dialect, **SECRET, **more)  # type: ignore[arg-type]


def dumped(dialect: str = "linux") -> bytes:
    """A dump of the association."""
    return added(dialect).replace(type=pf.MessageType.DUMP).encode()


def test_the_forms_are_found() -> None:
    for shown in (
        ENCRYPT,
        repr(ENCRYPT),
        ENCRYPT.hex(),
        ENCRYPT.hex(":").upper(),
        base64.b64encode(b"x" + ENCRYPT),
        list(AUTH),
    ):
        with pytest.raises(AssertionError, match="shows a key"):
            hidden("a test", shown)


@pytest.mark.requirement("R-6-02")
@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name != "rfc2367"])
def test_values(dialect: str) -> None:
    message = added(dialect)
    batch = pf.decode(dumped(dialect), dialect)
    view = batch[0]
    table = pf.SATable.from_buffer(dumped(dialect), dialect, keys=True)
    for item in (message, batch, view, *message.extensions, *view.extensions, table, view.key_auth, view.key_encrypt):
        for show in (repr, str, format, lambda it: repr([it]), lambda it: f"{it!r:>200}"):
            hidden(f"{type(item).__name__}", show(item))
    for name in dir(view):
        if not name.startswith("_") and name not in ("raw", "encode", "wire"):
            hidden(f"the message's {name}", repr(getattr(view, name)))
    hidden("to_dict", message.to_dict())
    hidden("to_dict", view.to_dict())
    for name in dir(table):
        if not name.startswith("_") and name not in ("buffer", "key_bytes"):
            hidden(f"the table's {name}", repr(getattr(table, name)))
    hidden("rows", list(table.rows()))
    hidden("Arrow", table.to_arrow().to_pydict())
    hidden("check", list(pf.check(view, dialect=dialect)))
    hidden(
        "the difference", [pf.diff(table, table), *map(repr, (pf.diff(table, table[:0]), pf.diff(table[:0], table)))]
    )


@pytest.mark.parametrize("item", [pf.decode(dumped(), "linux")[0].key_auth, added().key_encrypt])
def test_keys_are_not_pickled(item: object) -> None:
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(item)


def failing() -> Iterator[Callable[[], object]]:
    """What fails with a key in its hands."""
    wire = dumped()
    bad = {
        "short": lambda: added(lifetime=1),
        "hex": lambda: requests.add(
            "esp", 1, SRC, DST, dialect="linux", encrypt="aes-cbc", encrypt_key=ENCRYPT.hex() + "zz"
        ),
        "text": lambda: requests.add(
            "esp", 1, SRC, DST, dialect="linux", encrypt="aes-cbc", encrypt_key=ENCRYPT.decode("latin-1")
        ),
        "list": lambda: requests.add("esp", 1, SRC, DST, dialect="linux", encrypt="aes-cbc", encrypt_key=list(ENCRYPT)),
        "length": lambda: requests.add(
            "esp", 1, SRC, DST, dialect="linux", encrypt="aes-cbc", encrypt_key=ENCRYPT[:15]
        ),
        "no algorithm": lambda: requests.add("esp", 1, SRC, DST, dialect="linux", encrypt_key=ENCRYPT),
        "the key as algorithm": lambda: requests.add("esp", 1, SRC, DST, dialect="linux", encrypt=ENCRYPT.hex()),
        "the key as address": lambda: requests.add("esp", 1, ENCRYPT.hex(), DST, dialect="linux", **SECRET),
        "translation": lambda: pf.decode(wire, "linux")[0].translate("rfc2367"),
        "encode": lambda: added("linux").replace(dialect="rfc2367").encode(),
        "unknown": lambda: pf.decode(wire, "linux")[0].no_such_thing,
    }
    yield from bad.values()
    for cut in (*range(16, len(wire), 7), len(wire) - 1):
        yield lambda cut=cut: pf.SATable.from_buffer(wire[:cut], "linux")
        yield lambda cut=cut: [view.extensions for view in pf.decode(wire[:cut], "linux")]
    for place in range(4, len(wire), 3):
        changed = bytearray(wire)
        changed[place] ^= 0xFF
        yield lambda changed=changed: [list(pf.check(view)) for view in pf.decode(changed, "linux") if view.extensions]


def test_errors_of_whatever_is_given() -> None:
    count = 0
    for call in failing():
        try:
            shown: object = call()
        except (pf.PFKeyError, AttributeError, TypeError) as error:
            count += 1
            shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.args)
        if not isinstance(shown, bytes | pf.Message):
            hidden("an error", shown)
    assert count > 40


def test_engines_and_their_answers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        engine = pf.Engine("linux")
        port, other = engine.connect(1), engine.connect(2)
        engine.handle(port, added(pid=1).encode())
        for item in (engine, port, engine.find_inbound(pf.SAType.ESP, DST, 0x1000), engine.profile):
            hidden(type(item).__name__, repr(item))
        hidden("what others hear", other.receive())
        port.receive()
        engine.handle(port, added(pid=1).encode())
        hidden("the error", port.receive())
        with pf.Client(Loopback(pf.Engine("linux").dialect)) as client:
            hidden("an answer", repr(client.request(added())))
            with pytest.raises(pf.ReplyError) as refused:
                client.request(added())
            hidden("a refusal", "".join(traceback.format_exception(refused.value)) + repr(refused.value.__dict__))
            table = client.dump()
            hidden("a dump", [table, client, repr(table.rows()), client.get("esp", 0x1000, SRC, DST)])
    hidden("a log", caplog.text)
    hidden("a warning", [str(item.message) for item in warned])


def test_events() -> None:
    source = Loopback(pf.Engine("linux").dialect)
    with pf.Client(source) as one, pf.Client(source) as other, other.monitor(timeout=1) as monitor:
        bursts = iter(monitor.bursts())
        one.request(added())
        burst = next(bursts)
        assert len(burst) == 1
        hidden("a burst", [burst, burst.batch, monitor])
        for event in burst:
            hidden("an event", [event, event.message, repr(getattr(event, "__dict__", ""))])


def test_plans_and_what_was_done() -> None:
    with pf.Client(Loopback(pf.Engine("linux").dialect)) as live:
        live.add("esp", 0x1000, SRC, DST, encrypt="null", auth="sha1-hmac", auth_key=bytes(20))
        wanted = pf.SATable.from_buffer(dumped(), "linux", keys=True)
        plan = pf.plan(live.dump(keys=True), wanted)
        applied = live.apply(plan)
        assert applied.complete
        assert [key for key in live.dump(keys=True).key_bytes("auth") if key] == [AUTH]
        steps = list(plan.steps())
        assert steps
        hidden("a plan", [plan, list(plan.rows()), steps, plan.associations, applied, applied.steps])


@pytest.mark.parametrize("dialect", ["freebsd", "openbsd", "illumos"])
def test_passwords(dialect: str) -> None:
    secret = ENCRYPT.hex()[:24].encode()
    with pf.Client.open("engine", dialect=dialect) as client:
        pf.tcpmd5.set(DST, SRC, secret, client=client)
        shown = [pf.tcpmd5.list(client=client), client.dump("tcpsignature"), list(client.dump("tcpsignature").rows())]
        assert secret.decode() not in repr(shown)
        assert secret.hex() not in repr(shown)
        for wrong in (secret * 5, secret + "é".encode() * 40):
            with pytest.raises(pf.EncodeError) as refused:
                pf.tcpmd5.set(DST, SRC, wrong, client=client)
            assert secret.decode() not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("dialect", ["rfc2367", "freebsd", "openbsd", "netbsd"])
def test_what_promiscuous_sockets_see(dialect: str) -> None:
    """Requests of others, answers, and what is wrapped for somebody else, however long it is."""
    engine = pf.Engine(dialect, "rfc2367")
    sender, watcher = engine.connect(1), engine.connect(2)
    engine.handle(watcher, requests.promisc(True, pid=2, dialect=dialect).encode())
    watcher.receive()
    satype = "ah"
    request = requests.add(satype, 1000, SRC, DST, auth="sha1-hmac", auth_key=AUTH, pid=1, dialect=dialect).encode()
    engine.handle(sender, request)
    hidden("a copy", watcher.receive())
    for padding in (0, 8192):
        inner = request + bytes(padding)
        head = bytearray(requests.promisc(False, pid=1, seq=1, dialect=dialect).encode())
        head[4:6] = ((16 + len(inner)) // 8).to_bytes(2, "little")
        engine.handle(sender, bytes(head) + inner)
        assert AUTH in sender.receive()
        hidden("a wrapped message", watcher.receive())


def test_every_secret_extension_is_kept_from_others() -> None:
    names = {item.name for item in SECRETS}
    assert {"KEY_AUTH", "KEY_ENCRYPT", "STR_AUTH", "KMPRIVATE", "LOCAL_AUTH", "REMOTE_AUTH"} <= names


class TestCommands:
    @pytest.fixture
    def capture(self, tmp_path: Path) -> Path:
        path = tmp_path / "sad.bin"
        path.write_bytes(dumped())
        return path

    @pytest.mark.parametrize(
        "arguments",
        [
            ["decode"],
            ["decode", "--format", "jsonl"],
            ["decode", "--columns", "spi,src,dst"],
            *(["dump", "--format", name] for name in ("text", "json", "jsonl", "csv")),
            ["stats"],
            ["stats", "--format", "json"],
        ],
    )
    def test_they_print_none(self, capture: Path, arguments: list[str]) -> None:
        command, *rest = arguments
        done = CliRunner().invoke(cli, [command, "--dialect", "linux", *rest, str(capture)])
        assert done.exit_code in (0, 2), done.output
        hidden(" ".join(arguments), done.output_bytes if hasattr(done, "output_bytes") else done.output)

    @pytest.mark.parametrize("name", ["arrow", "parquet"])
    def test_they_write_none(self, capture: Path, tmp_path: Path, name: str) -> None:
        out = tmp_path / "out"
        done = CliRunner().invoke(cli, ["dump", "--dialect", "linux", "--format", name, "-o", str(out), str(capture)])
        assert done.exit_code == 0, done.output
        hidden(name, out.read_bytes())

    def test_differences(self, capture: Path, tmp_path: Path) -> None:
        other = tmp_path / "other.bin"
        other.write_bytes(
            requests.add(
                "esp",
                0x1000,
                SRC,
                DST,
                dialect="linux",
                auth="sha1-hmac",
                auth_key=bytes(20),
                encrypt="aes-cbc",
                encrypt_key=bytes(16),
            )
            .replace(type=pf.MessageType.DUMP)
            .encode()
        )
        for more in ([], ["--format", "json"], ["--format", "csv"]):
            done = CliRunner().invoke(cli, ["diff", "--dialect", "linux", *more, str(other), str(capture)])
            hidden("diff", done.output)

    def test_setkey_with_redact(self, capture: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        for arguments in (["-D"], ["-x"], ["-DP"], ["-l", "-x"]):
            setkey([*arguments, "--redact", "--dialect", "linux", "--source", str(capture)])
        hidden("setkey", b"".join(capfdbinary.readouterr()))

    def test_what_is_wrong_with_input(self, capture: Path) -> None:
        wire = capture.read_bytes()
        for cut in range(100, len(wire), 9):
            capture.write_bytes(wire[:cut])
            for command in (["decode"], ["dump", "--format", "csv"], ["--json", "dump"]):
                done = CliRunner().invoke(cli, [*command, "--dialect", "linux", str(capture)])
                hidden("an error", done.output)

    def test_a_script_that_does_not_load(self, tmp_path: Path) -> None:
        script = tmp_path / "script"
        for rest in (
            f"-E aes-cbc 0x{ENCRYPT.hex()} {AUTH.hex()}",
            f"-E aes-cbc {ENCRYPT.hex()}",
            f"-E {ENCRYPT.hex()}",
            f"-E aes-cbc 0x{ENCRYPT.hex()[2:]}",
        ):
            script.write_text(f"add {SRC} {DST} esp 0x1000 {rest};\n")
            for command in (
                ["load", "--source", "engine"],
                ["diff", "engine"],
                ["apply", "--check", "--source", "engine"],
            ):
                hidden("load", CliRunner().invoke(cli, [*command, str(script)]).output)


def test_files_of_tables(tmp_path: Path) -> None:
    table = pf.SATable.from_buffer(dumped(), "linux")
    files.write_parquet(table, tmp_path / "table.parquet")
    hidden("Parquet", (tmp_path / "table.parquet").read_bytes())
