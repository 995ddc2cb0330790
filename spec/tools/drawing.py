"""Draws a machine as SVG, without a layout engine and without a network.

Each phase is a column with a line under it, as in a sequence chart; each row of the machine is an arrow from the
lines of the phases that it leaves (a dot) to the line of the next phase, with the guard and the action above it.
Every arrow has a height of its own, so no label can meet another, however many there are.
"""

from enum import StrEnum
from html import escape
from typing import Final

from .machines import Arrow, Found, arrows, in_words

CHAR_WIDTH: Final = 6.7
"""Of the average character at 12 pixels, taken wide: a reader's font may not be the writer's."""
_LINE, _HEAD, _EVENT, _LABELLED, _PLAIN = 24, 58, 24, 34, 18
_STYLE: Final = (
    "text{font:12px 'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif;fill:#1d2b3a}"
    ".back{fill:#fff;opacity:.85}.event{font-weight:bold}.if{fill:#96440b}.small{font-size:11px;fill:#5b6875}"
    ".line{stroke:#c4ced8;stroke-width:1.5}.rule{stroke:#edf0f3}"
    ".phase{fill:#e8f0f8;stroke:#3f6184}.final{fill:none;stroke:#3f6184}"
    ".arrow{stroke:#2f5d8a;stroke-width:1.5;fill:none}.dot{fill:#2f5d8a}"
    ".ignored{fill:#fff;stroke:#98a5b1}.never{stroke:#c0392b;stroke-width:1.3}"
)


def svg(machine: Found) -> str:
    """The drawing of a machine, as the text of an SVG file."""
    chart = _Chart(machine)
    body = [*chart.rows(), *chart.legend()]  # first, as the lines have to be as long as the rows need
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {chart.width} {chart.y}" '
        f'width="{chart.width}" height="{chart.y}" role="img">\n<title>{escape(machine.table.name)}</title>\n'
        f"<style>{_STYLE}</style>\n"
        '<defs><marker id="head" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto"><path class="dot" d="M0 0L8 4L0 8z"/></marker></defs>\n'
        f'<rect width="{chart.width}" height="{chart.y}" fill="#fff"/>\n'
        + "\n".join([*chart.columns(), *body])
        + "\n</svg>\n"
    )


class _Chart:
    """Where everything is. `y` is how far down the drawing is done."""

    def __init__(self, machine: Found) -> None:
        self.machine = machine
        self.arrows = arrows(machine)
        phases = list(machine.phases)
        self.gutter = round(max(len(in_words(event)) for event in machine.events) * (CHAR_WIDTH + 1)) + 24
        self.pitch = round(max(104, max(len(phase.value) for phase in phases) * CHAR_WIDTH + 36))
        self.x = {phase: self.gutter + self.pitch * at + self.pitch // 2 for at, phase in enumerate(phases)}
        self.width = max(self.gutter + self.pitch * len(phases), 620)
        self.y, self.end = _HEAD, 0

    def rows(self) -> list[str]:
        """Event after event: its name, where it is ignored or cannot happen, and its arrows."""
        out: list[str] = []
        for event in self.machine.events:
            out.append(f'<path class="rule" d="M8 {self.y}H{self.width - 8}"/>')
            self.y += _EVENT
            out.append(f'<text class="event" x="12" y="{self.y - 6}">{escape(in_words(event))}</text>')
            out += [self._mark(phase, event) for phase in self.machine.open_phases]
            for arrow in self.arrows:
                if arrow.said.event == in_words(event) and not arrow.said.is_ignored:
                    out += self._arrow(arrow)
            self.y += 6
        self.end = self.y
        return [mark for mark in out if mark]

    def columns(self) -> list[str]:
        """The phases: the first with the dot that UML begins at, the final ones with a second frame."""
        out = []
        half = self.pitch // 2 - 7
        for phase, x in self.x.items():
            out.append(f'<path class="line" d="M{x} {_HEAD - _LINE}V{self.end}"/>')
            out.append(f'<rect class="phase" x="{x - half}" y="22" width="{2 * half}" height="{_LINE}" rx="8"/>')
            if phase in self.machine.table.final:
                out.append(
                    f'<rect class="final" x="{x - half - 3}" y="19" width="{2 * half + 6}" height="30" rx="10"/>'
                )
            if phase is self.machine.table.initial:
                out.append(f'<circle class="dot" cx="{x}" cy="7" r="4"/><path class="arrow" d="M{x} 8V21" {_MARKER}/>')
            out.append(f'<text x="{x}" y="38" text-anchor="middle">{escape(phase.value)}</text>')
            out.append(
                f'<text class="small" x="{x}" y="{self.end + 14}" text-anchor="middle">{escape(phase.value)}</text>'
            )
        return out

    def legend(self) -> list[str]:
        """What the marks mean."""
        self.y += 38
        out: list[str] = []
        y, x = self.y - 4, 12
        for mark, words in (
            (_dot(x + 4, y), "leaves this phase"),
            (_ignored(0, y), "ignored, if no arrow says else"),
            (_never(0, y), "cannot happen"),
        ):
            out.append(f'<g transform="translate({x if out else 0} 0)">{mark}</g>')
            out.append(f'<text class="small" x="{x + 14}" y="{self.y}">{words}</text>')
            x += round(len(words) * CHAR_WIDTH) + 36
        out.append(f'<text class="small" x="{x}" y="{self.y}"><tspan class="if">[if]</tspan> then</text>')
        self.y += 12
        return out

    def _mark(self, phase: StrEnum, event: str) -> str:
        if event in self.machine.table.impossible.get(phase, ()):
            return _never(self.x[phase], self.y - 10)
        if any(row.is_ignored for row in self.machine.table.index[phase, event]):
            return _ignored(self.x[phase], self.y - 10)
        return ""

    def _arrow(self, arrow: Arrow) -> list[str]:
        self.y += _LABELLED if arrow.said.condition or arrow.said.effect else _PLAIN
        y, at = self.y - 10, [self.x[source] for source in arrow.sources]
        if arrow.said.target is None:
            out = [f'<path class="arrow" d="M{x} {y - 5}h9q7 0 7 5t-7 5h-7" {_MARKER}/>' for x in at]
            left, right = min(at), max(at)
        else:
            to = self.x[arrow.said.target]
            ends = {min([*at, to]), max([*at, to])} - {to}
            out = [f'<path class="arrow" d="M{end} {y}H{to + (1 if end > to else -1)}" {_MARKER}/>' for end in ends]
            out += [_dot(x, y) for x in at]
            left, right = min([*at, to]), max([*at, to])
        return out + self._label(arrow, left, right, y - 9)

    def _label(self, arrow: Arrow, left: int, right: int, y: int) -> list[str]:
        """Above the arrow, at the end that it begins at, or at the other one if there is no room."""
        said = arrow.said
        condition = f"[{said.condition}]" if said.condition else ""
        words = " ".join(part for part in (condition, said.effect) if part)
        if not words:
            return []
        width = round(len(words) * CHAR_WIDTH)
        from_right = said.target is not None and self.x[said.target] == left and right - 8 - width > self.gutter
        from_left = not from_right and left + 8 + width < self.width - 8
        x = left + 8 if from_left else right - 8 - width
        shown = f'<tspan class="if">{escape(condition)}</tspan> ' if condition else ""
        return [
            f'<rect class="back" x="{x - 3}" y="{y - 11}" width="{width + 3}" height="14"/>',
            f'<text x="{x}" y="{y}">{shown}{escape(said.effect)}</text>',
        ]


_MARKER: Final = 'marker-end="url(#head)"'


def _dot(x: int, y: int) -> str:
    return f'<circle class="dot" cx="{x}" cy="{y}" r="4"/>'


def _ignored(x: int, y: int) -> str:
    return f'<circle class="ignored" cx="{x}" cy="{y}" r="4"/>'


def _never(x: int, y: int) -> str:
    return f'<path class="never" d="M{x - 4} {y - 4}l8 8m0 -8l-8 8"/>'
