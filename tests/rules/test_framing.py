"""The rules about header and extensions as such, each broken once."""

from __future__ import annotations

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.wire.extensions import Opaque

from .messages import ORDERS, breaks_only, golden, having, stretched, told, written

ADD = golden("add_esp_v4")
REPLY = golden("delete_reply")


@pytest.mark.requirement("R-2.1-04")
def test_requests_have_no_errno() -> None:
    breaks_only("R-2.1-04", ADD.replace(errno=22), ADD, level="warning")


@pytest.mark.requirement("R-2.1-10")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    ("name", "exttype", "at", "member"),
    [
        ("add_esp_v4", Ext.ADDRESS_SRC, 6, "sadb_address_reserved"),
        ("add_esp_v4", Ext.KEY_AUTH, 6, "sadb_key_reserved"),
        ("add_esp_v4", Ext.IDENTITY_DST, 6, "sadb_ident_reserved"),
        ("add_esp_v4", Ext.SENSITIVITY, 12, "sadb_sens_reserved"),
        ("getspi_request_v4", Ext.SPIRANGE, 12, "sadb_spirange_reserved"),
        ("acquire_from_application", Ext.PROPOSAL, 5, "sadb_prop_reserved"),
        ("acquire_from_application", Ext.PROPOSAL, 8 + 12, "sadb_comb_reserved"),
    ],
)
def test_reserved_members_are_zero(order: str, name: str, exttype: Ext, at: int, member: str) -> None:
    sound = golden(name, order=order)  # type: ignore[arg-type]
    found = breaks_only("R-2.1-10", written(sound, exttype, at, b"\1"), sound)
    assert (found.extension, found.sentence) == (exttype, f"{member} in {exttype.name} is not 0")


@pytest.mark.requirement("R-2.1-10")
def test_so_is_that_of_the_header_in_a_request() -> None:
    breaks_only("R-2.1-10", written(ADD, None, 6, b"\1"), ADD)
    breaks_only("R-2.1-10", ADD.replace(reserved=256), ADD)
    assert told(REPLY.replace(reserved=3), "from-engine") == {}, "an engine tells of its references"


@pytest.mark.requirement("R-2.2-02")
@pytest.mark.parametrize("exttype", [Ext.ADDRESS_DST, Ext.KEY_AUTH, Ext.KEY_ENCRYPT])
def test_tails_end_with_their_word(exttype: Ext) -> None:
    assert breaks_only("R-2.2-02", stretched(ADD, exttype), ADD).extension is exttype


@pytest.mark.requirement("R-2.2-05")
@pytest.mark.parametrize("exttype", [Ext.SA, Ext.LIFETIME_HARD])
def test_structures_are_not_stretched(exttype: Ext) -> None:
    assert breaks_only("R-2.2-05", stretched(ADD, exttype), ADD).extension is exttype


@pytest.mark.requirement("R-2.3-02")
def test_extension_type_zero_is_reserved() -> None:
    nothing = Opaque(0, bytes(4), Ext.unknown(0))
    breaks_only("R-2.3-02", having(ADD, nothing), ADD)


@pytest.mark.requirement("R-2.3-03", "R-2.4-02")
def test_nothing_comes_twice() -> None:
    (hard,) = [item for item in ADD.extensions if item.exttype == Ext.LIFETIME_HARD]
    at = ADD.extensions.index(hard)
    twice = ADD.replace(extensions=(*ADD.extensions[:at], hard, *ADD.extensions[at:]))
    assert breaks_only("R-2.3-03", twice, ADD).sentence == "LIFETIME_HARD is there twice"
    unknown = Opaque(99, bytes(4))
    breaks_only("R-2.3-03", ADD.replace(extensions=(*ADD.extensions, unknown, unknown)), ADD)


@pytest.mark.requirement("R-2.3-06", "R-2.3-08")
def test_unknown_extensions_are_nobody_s_business() -> None:
    for message, way in ((ADD, "to-engine"), (REPLY, "from-engine")):
        stranger = having(message, Opaque(99, b"anything at all!"))
        assert told(stranger, way) == told(message, way)  # type: ignore[arg-type]


@pytest.mark.requirement("R-2.4-01")
def test_extensions_out_of_order_are_strange() -> None:
    turned = ADD.replace(extensions=ADD.extensions[::-1])
    found = breaks_only("R-2.4-01", turned, ADD, level="warning")
    assert found.sentence == "IDENTITY_DST belongs before SENSITIVITY"


@pytest.mark.requirement("R-3.1-04")
def test_errors_are_bare() -> None:
    breaks_only("R-3.1-04", REPLY.replace(errno=3), REPLY, "from-engine")
    assert told(golden("delete_error"), "from-engine") == {}


@pytest.mark.parametrize("dialect", ["freebsd", "netbsd", "macos"])
def test_kame_systems_send_the_request_back(dialect: str) -> None:
    echo = golden("add_esp_v4_refused_echo", dialect)
    assert echo.errno
    assert told(echo, "from-engine") == {}


@pytest.mark.requirement("R-3.4-02")
@pytest.mark.parametrize("name", ["add_esp_v4", "update_esp_v6", "delete_request", "getspi_request_v4"])
def test_no_association_is_of_type_unspec(name: str) -> None:
    sound = golden(name)
    breaks_only("R-3.4-02", sound.replace(satype=0), sound)
    assert told(golden("flush_request").replace(satype=0), "to-engine") == {}


def test_types_are_served_or_not() -> None:
    sound = golden("add_ah_v6_with_labels", "linux")
    breaks_only("X-satype", sound.replace(satype=pf.SAType.OSPFV2), sound)


def test_messages_have_a_largest_size() -> None:
    """Whether they were decoded, built, or are to be said in the system's words first."""
    sound = golden("add_esp_v4", "openbsd")
    room = 4096 - sound.length - 8
    for size, fits in ((room, True), (room + 8, False)):
        built = having(sound, Opaque(200, bytes(size + 4)))
        (decoded,) = pf.decode(built.encode(), "openbsd")
        for message in (built, decoded):
            if fits:
                assert told(message, "to-engine") == told(sound, "to-engine")
            else:
                found = breaks_only("X-size", message, sound)
                assert found.sentence == "openbsd takes messages of up to 4096 bytes, not 4104"
            assert "X-size" not in told(message, "from-engine")
    foreign = requests.add("esp", 1, "::1", "::2", private=bytes(5000), dialect="linux")
    assert "X-size" not in [item.rule for item in pf.check(foreign, dialect="openbsd")]


@pytest.mark.requirement("R-A-04")
def test_promiscuity_is_on_or_off() -> None:
    sound = golden("promisc_on")
    breaks_only("R-A-04", sound.replace(satype=pf.SAType.ESP), sound)
    unheard_of = sound.replace(satype=pf.SAType.IPCOMP)
    assert "R-A-04" in [item.rule for item in pf.check(unheard_of, dialect="rfc2367")]


@pytest.mark.requirement("R-A-06")
@pytest.mark.parametrize("name", ["promisc_data_to_process", "promisc_data_copy"])
def test_what_a_copy_carries_is_not_its_own(name: str) -> None:
    assert told(golden(name), "to-engine") == told(golden(name), "from-engine") == {}


def test_messages_that_a_system_does_not_have() -> None:
    assert [item.rule for item in pf.check(golden("pchange_gone"), dialect="linux")] == ["X-message"]


def test_directions_and_dialects_have_names() -> None:
    with pytest.raises(ValueError, match="direction is to-engine or from-engine, not 'up'"):
        pf.check(ADD, "up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="plan9"):
        pf.check(ADD, dialect="plan9")
