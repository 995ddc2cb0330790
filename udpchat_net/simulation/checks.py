"""The checks of mailboxes, of addresses, and of queues."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

from udpchat_core import limits
from udpchat_core.actions import Received
from udpchat_core.address import Address
from udpchat_core.datagrams import HEADER_BYTES, Acks, Init, Resp, Retry
from udpchat_core.fields import Outcome
from udpchat_core.requests import StoreReply
from udpchat_core.secure.keys import key_id
from udpchat_core.server_requests import BindUser, CollectLetters, ExpireLetters, KeepLetter, Kept

from ..core import Core
from ..stores.memory_client import ClientMemory
from ..stores.memory_server import Letter, ServerMemory
from .cores import Measured
from .faults import SERVER
from .invariants import Invariant, Violation
from .ledger import DAY_MS, Ledger
from .node import Node, Observer, Request

MAILBOX_STRANGERS_LETTERS_MAX: Final = 1_024
"""As promised; not the constant of the core, which may be what is wrong."""
MAIL_DAYS_MAX: Final = 15
"""How long a mailbox keeps a letter."""
_AT_TYPE: Final = 2
_ECHO: Final = 16
_RETRY_TOKEN: Final = slice(HEADER_BYTES + _ECHO, HEADER_BYTES + _ECHO + 16)
_INIT_TOKEN: Final = slice(HEADER_BYTES, HEADER_BYTES + 16)
_SIZES_EVERY_TURNS: Final = 16

CAPS: Final[Mapping[str, int]] = {
    "outbox": limits.OUTBOX_LETTERS_MAX,
    "contacts": limits.CONTACTS_MAX,
    "roster": limits.ROSTER_USERS_MAX,
    "held": limits.HELD_LETTERS_MAX,
    "sources": limits.KNOWN_SOURCES_MAX,
    "entering": limits.ENTERING_LETTERS_MAX,
    "unnamed": limits.ENTERING_LETTERS_MAX,
    "senders": limits.SENDERS_MAX,
    # A Store for each letter, a Lookup for each contact, a Ping and a Watch.
    "requests": limits.OUTBOX_LETTERS_MAX + limits.CONTACTS_MAX + 2,
    # One for each letter, request, contact and sender without a name, and those of the session.
    "timers": 2 * (limits.OUTBOX_LETTERS_MAX + limits.CONTACTS_MAX) + limits.ENTERING_LETTERS_MAX + 8,
    # Saving, pinning and settling each letter, entering others, and keys.
    "users": limits.USERS_MAX,
    "links": limits.USERS_MAX + limits.CONFIRMING_SESSIONS_MAX,
    "pending links": limits.PENDING_LINKS_MAX,
    "init prefixes": limits.INIT_PREFIXES_MAX,
    "new name prefixes": limits.INIT_PREFIXES_MAX,
    "bans": limits.BANS_MAX,
    "invites": limits.INVITES_MAX,
    "session buckets": limits.SESSION_BUCKETS_MAX,
    "confirming sessions": limits.CONFIRMING_SESSIONS_MAX,
    "store requests": limits.STORE_REQUESTS_MAX,
    "watched names": limits.WATCHED_NAMES_TOTAL_MAX,
    "mail rounds": limits.USERS_MAX,
    "receipt pages": limits.USERS_MAX,
    # Mail, receipts and roster of each user, the seconds at which silence is looked for, and those of the server.
    "server timers": 3 * limits.USERS_MAX + limits.LINK_KEPT_S + limits.SILENCE_S + 8,
    "failed": 3 * limits.OUTBOX_LETTERS_MAX + limits.ENTERING_LETTERS_MAX + 8,
}
"""What the sizes that cores tell of may be at most."""


class Mailroom(Observer):
    """Holds what came into mailboxes, and what left them, against the ledger and the recipients' disks."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._before: dict[bytes, dict[int, Letter]] = {}
        self._known: dict[bytes, set[bytes]] = {}  # whom an owner ever acknowledged, by owner

    def committing(self, node: Node, requests: list[Request]) -> None:  # noqa: D102 - said in Observer
        if node.name != SERVER:
            return
        assert isinstance(node.store, ServerMemory)
        touched = {request.owner for request in requests if isinstance(request, KeepLetter | CollectLetters)}
        if any(isinstance(request, ExpireLetters | BindUser) for request in requests):
            touched.update(node.store.mailboxes)
        boxes = node.store.mailboxes
        self._before = {owner: dict(boxes[owner].letters) for owner in touched if owner in boxes}

    def committed(self, node: Node, replies: tuple[StoreReply, ...]) -> None:  # noqa: D102
        if node.name != SERVER:
            return
        assert isinstance(node.store, ServerMemory)
        boxes = node.store.mailboxes
        for reply in replies:
            if isinstance(reply.request, KeepLetter):
                if isinstance(reply.result, Kept):
                    self._ledger.entries[reply.request.owner, reply.result.entry] = reply.request.sender
                self._keep(boxes[reply.request.owner].letters, reply.request)
        for owner, before in self._before.items():
            after = boxes[owner].letters if owner in boxes else {}
            for entry, letter in before.items():
                if entry not in after:
                    self._check_gone(node, owner, letter, replies)

    def _keep(self, letters: dict[int, Letter], keep: KeepLetter) -> None:
        if len(letters) > keep.quota.mailbox_letters_max:
            raise Violation(Invariant.CAPS, f"{len(letters)} letters in the mailbox of {self._owner(keep.owner)}")
        if keep.sender in self._ledger.outsiders:
            self._count_strangers(letters, keep)
            return
        letter = self._ledger.by_slot.get(keep.slot)
        if (
            letter is None
            or self._ledger.identities[letter.sender] != keep.sender
            or self._ledger.identities.get(letter.saved.to) != keep.owner
        ):
            raise Violation(Invariant.RIGHT_PERSON, f"the server keeps {letter} for or from somebody else")
        of = (keep.sender, keep.slot)
        letter.kept = letter.kept or any((each.sender, each.slot) == of for each in reversed(letters.values()))

    def _count_strangers(self, letters: dict[int, Letter], keep: KeepLetter) -> None:
        strangers = self._ledger.outsiders.keys() - self._known.get(keep.owner, set())
        count = sum(letter.sender in strangers for letter in letters.values())
        if keep.sender in strangers and count > MAILBOX_STRANGERS_LETTERS_MAX:
            name = self._owner(keep.owner)
            raise Violation(Invariant.CAPS, f"{count} letters of strangers in the mailbox of {name}")

    def _owner(self, owner: bytes) -> str:
        return self._ledger.names.get(owner, "somebody")

    def _check_gone(self, node: Node, owner: bytes, gone: Letter, replies: tuple[StoreReply, ...]) -> None:
        for reply in replies:
            match reply.request:
                case KeepLetter() as keep if (keep.owner, keep.sender, keep.slot) == (owner, gone.sender, gone.slot):
                    return None
                case CollectLetters(of, entries) if of == owner:
                    for entry in entries:
                        if entry.entry == gone.entry:
                            if entry.outcome is Outcome.ACKNOWLEDGED:
                                self._known.setdefault(owner, set()).add(gone.sender)
                            return self._check_collected(owner, gone, entry.outcome)
                case ExpireLetters(before_ms) if gone.kept_ms < before_ms:
                    wall_ms = node.clock.wall_ms(self._ledger.world.now_us)
                    if before_ms <= wall_ms - MAIL_DAYS_MAX * DAY_MS:
                        return None
        letter = self._ledger.by_slot.get(gone.slot, "a letter of an outsider")
        raise Violation(Invariant.MAILBOX, f"{letter} left the mailbox, and nothing says why")

    def _check_collected(self, owner: bytes, gone: Letter, outcome: Outcome) -> None:
        if not self._ledger.outsiders.keys().isdisjoint((owner, gone.sender)):
            return  # what an outsider throws away was its own, and what it stores may be nothing
        letter, name = self._ledger.by_slot[gone.slot], self._ledger.names[owner]
        if outcome is not Outcome.UNOPENABLE and not letter.entered and self._ledger.is_open(letter):
            raise Violation(
                Invariant.MAILBOX, f"{letter} left the mailbox as {outcome.name}, not on the disk of {name}"
            )
        if outcome is Outcome.UNOPENABLE:
            node = self._ledger.world.nodes[name]
            assert isinstance(node.store, ClientMemory)
            publics = [node.suite.dh_public(key.private) for key in node.store.load().mail_keys]
            if gone.letter[HEADER_BYTES : HEADER_BYTES + 4] in [key_id(node.suite, public) for public in publics]:
                raise Violation(Invariant.MAILBOX, f"{letter} was returned although {name} has the key to it")


class Addresses(Observer):
    """Counts bytes from and to addresses; of the server's, each is unproven until it brings a token sent there."""

    def __init__(self, is_server_honest: bool = True) -> None:
        self._is_server_honest = is_server_honest
        self._balance: dict[str, Counter[Address]] = defaultdict(Counter)
        self._tokens: set[tuple[Address, bytes]] = set()
        self._proven: set[Address] = set()

    def started(self, node: Node) -> None:  # noqa: D102 - said in Observer
        self._balance[node.name].clear()
        if node.name == SERVER:
            self._proven.clear()

    def arrived(self, node: Node, received: list[Received]) -> None:  # noqa: D102
        for source, payload in received:
            self._balance[node.name][source] += len(payload)
            is_init = payload[_AT_TYPE : _AT_TYPE + 1] == bytes((Init.type,))
            if node.name == SERVER and is_init and (source, payload[_INIT_TOKEN]) in self._tokens:
                self._proven.add(source)

    def sent(self, node: Node, to: Address, payload: bytes) -> None:  # noqa: D102
        kind = payload[_AT_TYPE]
        if node.name != SERVER:
            if kind == Acks.type:
                self._spend(node, to, payload)
            return
        if not self._is_server_honest:
            return
        if kind == Retry.type:
            self._tokens.add((to, payload[_RETRY_TOKEN]))
        if to not in self._proven:
            if kind == Resp.type:
                raise Violation(Invariant.UNPROVEN, f"a handshake for {to}, which brought no token that was sent there")
            self._spend(node, to, payload)

    def _spend(self, node: Node, to: Address, payload: bytes) -> None:
        balance = self._balance[node.name]
        balance[to] -= len(payload)
        if balance[to] < 0:
            raise Violation(
                Invariant.UNPROVEN, f"{node.name} sent {to} {-balance[to]} bytes more than it got from there"
            )


class Caps(Observer):
    """Asks cores for the sizes of their queues; one that has no cap is a violation as well."""

    def __init__(self) -> None:
        self._turns = 0
        self.highest: Counter[str] = Counter()

    def turned(self, node: Node) -> None:  # noqa: D102 - said in Observer
        self._turns += 1
        if self._turns % _SIZES_EVERY_TURNS == 0:
            self.check(node.name, node.core)

    def check(self, name: str, core: Core | None) -> None:
        """Compare all sizes of one core, if it tells of them."""
        sizes: Mapping[str, int] = core.sizes() if isinstance(core, Measured) else {}
        for queue, size in sizes.items():
            self.highest[queue] = max(size, self.highest[queue])
            if size > CAPS.get(queue, -1):
                raise Violation(Invariant.CAPS, f"{size} in {queue} of {name}: {CAPS.get(queue, 'nothing')} is allowed")
