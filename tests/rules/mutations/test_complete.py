"""No rule without a mutation, and none that implies what is no rule."""

from __future__ import annotations

from fastpfkey.wire.rules import RULES

from . import test_addresses, test_associations, test_contents, test_framing, test_presence
from .cases import parameters

MODULES = (test_addresses, test_associations, test_contents, test_framing, test_presence)


def test_each_rule_has_a_mutation() -> None:
    broken = [parameter.values[0].rule for module in MODULES for parameter in parameters(vars(module))]
    broken += [parameter.values[0].rule for parameter in (*test_presence.STRAY, *test_presence.ABSENT)]
    assert set(broken) == {item.id for item in RULES}


def test_rules_imply_rules() -> None:
    known = {item.id for item in RULES}
    assert all(item.implies <= known - {item.id} for item in RULES)


def test_each_function_is_one_rule() -> None:
    assert len({item.judge for item in RULES}) == len(RULES)
