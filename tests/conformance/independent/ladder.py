"""A ladder of datagrams in text: what a message is in a few words, and a line for each datagram."""

from dataclasses import dataclass

from .grammar import Message
from .world import Address

BRIEF = ("id", "name", "waiting", "refusal", "wait_s", "slot", "attempt", "online", "entry", "ack")
OUTCOMES = {1: "acknowledged", 2: "unopenable", 3: "unwanted"}


@dataclass(frozen=True)
class Rung:
    """One datagram to or from the client; what is lost was not sent, or not read."""

    at_s: float
    outgoing: bool
    other: Address
    size_bytes: int
    note: str
    lost: bool


def describe(said: Message) -> str:
    """A message in a few words."""
    if said.kind == "Collected":
        return "Collected " + " ".join(f"{e['entry']} {OUTCOMES[e['outcome']]}" for e in said["entries"])
    brief = {key: value for key, value in said.fields.items() if key in BRIEF}
    shown = (f"{key}={value[:4].hex() if isinstance(value, bytes) else value}" for key, value in brief.items())
    return " ".join([said.kind, *shown])


def draw(rungs: list[Rung], server: Address) -> str:
    """The client is on the left; the server, or another client, on the right."""
    lines, first_s = [], rungs[0].at_s if rungs else 0.0
    for rung in rungs:
        right = "server" if rung.other == server else f"peer :{rung.other[1]}"
        arrow = ("--x   " if rung.lost else "----->") if rung.outgoing else ("   x--" if rung.lost else "<-----")
        lines.append(f"{rung.at_s - first_s:8.3f} {arrow} {right:12} {rung.size_bytes:4}  {rung.note}")
    return "\n".join(lines)
