"""Scripts about associations: every request, several sockets, and what becomes of larval ones."""

from __future__ import annotations

from fastpfkey import requests
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.spec.terms import SAType
from fastpfkey.wire.extensions import SA, Lifetime
from fastpfkey.wire.message import MessageValue

from .parts import DST, DST6, KEY, LISTENERS, PID, SRC, SRC6, add, ask, delete, dump, flush, get, getspi, update
from .script import ACTOR, OTHER, PROMISCUOUS, REGISTERED, Close, Read, Script, Send

LIMITS = {"hard": requests.limits(addtime=3600, bytes=1 << 40), "soft": requests.limits(addtime=1800, bytes=1 << 30)}
AH = {"auth": "sha1-hmac", "auth_key": KEY[:20]}
NATT = requests.natt(4500, 4501)
TUNNEL = {"mode": "tunnel", "reqid": 77}
SHA256 = {"auth": "sha2-256-hmac", "auth_key": KEY[:32]}
SHA512 = {"auth": "sha2-512-hmac", "auth_key": KEY[:64]}
NULL = {"encrypt": "null", "encrypt_key": b""}
TRIPLE = {"encrypt": "triple-des-cbc", "encrypt_key": KEY[:24]}

KINDS = {
    "ESP": add(0x1001),
    "ESP IPv6": add(0x1002, SRC6, DST6),
    "ESP of SHA-256": add(0x1003, **SHA256),
    "ESP of SHA-512": add(0x1004, SRC6, DST6, **SHA512),
    "ESP of MD5 and 3DES": add(0x1005, auth="md5-hmac", auth_key=KEY[:16], **TRIPLE),
    "ESP in counter mode": add(0x1006, encrypt="aes-ctr", encrypt_key=KEY[:20]),
    "ESP without encryption": add(0x1007, **NULL),
    "ESP without integrity": ask(requests.add, "esp", 0x1008, SRC, DST, encrypt="aes-cbc", encrypt_key=KEY[:32]),
    "ESP in a tunnel": add(0x1009, **TUNNEL),
    "ESP in UDP": add(0x100A, natt=NATT),
    "ESP in UDP IPv6": add(0x100B, SRC6, DST6, natt=NATT),
    "ESP with a window": add(0x100C, replay=32),
    "ESP with a large window": add(0x100D, replay=200),
    "ESP with limits": add(0x100E, **LIMITS),
    "ESP with a soft limit alone": add(0x100F, soft=1800),
    "ESP with flags": add(0x1010, flags=["SADB_SAFLAGS_NOECN", "SADB_SAFLAGS_DECAP_DSCP"], **TUNNEL),
    "ESP with a port in its address": add(0x1011, f"{SRC}[500]", f"{DST}[500]"),
    "ESP by a proxy": add(0x1012, proxy="192.0.2.77"),
    "ESP by a proxy that is its source": add(0x1017, proxy=SRC),
    "ESP IPv6 by a proxy that is its source": add(0x1018, SRC6, DST6, proxy=SRC6),
    "ESP with identities": add(
        0x1013, src_identity=("fqdn", "fqdn:a.example"), dst_identity=("fqdn", "fqdn:b.example")
    ),
    "AH": ask(requests.add, "ah", 0x1014, SRC, DST, **AH),
    "AH IPv6 in a tunnel": ask(requests.add, "ah", 0x1015, SRC6, DST6, mode="tunnel", **AH),
    "IPComp": ask(requests.add, "ipcomp", 0x1016, SRC, DST, compress="deflate", mode="transport"),
}
"""ADDs of many kinds."""

REFUSED = {
    "an SPI that is taken": add(0x1001),
    "the same from elsewhere": add(0x1001, "192.0.2.9"),
    "an algorithm without a number here": add(0x1101, encrypt="aes-gcm-icv16", encrypt_key=KEY[:20]),
    "a key that is too short": add(0x1102, encrypt_key=KEY[:13]),
    "no integrity for AH": MessageValue(
        Msg.ADD, SAType.AH, seq=9, pid=PID, dialect="linux", extensions=(SA(0x1103), *add(1).extensions[1:3])
    ),
    "a hard limit alone": MessageValue(
        Msg.ADD,
        SAType.ESP,
        seq=9,
        pid=PID,
        dialect="linux",
        extensions=(*add(0x1104).extensions, Lifetime(Ext.LIFETIME_HARD)),
    ),
}
"""ADDs that are not for the kernel."""


def _each(messages: dict[str, MessageValue]) -> tuple[Send, ...]:
    return tuple(Send(message, name=f"ADD {name}") for name, message in messages.items())


END = (Send(flush(), name="FLUSH at the end"),)

SCRIPTS = {
    "one association": Script(
        (
            *LISTENERS,
            Send(add(0x1001)),
            Send(get(0x1001)),
            Send(get(0x1001, "192.0.2.9"), name="GET from elsewhere"),
            Send(get(0x1002), name="GET of a missing SPI"),
            Send(get(0x1001, dst="198.51.100.3"), name="GET with another destination"),
            Send(get(0x1001, satype="ah"), name="GET of another type"),
            Send(get(0x1001), OTHER, name="GET by another"),
            Send(dump()),
            Send(delete(0x1002), name="DELETE of a missing SPI"),
            Send(delete(0x1001, satype="ah"), name="DELETE of another type"),
            Send(delete(0x1001, "192.0.2.9"), name="DELETE from elsewhere"),
            Send(delete(0x1001), name="DELETE once more"),
            Send(get(0x1001), name="GET of what is gone"),
            Send(dump(), name="DUMP of nothing once more"),
            Send(flush(), name="FLUSH of nothing"),
        )
    ),
    "associations of many kinds": Script(
        (
            *LISTENERS,
            *_each(KINDS),
            *_each(REFUSED),
            Send(dump(), name="DUMP"),
            Send(dump("esp"), OTHER, name="DUMP of ESP"),
            Send(dump("ah"), name="DUMP of AH"),
            Send(dump("ipcomp"), name="DUMP of IPComp"),
            Send(dump("rsvp"), name="DUMP of RSVP"),
            Send(dump(filter=(None, f"{DST}/32")), name="DUMP by destination"),
            Send(dump(filter=("2001:db8::/32", None)), name="DUMP by IPv6 source"),
            Send(dump(filter=(None, "10.0.0.0/8")), name="DUMP by a destination that there is not"),
            Send(flush("ah"), name="FLUSH of AH"),
            Send(flush("ah"), name="FLUSH of AH once more"),
            Send(dump("ah"), name="DUMP of no AH"),
            Send(flush("rsvp"), name="FLUSH of RSVP"),
            Send(flush(), OTHER, name="FLUSH by another"),
            Send(flush(), name="FLUSH once more"),
            Send(dump(), name="DUMP of nothing at the end"),
        )
    ),
    "UPDATE of one in use": Script(
        (
            *LISTENERS,
            Send(update(0x1201), name="UPDATE of a missing SPI"),
            Send(add(0x1201)),
            Send(add(0x1202)),
            Send(update(0x1201, **LIMITS), name="UPDATE of limits"),
            Send(get(0x1201), name="GET with limits"),
            Send(update(0x1201), name="UPDATE without limits"),
            Send(get(0x1201), name="GET without limits"),
            Send(update(0x1201, auth_key=KEY[40:60]), name="UPDATE of a key"),
            Send(update(0x1201, encrypt="null", encrypt_key=b""), name="UPDATE of an algorithm"),
            Send(update(0x1201, replay=8, mode="tunnel"), name="UPDATE of a window and a mode"),
            Send(update(0x1201, natt=NATT), name="UPDATE of ports"),
            Send(update(0x1201, "192.0.2.9"), name="UPDATE from elsewhere"),
            Send(
                ask(requests.update, "esp", 0x1201, SRC, DST, **LIMITS),
                name="UPDATE without algorithms",
            ),
            Send(get(0x1201), name="GET at the end"),
            Send(dump(), name="DUMP at the end"),
            *END,
        )
    ),
    "GETSPI": Script(
        (
            *LISTENERS,
            Send(getspi(0x1301, 0x1301), name="GETSPI of one"),
            Send(getspi(0x1301, 0x1301), name="GETSPI of one that is taken"),
            Send(getspi(0x1302, 0x1300), name="GETSPI upside down"),
            Send(getspi(0x2000, 0x2FFF, mode="tunnel", reqid=9), name="GETSPI of a range", keeps="one of many"),
            Send(getspi(0x100, 0xFFFF, satype="ah"), name="GETSPI for AH", keeps="AH"),
            Send(getspi(0x1303, 0x1303, SRC6, DST6), name="GETSPI for IPv6"),
            Send(getspi(0x4000, 0x4000, satype="ipcomp"), name="GETSPI for IPComp"),
            Send(getspi(0x10000, 0x10010, satype="ipcomp"), name="GETSPI beyond IPComp's"),
            Send(get(0x1301), name="GET of a larval one"),
            Send(get(0), uses="one of many", name="GET of the one of a range"),
            Send(dump(), name="DUMP"),
            Send(delete(0x1301), name="DELETE of a larval one"),
            Send(getspi(0x1301, 0x1301), OTHER, name="GETSPI by another"),
            Send(flush("ah"), name="FLUSH of AH"),
            *END,
        )
    ),
    "a larval one becomes mature": Script(
        (
            *LISTENERS,
            Send(add(0x1400), name="ADD of an older one"),
            Send(getspi(0x1401, 0x1401), name="GETSPI for UPDATE"),
            Send(getspi(0x1402, 0x1402), name="GETSPI for ADD"),
            Send(getspi(0x1403, 0x1403, seq=0x7777), name="GETSPI with a number"),
            Send(dump(), name="DUMP of larval ones"),
            Send(update(0x1401, auth="null", auth_key=b"", encrypt_key=KEY[:13]), name="UPDATE of nonsense"),
            Send(update(0x1401, **LIMITS), name="UPDATE of a larval one"),
            Send(get(0x1401), name="GET of what is mature"),
            Send(update(0x1401), name="UPDATE once more"),
            Send(add(0x1402), name="ADD of a larval one"),
            Send(add(0x1403, seq=0x7777), name="ADD of a larval one with its number"),
            Send(dump(), name="DUMP of all"),
            Send(update(0x1402), OTHER, name="UPDATE by another"),
            Send(dump(), OTHER, name="DUMP at the end"),
            *END,
        )
    ),
    "UDP encapsulation": Script(
        (
            *LISTENERS,
            Send(getspi(0x1501, 0x1501), name="GETSPI"),
            Send(update(0x1501, natt=NATT), name="UPDATE with ports"),
            Send(get(0x1501), name="GET with ports"),
            Send(update(0x1501, natt=requests.natt(4600, 4601)), name="UPDATE of ports"),
            Send(get(0x1501), name="GET with other ports"),
            Send(update(0x1501), name="UPDATE without ports"),
            Send(update(0x1501, natt=requests.natt(4500, 4501, type="espinudp-non-ike")), name="UPDATE of the kind"),
            Send(get(0x1501), name="GET with the same ports"),
            Send(add(0x1502, natt=requests.natt(4500, 4502, type="espinudp-non-ike")), name="ADD of the other kind"),
            Send(
                add(0x1503, natt=requests.natt(4500, 4503, original="192.0.2.200")), name="ADD with an original address"
            ),
            Send(dump(), name="DUMP"),
            Send(delete(0x1502), name="DELETE"),
            *END,
        )
    ),
    "registering": Script(
        (
            Send(ask(requests.register, "esp"), REGISTERED, name="REGISTER for ESP"),
            Send(ask(requests.register, "esp"), REGISTERED, name="REGISTER for ESP again"),
            Send(ask(requests.register, "ah"), REGISTERED, name="REGISTER for AH"),
            Send(ask(requests.register, "ipcomp"), ACTOR, name="REGISTER for IPComp"),
            Send(ask(requests.register, "esp"), ACTOR, name="REGISTER for ESP, as another has"),
            Send(ask(requests.register), OTHER, name="REGISTER for nothing"),
            Send(ask(requests.register, "ospfv2"), OTHER, name="REGISTER for OSPF"),
            Close(REGISTERED),
            Send(ask(requests.register, "ah"), OTHER, name="REGISTER for AH by another"),
        ),
        sockets=(ACTOR, OTHER, REGISTERED),
    ),
    "promiscuity": Script(
        (
            Send(ask(requests.promisc), PROMISCUOUS, name="on"),
            Send(ask(requests.promisc), PROMISCUOUS, name="on again"),
            Send(add(0x1601)),
            Send(add(0x1601), name="ADD that fails"),
            Send(add(0x1602), PROMISCUOUS, name="ADD by itself"),
            Send(dump(), name="DUMP"),
            Send(dump(), PROMISCUOUS, name="DUMP by itself"),
            Send(add(0x1603).encode()[:-8], name="ADD that is cut short"),
            Send(add(0x1603).encode()[:16] + bytes(120), name="ADD of zeros"),
            Send(ask(requests.promisc, False), PROMISCUOUS, name="off"),
            Send(delete(0x1602), name="DELETE"),
            Send(ask(requests.promisc), name="on by another"),
            Send(ask(requests.register, "esp"), OTHER, name="REGISTER"),
            Close(ACTOR),
            Send(flush(), OTHER, name="FLUSH at the end"),
        ),
        sockets=(ACTOR, OTHER, PROMISCUOUS),
    ),
    "two dumps at once": Script(
        (
            *(Send(add(0x1700 + number)) for number in range(40)),
            Send(dump(), name="DUMP that waits", reads=False),
            Send(dump(), name="DUMP meanwhile", reads=False),
            Send(ask(requests.spddump), name="SPDDUMP meanwhile", reads=False),
            Send(dump("esp"), OTHER, name="DUMP by another", reads=False),
            Read(),
            Send(dump(), name="DUMP afterwards"),
            *END,
        ),
        sockets=(ACTOR, OTHER),
        room={ACTOR: 8192},
    ),
    "a dump of what changes": Script(
        (
            *(Send(add(0x1800 + number)) for number in range(40)),
            Send(dump(), name="DUMP that waits", reads=False),
            Send(delete(0x1800), OTHER, name="DELETE of the oldest", reads=False),
            Send(add(0x1900), OTHER, name="ADD of a new one", reads=False),
            Read(),
            Send(dump(), name="DUMP at once", reads=False),
            Send(flush(), OTHER, name="FLUSH", reads=False),
            Close(ACTOR),
            Send(dump(), OTHER, name="DUMP of nothing"),
        ),
        sockets=(ACTOR, OTHER),
        room={ACTOR: 8192},
    ),
}
