"""Makes what is generated of `spec/`, and the manual page: `make generate`; a test compares byte for byte.

A region stands between `<!-- generated: NAME -->` and `<!-- end -->`; `REGIONS` says how each is made.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

from udpchat_core import bodies, datagrams, fields, limits, messages, wire
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import HEADER_BYTES, LAYOUTS, Datagram, Field
from udpchat_core.errors import Reason
from udpchat_core.fields import Outcome, Refusal, Scope
from udpchat_core.secure import card, keys
from udpchat_core.wire import BY_CODE, RECORD_OVERHEAD_BYTES, encode

from . import completions, conformance, drawing, example, ladders, machines, manual, registries, timers, traced, vectors
from .extremes import extreme
from .markdown import table
from .source import comments, described, docstring, field_types

SPEC: Final = Path(__file__).parents[1]
DRAWINGS: Final = SPEC / "machines"
_REGION = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WIRE: Final = (datagrams, messages, bodies, wire, fields, card)
LIMITS_OF_THE_WIRE: Final = [
    name for name, value, _ in described(limits) if any(getattr(module, name, None) == value for module in _WIRE)
]
"""What both sides have to agree on: the limits that the codec, or the check of a card, goes by."""
_WAYS: Final = {"Hello": "C to S", "Retry": "S to C", "Init": "C to S", "Resp": "S to C", "Record": "both ways"}
_SHOWN: Final = {"Acks": "ACK"}


def _layouts() -> str:
    return "\n".join(_drawing(kind, layout) for kind, layout in LAYOUTS.items())


def _drawing(kind: type[Datagram], layout: tuple[Field, ...]) -> str:
    """A datagram as a row of boxes with the offset of each field above its left edge, and a table under it."""
    boxes = [("75 01", 2), (f"{kind.type:02x}", 1), *((field.name, field.bytes_max) for field in layout)]
    edges, middle, offsets, at = "", "", "", 0
    for label, size in boxes:
        width = max(len(label) + 2, len(str(at)) + 1, min(size, 20))
        offsets += str(at).ljust(width + 1)
        edges += "+" + "-" * width
        middle += "|" + label.center(width)
        at += size
    name = _SHOWN.get(kind.__name__, kind.__name__.upper())
    rows: list[tuple[object, ...]] = [(field.name, _size(field), field.meaning) for field in layout]
    drawing = f"```\n{offsets.rstrip()}\n{edges}+\n{middle}|\n{edges}+\n```\n"
    way = _WAYS.get(kind.__name__, "C to C")
    return f"**{name}**, type {kind.type}, {way}\n\n{drawing}\n{table(('field', 'bytes', ''), rows)}"


def _size(field: Field) -> str:
    return str(field.bytes_min) if field.bytes_min == field.bytes_max else f"{field.bytes_min} to {field.bytes_max}"


def budgets() -> list[tuple[str, int, int]]:
    """(what, bytes at least, bytes at most) of each datagram and of each message in a RECORD of its own."""
    clear = [
        (
            _SHOWN.get(kind.__name__, kind.__name__.upper()),
            HEADER_BYTES + sum(field.bytes_min for field in layout),
            HEADER_BYTES + sum(field.bytes_max for field in layout),
        )
        for kind, layout in LAYOUTS.items()
    ]
    alone = RECORD_OVERHEAD_BYTES + 1
    messages = [
        (f"RECORD of {kind.__name__}", alone + _encoded(kind, False), alone + _encoded(kind, True))
        for kind in BY_CODE.values()
    ]
    signed = [
        (what, keys.SIGNATURE_BYTES + _encoded(kind, False), keys.SIGNATURE_BYTES + _encoded(kind, True))
        for what, kind in (("a card", CardBody), ("a letter's plaintext", LetterBody))
    ]
    return clear + signed + messages


def _encoded(kind: type[Any], longest: bool) -> int:
    return len(encode(extreme(kind, longest)))


def _budgets() -> str:
    return table(("what", "least", "most"), list(budgets()))


def _messages() -> str:
    rows: list[tuple[object, ...]] = []
    for code, kind in sorted(BY_CODE.items()):
        way, _, meaning = docstring(kind).partition(": ")
        shown = ", ".join(f"`{name}` {of}" for name, of in field_types(kind))
        rows.append((code, kind.__name__, way, shown or "none", meaning))
    return table(("code", "message", "way", "fields", "meaning"), rows)


def _codes() -> str:
    return "\n".join(_enum(kind) for kind in (Refusal, Scope, Outcome))


def _enum(kind: type[IntEnum]) -> str:
    said = comments(kind)
    rows: list[tuple[object, ...]] = [(int(m), m.name.lower().replace("_", " "), said.get(m.name, "")) for m in kind]
    return f"**{kind.__name__}.** {docstring(kind)}\n\n{table(('code', 'name', 'meaning'), rows)}"


def _reasons() -> str:
    return table(("reason", "meaning"), [(reason.value, comments(Reason)[reason.name]) for reason in Reason])


def _labels() -> str:
    rows: list[tuple[object, ...]] = [
        (name.removesuffix("_LABEL").lower().replace("_", " "), f'`"{value[:-1].decode()}" \\|\\| 00`', len(value))
        for name, value in vars(keys).items()
        if name.endswith("_LABEL")
    ]
    return table(("purpose", "label", "bytes"), rows)


def _points(points: frozenset[bytes]) -> str:
    values = sorted(int.from_bytes(point, "little") for point in points)
    return "```\n" + "\n".join(f"{value:064x}" for value in values) + "\n```\n"


def _limits_of_the_wire() -> str:
    return _limits(name for name in LIMITS_OF_THE_WIRE)


def _own_limits() -> str:
    """The others, under what they are for: the marks of the module that divide it."""
    own: dict[str, list[str]] = {}
    about = "bytes and keys"
    for line in inspect.getsource(limits).splitlines():
        if line.startswith("# --- "):
            about = line.strip("# -")
        name = line.partition(":")[0]
        if name.isupper() and name not in LIMITS_OF_THE_WIRE:
            own.setdefault(about, []).append(name)
    return "\n".join(f"**{about[0].upper()}{about[1:]}.**\n\n{_limits(names)}" for about, names in own.items())


def _limits(names: Iterable[str]) -> str:
    said = {name: (f"`{name}`", _value(value), why) for name, value, why in described(limits)}
    return table(("limit", "value", "why"), [said[name] for name in names])


def _value(value: int | tuple[int, ...]) -> str:
    return f"{value:,}" if isinstance(value, int) else ", ".join(map(_value, value))


REGIONS: Final[Mapping[str, Callable[[], str]]] = {
    "labels": _labels,
    "ed25519": lambda: _points(keys.SMALL_ORDER_ED25519),
    "x25519": lambda: _points(keys.SMALL_ORDER_X25519),
    "layouts": _layouts,
    "budgets": _budgets,
    "messages": _messages,
    "codes": _codes,
    "limits_of_the_wire": _limits_of_the_wire,
    "own_limits": _own_limits,
    "reasons": _reasons,
    "timers": timers.of_machines,
    "times": timers.others,
    "machines": lambda: machines.sections(first=3),
    "ladder_direct": ladders.direct,
    "ladder_absent": ladders.absent,
    "registries": registries.rows,
    "classes": conformance.rows,
    **example.PARTS,
}


def files() -> dict[Path, str]:
    """Every section with its regions made anew, the requirements, every drawing, the vectors, and the manual page."""
    sections = [*sorted(SPEC.glob("[0-9]*.md")), vectors.FOLDER / "README.md"]
    drawings = {DRAWINGS / f"{machine.name}.svg": drawing.svg(machine) for machine in machines.found()}
    made = {path: _made(path.read_text(encoding="utf-8")) for path in sections}
    printed = manual.files() | completions.files()
    return made | {SPEC / "requirements.md": traced.page()} | drawings | vectors.files() | printed


def _made(text: str) -> str:
    return _REGION.sub(lambda region: f"{region[1]}{REGIONS[region[2]]()}{region[3]}", text)


def main() -> None:
    """Write what changed."""
    DRAWINGS.mkdir(exist_ok=True)
    for path, text in files().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"wrote {path.relative_to(SPEC.parent)}")


if __name__ == "__main__":
    main()
