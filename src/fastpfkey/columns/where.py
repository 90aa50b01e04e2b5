"""Questions to a table in one line, such as `state == 'mature' and dst in '10.0.0.0/8'`.

The text is Python's own grammar, parsed and never executed: what is no question about columns is refused with the
place where it stands. Names of columns stand for their values, strings for terms and addresses, `now` for Unix time.
Everything is computed for all rows at once. A comparison with what a row lacks is false, as in SQL; `natt_type is None`
asks for that.
"""

from __future__ import annotations

import ast
import difflib
import ipaddress
import operator
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..errors import QueryError
from ..spec.tables import sources
from .readable import V4_MAPPED
from .room import Array

if TYPE_CHECKING:
    from .table import Table

Mask = npt.NDArray[np.bool_]

_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

NOW = "now"
"""What stands for the time of the question, in seconds since 1970."""

LONGEST = 4096
"""Characters of a question: enough for people, too little to nest without end."""


class Question(NamedTuple):
    """A question that was understood as far as it can be without a table."""

    text: str
    tree: ast.expr
    columns: tuple[str, ...]
    """Names of the columns that it asks about."""
    now: float
    """Unix time when it was asked: the same for all rows, however many tables these are of."""


def question(text: str) -> Question:
    """Parse a question. Raises QueryError, which says what is wrong and where, and TypeError for what is no text."""
    if not isinstance(text, str):
        raise TypeError(f"a question is a string, not {type(text).__name__}; table[mask] takes a mask or row numbers")
    if len(text) > LONGEST:
        raise QueryError(text[:40] + "...", 0, f"a question has {LONGEST} characters at most")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        position = max((error.offset or 1) - 1, 0)
        single = re.match(r"\s*\w*\s*=(?!=)", text[position:])
        reason = "== is what compares two values" if single else "this cannot be read"
        raise QueryError(text, position, reason) from None
    except (ValueError, RecursionError, MemoryError):
        raise QueryError(text, 0, "this cannot be read") from None
    names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id != NOW)
    return Question(text.strip(), tree, tuple(dict.fromkeys(names)), time.time())


def rows(table: Table, asked: Question | str) -> Mask:
    """The rows for which the answer is yes. Raises QueryError, also for a column that the table does not have."""
    found = asked if isinstance(asked, Question) else question(asked)
    try:
        return _Answer(table, found).truth(found.tree)
    except RecursionError:
        raise QueryError(found.text, 0, "this is nested too deeply") from None


class _Values(NamedTuple):
    """Numbers of all rows, or one number for all."""

    values: Any
    missing: Mask | None = None
    """Rows without a value."""


class _Answer:
    def __init__(self, table: Table, asked: Question) -> None:
        self.table = table
        self.asked = asked

    def refused(self, node: ast.expr, reason: str) -> QueryError:
        return QueryError(self.asked.text, node.col_offset, reason)

    def truth(self, node: ast.expr) -> Mask:
        """Yes or no for each row."""
        if isinstance(node, ast.BoolOp):
            combine = np.logical_and if isinstance(node.op, ast.And) else np.logical_or
            found: Mask = combine.reduce([self.truth(value) for value in node.values])
            return found
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return ~self.truth(node.operand)
        if isinstance(node, ast.Compare):
            found = np.ones(len(self.table), np.bool_)
            left = node.left
            for how, right in zip(node.ops, node.comparators, strict=True):
                found &= self.compare(left, how, right)
                left = right
            return found
        raise self.refused(node, "a comparison is needed here")

    def compare(self, left: ast.expr, how: ast.cmpop, right: ast.expr) -> Mask:
        if isinstance(how, ast.Is | ast.IsNot):
            if not (isinstance(right, ast.Constant) and right.value is None):
                raise self.refused(right, "only None can stand behind 'is'")
            missing = self.table.null(self.column(left))
            return missing if isinstance(how, ast.Is) else ~missing
        if isinstance(how, ast.In | ast.NotIn):
            found = self.among(left, right)
            return found if isinstance(how, ast.In) else ~found & ~self.table.null(self.column(left))
        if isinstance(left, ast.Constant) and isinstance(left.value, str):
            left, right = right, left
        if isinstance(right, ast.Constant) and isinstance(right.value, str):
            if not isinstance(how, ast.Eq | ast.NotEq):
                raise self.refused(right, "names and addresses have no order; use == or !=")
            found = self.named(left, right)
            return found if isinstance(how, ast.Eq) else ~found & ~self.table.null(self.column(left))
        one, other = self.numbers(left), self.numbers(right)
        answer: Mask = np.broadcast_to(_ORDER[type(how)](one.values, other.values), len(self.table))
        for side in (one, other):
            if side.missing is not None:
                answer = answer & ~side.missing
        return answer

    def among(self, left: ast.expr, right: ast.expr) -> Mask:
        options: Sequence[ast.expr] = right.elts if isinstance(right, ast.Tuple | ast.List | ast.Set) else [right]
        found = np.zeros(len(self.table), np.bool_)
        for option in options:
            found |= self.compare(left, ast.Eq(), option)
        return found

    def column(self, node: ast.expr) -> str:
        """The name of a column of the table."""
        if not isinstance(node, ast.Name):
            raise self.refused(node, "the name of a column is needed here")
        if node.id not in self.table.columns:
            near = difflib.get_close_matches(node.id, self.table.columns, 1)
            raise self.refused(node, f"there is no column {node.id!r}" + (f"; is {near[0]!r} meant?" if near else ""))
        return node.id

    def named(self, left: ast.expr, right: ast.Constant) -> Mask:
        """Rows in which a column of terms or addresses has the value of this string."""
        name, text = self.column(left), str(right.value)
        if self.table[name].ndim == 2:
            return self.within(name, right, text) & ~self.table.null(name)
        coded = self.table._coded(name)
        if coded is None:
            raise self.refused(right, f"{name} is a number, and compared with numbers")
        places, labels = coded
        wanted = text.lower()
        if wanted in labels:
            found: Mask = (places == labels.index(wanted)) & ~self.table.null(name)
            return found
        known = self.known(name)
        if known and wanted not in known and not wanted.startswith("unknown-"):
            near = difflib.get_close_matches(wanted, known, 1)
            raise self.refused(right, f"{name} is never {text!r}" + (f"; is {near[0]!r} meant?" if near else ""))
        return np.zeros(len(self.table), np.bool_)

    def known(self, name: str) -> set[str]:
        """All that a column of terms may be called in this dialect."""
        table = self.table
        tables = {table.schema.column(name).terms}
        tables |= {source.terms for source in sources(table.schema, table.dialect) if source.column == name}
        kinds = [table.dialect.terms[each].kind for each in tables if each in table.dialect.terms]
        return {member.label for kind in kinds for member in kind}

    def within(self, name: str, node: ast.expr, text: str) -> Mask:
        """Rows whose address is this one, or in this network."""
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise self.refused(node, f"{text!r} is neither an address nor a network") from None
        prefix = network.prefixlen + (96 if network.version == 4 else 0)
        packed = np.frombuffer(network.network_address.packed, np.uint8)
        wanted = np.concatenate([V4_MAPPED, packed]) if network.version == 4 else packed
        addresses = self.table[name]
        whole, rest = divmod(prefix, 8)
        found: Mask = (addresses[:, :whole] == wanted[:whole]).all(axis=1)
        if rest:
            found &= addresses[:, whole] >> 8 - rest == wanted[whole] >> 8 - rest
        if network.version == 6 and not prefix:  # ::/0 is all of IPv6, among which v4-mapped ones are not counted
            found &= ~(addresses[:, :12] == V4_MAPPED).all(axis=1)
        return found

    def numbers(self, node: ast.expr) -> _Values:
        """A column of numbers, a number, or arithmetic with them. Columns are converted, so that nothing wraps."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, bool) or not isinstance(node.value, int | float):
                raise self.refused(node, "a number is needed here")
            return _Values(node.value)
        if isinstance(node, ast.Name) and node.id == NOW:
            return _Values(self.asked.now)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.numbers(node.operand)
            return _Values(-_signed(inner.values), inner.missing)
        if isinstance(node, ast.BinOp):
            return self.arithmetic(node)
        name = self.column(node)
        if self.table[name].ndim == 2:
            raise self.refused(node, f"{name} is an address, and compared with a string")
        if self.table._coded(name) is not None:
            raise self.refused(node, f"{name} is a name, and compared with a string")
        return _Values(self.table[name], self.table.null(name))

    def arithmetic(self, node: ast.BinOp) -> _Values:
        how = _ARITHMETIC.get(type(node.op))
        if how is None:
            raise self.refused(node, "only + - * and / are known")
        one, other = self.numbers(node.left), self.numbers(node.right)
        missing = [side.missing for side in (one, other) if side.missing is not None]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            values = how(_signed(one.values), _signed(other.values))
        return _Values(values, np.logical_or.reduce(missing) if missing else None)


def _signed(values: Array | float) -> Any:
    """Numbers that may be subtracted: counters are unsigned, and would wrap. All are NumPy's, which divide by 0."""
    if isinstance(values, np.ndarray):
        return values.astype(np.float64)
    try:
        return np.float64(values)
    except OverflowError:  # an int that is larger than any float
        return np.float64(np.inf if values > 0 else -np.inf)
