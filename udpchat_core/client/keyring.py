"""A user's keys: the identity, the live keys in memory, the mail keys on disk, and the card that says so.

A live key is new at each handshake, and the last few are kept for an hour. A mail key is made weekly, saved
before any card names it, and kept until 15 days after its successor was saved and the mailbox was seen empty.
"""

from typing import NamedTuple

from ..bodies import CARD_VERSION, CardBody
from ..client_requests import ClientState, DropMailKey, SaveCardSeq, SaveIdentity, SaveMailKey
from ..instant import MS, Instant
from ..limits import (
    CARD_LIFE_S,
    CARD_SEQ_FIRST_LIMIT,
    LIVE_KEY_US,
    LIVE_KEYS_MAX,
    MAIL_KEY_DAYS,
    MAIL_KEY_KEPT_DAYS,
    MAIL_KEYS_MAX,
    NUMBER_LIMIT,
    TIME_S_LIMIT,
)
from ..secure.card import make_card
from ..secure.letter import OpeningKey
from ..secure.rotation import make_rotation
from ..secure.suite import KEY_BYTES, Suite
from ..turn import Turn
from .shared import Shared

_DAY_MS = 86_400_000


def new_client_state(suite: Suite, name: str, now_ms: int) -> ClientState:
    """The state of a user who never was: a new identity and mail key. It is made durable before a client runs.

    Cards are counted from a random number, so that the first card of whoever takes a name after somebody who lost it
    has another seq than the last one, and those who watch the name see that something changed.
    """
    mail = SaveMailKey(suite.random(KEY_BYTES), now_ms)
    identity, drawn = suite.random(KEY_BYTES), int.from_bytes(suite.random(4))
    return ClientState(name, identity, (mail,), card_seq=drawn % CARD_SEQ_FIRST_LIMIT)  # R-9.1-9


class _Live(NamedTuple):
    key: OpeningKey
    made: Instant


class Keyring:
    """The keys of one user.

    Attributes:
        identity: the public identity key, I.
        identity_private: its private half.
        name: the name that the card claims.
        card_seq: of the last card made.
        rotation: the word of the identity before for this one, if there was one.
    """

    def __init__(self, shared: Shared, state: ClientState) -> None:
        self._shared = shared
        self.name = state.name
        self.identity_private = state.identity
        self.identity = shared.suite.sign_public(state.identity)
        self.card_seq = state.card_seq
        self.rotation = state.rotation
        self._live: list[_Live] = []
        self._mail_made_ms = state.mail_keys[-1].made_ms
        self._mail = [(saved, OpeningKey.of(shared.suite, saved.private)) for saved in state.mail_keys]

    def new_card(self, turn: Turn) -> tuple[bytes, bytes]:
        """A new live key, private, and a card with the next seq that names it and the newest mail key."""
        live = self._shared.suite.random(KEY_BYTES)  # R-9.1-2
        self._live.append(_Live(OpeningKey.of(self._shared.suite, live), turn.now))
        del self._live[:-LIVE_KEYS_MAX]
        self.card_seq = min(self.card_seq + 1, NUMBER_LIMIT - 1)  # R-9.1-3
        turn.store(SaveCardSeq(self.card_seq))
        body = CardBody(
            version=CARD_VERSION,
            seq=self.card_seq,
            expires_s=min(self._shared.wall_ms(turn.now) // 1_000 + CARD_LIFE_S, TIME_S_LIMIT - 1),
            identity=self.identity,
            live=self._live[-1].key.public,
            mail=self._mail[-1][1].public,
            name=self.name,
        )
        return live, make_card(self._shared.suite, self.identity_private, body)

    def rotate(self, turn: Turn) -> None:
        """Make the identity that follows this one, and the word of this one for it."""
        private = self._shared.suite.random(KEY_BYTES)
        public = self._shared.suite.sign_public(private)
        rotation = make_rotation(self._shared.suite, self.identity_private, public, self.name)
        turn.store(SaveIdentity(private, public, rotation))

    def jump_ahead(self, highest: int) -> bool:
        """The server knows a card of this identity with seq `highest`: this client came from a backup.

        False if no next seq would help: this client is too far ahead of the server, or there is none.
        """
        if not self.card_seq <= highest < NUMBER_LIMIT - 1:
            return False
        self.card_seq = highest
        return True

    def opening_keys(self, now: Instant) -> list[OpeningKey]:
        """What letters may be sealed to: live keys of the last two hours, and the mail keys."""
        self._live = [live for live in self._live[:-1] if live.made + 2 * LIVE_KEY_US > now] + self._live[-1:]
        return [live.key for live in reversed(self._live)] + [key for _, key in reversed(self._mail)]

    def registered(self, turn: Turn, waiting: int) -> None:
        """The server has the newest card: make the next mail key in time, and drop what nobody seals to any more."""
        wall_ms = self._shared.wall_ms(turn.now)
        server_ms = turn.now // MS + (self._shared.server_offset_ms or 0)
        now_ms, latest_ms = min(wall_ms, server_ms), max(wall_ms, server_ms)  # one of them may have been set wrong
        is_due = max(now_ms - self._mail_made_ms, self._mail_made_ms - latest_ms) >= MAIL_KEY_DAYS * _DAY_MS
        if is_due and len(self._mail) < MAIL_KEYS_MAX:
            self._mail_made_ms = latest_ms
            turn.store(SaveMailKey(self._shared.suite.random(KEY_BYTES), latest_ms))
        # R-9.1-8
        if waiting == 0 and len(self._mail) > 1 and now_ms - self._mail[1][0].made_ms > MAIL_KEY_KEPT_DAYS * _DAY_MS:
            turn.store(DropMailKey(self._mail[0][0].private))

    def mail_key_saved(self, saved: SaveMailKey) -> None:
        """A new mail key is durable: the next card names it."""  # R-9.1-8
        if all(known != saved for known, _ in self._mail):
            self._mail.append((saved, OpeningKey.of(self._shared.suite, saved.private)))

    def mail_key_dropped(self, dropped: DropMailKey) -> None:
        """A mail key is gone from the disk; the newest never is."""
        self._mail = [
            pair
            for at, pair in enumerate(self._mail)
            if pair[0].private != dropped.private or at == len(self._mail) - 1
        ]
