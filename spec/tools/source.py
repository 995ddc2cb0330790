"""What the source says beside its values: reasons under constants, comments behind codes, types of fields."""

import ast
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from itertools import pairwise
from types import ModuleType
from typing import Any


def described(module: ModuleType) -> Iterator[tuple[str, int | tuple[int, ...], str]]:
    """(name, value, docstring under it) of the upper-case constants of `module`, in their order."""
    body = ast.parse(inspect.getsource(module)).body
    for node, below in pairwise(body):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(below, ast.Expr):
            assert isinstance(below.value, ast.Constant)
            yield node.target.id, getattr(module, node.target.id), _flat(str(below.value.value))


def comments(kind: type) -> dict[str, str]:
    """The comment behind each member of an enumeration."""
    lines = [line.partition("#") for line in inspect.getsource(kind).splitlines() if " = " in line]
    # What silences a linter, and its reason, come before the meaning.
    return {before.split(" = ")[0].strip(): re.sub("^noqa: .*?: ", "", said.strip()) for before, _, said in lines}


def docstring(kind: Callable[..., Any]) -> str:
    """The docstring of a class or a function in one line, up to its list of attributes."""
    return _flat(inspect.cleandoc(kind.__doc__ or "").split("\n\nAttributes:")[0])


def attributes(kind: type) -> dict[str, str]:
    """What the list of attributes in a docstring says of each."""
    listed = inspect.cleandoc(kind.__doc__ or "").partition("\n\nAttributes:\n")[2]
    said = re.findall(r"(?ms)^    ([\w, ]+): (.*?)(?=^    \w|\Z)", listed)
    return {name: _flat(meaning).removesuffix(".") for names, meaning in said for name in names.split(", ")}


def field_types(kind: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a dataclass
    """(name, type in the spec's words) of each field."""
    written = {
        node.target.id: ast.unparse(node.annotation)
        for node in ast.walk(ast.parse(inspect.getsource(kind)))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    for field in fields(kind):
        yield field.name, _in_words(written[field.name])


def _in_words(annotation: str) -> str:
    optional = annotation.endswith(" | None")
    core = annotation.removesuffix(" | None")
    if core.startswith("Annotated["):
        core = core.removeprefix("Annotated[").split(", Len(")[0]
    if core.startswith("tuple["):
        core = core.removeprefix("tuple[").split(",")[0] + "s"
    words = {"Number": "number", "Ordinal": "ordinal", "Name": "name", "Names": "names", "TimeMs": "ms", "TimeS": "s"}
    words |= {"bool": "boolean", "Bytes8": "8 bytes", "Bytes16": "16 bytes", "Bytes32": "32 bytes"}
    words |= {
        "Bytes16s": "list of 16 bytes",
        "RosterEntrys": "list of RosterEntry",
        "CollectedEntrys": "list of CollectedEntry",
    }
    return words.get(core, core) + ("?" if optional else "")


def _flat(text: str) -> str:
    return " ".join(text.split())
