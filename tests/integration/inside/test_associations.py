"""Every request about associations, with iproute2 as the witness of what it did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import requests

from .kinds import DST, DST6, KEY, LIMITS, SRC, SRC6, add_esp, esp
from .witness import assert_alike, error_of, ip, spis, xfrm_states

ESP, AH, IPCOMP = "esp", "ah", "ipcomp"


def aes(auth: str, size: int, **more: Any) -> dict[str, Any]:
    return esp(auth=auth, auth_key=KEY[:size], **more)


KINDS: dict[str, tuple[str, tuple[str, str], dict[str, Any]]] = {
    "ESP": (ESP, (SRC, DST), esp()),
    "ESP IPv6": (ESP, (SRC6, DST6), esp()),
    "ESP MD5": (ESP, (SRC, DST), aes("md5-hmac", 16)),
    "ESP SHA1": (ESP, (SRC, DST), aes("sha1-hmac", 20, encrypt_key=KEY[:24])),
    "ESP SHA512": (ESP, (SRC6, DST6), aes("sha2-512-hmac", 64, encrypt_key=KEY[:32])),
    "ESP 3DES": (ESP, (SRC, DST), aes("sha1-hmac", 20, encrypt="triple-des-cbc", encrypt_key=KEY[:24])),
    "ESP counter mode": (ESP, (SRC, DST), esp(encrypt="aes-ctr", encrypt_key=KEY[:20])),
    "ESP without encryption": (ESP, (SRC, DST), aes("sha1-hmac", 20, encrypt="null", encrypt_key=b"")),
    "ESP without integrity": (ESP, (SRC, DST), {"encrypt": "aes-cbc", "encrypt_key": KEY[:16]}),
    "ESP in a tunnel": (ESP, (SRC, DST), esp(mode="tunnel", reqid=77)),
    "ESP in UDP": (ESP, (SRC, DST), esp(natt=requests.natt(4500, 4501))),
    "ESP with a window": (ESP, (SRC, DST), esp(replay=32)),
    "ESP with limits": (ESP, (SRC, DST), esp(**LIMITS)),
    "ESP with flags": (ESP, (SRC, DST), esp(flags=["SADB_SAFLAGS_NOECN", "SADB_SAFLAGS_NOPMTUDISC"], mode="tunnel")),
    "AH": (AH, (SRC, DST), {"auth": "sha1-hmac", "auth_key": KEY[:20]}),
    "AH IPv6": (AH, (SRC6, DST6), {"auth": "sha2-256-hmac", "auth_key": KEY[:32], "mode": "tunnel"}),
    "IPCOMP": (IPCOMP, (SRC, DST), {"compress": "deflate", "mode": "transport"}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_add(client: pf.Client, kind: str) -> None:
    """The reply, the dump and iproute2 tell of what was added, and of nothing else."""
    satype, (src, dst), what = KINDS[kind]
    reply = client.add(satype, 0x1234, src, dst, **what)
    assert reply.errno == 0
    assert [state.spi for state in xfrm_states()] == [0x1234]
    (row,) = assert_alike(client)
    assert (row["spi"], str(row["src"]), str(row["dst"])) == (0x1234, src, dst)
    assert row["key_auth"] == what.get("auth_key", b"")
    assert row["key_encrypt"] == what.get("encrypt_key", b"")
    assert row["hard_addtime"] == (3600 if "hard" in what else 0)
    assert row["natt_dport"] == (4501 if "natt" in what else 0)
    assert row["reqid"] == what.get("reqid", 0)


@pytest.mark.requirement("R-1.2-05")
def test_get(client: pf.Client) -> None:
    """With its keys, to who asks only."""
    add_esp(client, 0x2001, reqid=9)
    found = client.get(ESP, 0x2001, SRC, DST)
    assert found.sa is not None
    assert (found.sa.spi, found.sa.state) == (0x2001, pf.SAState.MATURE)
    assert found.key_encrypt is not None
    assert found.key_encrypt.reveal() == KEY[:16]
    assert KEY[:16].hex() not in repr(found)


def test_getspi_and_update(client: pf.Client) -> None:
    """An SPI out of the range; then the association that was begun becomes mature."""
    spi = client.getspi(ESP, SRC, DST, 0x7000, 0x7FFF, reqid=3)
    assert 0x7000 <= spi <= 0x7FFF
    assert spis() == {spi}
    larval = client.get(ESP, spi, SRC, DST)
    assert larval.sa is not None
    assert larval.sa.state == pf.SAState.LARVAL
    assert larval.key_auth is None
    client.update(ESP, spi, SRC, DST, **esp(reqid=3))
    (row,) = assert_alike(client)
    assert (row["spi"], row["state"]) == (spi, pf.SAState.MATURE)


@pytest.mark.requirement("R-5.1-05")
def test_getspi_without_a_range(client: pf.Client) -> None:
    assert client.getspi(AH, SRC6, DST6) >= 0x100
    assert 0x100 <= client.getspi(IPCOMP, SRC, DST) <= 0xEFFF
    assert len(spis()) == 2


def test_update_changes_lifetimes(client: pf.Client) -> None:
    add_esp(client, 0x2002)
    client.update(ESP, 0x2002, SRC, DST, **esp(**LIMITS))
    (state,) = xfrm_states()
    assert (state.hard.add, state.soft.add, state.hard.bytes) == (3600, 1800, 1 << 40)
    assert_alike(client)


@pytest.mark.requirement("R-3.3-05")
def test_a_soft_limit_alone(client: pf.Client) -> None:
    """Linux takes both limits or neither, so there is a hard one that limits nothing."""
    add_esp(client, 0x2007, soft=1800)
    (state,) = xfrm_states()
    assert (state.soft.add, state.hard.add, state.hard.bytes) == (1800, 0, 0)


def test_delete(client: pf.Client) -> None:
    for spi in (0x2003, 0x2004):
        add_esp(client, spi)
    client.delete(ESP, 0x2003, SRC, DST)
    assert spis() == {0x2004}
    assert error_of(lambda: client.delete(ESP, 0x2003, SRC, DST)) == "ESRCH"


def test_flush_by_type_and_whole(client: pf.Client) -> None:
    add_esp(client, 0x2005)
    client.add(AH, 0x2006, SRC, DST, auth="sha1-hmac", auth_key=KEY[:20])
    client.flush(AH)
    assert spis() == {0x2005}
    client.flush()
    client.flush()
    assert spis() == set()


def test_a_table_of_all_kinds_is_the_kernels(client: pf.Client) -> None:
    """Row by row, what PF_KEY cannot add as well; by type it is a part of the whole."""
    for number, (satype, (src, dst), what) in enumerate(KINDS.values()):
        client.add(satype, 0x3000 + number, src, dst, **what)
    ip(
        *"xfrm state add src 10.7.0.1 dst 10.7.0.2 proto esp spi 0x7001 mode tunnel aead rfc4106(gcm(aes))".split(),
        "0x" + bytes(range(20)).hex(),
        "128",
    )
    client.getspi(ESP, SRC, DST, 0x4000, 0x4000)
    rows = assert_alike(client)
    assert len(rows) == len(KINDS) + 2
    table = client.dump()
    assert table.complete
    assert table.missing == 0
    assert set(table["spi"].tolist()) == spis()
    for satype, number in ((ESP, 3), (AH, 2), (IPCOMP, 9)):
        part = client.dump(satype)
        assert part["spi"].tolist() == [row["spi"] for row in rows if row["satype"] == number]


def test_an_empty_table_is_whole(client: pf.Client) -> None:
    table = client.dump()
    assert (len(table), table.complete, table.missing) == (0, True, 0)
    assert len(client.dump(AH)) == 0


def test_the_kernel_chooses_by_prefix(client: pf.Client) -> None:
    for number, dst in enumerate(("10.1.2.3", "10.1.77.1", "10.2.0.1")):
        add_esp(client, 0x2100 + number, dst=dst)
    add_esp(client, 0x2200, SRC6, DST6)
    assert sorted(client.dump(dst="10.1.0.0/16")["spi"].tolist()) == [0x2100, 0x2101]
    assert client.dump(ESP, src=f"{SRC}/32", dst="10.2.0.0/24")["spi"].tolist() == [0x2102]
    assert client.dump(src="2001:db8::/32")["spi"].tolist() == [0x2200]
    assert len(client.dump(dst="192.168.0.0/16")) == 0


@pytest.mark.requirement("R-3.1.7-02", "R-5.1-01")
def test_register(client: pf.Client) -> None:
    """The lists of algorithms, a message a type. Nobody registers twice, and who only asks is not registered."""
    asked, told = client.algorithms(ESP), client.register(ESP)
    for table in (asked, told):
        auth, encrypt = (
            set(table["id"][table["kind"] == kind].tolist())
            for kind in (pf.ExtensionType.SUPPORTED_AUTH, pf.ExtensionType.SUPPORTED_ENCRYPT)
        )
        assert {pf.AuthAlgorithm.SHA2_256_HMAC, pf.AuthAlgorithm.SHA1_HMAC} <= auth
        assert {pf.EncryptAlgorithm.AES_CBC, pf.EncryptAlgorithm.NULL} <= encrypt
    assert error_of(lambda: client.register(ESP)) == "EEXIST"
    assert len(client.register(AH)) == len(told)


def test_a_failed_acquire_is_answered_by_nothing(client: pf.Client) -> None:
    client.acquire_failure(ESP, seq=4711, errno=110)
    assert spis() == set()


REFUSED: dict[str, tuple[str, Callable[[Any], object]]] = {
    "added twice": ("EEXIST", lambda client: [add_esp(client, 0x2301) for _ in range(2)]),
    "an algorithm that PF_KEY cannot name": (
        "ENOSYS",
        lambda c: add_esp(c, 1 << 20, encrypt="aes-gcm-icv16", encrypt_key=KEY[:20]),
    ),
    "a key of no length for it": ("EINVAL", lambda c: add_esp(c, 0x2302, encrypt_key=KEY[:13])),
    "no association of this SPI": ("ESRCH", lambda c: c.get(ESP, 0x2303, SRC, DST)),
    "no association to update": ("ESRCH", lambda c: c.update(ESP, 0x2304, SRC, DST, **esp())),
    "an SPI that is taken": ("ENOENT", lambda c: [c.getspi(ESP, SRC, DST, 0x2305, 0x2305) for _ in range(2)]),
    "a range upside down": ("EINVAL", lambda c: c.getspi(ESP, SRC, DST, 0x2400, 0x2399)),
    "a type that cannot be flushed": ("EINVAL", lambda c: c.flush("rsvp")),
    "a type that cannot be dumped": ("EINVAL", lambda c: c.dump("mip")),
}


@pytest.mark.requirement("R-2.1-05")
@pytest.mark.parametrize("case", REFUSED)
def test_what_the_kernel_refuses_has_its_name(client: pf.Client, case: str) -> None:
    name, call = REFUSED[case]
    assert error_of(lambda: call(client)) == name
    client.flush()


def test_clients_do_not_take_each_others_replies(client: pf.Client, other: pf.Client) -> None:
    for number in range(20):
        add_esp(client, 0x5000 + number)
        assert error_of(lambda: other.get(ESP, 0x6000, SRC, DST)) == "ESRCH"
        found = other.get(ESP, 0x5000 + number, SRC, DST)
        assert found.sa is not None
        assert found.sa.spi == 0x5000 + number
