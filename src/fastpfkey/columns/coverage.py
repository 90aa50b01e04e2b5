"""Policies that ask for protection which no association gives.

A request of a policy is served by an association of its protocol and mode between its endpoints: those of the tunnel,
or what the policy selects. Endpoints become numbers under each pair of prefix lengths that occurs, so that a million
associations are compared with all policies at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from ..spec.protocols import TRANSFORMS
from ..spec.terms import Level, Mode, SAState
from .associations import SATable
from .matching import numbered
from .policies import PolicyTable
from .requests import RequestTable
from .room import Array

USABLE = (SAState.MATURE, SAState.DYING)
"""States in which an association protects packets."""

COLUMNS = ("satype", "state", "mode", "reqid", "src", "dst")
"""What has to be known of associations."""

V4_BITS = 96
"""Bits in front of an IPv4 address in a column."""


def unserved(policies: PolicyTable, associations: Sequence[SATable]) -> npt.NDArray[np.bool_]:
    """Which policies have a request that no usable association serves.

    Requests of level `use` ask for nothing that has to be. A request without a request id takes any association, and so
    does mode `any` on either side.
    """
    requests = policies.requests
    owners = np.repeat(np.arange(len(policies)), np.diff(policies.request_offsets))
    missing = (requests["level"] != Level.USE) & ~_served(policies, requests, owners, associations)
    found: npt.NDArray[np.bool_] = np.bincount(owners[missing], minlength=len(policies)) > 0
    return found


def _served(
    policies: PolicyTable, requests: RequestTable, owners: Array, associations: Sequence[SATable]
) -> npt.NDArray[np.bool_]:
    served = np.zeros(len(requests), np.bool_)
    src, src_bits = _end(policies, requests, owners, "src")
    dst, dst_bits = _end(policies, requests, owners, "dst")
    kinds = np.stack([src_bits, dst_bits, requests["reqid"] != 0, requests["mode"] != Mode.ANY])
    distinct, places = np.unique(kinds, axis=1, return_inverse=True)
    for number, (source, target, by_id, by_mode) in enumerate(distinct.T.tolist()):
        rows = np.flatnonzero(places.ravel() == number)
        wanted = (
            requests["proto"][rows],
            requests["mode"][rows] * by_mode,
            requests["reqid"][rows] * by_id,
            _masked(src[rows], source),
            _masked(dst[rows], target),
        )
        for table in associations:
            given = _given(table, source, target, by_id, by_mode)
            numbers = numbered(list(zip(wanted, given, strict=True)))
            there = np.zeros(numbers.count, np.bool_)
            there[numbers.new] = True
            served[rows] |= there[numbers.old]
    return served


def _given(table: SATable, source: int, target: int, by_id: int, by_mode: int) -> list[Array]:
    """What associations have of that which requests of one kind ask for."""
    protocols = np.zeros(len(table), np.uint16)
    for satype, protocol in TRANSFORMS.items():
        protocols[table["satype"] == satype] = protocol
    mode = table["mode"] * by_mode
    found = [protocols, mode, table["reqid"] * by_id, _masked(table["src"], source), _masked(table["dst"], target)]
    if by_mode:  # one of mode `any` is as good as one of each
        free = np.flatnonzero(mode == Mode.ANY)
        rows = np.concatenate([np.arange(len(table)), free, free])
        found = [column[rows] for column in found]
        found[1][len(table) :] = np.repeat((Mode.TRANSPORT, Mode.TUNNEL), len(free))
    return found


def usable(table: SATable) -> SATable:
    """The associations that protect packets, without the buffer that they were decoded from."""
    return table[np.isin(table["state"], USABLE)].detached()


def _end(policies: PolicyTable, requests: RequestTable, owners: Array, side: str) -> tuple[Array, Array]:
    """One end of each request, and how many bits of it count: those of the tunnel, or else what the policy selects."""
    tunnel = requests[f"{side}_family"] != 0
    family = np.where(tunnel, requests[f"{side}_family"], policies[f"{side}_family"][owners])
    address = np.where(tunnel[:, None], requests[side], policies[side][owners])
    start = np.where(family == 4, V4_BITS, 0)
    any_address = ~address[:, 12:].any(axis=1) & ((family == 4) | ~address.any(axis=1))
    selected = start + policies[f"{side}_prefixlen"][owners]
    return address, np.where(tunnel, np.where(any_address, start, 128), selected).astype(np.int64)


def _masked(addresses: Array, bits: int) -> Array:
    """Addresses with all but their first bits 0."""
    mask = np.frombuffer((((1 << bits) - 1) << 128 - bits).to_bytes(16), np.uint8)
    found: Array = addresses & mask
    return found
