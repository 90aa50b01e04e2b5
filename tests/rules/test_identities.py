"""The rules about identities and sensitivity labels, each broken once."""

from __future__ import annotations

import pytest

from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import IdentityType

from .messages import breaks_only, changed, golden, stretched, told, written

ADD = golden("add_esp_v4")
PREFIXED = golden("add_ah_v6")


@pytest.mark.requirement("R-2.3.5-03")
def test_text_ends_with_a_nul() -> None:
    text = ADD.raw.index(b"gw1.example.net\0")
    assert text % 8 == 0
    found = breaks_only("R-2.3.5-03", written(ADD, Ext.IDENTITY_SRC, 16, b"gw1.example.net."), ADD)
    assert (found.extension, found.sentence) == (Ext.IDENTITY_SRC, "the text of IDENTITY_SRC has no NUL")


@pytest.mark.requirement("R-2.3.5-03", "R-2.4-03")
def test_text_is_padded_to_a_word_and_no_further() -> None:
    breaks_only("R-2.3.5-03", stretched(ADD, Ext.IDENTITY_SRC), ADD)


@pytest.mark.requirement("R-2.3.5-04", "R-2.3.5-02")
def test_identities_do_without_text() -> None:
    numbered = changed(ADD, Ext.IDENTITY_DST, text=None, id=1 << 63)
    assert told(numbered, "to-engine") == told(ADD, "to-engine")


@pytest.mark.requirement("R-2.3.6-01")
def test_labels_are_as_long_as_they_say() -> None:
    assert breaks_only("R-2.3.6-01", stretched(ADD, Ext.SENSITIVITY), ADD).extension is Ext.SENSITIVITY


@pytest.mark.requirement("R-3.7-01")
def test_type_zero_is_reserved() -> None:
    breaks_only("R-3.7-01", changed(ADD, Ext.IDENTITY_SRC, type=IdentityType.RESERVED), ADD)


@pytest.mark.requirement("R-3.7-02")
@pytest.mark.parametrize(
    "text",
    [
        "2001:db8:1112::",
        "2001:db8:1112::/",
        "2001:db8:1112::/129",
        "2001:db8:1112::/0x30",
        "2001:db8:1112::/+48",
        "2001:db8:1112::/ffff:ffff:ffff::",
        "gateway/48",
        "10.0.0.0/33",
        "10.0.0.0/255.0.0.0",
        "10/8",
        "/8",
        "",
    ],
)
def test_prefixes_read_address_and_length(text: str) -> None:
    breaks_only("R-3.7-02", changed(PREFIXED, Ext.IDENTITY_SRC, text=text), PREFIXED)


@pytest.mark.requirement("R-3.7-03")
def test_prefixes_have_no_bits_behind_their_length() -> None:
    spoiled = changed(PREFIXED, Ext.IDENTITY_SRC, text="2001:db8:1112:1::/48")
    assert breaks_only("R-3.7-03", spoiled, PREFIXED).sentence == (
        "2001:db8:1112:1::/48 in IDENTITY_SRC has bits behind its length; 2001:db8:1112::/48 has none"
    )


@pytest.mark.requirement("R-3.7-05", "R-3.7-04")
def test_ends_lie_in_their_prefix_however_it_is_spelt() -> None:
    breaks_only("R-3.7-05", changed(PREFIXED, Ext.IDENTITY_SRC, text="2001:db8:1113::/48"), PREFIXED)
    breaks_only("R-3.7-05", changed(PREFIXED, Ext.IDENTITY_SRC, text="10.0.0.0/8"), PREFIXED)
    for text in ("2001:0DB8:1112:0:0::/48", "2001:db8:1112::0.0.0.0/48", "::/0"):
        assert told(changed(PREFIXED, Ext.IDENTITY_SRC, text=text), "to-engine") == told(PREFIXED, "to-engine")


@pytest.mark.requirement("R-3.7-06")
def test_prefixes_and_names_have_no_number() -> None:
    breaks_only("R-3.7-06", changed(PREFIXED, Ext.IDENTITY_DST, id=7), PREFIXED)
    breaks_only("R-3.7-06", changed(ADD, Ext.IDENTITY_SRC, id=7), ADD)


@pytest.mark.requirement("R-3.7-07")
@pytest.mark.parametrize("text", ["alice", "@example.org", "alice@", "alice@home@example.org", ""])
def test_users_have_a_domain(text: str) -> None:
    breaks_only("R-3.7-07", changed(ADD, Ext.IDENTITY_DST, text=text), ADD)
