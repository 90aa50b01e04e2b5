"""Views: the header, extensions on demand, untranslated numbers, equality, and detached messages."""

from __future__ import annotations

import dataclasses

import pytest
from corpus.groundtruth import capture
from corpus.groundtruth.index import read_index

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.wire.extensions import SA, Key, Lifetime, Opaque
from fastpfkey.wire.message import Message, MessageValue, MessageView
from fastpfkey.wire.value import Secret

from .build import ADD, ESP, Builder

Ext = pf.ExtensionType


def view(build: Builder, *extensions: bytes, type: int = ADD, satype: int = ESP) -> MessageView:
    (message,) = pf.decode(build.message(*extensions, type=type, satype=satype), "linux", build.byteorder)
    return message


class TestHeader:
    def test_every_field(self, build: Builder) -> None:
        """R-2.1-01, R-2.1-14."""
        raw = build.pack("BBBBHHII", 2, 9, 3, 9, 2, 0xFEDC, 0xFFFFFFFF, 0x80000001)
        (message,) = pf.decode(raw, "linux", build.byteorder)
        assert message.type is pf.MessageType.FLUSH
        assert message.satype is pf.SAType.IPCOMP
        told = (message.version, message.errno, message.reserved, message.seq, message.pid)
        assert told == (2, 3, 0xFEDC, 0xFFFFFFFF, 0x80000001)
        assert (message.length, message.offset, message.raw) == (16, 0, raw)
        assert message.extensions == ()

    def test_wire_has_the_c_names(self, build: Builder) -> None:
        raw = build.pack("BBBBHHII", 2, 9, 3, 9, 2, 0xFEDC, 5, 6)
        (message,) = pf.decode(raw, "linux", build.byteorder)
        assert vars(message.wire) == {
            "sadb_msg_version": 2,
            "sadb_msg_type": 9,
            "sadb_msg_errno": 3,
            "sadb_msg_satype": 9,
            "sadb_msg_len": 2,
            "sadb_msg_reserved": 0xFEDC,
            "sadb_msg_seq": 5,
            "sadb_msg_pid": 6,
        }

    def test_numbers_mean_what_they_mean_to_the_dialect(self) -> None:
        """ESP is 2 on OpenBSD, and message 14 another one."""
        raw = Builder().message(type=14, satype=2)
        (linux,), (openbsd,) = pf.decode(raw, "linux", "little"), pf.decode(raw, "openbsd", "little")
        assert (linux.type, linux.satype) == (pf.MessageType.SPDADD, pf.SAType.AH)
        assert (openbsd.type, openbsd.satype) == (pf.MessageType.GRPSPIS, pf.SAType.ESP)
        assert linux.wire == openbsd.wire

    def test_unknown_numbers_survive(self) -> None:
        message = view(Builder(), type=99, satype=77)
        assert (message.type, message.satype) == (0x8000 + 99, 0x8000 + 77)
        assert (message.type.label, message.satype.label) == ("unknown-99", "unknown-77")


class TestExtensions:
    def test_in_wire_order_and_by_attribute(self, build: Builder) -> None:
        message = view(build, build.lifetime(4), build.sa(), build.lifetime(3), build.extension(41, b"abcd"))
        assert [item.exttype for item in message.extensions] == [
            Ext.LIFETIME_SOFT,
            Ext.SA,
            Ext.LIFETIME_HARD,
            Ext.unknown(41),
        ]
        assert message.extensions[1] is message.sa
        assert message.lifetime_soft is message.get(Ext.LIFETIME_SOFT) is message.extensions[0]
        assert message.get(Ext.unknown(41)) == Opaque(41, b"abcd")
        assert message.lifetime_current is None
        assert message.get(Ext.UDPENCAP) is message.udpencap is None

    def test_one_is_not_read_for_the_sake_of_another(self) -> None:
        """What was asked for is kept; what was not is read when it is, from the bytes of that moment."""
        build = Builder()
        data = bytearray(build.message(build.sa(1), build.lifetime(3, 7)))
        (message,) = pf.decode(data, "linux", "little")
        assert message.sa is not None
        assert message.sa.spi == 1
        data[20:24] = (2).to_bytes(4, "big")
        data[36:40] = (9).to_bytes(4, "little")
        assert message.sa.spi == 1
        assert message.lifetime_hard is not None
        assert message.lifetime_hard.allocations == 9

    def test_repeated_unknown_extensions_are_all_there(self) -> None:
        """The first is what `get` finds."""
        build = Builder()
        message = view(build, build.extension(50, b"1234"), build.sa(), build.extension(50, b"5678"))
        assert [item.data for item in message.extensions if isinstance(item, Opaque)] == [b"1234", b"5678"]
        assert message.get(Ext.unknown(50)) == Opaque(50, b"1234")

    @pytest.mark.parametrize("exttype", [item for item in Ext if item])
    def test_every_canonical_extension_has_an_attribute(self, exttype: pf.ExtensionType) -> None:
        part = getattr(Message, exttype.name.lower())
        assert part.exttype is exttype
        assert getattr(view(Builder()), exttype.name.lower()) is None

    def test_the_size_on_the_wire_is_told(self) -> None:
        rows = read_index("linux-mixed.bin")
        batch = pf.decode(capture("linux-mixed.bin"), "linux", "little")
        for message, row in zip(batch, rows, strict=True):
            assert [item.size for item in message.extensions] == [item.size for item in row.extensions]
        assert SA(spi=1).size is None


class TestWire:
    def test_untranslated_numbers_by_c_names(self, build: Builder) -> None:
        message = view(build, build.sa(0x01020304, encrypt=200))
        assert message.sa is not None
        assert message.sa.encrypt == 0x8000 + 200
        assert vars(message.sa.wire) == {
            "sadb_sa_len": 2,
            "sadb_sa_exttype": 1,
            "sadb_sa_spi": 0x01020304,
            "sadb_sa_replay": 32,
            "sadb_sa_state": 1,
            "sadb_sa_auth": 3,
            "sadb_sa_encrypt": 200,
            "sadb_sa_flags": 0x40000000,
        }

    def test_records_and_requests_have_theirs(self, build: Builder) -> None:
        supported = build.extension(14, build.pack("I", 0) + build.pack("BBHHH", 251, 1, 2, 3, 4))
        message = view(build, supported, build.policy(build.request(50, 1, 3, 0x01020304)))
        assert message.supported_auth is not None
        assert message.supported_auth.algorithms[0].wire.sadb_alg_id == 251
        assert message.supported_auth.algorithms[0].wire.sadb_alg_reserved == 4
        assert message.policy is not None
        assert message.policy.requests[0].wire.sadb_x_ipsecrequest_reqid == 0x01020304
        assert message.policy.requests[0].wire.sadb_x_ipsecrequest_len == 16

    def test_units_are_not_converted(self) -> None:
        """On KAME systems the window is in bytes of bitmap: 4 of them are 32 packets."""
        build = Builder()
        raw = build.message(build.extension(1, bytes(4) + build.pack("BBBBI", 4, 1, 3, 12, 0)))
        (message,) = pf.decode(raw, "freebsd", "little")
        assert message.sa is not None
        assert (message.sa.replay, message.sa.wire.sadb_sa_replay) == (32, 4)

    def test_what_was_built_has_none(self) -> None:
        with pytest.raises(AttributeError, match="a SA that was not decoded has no wire numbers"):
            _ = SA(spi=1).wire

    def test_a_changed_copy_has_none(self) -> None:
        message = view(Builder(), Builder().sa(7))
        assert message.sa is not None
        changed = dataclasses.replace(message.sa, spi=8)
        assert not hasattr(changed, "wire")
        assert changed.size is None


class TestContent:
    def test_equality_and_hash(self, build: Builder) -> None:
        other = Builder("big" if build.byteorder == "little" else "little")
        message, swapped = (view(b, b.sa(), b.lifetime(3), b.key(8, 16, b"\1\2")) for b in (build, other))
        assert message == swapped
        assert hash(message) == hash(swapped)
        assert message == message.replace()
        assert hash(message) == hash(message.replace())
        assert {message, swapped, message.replace()} == {message}
        assert message != message.replace(seq=0)
        assert message != view(build, build.sa(), build.lifetime(3), build.key(8, 16, b"\1\3"))
        assert message != "message"

    def test_replace_gives_a_detached_message(self) -> None:
        build = Builder()
        data = bytearray(build.message(build.sa(1)))
        (message,) = pf.decode(data, "linux", "little")
        detached = message.replace(type=pf.MessageType.UPDATE, pid=3)
        data[:] = bytes(len(data))
        assert detached == MessageValue(
            pf.MessageType.UPDATE,
            pf.SAType.ESP,
            seq=0x01020304,
            pid=3,
            extensions=(
                SA(
                    spi=1,
                    replay=32,
                    state=pf.SAState.MATURE,
                    auth=pf.AuthAlgorithm.SHA1_HMAC,
                    encrypt=pf.EncryptAlgorithm.AES_CBC,
                    flags=0x40000000,
                ),
            ),
        )
        assert detached.sa == detached.get(Ext.SA) == detached.extensions[0]
        assert detached.lifetime_hard is None
        assert detached.dialect is dialect("linux")

    def test_replace_knows_its_names(self) -> None:
        with pytest.raises(TypeError, match="colour"):
            view(Builder()).replace(colour=1)

    def test_values_are_immutable(self) -> None:
        message = MessageValue(pf.MessageType.ADD, extensions=(Lifetime(Ext.LIFETIME_HARD, bytes=5),))
        with pytest.raises(dataclasses.FrozenInstanceError):
            message.seq = 5  # type: ignore[misc]
        with pytest.raises(dataclasses.FrozenInstanceError):
            message.extensions[0].bytes = 6  # type: ignore[attr-defined]

    def test_plain_numbers_become_terms(self) -> None:
        message = MessageValue(3, 3, extensions=[Lifetime(4)], dialect="freebsd")  # type: ignore[arg-type]
        assert message.type is pf.MessageType.ADD
        assert message.satype is pf.SAType.ESP
        assert message.lifetime_soft == Lifetime(Ext.LIFETIME_SOFT)
        assert message.dialect is dialect("freebsd")
        with pytest.raises(ValueError, match="70000"):
            Lifetime(70000)  # type: ignore[arg-type]


class TestRepr:
    def test_tells_what_there_is(self) -> None:
        build = Builder()
        message = view(
            build,
            build.sa(0xAB),
            build.lifetime(3),
            build.address(5, build.sockaddr("192.0.2.1", 500)),
            build.key(8, 16, b"\1\2"),
        )
        assert repr(message) == (
            "<ADD ESP seq=16909060 pid=84281096 ["
            "SA(spi=0x000000ab, replay=32, state=MATURE, auth=SHA1_HMAC, encrypt=AES_CBC, flags=0x40000000), "
            "Lifetime(exttype=LIFETIME_HARD, allocations=1, bytes=2, addtime=3, usetime=4), "
            "Address(exttype=ADDRESS_SRC, ip=192.0.2.1, port=500, prefixlen=32), "
            "Key(exttype=KEY_AUTH, bits=16, material=<2 secret bytes>)]>"
        )
        assert repr(message.replace()) == repr(message)

    def test_an_error_shows(self) -> None:
        message = MessageValue(pf.MessageType.ADD, errno=17)
        assert repr(message) == "<ADD UNSPEC seq=0 pid=0 errno=17 []>"


class TestDialects:
    @pytest.mark.parametrize("name", DIALECTS)
    def test_the_catalogue_has_a_field_for_all_that_the_system_has(self, name: str) -> None:
        """No class has to be derived for a known system; only numbers without a structure are opaque."""
        from fastpfkey.wire.catalogue import RECIPES
        from fastpfkey.wire.derived import recipe_of

        for extension in dialect(name).extensions:
            recipe = recipe_of(extension)
            if recipe is None:
                assert extension.layout.c_name == "sadb_ext"
                continue
            known = RECIPES[extension.type]
            assert (recipe.value, recipe.record, recipe.sub) == (known.value, known.record, known.sub)


def test_secrets_are_compared_by_content() -> None:
    assert Secret(b"abc") == Secret(b"abc")
    assert Secret(b"abc") != Secret(b"abd")
    assert Secret(b"abc") != b"abc"
    assert hash(Key.of(Ext.KEY_AUTH, b"k")) == hash(Key.of(Ext.KEY_AUTH, b"k"))
