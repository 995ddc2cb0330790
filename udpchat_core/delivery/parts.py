"""Long texts: split into letters before the path is known, and put together again for reading.

The letters of one text follow each other in their sender's order, so a reader needs no more memory than the
text that is being put together. A part that never came, because its sender gave it up, shows as a gap.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..limits import TEXT_BYTES_MAX

MISSING = "[part missing]"


def split(text: str) -> list[str]:
    """`text` cut at code points into pieces of at most 800 bytes of UTF-8; the fewest a greedy cut gives."""
    pieces: list[str] = []
    encoded, at = text.encode(), 0
    while at < len(encoded):
        end = min(at + TEXT_BYTES_MAX, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:  # noqa: PLR2004 - a UTF-8 continuation byte
            end -= 1
        pieces.append(encoded[at:end].decode())
        at = end
    return pieces


@dataclass(frozen=True, slots=True)
class Part:
    """One letter of a text: who sent it, when, which part, and what it says."""

    sender: bytes
    sent_ms: int
    part: int
    parts: int
    text: str


@dataclass(slots=True)
class Assembler:
    """Puts texts together from letters in the order in which they were entered.

    `add` gives the texts that are complete by then: none or one, or two where another text begins before one
    was complete. A text is (its first part seen, the whole of it).
    """

    _begun: dict[bytes, list[Part]] = field(default_factory=dict)

    def add(self, part: Part) -> Iterator[tuple[Part, str]]:
        """Take the next letter."""
        begun = self._begun.pop(part.sender, [])
        if begun and not _continues(begun[-1], part):
            yield begun[0], _joined(begun)
            begun = []
        begun.append(part)
        if part.part == part.parts:
            yield begun[0], _joined(begun)
        else:
            self._begun[part.sender] = begun


def _continues(last: Part, part: Part) -> bool:
    # R-9.5-2
    return (last.sent_ms, last.parts) == (part.sent_ms, part.parts) and last.part < part.part


def _joined(parts: list[Part]) -> str:
    """The text, with a mark for each run of missing parts."""
    pieces, expected = [], 1
    for part in parts:
        pieces += [MISSING] if part.part > expected else []  # R-9.5-1
        pieces.append(part.text)
        expected = part.part + 1
    pieces += [MISSING] if expected <= parts[-1].parts else []
    return "".join(pieces)
