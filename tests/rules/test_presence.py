"""Which extensions a message needs, takes and leaves out: by the RFC's table, and where kernels differ from it."""

from __future__ import annotations

import pytest

import fastpfkey as pf
from fastpfkey.spec.grammar import forms
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.extensions import Opaque

from .messages import breaks_only, golden, having, lacking, told, way_of

SRC, DST, SA = Ext.ADDRESS_SRC, Ext.ADDRESS_DST, Ext.SA
HARD, SOFT, CURRENT = Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT, Ext.LIFETIME_CURRENT


def needs(rule: str, name: str, *types: Ext, dialect: str = "rfc2367") -> None:
    """Without any of these the message breaks the rule."""
    sound, way = golden(name, dialect), way_of(name, dialect)
    for exttype in types:
        spoiled = lacking(sound, exttype)
        broken = [item for item in pf.check(spoiled, way) if item.rule == rule and item.level == "error"]
        assert [item.extension for item in broken] == [exttype]


def refuses(rule: str, name: str, *types: Ext) -> None:
    """With any of these the message breaks the rule."""
    sound, way = golden(name), way_of(name)
    pool = {item.exttype: item for item in golden("codec_every_extension_v4").extensions}
    for exttype in types:
        broken = [item for item in pf.check(having(sound, pool[exttype]), way) if item.rule == rule]
        assert [(item.extension, item.level) for item in broken] == [(exttype, "error")]


@pytest.mark.requirement("R-3.1.1-02")
def test_getspi() -> None:
    needs("R-3.1.1-02", "getspi_request_v4", SRC, DST, Ext.SPIRANGE)
    refuses("R-3.1.1-02", "getspi_request_v4", SA, HARD, Ext.KEY_AUTH, Ext.PROPOSAL)


@pytest.mark.requirement("R-3.1.1-05")
def test_answer_to_getspi() -> None:
    needs("R-3.1.1-05", "getspi_reply_v4", SRC, DST, SA)
    refuses("R-3.1.1-05", "getspi_reply_v4", Ext.SPIRANGE, CURRENT)


@pytest.mark.requirement("R-3.1.2-11")
def test_update() -> None:
    needs("R-3.1.2-11", "update_esp_v6", SA, SRC, DST, Ext.KEY_AUTH, Ext.KEY_ENCRYPT)
    refuses("R-3.1.2-11", "update_esp_v6", Ext.PROPOSAL, Ext.SPIRANGE, Ext.SUPPORTED_AUTH)
    least = lacking(golden("update_esp_v6"), CURRENT, SOFT, Ext.ADDRESS_PROXY, Ext.IDENTITY_SRC, Ext.SENSITIVITY)
    assert told(least, "to-engine") == told(golden("update_esp_v6"), "to-engine")


@pytest.mark.requirement("R-3.1.3-06")
def test_add() -> None:
    needs("R-3.1.3-06", "add_esp_v4", SA, SRC, DST, Ext.KEY_AUTH, Ext.KEY_ENCRYPT)
    needs("R-3.1.3-06", "add_ah_v6", SA, SRC, DST, Ext.KEY_AUTH)
    refuses("R-3.1.3-06", "add_esp_v4", CURRENT, Ext.PROPOSAL, Ext.SPIRANGE)


@pytest.mark.requirement("R-3.1.4-02")
def test_delete() -> None:
    needs("R-3.1.4-02", "delete_request", SA, SRC, DST)
    refuses("R-3.1.4-02", "delete_request", HARD, Ext.KEY_AUTH, Ext.SPIRANGE)


@pytest.mark.requirement("R-3.1.5-02")
def test_get() -> None:
    needs("R-3.1.5-02", "get_request", SA, SRC, DST)
    refuses("R-3.1.5-02", "get_request", HARD, Ext.KEY_ENCRYPT)


@pytest.mark.requirement("R-3.1.6-03")
def test_acquire_of_an_application() -> None:
    needs("R-3.1.6-03", "acquire_from_application", SRC, DST, Ext.PROPOSAL)
    refuses("R-3.1.6-03", "acquire_from_application", SA, Ext.KEY_AUTH)


@pytest.mark.requirement("R-3.1.6-09")
def test_acquire_of_the_engine() -> None:
    needs("R-3.1.6-09", "acquire_from_kernel_v4", SRC, DST, Ext.PROPOSAL)
    refuses("R-3.1.6-09", "acquire_from_kernel_v4", SA, Ext.SPIRANGE)
    least = lacking(golden("acquire_from_kernel_v4"), Ext.ADDRESS_PROXY, Ext.IDENTITY_SRC, Ext.SENSITIVITY)
    assert told(least, "from-engine") == {}


@pytest.mark.requirement("R-3.1.6-11")
def test_failure_to_acquire() -> None:
    sound = golden("acquire_failure")
    assert told(sound, "to-engine") == {}
    breaks_only("R-3.1.6-11", sound.replace(errno=0), sound)
    breaks_only("R-3.1.6-11", sound.replace(seq=0), sound)


@pytest.mark.requirement("R-3.1.7-03")
def test_register() -> None:
    assert told(golden("register_request_esp"), "to-engine") == {}
    refuses("R-3.1.7-03", "register_request_esp", SA, Ext.SUPPORTED_AUTH)


@pytest.mark.requirement("R-3.1.7-05")
def test_answer_to_register() -> None:
    sound = golden("register_reply_esp")
    for some in (Ext.SUPPORTED_AUTH, Ext.SUPPORTED_ENCRYPT):
        assert told(lacking(sound, some), "from-engine") == {}
    breaks_only("R-3.1.7-05", lacking(sound, Ext.SUPPORTED_AUTH, Ext.SUPPORTED_ENCRYPT), sound, "from-engine")


@pytest.mark.requirement("R-3.1.8-04")
def test_expire() -> None:
    needs("R-3.1.8-04", "expire_soft", SA, SRC, DST, CURRENT)
    soft, hard = golden("expire_soft"), golden("expire_hard")
    breaks_only("R-3.1.8-04", lacking(soft, SOFT), soft, "from-engine")
    limit = hard.get(HARD)
    assert limit is not None
    breaks_only("R-3.1.8-04", having(soft, limit), soft, "from-engine")


@pytest.mark.requirement("R-3.1.8-05")
def test_expire_may_tell_of_proxy_and_sensitivity() -> None:
    sound = golden("expire_soft")
    for item in golden("add_esp_v4").extensions:
        if item.exttype in (Ext.ADDRESS_PROXY, Ext.SENSITIVITY):
            assert told(having(sound, item), "from-engine") == {}


@pytest.mark.requirement("R-3.1.9-03")
def test_flush() -> None:
    assert told(golden("flush_request"), "to-engine") == {}
    refuses("R-3.1.9-03", "flush_request", SA, SRC)


@pytest.mark.requirement("R-3.1.10-05")
def test_dumped_association() -> None:
    needs("R-3.1.10-05", "dump_record", SA, SRC, DST, Ext.KEY_AUTH, Ext.KEY_ENCRYPT)
    refuses("R-3.1.10-05", "dump_record", Ext.PROPOSAL, Ext.SPIRANGE)
    least = lacking(golden("dump_record"), CURRENT, HARD, SOFT, Ext.ADDRESS_PROXY, Ext.IDENTITY_SRC, Ext.SENSITIVITY)
    assert told(least, "from-engine") == {}


@pytest.mark.requirement("R-B-03")
def test_pchange() -> None:
    needs("R-B-03", "pchange_new", SRC, DST)
    refuses("R-B-03", "pchange_new", SA, Ext.KEY_AUTH)
    assert told(golden("pchange_new"), "from-engine") == {}


@pytest.mark.requirement("R-C-01")
def test_private_data() -> None:
    private = golden("add_ah_v6").get(Ext.KMPRIVATE)
    assert private is not None
    for name in ("add_esp_v4", "update_esp_v6", "dump_record"):
        assert told(having(golden(name), private), way_of(name)) == told(golden(name), way_of(name))
    breaks_only("R-C-01", having(golden("delete_request"), private), golden("delete_request"))


@pytest.mark.requirement("R-2.3.1-01")
@pytest.mark.parametrize("name", ["add_esp_v4", "update_esp_v6", "delete_request", "get_reply", "expire_hard"])
def test_messages_about_an_association_have_it(name: str) -> None:
    breaks_only("R-2.3.1-01", lacking(golden(name), SA), golden(name), way_of(name))


@pytest.mark.requirement("R-2.3.3-01")
@pytest.mark.parametrize("exttype", [SRC, DST])
def test_an_association_has_ends(exttype: Ext) -> None:
    sound = golden("delete_request")
    assert breaks_only("R-2.3.3-01", lacking(sound, exttype), sound).extension is exttype


@pytest.mark.requirement("R-2.3.3-11")
@pytest.mark.parametrize("exttype", [SRC, DST])
def test_ends_come_in_pairs(exttype: Ext) -> None:
    sound = golden("getspi_request_v4")
    assert breaks_only("R-2.3.3-11", lacking(sound, exttype), sound).extension is exttype


def test_kernels_have_tables_of_their_own() -> None:
    """Keys for everyone on Linux, DELETE without an association on FreeBSD, an allow list on OpenBSD."""
    assert told(golden("add_esp_tunnel_natt_broadcast", "linux"), "from-engine") == {}
    assert told(lacking(golden("delete_request", "freebsd"), SA), "to-engine") == {}
    needs("R-3.1.4-02", "delete_request", SA, dialect="openbsd")
    limit = golden("add_esp_v4", "openbsd").get(HARD)
    assert limit is not None
    for dialect, level in (("linux", "warning"), ("openbsd", "error")):
        extra = having(golden("delete_request", dialect), limit)
        assert [item.level for item in pf.check(extra) if item.rule == "R-3.1.4-02"] == [level]


def test_grammars_are_read_or_refused() -> None:
    (form,) = forms("few = [HARD] SRC\nADD > ESP X-layout SA* few KEYS SOFT|CURRENT", None)
    assert (form.type, form.to_engine, form.rule, form.spi_only, form.keys) == (
        Msg.ADD,
        True,
        "X-layout",
        True,
        "needed",
    )
    assert (form.required, form.optional, form.one_of) == ((SA, SRC), {HARD}, ((SOFT, CURRENT),))
    with pytest.raises(ValueError, match="no line of a grammar: ADD ESP SA"):
        forms("ADD ESP SA", None)


def test_an_unknown_extension_is_no_stray() -> None:
    sound = golden("delete_request", "openbsd")
    assert told(having(sound, Opaque(200, bytes(4))), "to-engine") == told(sound, "to-engine")


def test_answers_of_the_engine() -> None:
    needs("R-3.1.2-12", "update_esp_v6_reply", SRC, DST)
    refuses("R-3.1.2-12", "update_esp_v6_reply", Ext.PROPOSAL)
    needs("R-3.1.4-03", "delete_reply", SA, SRC, DST)
    refuses("R-3.1.4-03", "delete_reply", Ext.KEY_AUTH, HARD)
    needs("R-3.1.5-03", "get_reply", SA, SRC, DST, Ext.KEY_AUTH)
    refuses("R-3.1.9-04", "flush_reply", SA)


def test_a_dump_asks_for_everything() -> None:
    refuses("R-3.1.10-02", "dump_request", SA, SRC)
