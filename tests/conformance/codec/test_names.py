"""Names and numbers: RFC 2367, sections 1.7, 3 and appendix D, and who keeps to them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from wire.build import Builder

import fastpfkey as pf
from fastpfkey.spec import DIALECTS, dialect
from fastpfkey.spec.model import PF_KEY_V2, Dialect
from fastpfkey.wire.extensions import SA, Opaque
from fastpfkey.wire.message import MessageValue

SOURCE = Path(pf.__file__).parent
RFC = dialect("rfc2367")

NUMBERS = {
    "message": """SADB_RESERVED SADB_GETSPI SADB_UPDATE SADB_ADD SADB_DELETE SADB_GET SADB_ACQUIRE SADB_REGISTER
        SADB_EXPIRE SADB_FLUSH SADB_DUMP SADB_X_PROMISC SADB_X_PCHANGE""",
    "state": "SADB_SASTATE_LARVAL SADB_SASTATE_MATURE SADB_SASTATE_DYING SADB_SASTATE_DEAD",
    "identity": "SADB_IDENTTYPE_RESERVED SADB_IDENTTYPE_PREFIX SADB_IDENTTYPE_FQDN SADB_IDENTTYPE_USERFQDN",
}
"""Names that count up from 0."""

EXTENSIONS = """SADB_EXT_SA SADB_EXT_LIFETIME_CURRENT SADB_EXT_LIFETIME_HARD SADB_EXT_LIFETIME_SOFT
    SADB_EXT_ADDRESS_SRC SADB_EXT_ADDRESS_DST SADB_EXT_ADDRESS_PROXY SADB_EXT_KEY_AUTH SADB_EXT_KEY_ENCRYPT
    SADB_EXT_IDENTITY_SRC SADB_EXT_IDENTITY_DST SADB_EXT_SENSITIVITY SADB_EXT_PROPOSAL SADB_EXT_SUPPORTED_AUTH
    SADB_EXT_SUPPORTED_ENCRYPT SADB_EXT_SPIRANGE SADB_X_EXT_KMPRIVATE""".split()
"""Names that count up from 1."""

SATYPES = {
    "SADB_SATYPE_UNSPEC": 0,
    "SADB_SATYPE_AH": 2,
    "SADB_SATYPE_ESP": 3,
    "SADB_SATYPE_RSVP": 5,
    "SADB_SATYPE_OSPFV2": 6,
    "SADB_SATYPE_RIPV2": 7,
    "SADB_SATYPE_MIP": 8,
}
AUTH = {"SADB_AALG_NONE": 0, "SADB_AALG_MD5HMAC": 2, "SADB_AALG_SHA1HMAC": 3}
ENCRYPT = {"SADB_EALG_NONE": 0, "SADB_EALG_DESCBC": 2, "SADB_EALG_3DESCBC": 3, "SADB_EALG_NULL": 11}

AGAINST_THE_RULE = {
    "linux": {"SADB_SAFLAGS_NOECN", "SADB_SAFLAGS_DECAP_DSCP", "SADB_SAFLAGS_NOPMTUDISC"},
    "openbsd": {"SADB_IDENTTYPE_ASN1_DN"},
    "macos": {
        "SADB_EXT_MIGRATE_ADDRESS_DST",
        "SADB_EXT_MIGRATE_ADDRESS_SRC",
        "SADB_EXT_SASTAT",
        "SADB_EXT_SESSION_ID",
        "SADB_GETSASTAT",
        "SADB_MIGRATE",
        "SADB_SA_NATT_SRC_PORT",
    },
    "illumos": {
        "SADB_AALG_MD5",
        "SADB_AALG_SHA256HMAC",
        "SADB_AALG_SHA384HMAC",
        "SADB_AALG_SHA512HMAC",
        "SADB_DPD_MAX",
        "SADB_DPD_NONE",
        "SADB_EALG_AES",
        "SADB_EALG_AES_CCM_8",
        "SADB_EALG_AES_CCM_12",
        "SADB_EALG_AES_CCM_16",
        "SADB_EALG_AES_GCM_8",
        "SADB_EALG_AES_GCM_12",
        "SADB_EALG_AES_GCM_16",
        "SADB_EALG_BLOWFISH",
        "SADB_IDENTTYPE_USER_FQDN",
        "SADB_SAFLAGS_NOREPLAY",
    },
}
"""What the headers of systems add to the RFC's name space. They are quoted here, because programs have to use them."""

STRUCTURES_AGAINST_THE_RULE = {
    "openbsd": {"sadb_protocol", "sadb_prop_num"},
    "macos": {"sadb_sa_2", "sadb_sa_natt", "sadb_sastat", "sadb_session_id"},
}

WITHOUT = {
    "openbsd": {"SADB_X_PCHANGE", "SADB_EALG_DESCBC", "SADB_X_EXT_KMPRIVATE"},
    "illumos": {"SADB_X_PCHANGE", "SADB_X_EXT_KMPRIVATE", "SADB_IDENTTYPE_USERFQDN"},
}
"""The RFC's names that a system has not; illumos spells the last one SADB_IDENTTYPE_USER_FQDN."""


def names(subject: Dialect) -> dict[str, int]:
    """All constants of a dialect."""
    found = {name: number for table in subject.terms.values() for name, (number, _) in table.entries.items()}
    found |= {item.c_name: item.number for item in subject.extensions}
    return found | dict(subject.flags) | dict(subject.constants)


def structures(subject: Dialect) -> set[str]:
    """All structures of a dialect and their members."""
    layouts = [layout for item in subject.extensions for layout in item.layouts]
    return {layout.c_name for layout in layouts} | {item.c_name for layout in layouts for item in layout.fields}


@pytest.mark.requirement("R-1.7-01", "R-1.7-02")
def test_names_of_the_protocol_begin_with_sadb() -> None:
    others = {name for name in names(RFC) if not name.startswith("SADB_")}
    assert others == {"PFKEYV2_REVISION"}
    assert names(RFC)["PFKEYV2_REVISION"] == 199806
    assert PF_KEY_V2 == 2
    assert all(name.startswith("sadb_") for name in structures(RFC))


@pytest.mark.requirement("R-1.7-03", "R-1.7-04")
@pytest.mark.parametrize("name", DIALECTS)
def test_what_systems_added_is_marked_as_added(name: str) -> None:
    subject = dialect(name)
    added = {item for item in names(subject).keys() - names(RFC).keys() if item.startswith("SADB_")}
    assert {item for item in added if not item.startswith("SADB_X_")} == AGAINST_THE_RULE.get(name, set())
    unmarked = {item for item in structures(subject) - structures(RFC) if not item.startswith("sadb_x_")}
    allowed = STRUCTURES_AGAINST_THE_RULE.get(name, set())
    # The plain extension header, and members that the headers give no prefix.
    unmarked -= {"sadb_ext", "sadb_ext_len", "sadb_ext_type", "reserved"}
    assert all(any(item.startswith(prefix) for prefix in allowed) for item in unmarked)


@pytest.mark.requirement("R-1.7-06")
def test_no_module_has_names_that_were_not_audited() -> None:
    """Every name of the protocol that is written down in the package, wherever that is."""
    known = {item for name in DIALECTS for item in names(dialect(name))}
    written = {
        (path.name, word)
        for path in SOURCE.rglob("*.py")
        for word in re.findall(r"\bSADB_[A-Z0-9_]+", path.read_text(encoding="utf-8"))
    }
    assert written
    unknown = {(path, word) for path, word in written if word not in known and not word.endswith("_")}
    assert unknown == set()


@pytest.mark.requirement("R-3.1-01", "R-3.6-01", "R-3.7-01", "R-3.4-01", "R-3.5-03", "R-3.2-01", "R-D-01")
def test_numbers_are_those_of_the_sample_header() -> None:
    for table, listed in NUMBERS.items():
        found = {name: number for name, (number, _) in RFC.terms[table].entries.items()}
        assert found == {name: number for number, name in enumerate(listed.split())}
    assert {item.c_name: item.number for item in RFC.extensions} == {name: i for i, name in enumerate(EXTENSIONS, 1)}
    for table, numbers in (("satype", SATYPES), ("auth", AUTH), ("encrypt", ENCRYPT)):
        assert {name: number for name, (number, _) in RFC.terms[table].entries.items()} == numbers
    assert RFC.flags == {"SADB_SAFLAGS_PFS": 1}
    assert {name: number for name, number in RFC.constants.items() if name.endswith("_MAX")} == {
        "SADB_MAX": 12,
        "SADB_EXT_MAX": 17,
        "SADB_SATYPE_MAX": 8,
        "SADB_SASTATE_MAX": 3,
        "SADB_AALG_MAX": 3,
        "SADB_EALG_MAX": 11,
        "SADB_IDENTTYPE_MAX": 3,
        "SADB_KEY_FLAGS_MAX": 0,
    }


@pytest.mark.requirement("R-3-03", "R-3.5-02")
@pytest.mark.parametrize("name", DIALECTS)
def test_symbols_are_spelled_alike_everywhere(name: str) -> None:
    """One symbol, one canonical term, whatever number the system has for it."""
    subject = dialect(name)
    missing = set()
    for kind, table in RFC.terms.items():
        for symbol, (_, term) in table.entries.items():
            if symbol in subject.terms[kind].entries:
                assert subject.terms[kind].entries[symbol][1] is term
            else:
                missing.add(symbol)
    for item in RFC.extensions:
        if item.type in subject.by_type:
            assert subject.by_type[item.type].c_name == item.c_name
        else:
            missing.add(item.c_name)
    assert missing == WITHOUT.get(name, set())


@pytest.mark.requirement("R-3-01", "R-3-02")
@pytest.mark.parametrize(("name", "number"), [("linux", 3), ("freebsd", 3), ("openbsd", 2), ("illumos", 3)])
def test_symbols_stand_for_the_numbers_of_the_system(name: str, number: int) -> None:
    sa = SA(1, auth=pf.AuthAlgorithm.SHA1_HMAC, encrypt=pf.EncryptAlgorithm.TRIPLE_DES_CBC, state=pf.SAState.MATURE)
    raw = MessageValue(pf.MessageType.ADD, pf.SAType.ESP, extensions=(sa,)).encode(name)
    assert (raw[1], raw[3]) == (3, number)
    (message,) = pf.decode(raw, name)
    assert (message.type, message.satype, message.sa) == (pf.MessageType.ADD, pf.SAType.ESP, sa)


@pytest.mark.requirement("R-3-02", "R-3.5-02")
def test_an_algorithm_has_one_name_and_several_numbers() -> None:
    tables = {name: dialect(name).terms["auth"].numbers for name in DIALECTS}
    assert {name: numbers[pf.AuthAlgorithm.MD5_HMAC] for name, numbers in tables.items()} == {
        name: 1 if name == "macos" else 2 for name in DIALECTS
    }


@pytest.mark.requirement("R-1.2-06")
@pytest.mark.parametrize("name", DIALECTS)
def test_policies_are_additions(name: str) -> None:
    """Apart from macOS's, whose header has a MIGRATE of its own, all names about policies are SADB_X_."""
    policy = re.compile(r"SADB_.*(SPD|POLICY|FLOW)")
    assert all(item.startswith("SADB_X_") for item in names(dialect(name)) if policy.match(item))
    assert not any(policy.match(item) for item in names(RFC))


@pytest.mark.requirement("R-4-01")
def test_what_was_added_can_be_skipped(build: Builder) -> None:
    """A reader of the plain protocol makes of Linux's extensions so many bytes, and reads the rest."""
    raw = build.message(build.policy(), build.sa(encrypt=3), build.extension(19, bytes(12)), build.lifetime(3))
    (message,) = pf.decode(raw, "rfc2367", build.byteorder)
    assert [item.exttype.is_unknown for item in message.extensions] == [True, False, True, False]
    assert all(isinstance(item, Opaque) == item.exttype.is_unknown for item in message.extensions)
    assert message.sa is not None
    assert message.lifetime_hard is not None
    assert message.encode() == raw
