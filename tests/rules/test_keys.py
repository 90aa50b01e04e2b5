"""The rules about keys, each broken once, and what their sentences keep to themselves."""

from __future__ import annotations

import pytest

import fastpfkey as pf
from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions import Key, Secret

from .messages import breaks_only, changed, golden, having, told

ADD = golden("add_esp_v4")
LINUX = golden("add_esp_tunnel_natt", "linux")
DES = golden("add_esp_v4")

SOUND_DES = bytes.fromhex("0123456789abcdef")
WEAK_DES = bytes.fromhex("e0e0e0e0f1f1f1f1")


def with_key(message: pf.Message, algorithm: EncryptAlgorithm, key: bytes) -> pf.Message:
    """The message with this encryption, and a key with this beginning."""
    return having(changed(message, Ext.SA, encrypt=algorithm), Key.of(Ext.KEY_ENCRYPT, key))


def complaints(message: pf.Message) -> list[str]:
    return [item.sentence for item in pf.check(message) if item.rule in ("R-2.3.4-01", "R-2.3.4-04")]


@pytest.mark.requirement("R-2.3.4-01")
@pytest.mark.parametrize("exttype", [Ext.KEY_AUTH, Ext.KEY_ENCRYPT])
def test_keys_have_bits(exttype: Ext) -> None:
    spoiled = changed(ADD, exttype, bits=0, material=Secret())
    assert breaks_only("R-2.3.4-01", spoiled, ADD).extension is exttype


def test_illumos_takes_no_key_of_zeros() -> None:
    for name, dialect in (("add_paired", "illumos"), ("add_esp_v4", "openbsd")):
        sound = golden(name, dialect)
        assert sound.key_auth is not None
        zeros = changed(sound, Ext.KEY_AUTH, material=Secret(bytes(len(sound.key_auth.material))))
        if dialect == "illumos":
            assert breaks_only("X-key", zeros, sound).sentence == "illumos takes no key of zeros, as KEY_AUTH is"
        else:
            assert told(zeros, "to-engine") == told(sound, "to-engine")
        assert "X-key" not in told(zeros, "from-engine")


@pytest.mark.parametrize("dialect", ["linux", "freebsd", "netbsd", "macos"])
def test_kernels_that_want_a_key_for_null_want_an_empty_one(dialect: str) -> None:
    sound = golden("add_esp_null_with_empty_key", dialect)
    key = sound.get(Ext.KEY_ENCRYPT)
    assert isinstance(key, Key)
    assert key.bits == 0
    assert complaints(sound) == []
    assert [item.rule for item in pf.check(sound, dialect="rfc2367") if item.extension is Ext.KEY_ENCRYPT] == [
        "R-2.3.4-01"
    ]


@pytest.mark.requirement("R-2.3.4-04")
@pytest.mark.parametrize(
    ("algorithm", "allowed", "refused"),
    [
        (EncryptAlgorithm.DES_CBC, [64], [8, 56, 72, 128]),
        (EncryptAlgorithm.TRIPLE_DES_CBC, [192], [64, 128, 168, 184, 200]),
        (EncryptAlgorithm.AES_CBC, [128, 192, 256], [64, 120, 136, 160, 320]),
        (EncryptAlgorithm.AES_CTR, [160, 224, 288], [128, 192, 256]),
        (EncryptAlgorithm.BLOWFISH_CBC, [40, 48, 128, 448], [32, 456]),
        (EncryptAlgorithm.CAST128_CBC, [40, 80, 128], [32, 136]),
    ],
)
def test_encryption_keys_have_the_bits_that_their_algorithm_takes(
    algorithm: EncryptAlgorithm, allowed: list[int], refused: list[int]
) -> None:
    for bits in allowed:
        assert complaints(with_key(LINUX, algorithm, bytes(bits // 8))) == []
    for bits in refused:
        (said,) = complaints(with_key(LINUX, algorithm, bytes(bits // 8)))
        assert said.startswith(f"{bits} bits are no key for {algorithm.name}")


@pytest.mark.requirement("R-2.3.4-04")
def test_authentication_keys_are_as_long_as_the_hash_but_not_on_linux() -> None:
    spoiled = having(ADD, Key.of(Ext.KEY_AUTH, bytes(19)))
    found = breaks_only("R-2.3.4-04", spoiled, ADD)
    assert (found.extension, found.sentence) == (Ext.KEY_AUTH, "152 bits are no key for SHA1_HMAC, which takes 160")
    short = having(changed(LINUX, Ext.SA, auth=AuthAlgorithm.SHA1_HMAC), Key.of(Ext.KEY_AUTH, b"\1"))
    assert complaints(short) == []


@pytest.mark.requirement("R-3.1.2-05")
def test_des_keys_have_odd_parity_and_are_not_weak() -> None:
    sound = with_key(ADD, EncryptAlgorithm.DES_CBC, SOUND_DES)
    assert not any(item.rule == "R-3.1.2-05" for item in pf.check(sound))
    wrong = with_key(ADD, EncryptAlgorithm.DES_CBC, SOUND_DES[:-1] + b"\xee")
    assert breaks_only("R-3.1.2-05", wrong, sound, level="warning").sentence == "the parity of the DES key is wrong"
    weak = with_key(ADD, EncryptAlgorithm.DES_CBC, WEAK_DES)
    assert breaks_only("R-3.1.2-05", weak, sound, level="warning").sentence == "the DES key is a weak one"


@pytest.mark.requirement("R-3.1.2-05", "R-2.3.4-06")
def test_the_keys_of_3des_are_told_apart_by_their_places() -> None:
    one, two, three = SOUND_DES, bytes.fromhex("23456789abcdef01"), bytes.fromhex("456789abcdef0123")
    sound = with_key(ADD, EncryptAlgorithm.TRIPLE_DES_CBC, one + two + three)
    assert not any(item.rule == "R-3.1.2-05" for item in pf.check(sound))
    twice = with_key(ADD, EncryptAlgorithm.TRIPLE_DES_CBC, one + one + three)
    assert "repeat" in breaks_only("R-3.1.2-05", twice, sound, level="warning").sentence
    for parts in ((WEAK_DES, two, three), (one, WEAK_DES, three), (one, two, WEAK_DES)):
        weak = with_key(ADD, EncryptAlgorithm.TRIPLE_DES_CBC, b"".join(parts))
        assert "weak" in breaks_only("R-3.1.2-05", weak, sound, level="warning").sentence
    outer = with_key(ADD, EncryptAlgorithm.TRIPLE_DES_CBC, one + two + one)
    assert told(outer, "to-engine") == told(sound, "to-engine"), "two-key 3DES is no single DES"


@pytest.mark.requirement("R-3.1.2-05")
def test_flags_are_some_that_the_dialect_has() -> None:
    breaks_only("R-3.1.2-05", changed(ADD, Ext.SA, flags=3), ADD, level="warning")


@pytest.mark.requirement("R-3.1.2-13")
@pytest.mark.parametrize("exttype", [Ext.KEY_AUTH, Ext.KEY_ENCRYPT])
def test_the_answer_to_an_update_has_no_keys(exttype: Ext) -> None:
    reply = golden("update_esp_v6_reply")
    breaks_only("R-3.1.2-13", having(reply, Key.of(exttype, bytes(20 if exttype == Ext.KEY_AUTH else 24))), reply,
                "from-engine")  # fmt: skip
    assert pf.check(golden("update_broadcast", "linux"), "from-engine") == []


def test_no_sentence_shows_a_key() -> None:
    secret = b"Hush!Hus"
    for algorithm in EncryptAlgorithm:
        for length in (0, 8, 16, 24):
            message = with_key(ADD, algorithm, (secret * 3)[:length])
            for way in ("to-engine", "from-engine"):
                shown = " ".join(map(repr, pf.check(message, way)))  # type: ignore[arg-type]
                assert secret.decode() not in shown
                assert secret.hex() not in shown
