"""What a client has on disk: a SQLite database, in a file, or in memory for whoever does not come back.

Every method that changes something has committed when it returns: that is what "on disk" means in the other modules.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS self (key TEXT PRIMARY KEY, value);
CREATE TABLE IF NOT EXISTS mail_keys (private BLOB PRIMARY KEY, made_s INTEGER, replaced_s INTEGER);
CREATE TABLE IF NOT EXISTS pins (name TEXT PRIMARY KEY, identity BLOB, card_seq INTEGER);
CREATE TABLE IF NOT EXISTS outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, message INTEGER, name TEXT, identity BLOB,
  secret BLOB UNIQUE, sent_ms INTEGER, part INTEGER, parts INTEGER, text TEXT,
  attempt INTEGER DEFAULT 0, returned_seq INTEGER);
CREATE TABLE IF NOT EXISTS history (id INTEGER PRIMARY KEY AUTOINCREMENT, sender BLOB, ack BLOB, name TEXT,
  sent_ms INTEGER, part INTEGER, parts INTEGER, text TEXT, told INTEGER DEFAULT 0, UNIQUE (sender, ack));
CREATE TABLE IF NOT EXISTS watermarks (sender BLOB, epoch INTEGER, upto INTEGER, used INTEGER,
  PRIMARY KEY (sender, epoch));
"""
SEQ_FIRST_LIMIT = 2**30
MAIL_KEY_S, MAIL_KEY_KEPT_S, MAIL_KEYS_MAX = 7 * 86_400, 15 * 86_400, 12
PINS_MAX = 16_384
EPOCHS_PER_SENDER_MAX = 8


@dataclass
class Row:
    """A letter of the outbox as it is on disk."""

    id: int
    message: int
    name: str
    identity: bytes | None
    secret: bytes
    sent_ms: int
    part: int
    parts: int
    text: str
    attempt: int
    returned_seq: int | None


class Store:
    """See the module; `path` is a file's, or ":memory:"."""

    def __init__(self, path: str, random: Callable[[int], bytes]) -> None:
        self.db = sqlite3.connect(path)
        self.db.execute("PRAGMA synchronous = FULL")
        self.db.executescript(SCHEMA)
        self.random = random
        if self.get("identity") is None:
            with self.db:
                self._put("identity", random(32))
                drawn = int.from_bytes(random(8), "big") % (SEQ_FIRST_LIMIT - 1)
                self._put("seq", drawn)  # the first card's is one more: below 2^30 (R-9.1-9), and not 0 (R-9.6-3)

    def get(self, key: str) -> Any:
        row = self.db.execute("SELECT value FROM self WHERE key = ?", (key,)).fetchone()
        return None if row is None else row[0]

    def put(self, key: str, value: Any) -> None:
        with self.db:
            self._put(key, value)

    def _put(self, key: str, value: Any) -> None:
        self.db.execute("INSERT OR REPLACE INTO self VALUES (?, ?)", (key, value))

    def next_seq(self) -> int:
        """A seq above that of every card before (R-9.1-3)."""
        seq: int = self.get("seq") + 1
        self.put("seq", seq)
        return seq

    # --- mail keys (R-9.1-8) ---

    def mail_key(self, now_s: int) -> bytes:
        """The private mail key that a card names now, on disk; a new one if the last is a week old."""
        rows = self.db.execute("SELECT private, made_s FROM mail_keys ORDER BY made_s DESC, rowid DESC").fetchall()
        if rows and (now_s - rows[0][1] < MAIL_KEY_S or len(rows) >= MAIL_KEYS_MAX):
            return bytes(rows[0][0])
        private = self.random(32)
        with self.db:
            self.db.execute("UPDATE mail_keys SET replaced_s = ? WHERE replaced_s IS NULL", (now_s,))
            self.db.execute("INSERT INTO mail_keys VALUES (?, ?, NULL)", (private, now_s))
        return private

    def mail_keys(self) -> list[bytes]:
        return [row[0] for row in self.db.execute("SELECT private FROM mail_keys ORDER BY made_s DESC, rowid DESC")]

    def drop_old_mail_keys(self, now_s: int) -> None:
        """To be called when a registration found the mailbox empty, and only then."""
        with self.db:
            self.db.execute("DELETE FROM mail_keys WHERE replaced_s < ?", (now_s - MAIL_KEY_KEPT_S,))

    # --- pins ---

    def pin(self, name: str) -> tuple[bytes, int] | None:
        """The identity that `name` is pinned to, and the highest seq of its cards that is known."""
        row = self.db.execute("SELECT identity, card_seq FROM pins WHERE name = ?", (name,)).fetchone()
        return None if row is None else (row[0], row[1])

    def set_pin(self, name: str, identity: bytes, card_seq: int) -> bool:
        """Whether there was room for it."""
        if self.pin(name) is None and self.db.execute("SELECT count(*) FROM pins").fetchone()[0] >= PINS_MAX:
            return False
        with self.db:
            self.db.execute("INSERT OR REPLACE INTO pins VALUES (?, ?, ?)", (name, identity, card_seq))
        return True

    # --- outbox ---

    def add_message(self, name: str, texts: list[str], sent_ms: int) -> list[Row]:
        """The letters of one message, each with its secret, in one commit (R-9.2-1)."""
        pin = self.pin(name)
        message = (self.get("messages") or 0) + 1
        with self.db:
            self._put("messages", message)
            for part, text in enumerate(texts, 1):
                fields = (message, name, pin and pin[0], self.random(16), sent_ms, part, len(texts), text)
                self.db.execute(
                    "INSERT INTO outbox (message, name, identity, secret, sent_ms, part, parts, text) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    fields,
                )
        return [row for row in self.outbox() if row.message == message]

    def outbox(self) -> list[Row]:
        fields = "id, message, name, identity, secret, sent_ms, part, parts, text, attempt, returned_seq"
        return [Row(*row) for row in self.db.execute(f"SELECT {fields} FROM outbox ORDER BY id")]

    def update_letter(self, row: Row) -> None:
        with self.db:
            fields = (row.identity, row.attempt, row.returned_seq, row.id)
            self.db.execute("UPDATE outbox SET identity = ?, attempt = ?, returned_seq = ? WHERE id = ?", fields)

    def settle(self, row: Row) -> None:
        """The letter's end."""
        with self.db:
            self.db.execute("DELETE FROM outbox WHERE id = ?", (row.id,))

    # --- history ---

    def has(self, sender: bytes, ack: bytes) -> bool:
        query = "SELECT 1 FROM history WHERE sender = ? AND ack = ?"
        return self.db.execute(query, (sender, ack)).fetchone() is not None

    def enter(self, body: dict[str, Any], ack: bytes) -> int:
        """The letter and its sender's watermark in one transaction (R-9.4-3)."""
        fields = (body["sender"], ack, body["name"], body["sent_ms"], body["part"], body["parts"], body["text"])
        with self.db:
            insert = "INSERT INTO history (sender, ack, name, sent_ms, part, parts, text) VALUES (?, ?, ?, ?, ?, ?, ?)"
            row = self.db.execute(insert, fields).lastrowid
            self._set_watermark(body["sender"], body["epoch"], body["seq"])
        assert row is not None
        return row

    def watermark(self, sender: bytes, epoch: int) -> int:
        query = "SELECT upto FROM watermarks WHERE sender = ? AND epoch = ?"
        row = self.db.execute(query, (sender, epoch)).fetchone()
        return 0 if row is None else row[0]

    def set_watermark(self, sender: bytes, epoch: int, upto: int) -> None:
        with self.db:
            self._set_watermark(sender, epoch, upto)

    def _set_watermark(self, sender: bytes, epoch: int, upto: int) -> None:
        used = self.db.execute("SELECT coalesce(max(used), 0) + 1 FROM watermarks").fetchone()[0]
        self.db.execute("INSERT OR REPLACE INTO watermarks VALUES (?, ?, ?, ?)", (sender, epoch, upto, used))
        self.db.execute(
            "DELETE FROM watermarks WHERE sender = ?1 AND epoch NOT IN "
            "(SELECT epoch FROM watermarks WHERE sender = ?1 ORDER BY used DESC LIMIT ?2)",
            (sender, EPOCHS_PER_SENDER_MAX),
        )

    def untold(self) -> list[tuple[int, dict[str, Any]]]:
        """What is in the history and was not shown yet, in order: a crash came between."""
        names = ("sender", "name", "sent_ms", "part", "parts", "text")
        rows = self.db.execute(f"SELECT id, {', '.join(names)} FROM history WHERE told = 0 ORDER BY id").fetchall()
        return [(row[0], dict(zip(names, row[1:], strict=True))) for row in rows]

    def told(self, rows: list[int]) -> None:
        with self.db:
            self.db.executemany("UPDATE history SET told = 1 WHERE id = ?", [(row,) for row in rows])
