"""docs/api.md is current and complete, and everything on it says what it is."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fastpfkey as pf

from . import api
from .inspected import keywords, members, signature, text_of, values


def everything() -> Iterator[tuple[str, Any]]:
    """What the page has an entry for, by name."""
    for names in api.sections().values():
        for name in names:
            value = getattr(pf, name)
            yield name, value
            if inspect.ismodule(value):
                yield from ((f"{name}.{each}", getattr(value, each)) for each in getattr(value, "__all__", ()))
    for modules in (api.MODULES, api.RESULTS):
        for module, names in modules.items():
            yield from ((name, getattr(importlib.import_module(module), name)) for name in names.split())


def test_a_page_that_is_not_current_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api, "PAGE", tmp_path / "api.md")
    assert api.main(["--check"]) == 1
    assert api.COMMAND in capsys.readouterr().err
    assert api.main([]) == 0
    assert api.main(["--check"]) == 0
    assert api.PAGE.read_text(encoding="utf-8") == api.render()


def test_every_public_name_has_one_section(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(name for names in api.sections().values() for name in names) == sorted(pf.__all__)
    monkeypatch.setattr(api, "SECTIONS", {"Errors": "WireError", "Tables": "SATable", "The package": "BACKEND"})
    found = api.sections()
    assert {"LimitError", "Fault"} < set(found["Errors"])
    assert {"build_add", "PolicyTable"} < set(found["Tables"])
    assert "Client" in found["The package"]


def test_everything_has_a_text() -> None:
    silent = []
    for name, value in everything():
        if isinstance(value, str):
            continue
        if not text_of(value):
            silent.append(name)
        if isinstance(value, type) and not issubclass(value, pf.spec.terms.Term):
            silent += [f"{name}.{each.name}" for each in members(value) if "(" in each.code and not each.text]
    assert silent == []


def test_signatures_are_those_of_callers() -> None:
    def function(one: int, *, two: pf.SAType = pf.SAType.ESP, **more: object) -> None:
        """Do nothing."""

    assert signature("function", function) == "function(one: int, *, two: pf.SAType = SAType.ESP, **more: object)"
    assert signature("f", function, bound=True).startswith("f(*, two")
    (add,) = [each for each in members(pf.Client) if each.name == "add"]
    assert add.code.endswith("**association: Unpack[NewAssociation]) -> Message")
    assert add.takes == "NewAssociation"
    (getspi,) = [each for each in members(pf.aio.Client) if each.name == "getspi"]
    assert getspi.code.startswith("await getspi(\n    satype: Name,\n")
    assert getspi.code.endswith("\n) -> int")


def test_texts_below_attributes_are_found() -> None:
    texts = {each.name: (each.code, each.text) for each in members(pf.Batch)}
    assert texts["buffer"] == ("buffer: memoryview", "The bytes that were decoded, read-only.")
    assert ("OVERRUN", 32) in [item[:2] for item in values(pf.EventKind)]
    found = keywords(pf.requests.add)
    assert found is not None
    assert {"hard", "auth", "seq"} <= {each.name for each in found.members}
