"""Whether an identity stands above a host (RFC 2367, 5.2).

A node that receives packets through a proxy has to check that their inner source is dominated by the source identity of
the association; otherwise the proxy's peer could pretend to be anybody.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from ..spec.terms import IdentityType
from ..wire.extensions import Identity
from ..wire.sockaddr import IPAddress


def dominates(identity: Identity, host: IPAddress, name: str = "") -> bool:
    """Whether an identity dominates the host of this address and, if known, fully qualified domain name.

    A prefix dominates the addresses in it; a domain name the host of this name and those below it; the identity of a
    user the host whose name or address stands behind its @.
    """
    text = identity.text or ""
    if identity.type == IdentityType.PREFIX:
        try:
            network = ip_network(text, strict=True)
        except ValueError:
            return False
        return host in network
    if identity.type == IdentityType.FQDN:
        return _is_above(text, name)
    if identity.type == IdentityType.USERFQDN:
        place = text.rpartition("@")[2]
        return _names(place, host) or place.rstrip(".").lower() == name.rstrip(".").lower() != ""
    return False


def _is_above(domain: str, name: str) -> bool:
    """Whether a name is a domain or below it."""
    domain, name = domain.rstrip(".").lower(), name.rstrip(".").lower()
    return bool(domain) and (name == domain or name.endswith("." + domain))


def _names(text: str, host: IPAddress) -> bool:
    """Whether a text is an address, and this one."""
    try:
        return ip_address(text) == host
    except ValueError:
        return False
