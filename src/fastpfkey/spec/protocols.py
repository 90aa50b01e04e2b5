"""IP protocols that people know by name, and which of them an SA type is. Source: IANA's protocol numbers."""

from __future__ import annotations

from collections.abc import Mapping

from .terms import SAType

PROTOCOLS: Mapping[str, int] = {
    "icmp": 1,
    "ipv4": 4,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "ipv6": 41,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmp6": 58,
    "ipcomp": 108,
    "sctp": 132,
    "mh": 135,
    "udplite": 136,
}

TRANSFORMS: Mapping[SAType, int] = {
    SAType.ESP: PROTOCOLS["esp"],
    SAType.AH: PROTOCOLS["ah"],
    SAType.IPCOMP: PROTOCOLS["ipcomp"],
}
"""The protocols that a policy can ask for, by the SA type of their associations."""
