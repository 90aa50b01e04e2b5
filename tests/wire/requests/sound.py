"""Sound values for one message of one dialect, drawn by Hypothesis and written in the ways that people write them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import Any

from hypothesis import strategies as st

import fastpfkey as pf
from fastpfkey import requests
from fastpfkey.spec import dialect as find_dialect
from fastpfkey.spec.grammar import grammar
from fastpfkey.spec.grammar_keys import COMBINED
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.extensions import Sensitivity
from fastpfkey.wire.sockaddr import SocketAddress


class Sound:
    """Draws sound values for one message of one dialect."""

    def __init__(self, draw: st.DrawFn, name: str, type: Msg) -> None:
        self.draw = draw
        self.dialect = find_dialect(name)
        self.grammar = grammar(self.dialect)
        self.type = type
        self.lines = [line for line in self.grammar.forms if line.type == type]
        self.known = frozenset().union(*(line.known for line in self.lines))
        self.version = draw(st.sampled_from((4, 6)))

    def pick(self, values: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(values))

    def maybe(self, exttype: Ext, value: Callable[[], Any]) -> Any:
        """A value for an extension that the message may have, or None."""
        return value() if exttype in self.known and self.draw(st.booleans()) else None

    def header(self) -> dict[str, Any]:
        return {
            "seq": self.draw(st.integers(1, 2**32 - 1)),
            "pid": self.draw(st.integers(0, 99)),
            "dialect": self.dialect,
        }

    def ip(self) -> IPv4Address | IPv6Address:
        if self.version == 4:
            return IPv4Address(self.draw(st.integers(0x01000000, 0xDFFFFFFF)))
        return IPv6Address(self.draw(st.integers(0x2000 << 112, (0x3FFF << 112) | ((1 << 112) - 1))))

    def host(self) -> Any:
        ip = self.ip()
        return self.pick((ip, str(ip), f"{ip}/{ip.max_prefixlen}", SocketAddress(ip)))

    def net(self) -> Any:
        ip = self.ip()
        bits = self.draw(st.integers(0, ip.max_prefixlen))
        network = ip_network((int(ip) >> (ip.max_prefixlen - bits) << (ip.max_prefixlen - bits), bits), strict=True)
        network = ip_network(f"{type(ip)(int(network.network_address))}/{bits}")
        return self.pick((network, str(network), (str(network), 25), f"{network}[443]"))

    def satype(self) -> pf.SAType:
        """An SA type that every line of the message takes."""
        found = {pf.SAType(item) for item in self.dialect.terms["satype"].canonical.values()}
        for line in self.lines:
            if line.satypes is not None:
                found &= line.satypes
            if line.needs_satype:
                found -= {pf.SAType.UNSPEC}
        return self.pick(sorted(found))

    def named(self, term: Any) -> Any:
        return self.pick((term, term.label, term.name, int(term)))

    def key(self, lengths: Any) -> Any:
        bits = 128
        if lengths is not None:
            bits = lengths.shortest + lengths.step * self.draw(
                st.integers(0, (min(lengths.longest, 512) - lengths.shortest) // lengths.step)
            )
        data = self.draw(st.binary(min_size=bits // 8, max_size=bits // 8))
        if not any(data) and not self.grammar.zero_keys:
            data = b"\x01" + data[1:]
        return self.pick((data, data.hex(), "0x" + data.hex()))

    def algorithms(self, satype: pf.SAType) -> dict[str, Any]:
        terms, tables = self.dialect.terms, self.grammar.keys
        if satype is pf.SAType.IPCOMP:
            return {"compress": self.named(self.pick(sorted(terms["compress"].canonical.values())))}
        found: dict[str, Any] = {}
        cipher = pf.EncryptAlgorithm.NONE
        if satype is pf.SAType.ESP:
            ciphers = {pf.EncryptAlgorithm(item) for item in terms["encrypt"].canonical.values()}
            cipher = self.pick(sorted(ciphers - self.grammar.unsettable - {pf.EncryptAlgorithm.NONE}))
            found["encrypt"] = self.named(cipher)
            if cipher is not pf.EncryptAlgorithm.NULL:
                found["encrypt_key"] = self.key(tables.encrypt.get(cipher))
        if cipher in COMBINED or (satype is pf.SAType.ESP and self.draw(st.booleans())):
            return found
        macs = {pf.AuthAlgorithm(item) for item in terms["auth"].canonical.values()}
        mac = self.pick(sorted(macs - {pf.AuthAlgorithm.NONE, pf.AuthAlgorithm.NULL}))
        return found | {"auth": self.named(mac), "auth_key": self.key(tables.auth.get(mac))}

    def association(self, satype: pf.SAType) -> dict[str, Any]:
        """What an association may have beside algorithms."""
        most = self.grammar.largest_window or 248
        found: dict[str, Any] = {"replay": 8 * self.draw(st.integers(0, most // 8))}
        if Ext.SA2 in self.known:
            found |= {
                "mode": self.named(self.pick(sorted(self.grammar.modes))),
                "reqid": self.draw(st.integers(0, 2**16)),
            }
        elif self.dialect.name != "rfc2367":
            found["mode"] = self.named(self.pick((pf.Mode.ANY, pf.Mode.TRANSPORT, pf.Mode.TUNNEL)))
        places = {Ext.NATT_DPORT, Ext.UDPENCAP, Ext.NATT_REMOTE} & self.dialect.by_type.keys()
        if satype is pf.SAType.ESP and self.dialect.name != "rfc2367" and places <= self.known:
            oa = self.maybe(Ext.NATT_OA, self.host)
            sport = 0 if Ext.UDPENCAP in places else self.draw(st.integers(0, 65535))
            found["natt"] = requests.natt(sport, self.draw(st.integers(0, 65535)), original=oa)
        return {name: value for name, value in found.items() if self.draw(st.booleans())}

    def labels(self) -> dict[str, Any]:
        names = ("vpn.example", "alice@example.net", ("fqdn", "a"))
        found = {
            "src_identity": self.maybe(Ext.IDENTITY_SRC, lambda: self.pick(names)),
            "dst_identity": self.maybe(Ext.IDENTITY_DST, lambda: self.pick(names)),
            "sensitivity": self.maybe(Ext.SENSITIVITY, lambda: Sensitivity(1, 2, 3, (4,), (5, 6))),
        }
        return {name: value for name, value in found.items() if value is not None}

    def limits(self) -> dict[str, Any]:
        hard, soft = self.draw(st.integers(1000, 2**32)), self.draw(st.integers(0, 1000))
        made = {
            "hard": self.pick((None, hard, requests.limits(addtime=hard, bytes=2 * hard))),
            "soft": self.pick((None, soft, requests.limits(addtime=soft, bytes=soft))),
        }
        return {name: value for name, value in made.items() if value is not None}

    def transform(self) -> Any:
        rules = self.grammar.requests
        mode = self.pick(sorted(rules.modes))
        ends = {"src": self.host(), "dst": self.host()} if mode in (pf.Mode.TUNNEL, pf.Mode.BEET) else {}
        levels = sorted(set(pf.Level) - ({pf.Level.USE} if rules.strict_tunnels else set()))
        proto = self.pick(("esp", pf.SAType.AH, 108))
        return requests.transform(
            proto,
            mode=self.named(mode),
            level=self.named(self.pick(levels)),
            reqid=self.draw(st.integers(0, 0x3FFF)),
            **ends,
        )

    def policy(self) -> Any:
        way = self.pick(sorted(self.grammar.directions & set(pf.Direction)))
        kind = self.pick(sorted(self.grammar.policy_types))
        rows = [self.transform() for _ in range(self.draw(st.integers(1, 4)))] if kind is pf.PolicyType.IPSEC else []
        return requests.policy(self.named(way), self.named(kind), rows)

    def pair(self) -> Any:
        facts = {"mode": "tunnel", "level": "require", "reqid": self.draw(st.integers(0, 99))}
        return tuple(requests.transform("esp", src=self.host(), dst=self.host(), **facts) for _ in range(2))

    def proposal(self, satype: pf.SAType) -> Any:
        facts: dict[str, Any] = {"auth": "sha1-hmac", "auth_bits": (160, 160)}
        if satype is pf.SAType.IPCOMP:
            facts = {"compress": "deflate"}
        elif satype is pf.SAType.ESP:
            facts |= {"encrypt": "triple-des-cbc", "encrypt_bits": (192, 192)}
        return [requests.combination(**facts, **self.limits())] * self.draw(st.integers(1, 3))

    def spi(self) -> int:
        return self.draw(st.integers(256, 0xFFFF))

    def one(self) -> tuple[Any, ...]:
        return self.satype(), self.spi(), self.host(), self.host()
