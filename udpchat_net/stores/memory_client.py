"""A client's store in memory."""

from dataclasses import dataclass, replace
from typing import assert_never, get_args

from udpchat_core.client_requests import (
    ClientRequest,
    ClientState,
    DropMailKey,
    Entered,
    EnterLetter,
    FindLetter,
    MarkSeen,
    MarkStored,
    PinOutgoing,
    SaveCardSeq,
    SaveIdentity,
    SaveMailKey,
    SaveOutgoing,
    SavePin,
    SaveServerKey,
    SaveVerified,
    SettleOutgoing,
)
from udpchat_core.limits import EPOCHS_PER_SENDER_MAX
from udpchat_core.requests import Result

from .letters import KeptLetter
from .memory import Memory


@dataclass(slots=True)
class Outgoing:
    """A row of the outbox, kept as history once it has an `outcome`."""

    saved: SaveOutgoing
    recipient: bytes | None
    stored: bool = False
    outcome: str | None = None


class ClientMemory(Memory):
    """What a client's state file holds.

    Attributes:
        outgoing: every letter ever saved, by secret, in the order of saving.
        inbox: every letter entered, by (sender, ack), in the order of entering.
    """

    kinds = get_args(ClientRequest)

    def __init__(self, state: ClientState) -> None:
        self._name, self._identity = state.name, state.identity
        self._mail_keys = {key.private: key for key in state.mail_keys}
        self._card_seq, self._server_key = state.card_seq, state.server_key
        self._pins = {pin.name: pin for pin in state.pins}
        self._verified = set(state.verified)
        self._watermarks = {(sender, epoch): seq for sender, epoch, seq in state.watermarks}
        self._next_message = state.next_message
        self._rotation = state.rotation
        self.outgoing = {saved.secret: Outgoing(saved, saved.recipient) for saved in state.outbox}
        self.inbox: dict[tuple[bytes, bytes], EnterLetter] = {}
        self._unseen: dict[tuple[bytes, bytes], None] = {}

    def load(self) -> ClientState:
        """What a core needs at the start."""
        open_rows = [row for row in self.outgoing.values() if row.outcome is None]
        open_rows.sort(key=lambda row: (row.saved.message, row.saved.part))
        return ClientState(
            name=self._name,
            identity=self._identity,
            mail_keys=tuple(sorted(self._mail_keys.values(), key=lambda key: key.made_ms)),
            card_seq=self._card_seq,
            server_key=self._server_key,
            pins=tuple(self._pins.values()),
            verified=tuple(sorted(self._verified)),
            outbox=tuple(replace(row.saved, recipient=row.recipient) for row in open_rows),
            watermarks=tuple((sender, epoch, seq) for (sender, epoch), seq in self._watermarks.items()),
            next_message=self._next_message,
            rotation=self._rotation,
        )

    def snapshot(self) -> "ClientMemory":
        """A copy that later changes of either do not reach."""
        copy = ClientMemory(self.load())
        copy.outgoing = {secret: replace(row) for secret, row in self.outgoing.items()}
        copy.inbox, copy._unseen = dict(self.inbox), dict(self._unseen)
        return copy

    def unseen(self, after: int, letters_max: int) -> list[KeptLetter]:
        """At most so many letters that the user has not seen, with an entry number above `after`, oldest first."""
        entries = {key: entry for entry, key in enumerate(self.inbox, 1)}
        rows = [(entries[key], self.inbox[key]) for key in self._unseen if entries[key] > after]
        return [self._kept(entry, letter) for entry, letter in rows[:letters_max]]

    def _kept(self, entry: int, letter: EnterLetter) -> KeptLetter:
        pin = self._pins.get(letter.name)
        return KeptLetter(
            entry=entry,
            sender=letter.sender,
            ack=letter.ack,
            name=letter.name,
            confirmed=pin is not None and pin.identity == letter.sender,
            sent_ms=letter.sent_ms,
            received_ms=letter.received_ms,
            part=letter.part,
            parts=letter.parts,
            text=letter.text,
        )

    def _apply(self, request: ClientRequest) -> Result:  # noqa: PLR0912 - a row for each request
        match request:
            case SaveOutgoing(secret, message):
                self.outgoing.setdefault(secret, Outgoing(request, request.recipient))
                self._next_message = max(self._next_message, message + 1)
            case PinOutgoing(secret, recipient):
                row = self.outgoing.get(secret)
                if row is not None and row.recipient is None:
                    row.recipient = recipient
            case MarkStored(secret):
                row = self.outgoing.get(secret)
                if row is not None:
                    row.stored = True
            case SettleOutgoing(secret, outcome):
                row = self.outgoing.get(secret)
                if row is not None and row.outcome is None:
                    row.outcome = outcome
            case EnterLetter():
                return self._enter(request)
            case FindLetter(sender, ack):
                return Entered((sender, ack) not in self.inbox)
            case MarkSeen(letters):
                self._unseen = {key: None for key in self._unseen if key not in letters}
            case SavePin(name):
                if self._pins.get(name) != request:
                    self._verified.discard(name)
                self._pins[name] = request
            case SaveVerified(name, identity, verified):
                if self._pins.get(name) == SavePin(name, identity):
                    (self._verified.add if verified else self._verified.discard)(name)
            case SaveIdentity(private, public, rotation):
                pin = self._pins.get(self._name)
                if pin is not None and pin.identity == rotation.former:
                    self._pins[self._name] = SavePin(self._name, public)
                    self._verified.discard(self._name)
                self._identity, self._rotation = private, rotation
                self._watermarks = {}  # R-2.4-4
            case SaveServerKey(key):
                self._server_key = key
            case SaveCardSeq(seq):
                self._card_seq = seq
            case SaveMailKey(private):
                self._mail_keys.setdefault(private, request)
            case DropMailKey(private):
                self._mail_keys.pop(private, None)
            case _:
                assert_never(request)
        return None

    def _enter(self, letter: EnterLetter) -> Entered:
        if (letter.sender, letter.ack) not in self.inbox:
            self._unseen[letter.sender, letter.ack] = None
        there = self.inbox.setdefault((letter.sender, letter.ack), letter)
        self._raise_watermark(letter)
        of_this_request = (there.epoch, there.seq, there.received_ms) == (letter.epoch, letter.seq, letter.received_ms)
        return Entered(of_this_request)

    def _raise_watermark(self, letter: EnterLetter) -> None:
        marks, of = self._watermarks, (letter.sender, letter.epoch)
        if letter.seq <= marks.get(of, -1):
            return
        marks.pop(of, None)  # so that it is the one changed last
        marks[of] = letter.seq
        of_sender = [each for each in marks if each[0] == letter.sender]
        for oldest in of_sender[:-EPOCHS_PER_SENDER_MAX]:
            del marks[oldest]
