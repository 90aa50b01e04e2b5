"""Other programs, which run beside a test until they are killed: `python -m integration.inside.programs NAME`."""

from __future__ import annotations

import sys
import time

from fastpfkey import requests
from fastpfkey.transport.endpoint import ROOM, Role
from fastpfkey.transport.sources import Kernel

from .bulk import CHURN, additions, address, send_all
from .kinds import SRC
from .minimal import DUMP


def dump() -> None:
    """Begin a dump, and never end it."""
    endpoint = Kernel().open_endpoint(Role.DUMPS)
    endpoint.send(DUMP.pack(2, 10, 0, 0, 2, 0, 7, endpoint.pid))
    assert endpoint.receive(bytearray(ROOM), 5)
    print("ready", flush=True)
    time.sleep(600)


def churn() -> None:
    """Add a thousand associations and delete them, for ever."""
    endpoint = Kernel().open_endpoint(Role.REQUESTS)
    adding = additions(1000, endpoint.pid, CHURN)
    removing = [
        requests.delete("esp", CHURN + number, SRC, address(number), seq=1, pid=endpoint.pid).encode()
        for number in range(1000)
    ]
    print("ready", flush=True)
    while True:
        send_all(endpoint, adding)
        send_all(endpoint, removing)


if __name__ == "__main__":
    {"dump": dump, "churn": churn}[sys.argv[1]]()
