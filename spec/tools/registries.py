"""The registries of section 14: what numbers are taken, and which is the next."""

from typing import Final

from udpchat_core.bodies import CARD_VERSION
from udpchat_core.datagrams import LAYOUTS, NOTE_TYPE
from udpchat_core.fields import Outcome, Refusal, Scope
from udpchat_core.wire import BY_CODE

from .markdown import table

_UNKNOWN_VALUE: Final = "refuses the message (R-3.2-3), and so the RECORD"


def rows() -> str:
    """A row for each registry."""
    types = [kind.type for kind in LAYOUTS]
    registries: list[tuple[str, str, list[int], int, str]] = [
        ("versions of the protocol", "byte 1 of a datagram, section 3.1", [1], 2, "refuses the datagram (R-3.1-2)"),
        ("datagram types", "byte 2, section 3.1", types, NOTE_TYPE + 1, "refuses the datagram (R-3.1-3)"),
        ("messages", "first number of a message, section 5.1", list(BY_CODE), 0, "refuses the RECORD (R-5.1-1)"),
        ("refusals", "in Refused, section 5.2", [*map(int, Refusal)], 0, _UNKNOWN_VALUE),
        ("scopes", "in Watch, section 5.2", [*map(int, Scope)], 0, _UNKNOWN_VALUE),
        ("outcomes", "in Collected, section 5.2", [*map(int, Outcome)], 0, _UNKNOWN_VALUE),
        ("versions of cards", "in a card, section 2.3", [CARD_VERSION], 0, "refuses the card (R-3.2-3)"),
    ]
    listed: list[tuple[object, ...]] = []
    for name, where, taken, following, unknown in registries:
        span = f"{min(taken)} to {max(taken)}" if len(taken) > 1 else str(taken[0])
        assert sorted(taken) == list(range(min(taken), max(taken) + 1)), f"the {name} have holes"
        listed.append((name, where, span, following or max(taken) + 1, unknown))
    return table(("registry", "where", "taken", "next", "who meets another"), listed)
