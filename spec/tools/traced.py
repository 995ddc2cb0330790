"""`spec/requirements.md`: each requirement with the functions that meet it and the tests that show it.

A citation is the id in a comment or a docstring. It is told by the function or class around it, or by the constant
that it describes, and not by its line: so the page changes only when something is cited elsewhere.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final, NamedTuple

from .requirements import Requirement, citations, our_code, our_sections, our_tests, requirements

_HEAD: Final = """# Requirements and where they are met

Made by `make generate`; a test compares. Each requirement of the reference, in its order: its words, the functions of
this repository that cite it, and the tests that show it. That all are is checked by `tests/spec/test_requirements.py`.
"""
_HEADING: Final = re.compile(r"(?m)^#+ (\d+(?:\.\d+)+ .*)$")
_NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class _Span(NamedTuple):
    """What lines `first` to `last` of a file are: of two around a line, the shorter one is meant."""

    first: int
    last: int
    name: str


def page() -> str:
    """The whole of it, for this repository."""
    sections = our_sections()
    stated, _ = requirements(sections)
    titles = {title.split()[0]: title for text in sections.values() for title in _HEADING.findall(text)}
    code, tests = places(our_code()), places(our_tests())
    return _HEAD + "".join(
        f"\n## {titles[section]}\n\n" + "".join(_item(each, code, tests) for each in group)
        for section, group in groupby(stated, key=lambda each: each.id.removeprefix("R-").rpartition("-")[0])
    )


def _item(of: Requirement, code: Mapping[str, list[str]], tests: Mapping[str, list[str]]) -> str:
    lines = [f"- **{of.id}** {of.text}"]
    for what, found in (("met by", code), ("shown by", tests)):
        shown = ", ".join(f"`{place}`" for place in found.get(of.id, ())) or "nothing yet"
        lines.append(f"  - {what} {shown}")
    return "\n".join(lines) + "\n"


def places(files: Mapping[str, str]) -> dict[str, list[str]]:
    """Where each id is cited: {id: [file::name, ...]}, or the file alone where it is about all of it."""
    spans: dict[str, list[_Span]] = {}
    found: dict[str, dict[str, None]] = {}
    for id_, cited in citations(files).items():
        for place in cited:
            file, _, line = place.rpartition(":")
            if file not in spans:
                spans[file] = list(_spans(ast.parse(files[file]).body, ""))
            name = _name_at(spans[file], int(line))
            found.setdefault(id_, {})[f"{file}::{name}" if name else file] = None
    return {id_: list(where) for id_, where in found.items()}


def _name_at(spans: list[_Span], line: int) -> str:
    """What the line belongs to, or, for a comment of its own, what comes after it; nothing for a whole file."""
    around = [span for span in spans if span.first <= line <= span.last]
    if around:
        return min(around, key=lambda span: span.last - span.first).name
    return next((span.name for span in spans if span.first > line), "") if spans and line > 1 else ""


def _spans(body: list[ast.stmt], inside: str) -> Iterator[_Span]:
    """The functions, classes and constants of a module or a class, each with the text under it that describes it."""
    for at, node in enumerate(body):
        last = node.end_lineno or node.lineno
        if isinstance(node, _NAMED):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            yield _Span(first, last, inside + node.name)
            if isinstance(node, ast.ClassDef):
                yield from _spans(node.body, f"{inside}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            below = body[at + 1] if at + 1 < len(body) else node
            described = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            yield _Span(node.lineno, (below.end_lineno or last) if described else last, inside + ast.unparse(target))
