"""What a fuzz target is: a function of bytes that fails if a promise of `_untrusted` functions is broken."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from tests.fuzz.draw import Draw
from udpchat_core.errors import BadDatagram

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Target:
    """A function of the core, or several that one endpoint calls, under inputs that the fuzzer chooses.

    Attributes:
        name: module and qualified name inside `udpchat_core`, of the function or of the endpoint's class.
        body: draws arguments or datagrams, calls the function through `attempt` or the endpoint as a driver
            does, and asserts what then has to hold; says whether all was accepted. What it raises is a finding.
        seeds: inputs to begin with; some are accepted and some refused.
        methods: the functions that an endpoint's target is for; each is reached by a seed.
    """

    name: str
    body: Callable[[Draw], bool]
    seeds: tuple[bytes, ...]
    methods: tuple[str, ...] = ()

    @property
    def functions(self) -> tuple[str, ...]:
        """The `_untrusted` functions that it is for."""
        return self.methods or (self.name,)

    def run(self, data: bytes) -> bool:
        """One execution: whether what the input stands for was accepted."""
        return self.body(Draw(data))


def attempt(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | BadDatagram:
    """What the function gives, or with what it refuses; whatever else comes out is a finding."""
    try:
        return call(*args, **kwargs)
    except BadDatagram as refusal:
        return refusal
