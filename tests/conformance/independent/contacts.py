"""Who is where: what the directory said of each name, and whom a name is pinned to (sections 8.3, 9.2, 9.4)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .cards import open_card, rotation_holds, succession
from .cbor import Refused
from .grammar import Message
from .session import Session
from .world import Address, World

UNKNOWN = 3
CONTACTS_MAX = 4096
BELIEVED_S_MIN = 1  # or a server that says 0 is asked without end


@dataclass
class Contact:
    """What is known of a name. `card` is the newest of the identity that the name is pinned to."""

    name: str
    card: dict[str, Any] | None = None
    address: Address | None = None
    fresh_until_s: float = -1.0
    said: bytes | None = None  # the identity that the directory gave last
    other: dict[str, Any] | None = None  # the card of another identity than the pinned one: the user decides
    refusal: int = 0  # of the last look-up
    request: int = 0  # under way
    used_s: float = 0.0


class Contacts:
    """The contacts of a client; `changed` is called with a name when the directory answered for it."""

    def __init__(self, world: World, session: Session) -> None:
        self.world, self.session = world, session
        self.contacts: dict[str, Contact] = {}
        self.changed: Callable[[str], None] = lambda _: None

    def of(self, name: str) -> Contact:
        contact = self.contacts.get(name)
        if contact is None:
            if len(self.contacts) >= CONTACTS_MAX:
                del self.contacts[min(self.contacts.values(), key=lambda c: (bool(c.request), c.used_s)).name]
            contact = self.contacts[name] = Contact(name)
        contact.used_s = self.world.now_s
        return contact

    def is_fresh(self, name: str) -> bool:
        return self.world.now_s < self.of(name).fresh_until_s

    def look_up(self, name: str) -> None:
        """Ask the directory, unless it is being asked, or what it said may still be believed."""
        contact = self.of(name)
        if not contact.request and not self.is_fresh(name):
            contact.request = self.session.requests.ask("Lookup", lambda said: self._answered(contact, said), name=name)

    def expire(self, name: str) -> None:
        """Believe no longer what was said of `name`."""
        self.of(name).fresh_until_s = -1.0

    def expire_absence(self, name: str) -> None:
        """It is there, or was just now: if the directory said that it is away, ask again for the next letter."""
        if self.of(name).address is None:
            self.expire(name)

    def accept(self, name: str) -> None:
        """The user takes the identity that the name has now (R-9.2-2)."""
        contact = self.of(name)
        if contact.other and self.world.store.set_pin(name, contact.other["identity"], contact.other["seq"]):
            contact.card, contact.other = contact.other, None
            self.changed(name)

    def _answered(self, contact: Contact, said: Message) -> bool:
        """Whether `said` answers the look-up; a card that does not hold is as if it had not come."""
        if said.kind == "Refused":
            contact.refusal, contact.said, contact.address = said["refusal"], None, None
            contact.fresh_until_s = self.world.now_s + max(said["wait_s"], BELIEVED_S_MIN)
        elif said.kind == "Found":
            try:
                card = open_card(said["card"], self.world.unix_s, contact.name)  # R-2.3-2 to R-2.3-4
            except Refused as refused:
                self.world.count_refused(refused)
                return False
            self._found(contact, card, said)
        else:
            return False
        contact.request = 0
        self.changed(contact.name)
        return True

    def _found(self, contact: Contact, card: dict[str, Any], said: Message) -> None:
        contact.refusal, contact.said = 0, card["identity"]
        contact.fresh_until_s = self.world.now_s + max(said["ttl_s"], BELIEVED_S_MIN)
        address = said["address"]
        contact.address = (address["host"], address["port"]) if address else None
        if contact.address:
            self.world.know(contact.address)
        pin = self.world.store.pin(contact.name)
        if pin and pin[0] != card["identity"]:
            self._owner_changed(contact, card, said, pin[0])
            return
        contact.other = None
        if pin and succession(pin[1], card["seq"]) != "same or newer":  # R-2.3-5, R-2.3-6
            return
        if self.world.store.set_pin(contact.name, card["identity"], card["seq"]):
            contact.card = card

    def _owner_changed(self, contact: Contact, card: dict[str, Any], said: Message, pinned: bytes) -> None:
        """Messages wait until the user decides (R-9.2-2); that the former handed the name over is told with it."""
        rotation = said["rotation"]
        handed_over = bool(
            rotation
            and rotation["former"] == pinned
            and rotation_holds(rotation, card["identity"], contact.name)  # R-2.4-3
        )
        contact.address = None  # where the other one is; what is under way is not for it
        if contact.other is None or contact.other["identity"] != card["identity"]:
            self.world.tell("key changed", name=contact.name, handed_over=handed_over)
        contact.other = card

    def confirmed(self, name: str, identity: bytes) -> bool:
        """Whether the name is that identity's: pinned to it, or the directory says so (R-9.4-7)."""
        pin = self.world.store.pin(name)
        return (pin is not None and pin[0] == identity) or (self.of(name).said == identity and self.is_fresh(name))
