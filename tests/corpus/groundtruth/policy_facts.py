"""What the witnesses say about policies, in the vocabulary of `facts`: a dict from column name to value.

`requests` is a list of (proto, mode, level, reqid, source, destination), an end being (IP, port) or None.
"""

from __future__ import annotations

from . import byhand, policies, xfrm
from .facts import Facts, lifetime, of_envelope
from .index import EXTENSIONS

LEVEL_USE, LEVEL_REQUIRE, LEVEL_UNIQUE = 1, 2, 3
TYPE_DISCARD, TYPE_NONE, TYPE_IPSEC = 0, 1, 2
ULPROTO_ANY = 255


def of_setkey(policy: policies.PrintedPolicy) -> Facts:
    """What a block of ``setkey -DP`` tells about the message it was printed from, its seq and pid aside."""
    facts: Facts = {
        "spid": policy.spid,
        "refcount": policy.refcnt,
        "current_addtime": policy.created,
        "current_usetime": policy.lastused,
        "hard_addtime": policy.lifetime,
        "hard_usetime": policy.validtime,
    }
    for name, end in (("src", policy.src), ("dst", policy.dst)):
        facts |= {
            name: end.ip,
            f"{name}_family": end.ip.version,
            f"{name}_port": end.port,
            f"{name}_prefixlen": end.prefixlen,
            f"{name}_proto": end.proto,
        }
    if policy.unprintable is None:
        facts |= {"dir": policy.dir, "type": policy.type, "priority": policy.priority}
        facts["requests"] = [
            (request.proto, request.mode, request.level, request.reqid, request.src, request.dst)
            for request in policy.requests
        ]
    return facts


def of_xfrm(policy: xfrm.Policy) -> Facts:
    """What ``ip -d -s xfrm policy`` tells about the message PF_KEY shows the policy by."""
    facts: Facts = {
        "spid": policy.index,
        "dir": policy.dir,
        "type": (TYPE_IPSEC if policy.templates else TYPE_NONE) if policy.allow else TYPE_DISCARD,
        "priority": policy.priority,
        "current_addtime": policy.added,
        "current_usetime": policy.used,
        "requests": [_request(template) for template in policy.templates],
    }
    ends = (
        ("src", policy.sel.src, policy.sel.src_prefixlen, policy.sel.sport),
        ("dst", policy.sel.dst, policy.sel.dst_prefixlen, policy.sel.dport),
    )
    for name, ip, prefixlen, port in ends:
        facts |= {
            name: ip,
            f"{name}_family": ip.version,
            f"{name}_port": port,
            f"{name}_prefixlen": prefixlen,
            f"{name}_proto": policy.sel.proto or ULPROTO_ANY,
        }
    for name, limits in (("hard", policy.hard), ("soft", policy.soft)):
        facts |= lifetime(name, byhand.Lifetime(limits.packets, limits.bytes, limits.add, limits.use))
    return facts


def of_message(message: bytes) -> Facts:
    """All that the bytes of one message with a POLICY extension tell."""
    ext = byhand.extension(message, EXTENSIONS["POLICY"])
    if ext is None:
        raise ValueError("no POLICY extension")
    policy = byhand.policy(ext)
    requests = [
        (request.proto, request.mode, request.level, request.reqid, _end(request.src), _end(request.dst))
        for request in policy.requests
    ]
    return of_envelope(message) | {
        "spid": policy.id,
        "dir": policy.dir,
        "type": policy.type,
        "priority": policy.priority,
        "requests": requests,
    }


def _request(template: xfrm.Template) -> tuple[object, ...]:
    level = LEVEL_USE if template.optional else LEVEL_UNIQUE if template.reqid else LEVEL_REQUIRE
    tunnel = template.mode == xfrm.MODES["tunnel"]
    ends = ((template.src, 0), (template.dst, 0)) if tunnel else (None, None)
    return (template.proto, template.mode, level, template.reqid, *ends)


def _end(end: byhand.Address | None) -> tuple[object, int] | None:
    return (end.ip, end.port) if end else None
