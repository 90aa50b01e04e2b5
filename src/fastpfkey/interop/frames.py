"""Tables as data frames. Arguments are those of `Table.to_arrow`, which explains them and what it raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..columns.arrow import Addresses
    from ..columns.table import Table


def to_pandas(
    table: Table,
    *,
    addresses: Addresses = "text",
    names: bool = True,
    keys: bool = False,
    fingerprint: bytes | None = None,
) -> Any:
    """A pandas.DataFrame whose columns keep their types: enumerations are categories, nulls are told from zeros.

    Raises ImportError without pandas and pyarrow.
    """
    import pandas as pd

    batch = table.to_arrow(addresses=addresses, names=names, keys=keys, fingerprint=fingerprint)
    return batch.to_pandas(
        types_mapper=lambda kind: None if str(kind).startswith("dictionary") else pd.ArrowDtype(kind)
    )


def to_polars(
    table: Table,
    *,
    addresses: Addresses = "text",
    names: bool = True,
    keys: bool = False,
    fingerprint: bytes | None = None,
) -> Any:
    """A polars.DataFrame. Raises ImportError without polars and pyarrow."""
    import polars as pl

    return pl.DataFrame(table.to_arrow(addresses=addresses, names=names, keys=keys, fingerprint=fingerprint))
