"""Detection: golden messages of every system in both byte orders, captures of a kernel, and what cannot be told."""

from __future__ import annotations

from typing import Any

import pytest
from corpus.groundtruth import capture

import fastpfkey as pf
from fastpfkey.spec import DIALECTS

from . import golden
from .build import ADD, Builder

SYSTEMS = [name for name in DIALECTS if name != "rfc2367"]
ORDERS: list[Any] = ["little", "big"]


def everything(name: str, byteorder: str) -> bytes:
    return b"".join(bytes.fromhex(item["hex"]) for item in golden.messages(name, byteorder))


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("name", DIALECTS)
def test_messages_of_every_system(name: str, byteorder: Any) -> None:
    detection = pf.detect(everything(name, byteorder))
    assert detection.certain
    assert (detection.dialect, detection.byteorder) == (name, byteorder)
    assert detection.candidates[0].unread == 0
    assert "messages can be read" in detection.candidates[0].evidence[0]
    assert sorted(detection.candidates, key=lambda item: item.rank) == list(detection.candidates)
    batch = pf.decode(everything(name, byteorder), "auto")
    assert (batch.dialect.name, batch.byteorder) == (name, byteorder)


@pytest.mark.parametrize("byteorder", ORDERS)
@pytest.mark.parametrize("name", DIALECTS)
def test_each_message_alone_is_never_taken_for_another_byte_order(name: str, byteorder: Any) -> None:
    """And what is said to be certain is what it is, or fits it no worse than its own system."""
    for item in golden.messages(name, byteorder):
        detection = pf.detect(bytes.fromhex(item["hex"]))
        assert detection.byteorder == byteorder, item["name"]
        own = next(x for x in detection.candidates if (x.dialect, x.byteorder) == (name, byteorder))
        assert own.unread == 0
        if name in SYSTEMS and detection.certain and detection.dialect != name:
            assert own.flaws > detection.candidates[0].flaws


@pytest.mark.parametrize(
    "name",
    ["linux-mixed.bin", "linux-policies.bin", "linux-events.bin", "linux-errors.bin", "setkey/sad.bin"],
)
def test_captures_of_linux(name: str) -> None:
    detection = pf.detect(capture(name))
    assert (detection.certain, detection.dialect, detection.byteorder) == (True, "linux", "little")


def test_a_long_buffer_is_cut_without_blame(build: Builder) -> None:
    data = capture("linux-mixed.bin")
    (best,) = (item for item in pf.detect(data * 40).best if item.dialect == "linux")
    assert best.unread == 0
    assert best.evidence == (f"{best.messages} messages can be read",)


def test_a_header_alone_is_ambiguous_but_for_its_byte_order(build: Builder) -> None:
    request = build.header(2, satype=0)
    detection = pf.detect(request)
    assert not detection.certain
    assert {item.dialect for item in detection.best} == set(DIALECTS)
    assert detection.best[-1].dialect == "rfc2367"
    assert detection.byteorder == build.byteorder
    with pytest.raises(pf.DetectionError, match=r"it may be linux \((little|big)-endian\), freebsd") as caught:
        _ = detection.dialect
    assert len(caught.value.candidates) == len(DIALECTS)
    with pytest.raises(pf.DetectionError, match="cannot be told"):
        pf.decode(request, "auto")


@pytest.mark.parametrize("data", [b"", b"PK\3\4 is no message at all"])
def test_what_is_no_message_fits_nothing(data: bytes) -> None:
    detection = pf.detect(data)
    assert (detection.candidates, detection.certain) == ((), False)
    with pytest.raises(pf.DetectionError, match="no dialect fits"):
        pf.decode(data, "auto")
    with pytest.raises(pf.DetectionError):
        _ = detection.byteorder


def test_a_known_byte_order_is_kept_to() -> None:
    data = everything("openbsd", "big")
    assert {item.byteorder for item in pf.detect(data, "little").candidates} <= {"little"}
    assert pf.decode(data, "auto", "big").dialect.name == "openbsd"


def test_evidence_quotes_no_key(build: Builder) -> None:
    secret = b"sixteen  secrets"
    detection = pf.detect(build.message(build.sa(), build.key(8, 127, secret), type=ADD))
    told = repr(detection)
    assert "R-" in told
    assert secret.decode() not in told
    assert secret.hex() not in told
