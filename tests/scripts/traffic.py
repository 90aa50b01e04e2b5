"""Scripts with time and packets: ACQUIRE, what answers it, and ends of every kind."""

from __future__ import annotations

from fastpfkey import requests

from .parts import LISTENERS, add, ask, delete, dump, flush, get, getspi, update
from .policies import FLUSH, esp, out
from .script import HERE, OTHER, REGISTERED, THERE, Packets, Script, Send, Wait

POLICY = Send(ask(requests.spdadd, HERE, THERE, out(esp())))
END = (FLUSH, Send(flush(), name="FLUSH at the end"))

SCRIPTS = {
    "an ACQUIRE is answered by ADD": Script(
        (
            *LISTENERS,
            POLICY,
            Packets(),
            Packets(),
            Send(dump(), name="DUMP of what is asked for"),
            Send(add(0x4001, HERE, THERE), REGISTERED, acquired=True),
            Send(dump(), name="DUMP of what there is"),
            Packets(2),
            Send(get(0x4001, HERE, THERE), name="GET of what was used"),
            *END,
        )
    ),
    "an ACQUIRE is answered by GETSPI and UPDATE": Script(
        (
            *LISTENERS,
            POLICY,
            Packets(),
            Send(getspi(0x4101, 0x4101, HERE, THERE), REGISTERED, acquired=True),
            Send(getspi(0x4102, 0x4102, HERE, THERE), REGISTERED, acquired=True, name="GETSPI again"),
            Send(dump(), name="DUMP of larval ones"),
            Send(update(0x4101, HERE, THERE), REGISTERED, acquired=True),
            Packets(),
            Send(dump(), name="DUMP of what there is"),
            *END,
        )
    ),
    "an ACQUIRE is answered by GETSPI and ADD": Script(
        (
            *LISTENERS,
            POLICY,
            Packets(),
            Send(getspi(0x4201, 0x4201, HERE, THERE), REGISTERED, acquired=True),
            Send(add(0x4202, HERE, THERE), REGISTERED, acquired=True),
            Send(dump(), name="DUMP of what there is"),
            *END,
        )
    ),
    "an ACQUIRE fails": Script(
        (
            *LISTENERS,
            POLICY,
            Packets(),
            Send(ask(requests.acquire_failure, "esp", 110), REGISTERED, acquired=True),
            Send(dump(), name="DUMP of what failed"),
            Packets(),
            Send(ask(requests.acquire_failure, "esp", 110), REGISTERED, name="ACQUIRE of an unknown number"),
            *END,
        )
    ),
    "nobody answers": Script(
        (
            *LISTENERS,
            POLICY,
            Packets(),
            Send(getspi(0x4301, 0x4301), name="GETSPI"),
            Wait(4.5),
            Send(dump(), name="DUMP of nothing left"),
            Packets(),
            *END,
        ),
        larval=2,
    ),
    "time ends associations": Script(
        (
            *LISTENERS,
            Send(add(0x4401, soft=1, hard=4), name="ADD of both limits"),
            Send(add(0x4402, hard=1), name="ADD of a hard limit"),
            Wait(2.5),
            Send(get(0x4401), name="GET of a dying one"),
            Send(get(0x4402), name="GET of a dead one"),
            Wait(3.5),
            Send(dump(), name="DUMP of nothing left"),
            *END,
        )
    ),
    "an UPDATE gives time": Script(
        (
            *LISTENERS,
            Send(add(0x4501, soft=1, hard=60), name="ADD"),
            Wait(2.5),
            Send(update(0x4501, soft=600, hard=900), OTHER, name="UPDATE of a dying one"),
            Send(get(0x4501), name="GET of a mature one"),
            Send(update(0x4501, soft=5, hard=900), OTHER, name="UPDATE of less time"),
            Wait(4.5),
            Send(delete(0x4501), name="DELETE of a dying one"),
            *END,
        )
    ),
    "bytes end an association": Script(
        (
            *LISTENERS,
            POLICY,
            Send(
                add(0x4601, HERE, THERE, soft=requests.limits(bytes=200), hard=requests.limits(bytes=400)), name="ADD"
            ),
            *[Packets()] * 2,
            Send(get(0x4601, HERE, THERE), name="GET of two packets"),
            *[Packets()] * 6,
            Send(dump(), name="DUMP at the end"),
            *END,
        )
    ),
    "packets end an association": Script(
        (
            *LISTENERS,
            POLICY,
            Send(
                add(0x4701, HERE, THERE, soft=requests.limits(allocations=2), hard=requests.limits(allocations=4)),
                name="ADD",
            ),
            *[Packets()] * 6,
            Send(dump(), name="DUMP at the end"),
            *END,
        )
    ),
    "use ends an association": Script(
        (
            *LISTENERS,
            POLICY,
            Send(
                add(0x4801, HERE, THERE, soft=requests.limits(usetime=1), hard=requests.limits(usetime=4)), name="ADD"
            ),
            Wait(2.5),
            Send(get(0x4801, HERE, THERE), name="GET of one never used"),
            Packets(),
            Wait(2.5),
            Send(get(0x4801, HERE, THERE), name="GET of one used"),
            Wait(3.5),
            Send(dump(), name="DUMP of nothing left"),
            *END,
        )
    ),
}
