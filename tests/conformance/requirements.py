"""The requirements of RFC 2367 as read from requirements.toml, where the meaning of every field is explained."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

REQUIREMENTS_FILE = Path(__file__).with_name("requirements.toml")
PHASES = ("codec", "client", "engine", "tooling", "docs")
LEVELS = ("MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY", "stated", "undefined")


@dataclass(frozen=True)
class Requirement:
    """One statement of the RFC that an implementation can be held to."""

    id: str
    section: str
    level: str
    binds: tuple[str, ...]
    phase: str
    sentence: str
    not_applicable: str = ""


@dataclass(frozen=True)
class Requirements:
    """All statements in the RFC's order, and the titles of its sections."""

    sections: dict[str, str]
    all: tuple[Requirement, ...]


def load_requirements(file: Path = REQUIREMENTS_FILE) -> Requirements:
    """Reads the table; an entry with a missing or unknown field is a TypeError."""
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    entries = (Requirement(**{**entry, "binds": tuple(entry["binds"])}) for entry in document["requirement"])
    return Requirements(document["sections"], tuple(entries))
