"""An engine with a keeper, and what is asked of it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.engine.engine import Engine
from fastpfkey.engine.port import Port
from fastpfkey.transport.keeping import Keeper

SRC, DST = "192.0.2.1", "192.0.2.2"
KEY = bytes(range(100, 116))


class Kept:
    """An engine with a keeper, used without a server."""

    def __init__(self, path: Path, **how: object) -> None:
        self.told: list[str] = []
        self.engine = Engine("linux", random=Random(5))
        how.setdefault("journal", True)
        self.keeper = Keeper(self.engine, path, tell=self.told.append, **how)  # type: ignore[arg-type]
        self.port: Port = self.engine.connect(os.getpid(), limit=1 << 24)

    def add(self, *spis: int) -> None:
        """A turn of a server in which these come."""
        for spi in spis:
            self.engine.handle(self.port, add(spi))
        self.keeper.commit()

    def delete(self, spi: int) -> None:
        request = requests.delete("ah", spi, SRC, DST, seq=1, pid=os.getpid(), dialect="linux")
        self.engine.handle(self.port, request.encode())
        self.keeper.commit()

    def save(self) -> None:
        """A snapshot, in as many turns as it takes."""
        self.keeper.save()
        self.keeper.commit()
        self.finish_turns()

    def finish_turns(self) -> None:
        """Turns in which nothing comes, until the keeper wants no more of them."""
        while self.keeper.patience() is not None:
            self.keeper.commit()
            time.sleep(0.001)

    @property
    def spis(self) -> set[int]:
        """What a dump shows; each with its key."""
        self.port.receive()
        try:
            self.engine.handle(self.port, requests.dump(dialect="linux", pid=os.getpid()).encode())
        except OSError:
            return set()
        found = pf.decode(self.port.receive(), "linux")
        assert all(each.errno or (each.key_auth and each.key_auth.material.reveal() == KEY) for each in found)
        return {each.sa.spi for each in found if each.sa}

    def killed(self) -> None:
        """As SIGKILL leaves it."""
        self.keeper.close()


Start = Callable[..., Kept]


def names(path: Path) -> list[str]:
    return sorted(each.name for each in path.parent.iterdir())


def add(spi: int) -> bytes:
    return requests.add(
        "ah", spi, SRC, DST, auth="md5-hmac", auth_key=KEY, seq=1, pid=os.getpid(), dialect="linux"
    ).encode()
