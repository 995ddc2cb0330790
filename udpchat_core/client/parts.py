"""The parts of one client, for whatever hands each of them what is its own."""

from dataclasses import dataclass

from .connection import Connection
from .contacts import Contacts
from .inbox import Inbox
from .keyring import Keyring
from .outbox import Outbox
from .requester import Requester
from .roster import RosterView
from .shared import Shared


@dataclass(frozen=True, slots=True)
class Parts:
    """Each keeps to one matter: see `client`."""

    shared: Shared
    keyring: Keyring
    requester: Requester
    connection: Connection
    contacts: Contacts
    outbox: Outbox
    inbox: Inbox
    roster: RosterView
