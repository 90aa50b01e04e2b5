"""What is weak: each with the place that says so, and nothing that RFC 8221 asks for or allows."""

from __future__ import annotations

import re

import pytest

from fastpfkey.spec.terms import AuthAlgorithm as Auth
from fastpfkey.spec.terms import EncryptAlgorithm as Encrypt
from fastpfkey.spec.weakness import SHORT, UNAUTHENTICATED, UNPROTECTED, WEAK_AUTH, WEAK_ENCRYPT, Weakness

ALL = [SHORT, UNAUTHENTICATED, UNPROTECTED, *WEAK_AUTH.values(), *WEAK_ENCRYPT.values()]

WHOLE = {"RFC 2410", "RFC 2841"}
"""Documents that are about one algorithm, and nothing else."""

SECTION5 = {
    Encrypt.DES_CBC: "MUST NOT",
    Encrypt.TRIPLE_DES_CBC: "SHOULD NOT",
    Encrypt.BLOWFISH_CBC: "MUST NOT",
}
SECTION6 = {Auth.MD5_HMAC: "MUST NOT", Auth.KEYED_MD5: "MUST NOT"}
"""What tables of RFC 8221 have against algorithms that PF_KEY has a number for."""

GOOD_ENCRYPT = {Encrypt.AES_CBC, Encrypt.AES_CCM_ICV8, Encrypt.AES_GCM_ICV16, Encrypt.CHACHA20_POLY1305}
GOOD_AUTH = {
    *(Auth.SHA1_HMAC, Auth.SHA2_256_HMAC, Auth.SHA2_512_HMAC),
    *(Auth.AES_XCBC_MAC, Auth.AES128_GMAC, Auth.AES256_GMAC),
}
"""MUST, MUST-, SHOULD or MAY in the same tables. NULL too, but it encrypts nothing."""


@pytest.mark.parametrize("weakness", ALL)
def test_each_names_its_place(weakness: Weakness) -> None:
    for source in weakness.source.split("; "):
        place = re.fullmatch(r"(RFC \d+, section [\d.]+|NIST SP 800-131A rev. 2)", source)
        assert place or source in WHOLE


def test_the_tables_of_rfc_8221() -> None:
    for section, table, found in ((5, SECTION5, WEAK_ENCRYPT), (6, SECTION6, WEAK_AUTH)):
        said = {term: each for term, each in found.items() if f"RFC 8221, section {section}" in each.source}
        assert {term: each.reason.split(" be used")[0] for term, each in said.items()} == table
    assert not GOOD_ENCRYPT & set(WEAK_ENCRYPT)
    assert not GOOD_AUTH & set(WEAK_AUTH)


def test_what_rfc_9395_adds() -> None:
    """MD5 is not in it: that deprecates HMAC-MD5-128, which is no algorithm of ESP and AH."""
    said = {term for table in (WEAK_ENCRYPT, WEAK_AUTH) for term, each in table.items() if "RFC 9395" in each.source}
    assert said == {Encrypt.BLOWFISH_CBC, Encrypt.CAST128_CBC}
