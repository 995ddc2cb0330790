"""The classes of section 16: which requirements each kind of implementation has to meet.

A section has classes, which hold for each of its requirements but those that are listed. A new section has none, and
`problems` says so.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Final

from .markdown import table
from .requirements import our_sections, requirements

CLASSES: Final = ("codec", "server", "minimal client", "client")
_ALL, _CLIENTS = CLASSES, CLASSES[2:]
_LETTERS: Final = ("codec", *_CLIENTS)
_FULL: Final = ("client",)

SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "4.2", "4.4", "5.1"), _ALL),
    "2.4": ("codec", "server", "client"),
    "2.5": ("codec", "client"),
    "4.1": ("server",),
    **dict.fromkeys(("6.1", "6.2", "6.3"), _LETTERS),
    **dict.fromkeys((f"8.{number}" for number in range(1, 10)), ("server",)),
    **dict.fromkeys(("5.2", "9.1", "9.2", "9.3", "9.4"), _CLIENTS),
    **dict.fromkeys(("9.5", "9.6"), _FULL),
}
"""Who has to meet what a section requires."""
EXCEPTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "R-2.3-4": _LETTERS,
    "R-2.3-5": ("server", *_CLIENTS),
    "R-2.3-6": ("server",),
    "R-2.3-7": _CLIENTS,
    "R-2.4-3": ("server", *_CLIENTS),
    "R-2.4-4": _FULL,
    "R-2.4-5": _FULL,
    "R-2.5-3": _FULL,
    "R-3.1-7": ("server", *_CLIENTS),
    "R-3.1-8": _CLIENTS,
    "R-3.3-1": ("server",),
    "R-4.2-3": ("codec", "server"),
    "R-5.1-5": _CLIENTS,
    "R-5.1-6": ("server", *_CLIENTS),
    "R-5.1-7": ("server", *_CLIENTS),
    **dict.fromkeys(("R-9.3-13", "R-9.3-14", "R-9.3-15"), _FULL),
}
"""Single requirements that are for others than the rest of their section."""


def of(id_: str) -> tuple[str, ...]:
    """The classes that have to meet a requirement; none if nobody said which."""
    return EXCEPTIONS.get(id_, SECTIONS.get(_section(id_), ()))


def problems(ids: Iterable[str]) -> Iterator[str]:
    """What is wrong with the two tables above, held against the ids that are stated."""
    stated = list(ids)
    yield from (f"{id_} is for no class: say which in spec/tools/conformance.py" for id_ in stated if not of(id_))
    yield from (f"{id_} is an exception, and not stated" for id_ in EXCEPTIONS if id_ not in stated)
    there = {_section(id_) for id_ in stated}
    yield from (f"section {section} has classes, and no requirements" for section in SECTIONS if section not in there)


def rows() -> str:
    """A row for each run of requirements of a section that are for the same classes."""
    stated, _ = requirements(our_sections())
    listed: list[tuple[object, ...]] = []
    for (_, classes), run in groupby((each.id for each in stated), key=lambda id_: (_section(id_), of(id_))):
        first, *others = run
        ids = f"{first} to {others[-1]}" if others else first
        listed.append((ids, *("yes" if name in classes else "" for name in CLASSES)))
    return table(("requirements", *CLASSES), listed)


def _section(id_: str) -> str:
    return id_.removeprefix("R-").rpartition("-")[0]
