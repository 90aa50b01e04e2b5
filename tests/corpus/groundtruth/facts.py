"""One vocabulary for what the witnesses say: a dict from column name to value, holding only what that witness tells.

The names are those of the library's SA table, the codes Linux's numbers (which are the library's canonical ones, except
that families are 4, 6 and 0 for none). So a capture, a text and a decoded table can be compared key by key: the texts
tell a part of what the bytes tell, and `of_message` tells all. Keys are named `key_auth` and `key_encrypt`.
"""

from __future__ import annotations

from typing import Any

from . import byhand, setkey, xfrm
from .index import EXTENSIONS

Facts = dict[str, Any]

# setkey prints byte counts through a C double, so these are compared after the same treatment.
THROUGH_DOUBLE = frozenset({"current_bytes", "hard_bytes", "soft_bytes"})

# The numbers that <linux/pfkeyv2.h> and <linux/ipsec.h> of 6.1 name; SADB_SATYPE_MAX and the like are no names.
LINUX_SATYPE_IPCOMP = 9
LINUX_COMPRESS = frozenset(range(5))
LINUX_NUMBERS = {
    "satype": frozenset({0, 2, 3, 5, 6, 7, 8, 9}),
    "state": frozenset({0, 1, 2, 3}),
    "auth": frozenset({0, 2, 3, 5, 6, 7, 8, 9, 10, 251}),
    "encrypt": frozenset({0, 2, 3, 6, 7, 11, 12, 13, 14, 15, 16, 18, 19, 20, 22, 23, 24, 252, 253}),
    "mode": frozenset({0, 1, 2, 3, 4}),
    "dir": frozenset({0, 1, 2, 3}),
    "type": frozenset({0, 1, 2, 3, 4}),
}

XFRM_SATYPES = {50: 3, 51: 2, 108: 9}
XFRM_FLAGS = {"noecn": 1 << 31, "decap-dscp": 1 << 30, "nopmtudisc": 1 << 29}
XFRM_AUTH = {
    "hmac(md5)": 2,
    "hmac(sha1)": 3,
    "hmac(sha256)": 5,
    "hmac(sha384)": 6,
    "hmac(sha512)": 7,
    "hmac(rmd160)": 8,
    "xcbc(aes)": 9,
    "digest_null": 251,
    "cmac(aes)": 0,
}
XFRM_ENCRYPT = {
    "cbc(des)": 2,
    "cbc(des3_ede)": 3,
    "cbc(cast5)": 6,
    "cbc(blowfish)": 7,
    "ecb(cipher_null)": 11,
    "cbc(aes)": 12,
    "rfc3686(ctr(aes))": 13,
    "cbc(camellia)": 22,
    "cbc(twofish)": 253,
}
XFRM_COMPRESS = {"deflate": 2}

_FAMILIES = {byhand.AF_INET: 4, byhand.AF_INET6: 6}
_LIFETIMES = {"current": "LT_CUR", "hard": "LT_HARD", "soft": "LT_SOFT"}
_ADDRESSES = {"src": "SRC", "dst": "DST", "proxy": "PROXY"}


def contradictions(told: Facts, known: Facts) -> dict[str, tuple[Any, Any]]:
    """What `told` says otherwise than `known`: name to (told, known). Empty when they agree."""
    return {name: (value, known.get(name)) for name, value in told.items() if known.get(name) != value}


def through_double(facts: Facts) -> Facts:
    """The same facts with their byte counts rounded as setkey's printf("%.0f") rounds them."""
    return {name: int(float(value)) if name in THROUGH_DOUBLE else value for name, value in facts.items()}


def of_setkey(sa: setkey.PrintedSA) -> Facts:
    """What a block of ``setkey -D`` tells about the message it was printed from, its seq and pid aside."""
    facts: Facts = {
        "satype": sa.satype,
        "refcount": sa.refcnt,
        "spi": sa.spi,
        "replay": sa.replay,
        "state": sa.state,
        "flags": sa.flags,
        "mode": sa.mode,
        "reqid": sa.reqid,
        "sa2_seq": sa.sequence,
        "natt": sa.natt,
    }
    for name, end in (("src", sa.src), ("dst", sa.dst)):
        facts |= {name: end.ip, f"{name}_family": end.ip.version}
        if end.port is not None:
            facts[f"{name}_port"] = end.port
    for name, natt_port in (("natt_sport", sa.src.natt_port), ("natt_dport", sa.dst.natt_port)):
        if natt_port is not None:
            facts[name] = natt_port
    if sa.natt_oa is not None:
        facts["natt_oa"] = sa.natt_oa
    for name, algorithm, key in (("auth", sa.auth, sa.auth_key), ("encrypt", sa.encrypt, sa.encrypt_key)):
        if key is not None:
            facts |= {name: algorithm, f"key_{name}": key, f"key_{name}_bits": len(key) * 8}
    if sa.compress is not None:
        facts["encrypt"] = sa.compress
    if sa.current is not None and sa.hard is not None and sa.soft is not None:
        for name, printed in (("current", sa.current), ("hard", sa.hard), ("soft", sa.soft)):
            facts |= lifetime(name, printed)
    return facts


def of_xfrm(state: xfrm.State) -> Facts:
    """What ``ip -d -s xfrm state`` tells about the message PF_KEY shows the SA by."""
    facts: Facts = {
        "satype": XFRM_SATYPES[state.proto],
        "src": state.src,
        "src_family": state.src.version,
        "dst": state.dst,
        "dst_family": state.dst.version,
        "spi": state.spi,
        "reqid": state.reqid,
        "mode": state.mode,
        "replay": state.replay_window,
        "flags": sum(XFRM_FLAGS.get(flag, 0) for flag in state.flags),
        "auth": XFRM_AUTH[state.auth.name] if state.auth else 0,
        "encrypt": XFRM_ENCRYPT[state.enc.name] if state.enc else XFRM_COMPRESS[state.comp] if state.comp else 0,
        "natt": state.encap is not None,
        "natt_type": 2 if state.encap else 0,
        "natt_sport": state.encap[1] if state.encap else 0,
        "natt_dport": state.encap[2] if state.encap else 0,
        "current_allocations": state.current_packets,
        "current_bytes": state.current_bytes,
        "current_addtime": state.added,
        "current_usetime": state.used,
    }
    for name, transform in (("auth", state.auth), ("encrypt", state.enc)):
        key, bits = (transform.key, transform.bits) if transform else (b"", 0)
        facts |= {f"key_{name}": key, f"key_{name}_bits": bits}
    for name, limits in (("hard", state.hard), ("soft", state.soft)):
        facts |= {
            f"{name}_allocations": limits.packets,
            f"{name}_bytes": limits.bytes,
            f"{name}_addtime": limits.add,
            f"{name}_usetime": limits.use,
        }
    if state.sel is not None:
        proxied = state.sel.src != state.src
        facts |= {
            "proxy": state.sel.src if proxied else None,
            "proxy_family": state.sel.src.version if proxied else 0,
            "proxy_prefixlen": state.sel.src_prefixlen if proxied else 0,
            "proxy_proto": (state.sel.proto or 255) if proxied else 0,
            "proxy_port": state.sel.sport if proxied else 0,
        }
    return facts


def of_envelope(message: bytes) -> Facts:
    """What messages about associations and policies have in common: header, extensions, lifetimes and addresses."""
    header, found = byhand.header(message), dict(byhand.extensions(message))
    facts: Facts = {
        "message_length": header.length * 8,
        "msg_type": header.type,
        "errno": header.errno,
        "satype": header.satype,
        "refcount": header.reserved,
        "seq": header.seq,
        "pid": header.pid,
        "extensions": sorted(found),
    }
    for name, ext in _LIFETIMES.items():
        facts |= lifetime(name, byhand.lifetime(found.get(EXTENSIONS[ext], bytes(32))))
    for name, ext in _ADDRESSES.items():
        facts |= address(name, found.get(EXTENSIONS[ext]))
    return facts


def of_message(message: bytes) -> Facts:
    """All that the bytes of one message tell; an absent extension tells 0, b"" for a key and None for an IP."""
    found = dict(byhand.extensions(message))
    sa = byhand.sa(found[EXTENSIONS["SA"]]) if EXTENSIONS["SA"] in found else byhand.SA(0, 0, 0, 0, 0, 0)
    sa2 = byhand.sa2(found[EXTENSIONS["SA2"]]) if EXTENSIONS["SA2"] in found else byhand.SA2(0, 0, 0)
    facts = of_envelope(message) | {
        "spi": sa.spi,
        "replay": sa.replay,
        "state": sa.state,
        "auth": sa.auth,
        "encrypt": sa.encrypt,
        "flags": sa.flags,
        "mode": sa2.mode,
        "reqid": sa2.reqid,
        "sa2_seq": sa2.sequence,
    }
    for name, ext in (("auth", "KEY_AUTH"), ("encrypt", "KEY_ENC")):
        bits, key = byhand.key(found.get(EXTENSIONS[ext], bytes(8)))
        facts |= {f"key_{name}": key, f"key_{name}_bits": bits}
    oa = found.get(EXTENSIONS["NATT_OA"])
    natt_type = found.get(EXTENSIONS["NATT_TYPE"], bytes(8))[4]
    return facts | {
        "natt": natt_type != 0,
        "natt_type": natt_type,
        "natt_sport": byhand.natt_port(found.get(EXTENSIONS["NATT_SPORT"], bytes(8))),
        "natt_dport": byhand.natt_port(found.get(EXTENSIONS["NATT_DPORT"], bytes(8))),
        "natt_oa": byhand.address(oa).ip if oa else None,
    }


def lifetime(name: str, told: byhand.Lifetime | setkey.PrintedLifetime) -> Facts:
    """The four columns of current, hard or soft."""
    return {
        f"{name}_allocations": told.allocations,
        f"{name}_bytes": told.bytes,
        f"{name}_addtime": told.addtime,
        f"{name}_usetime": told.usetime,
    }


def address(name: str, ext: bytes | None) -> Facts:
    """The six columns of an address extension, or of its absence."""
    told = byhand.address(ext) if ext else None
    return {
        name: told.ip if told else None,
        f"{name}_family": _FAMILIES[told.family] if told else 0,
        f"{name}_port": told.port if told else 0,
        f"{name}_prefixlen": told.prefixlen if told else 0,
        f"{name}_proto": told.proto if told else 0,
        f"{name}_scope": told.scope if told else 0,
    }


def canonical_satype(number: int) -> int:
    """A wire SA type as the library states it. X_PROMISC has a switch in that field, so it may be 1, which is none."""
    return int(canonical({"satype": number})["satype"])


def canonical(facts: Facts) -> Facts:
    """The same facts as the library states them: a wire number that Linux's header does not name is 0x8000 + number.

    Only the fields of LINUX_NUMBERS are translated; natt_type and msg_type stay wire numbers in a table.
    """
    compressing = facts.get("satype") == LINUX_SATYPE_IPCOMP
    known = LINUX_NUMBERS | ({"encrypt": LINUX_COMPRESS} if compressing else {})
    return {
        name: 0x8000 + value if name in known and value not in known[name] else value for name, value in facts.items()
    }
