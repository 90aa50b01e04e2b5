"""``setkey -D`` and ``-DP``, byte for byte as recorded, and what was not recorded as it is described."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import fastpfkey as pf
from fastpfkey.columns.synthetic import NOW, synthetic
from fastpfkey.errors import MalformedError
from fastpfkey.setkey.clock import zones
from fastpfkey.setkey.look import Look
from fastpfkey.setkey.words import FREEBSD, variant
from fastpfkey.wire.extensions import SA
from fastpfkey.wire.extensions_ipsec import Policy, PolicyRequest

from .support import LINUX, PROTOCOLS, Associations, Policies, capture, printed, recorded, time_of_printing

MIXED = capture("linux-mixed.bin")
POLICIES = capture("linux-policies.bin")


def test_the_associations_of_a_kernel() -> None:
    text = recorded("linux-mixed.setkey.txt")
    found = printed(Associations, MIXED, now=time_of_printing(text), pid=1157, dead=True)
    assert found == text


def test_without_a_process_it_is_the_one_in_the_messages() -> None:
    text = recorded("linux-mixed.setkey.txt")
    found = printed(Associations, MIXED, now=time_of_printing(text))
    assert found == text.replace(" pid=1157 ", " pid=1159 ")


@pytest.mark.parametrize(("name", "ports"), [("sad.txt", False), ("sad.ports.txt", True)])
def test_random_associations(name: str, ports: bool) -> None:
    text = recorded(f"setkey/{name}")
    found = printed(Associations, capture("setkey/sad.bin"), now=NOW, dead=True, ports=ports)
    found = re.sub(r"(\tcurrent: )[A-Z].{19}", r"\1@NOW@", found)
    found = re.sub(r"(\tcreated: \S.*\n\tdiff: )\d+", r"\1@AGE@", found)
    assert found == text


def test_dead_ones_are_hidden_unless_asked_for() -> None:
    text = printed(Associations, capture("setkey/sad.bin"), dead=True)
    alive = printed(Associations, capture("setkey/sad.bin"))
    blocks = re.findall(r"^\S.*\n(?:[\t ].*\n)*", text, re.MULTILINE)
    dead = [block for block in blocks if " state=dead \n" in block]
    assert 0 < len(dead) < len(blocks)
    assert alive == "".join(block for block in blocks if block not in dead)


@pytest.mark.parametrize(("name", "ports", "pid"), [("setkey", False, 1193), ("setkey-p", True, 1194)])
def test_the_policies_of_a_kernel(name: str, ports: bool, pid: int) -> None:
    text = recorded(f"linux-policies.{name}.txt")
    assert printed(Policies, POLICIES, pid=pid, ports=ports, protocols=PROTOCOLS) == text


def test_keys_are_hidden_on_request() -> None:
    shown, hidden = (printed(Associations, MIXED, now=NOW, redact=redact) for redact in (False, True))
    expected = re.sub(
        r"(\t[AE]: \S+ )((?: [0-9a-f]+|\n [0-9a-f]+)*)",
        lambda found: f"{found[1]} <{len(''.join(found[2].split())) * 4} bits>",
        shown,
    )
    assert hidden == expected
    assert "00112233" in shown
    assert "00112233" not in hidden


def test_a_table_of_many_blocks_is_printed_whole() -> None:
    text = printed(Associations, synthetic(3000, seed=2, dialect="linux"), "linux", now=NOW)
    assert [int(number) for number in re.findall(r"sadb_seq=(\d+)", text)] == [*range(1, 3000), 0]


def test_a_bad_message_is_told_behind_the_text_of_the_good_ones() -> None:
    broken = bytearray(MIXED[:-8])
    printer = Associations(LINUX, Look())
    found: list[bytes] = []
    with pytest.raises(pf.TruncatedError) as caught:
        found += printer.text(broken)
    assert (caught.value.message_index, caught.value.offset) == (52, _offset(52) + 4)
    assert not isinstance(caught.value, MalformedError)
    assert printer.messages == 52
    with pytest.raises(pf.TruncatedError) as again:
        found += Associations(LINUX, Look()).text(MIXED[:20])
    assert again.value.offset == 4


def test_places_in_later_buffers_count_from_the_first() -> None:
    printer = Associations(LINUX, Look())
    assert list(printer.text(MIXED))
    with pytest.raises(pf.TruncatedError) as caught:
        list(printer.text(MIXED[:-8]))
    assert (caught.value.message_index, caught.value.offset) == (53 + 52, len(MIXED) + _offset(52) + 4)


def _offset(number: int) -> int:
    return int(pf.decode(MIXED, "linux").offsets[number])


def _message(*extensions: object, kind: pf.MessageType = pf.MessageType.DUMP) -> bytes:
    first = pf.decode(MIXED, "linux")[0]
    kept = tuple(item for item in first.extensions if item.exttype not in {e.exttype for e in extensions})  # type: ignore[attr-defined]
    return first.replace(type=kind, extensions=(*kept, *extensions)).encode()


def _without(*types: pf.ExtensionType) -> bytes:
    first = pf.decode(MIXED, "linux")[0]
    return first.replace(extensions=tuple(item for item in first.extensions if item.exttype not in types)).encode()


@pytest.mark.parametrize(
    ("lacking", "ipsec_tools", "freebsd"),
    [
        ("ADDRESS_SRC", "no ADDRESS_SRC extension.\n", "\nno ADDRESS_SRC extension.\n"),
        ("ADDRESS_DST", "10.8.0.1  no ADDRESS_DST extension.\n", "10.8.0.1\nno ADDRESS_DST extension.\n"),
        ("SA", "10.8.0.1 10.8.0.3 no SA extension.\n", "10.8.0.1 10.8.0.3\nno SA extension.\n"),
        ("SA2", "10.8.0.1 10.8.0.3 no SA2 extension.\n", "10.8.0.1 10.8.0.3\nno SA2 extension.\n"),
    ],
)
def test_what_is_missing_ends_the_block(lacking: str, ipsec_tools: str, freebsd: str) -> None:
    message = _without(pf.ExtensionType[lacking])
    assert printed(Associations, message) == ipsec_tools
    assert printed(Associations, message, variant=FREEBSD) == freebsd


def test_only_answers_about_associations_are_printed() -> None:
    assert printed(Associations, POLICIES) == ""
    assert printed(Policies, MIXED) == ""
    assert printed(Associations, capture("linux-sad-empty.bin")) == ""
    assert printed(Associations, _message(kind=pf.MessageType.GET)).startswith("10.8.0.1 10.8.0.3 \n")
    assert printed(Associations, _message(kind=pf.MessageType.ADD)) == ""


def test_an_algorithm_without_a_word_is_its_number() -> None:
    sa = pf.decode(MIXED, "linux")[0].sa
    assert isinstance(sa, SA)
    message = _message(replace(sa, encrypt=pf.EncryptAlgorithm.AES_GCM_ICV16))
    assert "\tE: 20  00010203" in printed(Associations, message)
    assert "\tE: aes-gcm-16  00010203" in printed(Associations, message, variant=FREEBSD)


class TestPolicies:
    def policy(self, **changes: object) -> bytes:
        message = pf.decode(POLICIES, "linux")[2]
        policy = message.policy
        assert isinstance(policy, Policy)
        others = tuple(item for item in message.extensions if item.exttype is not pf.ExtensionType.POLICY)
        return message.replace(extensions=(*others, replace(policy, **changes))).encode()  # type: ignore[arg-type]

    @pytest.mark.parametrize("number", [3, 4, 7, 11])
    def test_those_of_sockets(self, number: int) -> None:
        text = printed(Policies, self.policy(id=number, dir=pf.Direction.unknown(4)))
        assert text.startswith("(per-socket policy) \n\tin(socket) prio")
        assert printed(Policies, self.policy(id=number), sockets=False) == ""

    @pytest.mark.parametrize(
        ("priority", "words"),
        [
            (0, ""),
            (1, " prio high + 1073741823"),
            (0x40000000, " prio high"),
            (0x5FFFFFFF, " prio high - 536870911"),
            (0x60000000, " prio def + 536870912"),
            (0x80000000, " prio def"),
            (0x80000001, " prio def - 1"),
            (0x9FFFFFFF, " prio def - 536870911"),
            (0xA0000000, " prio low + 536870912"),
            (0xC0000000, " prio low"),
            (0xFFFFFFFF, " prio low - 1073741823"),
        ],
    )
    def test_priorities(self, priority: int, words: str) -> None:
        message = self.policy(priority=priority, requests=())
        assert f"\n\tout{words} ipsec\n" in printed(Policies, message)
        assert "\n\tout ipsec\n" in printed(Policies, message, variant=FREEBSD)

    @pytest.mark.parametrize(("reqid", "words"), [(0, ""), (1, ":1"), (0x3FFF, ":16383"), (0x4000, "#16384")])
    def test_request_ids(self, reqid: int, words: str) -> None:
        request = PolicyRequest(proto=50, mode=pf.Mode.TRANSPORT, level=pf.Level.UNIQUE, reqid=reqid)
        text = printed(Policies, self.policy(requests=(request, request)))
        assert f"\n\tesp/transport//unique{words}\n\tesp/transport//unique{words}\n" in text

    @pytest.mark.parametrize(
        ("changes", "flaw"),
        [
            ({"proto": 6}, "Invalid ipsec protocol"),
            ({"mode": pf.Mode.BEET}, "Invalid ipsec mode"),
            ({"level": pf.Level.unknown(9)}, "Invalid ipsec level"),
        ],
    )
    def test_what_has_no_words(self, changes: dict[str, object], flaw: str) -> None:
        good = PolicyRequest(proto=50, mode=pf.Mode.TRANSPORT, level=pf.Level.USE)
        bad = replace(good, **changes)  # type: ignore[arg-type]
        batch = self.policy() + self.policy(requests=(good, bad)) + self.policy(requests=(good,))
        lines = [line for line in printed(Policies, batch).splitlines() if "\tPolicy" in line or " ipsec" in line]
        assert [f"\tPolicy:[{flaw}]" in line for line in lines] == [False, True, False]
        assert "\t(null)\n" in printed(Policies, self.policy(requests=(bad,)), variant=FREEBSD)


def test_the_variant_is_the_systems_own_unless_told() -> None:
    assert variant().name in ("ipsec-tools", "freebsd")
    assert variant("freebsd") is FREEBSD
    with pytest.raises(ValueError, match="unknown variant 'bsd'; known are host, ipsec-tools, freebsd"):
        variant("bsd")


def test_zones_begin_at_the_epoch_and_ascend() -> None:
    found = zones()
    assert found[0].since == 0
    assert list(found) == sorted(found)
