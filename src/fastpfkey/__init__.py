"""PF_KEY version 2 (RFC 2367): decode, encode and tabulate IPsec security associations and policies, fast.

The public names. Each is loaded from its module when it is first used, so that importing the package costs nothing and
loads neither NumPy nor click nor rich.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .columns.algorithms import AlgorithmTable as AlgorithmTable
    from .columns.associations import SATable as SATable
    from .columns.build import build_add as build_add
    from .columns.build import build_delete as build_delete
    from .columns.build import build_dump as build_dump
    from .columns.build import build_get as build_get
    from .columns.build import build_update as build_update
    from .columns.difference import Difference as Difference
    from .columns.difference import diff as diff
    from .columns.plan import Plan as Plan
    from .columns.plan import plan as plan
    from .columns.policies import PolicyTable as PolicyTable
    from .columns.stream import iter_tables as iter_tables
    from .engine.engine import Engine as Engine
    from .errors import BackendError as BackendError
    from .errors import CancelledError as CancelledError
    from .errors import DetectionError as DetectionError
    from .errors import EncodeError as EncodeError
    from .errors import Fault as Fault
    from .errors import LeaseError as LeaseError
    from .errors import LimitError as LimitError
    from .errors import MalformedError as MalformedError
    from .errors import NoReplyError as NoReplyError
    from .errors import OverrunError as OverrunError
    from .errors import PFKeyError as PFKeyError
    from .errors import QueryError as QueryError
    from .errors import ReplyError as ReplyError
    from .errors import ScriptError as ScriptError
    from .errors import StateFileError as StateFileError
    from .errors import TranslationError as TranslationError
    from .errors import TransportError as TransportError
    from .errors import TruncatedError as TruncatedError
    from .errors import UnusableRowsError as UnusableRowsError
    from .errors import WireError as WireError
    from .hotpath import BACKEND as BACKEND
    from .hotpath.contract import Lease as Lease
    from .session.events import Burst as Burst
    from .session.events import Event as Event
    from .session.events import EventKind as EventKind
    from .spec.terms import AuthAlgorithm as AuthAlgorithm
    from .spec.terms import CompressAlgorithm as CompressAlgorithm
    from .spec.terms import Direction as Direction
    from .spec.terms import EncryptAlgorithm as EncryptAlgorithm
    from .spec.terms import ExtensionType as ExtensionType
    from .spec.terms import IdentityType as IdentityType
    from .spec.terms import Level as Level
    from .spec.terms import MessageType as MessageType
    from .spec.terms import Mode as Mode
    from .spec.terms import NATTType as NATTType
    from .spec.terms import PolicyType as PolicyType
    from .spec.terms import SAState as SAState
    from .spec.terms import SAType as SAType
    from .transport import aio as aio
    from .transport import tcpmd5 as tcpmd5
    from .transport.applying import Applied as Applied
    from .transport.bulk import Failure as Failure
    from .transport.bulk import Outcomes as Outcomes
    from .transport.client import Client as Client
    from .transport.client import Monitor as Monitor
    from .transport.watching import Resync as Resync
    from .wire import requests as requests
    from .wire.batch import Batch as Batch
    from .wire.decode import decode as decode
    from .wire.detect import Detection as Detection
    from .wire.detect import detect as detect
    from .wire.memory import wipe as wipe
    from .wire.message import Message as Message
    from .wire.pool import BufferPool as BufferPool
    from .wire.pool import PoolStatistics as PoolStatistics
    from .wire.rules import check as check
    from .wire.rules.rule import Violation as Violation
    from .wire.translate import Translation as Translation

    __version__: str

_HOMES = {
    "AlgorithmTable": "columns.algorithms",
    "Applied": "transport.applying",
    "AuthAlgorithm": "spec.terms",
    "BACKEND": "hotpath",
    "BackendError": "errors",
    "Batch": "wire.batch",
    "BufferPool": "wire.pool",
    "Burst": "session.events",
    "CancelledError": "errors",
    "Client": "transport.client",
    "CompressAlgorithm": "spec.terms",
    "Detection": "wire.detect",
    "DetectionError": "errors",
    "Difference": "columns.difference",
    "Direction": "spec.terms",
    "EncodeError": "errors",
    "EncryptAlgorithm": "spec.terms",
    "Engine": "engine.engine",
    "Event": "session.events",
    "EventKind": "session.events",
    "ExtensionType": "spec.terms",
    "Failure": "transport.bulk",
    "Fault": "errors",
    "IdentityType": "spec.terms",
    "Lease": "hotpath.contract",
    "LeaseError": "errors",
    "Level": "spec.terms",
    "LimitError": "errors",
    "MalformedError": "errors",
    "Message": "wire.message",
    "MessageType": "spec.terms",
    "Mode": "spec.terms",
    "Monitor": "transport.client",
    "NATTType": "spec.terms",
    "NoReplyError": "errors",
    "Outcomes": "transport.bulk",
    "OverrunError": "errors",
    "PFKeyError": "errors",
    "Plan": "columns.plan",
    "PolicyTable": "columns.policies",
    "PolicyType": "spec.terms",
    "PoolStatistics": "wire.pool",
    "QueryError": "errors",
    "ReplyError": "errors",
    "Resync": "transport.watching",
    "SAState": "spec.terms",
    "SATable": "columns.associations",
    "SAType": "spec.terms",
    "ScriptError": "errors",
    "StateFileError": "errors",
    "Translation": "wire.translate",
    "TranslationError": "errors",
    "TransportError": "errors",
    "TruncatedError": "errors",
    "UnusableRowsError": "errors",
    "Violation": "wire.rules.rule",
    "WireError": "errors",
    "aio": "transport",
    "build_add": "columns.build",
    "build_delete": "columns.build",
    "build_dump": "columns.build",
    "build_get": "columns.build",
    "build_update": "columns.build",
    "check": "wire.rules",
    "decode": "wire.decode",
    "detect": "wire.detect",
    "diff": "columns.difference",
    "iter_tables": "columns.stream",
    "plan": "columns.plan",
    "requests": "wire",
    "tcpmd5": "transport",
    "wipe": "wire.memory",
}
"""Where each public name lives; what is no attribute of its home is a module in it.

The imports above say the same to type checkers; a test compares the two.
"""

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = importlib.import_module("importlib.metadata").version(__name__)
    elif name in _HOMES:
        home = importlib.import_module(f".{_HOMES[name]}", __name__)
        value = getattr(home, name, None) or importlib.import_module(f"{home.__name__}.{name}")
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
