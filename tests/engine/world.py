"""An engine with a clock that stands still until told, clients, and the requests that they send."""

from collections.abc import Iterator
from ipaddress import ip_address
from random import Random

from fastpfkey.engine.engine import Engine
from fastpfkey.engine.port import Port
from fastpfkey.spec.terms import AuthAlgorithm, EncryptAlgorithm, SAState, SAType
from fastpfkey.spec.terms import ExtensionType as Ext
from fastpfkey.spec.terms import MessageType as Msg
from fastpfkey.wire.decode import decode
from fastpfkey.wire.extensions import SA, Address, Key, Lifetime, Proposal, SPIRange
from fastpfkey.wire.message import Message, MessageValue
from fastpfkey.wire.sockaddr import SocketAddress
from fastpfkey.wire.value import ExtensionValue

SRC, DST = "192.0.2.1", "192.0.2.2"
PID = 4711
EPOCH = 1_700_000_000


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class World:
    """One engine and what a test does with it."""

    def __init__(self, profile: str = "rfc2367", dialect: str = "linux", **knobs: object) -> None:
        self.clock = Clock()
        self.dialect = dialect
        wall = EPOCH + 1000.0
        self.engine = Engine(dialect, profile, clock=self.clock, wall=lambda: wall, random=Random(7), **knobs)

    def port(self, pid: int = PID, **how: int) -> Port:
        """A client."""
        return self.engine.connect(pid, **how)

    def send(
        self,
        port: Port,
        type: Msg,
        satype: SAType = SAType.ESP,
        *extensions: ExtensionValue,
        seq: int = 1,
        pid: int = PID,
        errno: int = 0,
    ) -> None:
        """Have a client send a request."""
        message = MessageValue(
            type, satype, errno=errno, seq=seq, pid=pid, extensions=extensions, dialect=self.engine.dialect
        )
        self.engine.handle(port, message.encode())

    def heard(self, port: Port) -> list[Message]:
        """What has come to a client since it last listened."""
        data = port.receive()
        return list(decode(data, self.engine.dialect))

    def ask(
        self, port: Port, type: Msg, satype: SAType = SAType.ESP, *extensions: ExtensionValue, **header: int
    ) -> Message:
        """Send a request and return the one message that comes back."""
        self.heard(port)
        self.send(port, type, satype, *extensions, **header)
        (answer,) = self.heard(port)
        return answer

    def errno(self, name: str) -> int:
        """The dialect's number of an error."""
        return self.engine.dialect.errnos[name]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += seconds
        self.engine.advance()

    def states(self) -> list[SAState]:
        """The states of all associations, as a dump shows them; none for an empty table."""
        port = self.port()
        try:
            return [message.sa.state for message in self.dump(port) if message.sa is not None]
        finally:
            self.engine.disconnect(port)

    def dump(self, port: Port, satype: SAType = SAType.UNSPEC) -> list[Message]:
        """All that a dump shows."""
        self.send(port, Msg.DUMP, satype)
        found: list[Message] = []
        while part := self.heard(port):
            found += part
        return [message for message in found if not message.errno]


def ends(src: str = SRC, dst: str = DST) -> tuple[Address, Address]:
    """Source and destination."""
    return (
        Address(Ext.ADDRESS_SRC, SocketAddress(ip_address(src))),
        Address(Ext.ADDRESS_DST, SocketAddress(ip_address(dst))),
    )


def proxy(ip: str) -> Address:
    """A proxy address."""
    return Address(Ext.ADDRESS_PROXY, SocketAddress(ip_address(ip)))


def sa(spi: int, **fields: int) -> SA:
    """A mature association with the algorithms of `keys`."""
    given: dict[str, object] = {
        "state": SAState.MATURE,
        "auth": AuthAlgorithm.SHA1_HMAC,
        "encrypt": EncryptAlgorithm.AES_CBC,
    }
    return SA(spi, **(given | fields))  # type: ignore[arg-type]


def keys(auth: bytes = b"a" * 20, encrypt: bytes = b"e" * 16) -> tuple[Key, Key]:
    """Keys for SHA-1 and AES."""
    return Key.of(Ext.KEY_AUTH, auth), Key.of(Ext.KEY_ENCRYPT, encrypt)


def hard(**limits: int) -> Lifetime:
    """Hard limits."""
    return Lifetime(Ext.LIFETIME_HARD, **limits)


def soft(**limits: int) -> Lifetime:
    """Soft limits."""
    return Lifetime(Ext.LIFETIME_SOFT, **limits)


def whole(spi: int = 0x1000, *more: ExtensionValue, src: str = SRC, dst: str = DST) -> tuple[ExtensionValue, ...]:
    """The extensions of a complete association."""
    limits = [item for item in more if isinstance(item, Lifetime)]
    rest = [item for item in more if not isinstance(item, Lifetime)]
    return (sa(spi), *limits, *ends(src, dst), *keys(), *rest)


def which(spi: int = 0x1000, src: str = SRC, dst: str = DST) -> tuple[ExtensionValue, ...]:
    """What names an association."""
    return (SA(spi), *ends(src, dst))


def spis(low: int, high: int) -> SPIRange:
    """A range of SPIs."""
    return SPIRange(low, high)


def exttypes(message: Message) -> list[Ext]:
    """The extensions of a message, in order."""
    return [item.exttype for item in message.extensions]


def has_keys(message: Message) -> bool:
    """Whether a message has a key in it."""
    return not {Ext.KEY_AUTH, Ext.KEY_ENCRYPT}.isdisjoint(exttypes(message))


def empty_proposal() -> Proposal:
    """A proposal of nothing."""
    return Proposal()


def types(messages: list[Message]) -> Iterator[Msg]:
    """The types of messages."""
    return (message.type for message in messages)
