"""What ``setkey -v`` and ``-x`` print: a message structure by structure, with the numbers of the wire.

Lifetimes are cut to 32 bits, as setkey does. Of identities, proposals and lists of algorithms only the line is printed
that says how long they are. Keys are shown unless they are to be redacted.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..spec.model import WORD
from ..spec.terms import ExtensionType as Ext
from ..wire.extensions import Address, Key
from ..wire.extensions_ipsec import Policy, PolicyRequest
from ..wire.message import MessageView
from ..wire.sockaddr import SocketAddress
from ..wire.value import ExtensionValue

BITS32 = (1 << 32) - 1

LINES = {
    Ext.SA: (
        "sadb_sa{{ spi={sadb_sa_spi} replay={sadb_sa_replay} state={sadb_sa_state}\n"
        "  auth={sadb_sa_auth} encrypt={sadb_sa_encrypt} flags=0x{sadb_sa_flags:08x} }}\n"
    ),
    Ext.SA2: (
        "sadb_x_sa2{{ mode={sadb_x_sa2_mode} reqid={sadb_x_sa2_reqid}\n  reserved1={sadb_x_sa2_reserved1} "
        "reserved2={sadb_x_sa2_reserved2} sequence={sadb_x_sa2_sequence} }}\n"
    ),
    Ext.NATT_TYPE: "sadb_x_nat_t_type{{ type={sadb_x_nat_t_type_type} }}\n",
    Ext.NATT_SPORT: "sadb_x_nat_t_port{{ port={sadb_x_nat_t_port_port} }}\n",
    Ext.NATT_DPORT: "sadb_x_nat_t_port{{ port={sadb_x_nat_t_port_port} }}\n",
}
LIFETIMES = frozenset({Ext.LIFETIME_CURRENT, Ext.LIFETIME_HARD, Ext.LIFETIME_SOFT})
QUIET = frozenset(
    {
        *(Ext.SPIRANGE, Ext.SENSITIVITY, Ext.KMPRIVATE, Ext.IDENTITY_SRC, Ext.IDENTITY_DST, Ext.PROPOSAL),
        *(Ext.SUPPORTED_AUTH, Ext.SUPPORTED_ENCRYPT, Ext.KMADDRESS),
    }
)


def debug_text(message: MessageView, redact: bool = False) -> str:
    """The text of a message, with the empty line behind it."""
    head = message.wire
    text = (
        f"sadb_msg{{ version={head.sadb_msg_version} type={head.sadb_msg_type} errno={head.sadb_msg_errno} "
        f"satype={head.sadb_msg_satype}\n  len={head.sadb_msg_len} reserved={head.sadb_msg_reserved} "
        f"seq={head.sadb_msg_seq} pid={head.sadb_msg_pid} }}\n"
    )
    return text + "".join(_extensions(message, redact)) + "\n"


def hexdump(data: bytes) -> str:
    """Bytes as ``-H`` prints them."""
    lines = (f"{at:08x}: " + "".join(f"{octet:02x} " for octet in data[at : at + 16]) for at in range(0, len(data), 16))
    return "".join(f"{line}\n" for line in lines)


def _extensions(message: MessageView, redact: bool) -> Iterator[str]:
    for extension in message.extensions:
        known = message.dialect.by_type.get(extension.exttype)
        number = extension.exttype.wire if known is None else known.number
        yield f"sadb_ext{{ len={(extension.size or 0) // WORD} type={number} }}\n"
        if extension.exttype in QUIET:
            continue
        text = _extension(message, extension, redact)
        if text is None:
            yield f"kdebug_sadb: invalid ext_type {number} was passed.\n"
            return
        yield text


def _extension(message: MessageView, extension: ExtensionValue, redact: bool) -> str | None:
    """The text of an extension; None for one that setkey has no text for."""
    if extension.exttype in LINES:
        return LINES[extension.exttype].format(**vars(extension.wire))
    if extension.exttype in LIFETIMES:
        wire = extension.wire
        return (
            f"sadb_lifetime{{ alloc={wire.sadb_lifetime_allocations}, bytes={wire.sadb_lifetime_bytes & BITS32}\n"
            f"  addtime={wire.sadb_lifetime_addtime & BITS32}, usetime={wire.sadb_lifetime_usetime & BITS32} }}\n"
        )
    match extension:
        case Key():
            shown = f" <{extension.bits} bits>" if redact else _octets(extension.reveal())
            return f"sadb_key{{ bits={extension.bits} reserved=0\n  key={shown} }}\n"
        case Address():
            head = f"sadb_address{{ proto={extension.proto} prefixlen={extension.prefixlen} reserved=0x0000 }}\n"
            return head + _sockaddr(message, extension.sockaddr)
        case Policy():
            wire = extension.wire
            priority = getattr(wire, "sadb_x_policy_priority", 0)
            head = f"sadb_x_policy{{ type={wire.sadb_x_policy_type} dir={wire.sadb_x_policy_dir} "
            head += f"id={wire.sadb_x_policy_id:x} priority={priority} }}\n"
            return head + "".join(_request(message, request) for request in extension.requests)
    return None


def _request(message: MessageView, request: PolicyRequest) -> str:
    terms = message.dialect.terms
    ends = "".join(_sockaddr(message, end) for end in (request.src, request.dst) if end is not None)
    layout = message.dialect.ipsec_request
    size = 0 if layout is None else layout.size
    size += sum(_size(message, end) for end in (request.src, request.dst) if end is not None)
    mode, level = terms["mode"].number(request.mode), terms["level"].number(request.level)
    return f" {{ len={size} proto={request.proto} mode={mode} level={level} reqid={request.reqid}\n{ends} }}\n"


def _sockaddr(message: MessageView, address: SocketAddress) -> str:
    number = address.af if address.ip is None else message.dialect.sockaddr.version(address.ip.version).number
    raw = b"" if address.ip is None else address.ip.packed
    size = _size(message, address)
    return f"sockaddr{{ len={size} family={number} port={address.port}\n{_octets(raw)}  }}\n"


def _size(message: MessageView, address: SocketAddress) -> int:
    return 2 + len(address.data) if address.ip is None else message.dialect.sockaddr.version(address.ip.version).size


def _octets(data: bytes) -> str:
    """Groups of four bytes, each behind a space, in lines of 32."""
    return "\n".join(f" {data[at : at + 32].hex(' ', -4)}" for at in range(0, len(data), 32))
