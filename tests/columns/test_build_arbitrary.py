"""Any rows at all: built, decoded, and equal again; by both twins to the same bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import hotpath, spec
from fastpfkey.columns import build as building
from fastpfkey.spec.building import described
from fastpfkey.spec.tables import ASSOCIATIONS, presence, sources
from fastpfkey.spec.terms import ExtensionType as Ext

pytestmark = pytest.mark.fuzz

LEFT = {
    "message_offset",
    "message_length",
    "msg_type",
    "present",
    "other_extensions",
    "key_auth_bits",
    "key_encrypt_bits",
}
"""Columns that follow from the others."""

ALWAYS = (Ext.SA, Ext.ADDRESS_SRC, Ext.ADDRESS_DST)
KEYS = {"key_auth": Ext.KEY_AUTH, "key_encrypt": Ext.KEY_ENCRYPT}
OPTIONAL = (
    *(Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT, Ext.LIFETIME_CURRENT, Ext.ADDRESS_PROXY, Ext.SA2),
    *(Ext.NATT_TYPE, Ext.NATT_SPORT, Ext.NATT_DPORT, Ext.UDPENCAP),
    *KEYS.values(),
)
CASES = [(name, order) for name in spec.DIALECTS for order in ("little", "big")]
V4 = bytes(10) + b"\xff\xff"


@st.composite
def tables(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """A mapping of up to a few hundred rows that the dialect can say."""
    dialect = spec.dialect(name)
    rows = draw(st.integers(0, 5) | st.integers(200, 600))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    kinds = [kind for kind in OPTIONAL if kind in dialect.by_type]
    taken = [kind for kind in kinds if described(dialect, ASSOCIATIONS, dialect.by_type[kind])]
    present = np.zeros(rows, np.uint64)
    for kind in ALWAYS:
        present |= np.uint64(1 << kind.bit)
    for kind in taken:
        present |= rng.integers(0, 2, rows).astype(np.uint64) << np.uint64(kind.bit)
    found: dict[str, Any] = {"present": present}
    for column in ASSOCIATIONS.columns:
        bits = presence(ASSOCIATIONS, dialect, column.name)
        of_column = [item for item in sources(ASSOCIATIONS, dialect) if item.column == column.name]
        own = {item.extension for item in of_column}
        if any(item.choice for item in of_column):
            continue  # a second name for flags
        if column.name in LEFT or column.name.endswith("_offset") or not own <= {None, *ALWAYS, *taken}:
            continue
        values = _values(column, dialect, rng, rows) if of_column else np.zeros(rows, column.dtype)
        if bits is not None:
            values[present & np.uint64(bits) == 0] = 0
        found[column.name] = values
    for end in ("src", "dst", "proxy"):
        if end in found:
            four = found[f"{end}_family"] == 4
            found[end][four, :12] = np.frombuffer(V4, np.uint8)
            found[f"{end}_scope"][four] = 0
    compresses = found["satype"] == pf.SAType.IPCOMP
    if "compress" in dialect.terms:  # which stands in the place of the encryption
        known = [int(term) for term in dialect.terms["compress"].numbers]
        found["encrypt"][compresses] = rng.choice(known, int(compresses.sum()))
    for key, kind in KEYS.items():
        sizes = np.where(present >> np.uint64(kind.bit) & np.uint64(1), rng.integers(0, 80, rows), 0)
        found[key] = [rng.bytes(size) for size in sizes.tolist()]
    return found


def _values(column: Any, dialect: Any, rng: np.random.Generator, rows: int) -> Any:
    if column.dtype == "16u1":
        return rng.integers(0, 256, (rows, 16), np.uint8)
    if column.name.endswith("_family"):
        return rng.choice([4, 6], rows).astype(np.uint16)
    if column.name == "encrypt":
        return rng.choice([int(term) for term in dialect.terms["encrypt"].numbers], rows).astype(np.uint16)
    if column.name == "satype":
        return rng.choice([int(term) for term in dialect.terms["satype"].numbers], rows).astype(np.uint16)
    if column.terms in dialect.terms and column.dtype == "u2":
        known = [int(term) for term in dialect.terms[column.terms].numbers]
        return rng.choice([*known, 0x8000 + 99], rows).astype(np.uint16)
    if column.name == "replay":
        return rng.choice([0, 8, 32], rows).astype(np.uint32)
    limit = np.iinfo(column.dtype).max
    return rng.integers(0, limit, rows, column.dtype, endpoint=True) * rng.integers(0, 2, rows, column.dtype)


@pytest.mark.parametrize(("name", "byteorder"), CASES)
@settings(max_examples=8)
@given(data=st.data())
def test_built_and_decoded_they_are_equal(name: str, byteorder: Any, data: st.DataObject) -> None:
    rows = data.draw(tables(name))
    with pf.build_dump(rows, dialect=name, byteorder=byteorder) as lease:
        table = pf.SATable.from_buffer(bytes(lease), name, byteorder=byteorder, keys=True, strict=True)
    for column, values in rows.items():
        if column in KEYS:
            assert table.key_bytes(column.removeprefix("key_")) == values
        else:
            assert np.array_equal(table[column], values), column


@pytest.mark.skipif(hotpath.BACKEND != "compiled", reason="compares the other twin with the compiled one")
@pytest.mark.parametrize(("name", "byteorder"), CASES)
@settings(max_examples=4)
@given(data=st.data())
def test_twins_build_the_same_bytes(name: str, byteorder: Any, data: st.DataObject) -> None:
    rows = data.draw(tables(name))
    results = []
    for backend in hotpath.BACKENDS:
        twin = hotpath.load(backend)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(building, "build", twin.build)
            patch.setattr(building, "classify", twin.classify)
            with pf.build_dump(rows, dialect=name, byteorder=byteorder) as lease:
                results.append((bytes(lease), lease.offsets.tolist()))
    assert results[0] == results[1]
