"""Tables as files: whole or not at all, private where they hold keys, and read back by others."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from columns.support import associations
from corpus.groundtruth import capture
from pyarrow import ipc, parquet

import fastpfkey as pf
from fastpfkey.interop import write_arrow, write_json, write_parquet


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestParquet:
    def test_round_trip(self, tmp_path: Path) -> None:
        table = associations()
        assert write_parquet(table, tmp_path / "sad.parquet", addresses="text") == len(table)
        found = parquet.read_table(tmp_path / "sad.parquet")
        assert found["src"].to_pylist() == table._values("src")
        assert found["state"].to_pylist() == table._values("state")
        assert found["reqid"].to_pylist() == table._values("reqid")
        assert found.schema.metadata[b"dialect"] == b"linux"

    def test_tables_one_after_the_other(self, tmp_path: Path) -> None:
        """Names differ from part to part; the file has them all."""
        table = associations()
        parts = (table[start : start + 10] for start in range(0, len(table), 10))
        assert write_parquet(parts, tmp_path / "sad.parquet") == len(table)
        assert parquet.ParquetFile(tmp_path / "sad.parquet").num_row_groups == 6
        found = parquet.read_table(tmp_path / "sad.parquet")
        assert found["encrypt"].to_pylist() == table._values("encrypt")

    def test_policies(self, tmp_path: Path) -> None:
        table = pf.PolicyTable.from_buffer(capture("linux-policies.bin"), "linux", byteorder="little")
        write_parquet(table, tmp_path / "spd.parquet")
        found = parquet.read_table(tmp_path / "spd.parquet")["requests"].to_pylist()
        assert sum(map(len, found)) == len(table.requests)

    def test_a_file_that_is_open(self) -> None:
        out = io.BytesIO()
        write_parquet(associations(), out)
        assert parquet.read_table(pa.BufferReader(out.getvalue())).num_rows == 53

    def test_no_table(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="no table"):
            write_parquet([], tmp_path / "sad.parquet")

    def test_a_failure_leaves_what_was_there(self, tmp_path: Path) -> None:
        path = tmp_path / "sad.parquet"
        path.write_bytes(b"before")

        def parts() -> Iterator[pf.SATable]:
            yield associations()
            raise RuntimeError("no more")

        with pytest.raises(RuntimeError, match="no more"):
            write_parquet(parts(), path)
        assert path.read_bytes() == b"before"
        assert list(tmp_path.iterdir()) == [path]

    def test_keys_are_for_the_owner_only(self, tmp_path: Path) -> None:
        table = associations(keys=True)
        write_parquet(table, tmp_path / "with", keys=True)
        write_parquet(table, tmp_path / "without")
        assert mode(tmp_path / "with") == 0o600
        assert mode(tmp_path / "without") & 0o444 == 0o444
        assert parquet.read_table(tmp_path / "with")["key_auth"].to_pylist() == [
            key or None for key in table.key_bytes("auth")
        ]
        assert "key_auth" not in parquet.read_table(tmp_path / "without").column_names


def test_arrow_stream(tmp_path: Path) -> None:
    table = associations()
    assert write_arrow([table[:20], table[20:]], tmp_path / "sad.arrows") == 53
    with ipc.open_stream(tmp_path / "sad.arrows") as reader:
        found = reader.read_all()
    assert found["auth"].to_pylist() == table._values("auth")


class TestJSON:
    def test_lines(self) -> None:
        table = associations(keys=True)
        out = io.StringIO()
        assert write_json(table, out) == 53
        rows = [json.loads(line) for line in out.getvalue().splitlines()]
        assert rows == list(table.rows())

    def test_array_with_keys_and_fingerprints(self) -> None:
        table = associations(keys=True)
        out = io.StringIO()
        write_json([table[:9], table[9:]], out, lines=False, keys=True, fingerprint=bytes(16))
        rows = json.loads(out.getvalue())
        assert [row["key_auth"] for row in rows] == [key.hex() or None for key in table.key_bytes("auth")]
        assert [bool(row["key_auth_fingerprint"]) for row in rows] == [bool(key) for key in table.key_bytes("auth")]

    def test_policies_have_their_requests(self) -> None:
        table = pf.PolicyTable.from_buffer(capture("linux-policies.bin"), "linux", byteorder="little")
        out = io.StringIO()
        write_json(table, out)
        rows = [json.loads(line) for line in out.getvalue().splitlines()]
        assert [request for row in rows for request in row["requests"]] == list(table.requests.rows())
