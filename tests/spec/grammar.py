"""CDDL to Hypothesis strategies: only the subset that `spec/udpchat.cddl` is written in."""

from itertools import product
from pathlib import Path
from typing import Any, Final

import cddlparser
from cddlparser import ast
from hypothesis import strategies as st

SOURCE: Final = (Path(__file__).parents[2] / "spec" / "udpchat.cddl").read_text()
RULES: Final[dict[str, Any]] = {rule.name.name: rule.type for rule in cddlparser.parse(SOURCE).rules}
_UTF8_BYTES_MAX = 4


def any_of(rule: str) -> st.SearchStrategy[Any]:
    """Any value that the rule allows."""
    return st.deferred(lambda: _type(RULES[rule]))


def fields(rule: str) -> list[list[str]]:
    """The names of the fields of an array's rule; one list for each choice."""
    node = RULES[rule]
    types = node.types if isinstance(node, ast.Type) else [node]
    found: list[list[str]] = []
    for each in types:
        if isinstance(each, ast.Typename):
            found += fields(each.name)
        else:
            assert isinstance(each, ast.Array), rule
            found += [[_key(entry) for entry in choice.groupEntries if entry.key] for choice in each.groupChoices]
    return found


def code(rule: str) -> int:
    """The literal that a message's array begins with."""
    node = RULES[rule]
    first: Any = node.types[0] if isinstance(node, ast.Type) else node
    if isinstance(first, ast.Typename):
        return code(first.name)
    return int(_only(first.groupChoices[0].groupEntries[0].type).value)


def names_in(node: ast.CDDLNode) -> set[str]:
    """The rules that a node refers to; keys are no references."""
    if isinstance(node, ast.Typename):
        return {node.name}
    children = [child for child in node.getChildren() if not isinstance(child, ast.Memberkey)]
    return set().union(*(names_in(child) for child in children))


def occurrences(node: ast.CDDLNode) -> list[tuple[int, int]]:
    """The bounds of lists inside a node, in their order."""
    here = [(int(node.n), int(node.m))] if isinstance(node, ast.Occurrence) else []
    return here + [bounds for child in node.getChildren() for bounds in occurrences(child)]


def narrowings(rule: str) -> list[str]:
    """CDDL types without choices and references which together are (but for lists of mixed items) the rule."""
    return _narrow(RULES[rule])


def _narrow(node: Any) -> list[str]:
    node = _only(node)
    if isinstance(node, ast.Type):
        return [text for each in node.types for text in _narrow(each)]
    if isinstance(node, ast.Typename) and node.name in RULES:
        return narrowings(node.name)
    if not isinstance(node, ast.Array):
        return [node.serialize().rpartition("\n")[2].strip().rstrip("/ ")]
    entries = [entry for choice in node.groupChoices for entry in choice.groupEntries]
    parts = [[_head(entry) + text for text in _narrow(entry.type)] for entry in entries]
    return ["[" + ", ".join(chosen) + "]" for chosen in product(*parts)]


def _head(entry: ast.GroupEntry) -> str:
    occurrence = f"{entry.occurrence.n}*{entry.occurrence.m} " if entry.occurrence else ""
    return occurrence + (f"{_key(entry)}: " if entry.key else "")


def _key(entry: ast.GroupEntry) -> str:
    assert entry.key is not None
    assert isinstance(entry.key.type, ast.Typename)
    return entry.key.type.name


def _only(node: Any) -> Any:
    """What a choice of one is."""
    while isinstance(node, ast.Type) and len(node.types) == 1:
        node = node.types[0]
    return node


def _type(node: Any) -> st.SearchStrategy[Any]:
    node = _only(node)
    match node:
        case ast.Type():
            return st.one_of(*(_type(each) for each in node.types))
        case ast.Value():
            return st.just(int(node.value))
        case ast.Range():
            return st.integers(*_bounds(node))
        case ast.Operator():
            return _controlled(node)
        case ast.Array():
            return _array(node)
        case ast.Typename(name="bool"):
            return st.booleans()
        case ast.Typename(name="null"):
            return st.none()
        case ast.Typename():
            return any_of(node.name)
    raise NotImplementedError(repr(node))


def _bounds(node: Any) -> tuple[int, int]:
    node = _only(node)
    if isinstance(node, ast.Range):
        return int(_only(node.min).value), int(_only(node.max).value)
    return int(node.value), int(node.value)


def _controlled(node: ast.Operator) -> st.SearchStrategy[Any]:
    target, controller = _only(node.type), _only(node.controller)
    match target.name, node.name.literal:
        case "tstr", "regexp":
            return st.from_regex(controller.value.removeprefix("^").removesuffix("$"), fullmatch=True)
        case "tstr", "size":
            low, high = _bounds(controller)
            whole = st.text(st.characters(exclude_categories=["Cs"]), min_size=low, max_size=high // _UTF8_BYTES_MAX)
            longest = st.characters(max_codepoint=0x7F).map(lambda letter: letter * high)
            return whole | longest
        case "bytes", "size":
            low, high = _bounds(controller)
            return st.binary(min_size=low, max_size=high)
    raise NotImplementedError(repr(node))


def _array(node: ast.Array) -> st.SearchStrategy[Any]:
    if not node.groupChoices:
        return st.just([])
    (choice,) = node.groupChoices
    parts = [_entry(entry) for entry in choice.groupEntries]
    return st.tuples(*parts).map(lambda values: [item for part in values for item in part])


def _entry(entry: ast.GroupEntry) -> st.SearchStrategy[list[Any]]:
    """The items that one entry of an array stands for."""
    if entry.occurrence is None:
        return _type(entry.type).map(lambda value: [value])
    return st.lists(_type(entry.type), min_size=int(entry.occurrence.n), max_size=int(entry.occurrence.m))
