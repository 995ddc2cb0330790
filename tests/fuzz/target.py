"""What a fuzz target is: a function of bytes that fails if a promise of an `_untrusted` function is broken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from tests.fuzz.draw import Draw
from udpchat_core.errors import BadDatagram

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """A function of the core under inputs that the fuzzer chooses.

    Attributes:
        name: module and qualified name of the function inside `udpchat_core`.
        body: draws the function's arguments, calls it through `attempt`, and asserts what then has to hold;
            says whether the function accepted. Whatever it raises is a finding.
        seeds: inputs to begin with; some are accepted and some refused.
    """

    name: str
    body: Callable[[Draw], bool]
    seeds: tuple[bytes, ...]

    def run(self, data: bytes) -> bool:
        """One execution: whether the function accepted what the input stands for."""
        return self.body(Draw(data))


def attempt(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | BadDatagram:
    """What the function gives, or with what it refuses; whatever else comes out is a finding."""
    try:
        return call(*args, **kwargs)
    except BadDatagram as refusal:
        return refusal
