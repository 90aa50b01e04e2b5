"""Terms: open enumerations, one code for one meaning in every dialect, and the way from wire to canonical and back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastpfkey.spec import DIALECTS, dialect, terms
from fastpfkey.spec.term_tables import TermTable
from fastpfkey.spec.terms import (
    UNKNOWN,
    AuthAlgorithm,
    CompressAlgorithm,
    Direction,
    EncryptAlgorithm,
    ExtensionType,
    FlowType,
    IdentityType,
    Level,
    MessageType,
    Mode,
    NATTType,
    PolicyType,
    SAState,
    SAType,
    Term,
)

KINDS = [
    kind for kind in vars(terms).values() if isinstance(kind, type) and issubclass(kind, Term) and kind is not Term
]


def tables() -> Iterator[tuple[str, str, TermTable]]:
    for name in DIALECTS:
        for kind, entries in dialect(name).terms.items():
            yield name, kind, entries


TABLES = [pytest.param(entries, id=f"{name}-{kind}") for name, kind, entries in tables()]


@pytest.mark.parametrize("kind", KINDS)
class TestOpenEnumerations:
    def test_codes_stay_below_the_unknown_ones(self, kind: type[Term]) -> None:
        assert all(0 <= member < UNKNOWN for member in kind)

    def test_an_unknown_number_survives(self, kind: type[Term]) -> None:
        term = kind.unknown(200)
        assert (term, term.is_unknown, term.wire, term.label) == (UNKNOWN + 200, True, 200, "unknown-200")
        assert kind(int(term)) == term
        assert isinstance(term, kind)

    def test_text_is_the_label_and_a_numeric_format_the_number(self, kind: type[Term]) -> None:
        for term in (*kind, kind.unknown(200)):
            assert str(term) == f"{term}" == term.label
            assert f"{term:>40}" == term.label.rjust(40)
            assert f"{term:d} {term:#06x}" == f"{term.value} {term.value:#06x}"

    def test_a_code_without_a_name_says_so(self, kind: type[Term]) -> None:
        code = max(kind) + 1
        assert (kind(code).label, kind(code).is_unknown) == (f"code-{code}", False)

    def test_members_are_not_added_by_looking_them_up(self, kind: type[Term]) -> None:
        before = list(kind)
        kind.unknown(7)
        assert list(kind) == before

    @pytest.mark.parametrize("value", [-1, 0x10000])
    def test_what_no_16_bits_hold_is_no_term(self, kind: type[Term], value: int) -> None:
        with pytest.raises(ValueError, match=str(value)):
            kind(value)

    def test_numbers_beyond_15_bits_share_the_last_code(self, kind: type[Term]) -> None:
        assert kind.unknown(0x7FFF) == kind.unknown(0xFFFF_FFFF) == 0xFFFF


@pytest.mark.parametrize("entries", TABLES)
class TestBetweenWireAndCanonical:
    def test_every_known_number_comes_back(self, entries: TermTable) -> None:
        for number, term in entries.canonical.items():
            assert isinstance(term, entries.kind)
            assert not term.is_unknown
            assert entries.term(number) is term
            assert entries.number(term) == number

    @given(number=st.integers(0, 0x7FFE))
    def test_every_number_comes_back(self, entries: TermTable, number: int) -> None:
        assert entries.number(entries.term(number)) == number

    def test_a_term_that_the_dialect_lacks_is_refused(self, entries: TermTable) -> None:
        missing = [term for term in entries.kind if term not in entries.numbers]
        for term in missing:
            with pytest.raises(KeyError, match=term.name):
                entries.number(term)

    def test_two_names_of_a_number_mean_the_same(self, entries: TermTable) -> None:
        assert all(entries.canonical[number] == term for number, term in entries.entries.values())

    def test_two_numbers_never_mean_the_same(self, entries: TermTable) -> None:
        assert len(set(entries.canonical.values())) == len(entries.canonical)


MEANINGS: dict[type[Term], dict[str, Term]] = {
    AuthAlgorithm: {
        r"MD5HMAC": AuthAlgorithm.MD5_HMAC,
        r"SHA1HMAC": AuthAlgorithm.SHA1_HMAC,
        r"SHA2?_?256(HMAC)?": AuthAlgorithm.SHA2_256_HMAC,
        r"SHA2?_?384(HMAC)?": AuthAlgorithm.SHA2_384_HMAC,
        r"SHA2?_?512(HMAC)?": AuthAlgorithm.SHA2_512_HMAC,
        r"RIPEMD160HMAC": AuthAlgorithm.RIPEMD160_HMAC,
        r"AES_XCBC_MAC": AuthAlgorithm.AES_XCBC_MAC,
        r"SM3_256HMAC": AuthAlgorithm.SM3_256_HMAC,
        r"AES128GMAC": AuthAlgorithm.AES128_GMAC,
        r"AES192GMAC": AuthAlgorithm.AES192_GMAC,
        r"AES256GMAC": AuthAlgorithm.AES256_GMAC,
        r"MD5": AuthAlgorithm.KEYED_MD5,
        r"SHA": AuthAlgorithm.KEYED_SHA1,
    },
    EncryptAlgorithm: {
        r"DESCBC": EncryptAlgorithm.DES_CBC,
        r"3DESCBC": EncryptAlgorithm.TRIPLE_DES_CBC,
        r"CAST(128)?(CBC)?": EncryptAlgorithm.CAST128_CBC,
        r"BLF|BLOWFISH(CBC)?": EncryptAlgorithm.BLOWFISH_CBC,
        r"AES(CBC)?|RIJNDAELCBC": EncryptAlgorithm.AES_CBC,
        r"AESCTR": EncryptAlgorithm.AES_CTR,
        r"AES_CCM_(ICV)?8": EncryptAlgorithm.AES_CCM_ICV8,
        r"AES_CCM_(ICV)?12": EncryptAlgorithm.AES_CCM_ICV12,
        r"AES_CCM_(ICV)?16": EncryptAlgorithm.AES_CCM_ICV16,
        r"AES_?GCM_?(ICV)?8": EncryptAlgorithm.AES_GCM_ICV8,
        r"AES_?GCM_?(ICV)?12": EncryptAlgorithm.AES_GCM_ICV12,
        r"AES_?GCM(_?(ICV)?16)?": EncryptAlgorithm.AES_GCM_ICV16,
        r"(NULL_)?AES_?GMAC": EncryptAlgorithm.NULL_AES_GMAC,
        r"CAMELLIACBC": EncryptAlgorithm.CAMELLIA_CBC,
        r"SM4CBC": EncryptAlgorithm.SM4_CBC,
        r"SERPENTCBC": EncryptAlgorithm.SERPENT_CBC,
        r"TWOFISHCBC": EncryptAlgorithm.TWOFISH_CBC,
    },
    SAType: {r"TCPSIG(NATURE)?": SAType.TCPSIGNATURE},
    IdentityType: {
        r"ADDR": IdentityType.ADDRESS,
        r"USER_?FQDN": IdentityType.USERFQDN,
        r"(ASN1_)?DN": IdentityType.DN,
        r"ADDR_RANGE": IdentityType.ADDRESS_RANGE,
    },
    Direction: {r"IN(BOUND)?": Direction.IN, r"OUT(BOUND)?": Direction.OUT},
    PolicyType: {r"DENY": PolicyType.DISCARD},
}
"""What the systems' spellings mean, where it is not the name of the term itself."""

PREFIXES: dict[type[Term], str] = {
    MessageType: "SADB_(X_)?",
    SAType: "SADB_(X_)?SATYPE_",
    SAState: "SADB_(X_)?SASTATE_",
    AuthAlgorithm: "SADB_(X_)?AALG_",
    EncryptAlgorithm: "SADB_(X_)?EALG_",
    CompressAlgorithm: "SADB_X_CALG_",
    IdentityType: "SADB_(X_)?IDENTTYPE_",
    Mode: "IPSEC_MODE_",
    PolicyType: "IPSEC_POLICY_|SADB_X_FLOW_TYPE_",
    Direction: "IPSEC_DIR_|IPSP_DIRECTION_",
    Level: "IPSEC_LEVEL_",
    NATTType: "UDP_ENCAP_",
    FlowType: "SADB_X_FLOW_TYPE_",
}


ALONE = {"SADB_AALG_MD5": AuthAlgorithm.TCP_MD5}
"""Names that mean what another prefix would not: illumos signs TCP segments with plain MD5, and nothing else."""


def meaning(kind: type[Term], c_name: str) -> Term:
    """The term that a C name means, judged by the name alone."""
    if c_name in ALONE:
        return ALONE[c_name]
    spelling = re.sub(f"^({PREFIXES[kind]})", "", c_name)
    assert spelling != c_name
    found = [term for pattern, term in MEANINGS.get(kind, {}).items() if re.fullmatch(pattern, spelling)]
    return found[0] if found else kind[spelling.replace("CHACHA20POLY1305", "CHACHA20_POLY1305")]


@pytest.mark.parametrize("entries", TABLES)
def test_a_number_means_what_its_name_says(entries: TermTable) -> None:
    assert {name: term for name, (_, term) in entries.entries.items()} == {
        name: meaning(entries.kind, name) for name in entries.entries
    }


SECOND_NAMES = {
    "NAT_T_OAI": "NATT_OA",
    "LFT_CUR_SW_OFFL": "LIFETIME_SW_OFFLOAD",
    "LFT_CUR_HW_OFFL": "LIFETIME_HW_OFFLOAD",
    "IF_HW_OFFL": "IF_HW_OFFLOAD",
    "DST2": "SECOND_DST",
    "REPLAY": "REPLAY_COUNTER",
    "REPLAY_VALUE": "REPLAY_COUNTER",
    "IFACE": "INTERFACE",
    "EREG": "EXTENDED_REGISTER",
    "EPROP": "EXTENDED_PROPOSAL",
    "EDUMP": "EXTENDED_DUMP",
    "OUTER_SENS": "OUTER_SENSITIVITY",
    "ADDRESS_NATT_LOC": "NATT_LOCAL",
    "ADDRESS_NATT_REM": "NATT_REMOTE",
    "ADDRESS_INNER_DST": "INNER_DST",
    "MIGRATE_ADDRESS_SRC": "NEW_ADDRESS_SRC",
    "MIGRATE_ADDRESS_DST": "NEW_ADDRESS_DST",
}
"""Extensions whose C name is not that of their canonical type."""

FALSE_FRIENDS = {("openbsd", "SA2"): "SECOND_SA", ("openbsd", "POLICY"): "POLICY_SEQ"}
"""Names that mean another thing on one system."""


@pytest.mark.parametrize("name", DIALECTS)
def test_extensions_mean_what_their_names_say(name: str) -> None:
    for item in dialect(name).extensions:
        spelling = re.sub(r"^SADB_(X_)?EXT_", "", item.c_name)
        plain = spelling.replace("NAT_T_", "NATT_").replace("ADDR_RANGE_", "RANGE_")
        wanted = FALSE_FRIENDS.get((name, spelling)) or SECOND_NAMES.get(spelling) or plain
        assert item.type == ExtensionType[wanted], item.c_name


def test_bits_of_present() -> None:
    """One for each extension below 63; the others share one."""
    low = [item for item in ExtensionType if item < 63]
    assert [item.bit for item in low] == [int(item) for item in low]
    assert {item.bit for item in ExtensionType if item >= 63} == {63}
    assert ExtensionType.unknown(5).bit == 63


def test_esp_is_esp_wherever_it_comes_from() -> None:
    wire = {name: dialect(name).satype(SAType.ESP) for name in DIALECTS}
    assert wire == {name: 2 if name == "openbsd" else 3 for name in DIALECTS}


def test_an_unknown_dialect_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown dialect 'plan9'; known are host, rfc2367, linux, freebsd"):
        dialect("plan9")


def test_a_dialect_passes_through() -> None:
    assert dialect(dialect("openbsd")) is dialect("openbsd")
