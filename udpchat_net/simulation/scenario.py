"""A run, written down: a seed, what users do, what goes wrong, and when it ends.

A scenario prints as a Python expression, and `parse` reads it back; so a run that failed can be pasted, cut down
and run again. Nothing of the expression is evaluated: only the classes below, with numbers, strings and tuples.
"""

import ast
import json
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, get_args

from .faults import Fault

TEXT_CHARS: Final = 20


@dataclass(frozen=True, slots=True)
class Say:
    """From `at_us` on, `sender` sends `to` so many messages, `gap_us` apart, of at least `chars` characters."""

    at_us: int
    sender: str
    to: str
    count: int = 1
    gap_us: int = 0
    chars: int = TEXT_CHARS


@dataclass(frozen=True, slots=True)
class GoOffline:
    """The user deregisters; with `leave` the process ends as well."""

    at_us: int
    name: str
    leave: bool = False


@dataclass(frozen=True, slots=True)
class GoOnline:
    """The user registers, and starts the process first if it is not there."""

    at_us: int
    name: str


@dataclass(frozen=True, slots=True)
class Mischief:
    """From `at_us` on, somebody on the path does so many things to what was sent, `gap_us` apart."""

    at_us: int
    count: int = 1
    gap_us: int = 10_000


@dataclass(frozen=True, slots=True)
class Intrude:
    """From `at_us` on, outsiders with keys of their own do so many things, `gap_us` apart."""

    at_us: int
    count: int = 1
    gap_us: int = 10_000


@dataclass(frozen=True, slots=True)
class Deceive:
    """From `at_us` on, for `for_us`, the server tells lies; what it says does not count in such a run."""

    at_us: int
    for_us: int


Step = Say | GoOffline | GoOnline | Mischief | Intrude | Deceive


@dataclass(frozen=True, slots=True, repr=False)
class Scenario:
    """Everything that a run follows from.

    Attributes:
        seed: of every draw.
        clients: their names; they register at once.
        steps: what users do. Who is not there, or stands still, does nothing.
        faults: what goes wrong.
        heal_us: when nothing goes wrong any more; then everything must drain.
        real: whether to seal with the real primitives.
        friend_delay_us: longest that a message between two who are there may take, if attacks are all that goes
            wrong; 0: that does not matter.
    """

    seed: int
    clients: tuple[str, ...] = ("ann", "bob", "cyd")
    steps: tuple[Step, ...] = ()
    faults: tuple[Fault, ...] = ()
    heal_us: int = 60_000_000
    real: bool = False
    friend_delay_us: int = 0

    def __repr__(self) -> str:
        return expression(self)


_CLASSES: Final[dict[str, Any]] = {
    kind.__name__: kind for kind in (Scenario, *get_args(Step), *(each for each in get_args(Fault)))
}


def expression(value: object) -> str:
    """The value as a Python expression, without what is as it would be anyway."""
    if isinstance(value, tuple):
        return f"({', '.join(map(expression, value))}{',' * (len(value) == 1)})"
    if isinstance(value, str):
        return json.dumps(value)  # in double quotes, which a shell leaves alone inside of single ones
    if type(value).__name__ not in _CLASSES:
        return repr(value)
    given = []
    for each in fields(value):  # type: ignore[arg-type] # one of the classes above
        inner = getattr(value, each.name)
        if each.default is MISSING or inner != each.default:
            given.append(f"{each.name}={expression(inner)}")
    return f"{type(value).__name__}({', '.join(given)})"


def parse(text: str) -> Scenario:
    """The scenario that prints so; `ValueError` with one clear sentence for anything else."""
    try:
        scenario = _value(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, TypeError) as error:
        raise ValueError(f"this is no scenario: {error}") from error
    if not isinstance(scenario, Scenario):
        raise ValueError(f"this is no scenario, but {type(scenario).__name__}")
    return scenario


def _value(node: ast.expr) -> Any:  # noqa: ANN401 - whatever is written there
    match node:
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords) if name in _CLASSES:
            return _CLASSES[name](**{keyword.arg or "": _value(keyword.value) for keyword in keywords})
        case ast.Tuple(elts=elements):
            return tuple(_value(element) for element in elements)
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Constant(value=None | bool() | int() | float() | str() as constant):
            return constant
    raise ValueError(f"a scenario has no {ast.unparse(node)}")
