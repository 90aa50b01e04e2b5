"""What an error number in a reply means, by system and type of message, in a sentence that says what to do.

A number alone tells nothing: EINVAL is a malformed message, an SA type without associations, or a lifetime without its
companion; ENOSYS of Linux is an algorithm that the kernel has and PF_KEY cannot name. The table goes from the special
to the general, and the first line that fits is taken. Sources: the systems' kernels, and what Linux 6.1 was seen to do.
"""

from __future__ import annotations

from dataclasses import dataclass

from .model import Dialect
from .terms import MessageType as Type

LINUX = frozenset({"linux"})
KAME = frozenset({"freebsd", "netbsd", "macos"})
NETIPSEC = frozenset({"freebsd", "netbsd"})
OPENBSD = frozenset({"openbsd"})
ILLUMOS = frozenset({"illumos"})
ANY: frozenset[str] = frozenset()
"""Every system."""

_NEW = (Type.ADD, Type.UPDATE)
_ONE = (Type.GET, Type.DELETE, Type.UPDATE)
_POLICY = (Type.SPDADD, Type.SPDUPDATE, Type.SPDSETIDX)


@dataclass(frozen=True)
class Explanation:
    """What one error means."""

    errno: str
    messages: tuple[Type, ...]
    """Types of requests; none for all."""
    systems: frozenset[str]
    text: str


EXPLANATIONS = (
    Explanation(
        "ENOSYS",
        _NEW,
        LINUX,
        "the kernel has no such algorithm for PF_KEY: it is not built in, its module is not loaded, or it is an AEAD "
        "(AES-GCM, AES-CCM, GMAC), which Linux adds through netlink alone",
    ),
    Explanation(
        "EINVAL", (Type.GETSPI,), LINUX, "the range is empty, or for IPCOMP above 0xffff, or no SA type is given"
    ),
    Explanation(
        "EINVAL",
        _NEW,
        LINUX,
        "something in the request does not fit: a hard lifetime without a soft one or the reverse, a key of a length "
        "that the algorithm does not take, an ESP association without an encryption key extension, a mode that is "
        "neither transport, tunnel nor beet, or an SA type that the kernel has no associations of",
    ),
    Explanation(
        "EINVAL",
        _POLICY,
        LINUX,
        "something in the policy does not fit: a type that is neither discard, none nor ipsec, a direction that is "
        "neither in, out nor fwd, a request without a mode, a tunnel without its addresses, or a tunnel of level use "
        "in direction out",
    ),
    Explanation("EINVAL", (Type.FLUSH, Type.REGISTER), LINUX, "the kernel has no associations of this SA type"),
    Explanation(
        "EINVAL",
        (Type.SPDDUMP, Type.DUMP),
        LINUX,
        "an entry of the table, made through netlink, cannot be told in PF_KEY, and the dump ended there",
    ),
    Explanation(
        "EINVAL",
        (Type.UPDATE,),
        NETIPSEC,
        "no association has this SPI, another process made it, or it is in "
        "use and the request has keys, which only a larval one takes",
    ),
    Explanation("EINVAL", (Type.UPDATE,), OPENBSD, "an association in use takes lifetimes, and no keys"),
    Explanation(
        "EINVAL",
        _NEW,
        KAME,
        "something in the request does not fit: an algorithm that the kernel does not have, a key of the wrong length, "
        "an SPI below 256, a hard lifetime without a soft one, or a flag that it does not know",
    ),
    Explanation("EINVAL", (Type.SPDDELETE, Type.SPDDELETE2), KAME, "there is no such policy"),
    Explanation("EINVAL", (), ANY, "the request is malformed, or lacks an extension that it has to have"),
    Explanation("ENOENT", (Type.GETSPI,), LINUX, "no SPI of the range is free"),
    Explanation("EEXIST", (Type.GETSPI,), ANY, "no SPI of the range is free"),
    Explanation("ENOENT", (Type.DUMP,), ANY, "the table has no association that was asked for"),
    Explanation("ENOENT", (Type.SPDDUMP,), ANY, "there are no policies"),
    Explanation(
        "ENOENT",
        (Type.SPDGET, Type.SPDDELETE, Type.SPDDELETE2, Type.SPDUPDATE, Type.MIGRATE),
        ANY,
        "there is no such policy; prefix lengths, ports and direction have to be those that it was added with",
    ),
    Explanation(
        "ESRCH",
        _ONE,
        ANY,
        "there is no such association: SA type, SPI and destination have to be those of one, and it may have expired",
    ),
    Explanation(
        "EEXIST",
        (Type.ADD,),
        LINUX,
        "there is an association with this SA type, SPI and destination, perhaps "
        "a larval one that GETSPI reserved: UPDATE completes it",
    ),
    Explanation("EEXIST", (Type.UPDATE,), LINUX, "the association belongs to the kernel"),
    Explanation(
        "EEXIST",
        (Type.ADD,),
        NETIPSEC,
        "there is an association with this SPI, whatever its type and destination; a larval one is completed by UPDATE",
    ),
    Explanation(
        "EEXIST", (Type.ADD,), ANY, "there is such an association already, perhaps a larval one, which UPDATE completes"
    ),
    Explanation("EEXIST", (Type.REGISTER,), ANY, "this socket is registered for the SA type already"),
    Explanation("EEXIST", _POLICY, ANY, "there is a policy with this selector already: SPDUPDATE replaces it"),
    Explanation("EPERM", (Type.DELETE,), LINUX, "the association belongs to the kernel, as those of tunnels do"),
    Explanation("EPERM", (), ANY, "not permitted: root or CAP_NET_ADMIN is needed"),
    Explanation("EACCES", (Type.UPDATE,), ANY, "the association was made by another socket"),
    Explanation("EBUSY", (Type.DUMP, Type.SPDDUMP), ANY, "another dump is under way on this socket"),
    Explanation("ELOOP", _POLICY, LINUX, "a policy has 6 requests at most"),
    Explanation("EPROTONOSUPPORT", (Type.ACQUIRE,), ANY, "no key manager is registered for this SA type"),
    Explanation("EPROTONOSUPPORT", (), ANY, "the SA type has to be given, and to be one that the system has"),
    Explanation(
        "EOPNOTSUPP",
        (Type.ACQUIRE,),
        LINUX,
        "programs cannot ask for an association through PF_KEY: the kernel takes the report of a failure alone",
    ),
    Explanation("EOPNOTSUPP", (), LINUX, "the kernel does not take this message from programs"),
    Explanation("EOPNOTSUPP", (), KAME, "the kernel has no associations of this SA type"),
    Explanation("ENODATA", (Type.MIGRATE,), LINUX, "the policy has no transformation that is one of those to be moved"),
    Explanation("ENOPROTOOPT", (Type.MIGRATE,), LINUX, "the kernel was built without CONFIG_NET_KEY_MIGRATE"),
    Explanation("EAFNOSUPPORT", (), ANY, "the address family is not one that the system takes here"),
    Explanation("EMSGSIZE", (), ANY, "the length in the header is not that of the message, or it is too long"),
    Explanation(
        "ENOBUFS",
        (Type.DUMP, Type.SPDDUMP),
        NETIPSEC,
        "the answer does not fit into the receive buffer of "
        "the socket; dump one SA type at a time, or raise kern.sbmax",
    ),
    Explanation("ENOBUFS", (), ANY, "the system had no room for the reply or the association"),
    Explanation("ENOMEM", (), ANY, "the system had no memory for it"),
    Explanation("EINTR", (Type.GETSPI,), LINUX, "a signal interrupted the search for an SPI"),
    Explanation("ETIMEDOUT", (), ANY, "it took too long"),
)


def explain(dialect: Dialect, kind: Type, errno: int) -> str:
    """What this error number of a system means in the reply to a request; empty where nothing is known of it."""
    name = dialect.errno_name(errno)
    for item in EXPLANATIONS:
        if (
            item.errno == name
            and kind in (item.messages or (kind,))
            and dialect.name in (item.systems or (dialect.name,))
        ):
            return item.text
    return ""
