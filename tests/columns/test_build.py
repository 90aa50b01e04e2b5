"""Messages from tables: a dump's own bytes again, requests that engines take, and rows that cannot be used."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import Any

import numpy as np
import pytest
from corpus.groundtruth import capture

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.synthetic import synthetic

from .support import MIXED, associations, same, sixteen

CAPTURES = ["linux-mixed.bin", "linux-mixed-satype2.bin", "linux-mixed-satype3.bin", "linux-mixed-satype9.bin"]
RANDOM = capture("setkey/sad.bin")
REQUESTS = [pf.build_add, pf.build_update, pf.build_delete, pf.build_get]
V4 = sixteen(IPv4Address("192.0.2.1"))


def mapping(rows: int = 3, **changes: Any) -> dict[str, Any]:
    """Associations of ESP, all that a row needs and no more."""
    ends = np.frombuffer(V4, np.uint8)
    found: dict[str, Any] = {
        "satype": pf.SAType.ESP,
        "spi": np.arange(1000, 1000 + rows),
        "src": ends,
        "dst": np.tile(ends, (rows, 1)),
        "encrypt": pf.EncryptAlgorithm.AES_CBC,
        "key_encrypt": np.arange(rows * 16, dtype=np.uint8).reshape(rows, 16),
    }
    return {name: value for name, value in (found | changes).items() if value is not None}


def messages(lease: pf.Lease, dialect: str = "linux", byteorder: str = "little") -> list[pf.Message]:
    """What was built, in memory of its own."""
    return list(pf.decode(bytes(lease), dialect, byteorder))  # type: ignore[arg-type]


class TestDump:
    @pytest.mark.parametrize("name", CAPTURES)
    def test_a_kernels_dump_comes_back_as_it_was(self, name: str) -> None:
        data = capture(name)
        with pf.build_dump(associations(data, keys=True)) as lease:
            assert bytes(lease) == data
            assert lease.offsets.tolist() == associations(data)["message_offset"].tolist()

    @pytest.mark.parametrize("byteorder", ["little", "big"])
    @pytest.mark.parametrize("dialect", spec.DIALECTS)
    def test_dumps_of_all_systems_say_the_same_again(self, dialect: str, byteorder: Any) -> None:
        """Those of Linux to the byte; of others the order of extensions is not that of the made-up dump."""
        data = synthetic(2000, dialect=dialect, byteorder=byteorder)
        table = pf.SATable.from_buffer(data, dialect, byteorder=byteorder, keys=True)
        with pf.build_dump(table) as lease:
            assert len(lease) == len(data)
            again = pf.SATable.from_buffer(bytes(lease), dialect, byteorder=byteorder, keys=True)
            assert dialect != "linux" or bytes(lease) == data.tobytes()
        assert same(table, again)
        assert [table.key_bytes(kind) for kind in ("auth", "encrypt")] == [
            again.key_bytes(kind) for kind in ("auth", "encrypt")
        ]

    @pytest.mark.slow
    def test_a_million_associations(self) -> None:
        data = synthetic(1_000_000)
        with pf.build_dump(pf.SATable.from_buffer(data, "linux", keys=True)) as lease:
            assert np.array_equal(np.frombuffer(lease, np.uint8), data)

    def test_fields_at_random_in_any_order_are_equal_by_content(self) -> None:
        """Contexts and original addresses among them, which no column describes."""
        table = associations(RANDOM, keys=True)
        with pf.build_dump(table) as lease:
            built = messages(lease)
        assert {"sec-ctx", "natt-oa"} <= {item.exttype.label for message in built for item in message.extensions}
        for found, expected in zip(built, messages(RANDOM), strict=True):  # type: ignore[arg-type]
            assert found.seq == expected.seq
            assert sorted(found.extensions, key=_number) == sorted(expected.extensions, key=_number)

    def test_selections_and_changes_are_what_is_written(self) -> None:
        table = associations(keys=True)[::-2]
        table["spi"][:] = np.arange(len(table))
        with pf.build_dump(table) as lease:
            again = associations(bytes(lease), keys=True)
        assert again["spi"].tolist() == list(range(len(table)))
        assert again.key_bytes("auth") == table.key_bytes("auth")

    def test_without_numbers_it_counts_down_to_the_end(self) -> None:
        with pf.build_dump(mapping(), dialect="linux", byteorder="little") as lease:
            assert [message.seq for message in messages(lease)] == [2, 1, 0]

    def test_keys_that_were_not_decoded_cannot_be_given_back(self) -> None:
        with pytest.raises(pf.UnusableRowsError, match="key-auth: it is in no column") as caught:
            pf.build_dump(associations())
        assert sorted(row for rows in caught.value.rows.values() for row in rows) == [
            row
            for row, message in enumerate(messages(MIXED))
            if message.key_auth or message.key_encrypt  # type: ignore[arg-type]
        ]

    def test_extensions_of_several_buffers_cannot_be_given_back(self) -> None:
        table = pf.SATable.concat([associations(bytes(RANDOM), keys=True), associations(bytes(RANDOM), keys=True)])
        with pytest.raises(pf.UnusableRowsError, match="sec-ctx: it is in no column") as caught:
            pf.build_dump(table)
        assert set(caught.value.rows) == {"with sec-ctx: it is in no column, and not in a buffer that the table has"}

    def test_a_buffer_that_has_changed_is_noticed(self) -> None:
        data = bytearray(RANDOM)
        table = associations(data, keys=True)
        data[:] = bytes(len(data))
        with pytest.raises(ValueError, match="other messages than it was decoded from"):
            pf.build_dump(table)


def _number(extension: Any) -> int:
    return int(extension.exttype)


class TestAdd:
    def test_what_a_dump_lacks_is_told_of_all_rows_together(self) -> None:
        with pytest.raises(pf.UnusableRowsError) as caught:
            pf.build_add(associations(keys=True))
        assert {why.partition(":")[0]: len(rows) for why, rows in caught.value.rows.items()} == {
            "larval": 2,
            "AEAD without key": 4,
            "key without algorithm": 1,
        }
        assert str(caught.value).startswith("7 of 53 rows cannot be used: 2 larval: ")

    @pytest.mark.requirement("R-3.1.3-04", "R-3.1.3-06")
    @pytest.mark.parametrize("function", [pf.build_add, pf.build_update])
    def test_the_rest_passes_check(self, function: Callable[..., pf.Lease]) -> None:
        table = associations(keys=True)
        with function(table, on_error="skip", pid=7, seq=5) as lease:
            left_out = sorted(row for rows in lease.left_out.values() for row in rows)
            built = messages(lease)
            assert lease.offsets.tolist() == [message.offset for message in pf.decode(bytes(lease), "linux", "little")]  # type: ignore[attr-defined]
        assert [violation for message in built for violation in pf.check(message) if violation.level == "error"] == []
        assert [message.seq for message in built] == list(range(5, 5 + 46))
        assert {message.pid for message in built} == {7}
        assert {message.sa.state for message in built if message.sa} == {pf.SAState.MATURE}
        kept = np.setdiff1d(np.arange(len(table)), left_out)
        assert [message.sa.spi for message in built if message.sa] == table[kept]["spi"].tolist()
        assert len(left_out) == 7

    @pytest.mark.parametrize("dialect", spec.DIALECTS)
    def test_engines_of_all_systems_take_it(self, dialect: str) -> None:
        table = pf.SATable.from_buffer(synthetic(500, dialect=dialect), dialect, keys=True)
        with pf.build_add(table, on_error="skip") as lease:
            built = list(pf.decode(bytes(lease), dialect))
            assert len(built) > 70
            left_out = {why.partition(":")[0] for why in lease.left_out}
        assert left_out <= {"larval", "AEAD without key", "SA type ipcomp"}
        errors = {str(item) for message in built for item in pf.check(message) if item.level == "error"}
        assert errors == set()

    def test_a_mapping_needs_no_more_than_rows_do(self) -> None:
        keys = [bytes([row]) * 16 for row in range(3)]
        for given in (mapping(), mapping(key_encrypt=keys), mapping(spi=77)):
            with pf.build_add(given, dialect="linux", byteorder="big") as lease:
                built = messages(lease, byteorder="big")
            assert [pf.check(message) for message in built if any(v.level == "error" for v in pf.check(message))] == []
            assert [str(message.address_src.ip) for message in built if message.address_src] == ["192.0.2.1"] * 3
        assert [message.sa.spi for message in built if message.sa] == [77] * 3
        with pf.build_add(mapping(key_encrypt=keys), dialect="linux") as lease:
            assert [m.key_encrypt.reveal() for m in pf.decode(bytes(lease), "linux") if m.key_encrypt] == keys

    def test_a_store_of_keys_serves_a_mapping(self) -> None:
        table = associations(keys=True)[np.array([0, 3])]
        given = {name: table[name] for name in ("satype", "spi", "src", "dst", "auth", "encrypt")}
        with pf.build_add({**given, "keys": table.keys}, dialect="linux", byteorder="little") as lease:
            built = messages(lease)
        for kind in ("auth", "encrypt"):
            found = [getattr(message, f"key_{kind}") for message in built]
            assert [key.reveal() if key else b"" for key in found] == table.key_bytes(kind)

    @pytest.mark.parametrize("dialect", ["openbsd", "illumos"])
    def test_flags_say_the_mode_where_nothing_else_does(self, dialect: str) -> None:
        tunnel = spec.dialect(dialect).flags["SADB_X_SAFLAGS_TUNNEL"]
        modes = [pf.Mode.TUNNEL, pf.Mode.TRANSPORT, pf.Mode.ANY]
        with pf.build_add(mapping(mode=modes, flags=[1, 1 | tunnel, 1]), dialect=dialect) as lease:
            found = [message.sa.flags for message in pf.decode(bytes(lease), dialect) if message.sa]
        assert found == [1 | tunnel, 1, 1]

    def test_an_extension_is_there_for_what_is_not_zero(self) -> None:
        given = mapping(hard_addtime=[0, 60, 0], reqid=[0, 0, 5], natt_type=[2, 0, 0])
        with pf.build_add(given, dialect="linux", byteorder="little") as lease:
            found = [{item.exttype.label for item in message.extensions} for message in messages(lease)]
        always = {"sa", "address-src", "address-dst", "key-encrypt"}
        assert [item - always for item in found] == [{"natt-type"}, {"lifetime-hard", "lifetime-soft"}, {"sa2"}]

    def test_linux_gets_a_key_of_no_bits_for_no_encryption(self) -> None:
        given = mapping(encrypt=pf.EncryptAlgorithm.NULL, key_encrypt=None)
        with pf.build_add(given, dialect="linux", byteorder="little") as lease:
            assert [message.key_encrypt.bits for message in messages(lease) if message.key_encrypt] == [0, 0, 0]

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"spi": None}, "add: columns are missing: spi"),
            ({"satype": None, "src": None}, "add: columns are missing: satype, src"),
            ({"spi": [1, 2, 1 << 32]}, "spi: a value does not fit 32 bits"),
            ({"spi": [1, 2, -1]}, "spi: a value does not fit 32 bits"),
            ({"spi": [1.5, 2, 3]}, "spi: numbers in one dimension"),
            ({"spi": [1, 2]}, "different numbers of rows: spi 2, dst 3"),
            ({"src": np.zeros((3, 4), np.uint8)}, "src: addresses are arrays of 16 bytes"),
            ({"key_encrypt": ["text"]}, "key_encrypt: an array"),
            ({"key_encrypt": np.zeros((3, 16), np.uint16)}, "key_encrypt: an array of keys is"),
            ({"key_encrypt": [bytes(9000)] * 3}, "key_encrypt: a key is longer"),
            ({"keys": 1}, "keys: the key store of a table is needed"),
            ({"key_encrypt": None}, r"3 of 3 rows cannot be used: 3 aes-cbc without its key \(row 0, 1, 2\)"),
            ({"encrypt": None}, "3 key without algorithm: encryption"),
            ({"encrypt": None, "key_encrypt": None}, "AEAD without key"),
            ({"satype": pf.SAType.AH, "key_encrypt": None, "encrypt": None}, "AH without an authentication algorithm"),
            ({"satype": pf.SAType.IPCOMP, "key_encrypt": None, "encrypt": None}, "IPCOMP without a compression"),
            ({"satype": 77}, "SA type code-77: linux takes no add for it"),
            ({"encrypt": pf.EncryptAlgorithm.AES_GCM_ICV16}, "aes-gcm-icv16, which linux does not set up here"),
            ({"encrypt": 0x8000 + 200}, "with an algorithm that is not known"),
            ({"state": [pf.SAState.DEAD, 1, 1]}, r"1 of 3 rows cannot be used: 1 dead \(row 0\)"),
            ({"replay": [0, 300, 0]}, r"with sa\.replay: .*\(row 1\)"),
            ({"src_family": [4, 0, 4]}, r"with address-src: .* no IP family.*\(row 1\)"),
        ],
    )
    def test_what_does_not_do_is_told(self, changes: dict[str, Any], reason: str) -> None:
        with pytest.raises(pf.EncodeError, match=reason):
            pf.build_add(mapping(**changes), dialect="linux")

    def test_an_unknown_name_is_told(self) -> None:
        with pytest.raises(KeyError, match="no column 'color'"):
            pf.build_add(mapping(color=1))

    def test_numbers_do_not_wrap(self) -> None:
        with pytest.raises(pf.EncodeError, match="past 32 bits"):
            pf.build_add(mapping(), dialect="linux", seq=(1 << 32) - 2)

    def test_what_was_built_before_changes_nothing(self) -> None:
        """Templates are remembered: by all that is in them."""
        with pf.build_add(mapping(), pid=1) as lease:
            first = bytes(lease)
        with pf.build_add(mapping(), pid=2) as lease:
            assert {message.pid for message in messages(lease)} == {2}
        with pf.build_add(mapping(key_encrypt=np.zeros((3, 32), np.uint8)), pid=1) as lease:
            assert len(lease) == len(first) + 3 * 16
        with pf.build_update(mapping(), pid=1) as lease:
            assert {message.type for message in messages(lease)} == {pf.MessageType.UPDATE}
        for _ in range(2):
            with pytest.raises(pf.UnusableRowsError):
                pf.build_add(mapping(satype=0), pid=1)
        with pf.build_add(mapping(), pid=1) as lease:
            assert bytes(lease) == first

    def test_it_is_built_in_a_pool_and_wiped_there(self) -> None:
        pool = pf.BufferPool(slab_size=1 << 16, slabs=1, max_slabs=1)
        for _ in range(3):
            with pf.build_add(mapping(), dialect="linux", pool=pool) as lease:
                assert lease.holds_keys
                size = len(lease)
        with pool.acquire() as lease:
            assert bytes(lease)[:size] == bytes(size)
        assert pool.statistics.allocations == 1
        assert size == 3 * (16 + 16 + 24 + 24 + 24)

    def test_an_error_leaves_nothing_lent(self) -> None:
        pool = pf.BufferPool(slab_size=1 << 16, slabs=1, max_slabs=1)
        with pytest.raises(pf.UnusableRowsError):
            pf.build_add(mapping(key_encrypt=None), dialect="linux", pool=pool)
        assert pool.statistics.high_water == 0

    def test_key_bytes_show_in_no_error(self) -> None:
        with pytest.raises(pf.EncodeError) as caught:
            pf.build_add(mapping(encrypt=0, key_encrypt=[b"SECRETSECRET"] * 3), dialect="linux")
        assert "SECRET" not in str(caught.value) + repr(caught.value)


class TestNamed:
    @pytest.mark.requirement("R-3.1.4-02", "R-3.1.5-02")
    @pytest.mark.parametrize(("function", "type"), [(pf.build_delete, "delete"), (pf.build_get, "get")])
    def test_any_row_can_be_named(self, function: Callable[..., pf.Lease], type: str) -> None:
        table = associations()
        with function(table) as lease:
            built = messages(lease)
            assert not lease.holds_keys
        assert [item for message in built for item in pf.check(message) if item.level == "error"] == []
        assert {message.type.label for message in built} == {type}
        assert {tuple(item.exttype.label for item in message.extensions) for message in built} == {
            ("sa", "address-src", "address-dst")
        }
        assert [message.sa.spi for message in built if message.sa] == table["spi"].tolist()
        assert {(message.sa.replay, message.sa.encrypt) for message in built if message.sa} == {(0, 0)}

    def test_four_columns_do(self) -> None:
        table = associations(columns=["satype", "spi", "src", "dst"])
        with pf.build_delete(table) as few, pf.build_delete(associations()) as all_of_them:
            names = [[(m.sa, m.address_src.ip, m.address_dst.ip) for m in messages(x)] for x in (few, all_of_them)]  # type: ignore[union-attr]
        assert names[0] == names[1]


@pytest.mark.parametrize("function", [*REQUESTS, pf.build_dump])
def test_no_rows_are_no_messages(function: Callable[..., pf.Lease]) -> None:
    for table in (associations(b"", keys=True), mapping(rows=0)):
        with function(table) as lease:
            assert (len(lease), len(lease.offsets)) == (0, 0)


@pytest.mark.parametrize("arguments", [{"on_error": "ignore"}, {"dialect": "freebsd"}, {"byteorder": "middle"}])
def test_nonsense_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ignore|flags mean something else|middle"):
        pf.build_get(associations(), **arguments)


def test_messages_are_built_where_there_are_no_files_in_memory() -> None:
    """As on macOS, where the reference twin is what a pure wheel has."""
    code = """
import os
if hasattr(os, "memfd_create"):
    del os.memfd_create
import numpy as np
import fastpfkey as pf
ends = np.frombuffer(bytes(10) + b"\\xff\\xff\\xc0\\x00\\x02\\x01", np.uint8)
with pf.build_get({"satype": pf.SAType.ESP, "spi": np.array([256]), "src": ends, "dst": ends}, seq=9) as lease:
    (message,) = pf.decode(bytes(lease))
print(pf.BACKEND, message.type.label, message.seq)
"""
    environment = {**os.environ, "FASTPFKEY_BACKEND": "reference"}
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["reference", "get", "9"]
