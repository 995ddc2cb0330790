"""The order of one sender's letters: a watermark an epoch, and what is held ahead of it.

A sender begins a new epoch at every start, and numbers what is outstanding afresh, so the numbers of an old
epoch may never be complete: what is held of it goes when room is needed, and the epoch itself when there are
too many. Nothing held was acknowledged, so forgetting it is a loss like any other on the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..limits import EPOCHS_PER_SENDER_MAX, HELD_LETTERS_PER_SENDER_MAX

L = TypeVar("L")


@dataclass(slots=True)
class Epoch(Generic[L]):
    """What was received of one epoch: everything up to `watermark` is entered, on its way, or given up."""

    watermark: int = 0
    held: dict[int, L] = field(default_factory=dict)


@dataclass(slots=True)
class SenderOrder(Generic[L]):
    """One sender. `epochs` is in the order of last use."""

    epochs: dict[int, Epoch[L]] = field(default_factory=dict)

    @property
    def held(self) -> int:
        """How many letters are held."""
        return sum(len(epoch.held) for epoch in self.epochs.values())

    def use(self, number: int) -> tuple[Epoch[L], list[L]]:
        """The epoch with this number, now the last used, and what was held of one that had to go for it."""
        epoch = self.epochs.pop(number, None) or Epoch()
        gone: list[L] = []
        if len(self.epochs) >= EPOCHS_PER_SENDER_MAX:
            gone += self.epochs.pop(next(iter(self.epochs))).held.values()
        self.epochs[number] = epoch
        return epoch, gone

    def make_room(self) -> list[L]:
        """What has to go so that one more letter of the last used epoch can be held; its own stays."""
        gone: list[L] = []
        for epoch in list(self.epochs.values())[:-1]:
            if self.held < HELD_LETTERS_PER_SENDER_MAX:
                break
            gone += epoch.held.values()
            epoch.held.clear()
        return gone


def reached(epoch: Epoch[L], floor: int) -> Iterator[tuple[int, L]]:
    """The held letters whose turn it is, in order, with the watermark moved to each before it is given.

    The watermark follows `floor`, below which the sender expects no acknowledgement any more: what is held
    there is given in order, with the gaps that its sender gave up.
    """
    for seq in sorted(seq for seq in epoch.held if seq < floor):  # R-9.4-11
        epoch.watermark = seq
        yield seq, epoch.held.pop(seq)
    epoch.watermark = max(epoch.watermark, floor - 1)  # R-9.4-3
    while (letter := epoch.held.pop(epoch.watermark + 1, None)) is not None:
        epoch.watermark += 1
        yield epoch.watermark, letter
