"""An SA table of any size, made up: the bytes with which a busy Linux gateway would answer SADB_DUMP.

Shapes are drawn at random by their share; all messages of a shape are made as one array and then laid among the others.
The numbers agree with each other as a kernel's do: newest association first, DYING exactly when its age is past the
soft limit, none past its hard one, use after creation, counters below their limits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import spec
from ..spec.model import WORD, Dialect
from ..spec.plan import ByteOrder
from ..spec.replies import Counting
from ..spec.terms import AuthAlgorithm as Auth
from ..spec.terms import CompressAlgorithm as Compress
from ..spec.terms import EncryptAlgorithm as Encrypt
from ..spec.terms import ExtensionType as Ext
from ..spec.terms import MessageType, Mode, NATTType, SAState, SAType
from ..wire.dialects import host_order
from .room import Array
from .templates import Block, Piece, Template, key_tail, sockaddr_tail

NOW = 1_700_000_000
"""Unix time at which the dump was taken, if nobody says another: no clock's future."""

PID = 4711
"""Process that asked for it."""

ANY_PROTOCOL = 255
SCATTER = 4096
"""Messages laid out at once, so that they and their places stay in the cache."""


class Algorithm(NamedTuple):
    """An algorithm and the length of its key in bytes."""

    term: Auth | Encrypt | Compress
    key: int = 0


NO_CIPHER, NO_MAC = Algorithm(Encrypt.NONE), Algorithm(Auth.NONE)
AES128, AES256 = Algorithm(Encrypt.AES_CBC, 16), Algorithm(Encrypt.AES_CBC, 32)
AES256_CTR = Algorithm(Encrypt.AES_CTR, 36)
TRIPLE_DES = Algorithm(Encrypt.TRIPLE_DES_CBC, 24)
DEFLATE = Algorithm(Compress.DEFLATE)
MD5, SHA1 = Algorithm(Auth.MD5_HMAC, 16), Algorithm(Auth.SHA1_HMAC, 20)
SHA256, SHA384 = Algorithm(Auth.SHA2_256_HMAC, 32), Algorithm(Auth.SHA2_384_HMAC, 48)
SHA512 = Algorithm(Auth.SHA2_512_HMAC, 64)


@dataclass(frozen=True)
class Shape:
    """Associations that look alike on the wire."""

    share: float
    satype: SAType = SAType.ESP
    version: int = 4
    mode: Mode = Mode.TUNNEL
    encrypt: Algorithm = NO_CIPHER
    auth: Algorithm = NO_MAC
    natt: bool = False
    larval: bool = False
    """Between GETSPI and UPDATE: no algorithms, no keys, no PROXY, and the kernel's 30 seconds."""


SHAPES = (
    Shape(20, encrypt=AES256, auth=SHA256),
    Shape(10, encrypt=AES128, auth=SHA1),
    Shape(8, encrypt=AES128, auth=SHA256),
    Shape(5, encrypt=AES256, auth=SHA512),
    Shape(3, encrypt=AES256, auth=SHA384),
    Shape(14),  # AEAD, of which PF_KEY shows neither algorithm nor key
    Shape(12, encrypt=AES256, auth=SHA256, natt=True),
    Shape(3, encrypt=AES128, auth=SHA256, natt=True, mode=Mode.TRANSPORT),
    Shape(3, natt=True),
    Shape(3, encrypt=AES128, auth=SHA1, mode=Mode.TRANSPORT),
    Shape(2, encrypt=TRIPLE_DES, auth=MD5),
    Shape(1, encrypt=AES256_CTR, auth=SHA512),
    Shape(1, SAType.AH, auth=SHA1, mode=Mode.TRANSPORT),
    Shape(2, SAType.IPCOMP, encrypt=DEFLATE),
    Shape(0.2, larval=True),
    Shape(5, version=6, encrypt=AES256, auth=SHA256),
    Shape(4, version=6),
    Shape(2, version=6, encrypt=AES128, auth=SHA1, mode=Mode.TRANSPORT),
    Shape(0.5, SAType.AH, version=6, auth=SHA256),
    Shape(0.5, SAType.IPCOMP, version=6, encrypt=DEFLATE),
    Shape(0.05, version=6, larval=True),
)
"""The proportions of a busy gateway; about 280 bytes a message."""


def synthetic(
    count: int,
    seed: int = 0,
    dialect: str | Dialect = "linux",
    byteorder: ByteOrder = "native",
    *,
    now: int = NOW,
) -> npt.NDArray[np.uint8]:
    """The bytes of a SADB_DUMP answer with `count` associations, taken at `now`, back to back; no bytes for none.

    The same arguments give the same bytes, as long as NumPy draws the same random numbers; a larger count is another
    table and not a longer one. Extensions come in Linux's order, and the last message has sequence number 0.
    Another dialect shows the same kinds of associations in its own layouts, without what it cannot express.

    Raises ValueError for a negative count or an unknown dialect.
    """
    if count < 0:
        raise ValueError(f"count is 0 or more, not {count}")
    system, order = spec.dialect(dialect), host_order(byteorder)
    rng = np.random.default_rng(seed)
    shapes = [shape for shape in SHAPES if _expressible(system, shape)]
    facts = _facts(count, shapes, now, rng) | {"seq": _numbers(system, count)}
    templates = [_template(system, order, shape) for shape in shapes]
    sizes = np.array([template.size for template in templates])[facts["shape"]]
    places = np.cumsum(sizes) - sizes
    dump = np.empty(int(sizes.sum()) // WORD, np.uint64)
    for number, (shape, template) in enumerate(zip(shapes, templates, strict=True)):
        rows = np.flatnonzero(facts["shape"] == number)
        block = template.messages(len(rows))
        _fill(template, block, shape, {name: values[rows] for name, values in facts.items()}, rng)
        _scatter(dump, places[rows], block)
    return dump.view(np.uint8)


def _expressible(dialect: Dialect, shape: Shape) -> bool:
    """Whether a dialect has numbers for all terms of a shape."""
    if shape.natt and Ext.NATT_TYPE not in dialect.by_type:
        return False
    compress = shape.satype is SAType.IPCOMP
    needed = (
        ("satype", shape.satype),
        ("compress" if compress else "encrypt", shape.encrypt.term),
        ("auth", shape.auth.term),
    )
    return all(table in dialect.terms and term in dialect.terms[table].numbers for table, term in needed)


def _facts(count: int, shapes: list[Shape], now: int, rng: np.random.Generator) -> dict[str, Array]:
    """What each association is and does, newest first."""
    shares = np.array([shape.share for shape in shapes])
    shape = rng.choice(len(shapes), count, p=shares / shares.sum())
    larval = np.array([item.larval for item in shapes])[shape]
    hard = np.where(larval, 30, rng.choice([3600, 28800, 86400], count, p=[0.6, 0.3, 0.1]))
    soft = np.where(larval, 0, (hard * rng.uniform(0.75, 0.95, count)).astype(np.int64))
    age = (hard * rng.random(count)).astype(np.int64)
    idle = np.where(larval | (rng.random(count) < 0.15), age, (age * rng.random(count) ** 4).astype(np.int64))
    packets = ((age - idle) * rng.exponential(40, count)).astype(np.int64)
    volume = packets * rng.integers(60, 1400, count)
    limited = (rng.random(count) < 0.1) & ~larval
    facts = {
        "shape": shape,
        "hard_addtime": hard,
        "soft_addtime": soft,
        "addtime": now - age,
        "usetime": np.where(packets > 0, now - age + idle, 0),
        "dying": (age >= soft) & ~larval,
        "packets": packets,
        "bytes": volume,
        "hard_bytes": np.where(limited, volume * 2 + (1 << 30), 0),
        "outbound": rng.random(count) < 0.5,
        "reqid": rng.integers(1, count // 2 + 2, count),
    }
    order = np.argsort(age, kind="stable")
    number = np.arange(count) + rng.integers(1 << 31)
    return {name: values[order] for name, values in facts.items()} | {"number": number}


def _numbers(dialect: Dialect, count: int) -> Array:
    """The sequence numbers of a dump, as the system counts them; the last is 0."""
    if dialect.replies.counting is Counting.DOWN:
        return np.arange(count - 1, -1, -1)
    return np.append(np.arange(1, count), 0)[:count]


def _template(dialect: Dialect, byteorder: str, shape: Shape) -> Template:
    sockaddr = sockaddr_tail(dialect, shape.version, byteorder)
    pieces = [Piece(Ext.SA), Piece(Ext.LIFETIME_HARD), Piece(Ext.LIFETIME_SOFT), Piece(Ext.LIFETIME_CURRENT)]
    pieces += [Piece(Ext.ADDRESS_SRC, sockaddr), Piece(Ext.ADDRESS_DST, sockaddr)]
    # The kernel shows the selector's source as PROXY where it is not the association's own, as in any tunnel.
    pieces += [Piece(Ext.ADDRESS_PROXY, sockaddr)] * (shape.mode is Mode.TUNNEL and not shape.larval)
    pieces += [Piece(Ext.KEY_AUTH, key_tail(shape.auth.key))] * bool(shape.auth.key)
    pieces += [Piece(Ext.KEY_ENCRYPT, key_tail(shape.encrypt.key))] * bool(shape.encrypt.key)
    pieces += [Piece(Ext.SA2)]
    pieces += [Piece(Ext.NATT_TYPE), Piece(Ext.NATT_SPORT), Piece(Ext.NATT_DPORT)] * shape.natt
    return Template(dialect, byteorder, pieces)


def _fill(template: Template, block: Block, shape: Shape, facts: dict[str, Array], rng: np.random.Generator) -> None:
    """Write what these associations are into messages of their shape."""
    count, outbound = len(block), facts["outbound"]
    numbers = template.dialect.terms
    states = [numbers["state"].number(state) for state in (SAState.MATURE, SAState.DYING)]
    encrypt = numbers["compress" if shape.satype is SAType.IPCOMP else "encrypt"].number(shape.encrypt.term)
    template.put(block, "header", type=MessageType.DUMP, satype=shape.satype, seq=facts["seq"], pid=PID)
    template.put(block, "sa", spi=_spis(facts["number"], shape.satype), auth=shape.auth.term, encrypt=encrypt)
    if shape.larval:
        template.put(block, "sa", state=SAState.LARVAL)
    else:
        template.put(block, "sa", state=np.choose(facts["dying"], states), replay=np.where(outbound, 0, 32))
    template.put(block, "lifetime_hard", addtime=facts["hard_addtime"], bytes=facts["hard_bytes"])
    template.put(block, "lifetime_soft", addtime=facts["soft_addtime"], bytes=facts["hard_bytes"] // 10 * 9)
    current = {name: facts[name] for name in ("addtime", "usetime", "bytes")}
    template.put(block, "lifetime_current", allocations=facts["packets"], **current)
    gateway, peer = _gateways(count, shape.version, rng), _peers(count, shape.version, rng)
    bits = 32 if shape.version == 4 else 128
    for part, outer, inner in (("address_src", gateway, peer), ("address_dst", peer, gateway)):
        template.put(block, part, prefixlen=bits)
        _put_sockaddr(template, block, part, shape.version, np.where(outbound[:, None], outer, inner))
    template.put(block, "address_proxy", proto=ANY_PROTOCOL)
    _put_sockaddr(template, block, "address_proxy", shape.version, 0)
    for part, size in (("key_auth", shape.auth.key), ("key_encrypt", shape.encrypt.key)):
        template.put(block, part, bits=size * 8)
        template.put_tail(block, part, key=rng.integers(0, 256, (count, size), np.uint8))
    template.put(block, "sa2", mode=shape.mode, reqid=facts["reqid"])
    behind_nat = np.where(rng.random(count) < 0.4, 4500, rng.integers(1024, 65536, count))
    template.put(block, "natt_type", type=NATTType.ESPINUDP)
    template.put(block, "natt_sport", port=np.where(outbound, 4500, behind_nat))
    template.put(block, "natt_dport", port=np.where(outbound, behind_nat, 4500))


def _put_sockaddr(template: Template, block: Block, part: str, version: int, address: Array | int) -> None:
    family = template.dialect.sockaddr.version(version)
    template.put_tail(block, part, family=family.number, address=address)
    if template.dialect.sockaddr.has_length:
        template.put_tail(block, part, length=family.size)


def _spis(number: Array, satype: SAType) -> Array:
    """Numbers that look drawn at random, each once: above the reserved 255, and 16 bits for IPComp (a CPI)."""
    size = (61440 if satype is SAType.IPCOMP else 1 << 32) - 256
    return number.astype(np.uint64) * np.uint64(2654435761) % np.uint64(size) + np.uint64(256)


def _gateways(count: int, version: int, rng: np.random.Generator) -> Array:
    """One of the eight addresses of the gateway itself, in the networks for documentation."""
    first = bytes([192, 0, 2, 0]) if version == 4 else bytes.fromhex("20010db8").ljust(16, b"\0")
    found = np.tile(np.frombuffer(first, np.uint8), (count, 1))
    found[:, -1] = rng.integers(1, 9, count)
    return found


def _peers(count: int, version: int, rng: np.random.Generator) -> Array:
    """Addresses of peers: 10.0.0.0/8, or one host in any /64 of 2001:db8::/32."""
    found = np.zeros((count, 4 if version == 4 else 16), np.uint8)
    prefix = bytes([10]) if version == 4 else bytes.fromhex("20010db8")
    found[:, : len(prefix)] = np.frombuffer(prefix, np.uint8)
    free = slice(1, 4) if version == 4 else slice(4, 8)
    found[:, free] = rng.integers(0, 256, (count, free.stop - free.start), np.uint8)
    found[:, -1] |= 1
    return found


def _scatter(dump: npt.NDArray[np.uint64], places: Array, block: Block) -> None:
    """Lay messages of equal length where they belong in the dump."""
    words = block.dtype.itemsize // WORD
    flat = block.view(np.uint64).reshape(-1, words)
    within = np.arange(words)
    for begin in range(0, len(flat), SCATTER):
        some = slice(begin, begin + SCATTER)
        dump[(places[some] // WORD)[:, None] + within] = flat[some]
