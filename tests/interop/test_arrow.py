"""Tables as Arrow: what four libraries read through the interface, compared with the rows of the ground truth."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from columns.support import MIXED, associations
from corpus.groundtruth import capture

import fastpfkey as pf
from fastpfkey.interop import to_pandas, to_polars

SALT = b"a salt of some length"


def policies() -> pf.PolicyTable:
    return pf.PolicyTable.from_buffer(capture("linux-policies.bin"), dialect="linux", byteorder="little")


READERS: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
    "pyarrow": lambda table: pa.table(table).to_pylist(),
    "pyarrow-batch": lambda table: pa.record_batch(table).to_pylist(),
    "polars": lambda table: pl.DataFrame(table).to_dicts(),
    "duckdb": lambda rows: duckdb.sql("select * from rows").to_arrow_table().to_pylist(),
    "pandas": lambda table: pd.DataFrame.from_arrow(table).astype(object).to_dict("records"),
}


class TestReaders:
    @pytest.mark.parametrize("reader", READERS)
    def test_associations(self, reader: str) -> None:
        table = associations()
        found = READERS[reader](table)
        assert [row["spi"] for row in found] == table["spi"].tolist()
        assert [row["satype"] for row in found] == table._values("satype")
        assert [row["encrypt"] for row in found] == table._values("encrypt")
        assert [bytes(row["src"]) for row in found] == [bytes(each) for each in table["src"]]
        assert [None if pd.isna(row["reqid"]) else row["reqid"] for row in found] == table._values("reqid")

    @pytest.mark.parametrize("reader", ["pyarrow", "polars", "duckdb"])
    def test_requests_of_policies(self, reader: str) -> None:
        table = policies()
        found = READERS[reader](table)
        begins = table.request_offsets.tolist()
        assert [len(row["requests"]) for row in found] == np.diff(begins).tolist()
        levels = [request["level"] for row in found for request in row["requests"]]
        assert levels == table.requests._values("level")

    def test_algorithms(self) -> None:
        table = pf.AlgorithmTable.from_buffer(capture("linux-register-esp.bin"), "linux", "little")
        assert pa.table(table)["id"].to_pylist() == table._values("id")
        assert set(pa.table(table)["kind"].to_pylist()) == {"auth", "encrypt"}


class TestColumns:
    def test_every_value_is_that_of_the_rows(self) -> None:
        table = associations()
        batch = table.to_arrow(addresses="text")
        for name in table.columns:
            expected = table["present"].tolist() if name == "present" else table._values(name)
            assert batch.column(name).to_pylist() == expected, name

    def test_numbers_and_addresses_share_memory(self) -> None:
        table = associations()
        batch = table.to_arrow()
        for name in ("spi", "current_bytes", "src"):
            assert batch.column(name).buffers()[1].address == table[name].ctypes.data

    def test_a_slice_is_its_rows(self) -> None:
        table = associations()[3:9]
        assert table.to_arrow().to_pylist() == associations().to_arrow().to_pylist()[3:9]

    def test_codes_without_names(self) -> None:
        table = associations()
        assert table.to_arrow(names=False).column("satype").to_pylist() == table["satype"].tolist()

    def test_names_depend_on_the_association_type(self) -> None:
        """An IPComp association has its compression algorithm where others have an encryption algorithm."""
        table = associations()
        ipcomp = table[table["satype"] == pf.SAType.IPCOMP]
        assert set(ipcomp.to_arrow().column("encrypt").to_pylist()) == {"deflate"}

    def test_a_table_of_one_column(self) -> None:
        assert associations(columns=["spi"]).to_arrow().schema.names == ["spi"]

    def test_an_empty_table(self) -> None:
        assert pa.table(associations(b"")).num_rows == 0
        assert associations(b"").to_arrow(addresses="text").num_rows == 0

    def test_metadata(self) -> None:
        schema = associations().to_arrow().schema
        assert schema.metadata == {b"table": b"SATable", b"dialect": b"linux"}
        assert schema.field("current_addtime").metadata[b"unit"] == b"seconds since 1970"
        assert schema.field("hard_addtime").metadata[b"unit"] == b"seconds"
        assert all(schema.field(name).metadata[b"meaning"] for name in associations().columns)

    def test_another_way_of_giving_addresses(self) -> None:
        with pytest.raises(ValueError, match="'binary' or 'text'"):
            associations().to_arrow(addresses="dotted")


class TestKeys:
    def test_are_given_only_if_asked_for(self) -> None:
        table = associations(keys=True)
        assert not any("key" in name and "bits" not in name for name in table.to_arrow().schema.names)
        telling = [key for key in table.key_bytes("auth") if len(set(key)) > 8]  # not those of zeros
        assert telling
        assert not any(key in bytes(table.to_arrow().serialize()) for key in telling)
        assert table.to_arrow(keys=True).column("key_auth").to_pylist() == [
            key or None for key in table.key_bytes("auth")
        ]

    def test_were_not_decoded(self) -> None:
        for arguments in ({"keys": True}, {"fingerprint": SALT}):
            with pytest.raises(ValueError, match="without keys=True"):
                associations().to_arrow(**arguments)

    def test_a_table_that_never_has_any(self) -> None:
        with pytest.raises(ValueError, match="PolicyTable has no keys"):
            policies().to_arrow(keys=True)

    def test_fingerprints(self) -> None:
        table = associations(keys=True)
        found = table.to_arrow(fingerprint=SALT).column("key_encrypt_fingerprint").to_pylist()
        expected = [
            hmac.new(SALT, key, hashlib.sha256).hexdigest()[:32] if key else None for key in table.key_bytes("encrypt")
        ]
        assert found == expected
        assert len(set(found)) > 2

    def test_a_salt_that_is_no_secret(self) -> None:
        with pytest.raises(ValueError, match="16 bytes or more, not 4"):
            associations(keys=True).to_arrow(fingerprint=b"salt")


class TestFrames:
    def test_pandas(self) -> None:
        table = associations(keys=True)
        frame = to_pandas(table, fingerprint=SALT)
        assert frame["src"].tolist() == table._values("src")
        assert frame["satype"].dtype == "category"
        assert frame["reqid"].isna().tolist() == table.null("reqid").tolist()
        assert "key_auth" not in frame

    def test_polars(self) -> None:
        table = associations(keys=True)
        frame = to_polars(table, keys=True)
        assert frame["dst"].to_list() == table._values("dst")
        assert frame["key_auth"].to_list() == [key or None for key in table.key_bytes("auth")]


def test_names_of_unknown_numbers() -> None:
    """A number that the dialect has no name for is a name of its own, and the rest keep theirs."""
    data = bytearray(MIXED)
    offset = int(associations()["message_offset"][1])
    data[offset + 3] = 77
    assert associations(bytes(data)).to_arrow().column("satype").to_pylist()[:3] == ["esp", "unknown-77", "esp"]
