"""One user's endpoint, without I/O.

Theory of operation. A call in is one turn: bytes, store replies or time go in, actions come out, and what is
said to one address is merged. What comes goes to the part that it is for: from the network by `Reception`,
from the store by `replies`, from the clock by `Timeouts`. Each part keeps to one matter:

- `Connection` runs the session with the server: one path of HELLO, INIT and Register for the first
  registration, the hourly new live key, a restarted server and a new address.
- `Requester` asks the server, each request under one id until it is answered.
- `Contacts` knows whom names mean, and where they are; `RosterView` who is online.
- `Outbox` has every letter until its recipient acknowledged it. A letter is saved, numbered at first send,
  sent directly while the recipient is online, and else handed to the mailbox, under one secret.
- `Inbox` puts letters in their sender's order, and acknowledges one only when the disk says that it is there.

What is durable and what is not: the outbox, the inbox with its watermarks, keys and pins are; the epoch is
drawn anew at each start, and what is outstanding is numbered afresh in it, in its old order.
"""

from collections.abc import Iterable, Mapping, Sequence

from ..actions import Actions, Received
from ..address import Address
from ..client_requests import ClientState, MarkSeen, SaveOutgoing
from ..errors import LocalProtocolError
from ..instant import MS, Instant
from ..limits import NUMBER_LIMIT
from ..machines.client_session import Session
from ..persistence import FailedRequests
from ..requests import StoreReply
from ..secure.keys import ID_BYTES
from ..secure.suite import Suite
from ..turn import Turn
from ..wire import RECORD_PLAINTEXT_BYTES_MIN
from .connection import Connection
from .contacts import Contacts, PeerKey
from .inbox import Inbox
from .inputs import check_invite, check_name, checked_names, checked_pieces
from .keyring import Keyring
from .outbox import Outbox
from .parts import Parts
from .reception import Reception
from .replies import stored
from .requester import Requester
from .roster import RosterView
from .shared import Shared
from .timeouts import Timeouts


class Client:
    """One user at one server.

    Attributes:
        name: that it registers.
        identity: I, the public identity key.
        next_message: the number that the next message gets.
    """

    def __init__(
        self, suite: Suite, state: ClientState, server: Address, now: Instant, *, watch_all: bool = False
    ) -> None:
        self._shared = Shared(suite)
        self._keyring = Keyring(self._shared, state)
        self._requester = Requester(self._shared)
        self._connection = Connection(self._shared, server, self._keyring, self._requester, state.server_key)
        self._contacts = Contacts(self._shared, self._requester, state.pins, state.verified)
        # R-9.2-3: an epoch is new at every start, so that no number is used twice, whatever backup was restored.
        epoch = int.from_bytes(suite.random(8)) % NUMBER_LIMIT
        self._outbox = Outbox(self._shared, self._keyring, self._requester, self._connection, self._contacts, epoch)
        self._inbox = Inbox(self._shared, self._keyring, self._connection, self._contacts, state.watermarks)
        self._roster = RosterView(self._requester, (pin.name for pin in state.pins), watch_all)
        self._failed = FailedRequests()
        self._parts = Parts(
            self._shared,
            self._keyring,
            self._requester,
            self._connection,
            self._contacts,
            self._outbox,
            self._inbox,
            self._roster,
        )
        self._reception = Reception(self._parts, now)
        self._timeouts = Timeouts(self._parts, self._reception, self._failed)
        self.name, self.identity = state.name, self._keyring.identity
        self.next_message = state.next_message
        for saved in state.outbox:
            self._outbox.restore(saved, now)

    # --- what the user wants ---

    def start(self, now: Instant) -> Actions:
        """Go on with what was restored; registering is another matter."""
        turn = self._turn(now)
        self._outbox.resume(turn)
        return self._end(turn)

    def register(self, now: Instant, invite: bytes | None = None) -> Actions:
        """Be online. `Registered` follows, or `RegistrationRefused`, `ServerUnreachable` or `ServerKeyChanged`.

        `invite` is the token of an invitation, 16 bytes; `LocalProtocolError` for any other number of them.
        """
        check_invite(invite)
        turn = self._turn(now)
        self._connection.invite = invite or self._connection.invite
        self._connection.step(Session.register, turn)
        return self._end(turn)

    def deregister(self, now: Instant) -> Actions:
        """Be offline: letters go to the mailbox, until `register`. `Deregistered` follows."""
        turn = self._turn(now)
        self._connection.step(Session.deregister, turn)
        return self._end(turn)

    def send(self, to: str, text: str, now: Instant) -> Actions:
        """Send `text`, 1 byte to 64 KiB of UTF-8, to the user named `to`, as message number `next_message`.

        `MessageQueued` follows once it is on disk. Raises `LocalProtocolError`, with nothing done, for a text
        that is empty, too long or no Unicode, for what is no name, and when the outbox is full.
        """
        pieces = checked_pieces(to, text)
        if len(pieces) > self._outbox.room:
            raise LocalProtocolError("too many messages wait to be delivered: let some arrive first")
        if not self._contacts.has_room_for(to):
            raise LocalProtocolError(f"too many contacts are known: {to} cannot be one more")
        turn = self._turn(now)
        message, self.next_message = self.next_message, self.next_message + 1
        recipient, sent_ms = self._contacts.use(to).owner, self._shared.wall_ms(now)
        for part, piece in enumerate(pieces, 1):
            secret = self._shared.suite.random(ID_BYTES)  # R-9.2-1
            saved = SaveOutgoing(secret, message, part, len(pieces), to, sent_ms, piece, recipient)
            self._outbox.write(saved, now)
            turn.store(saved)
        self._roster.used(to, turn)
        return self._end(turn)

    def watch(self, names: Sequence[str], now: Instant) -> Actions:
        """Hear of these names, at most 256, in the place of those of the last call: `PeersChanged` follows.

        They need not exist. As far as there is room, contacts are watched by themselves, the most recently used first;
        with `watch_all` everybody is, as long as the directory allows it. Raises `LocalProtocolError`, with nothing
        done, for too many names and for what is no name. A new start of the client begins without names.
        """
        wanted = checked_names(names)
        turn = self._turn(now)
        self._roster.watch(wanted, turn)
        return self._end(turn)

    def accept_key(self, name: str, now: Instant) -> Actions:
        """Take the key that `PeerKeyChanged` told of for the key of `name`.

        Messages that were on their way to the key before are refused, and those that waited are sent. Raises
        `LocalProtocolError` if the key did not change.
        """
        turn = self._turn(now)
        self._contacts.accept(name, turn)
        contact = self._contacts.use(name)
        self._outbox.accepted_key(contact, turn)
        self._outbox.pin(contact, turn)
        return self._end(turn)

    def check_key(self, name: str, now: Instant) -> Actions:
        """Ask the directory whose the name is: `KeyChecked` follows, when the server answers.

        Raises `LocalProtocolError`, with nothing done, for what is no name.
        """
        check_name(name)
        turn = self._turn(now)
        self._contacts.check(name, turn)
        return self._end(turn)

    def verify(self, name: str, verified: bool, now: Instant) -> Actions:
        """The user compared the safety number of `name`, or takes that back: `PeerVerified` follows.

        It is about the key that the name is pinned to; another key is not verified. Raises `LocalProtocolError` if
        there is none, or another one waits to be accepted.
        """
        turn = self._turn(now)
        self._contacts.verify(name, verified, turn)
        return self._end(turn)

    def peer_key(self, name: str) -> PeerKey:
        """Whom this name means to this user, as far as is known here."""
        return self._contacts.key(name)

    def rotate(self, now: Instant) -> Actions:
        """Take a new identity, signed by this one. `IdentityRotated` follows, when it is on disk.

        Then this client is over: the application makes a new one from the store, which registers the name under
        the new identity. The server drops the mailbox of the former, and those who know this user are told. Raises
        `LocalProtocolError` while messages wait for an acknowledgement: nobody could tell a copy under the new
        identity from another message.
        """
        if len(self._outbox):
            raise LocalProtocolError("messages wait to be delivered: a new key is made when all of them are")
        turn = self._turn(now)
        self._keyring.rotate(turn)
        return self._end(turn)

    def accept_server_key(self, now: Instant) -> Actions:
        """Take the key that `ServerKeyChanged` told of for the server's; `LocalProtocolError` if none was told of."""
        turn = self._turn(now)
        self._connection.accept_server_key(turn)
        return self._end(turn)

    def mark_seen(self, letters: Iterable[tuple[bytes, bytes]], now: Instant) -> Actions:
        """The user has seen these letters, each (sender, ack) of `LetterReceived`: the store marks them."""
        turn = self._turn(now)
        turn.store(MarkSeen(tuple(letters)))
        return self._end(turn)

    @property
    def is_online(self) -> bool:
        """Whether the client is registered and the server answers."""
        return self._connection.is_online

    @property
    def server_key(self) -> bytes | None:
        """The server's public key; None until it is known, and then pinned."""
        return self._connection.pinned

    @property
    def server_rtt_us(self) -> int:
        """How long the server takes to answer, in microseconds, smoothed; 0 before it is known."""
        return self._requester.rtt_us

    @property
    def server_loss_ppm(self) -> int:
        """How many of a million requests get no answer in time, smoothed over the last few."""
        return self._requester.loss_ppm

    @property
    def server_ahead_ms(self) -> int | None:
        """How far the server's clock was ahead of this one's when it registered this client; None before.

        In milliseconds, and without what its answer took.
        """
        of_server = self._shared.server_offset_ms
        return None if of_server is None else of_server - self._shared.offset_ms

    def peer_address(self, name: str) -> Address | None:
        """Where the directory said last that the user of this name is; None if away, or not asked about."""
        return self._contacts.address(name)

    @property
    def roster(self) -> Mapping[str, bool]:
        """Who is online, by name: of the users that are watched."""
        return self._roster.online

    def sizes(self) -> Mapping[str, int]:
        """How much of everything with a cap is in memory."""
        return {
            "outbox": len(self._outbox),
            "requests": len(self._requester),
            "contacts": len(self._contacts),
            "roster": len(self._roster),
            "timers": len(self._shared.deadlines),
            "failed": len(self._failed),
            **self._inbox.sizes(),
        }

    # --- what comes in ---

    def receive_datagrams(self, received: Sequence[Received], now: Instant) -> Actions:
        """Take what came from the network; whatever it is, nothing is raised."""
        turn = self._turn(now)
        self._reception.receive(received, turn)
        return self._end(turn)

    def handle_stored(self, replies: Sequence[StoreReply], now: Instant) -> Actions:
        """Take what the store says."""
        turn = self._turn(now)
        for reply in self._failed.sort(replies, turn):
            stored(self._parts, reply, turn)
        return self._end(turn)

    def handle_timeout(self, now: Instant) -> Actions:
        """Do what is due."""
        turn = self._turn(now)
        for kind, about in self._shared.deadlines.pop_due(now):
            self._timeouts.timed_out(kind, about, turn)
        return self._end(turn)

    def handle_clock(self, wall_ms: int, now: Instant) -> Actions:
        """The wall clock says `wall_ms` milliseconds of Unix time."""
        self._shared.offset_ms = wall_ms - now // MS
        return ()

    def next_timeout(self) -> Instant | None:
        """When `handle_timeout` is to be called."""
        return self._shared.deadlines.next()

    def _turn(self, now: Instant) -> Turn:
        return Turn(now, RECORD_PLAINTEXT_BYTES_MIN)

    def _end(self, turn: Turn) -> Actions:
        self._inbox.end_turn(turn)
        self._outbox.receipts.end_turn(turn)
        self._failed.end_turn(turn)
        self._shared.set_timer(("storage", None), self._failed.due)
        return turn.end()
