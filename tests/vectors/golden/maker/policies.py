"""KAME policies with none, one and three nested requests, for the systems that have them."""

from __future__ import annotations

from maker.builder import A4, A6, B4, B6, C4, C6, Builder
from maker.tails import Request, Sockaddr

Case = tuple[str, str, str, list[Request], bool]
ESP, AH, IPCOMP = 50, 51, 108


def cases(b: Builder) -> list[Case]:
    """Name, policy type, direction, requests, and whether the dialect's own kernel would take it."""
    tunnel4 = b.request(ESP, "TUNNEL", "UNIQUE", 0x1234, A4, B4)
    tunnel6 = b.request(ESP, "TUNNEL", "REQUIRE", 0, A6, B6)
    transport = b.request(AH, "TRANSPORT", "USE")
    found: list[Case] = [
        ("discard", "DISCARD", "INBOUND", [], True),
        ("none", "NONE", "OUTBOUND", [], True),
        ("entrust", "ENTRUST", "OUTBOUND", [], False),
        ("bypass", "BYPASS", "INBOUND", [], False),
        ("transport", "IPSEC", "OUTBOUND", [transport], True),
        ("tunnel_v4", "IPSEC", "OUTBOUND", [tunnel4], True),
        ("tunnel_v6", "IPSEC", "INBOUND", [tunnel6], True),
        (
            "three_v4",
            "IPSEC",
            "OUTBOUND",
            [b.request(IPCOMP, "TUNNEL", "DEFAULT", 0, A4, C4), tunnel4, b.request(AH, "TRANSPORT", "REQUIRE")],
            True,
        ),
        (
            "three_v6",
            "IPSEC",
            "INBOUND",
            [tunnel6, b.request(IPCOMP, "TRANSPORT", "USE"), b.request(AH, "TUNNEL", "UNIQUE", 0x2345, A6, C6)],
            True,
        ),
        (
            "any_mode_with_ports",
            "IPSEC",
            "INBOUND",
            [b.request(ESP, "ANY", "DEFAULT", 0x0F1E, Sockaddr(A4.address, 0x1194), Sockaddr(B4.address, 0x1F92))],
            False,
        ),
    ]
    for mode in ("BEET", "IPTFS", "TCPMD5"):
        if b.table.has(f"IPSEC_MODE_{mode}"):
            found.append((mode.lower(), "IPSEC", "OUTBOUND", [b.request(ESP, mode, "REQUIRE")], mode == "BEET"))
    if b.table.has("IPSEC_DIR_FWD"):
        found.append(("forward", "IPSEC", "FWD", [b.request(ESP, "TUNNEL", "USE", 0, C4, B4)], True))
    if b.table.has("IPSEC_POLICY_GENERATE"):
        found.append(("generate", "GENERATE", "OUTBOUND", [], False))
    return found


def transport_with_addresses(b: Builder) -> dict[str, list[Request]]:
    """A transport request may name its ends: KAME reads them, Linux passes them over."""
    return {
        "v4": [b.request(ESP, "TRANSPORT", "REQUIRE", 0, A4, B4)],
        "v6": [b.request(ESP, "TRANSPORT", "UNIQUE", 0x0A1B, A6, B6)],
    }


def request_without_addresses(b: Builder, mode: str) -> list[Request]:
    return [b.request(ESP, mode, "REQUIRE", 0x3132)]
