"""Section 10 says exactly what runs: read back from its tables and drawings, and compared."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree

import pytest

from spec.tools import drawing, timers
from spec.tools.generate import DRAWINGS, SPEC
from spec.tools.machines import Found, arrows, asks, constants, found, in_words, mermaid, saying, sections
from spec.tools.source import comments, described
from udpchat_core import limits
from udpchat_core.machines import outgoing

FOUND = list(found())
TEXT = (SPEC / "10-machines.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"
each_machine = pytest.mark.parametrize("machine", FOUND, ids=lambda machine: machine.name)

Cell = tuple[str, str, str]
"""If, then and next phase."""


def section(machine: Found) -> str:
    """The part of section 10 about a machine."""
    (text,) = re.findall(rf"^## 10\.\d+ {in_words(machine.name).capitalize()}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    return str(text)


def tables(machine: Found) -> Iterator[list[dict[str, str]]]:
    """The tables of a section, a dict a row."""
    for block in re.findall(r"(?:^\|.*\n)+", section(machine), re.M):
        heads, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines())
        yield [dict(zip(heads, row, strict=True)) for row in rows]


def named(machine: Found, *heads: str) -> list[dict[str, str]]:
    """The rows of the table that has these columns; none if there is no such table."""
    return next((table for table in tables(machine) if set(heads) <= set(table[0])), [])


def runs(machine: Found) -> dict[tuple[str, str], list[Cell]]:
    """What the table that runs does, in words: by phase and event, in the order of trying."""
    said: dict[tuple[str, str], list[Cell]] = {}
    for row in machine.table.rows:
        others = len(machine.table.index[row.source, row.event]) - 1
        guard = in_words(row.guard.__name__) if row.guard else "otherwise" if others else ""
        action = in_words(row.action.__name__) if row.action else ""
        said.setdefault((row.source.value, in_words(row.event)), []).append((guard, action, row.target.value))
    return said


# --- tables ---


@each_machine
def test_the_tables_of_a_section_say_what_runs_and_nothing_else(machine: Found) -> None:
    said: dict[tuple[str, str], list[Cell]] = {}
    for row in named(machine, "event", "next phase"):
        anywhere = row["phase"] == "any but a final one"
        for phase in machine.open_phases if anywhere else [row["phase"]]:
            target = phase if row["next phase"] == "(stays)" else row["next phase"]
            said.setdefault((str(phase), row["event"]), []).append(
                (row.get("if", ""), row.get("then", ""), str(target))
            )
    for row in named(machine, "event", "ignored in"):
        for phase in filter(None, row["ignored in"].split(", ")):
            said.setdefault((phase, row["event"]), []).append(("", "", phase))
    assert said == runs(machine)


@each_machine
def test_what_cannot_happen_is_listed(machine: Found) -> None:
    listed = {
        (phase, row["event"])
        for row in named(machine, "event", "cannot happen in")
        for phase in filter(None, row["cannot happen in"].split(", "))
    }
    assert listed == {
        (phase.value, in_words(event)) for phase, events in machine.table.impossible.items() for event in events
    }


@each_machine
def test_what_holds_in_every_phase_is_listed_once(machine: Found) -> None:
    rows = Counter(
        (row["event"], row.get("if"), row.get("then"), row["next phase"])
        for row in named(machine, "event", "next phase")
        if row["next phase"] != "(stays)"
    )
    assert all(count < len(machine.open_phases) for count in rows.values())


@each_machine
def test_every_phase_event_guard_and_action_says_what_it_means(machine: Found) -> None:
    phases, events = comments(machine.phases), comments(machine.machine)
    assert [phase.name for phase in machine.phases if not phases[phase.name]] == []
    assert [event for event in machine.events if not events.get(event)] == []
    for row in machine.table.rows:
        for function in (row.guard, row.action):
            assert function is None or f"| {in_words(function.__name__)} | " in section(machine)
            assert function is None or function.__doc__


@each_machine
def test_the_section_names_the_first_phase_and_the_final_ones(machine: Found) -> None:
    marks = {row["phase"]: row[""] for row in named(machine, "phase", "meaning")}
    assert [phase for phase, mark in marks.items() if mark == "first"] == [machine.table.initial]
    assert [phase for phase, mark in marks.items() if mark == "final"] == list(machine.table.final)


def test_sections_are_numbered_after_those_written_by_hand() -> None:
    numbers = [int(number) for number in re.findall(r"^## 10\.(\d+) ", TEXT, re.M)]
    assert numbers == list(range(1, 3 + len(FOUND)))
    assert sections(3) in TEXT


def test_the_intents_of_an_action_are_those_it_names_in_their_order() -> None:
    assert asks(outgoing, outgoing.finish) == [outgoing.Do.CANCEL, outgoing.Do.FORGET, outgoing.Do.REPORT]
    assert asks(outgoing, outgoing.back_off) == []
    assert constants(outgoing, outgoing.back_off) == ["STORE_BACKOFF_US_MIN", "STORE_BACKOFF_US_MAX"]


# --- timers ---


def test_every_time_of_the_limits_is_in_one_of_the_two_tables_of_timers() -> None:
    times = [name for name, _, _ in described(limits) if timers.is_time(name)]
    of_machines = {name for machine in FOUND for name in timers.machine_times(machine)}
    assert [name for name in times if (f"| `{name}` |" in timers.others()) is (name in of_machines)] == []
    assert {"LIVE_KEY_US", "DIRECT_RETRY_US"} <= of_machines
    assert {"PING_US", "LETTER_DAYS_MAX", "CARD_LIFE_S"} <= set(times) - of_machines
    assert {"HINTS_PER_S_MAX", "TIME_S_LIMIT", "NAME_CHARS_MAX"}.isdisjoint(times)


@each_machine
def test_every_phase_that_can_time_out_has_a_timer(machine: Found) -> None:
    listed = re.findall(rf"^\| {in_words(machine.name)} \| (\w+) \| (.*?) \| (.*?) \|$", timers.of_machines(), re.M)
    assert [phase for phase, _, _ in listed] == [
        phase.value for phase in machine.open_phases if (phase, timers.TIMEOUT) in machine.table.index
    ]
    assert all(wait and then for _, wait, then in listed)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("DIRECT_RETRY_US", "100 ms, 150 ms, 250 ms"),
        ("LIVE_KEY_US", "1 h"),
        ("CARD_LIFE_S", "90 days"),
        ("CARD_GRACE_S", "1 day"),
        ("SILENCE_S", "1 min"),
    ],
)
def test_times_are_written_in_the_largest_whole_unit(name: str, words: str) -> None:
    assert timers.in_units(name) == words


# --- drawings ---


class Box(NamedTuple):
    """Where a text is, as wide as it may be."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


def drawn(machine: Found) -> ElementTree.Element:
    return ElementTree.fromstring((DRAWINGS / f"{machine.name}.svg").read_text(encoding="utf-8"))


def boxes(root: ElementTree.Element) -> list[Box]:
    made = []
    for node in root.iter(f"{SVG}text"):
        text = "".join(node.itertext())
        width = len(text) * drawing.CHAR_WIDTH
        x, y = float(node.attrib["x"]), float(node.attrib["y"])
        left = x - width / 2 if node.get("text-anchor") == "middle" else x
        made.append(Box(left, y - 10, left + width, y + 3, text))
    return made


def test_there_is_a_drawing_of_each_machine_and_of_nothing_else() -> None:
    assert sorted(path.name for path in DRAWINGS.iterdir()) == [f"{machine.name}.svg" for machine in FOUND]
    assert all(f"(machines/{machine.name}.svg)" in section(machine) for machine in FOUND)


@each_machine
def test_no_two_texts_of_a_drawing_overlap_and_none_leaves_it(machine: Found) -> None:
    root = drawn(machine)
    for one, other in combinations(boxes(root), 2):
        apart = one.right <= other.left or other.right <= one.left or one.bottom <= other.top or other.bottom <= one.top
        assert apart, f"{one.text!r} meets {other.text!r}"
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for box in boxes(root):
        assert 0 <= box.left < box.right <= width, box
        assert 0 <= box.top < box.bottom <= height, box


@each_machine
def test_a_drawing_shows_every_row_and_everything_that_is_ignored_or_cannot_happen(machine: Found) -> None:
    root = drawn(machine)
    shown = Counter((node.tag.removeprefix(SVG), node.get("class")) for node in root.iter())
    moves = [row for row in machine.table.rows if row.target is not row.source]
    stays = [row for row in machine.table.rows if row.target is row.source and not row.is_ignored]
    ignored = {(row.source, row.event) for row in machine.table.rows if row.is_ignored}
    never = sum(len(events) for events in machine.table.impossible.values())
    assert shown["circle", "dot"] == len(moves) + 2  # and where it begins, and in the legend
    assert sum("h9q7" in node.get("d", "") for node in root.iter(f"{SVG}path")) == len(stays)
    assert shown["circle", "ignored"] == len(ignored) + 1
    assert shown["path", "never"] == never + 1
    assert shown["rect", "phase"] == len(machine.phases)
    assert shown["rect", "final"] == len(machine.table.final)
    texts = Counter(box.text for box in boxes(root))
    for arrow in arrows(machine):
        if not arrow.said.is_ignored:
            condition = f"[{arrow.said.condition}] " if arrow.said.condition else ""
            assert texts[condition + arrow.said.effect] or not condition + arrow.said.effect
    for event in machine.events:
        assert texts[in_words(event)]


@each_machine
def test_arrows_of_one_phase_come_in_the_order_in_which_they_are_tried(machine: Found) -> None:
    order = {arrow.said: at for at, arrow in enumerate(arrows(machine))}
    for rows in machine.table.index.values():
        places = [order[saying(machine, row)] for row in rows]
        assert places == sorted(places)


@each_machine
def test_a_drawing_needs_no_network(machine: Found) -> None:
    text = (DRAWINGS / f"{machine.name}.svg").read_text(encoding="utf-8")
    assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"@import|href|<script|<image|url\((?!#)", text)


@each_machine
def test_the_mermaid_drawing_has_every_row_once(machine: Found) -> None:
    edges = re.findall(r"^    (\w+) --> (\w+) : (.*)$", mermaid(machine), re.M)
    named_ = {phase.name: phase for phase in machine.phases}
    expected: Counter[tuple[str, str, str]] = Counter()
    for row in machine.table.rows:
        said = saying(machine, row)
        if not said.is_ignored:
            condition = f" [{said.condition}]" if said.condition else ""
            label = said.event + condition + (f" / {said.effect}" if said.effect else "")
            expected[row.source.name, row.target.name, label] += 1
    listed: Counter[tuple[str, str, str]] = Counter()
    for source, target, label in edges:
        for name in [phase.name for phase in machine.open_phases] if source == "ANY" else [source]:
            listed[name, target, label] += 1
            assert target in named_
    assert listed == expected
    assert not re.search(r"[:;#]", "".join(label for _, _, label in edges))  # which Mermaid reads otherwise
