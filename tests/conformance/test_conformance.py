"""The conformance page is complete, current, and claims nothing that the tests do not name."""

import re
from itertools import groupby
from pathlib import Path
from typing import ClassVar

import pytest

from . import generate
from .markers import Evidence, MarkerError, evidence_in_source, evidence_in_tree
from .requirements import LEVELS, PHASES, Requirement, Requirements, load_requirements

TABLE = load_requirements()
BINDS = {"codec", "app", "engine", "consumer", "tooling", "docs", "platform", "admin", "all"}


def requirement(id: str, *, not_applicable: str = "", sentence: str = "Something holds.") -> Requirement:
    return Requirement(id, "1.1", "MUST", ("codec",), "codec", sentence, not_applicable)


class TestTable:
    def test_has_each_of_the_324_ids_once(self):
        assert len(TABLE.all) == 324
        assert len({requirement.id for requirement in TABLE.all}) == 324

    def test_counts_the_requirements_of_each_section_from_one(self):
        assert list(TABLE.sections) == [section for section, _ in groupby(TABLE.all, lambda each: each.section)]
        for section, members in groupby(TABLE.all, lambda each: each.section):
            ids = [each.id for each in members]
            assert ids == [f"R-{section}-{number:02}" for number in range(1, len(ids) + 1)]

    def test_uses_known_levels_phases_and_parties(self):
        assert {each.level for each in TABLE.all} <= set(LEVELS)
        assert {each.phase for each in TABLE.all} <= set(PHASES)
        assert {party for each in TABLE.all for party in each.binds} <= BINDS
        assert all(each.binds for each in TABLE.all)

    def test_states_each_requirement_in_a_short_sentence_of_its_own(self):
        sentences = [each.sentence for each in TABLE.all]
        assert len(set(sentences)) == len(sentences)
        for sentence in sentences:
            assert sentence.endswith(".")
            assert ". " not in sentence
            assert 20 <= len(sentence) <= 150

    def test_gives_what_binds_the_codec_to_the_codec(self):
        assert {each.phase for each in TABLE.all if "codec" in each.binds} == {"codec"}


class TestRepository:
    def test_names_only_ids_that_exist_and_apply(self):
        assert generate.contradictions(TABLE, evidence_in_tree(generate.TESTS)) == []

    def test_has_a_page_that_is_up_to_date(self, capsys):
        assert generate.main(["--check"]) == 0, capsys.readouterr().err


class TestClaim:
    EVERYTHING: ClassVar = {each.id: {Evidence("test_x.py", "test_y")} for each in TABLE.all if not each.not_applicable}

    def claimed(self, *without: str) -> bool:
        return generate.conforms(TABLE, {id: tests for id, tests in self.EVERYTHING.items() if id not in without})

    @pytest.mark.requirement("R-1.1-01")
    def test_needs_every_mandatory_line(self):
        assert self.claimed()
        for each in TABLE.all:
            mandatory = each.level in ("MUST", "MUST NOT") or each.id in generate.AUDIT
            assert self.claimed(each.id) is not mandatory

    @pytest.mark.requirement("R-1.1-01")
    def test_is_on_the_page_while_it_holds(self):
        assert generate.CLAIM in generate.render(TABLE, self.EVERYTHING)
        assert generate.CLAIM not in generate.render(TABLE, {})
        assert "conforming" not in generate.render(TABLE, {})

    @pytest.mark.requirement("R-1.1-01")
    def test_is_made_nowhere_else(self):
        """And stands on the page, which is up to date, only as long as what is written above holds."""
        claims = re.compile(r"\bconform(s|ing|ant)\b", re.IGNORECASE)
        pages = [*generate.PAGE.parent.rglob("*.md"), generate.PAGE.parents[1] / "README.md"]
        assert [page.name for page in pages if claims.search(page.read_text(encoding="utf-8"))] == ["conformance.md"]

    @pytest.mark.requirement("R-1.7-05")
    def test_needs_the_audit_of_names(self):
        for id in ("R-1.7-01", "R-1.7-03", "R-1.7-04", "R-1.7-06"):
            assert not self.claimed(id)
        evidence = evidence_in_tree(generate.TESTS)
        assert {test.path for id in generate.AUDIT for test in evidence[id]} == {"conformance/codec/test_names.py"}


class TestMarkers:
    def test_on_functions_classes_parameters_and_modules_are_found(self):
        source = """
import pytest
pytestmark = [pytest.mark.slow, pytest.mark.requirement("R-module")]
CASES = [1, 2]

@pytest.mark.requirement("R-one", "R-two")
@pytest.mark.parametrize("case", CASES)
def test_function(case): ...

@pytest.mark.parametrize("case", [pytest.param(1, marks=pytest.mark.requirement("R-parameter")), 2])
async def test_cases(case): ...

@pytest.mark.requirement("R-class")
class TestClass:
    pytestmark = pytest.mark.requirement("R-body")

    @pytest.mark.requirement("R-one")
    def test_method(self): ...
"""
        path = "wire/test_x.py"
        assert set(evidence_in_source(source, path)) == {
            ("R-module", Evidence(path, "")),
            ("R-one", Evidence(path, "test_function")),
            ("R-two", Evidence(path, "test_function")),
            ("R-parameter", Evidence(path, "test_cases")),
            ("R-class", Evidence(path, "TestClass")),
            ("R-body", Evidence(path, "TestClass")),
            ("R-one", Evidence(path, "TestClass::test_method")),
        }

    @pytest.mark.parametrize(
        ("path", "source", "reason"),
        [
            ("test_x.py", "@pytest.mark.requirement('R-1')\ndef helper(): ...", "belongs on a test"),
            ("test_x.py", "CASES = [pytest.param(1, marks=pytest.mark.requirement('R-1'))]", "belongs on a test"),
            ("test_x.py", "requirement = pytest.mark.requirement", "belongs on a test"),
            ("helpers.py", "@pytest.mark.requirement('R-1')\ndef test_x(): ...", "belongs on a test"),
            ("test_x.py", "@pytest.mark.requirement(ID)\ndef test_x(): ...", "written out"),
            ("test_x.py", "@pytest.mark.requirement(*IDS)\ndef test_x(): ...", "written out"),
            ("test_x.py", "@pytest.mark.requirement()\ndef test_x(): ...", "one or more ids"),
            ("test_x.py", "@pytest.mark.requirement\ndef test_x(): ...", "belongs on a test"),
            ("test_x.py", "@pytest.mark.skip\n@pytest.mark.requirement('R-1')\ndef test_x(): ...", "skipped"),
            ("test_x.py", "@pytest.mark.requirement('R-1')\n@mark.xfail(reason='')\ndef test_x(): ...", "skipped"),
        ],
    )
    def test_that_show_nothing_are_refused(self, path, source, reason):
        with pytest.raises(MarkerError, match=reason):
            list(evidence_in_source(source, path))

    def test_are_collected_from_the_whole_tree(self, tmp_path: Path):
        for name in ("a/test_one.py", "b/c/test_two.py"):
            file = tmp_path / name
            file.parent.mkdir(parents=True)
            file.write_text("@pytest.mark.requirement('R-1')\ndef test_x(): ...\n", encoding="utf-8")
        assert evidence_in_tree(tmp_path) == {
            "R-1": {Evidence("a/test_one.py", "test_x"), Evidence("b/c/test_two.py", "test_x")}
        }


class TestPage:
    def test_shows_each_status(self):
        table = Requirements(
            {"1.1": "Terminology"},
            (
                requirement("R-1"),
                requirement("R-2", sentence="a | b."),
                requirement("R-3", not_applicable="No reason."),
            ),
        )
        lines = generate.render(table, {"R-1": {Evidence("wire/test_x.py", "test_y")}}).splitlines()
        assert (
            "| R-1 | MUST | codec | Something holds. | tested: [wire/test_x.py::test_y](../tests/wire/test_x.py) |"
            in lines
        )
        assert r"| R-2 | MUST | codec | a \| b. | open (codec) |" in lines
        assert "| R-3 | MUST | codec | Something holds. | not applicable: No reason. |" in lines
        assert "| codec | 1 | 1 | 1 | 3 |" in lines
        assert "| engine | 0 | 0 | 0 | 0 |" in lines

    def test_shows_a_few_of_many_tests(self):
        tests = {Evidence("test_x.py", f"test_{letter}") for letter in "edcba"}
        page = generate.render(Requirements({"1.1": ""}, (requirement("R-1"),)), {"R-1": tests})
        assert "test_c](../tests/test_x.py), 2 more |" in page
        assert "test_d" not in page

    def test_is_written_once_and_then_up_to_date(self, tmp_path: Path, monkeypatch, capsys):
        monkeypatch.setattr(generate, "PAGE", tmp_path / "conformance.md")
        assert generate.main(["--check"]) == 1
        assert generate.COMMAND in capsys.readouterr().err
        assert generate.main([]) == 0
        assert generate.main(["--check"]) == 0
        generate.PAGE.write_text("edited by hand\n", encoding="utf-8")
        assert generate.main(["--check"]) == 1

    def test_contradictions_name_the_test_at_fault(self):
        table = Requirements({"1.1": ""}, (requirement("R-1", not_applicable="No reason."), requirement("R-2")))
        test = {Evidence("test_x.py", "test_y")}
        assert generate.contradictions(table, {"R-2": test}) == []
        assert generate.contradictions(table, {"R-1": test, "R-2": test, "R-9": test}) == [
            "test_x.py::test_y names R-9, which is not a requirement",
            "test_x.py::test_y names R-1, which is said not to be applicable",
        ]
