"""Requests written down as a person would, against those that a Linux kernel accepted and that setkey sends.

A built message is the real one byte for byte, but for the order of its extensions and for what RFC 2367 leaves open,
such as the state in a request that only looks for an association; that is given as an extra extension.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import timedelta
from ipaddress import IPv4Address, IPv6Address, ip_interface, ip_network
from pathlib import Path
from typing import Any

import pytest

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.wire.extensions import SA, Sensitivity
from fastpfkey.wire.extensions_ipsec import SA2, SecurityContext
from fastpfkey.wire.message import MessageValue, MessageView

CORPUS = Path(__file__).resolve().parents[2] / "vectors" / "corpus"
HERE, THERE = "10.9.0.1", "10.9.0.2"
HERE6, THERE6 = "fd00:9::1", IPv6Address("fd00:9::2")
LONG = bytes(range(0x40, 0x60))
SHA1 = {"auth": pf.AuthAlgorithm.SHA1_HMAC, "auth_key": bytes(range(0x20, 0x34))}
PLAIN: dict[str, Any] = SHA1 | {"encrypt": "aes-cbc", "encrypt_key": "0x000102030405060708090a0b0c0d0e0f", "replay": 32}
STRONG: dict[str, Any] = {
    "auth": "SHA2_256_HMAC",
    "auth_key": LONG,
    "encrypt": 12,
    "encrypt_key": memoryview(LONG),
    "replay": 32,
    "mode": "tunnel",
    "reqid": 9,
}
ESP = requests.transform("esp")
OUT = requests.policy("out", "ipsec", [ESP])
ICMP = (ip_interface(HERE), IPv4Address(THERE))


def mature(spi: int) -> list[SA]:
    """An association of which only the SPI counts, as the capturing program filled it in."""
    return [SA(spi, state=pf.SAState.MATURE)]


def tunnel(src: str, dst: str, **more: Any) -> Any:
    return requests.transform(pf.SAType.ESP, mode="tunnel", src=src, dst=dst, level="unique", **more)


EVENTS: dict[str, Callable[..., MessageValue]] = {
    "promisc on": lambda **h: requests.promisc(**h),
    "promisc off": lambda **h: requests.promisc(False, **h),
    "register satype=2 on mon": lambda **h: requests.register("ah", **h),
    "register satype=9 on mon": lambda **h: requests.register(pf.SAType.IPCOMP, **h),
    "getspi esp 0x1000-0x1fff": lambda **h: requests.getspi(
        "esp", HERE, THERE, 0x1000, 0x1FFF, mode=pf.Mode.TUNNEL, reqid=7, **h
    ),
    "getspi ah ipv6": lambda **h: requests.getspi("ah", HERE6, THERE6, 0x2000, 0x2000, **h),
    "update the larval SA": lambda **h: requests.update(
        "esp", 0x1F08, HERE, THERE, mode="tunnel", reqid=7, **PLAIN, **h
    ),
    "add esp": lambda **h: requests.add("esp", 0x3001, HERE, THERE, **STRONG, **h),
    "add ah v6": lambda **h: requests.add("ah", 0x3002, HERE6, THERE6, **SHA1, **h),
    "add ipcomp": lambda **h: requests.add("ipcomp", 0x3003, HERE, THERE, compress="deflate", mode="transport", **h),
    "add esp natt": lambda **h: requests.add(
        "esp", 0x3004, HERE, THERE, mode="tunnel", reqid=11, natt=requests.natt(), **(PLAIN | {"replay": 0}), **h
    ),
    "get": lambda **h: requests.get("esp", 0x3001, HERE, THERE, extra=mature(0x3001), **h),
    "update existing mature: lifetimes": lambda **h: requests.update(
        "esp", 0x3001, HERE, THERE, hard=500, soft=timedelta(seconds=400), **STRONG, **h
    ),
    "delete": lambda **h: requests.delete("esp", 0x3001, HERE, THERE, extra=mature(0x3001), **h),
    "dump esp by actor (not broadcast)": lambda **h: requests.dump("esp", **h),
    "add AH v6 soft 1 hard 2": lambda **h: requests.add(
        "ah", 0x4002, HERE6, THERE6, mode="transport", hard=2, soft=1, **SHA1, **h
    ),
    "flush esp": lambda **h: requests.flush("esp", **h),
    "flush all": lambda **h: requests.flush(**h),
    "spdadd out": lambda **h: requests.spdadd(*ICMP, OUT, proto="icmp", **h),
    "spdupdate": lambda **h: requests.spdupdate(
        *ICMP, requests.policy("out", transforms=[ESP], priority=77), proto=1, **h
    ),
    "spdget by index": lambda **h: requests.spdget(1, extra=[requests.policy("out", id=1)], **h),
    "spdsetidx": lambda **h: requests.spdsetidx(*ICMP, OUT, proto="icmp", **h),
    "answer ACQUIRE: add with its seq": lambda **h: requests.add("esp", 0x7001, HERE, THERE, mode=1, **PLAIN, **h),
    "ACQUIRE error from userland (errno=110 in request)": lambda **h: requests.acquire_failure("esp", 110, **h),
    "spdadd v6 esp+ah out": lambda **h: requests.spdadd(
        HERE6, THERE6, requests.policy("out", "ipsec", [ESP, requests.transform("ah")]), proto="icmp6", **h
    ),
    "spdadd tunnel out": lambda **h: requests.spdadd(
        HERE, ip_network("10.77.0.0/24"), requests.policy("out", "ipsec", [tunnel(HERE, THERE)]), proto=0, **h
    ),
    "spddelete": lambda **h: requests.spddelete(*ICMP, "out", proto=1, extra=[requests.policy("out")], **h),
    "spddelete2 by index": lambda **h: requests.spddelete2(9, extra=[requests.policy("out", id=9)], **h),
    "spdflush": lambda **h: requests.spdflush(**h),
    "spdget list via spddump": lambda **h: requests.spddump(**h),
    "add with byte lifetime soft 100 hard 300": lambda **h: requests.add(
        "esp",
        0x8001,
        HERE,
        THERE,
        mode="transport",
        hard=requests.limits(bytes=300),
        soft=requests.limits(bytes=100),
        **PLAIN,
        **h,
    ),
    "add with use lifetime soft 1 hard 2 after first use": lambda **h: requests.add(
        "esp",
        0x8002,
        HERE,
        THERE,
        mode="transport",
        hard=requests.limits(usetime=timedelta(seconds=2)),
        soft=requests.limits(usetime=1),
        **PLAIN,
        **h,
    ),
    "migrate (tunnel endpoints)": lambda **h: requests.migrate(
        HERE, THERE, "out", [(tunnel(HERE, THERE, reqid=5), tunnel(HERE, "10.9.0.3", reqid=5))], proto=0, **h
    ),
}
ERRORS: dict[str, Callable[..., MessageValue]] = {
    "ESP null (11) with an empty KEY_ENCRYPT ext": lambda **h: requests.add(
        "esp", 0x1002B, HERE, THERE, encrypt="null", **SHA1, **h
    ),
    "mode 3 (BEET)": lambda **h: requests.add("esp", 0x10042, HERE, THERE, mode="beet", reqid=1, **PLAIN, **h),
    "NAT-T with OA address": lambda **h: requests.add(
        "esp", 0x10055, HERE, THERE, natt=requests.natt(original="192.168.7.7"), **PLAIN, **h
    ),
    "IDENTITY exts (FQDN)": lambda **h: requests.add(
        "esp", 0x10056, HERE, THERE, src_identity="a.example", dst_identity=("fqdn", "b.example"), **PLAIN, **h
    ),
    "SENSITIVITY ext": lambda **h: requests.add("esp", 0x10057, HERE, THERE, sensitivity=Sensitivity(), **PLAIN, **h),
    "SEC_CTX ext (SELinux string)": lambda **h: requests.add(
        "esp", 0x10058, HERE, THERE, extra=[SecurityContext(1, 1, b"system_u\0\0")], **PLAIN, **h
    ),
    "PROXY address": lambda **h: requests.add("esp", 0x10059, HERE, THERE, proxy="192.168.9.0/24", **PLAIN, **h),
    "DUMP with FILTER ext (IPv4 src 10.9.0.0/16)": lambda **h: requests.dump(filter=("10.9.0.0/16", None), **h),
}


def sent(name: str, note: str) -> MessageView:
    """The request of this step."""
    with (CORPUS / f"{name}.idx.tsv").open(encoding="utf-8", newline="") as lines:
        (row,) = [row for row in csv.DictReader(lines, delimiter="\t") if row["note"] == note][:1]
    start = int(row["offset"])
    data = (CORPUS / name).read_bytes()[start : start + int(row["bytes"])]
    return pf.decode(data, "linux", "little")[0]


def in_order_of(message: MessageValue, model: pf.Message) -> MessageValue:
    """The message with its extensions in another's order."""
    places = [part.exttype for part in model.extensions]
    return message.replace(extensions=sorted(message.extensions, key=lambda part: places.index(part.exttype)))


CASES = [("linux-events.sent.bin", note) for note in EVENTS] + [("linux-errors.sent.bin", note) for note in ERRORS]


@pytest.mark.parametrize(("file", "note"), CASES)
def test_what_the_kernel_accepted(file: str, note: str) -> None:
    real = sent(file, note)
    built = (EVENTS | ERRORS)[note](seq=real.seq, pid=real.pid, dialect="linux")
    assert in_order_of(built, real).encode(byteorder="little") == real.raw
    assert not [item for item in pf.check(built) if item.level == "error" or item.rule == "R-2.4-01"]


AES = {"encrypt": "aes-cbc", "encrypt_key": bytes(range(16))}
NULL: dict[str, Any] = {"encrypt": "null"}
CYCLE = {"flags": 0x40}
ONE, TWO = "1.1.1.1", "2.2.2.2"
DEFAULT = 0x80000000
"""The priority that setkey gives a policy."""


def sa2() -> list[SA2]:
    """Mode and request id as setkey has them in every message, though nobody looks at them."""
    return [SA2()]


SETKEY: dict[str, list[Callable[[], MessageValue]]] = {
    "flush ; spdflush ;": [lambda: requests.flush(dialect="linux"), lambda: requests.spdflush(dialect="linux")],
    "add 192.0.2.1 198.51.100.2 esp 0x1001 -m tunnel": [
        lambda: requests.add(
            "esp",
            0x1001,
            "192.0.2.1",
            "198.51.100.2",
            mode="tunnel",
            reqid=7,
            replay=32,
            flags=0x240,
            hard=requests.limits(addtime=3600, bytes=1000000),
            soft=requests.limits(addtime=3000, bytes=900000),
            auth="sha1-hmac",
            auth_key=b"abcdefghijklmnopqrst",
            state="larval",
            dialect="linux",
            **AES,
        )
    ],
    "add 2001:db8::1 2001:db8::2 ah 4096": [
        lambda: requests.add(
            "ah",
            4096,
            "2001:db8::1",
            "2001:db8::2",
            auth="md5-hmac",
            auth_key=b"0123456789abcdef",
            flags=0x40,
            state="larval",
            mode="any",
            dialect="linux",
        )
    ],
    "add 192.0.2.1 198.51.100.2 ipcomp 0x12": [
        lambda: requests.add(
            "ipcomp",
            0x12,
            "192.0.2.1",
            "198.51.100.2",
            compress="deflate",
            flags=0x40,
            state=0,
            mode=0,
            dialect="linux",
        )
    ],
    "delete 192.0.2.1 198.51.100.2 esp 0x1001": [
        lambda: requests.delete(
            "esp", 0x1001, "192.0.2.1", "198.51.100.2", extra=[SA(0x1001, flags=0x40), SA2()], dialect="linux"
        )
    ],
    "spdadd 10.0.0.0/8[any] 10.1.0.0/16[443] tcp": [
        lambda: requests.spdadd(
            "10.0.0.0/8[any]",
            ("10.1.0.0/16", 443),
            requests.policy(
                "out",
                "ipsec",
                [
                    requests.transform(
                        "esp", mode="tunnel", src="192.0.2.1", dst="198.51.100.2", level="unique", reqid=9
                    ),
                    requests.transform("ah"),
                ],
                priority=0x3FFFFFFB,
            ),
            proto="tcp",
            dialect="linux",
        )
    ],
    "spdadd 2001:db8::/32 ::/0 icmp6 128,0": [
        lambda: requests.spdadd(
            "2001:db8::/32[128]",
            "::/0",
            requests.policy("out", "none", priority=DEFAULT),
            proto="icmp6",
            dialect="linux",
        )
    ],
    "spddelete 10.0.0.0/8[any] 10.1.0.0/16[443] tcp": [
        lambda: requests.spddelete("10.0.0.0/8", "10.1.0.0/16[443]", "out", proto=6, dialect="linux")
    ],
    "spdadd 1.1.1.1 2.2.2.2 any -P out prio def - 3": [
        lambda: requests.spdadd(
            ONE,
            TWO,
            requests.policy(
                "out", "ipsec", [requests.transform("esp", level="unique", reqid=40000)], priority=DEFAULT + 3
            ),
            dialect="linux",
        )
    ],
    "spdadd 1.1.1.1 2.2.2.2 any -P fwd prio -3 discard": [
        lambda: requests.spdadd(ONE, TWO, requests.policy("fwd", "discard", priority=DEFAULT + 3), dialect="linux")
    ],
    "spdadd 1.1.1.1 2.2.2.2 any -P out ipsec esp/tunnel/1.1.1.1[4500]": [
        lambda: requests.spdadd(
            ONE,
            TWO,
            requests.policy(
                "out",
                "ipsec",
                [requests.transform("esp", mode="tunnel", src=f"{ONE}[4500]", dst=f"{TWO}[4500]", level="use")],
                priority=DEFAULT,
            ),
            dialect="linux",
        )
    ],
    "add 1.1.1.1 2.2.2.2 esp-udp 1.2.3.4 100": [
        lambda: requests.add(
            "esp",
            100,
            ONE,
            TWO,
            encrypt="null",
            natt=requests.natt(original="1.2.3.4"),
            flags=0x40,
            state="larval",
            mode="any",
            dialect="linux",
        )
    ],
}


def spoken(message: pf.Message) -> MessageValue:
    """The message with the RFC's protocol in the addresses of an association, where setkey says that any will do."""
    if message.type >= pf.MessageType.SPDUPDATE:
        return message.replace()
    parts = [
        type(part)(part.exttype, part.sockaddr, 0, part.prefixlen) if getattr(part, "proto", 0) == 255 else part
        for part in message.extensions
    ]
    return message.replace(extensions=parts)


@pytest.mark.parametrize("start", SETKEY)
def test_what_setkey_sends(start: str) -> None:
    lines = (CORPUS / "setkey" / "build_vectors.tsv").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if line.startswith(start)]
    texts = [word.partition(":")[2] for word in line.split("\t")[3].split()]
    reals = [spoken(pf.decode(bytes.fromhex(text), "linux", "little")[0]) for text in texts]
    builts = [in_order_of(make(), real) for make, real in zip(SETKEY[start], reals, strict=True)]
    assert [built.encode() for built in builts] == [real.encode() for real in reals]
