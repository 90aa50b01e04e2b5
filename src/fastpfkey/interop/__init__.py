"""Tables in other people's formats: data frames, Parquet, Arrow and JSON.

`to_pandas`, `to_polars`, `write_parquet`, `write_arrow` and `write_json`. Everything that reads Arrow also takes a
table as it is: `pyarrow.table(table)`, `polars.DataFrame(table)`, `duckdb.from_arrow(table)`.

Keys are exported only with `keys=True`; `fingerprint=salt` gives a keyed hash in their place.
"""

from __future__ import annotations

from .files import write_arrow, write_parquet
from .frames import to_pandas, to_polars
from .records import write_json

__all__ = ["to_pandas", "to_polars", "write_arrow", "write_json", "write_parquet"]
