"""Error replies in words: which algorithm, which key, which rule of which system."""

from __future__ import annotations

import pickle

import pytest
from corpus.groundtruth import capture

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.session.refusal import refusal, unsupported
from fastpfkey.spec.explanations import EXPLANATIONS, explain
from fastpfkey.wire.extensions import SA, Key
from fastpfkey.wire.message import MessageValue

Type = pf.MessageType


def supported() -> list[object]:
    """The lists of a Linux 6.1 kernel."""
    (reply,) = pf.decode(capture("linux-register-esp.bin"), dialect="linux", byteorder="little")
    return [reply.supported_auth, reply.supported_encrypt]


def add(encrypt: pf.EncryptAlgorithm, key: int, auth: pf.AuthAlgorithm = pf.AuthAlgorithm.NONE) -> MessageValue:
    extensions = (SA(0x1000, auth=auth, encrypt=encrypt), Key.of(pf.ExtensionType.KEY_ENCRYPT, b"\xa5" * key))
    return MessageValue(Type.ADD, pf.SAType.ESP, extensions=extensions, dialect=spec.dialect("linux"))


def test_an_aead_on_linux() -> None:
    """What strongSwan's users got was "Function not implemented (38)"."""
    error = refusal(spec.dialect("linux"), Type.ADD, 38, 7, add(pf.EncryptAlgorithm.AES_GCM_ICV16, 36), supported())
    assert (error.errno, error.name, error.message_type, error.seq) == (38, "ENOSYS", Type.ADD, 7)
    assert isinstance(error, OSError)
    text = str(error)
    assert text.startswith("ADD: ENOSYS (38): the kernel has no such algorithm")
    assert "netlink" in text
    assert "aes-gcm-icv16 is not among those that the system lists: null, des-cbc" in text
    assert "a5" not in text
    assert str(pickle.loads(pickle.dumps(error))) == text


def test_what_is_malformed_in_a_request() -> None:
    key = b"\xa5" * 15
    request = pf.requests.add(
        "esp", 0x1000, "192.0.2.1", "192.0.2.2", encrypt="aes-cbc", encrypt_key=key, hard=60, dialect="linux"
    )
    text = str(refusal(request.dialect, Type.ADD, 22, 7, request))
    assert text.startswith("ADD: EINVAL (22): 120 bits are no key for AES_CBC, which takes 128 to 256")
    assert "something in the request does not fit" in text
    assert "a5a5" not in text
    assert "120 bits" not in str(refusal(request.dialect, Type.ADD, 17, 7, request))


def test_a_key_that_is_too_short() -> None:
    (reason,) = unsupported(add(pf.EncryptAlgorithm.AES_CBC, 12, pf.AuthAlgorithm.SHA1_HMAC), supported())
    assert reason == "aes-cbc is listed with keys of 128 to 256 bits, not 96"
    assert unsupported(add(pf.EncryptAlgorithm.AES_CBC, 16), supported()) == []
    assert unsupported(MessageValue(Type.FLUSH), supported()) == []


@pytest.mark.parametrize(
    ("system", "kind", "errno", "words"),
    [
        ("linux", Type.GETSPI, 2, "no SPI of the range is free"),
        ("freebsd", Type.GETSPI, 17, "no SPI of the range is free"),
        ("linux", Type.ADD, 17, "larval one that GETSPI reserved: UPDATE"),
        ("freebsd", Type.ADD, 17, "whatever its type and destination"),
        ("linux", Type.DUMP, 2, "no association"),
        ("linux", Type.SPDADD, 40, "6 requests at most"),
        ("openbsd", Type.UPDATE, 22, "takes lifetimes, and no keys"),
        ("macos", Type.SPDDELETE, 22, "no such policy"),
        ("linux", Type.SPDDELETE, 2, "no such policy"),
        ("illumos", Type.UPDATE, 3, "no such association"),
        ("linux", Type.MIGRATE, 92, "CONFIG_NET_KEY_MIGRATE"),
        ("freebsd", Type.ADD, 45, "no associations of this SA type"),
        ("linux", Type.ADD, 200, ""),
        ("rfc2367", Type.ADD, 17, ""),
    ],
)
def test_what_a_number_means_depends_on_system_and_message(system: str, kind: Type, errno: int, words: str) -> None:
    text = explain(spec.dialect(system), kind, errno)
    assert words in text
    assert bool(words) == bool(text)
    assert str(refusal(spec.dialect(system), kind, errno, 1)).endswith(text)


@pytest.mark.parametrize("item", EXPLANATIONS, ids=lambda item: f"{item.errno}-{item.text[:20]}")
def test_every_explanation_is_reached(item: object) -> None:
    """None stands behind one that says the same question differently, and each is a number of its systems."""
    systems = [spec.dialect(name) for name in item.systems or spec.DIALECTS[1:]]  # type: ignore[attr-defined]
    kinds = item.messages or tuple(Type)  # type: ignore[attr-defined]
    errno = [(system, system.errnos[item.errno]) for system in systems if item.errno in system.errnos]  # type: ignore[attr-defined]
    assert any(explain(system, kind, number) == item.text for system, number in errno for kind in kinds)  # type: ignore[attr-defined]


def test_every_error_that_a_linux_kernel_was_seen_to_answer_is_explained() -> None:
    """All error replies of the corpus to requests that are no messages of the kernel's own."""
    linux = spec.dialect("linux")
    replies = pf.decode(capture("linux-errors.bin"), dialect="linux", byteorder="little")
    seen = {(reply.type, reply.errno) for reply in replies if 0 < reply.errno < 128}
    assert len(seen) > 20
    assert [(kind, errno) for kind, errno in seen if not explain(linux, kind, errno)] == []
