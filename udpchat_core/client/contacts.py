"""Whom this user writes to or hears from: names pinned to identities, their newest cards, and where they are.

A name is pinned to the identity that the directory first gave for it, and the pin is durable before anything
is sent. If the directory gives another identity later, messages to the name wait until the user decides.
"""

from collections import deque
from dataclasses import dataclass, field

from ..address import Address
from ..bodies import CardBody
from ..client_events import KeyChecked, PeerKeyChanged, PeerVerified
from ..client_requests import SavePin, SaveVerified
from ..errors import BadDatagram, LocalProtocolError, Reason
from ..fields import Rotation
from ..instant import SECOND, Instant, after
from ..limits import CARD_CHECK_US, CONTACTS_MAX, LOOKUP_NEGATIVE_TTL_S, LOOKUP_TTL_S, PINS_MAX, STRANGER_PINS_MAX
from ..machines.outgoing import OutgoingLetter
from ..messages import Found, Lookup
from ..secure.card import Succession, check_expiry_untrusted, check_name_untrusted, open_card_untrusted, succession
from ..secure.rotation import check_rotation_untrusted
from ..turn import Turn
from .requester import Requester
from .shared import Shared

_NEVER = Instant(-1)


@dataclass(slots=True, eq=False)
class Contact:
    """One name.

    Attributes:
        name: as typed, or as a letter claims.
        identity: I that it is pinned to, durably; None before.
        card: the newest card of that identity.
        address: where it is, while online.
        fresh_until: until when card and address may be believed without asking.
        unknown_until: until when it may be believed that nobody has the name.
        offered: the card of another identity that has the name now, until the user decides.
        vouched: whether the identity before signed for that one.
        asked: whether the user wants to know what the directory says.
        queue: letters to it that were not sent yet, in order.
        letters: how many letters to it are in the outbox.
    """

    name: str
    identity: bytes | None = None
    card: CardBody | None = None
    address: Address | None = None
    fresh_until: Instant = _NEVER
    unknown_until: Instant = _NEVER
    offered: CardBody | None = None
    vouched: bool = False
    asked: bool = False
    queue: deque[OutgoingLetter] = field(default_factory=deque)
    letters: int = 0

    @property
    def known_as(self) -> bytes | None:
        """I that this name means: as pinned, or about to be; None if that is not known."""
        return self.identity or (self.card.identity if self.card is not None else None)

    @property
    def owner(self) -> bytes | None:
        """I that new messages to this name are for; None if that is not known, or the user has to decide."""
        return self.known_as if self.offered is None else None


@dataclass(frozen=True, slots=True)
class PeerKey:
    """Whom a name means, to this user.

    Attributes:
        identity: I that it is pinned to; None if it is not.
        verified: whether the user compared the safety number with that one.
        offered: I of another one that the directory gives for the name now, until the user decides; None if none.
        vouched: whether the pinned one signed for that other one.
    """

    identity: bytes | None
    verified: bool
    offered: bytes | None
    vouched: bool


class Contacts:
    """The contacts of one user, least recently used first."""

    def __init__(
        self, shared: Shared, requester: Requester, pins: tuple[SavePin, ...], verified: tuple[str, ...]
    ) -> None:
        self._shared = shared
        self._requester = requester
        self._contacts: dict[str, Contact] = {}
        self._pins = {pin.name: pin.identity for pin in pins}
        self._verified = dict.fromkeys(verified)
        self._to_check: dict[str, int] = {}  # pinned names, and the seqs that the directory shows them with
        self._checking = False

    def __len__(self) -> int:
        return len(self._contacts)

    def use(self, name: str) -> Contact:
        """The contact of this name, made if need be; the least recently used idle one goes for it."""
        contact = self._contacts.pop(name, None) or Contact(name, identity=self._pins.get(name))
        if len(self._contacts) >= CONTACTS_MAX:
            # With letters for each of them, the outbox's cap bounds how many there are.
            idle = next((other.name for other in self._contacts.values() if not other.letters), None)
            self._contacts.pop(idle or name, None)
        self._contacts[name] = contact
        return contact

    def look_up(self, name: str, turn: Turn) -> None:
        """Ask the directory about this name."""
        self._requester.ask(("lookup", name), lambda id_: Lookup(id_, name), turn)

    def check(self, name: str, turn: Turn) -> None:
        """Ask the directory about this name for the user: `KeyChecked` follows."""
        self.use(name).asked = True
        self.look_up(name, turn)

    def look_up_no_more(self, name: str, turn: Turn) -> None:
        """The answer about this name came too late to matter, unless letters, or the user, wait for it."""
        contact = self._contacts.get(name)
        if contact is None or not (contact.letters or contact.asked):
            self._requester.cancel(("lookup", name), turn)

    def found_untrusted(self, name: str, found: Found, turn: Turn) -> Contact:
        """The directory's answer: the contact as it is now, or `BadDatagram` for a card that does not hold.

        An identity without a pin is pinned when the disk says so: see `pinned`.
        """
        # R-2.3-7: of a card that does not hold, nothing is used
        card = open_card_untrusted(self._shared.suite, found.card)
        check_name_untrusted(card, name)
        check_expiry_untrusted(card, self._shared.wall_ms(turn.now) // 1_000)
        contact = self.use(name)
        pinned = contact.known_as
        if pinned is not None and pinned != card.identity:
            self._key_changed(contact, pinned, card, found.rotation, turn)
            return contact
        if contact.card is not None and succession(contact.card.seq, card) is Succession.STALE:
            raise BadDatagram(Reason.EXPIRED)  # R-2.3-5, R-2.3-7
        contact.card, contact.address, contact.offered = card, found.address, None
        contact.unknown_until = _NEVER
        contact.fresh_until = after(turn.now, min(max(found.ttl_s, 1), LOOKUP_TTL_S) * SECOND)  # R-9.3-17
        # R-9.2-6
        if contact.identity is None and (contact.letters or len(self._pins) < STRANGER_PINS_MAX):
            turn.store(SavePin(name, card.identity))
        else:
            self._checked(contact, turn)
        return contact

    def ask_later(self, name: str, turn: Turn) -> None:
        """The directory's answer was of no use: ask again, if a letter still waits for it by then."""
        self._shared.set_timer(("contact", name), after(turn.now, LOOKUP_NEGATIVE_TTL_S * SECOND))

    def believe(self, contact: Contact, now: Instant) -> None:
        """The directory does not answer: what is known of this contact has to do for a while."""
        contact.fresh_until = after(now, LOOKUP_NEGATIVE_TTL_S * SECOND)

    def unknown(self, name: str, wait_s: int, turn: Turn) -> Contact:
        """The directory's answer: nobody has this name."""
        contact = self.use(name)
        contact.unknown_until = after(turn.now, min(max(wait_s, 1), LOOKUP_NEGATIVE_TTL_S) * SECOND)
        self._checked(contact, turn, known=False)
        return contact

    def pinned(self, pin: SavePin, turn: Turn) -> Contact:
        """The pin is durable: letters may go out."""
        if self._pins.get(pin.name) != pin.identity:  # R-2.5-3
            self._verified.pop(pin.name, None)
        self._pins[pin.name] = pin.identity
        contact = self.use(pin.name)
        contact.identity = pin.identity
        self._checked(contact, turn)
        return contact

    def key(self, name: str) -> PeerKey:
        """Whom this name means."""
        contact, identity, verified = self._contacts.get(name), self._pins.get(name), name in self._verified
        if contact is None or contact.offered is None:
            return PeerKey(identity, verified, offered=None, vouched=False)
        return PeerKey(identity, verified, contact.offered.identity, contact.vouched)

    def address(self, name: str) -> Address | None:
        """Where this name is, as the directory said last."""
        contact = self._contacts.get(name)
        return None if contact is None else contact.address

    def verify(self, name: str, verified: bool, turn: Turn) -> None:
        """The user compared the safety number, or takes that back; `LocalProtocolError` if there is no one key."""
        key = self.key(name)
        if key.identity is None:
            raise LocalProtocolError(f"no key of {name} is known yet: there is nothing to compare")
        if key.offered is not None:
            raise LocalProtocolError(f"{name} has another key now: decide first whether to accept it")
        turn.store(SaveVerified(name, key.identity, verified))

    def verified(self, saved: SaveVerified, turn: Turn) -> None:
        """That is durable."""
        if self._pins.get(saved.name) == saved.identity:
            self._verified.pop(saved.name, None)
            self._verified |= {saved.name: None} if saved.verified else {}
            turn.emit(PeerVerified(saved.name, saved.identity, saved.verified))

    def accept(self, name: str, turn: Turn) -> None:
        """The user takes the identity that the directory offers for `name`; `LocalProtocolError` if there is none."""
        contact = self.use(name)
        if contact.offered is None:
            raise LocalProtocolError(f"the key of {name} did not change: there is nothing to accept")
        turn.store(SavePin(name, contact.offered.identity))
        contact.identity = None  # until the new pin is durable
        contact.card, contact.address, contact.offered = contact.offered, None, None
        contact.fresh_until = _NEVER

    def has_room_for(self, name: str) -> bool:
        """Whether `name` is pinned, or may still be."""
        return name in self._pins or len(self._pins) < PINS_MAX

    def is_confirmed(self, name: str, identity: bytes, now: Instant) -> bool | None:
        """Whether `identity` may call itself `name`; None if the directory has to be asked."""
        if self._pins.get(name) == identity:  # R-9.4-7
            return True
        contact = self._contacts.get(name)
        if contact is None:
            return None
        if contact.offered is not None or contact.unknown_until > now:
            return False
        if contact.card is not None and contact.fresh_until > now:
            return contact.card.identity == identity
        return None

    def stale(self, name: str) -> None:
        """Something about this user changed: ask before believing what is known."""
        contact = self._contacts.get(name)
        if contact is not None:
            contact.fresh_until = contact.unknown_until = _NEVER

    def shown(self, name: str, card_seq: int, turn: Turn) -> None:
        """The directory shows the name with a card of this seq (0: nobody has it): ask before believing what is known.

        If a pinned name has another card than the one known, it may have another owner, and is looked up: the first at
        once, the others one after the other.
        """
        self.stale(name)
        if name in self._pins and self._is_other(name, card_seq):  # R-9.6-4
            self._to_check[name] = card_seq
            if not self._checking:
                self.check_next(turn)

    def check_next(self, turn: Turn) -> None:
        """Look up the next of the names that have another card, if it is not known meanwhile."""
        others = (name for name, seq in self._to_check.items() if self._is_other(name, seq))
        name = next(others, None)
        self._checking = name is not None
        if name is None:
            self._to_check.clear()
        else:
            del self._to_check[name]
            self.look_up(name, turn)
            self._shared.set_timer(("cards", None), after(turn.now, CARD_CHECK_US))

    def _is_other(self, name: str, card_seq: int) -> bool:
        contact = self._contacts.get(name)
        known = None if contact is None else contact.offered or contact.card
        return card_seq > 0 and (known is None or known.seq != card_seq)

    def _key_changed(
        self, contact: Contact, pinned: bytes, card: CardBody, rotation: Rotation | None, turn: Turn
    ) -> None:
        if contact.offered is None or contact.offered.identity != card.identity:
            contact.vouched = rotation is not None and rotation.former == pinned and self._holds(rotation, card)
            turn.emit(PeerKeyChanged(contact.name, pinned, card.identity, contact.vouched))  # R-2.4-5: the user decides
        contact.offered = card
        self._checked(contact, turn)
        self.ask_later(contact.name, turn)  # it may change back

    def _checked(self, contact: Contact, turn: Turn, *, known: bool = True) -> None:
        if contact.asked:
            contact.asked = False
            turn.emit(KeyChecked(contact.name, known))

    def _holds(self, rotation: Rotation, card: CardBody) -> bool:
        try:
            check_rotation_untrusted(self._shared.suite, rotation, card.identity, card.name)
        except BadDatagram:  # R-2.4-3: what does not hold is as if it were not there
            return False
        return True
