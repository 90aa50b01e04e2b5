"""What of an engine has to survive, so that two can be compared; and files with its state."""

from pathlib import Path

from fastpfkey.engine.engine import Engine
from fastpfkey.engine.entries import START, Part, Reader
from fastpfkey.engine.snapshot import restore, settle, taken
from fastpfkey.engine.store import ROW

from .world import World

LINEAGE = "0123456789abcdef"


def state(engine: Engine) -> dict[str, object]:
    """All that survives a restart, times as Unix times."""
    core = engine._core
    slots = [slot for slot in core.store.matching(0, core.store.count, None) if not core.store.rows[slot]["acquire"]]
    rows = core.store.rows[slots]
    shown = {name: rows[name].tolist() for name in ROW.names or () if name not in ("offset", "added", "used")}
    policies = [
        (each.id, each.policy, each.src, each.dst, each.hard, each.soft, each.context, round(each.added + core.epoch))
        for each in core.policies.by_id.values()
    ]
    assert {key: core.store.rows[slot]["serial"] for key, slot in core.store.index.items()} == {
        core.key_at(slot): core.store.rows[slot]["serial"] for slot in core.store.matching(0, core.store.count, None)
    }
    assert len(core.policies.by_selector) == len(policies)
    return {
        **shown,
        "added": (rows["added"] + core.epoch).round(3).tolist(),
        "used": (rows["used"] + core.epoch).round(3).tolist(),
        "records": [core.store.record(slot) for slot in slots],
        "policies": policies,
        "counters": (core.store.serial, core.opened, core.acquire_seq, core.policies.counter, core.policies.reqid),
        "deadline": None if (found := engine.next_deadline()) is None else round(found + core.epoch, 3),
    }


def joined(parts: list[Part]) -> bytes:
    """The bytes of an entry."""
    return b"".join(parts)


def snapshot(engine: Engine, first: int = 0) -> bytes:
    """A snapshot's file."""
    return START + b"".join(joined(item) for item in taken(engine, LINEAGE, lambda: first))


def restored(world: World, data: bytes, later: float = 0.0, **knobs: object) -> World:
    """A world like another that begins with the state of a file, some seconds later and with another clock."""
    again = World(world.engine.profile.name, world.engine.dialect.name, **knobs)
    again.clock.now = 5.0
    again.engine = Engine(
        world.engine.dialect,
        world.engine.profile,
        clock=again.clock,
        wall=lambda: world.clock.now + world.engine._core.epoch + later,
        **knobs,
    )
    restore(again.engine, Reader(Path("state"), memoryview(data)))
    settle(again.engine)
    return again
