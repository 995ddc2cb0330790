"""How the API is shown: signatures as they are written in the source, and names as links wherever they stand.

Sphinx shows annotations evaluated, so that `Actions` is a line of classes, and links only names with their module.
"""

import ast
import dataclasses
import inspect
import re
import sys
import textwrap
from enum import Enum
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

OWN = "udpchat_"
"""What the names of our own modules begin with."""
CLASS = re.compile(r"[A-Z][a-z]\w*")
"""How the name of a class is written."""


def _parsed(obj: Any) -> Any:
    """The first statement of an object's source."""
    return ast.parse(textwrap.dedent(inspect.getsource(obj))).body[0]


def _of_function(function: Any) -> tuple[str, str | None]:
    """Arguments and result, as written, without `self` or `cls`."""
    node = _parsed(function)
    arguments = node.args
    positional = arguments.posonlyargs or arguments.args
    if positional and positional[0].arg in ("self", "cls"):
        del positional[0]
    for each in (*arguments.args, *arguments.kwonlyargs):
        if isinstance(each.annotation, ast.Constant):  # in quotes only because of the order in its file
            each.annotation = ast.Name(str(each.annotation.value))
    return f"({ast.unparse(arguments)})", None if node.returns is None else ast.unparse(node.returns)


def _of_fields(kind: type) -> str:
    """The fields of a dataclass or a named tuple, as its constructor takes them."""
    written: dict[str, ast.AnnAssign] = {}
    for each in reversed([each for each in kind.__mro__ if each.__module__.startswith(OWN)]):
        for line in _parsed(each).body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                written[line.target.id] = line
    names = [each.name for each in dataclasses.fields(kind) if each.init] if dataclasses.is_dataclass(kind) else written
    shown = []
    for name in names:
        line = written[name]
        default = "" if line.value is None else ast.unparse(line.value)
        default = "..." if default.startswith("field(") else default
        shown.append(f"{name}: {ast.unparse(line.annotation)}" + (f" = {default}" if default else ""))
    return f"({', '.join(shown)})"


def on_signature(
    _: Sphinx, what: str, __: str, obj: Any, ___: object, shown: str | None, ____: str | None
) -> tuple[str, str | None] | None:
    """The signature as the source has it."""
    if shown is None or not str(getattr(obj, "__module__", "")).startswith(OWN):
        return None  # it has none, or is only imported there
    if what in ("function", "method") and inspect.isroutine(obj):
        return _of_function(inspect.unwrap(obj))
    return (_of_class(obj), None) if isinstance(obj, type) else None


def _of_class(kind: Any) -> str:
    if issubclass(kind, Enum):
        return ""
    if dataclasses.is_dataclass(kind) or hasattr(kind, "_fields"):
        return _of_fields(kind)
    is_own = inspect.isfunction(kind.__init__) and kind.__init__.__module__.startswith(OWN)
    return _of_function(kind.__init__)[0] if is_own else ""


def on_member(_: Sphinx, __: str, ___: str, obj: object, skip: bool, ____: object) -> bool | None:
    """Values of an enumeration are part of it; what a named tuple says of its fields is nothing."""
    if isinstance(obj, Enum):
        return False
    return True if type(obj).__name__ == "_tuplegetter" else skip


def on_docstring(_: Sphinx, __: str, ___: str, ____: object, _____: object, lines: list[str]) -> None:
    """Make a list of a section "Attributes:" or "Args:"; each item is `name: what it is`, and may go on, indented."""
    at = next((number for number, line in enumerate(lines) if line in ("Attributes:", "Args:")), None)
    if at is None:
        return
    shown = [f".. rubric:: {lines[at][:-1]}", ""]
    for line in lines[at + 1 :]:
        name, colon, text = line.strip().partition(": ")
        if line.startswith("    ") and not line.startswith("     ") and colon:
            shown += [f"``{name}``", f"    {text}"]
        else:
            shown.append(f"    {line.strip()}" if line.startswith("     ") else line)
    lines[at:] = shown


def on_page(app: Sphinx, doctree: nodes.document) -> None:
    """A name in an annotation is what its file means by it; one in the text of our pages may be of the API."""
    for node in doctree.findall(pending_xref):
        meant = getattr(sys.modules.get(node.get("py:module") or ""), node.get("reftarget", ""), None)
        if node.get("refdomain") == "py" and isinstance(meant, type) and meant.__module__.startswith(OWN):
            node["reftarget"] = f"{meant.__module__}.{meant.__qualname__}"
    page = app.env.docname
    for literal in list(doctree.findall(nodes.literal)) if page.startswith("docs/") else ():
        name = literal.astext()
        if CLASS.fullmatch(name) and not isinstance(literal.parent, pending_xref | nodes.reference):
            link = pending_xref("", refdomain="py", reftype="obj", reftarget=name, refdoc=page, refwarn=False)
            literal.replace_self(link)
            link += literal


def on_missing(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Element) -> nodes.Element | None:
    """Link what a package hands on from its modules, and a bare name, if one thing only in the API has it."""
    if node.get("refdomain") != "py":
        return None
    module, _, name = node["reftarget"].removesuffix("()").rpartition(".")
    objects = env.domains.python_domain.objects
    found = [each for each in objects if each.endswith(f".{name}") and module.startswith(f"{each.rpartition('.')[0]}.")]
    if not module and name[:1].isupper():
        found = [each for each in objects if each.endswith(f".{name}")]
        told = [each for each in found if each.rpartition(".")[0].endswith("events")]  # "`Registered` follows"
        found = told or found
    if len(found) != 1:
        return None
    there = objects[found[0]]
    return make_refnode(app.builder, node["refdoc"], there.docname, there.node_id, content, found[0])


def on_source(_: Sphinx, module: str, name: str) -> str:
    """The module whose source has it: not that of the number that a limit is."""
    meant: Any = sys.modules[module]
    for part in name.split("."):
        meant = getattr(meant, part, None)
    there = str(getattr(meant, "__module__", ""))
    return there if there.startswith(OWN) else module


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-signature", on_signature)
    app.connect("autodoc-skip-member", on_member)
    app.connect("autodoc-process-docstring", on_docstring)
    app.connect("doctree-read", on_page)
    app.connect("missing-reference", on_missing)
    app.connect("viewcode-follow-imported", on_source)
