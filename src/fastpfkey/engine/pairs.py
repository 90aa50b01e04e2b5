"""An index of associations by their ends, for consumers that send.

It is made when a consumer first asks, so that an engine without consumers does not pay for it, and brought up to date
whenever one asks.
"""

from __future__ import annotations

from ..wire.sockaddr import IPAddress
from .identity import ends_of, packed
from .records import Records
from .store import Store


class Pairs:
    """Associations by type and addresses."""

    def __init__(self, store: Store, records: Records) -> None:
        self._store = store
        self._records = records
        self._serials: dict[bytes, list[int]] = {}
        self._seen = 0

    def find(self, satype: int, src: IPAddress, dst: IPAddress) -> list[int]:
        """The slots of a type, by its wire number, from one address to another, oldest first."""
        self._learn()
        serials = self._serials.get(bytes([satype]) + packed(src) + packed(dst), [])
        kept = {serial: slot for serial in serials if (slot := self._store.place(serial)) >= 0}
        if len(kept) < len(serials):
            serials[:] = kept
        return list(kept.values())

    def _learn(self) -> None:
        """Take in what was added since."""
        store = self._store
        for slot in store.matching(store.slot_of(self._seen + 1), store.count, None).tolist():
            _, src, dst = ends_of(self._records.values(store.record(slot)))
            key = bytes([int(store.rows[slot]["satype"])]) + packed(src) + packed(dst)
            self._serials.setdefault(key, []).append(int(store.rows[slot]["serial"]))
        if store.count:
            self._seen = max(self._seen, int(store.rows[store.count - 1]["serial"]))
