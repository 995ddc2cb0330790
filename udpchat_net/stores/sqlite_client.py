"""A client's store: its keys, pins, outbox, inbox and watermarks, and so the history of what was said.

Letters stay after they are settled or entered: the row of a settled one keeps a late repetition from sending it
again, and that of an entered one is what tells a copy from news.
"""

from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from types import MappingProxyType
from typing import Any

from udpchat_core.client_requests import (
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
from udpchat_core.delivery.parts import Part
from udpchat_core.fields import Rotation
from udpchat_core.limits import EPOCHS_PER_SENDER_MAX

from . import sqlite_file
from .errors import StoreCorrupt
from .letters import KeptLetter
from .schemas import CLIENT
from .sqlite import SqliteStore
from .sqlite_file import Connect, Connection, connect

_BEGUN = """SELECT each.sender, each.sent_ms, each.part, each.parts, each.text
    FROM (SELECT max(rowid) AS last FROM inbox GROUP BY sender)
        JOIN inbox AS newest ON newest.rowid = last AND newest.part < newest.parts
        JOIN inbox AS each ON each.sender = newest.sender
            AND each.sent_ms = newest.sent_ms AND each.parts = newest.parts
    ORDER BY each.rowid"""
_BEGUN_AND_SEEN = _BEGUN.replace(
    "ORDER BY", "WHERE NOT EXISTS (SELECT 1 FROM unseen WHERE sender = each.sender AND ack = each.ack) ORDER BY"
)
_UNSEEN = """SELECT entry, sender, ack, name,
        EXISTS (SELECT 1 FROM pins WHERE pins.name = inbox.name AND identity = sender),
        sent_ms, received_ms, part, parts, text
    FROM unseen JOIN inbox USING (sender, ack) WHERE entry > ? ORDER BY entry LIMIT ?"""


def create_client(path: Path, state: ClientState, server: str, connect: Connect = connect) -> None:
    """Make the store of a new client, for its owner only. Raises `StoreError`, if it is there above all.

    Args:
        path: where; see `paths.state_path`.
        state: what it holds.
        server: the server's address as the user typed it: the file's name does not tell whose it is.
        connect: opens a file.
    """

    def fill(connection: Connection) -> None:
        rotation = state.rotation
        word = (rotation.former, rotation.signature) if rotation is not None else (None, None)
        me = (state.name, server, state.identity, state.server_key, state.card_seq, state.next_message, *word)
        connection.execute("INSERT INTO me VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)", me)
        for key in state.mail_keys:
            _save_mail_key(connection, key)
        for pin in state.pins:
            _save_pin(connection, pin)
            _save_verified(connection, SaveVerified(pin.name, pin.identity, pin.name in state.verified))
        for letter in state.outbox:
            _save_outgoing(connection, letter)
        for sender, epoch, seq in state.watermarks:
            _raise_watermark(connection, sender, epoch, seq)

    sqlite_file.create(path, CLIENT, fill, connect)


def _outbox(connection: Connection) -> Iterable[SaveOutgoing]:
    for row in connection.execute(
        "SELECT secret, message, part, parts, recipient_name, sent_ms, text, recipient FROM outgoing"
        " WHERE outcome IS NULL ORDER BY message, part"
    ):
        yield SaveOutgoing(*row)


def _save_outgoing(connection: Connection, letter: SaveOutgoing) -> None:
    connection.execute(
        "INSERT INTO outgoing VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, 0) ON CONFLICT (secret) DO NOTHING",
        astuple(letter),
    )
    connection.execute("UPDATE me SET next_message = max(next_message, ?)", (letter.message + 1,))


def _pin_outgoing(connection: Connection, pin: PinOutgoing) -> None:
    connection.execute(
        "UPDATE outgoing SET recipient = ? WHERE secret = ? AND recipient IS NULL", (pin.recipient, pin.secret)
    )


def _mark_stored(connection: Connection, mark: MarkStored) -> None:
    connection.execute("UPDATE outgoing SET stored = 1 WHERE secret = ?", (mark.secret,))


def _settle_outgoing(connection: Connection, settled: SettleOutgoing) -> None:
    connection.execute(
        "UPDATE outgoing SET outcome = ? WHERE secret = ? AND outcome IS NULL", (settled.outcome, settled.secret)
    )


def _enter_letter(connection: Connection, letter: EnterLetter) -> Entered:
    there = "SELECT epoch, seq, received_ms FROM inbox WHERE sender = ? AND ack = ?"
    rows = list(connection.execute(there, (letter.sender, letter.ack)))
    if not rows:
        connection.execute("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", astuple(letter))
        connection.execute("INSERT INTO unseen (sender, ack) VALUES (?, ?)", (letter.sender, letter.ack))
    _raise_watermark(connection, letter.sender, letter.epoch, letter.seq)
    return Entered(not rows or rows == [(letter.epoch, letter.seq, letter.received_ms)])


def _find_letter(connection: Connection, letter: FindLetter) -> Entered:
    there = "SELECT 1 FROM inbox WHERE sender = ? AND ack = ?"
    return Entered(not list(connection.execute(there, (letter.sender, letter.ack))))


def _mark_seen(connection: Connection, seen: MarkSeen) -> None:
    for letter in seen.letters:
        connection.execute("DELETE FROM unseen WHERE sender = ? AND ack = ?", letter)


def _raise_watermark(connection: Connection, sender: bytes, epoch: int, seq: int) -> None:
    higher = "SELECT 1 FROM watermarks WHERE sender = ? AND epoch = ? AND seq >= ?"
    if list(connection.execute(higher, (sender, epoch, seq))):
        return
    connection.execute("DELETE FROM watermarks WHERE sender = ? AND epoch = ?", (sender, epoch))
    connection.execute("INSERT INTO watermarks (sender, epoch, seq) VALUES (?, ?, ?)", (sender, epoch, seq))
    connection.execute(
        "DELETE FROM watermarks WHERE changed IN"
        " (SELECT changed FROM watermarks WHERE sender = ? ORDER BY changed DESC LIMIT -1 OFFSET ?)",
        (sender, EPOCHS_PER_SENDER_MAX),
    )


def _save_pin(connection: Connection, pin: SavePin) -> None:
    connection.execute(
        "INSERT INTO pins (name, identity) VALUES (?, ?) ON CONFLICT (name) DO UPDATE"
        " SET verified = verified AND identity = excluded.identity, identity = excluded.identity",
        (pin.name, pin.identity),
    )


def _save_verified(connection: Connection, compared: SaveVerified) -> None:
    connection.execute(
        "UPDATE pins SET verified = ? WHERE name = ? AND identity = ?",
        (compared.verified, compared.name, compared.identity),
    )


def _save_identity(connection: Connection, new: SaveIdentity) -> None:
    former, signature = new.rotation.former, new.rotation.signature
    own = "UPDATE pins SET identity = ?, verified = 0 WHERE identity = ? AND name = (SELECT name FROM me)"
    connection.execute(own, (new.public, former))
    connection.execute("UPDATE me SET identity = ?, former = ?, signature = ?", (new.private, former, signature))
    connection.execute("DELETE FROM watermarks")  # R-2.4-4


def _save_server_key(connection: Connection, server: SaveServerKey) -> None:
    connection.execute("UPDATE me SET server_key = ?", (server.key,))


def _save_card_seq(connection: Connection, card: SaveCardSeq) -> None:
    connection.execute("UPDATE me SET card_seq = ?", (card.seq,))


def _save_mail_key(connection: Connection, key: SaveMailKey) -> None:
    connection.execute(
        "INSERT INTO mail_keys VALUES (?, ?) ON CONFLICT (private) DO NOTHING", (key.private, key.made_ms)
    )


def _drop_mail_key(connection: Connection, key: DropMailKey) -> None:
    connection.execute("DELETE FROM mail_keys WHERE private = ?", (key.private,))


class SqliteClientStore(SqliteStore):
    """The store of one client; made by `create_client`."""

    schema = CLIENT
    handlers = MappingProxyType(
        {
            SaveOutgoing: _save_outgoing,
            PinOutgoing: _pin_outgoing,
            MarkStored: _mark_stored,
            SettleOutgoing: _settle_outgoing,
            EnterLetter: _enter_letter,
            FindLetter: _find_letter,
            MarkSeen: _mark_seen,
            SavePin: _save_pin,
            SaveVerified: _save_verified,
            SaveIdentity: _save_identity,
            SaveServerKey: _save_server_key,
            SaveCardSeq: _save_card_seq,
            SaveMailKey: _save_mail_key,
            DropMailKey: _drop_mail_key,
        }
    )

    def load(self) -> ClientState:
        """What the core is to begin with. Raises `StoreError`."""
        state: ClientState = self._ask(self._read)
        return state

    def begun(self, *, seen: bool = False) -> list[Part]:
        """The letters of texts that are not complete: of each sender the last text, if so. Raises `StoreError`.

        Those marked as seen only, if so asked.
        """
        question = _BEGUN_AND_SEEN if seen else _BEGUN
        rows: list[tuple[bytes, int, int, int, str]] = self._ask(lambda connection: list(connection.execute(question)))
        return [Part(*row) for row in rows]

    def unseen(self, after: int, letters_max: int) -> list[KeptLetter]:
        """At most so many letters that the user has not seen, with an entry number above `after`, oldest first.

        For the start, before anything is received. Raises `StoreError`.
        """
        rows: list[tuple[Any, ...]] = self._ask(
            lambda connection: list(connection.execute(_UNSEEN, (after, letters_max)))
        )
        return [KeptLetter(*row[:4], *(bool(row[4]), *row[5:])) for row in rows]

    def _read(self, connection: Connection) -> ClientState:
        for name, identity, card_seq, server_key, next_message, former, signature in connection.execute(
            "SELECT name, identity, card_seq, server_key, next_message, former, signature FROM me"
        ):
            keys = connection.execute("SELECT private, made_ms FROM mail_keys ORDER BY made_ms, rowid")
            pins = connection.execute("SELECT name, identity FROM pins ORDER BY name")
            verified = connection.execute("SELECT name FROM pins WHERE verified ORDER BY name")
            marks = connection.execute("SELECT sender, epoch, seq FROM watermarks ORDER BY changed")
            return ClientState(
                name=name,
                identity=identity,
                mail_keys=tuple(SaveMailKey(*row) for row in keys),
                card_seq=card_seq,
                server_key=server_key,
                pins=tuple(SavePin(*row) for row in pins),
                verified=tuple(name for (name,) in verified),
                outbox=tuple(_outbox(connection)),
                watermarks=tuple(marks),
                next_message=next_message,
                rotation=None if former is None else Rotation(former, signature),
            )
        raise StoreCorrupt(f"{self.path} is damaged (it has no identity): put back a backup, or begin with a new one")
