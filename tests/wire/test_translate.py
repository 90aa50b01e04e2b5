"""Translation: the same facts in another system's layout, and a list of those that it has no place for."""

from __future__ import annotations

from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.wire.message import MessageView

from . import golden
from .build import ADD, Builder

SYSTEMS = [name for name in DIALECTS if name != "rfc2367"]


def read(data: bytes, name: str = "linux", byteorder: Any = "little") -> MessageView:
    (message,) = pf.decode(data, name, byteorder)
    return message


@pytest.fixture
def linux(build: Builder) -> MessageView:
    return read(
        build.message(
            build.extension(1, bytes.fromhex("01020304") + build.pack("BBBBI", 32, 1, 3, 12, 1)),
            build.lifetime(3),
            build.address(5, build.sockaddr("192.0.2.1")),
            build.address(6, build.sockaddr("192.0.2.2")),
            build.key(8, 160, b"twenty bytes of key."),
            build.key(9, 128, b"sixteen  secrets"),
            build.extension(19, build.pack("BBHII", 2, 0, 0, 0, 0)),
            build.extension(20, build.pack("BBH", 2, 0, 0)),
            build.extension(21, bytes.fromhex("11940000")),
            build.extension(22, bytes.fromhex("11950000")),
            type=ADD,
        ),
        byteorder=build.byteorder,
    )


@pytest.mark.parametrize("target", ["freebsd", "netbsd"])
def test_to_kame_nothing_is_lost(linux: MessageView, target: str) -> None:
    translation = linux.translate(target)
    assert translation.dropped == ()
    again = read(translation.message.encode(), target)
    assert again == translation.message == linux
    assert (again.sa.wire.sadb_sa_replay, linux.sa.wire.sadb_sa_replay) == (4, 32)


def test_to_openbsd_mode_and_encapsulation_move(linux: MessageView) -> None:
    with pytest.raises(pf.TranslationError, match="openbsd cannot express natt-sport") as caught:
        linux.translate("openbsd")
    assert caught.value.fields == ("natt-sport",)
    translation = linux.translate("openbsd", lossy=True)
    assert translation.dropped == caught.value.fields
    again = read(translation.message.encode(), "openbsd")
    assert again.udpencap.port == 4501
    assert again.sa.flags == 0x0001 | 0x0004 | 0x0200
    assert again.wire.sadb_msg_satype == 2
    assert again.key_encrypt == linux.key_encrypt
    back = again.translate("linux").message
    assert (back.sa2.mode, back.natt_dport, back.sa) == (pf.Mode.TUNNEL, linux.natt_dport, linux.sa)


def test_to_macos_and_illumos_ports_move(linux: MessageView) -> None:
    macos = read(linux.translate("macos").message.encode(), "macos")
    assert (macos.sa.natt_src_port, macos.sa.natt_port, macos.sa.flags) == (4500, 4501, 3)
    assert macos.sa.wire.sadb_sa_auth == 2
    assert macos.translate("linux", lossy=True).message.natt_sport == linux.natt_sport
    illumos = read(linux.translate("illumos").message.encode(), "illumos")
    assert (illumos.natt_local.port, illumos.natt_remote.port) == (4500, 4501)
    assert str(illumos.natt_remote.ip) == "192.0.2.2"
    assert illumos.translate("linux").message.natt_dport == linux.natt_dport


def test_type_and_satype_are_never_dropped(build: Builder) -> None:
    message = read(build.header(2, 18, 9), byteorder=build.byteorder)
    with pytest.raises(pf.TranslationError) as caught:
        message.translate("illumos", lossy=True)
    assert caught.value.fields == ("type spddump", "satype ipcomp")


def test_errors_go_by_name(build: Builder) -> None:
    reply = read(build.header(2, 9, 3), byteorder=build.byteorder).replace(errno=97)
    assert reply.translate("freebsd").message.errno == 47


@pytest.mark.parametrize("target", SYSTEMS)
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_golden_message_is_translated_or_refused(name: str, target: str) -> None:
    """What comes out can be written, says no more than was said to be kept, and is the same within one system."""
    for item in golden.messages(name, "little"):
        message = read(bytes.fromhex(item["hex"]), name)
        try:
            translation = message.translate(target, lossy=True)
        except pf.TranslationError as error:
            refused = error.fields
        else:
            refused = ()
        if refused:
            assert name != target
            assert all(field.startswith(("type ", "satype ", "payload")) for field in refused)
            continue
        assert translation.message.dialect is dialect(target)
        again = read(translation.message.encode(byteorder="little"), target)
        assert again == translation.message
        if name == target:
            assert translation == pf.Translation(message.replace(), ())
        if translation.dropped:
            with pytest.raises(pf.TranslationError):
                message.translate(target)
