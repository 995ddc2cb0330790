"""The one table of fuzz targets, and the functions that have to be in it."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.fuzz import client_target, letter_targets, link_targets, primitive_targets, server_target, wire_targets
from tests.fuzz.target import Target

CORE: Final = Path(__file__).parents[2] / "udpchat_core"
_MODULES: Final = (wire_targets, primitive_targets, letter_targets, link_targets, client_target, server_target)
TARGETS: Final[Mapping[str, Target]] = {target.name: target for module in _MODULES for target in module.TARGETS}


def untrusted_functions() -> set[str]:
    """Every function and method of the core whose name ends in `_untrusted`, private ones too."""
    return {
        name
        for path in CORE.rglob("*.py")
        for name in untrusted_in(".".join(path.relative_to(CORE).with_suffix("").parts), path.read_text("utf-8"))
    }


def untrusted_in(module: str, source: str) -> set[str]:
    """The same in one module; a Protocol's methods are left out, as they say only what others do."""
    return set(_named(module, ast.parse(source)))


def _named(prefix: str, node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}.{child.name}"
            if not isinstance(child, ast.ClassDef) and child.name.endswith("_untrusted"):
                yield name
            if not (isinstance(child, ast.ClassDef) and any("Protocol" in ast.unparse(base) for base in child.bases)):
                yield from _named(name, child)
        else:
            yield from _named(prefix, child)
