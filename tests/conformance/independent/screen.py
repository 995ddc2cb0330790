"""What is shown: names confirmed or not (R-9.4-7), parts put together (R-9.5-1), in the order of the history."""

from typing import Any

from .contacts import Contacts
from .world import NEVER, World

NAME_WAIT_S = 1.0


class Screen:
    """See the module."""

    def __init__(self, world: World, contacts: Contacts) -> None:
        self.world, self.contacts = world, contacts
        self.waiting: list[tuple[float, int, dict[str, Any]]] = []  # for the directory to confirm the name
        self.parts: dict[bytes, list[tuple[int, dict[str, Any]]]] = {}  # of a text that is not complete, by sender

    def take(self, row: int, body: dict[str, Any]) -> None:
        """A letter that is in the history as `row`."""
        if not self.contacts.confirmed(body["name"], body["sender"]):
            self.contacts.look_up(body["name"])
        self.waiting.append((self.world.now_s + NAME_WAIT_S, row, body))

    def due_s(self) -> float:
        return min((due_s for due_s, _, _ in self.waiting), default=NEVER)

    def tick(self) -> None:
        """Show what needs to wait no longer; who waits holds up only what is from the same sender."""
        behind: set[bytes] = set()
        for due_s, row, body in list(self.waiting):
            confirmed = self.contacts.confirmed(body["name"], body["sender"])
            decided = confirmed or self.contacts.is_fresh(body["name"]) or due_s <= self.world.now_s
            if body["sender"] in behind or not decided:
                behind.add(body["sender"])
                continue
            self.waiting.remove((due_s, row, body))
            self._put_together(row, body, confirmed)

    def _put_together(self, row: int, body: dict[str, Any], confirmed: bool) -> None:
        begun = self.parts.pop(body["sender"], [])
        if begun and not _continues(begun[-1][1], body):
            self._show(begun, confirmed)
            begun = []
        begun.append((row, body))
        if body["part"] == body["parts"]:
            self._show(begun, confirmed)
        else:
            self.parts[body["sender"]] = begun

    def _show(self, begun: list[tuple[int, dict[str, Any]]], confirmed: bool) -> None:
        last = begun[-1][1]
        there = {body["part"]: body["text"] for _, body in begun}
        parts = range(1, last["parts"] + 1)
        text = "".join(there.get(part, f"[part {part} of {last['parts']} is missing]") for part in parts)
        about = {"name": last["name"], "sender": last["sender"], "confirmed": confirmed, "sent_ms": last["sent_ms"]}
        self.world.tell("message", text=text, **about)
        self.world.store.told([row for row, _ in begun])


def _continues(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether `other` is a later part of the same text; its number cannot tell, as a restart begins them anew."""
    same = (one["sent_ms"], one["parts"]) == (other["sent_ms"], other["parts"])
    return same and one["part"] < other["part"]
