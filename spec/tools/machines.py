"""The state machines of the core, found and put into words: what section 10 of `spec/` is made of.

A machine's table says everything about it but why: that is in docstrings, and in the comments behind phases and
events. Names become words: the action `send_directly` is "send directly".
"""

import ast
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from textwrap import dedent
from types import ModuleType
from typing import Any, NamedTuple, get_args

from udpchat_core import machines
from udpchat_core.table import Machine, Row, Table

from .markdown import table
from .source import comments, docstring


@dataclass(frozen=True)
class Found:
    """One machine: the module that defines it, its class, the table that runs, and the class of its records."""

    module: ModuleType
    machine: type[Machine]
    table: Table[Any, Any]
    record: type[Any]

    @property
    def name(self) -> str:
        """The module's name: `outgoing`."""
        return self.module.__name__.rpartition(".")[2]

    @property
    def phases(self) -> type[StrEnum]:
        """The enumeration of its phases."""
        return type(self.table.initial)

    @property
    def open_phases(self) -> list[StrEnum]:
        """The phases that are not final."""
        return [phase for phase in self.phases if phase not in self.table.final]

    @property
    def events(self) -> list[str]:
        """Its events, in the order of the class."""
        return [str(event) for event in self.machine.events]  # type: ignore[attr-defined] # of the metaclass


def found() -> Iterator[Found]:
    """Every machine of `udpchat_core.machines`, by the name of its module."""
    for each in sorted(pkgutil.iter_modules(machines.__path__), key=lambda each: each.name):
        module = import_module(f"{machines.__name__}.{each.name}")
        for name, kind in inspect.get_annotations(module, eval_str=True).items():
            table = getattr(module, name)
            if isinstance(table, Table):
                yield Found(module, getattr(module, table.name), table, get_args(kind)[0])


class Saying(NamedTuple):
    """What a row says, whatever its phase.

    Attributes:
        event: the event, in words.
        condition: the guard in words, "otherwise" for the last of several rows, or nothing.
        effect: the action in words, or nothing.
        target: the next phase; None if the row stays.
        is_ignored: whether nothing happens.
    """

    event: str
    condition: str
    effect: str
    target: StrEnum | None
    is_ignored: bool


class Arrow(NamedTuple):
    """The rows of several phases that say the same; `is_any`: of every phase that is not final."""

    said: Saying
    sources: tuple[StrEnum, ...]
    is_any: bool


def arrows(machine: Found) -> list[Arrow]:
    """All rows of a machine, those that say the same in one: by event in the order of the class, then by phase."""
    merged: dict[Saying, list[StrEnum]] = {}
    for event in machine.events:
        sources: dict[Saying, list[StrEnum]] = {}
        for row in (row for row in machine.table.rows if row.event == event):
            said = saying(machine, row)
            sources[said] = [*sources.pop(said, []), row.source]  # last, as its other rows are tried after others
        merged |= sources
    return [Arrow(said, tuple(of), of == machine.open_phases and len(of) > 1) for said, of in merged.items()]


def saying(machine: Found, row: Row[Any, Any]) -> Saying:
    """What `row` says."""
    target = None if row.target is row.source else row.target
    condition = _name(row.guard) if row.wanted else f"not {_name(row.guard)}"
    if row.guard is None and len(machine.table.index[row.source, row.event]) > 1:
        condition = "otherwise"
    return Saying(in_words(row.event), condition, _name(row.action), target, row.is_ignored)


def in_words(name: str) -> str:
    """A name of the code as the spec writes it."""
    return name.replace("_", " ")


def _name(function: Callable[..., Any] | None) -> str:
    return in_words(function.__name__) if function else ""


# --- Markdown ---


def sections(first: int) -> str:
    """A section for each machine, numbered 10.`first` and on."""
    return "\n".join(_section(f"10.{number}", machine) for number, machine in enumerate(found(), first))


def _section(number: str, machine: Found) -> str:
    parts = [
        f"## {number} {in_words(machine.name).capitalize()}",
        _meaning(machine),
        f"![The machine drawn: a column for each phase](machines/{machine.name}.svg)",
        f"<details><summary>The same in Mermaid</summary>\n\n```mermaid\n{mermaid(machine)}```\n\n</details>",
        _phases(machine),
        _events(machine),
        _rows(machine),
        _left_out(machine),
        _functions(machine),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _meaning(machine: Found) -> str:
    """What the module says of the machine, and what the class says beyond its first line."""
    module, own = (inspect.cleandoc(said.__doc__ or "") for said in (machine.module, machine.machine))
    return "\n\n".join(part for part in (module, own.partition("\n\n")[2]) if part)


def _phases(machine: Found) -> str:
    said = comments(machine.phases)
    rows: list[tuple[object, ...]] = []
    for phase in machine.phases:
        mark = "first" if phase is machine.table.initial else "final" if phase in machine.table.final else ""
        rows.append((phase.value, said[phase.name], mark))
    return table(("phase", "meaning", ""), rows)


def _events(machine: Found) -> str:
    said = comments(machine.machine)
    rows: list[tuple[object, ...]] = [(in_words(event), said.get(event, "")) for event in machine.events]
    return table(("event", "meaning"), rows) if any(meaning for _, meaning in rows) else ""


def _rows(machine: Found) -> str:
    """By phase, in the order of trying; what holds in every phase that is not final is listed once, at the end."""
    everywhere = [arrow.said for arrow in arrows(machine) if arrow.is_any]
    listed: list[tuple[object, ...]] = []
    for row in machine.table.rows:
        said = saying(machine, row)
        if said not in everywhere and (said.condition or not said.is_ignored):
            listed.append((row.source.value, *_cells(said)))
    listed += [("any but a final one", *_cells(said)) for said in everywhere if not said.is_ignored]
    return table(("phase", "event", "if", "then", "next phase"), listed)


def _cells(said: Saying) -> tuple[object, ...]:
    return said.event, said.condition, said.effect, said.target.value if said.target else "(stays)"


def _left_out(machine: Found) -> str:
    """What is ignored and what cannot happen, an event each with its phases."""
    ignored = {said.event: of for said, of, _ in arrows(machine) if said.is_ignored and not said.condition}
    rows: list[tuple[object, ...]] = []
    for event in machine.events:
        never = [phase for phase in machine.open_phases if event in machine.table.impossible.get(phase, ())]
        of = ignored.get(in_words(event), ())
        if of or never:
            rows.append((in_words(event), ", ".join(of), ", ".join(never)))
    said = (
        "What is expected and means nothing (ignored), and what would be a mistake of the program (cannot happen):\n\n"
    )
    return said + table(("event", "ignored in", "cannot happen in"), rows) if rows else ""


def _functions(machine: Found) -> str:
    guards = {row.guard: None for row in machine.table.rows if row.guard}
    actions = {row.action: None for row in machine.table.rows if row.action}
    said: list[tuple[object, ...]] = [(_name(guard), docstring(guard)) for guard in guards]
    done: list[tuple[object, ...]] = [
        (_name(action), docstring(action), "; ".join(asks(machine.module, action))) for action in actions
    ]
    return "\n".join(
        table(heads, rows)
        for heads, rows in ((("if", "meaning"), said), (("then", "meaning", "what is asked for"), done))
        if rows
    )


def asks(module: ModuleType, action: Callable[..., Any]) -> list[str]:
    """The intents that an action may return, in the order in which it names them."""
    nodes = list(_nodes(module, action))
    named = [node.attr for node in nodes if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Do"]
    return list({module.Do[name].value: None for name in named})


def constants(module: ModuleType, function: Callable[..., Any]) -> list[str]:
    """The upper-case names that a guard or an action uses, in their order."""
    nodes = list(_nodes(module, function))
    return list({node.id: None for node in nodes if isinstance(node, ast.Name) and node.id.isupper()})


def _nodes(module: ModuleType, function: Callable[..., Any]) -> Iterator[ast.expr]:
    """The source of a function and of the functions of its module that it uses, in the order of the text."""
    nodes = ast.walk(ast.parse(dedent(inspect.getsource(function))))
    for node in sorted((node for node in nodes if isinstance(node, ast.expr)), key=_place):
        yield node
        used = getattr(module, node.id, None) if isinstance(node, ast.Name) else None
        if inspect.isfunction(used) and used.__module__ == module.__name__:
            yield from _nodes(module, used)


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset


# --- Mermaid ---


def mermaid(machine: Found) -> str:
    """The machine as a Mermaid state diagram; a phase that stands for any but a final one is drawn if needed."""
    lines = ["stateDiagram-v2"]
    lines += [f"    state {_quoted(phase.value)} as {phase.name}" for phase in machine.phases]
    shown = [arrow for arrow in arrows(machine) if not arrow.said.is_ignored]
    if any(arrow.is_any and arrow.said.target for arrow in shown):
        lines.append('    state "any but a final one" as ANY')
    lines.append(f"    [*] --> {machine.table.initial.name}")
    for said, of, is_any in shown:
        sources = ["ANY"] if is_any and said.target else [source.name for source in of]
        lines += [f"    {name} --> {said.target.name if said.target else name} : {label(said)}" for name in sources]
    lines += [f"    {phase.name} --> [*]" for phase in machine.table.final]
    return "\n".join(lines) + "\n"


def label(said: Saying) -> str:
    """Event [condition] / effect, as UML writes it."""
    condition = f" [{said.condition}]" if said.condition else ""
    return said.event + condition + (f" / {said.effect}" if said.effect else "")


def _quoted(text: str) -> str:
    return f'"{text}"'
