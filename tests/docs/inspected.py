"""What a class, function or module of the package says about itself: signature, text, and attributes with theirs.

Python keeps the text below an attribute nowhere, so it is read from the source; signatures come from the living object,
so that what decorators and assignments make is seen as callers see it.
"""

import ast
import enum
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

PACKAGE = "fastpfkey"
WIDTH = 100
"""Characters of a signature on one line."""


class Member(NamedTuple):
    """A member of a class: what stands for it in code, and its text."""

    name: str
    code: str
    text: str
    takes: str = ""
    """Name of the typed dictionary that its `**` unpacks."""


@dataclass(frozen=True)
class Keywords:
    """What a function takes by `**`."""

    name: str
    text: str
    members: tuple[Member, ...]


def text_of(value: object) -> str:
    """The docstring of an object; nothing where it is inherited from Python itself or from a dataclass."""
    own = value.__doc__ if isinstance(value, type) else inspect.getdoc(value)
    found = inspect.cleandoc(own or "")
    return "" if isinstance(value, type) and found.startswith(f"{value.__name__}(") else found


def signature(name: str, function: Any, *, bound: bool = False) -> str:
    """How a function is called, as it is written, on several lines if it is long; `bound` leaves out a parameter."""
    found = inspect.signature(function)
    parts: list[str] = []
    star = False
    for each in list(found.parameters.values())[bound:]:
        if each.kind is each.KEYWORD_ONLY and not star:
            parts.append("*")
        star = star or each.kind in (each.VAR_POSITIONAL, each.KEYWORD_ONLY)
        text = {each.VAR_POSITIONAL: "*", each.VAR_KEYWORD: "**"}.get(each.kind, "") + each.name
        if each.annotation is not each.empty:
            text += f": {_annotation(each.annotation)}"
        if each.default is not each.empty:
            text += f" = {_default(each.default)}"
        parts.append(text)
    result = "" if found.return_annotation in (found.empty, "None") else f" -> {_annotation(found.return_annotation)}"
    line = f"{name}({', '.join(parts)}){result}"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){result}"])


def keywords(function: Any) -> Keywords | None:
    """The typed dictionary that a function's `**` unpacks, if there is one."""
    name = _unpacked(function)
    if not name:
        return None
    kind = inspect.unwrap(function).__globals__[name]
    bases = list(_dictionaries(kind))
    members = tuple(member for base in bases for member in _attributes(_class(base).body))
    return Keywords(name, "\n\n".join(text_of(base) for base in bases), members)


def _unpacked(function: Any) -> str:
    annotations = [str(each.annotation) for each in inspect.signature(function).parameters.values()]
    return next((text[7:-1] for text in annotations if text.startswith("Unpack[")), "")


def members(kind: type, without: type | None = None) -> Iterator[Member]:
    """The public members of a class that the package gives it, its own first, each once, but for those of a base."""
    seen = set()
    for base in kind.__mro__:
        if base.__module__.split(".")[0] != PACKAGE or base is without:
            continue
        for member in _members(base, kind.__name__):
            if member.name not in seen and not member.name.startswith("_"):
                seen.add(member.name)
                yield member


def attributes_of(module: ModuleType) -> dict[str, str]:
    """What a module assigns with a text below it, and that text."""
    return {each.name: each.text for each in _attributes(ast.parse(inspect.getsource(module)).body) if each.text}


def values(kind: type[enum.Enum]) -> Iterator[tuple[str, int, str]]:
    """Name, number and text of each value of an enumeration."""
    texts = {member.name: member.text for member in _attributes(_class(kind).body)}
    for item in kind:
        yield item.name, item.value, texts.get(item.name, "")


def _members(base: type, owner: str) -> Iterator[Member]:
    body = _class(base).body
    yield from (each for each in _attributes(body) if each.text or _has_fields(base))
    for node in body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            yield from (each for each in _attributes(node.body, node.args) if each.text)
    for name in _names(body):
        value = inspect.getattr_static(base, name, None)
        if isinstance(value, property):
            result = inspect.signature(value.fget).return_annotation if value.fget else ""
            yield Member(name, f"{name}: {_annotation(result)}", text_of(value))
        elif isinstance(value, classmethod):
            yield Member(name, signature(f"{owner}.{name}", value.__func__, bound=True), text_of(value))
        elif isinstance(value, FunctionType):
            prefix = "await " if inspect.iscoroutinefunction(value) else ""
            code = signature(f"{prefix}{name}", value, bound=True)
            yield Member(name, code, text_of(value), _unpacked(value))


def _names(body: list[ast.stmt]) -> list[str]:
    """Names of functions in a body, and of what is assigned there, in order."""
    names: dict[str, None] = {}
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names[node.name] = None
        elif isinstance(node, ast.Assign):
            names |= {target.id: None for target in node.targets if isinstance(target, ast.Name)}
    return [name for name in names if not name.startswith("_")]


def _attributes(body: list[ast.stmt], arguments: ast.arguments | None = None) -> Iterator[Member]:
    """Attributes that a body declares or, with a text below it, assigns, be it its class's or those of `self`.

    One that is assigned an argument of its name has the type of that.
    """
    types = {each.arg: each.annotation for each in (arguments.args if arguments else ())}
    for node, following in zip(body, [*body[1:], None], strict=True):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        text = _string(following)
        if isinstance(target, ast.Attribute):
            name = target.attr
        elif isinstance(target, ast.Name):
            name = target.id
        else:
            continue
        kind = getattr(node, "annotation", None)
        if kind is None and not text:
            continue
        if kind is None and isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
            kind = types.get(node.value.id)
        yield Member(name, f"{name}: {ast.unparse(kind)}" if kind else name, text)


def _string(node: ast.stmt | None) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    return ""


def _class(kind: type) -> ast.ClassDef:
    tree = ast.parse(inspect.getsource(sys.modules[kind.__module__]))
    return next(node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == kind.__name__)


def _dictionaries(kind: type) -> Iterator[type]:
    """A typed dictionary and those that it extends, which Python 3.11 tells in the source alone."""
    yield kind
    for base in _class(kind).bases:
        found = vars(sys.modules[kind.__module__])[ast.unparse(base)]
        if found.__module__.startswith(PACKAGE):
            yield from _dictionaries(found)


def _has_fields(kind: type) -> bool:
    return "__dataclass_fields__" in vars(kind) or issubclass(kind, tuple)


def _annotation(value: object) -> str:
    text = value if isinstance(value, str) else inspect.formatannotation(value)
    # A program is what a client runs; to callers it is its result.
    return text.removeprefix("Program[").removesuffix("]") if text.startswith("Program[") else text


def _default(value: object) -> str:
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    return getattr(value, "__name__", "") or repr(value)
