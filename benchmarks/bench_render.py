"""setkey's text of associations, from templates and from f-strings over the same columns, beside memcpy of the text."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

import fastpfkey as pf
from fastpfkey import spec
from fastpfkey.columns.synthetic import NOW
from fastpfkey.setkey.look import Look
from fastpfkey.setkey.printing import Associations
from fastpfkey.setkey.words import COMPRESS, IPSEC_TOOLS, MODES, SATYPES, STATES

from .conftest import Octets, Row

LINUX = spec.dialect("linux")
LOOK = Look(now=NOW)
MEASURES = ("allocations", "bytes", "addtime", "usetime")


def templates(octets: Octets) -> int:
    """Bytes of the text."""
    return sum(len(piece) for piece in Associations(LINUX, LOOK).text(octets))


def whole(octets: Octets) -> Octets:
    """The text in one buffer."""
    return np.frombuffer(b"".join(Associations(LINUX, LOOK).text(octets)), np.uint8)


def test_setkey_from_templates(dump: Octets, row: Row) -> None:
    row("text", dump, lambda: templates(dump), copied=whole(dump))


def test_setkey_from_f_strings(part: Octets, row: Row) -> None:
    text = whole(part)
    assert "".join(f_strings(part)).encode() == text.tobytes()
    row("text", part, lambda: sum(map(len, f_strings(part))), rounds=3, copied=text)


def test_setkey_from_templates_of_the_same_part(part: Octets, row: Row) -> None:
    row("text", part, lambda: templates(part), copied=whole(part))


def f_strings(octets: Octets) -> Iterator[str]:
    """What a careful script would do: columns as lists, an f-string a line, keys by `hex`."""
    table = pf.SATable.from_buffer(octets, "linux", keys=True)
    names = [name for name in table.columns if name not in ("src", "dst", "proxy", "natt_oa")]
    values = [table[name].tolist() for name in names]
    ends = [[row["src"] for row in table.rows(["src"])], [row["dst"] for row in table.rows(["dst"])]]
    keys = [table.key_bytes("encrypt"), table.key_bytes("auth")]
    for source, destination, encrypt, auth, *rest in zip(*ends, *keys, *values, strict=True):
        yield block(source, destination, encrypt, auth, dict(zip(names, rest, strict=True)))


def block(source: str, destination: str, encrypt: bytes, auth: bytes, sa: dict[str, int]) -> str:
    """The lines of one association."""
    natt = sa["natt_type"] != 0
    kind = sa["satype"]
    name = SATYPES.get(kind, str(kind))
    protocol = "esp-udp" if natt and kind == 3 else f"natt+{name}" if natt else name
    sport, dport = (f"[{sa['natt_sport']}]", f"[{sa['natt_dport']}]") if natt else ("", "")
    mode, state = MODES.get(sa["mode"], str(sa["mode"])), STATES.get(sa["state"], str(sa["state"]))
    lines = f"{source}{sport} {destination}{dport} \n"
    lines += f"\t{protocol} mode={mode} spi={sa['spi']}(0x{sa['spi']:08x}) reqid={sa['reqid']}(0x{sa['reqid']:08x})\n"
    if kind == 9:
        lines += f"\tC: {COMPRESS[sa['encrypt']]} "
    if kind == 3 and sa["key_encrypt_bits"]:
        lines += f"\tE: {IPSEC_TOOLS.encrypt[sa['encrypt']]} {octets_of(encrypt)}\n"
    if sa["key_auth_bits"]:
        lines += f"\tA: {IPSEC_TOOLS.auth[sa['auth']]} {octets_of(auth)}\n"
    lines += f"\tseq=0x{sa['sa2_seq']:08x} replay={sa['replay']} flags=0x{sa['flags']:08x} state={state} \n"
    age = NOW - sa["current_addtime"] if sa["current_addtime"] else 0
    lines += f"\tcreated: {moment(sa['current_addtime'])}\tcurrent: {moment(NOW)}\n"
    lines += f"\tdiff: {age}(s)\thard: {sa['hard_addtime']}(s)\tsoft: {sa['soft_addtime']}(s)\n"
    lines += f"\tlast: {moment(sa['current_usetime'])}\thard: {sa['hard_usetime']}(s)\tsoft: {sa['soft_usetime']}(s)\n"
    lines += (
        f"\tcurrent: {sa['current_bytes']}(bytes)\thard: {sa['hard_bytes']}(bytes)\tsoft: {sa['soft_bytes']}(bytes)\n"
    )
    lines += (
        f"\tallocated: {sa['current_allocations']}\thard: {sa['hard_allocations']}\tsoft: {sa['soft_allocations']}\n"
    )
    return lines + f"\tsadb_seq={sa['seq']} pid={sa['pid']} refcnt={sa['refcount']}\n"


def octets_of(key: bytes) -> str:
    """A key in groups of four bytes and lines of 32."""
    return "\n".join(f" {key[at : at + 32].hex(' ', -4)}" for at in range(0, len(key), 32))


def moment(seconds: int) -> str:
    """Unix time as setkey prints it."""
    return time.strftime("%b %e %H:%M:%S %Y", time.gmtime(seconds)) if seconds else " " * 20
