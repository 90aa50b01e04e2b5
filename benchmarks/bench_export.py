"""Tables as Parquet, beside pyarrow writing the same Arrow table when it is there already."""

from __future__ import annotations

import io
from typing import Any

import pytest
from pyarrow import parquet

import fastpfkey as pf
from fastpfkey.columns.synthetic import synthetic
from fastpfkey.interop import write_parquet

from .conftest import Octets, Row

EXPORT = "parquet"


@pytest.fixture(scope="module")
def octets() -> Octets:
    return synthetic(1_000_000, seed=1)


@pytest.fixture(scope="module")
def table(octets: Octets) -> pf.SATable:
    return pf.SATable.from_buffer(octets, "linux")


def test_pyarrow_alone(octets: Octets, table: pf.SATable, row: Row) -> None:
    batch: Any = table.to_arrow()

    def write() -> None:
        with parquet.ParquetWriter(io.BytesIO(), batch.schema, compression="zstd") as out:
            out.write_batch(batch)

    row(EXPORT, octets, write, rounds=3)


def test_table(octets: Octets, table: pf.SATable, row: Row) -> None:
    row(EXPORT, octets, lambda: write_parquet(table, io.BytesIO()), rounds=3)


def test_arrow_table(octets: Octets, table: pf.SATable, row: Row) -> None:
    row(EXPORT, octets, table.to_arrow, rounds=3)
