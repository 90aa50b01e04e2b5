"""Messages from natural values: one function for each kind, with keywords for what it may have.

    requests.add("esp", 0x1001, "192.0.2.1", "192.0.2.2", encrypt="aes-cbc", encrypt_key=key, hard=3600)
    requests.spdadd("10.0.0.0/8", "10.1.0.0/16[443]", requests.policy("out", "ipsec", [requests.transform("esp")]))

Every function gives an immutable message in the dialect of the running system, or of the one that `dialect=` names:
`encode` gives its bytes, `replace` another one, and `check` tells what an engine would say to it. `seq=` and `pid=` go
into the header, and `extra=` are typed extensions that no keyword is for. Extensions come in the order of RFC 2367,
2.4. Messages are named as in RFC 2367 and the systems' headers.

Addresses are text or objects of ipaddress, algorithms and modes are terms, their labels or their canonical numbers,
keys are bytes or hexadecimal text, times are seconds or timedelta. What cannot be understood is an EncodeError that
names message, extension and field at once; a number too large for its field is one when the message is encoded.
"""

from .associations import add, delete, delpair, delpair_state, get, getspi, grpspis, update, updatepair
from .control import dump, flush, getsastat, promisc, register
from .flows import addflow, askpolicy, delflow
from .negotiation import acquire, acquire_failure, combination, expire, inverse_acquire, nat_t_new_mapping, pchange
from .parts import address, limits, natt
from .policies import (
    migrate,
    migrate_sa,
    policy,
    spdacquire,
    spdadd,
    spddelete,
    spddelete2,
    spddisable,
    spddump,
    spdenable,
    spdexpire,
    spdflush,
    spdget,
    spdsetidx,
    spdupdate,
    transform,
)

__all__ = [
    "acquire",
    "acquire_failure",
    "add",
    "addflow",
    "address",
    "askpolicy",
    "combination",
    "delete",
    "delflow",
    "delpair",
    "delpair_state",
    "dump",
    "expire",
    "flush",
    "get",
    "getsastat",
    "getspi",
    "grpspis",
    "inverse_acquire",
    "limits",
    "migrate",
    "migrate_sa",
    "nat_t_new_mapping",
    "natt",
    "pchange",
    "policy",
    "promisc",
    "register",
    "spdacquire",
    "spdadd",
    "spddelete",
    "spddelete2",
    "spddisable",
    "spddump",
    "spdenable",
    "spdexpire",
    "spdflush",
    "spdget",
    "spdsetidx",
    "spdupdate",
    "transform",
    "update",
    "updatepair",
]
