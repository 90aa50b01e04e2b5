"""The same client for asyncio: every operation is awaited, and ends early when its task is cancelled.

    async with pf.aio.Client.open("kernel") as client:
        table = await client.dump("esp")

What it does stands in `operations`, `reading` and `watching`; here it only waits. `aio.tcpmd5` has the functions of
`tcpmd5`.
"""

from __future__ import annotations

from . import tcpmd5 as tcpmd5
from .client import Client as Client
from .client import Monitor as Monitor
from .client import run as run
