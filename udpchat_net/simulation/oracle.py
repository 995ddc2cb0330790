"""Holds every promise against a world, while it runs and once it is healed.

Theory of operation. The oracle is a handful of observers. The ledger knows every letter and watches the clients'
disks; the seam reads what leaves; the mailroom watches the server's disk; the others count. None of them looks into
a core: what a core promises is what it sends, stores and says. Faults hide behind redundancy (a retry makes good what
a mailbox lost), so each layer is checked where it acts, and each check names its own invariant.
"""

from typing import Final

from ..stores.memory_client import ClientMemory, Outgoing
from ..stores.memory_server import ServerMemory
from .checks import Addresses, Caps, Mailroom
from .invariants import Invariant, Violation
from .ledger import Ledger
from .owners import Friends, Owners
from .seam import Seam
from .world import SECOND, World

DRAIN_US_MAX: Final = 600 * SECOND
_LOOK_US: Final = 5 * SECOND


class Oracle:
    """Watches `world` from now on, which must be new: nothing was sent in it.

    Attributes:
        ledger: what is known of every letter.
        caps: the highest sizes that queues had.
    """

    def __init__(self, world: World, *, is_server_honest: bool = True, friend_delay_us_max: int | None = None) -> None:
        """Watch. Give the delay if nothing goes wrong in this world but what outsiders do."""
        self._world = world
        self.ledger = Ledger(world, is_server_honest)
        self.caps = Caps()
        seam = Seam(self.ledger)
        world.observers += [self.ledger, seam, Owners(self.ledger, seam), Addresses(is_server_honest), self.caps]
        if is_server_honest:
            world.observers.append(Mailroom(self.ledger))
        if friend_delay_us_max is not None:
            world.observers.append(Friends(self.ledger, friend_delay_us_max))

    def heal_and_drain(self) -> None:
        """Heal the world and let it run until everything has arrived; `Violation` unless it does in ten minutes."""
        world = self._world
        world.heal()
        until_us = world.now_us + DRAIN_US_MAX
        while (left := self.undelivered()) and world.now_us < until_us:
            world.run(_LOOK_US)
        if left:
            raise Violation(Invariant.DRAINED, f"{len(left)} are left: {'; '.join(left[:5])}")
        self.check()

    def undelivered(self) -> list[str]:
        """What is under way still, in words."""
        left = []
        for node in self._world.nodes.values():
            store = node.store
            if isinstance(store, ClientMemory):
                rows = [row for row in store.outgoing.values() if row.outcome is None and not self._is_foreign(row)]
                left += [f"{self.ledger.by_secret[row.saved.secret]} in the outbox" for row in rows]
            else:
                for owner, box in store.mailboxes.items():
                    for kept in box.letters.values():
                        if not self.ledger.outsiders.keys().isdisjoint((owner, kept.sender)):
                            continue
                        letter = self.ledger.by_slot[kept.slot]
                        if self.ledger.is_known(letter):  # else its sender went back to before it was written
                            how = "entered before" if letter.entered else "never entered"
                            left.append(f"{letter} in the mailbox, {how}")
                left += [
                    f"{len(kept)} receipts for {self.ledger.names[of]}"
                    for of, kept in store.receipts.items()
                    if kept and of not in self.ledger.outsiders
                ]
        return left

    def _is_foreign(self, row: Outgoing) -> bool:
        """Whether it is for an outsider, who may never acknowledge it."""
        recipient = row.recipient or self.ledger.identities.get(row.saved.to)
        return recipient in self.ledger.outsiders

    def check(self) -> None:
        """What can only be seen of a world as a whole."""
        for name, node in self._world.nodes.items():
            self.caps.check(name, node.core)
            if isinstance(node.store, ServerMemory):
                continue
            missing = self.ledger.inboxes[name].letters.keys() ^ node.store.inbox.keys()
            if missing:
                raise Violation(Invariant.NOTHING_LOST, f"{len(missing)} letters are not in the inbox of {name}")
            for secret, row in node.store.outgoing.items():
                letter = self.ledger.by_secret[secret]
                if row.outcome == "delivered" and not letter.entered:
                    raise Violation(Invariant.NOTHING_LOST, f"{letter}")
