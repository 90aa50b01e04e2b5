"""What a dump leaves unsaid and an ADD has to say, so that what is added is what was dumped."""

from __future__ import annotations

import numpy as np

from ..spec.profiles import profile
from ..spec.terms import ExtensionType as Ext
from .associations import SATable


def submittable(table: SATable) -> SATable:
    """Associations of a dump as an ADD has to have them; the table itself if that is no different.

    Linux does not show a proxy that is the source, and shows any host where an ADD named none.
    """
    hidden = table.null("proxy")
    if not profile(table.dialect.name).source_is_no_proxy or not hidden.any():
        return table
    found = table[np.arange(len(table))]
    for name in ("", "_family", "_prefixlen", "_proto", "_scope"):
        found[f"proxy{name}"][hidden] = table[f"src{name}"][hidden]
    found["present"][hidden] |= np.uint64(1 << table.dialect.by_type[Ext.ADDRESS_PROXY].number)
    return found
