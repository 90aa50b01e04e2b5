"""Scripts about policies, which are Linux's own: their ids, dumps, ends, and moves of tunnels."""

from __future__ import annotations

from typing import Any

from fastpfkey import requests
from fastpfkey.wire.extensions_ipsec import Policy, PolicyRequest

from .associations import END
from .parts import LISTENERS, add, ask, dump, get
from .script import OTHER, Script, Send, Wait

HERE, THERE = "10.1.0.0/16", "10.2.0.0/16"
HERE6, THERE6 = "2001:db8:1::/48", "2001:db8:2::/48"
OLD = {"src": "192.0.2.1", "dst": "198.51.100.2"}
NEW = {"src": "192.0.2.9", "dst": "198.51.100.9"}


def esp(**more: Any) -> PolicyRequest:
    """ESP as a policy wants it."""
    return requests.transform("esp", **more)


def out(*transforms: PolicyRequest, **more: Any) -> Policy:
    """A policy for what goes out."""
    return requests.policy("out", transforms=transforms, **more)


def spdadd(policy: Policy, src: str = HERE, dst: str = THERE, **more: Any) -> Any:
    """SPDADD."""
    return ask(requests.spdadd, src, dst, policy, **more)


FLUSH = Send(ask(requests.spdflush), name="SPDFLUSH at the end")
DUMP = ask(requests.spddump)
LIMITS = {"hard": 3600, "soft": 1800}

KINDS = {
    "transport": spdadd(out(esp())),
    "for IPv6": spdadd(out(esp(mode="tunnel", src="2001:db8::1", dst="2001:db8::2")), HERE6, THERE6),
    "a tunnel": spdadd(out(esp(mode="tunnel", **OLD)), "10.3.0.0/16"),
    "a tunnel with an id of its own": spdadd(out(esp(mode="tunnel", level="unique", **OLD)), "10.4.0.0/16"),
    "another with one": spdadd(out(esp(mode="tunnel", level="unique", **OLD)), "10.5.0.0/16"),
    "a tunnel with an id that was chosen": spdadd(
        out(esp(mode="tunnel", level="unique", reqid=33, **OLD)), "10.6.0.0/16"
    ),
    "a port of TCP": spdadd(out(esp()), "10.1.0.1", "10.2.0.2[443]", proto="tcp"),
    "let it pass": spdadd(requests.policy("in", "none")),
    "discard": spdadd(requests.policy("fwd", "discard")),
    "by priority": spdadd(out(requests.transform("ah"), priority=9), "10.7.0.0/16"),
    "with limits": spdadd(out(esp()), "10.8.0.0/16", **LIMITS),
    "compressed, then encrypted": spdadd(out(requests.transform("ipcomp", level="use"), esp()), "10.9.0.0/16"),
    "in every direction": spdadd(requests.policy("in", transforms=[esp()]), "10.10.0.0/16"),
}

REFUSED = {
    "one more like it": spdadd(out(esp())),
    "too many transformations": spdadd(out(*[esp()] * 7), "10.20.0.0/16"),
    "a tunnel that may be left out": spdadd(out(esp(mode="tunnel", level="use", **OLD)), "10.21.0.0/16"),
    "what a socket decides": spdadd(requests.policy("in", "bypass"), "10.22.0.0/16"),
}

MOVES = [(esp(mode="tunnel", **OLD), esp(mode="tunnel", **NEW))]

SCRIPTS = {
    "policies of many kinds": Script(
        (
            *LISTENERS,
            Send(DUMP, name="SPDDUMP of nothing"),
            *(Send(message, name=f"SPDADD {name}") for name, message in KINDS.items()),
            *(Send(message, name=f"SPDADD {name}") for name, message in REFUSED.items()),
            Send(DUMP, name="SPDDUMP"),
            Send(ask(requests.spddump), OTHER, name="SPDDUMP by another"),
            FLUSH,
            Send(ask(requests.spdflush), name="SPDFLUSH once more"),
        )
    ),
    "one policy": Script(
        (
            *LISTENERS,
            Send(spdadd(out(esp())), keeps="the policy"),
            Send(ask(requests.spdget, 0), uses="the policy", name="SPDGET"),
            Send(ask(requests.spdget, 8 * 99_999 + 1), name="SPDGET of a missing one"),
            Send(ask(requests.spdupdate, HERE, THERE, out(esp(level="unique", reqid=5))), OTHER, name="SPDUPDATE"),
            Send(ask(requests.spdget, 0), uses="the policy", name="SPDGET of what is new"),
            Send(
                ask(requests.spdupdate, "10.30.0.0/16", THERE, out(esp())), name="SPDUPDATE that adds", keeps="another"
            ),
            Send(ask(requests.spdsetidx, "10.31.0.0/16", THERE, out(esp())), name="SPDSETIDX"),
            Send(ask(requests.spddelete2, 0), uses="another", name="SPDDELETE2"),
            Send(ask(requests.spddelete2, 0), uses="another", name="SPDDELETE2 once more"),
            Send(ask(requests.spddelete, HERE, THERE, "out"), name="SPDDELETE"),
            Send(ask(requests.spddelete, HERE, THERE, "out"), name="SPDDELETE once more"),
            Send(ask(requests.spddelete, "10.31.0.0/16", THERE, "in"), name="SPDDELETE in another direction"),
            Send(DUMP, name="SPDDUMP"),
            FLUSH,
        )
    ),
    "policies end": Script(
        (
            *LISTENERS,
            Send(spdadd(out(esp()), hard=2, soft=1)),
            Send(spdadd(out(esp()), "10.40.0.0/16", hard=3600, soft=1), name="SPDADD with a soft limit"),
            Wait(4.5),
            Send(DUMP, name="SPDDUMP"),
            FLUSH,
        )
    ),
    "a tunnel moves": Script(
        (
            *LISTENERS,
            Send(ask(requests.migrate, HERE, THERE, "out", MOVES), name="MIGRATE of nothing"),
            Send(spdadd(out(esp(mode="tunnel", **OLD))), keeps="the policy"),
            Send(spdadd(out(esp(mode="tunnel", **NEW)), "10.50.0.0/16"), name="SPDADD of another"),
            Send(add(0x3001, OLD["src"], OLD["dst"], mode="tunnel")),
            Send(ask(requests.migrate, HERE, THERE, "out", MOVES), name="MIGRATE"),
            Send(ask(requests.spdget, 0), uses="the policy", name="SPDGET"),
            Send(dump(), name="DUMP"),
            Send(get(0x3001, OLD["src"], OLD["dst"]), name="GET at the old ends"),
            Send(get(0x3001, NEW["src"], NEW["dst"]), name="GET at the new ends"),
            Send(ask(requests.migrate, HERE, THERE, "out", MOVES), name="MIGRATE once more"),
            Send(ask(requests.migrate, HERE, THERE, "in", MOVES), name="MIGRATE in another direction"),
            Send(DUMP, name="SPDDUMP"),
            FLUSH,
            *END,
        )
    ),
}
