"""What a planted fault is."""

from typing import NamedTuple

from udpchat_net.simulation.invariants import Invariant


class Planted(NamedTuple):
    """Put `new` in the place of `old`, which is in the file once: then `invariant` is broken.

    Attributes:
        invariant: that is broken; None: what the test asserts besides.
        attack: the test that must fail, in `tests/simulation/evil`; none: a random bad network finds it.
        also: a second text in the file, and what comes in its place.
    """

    name: str
    file: str
    old: str
    new: str
    invariant: Invariant | None
    attack: str = ""
    also: tuple[str, str] = ("", "")
