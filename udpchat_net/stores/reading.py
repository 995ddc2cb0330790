"""A look into a store from outside, read only, also while a client or a server is at work with it.

SQLite's write-ahead log lets readers be: they see what the last commit left, and hold nobody up. A file of an
earlier version is read as it is; it is not brought up to date.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .errors import StoreCorrupt
from .letters import KeptLetter
from .paths import server_path
from .schemas import CLIENT, SERVER, Schema
from .sqlite_file import Connection, as_store_error, check_header, connect

_SENT = """SELECT message, part, parts, recipient_name, sent_ms, text, outcome, stored FROM outgoing
    WHERE ?1 IS NULL OR recipient_name = ?1 ORDER BY message, part"""
_SENT_UNMARKED = _SENT.replace("stored", "0")
"""Of a file from before there was a mark for what is stored."""


@contextmanager
def reading(path: Path, schema: Schema = CLIENT) -> Iterator[Connection]:
    """The file, open for reading. Raises `StoreError` if it is no file of this kind, or cannot be read."""
    check_header(path, schema)
    try:
        with closing(connect(path, True)) as connection:
            yield connection
    except sqlite3.Error as error:
        raise as_store_error(path, error) from error


def whose(path: Path) -> tuple[str, str]:
    """The name that a client's file is of, and its server as the user typed it. Raises `StoreError`."""
    with reading(path) as connection:
        for name, server in connection.execute("SELECT name, server FROM me"):
            return str(name), str(server)
    raise StoreCorrupt(f"{path} is damaged (it has no identity): put back a backup, or begin with a new one")


def pinned_server_key(path: Path) -> bytes | None:
    """The key that a client's file has for the server; None before the first contact. Raises `StoreError`."""
    with reading(path) as connection:
        return next((key for (key,) in connection.execute("SELECT server_key FROM me")), None)


def check_whole(path: Path) -> None:
    """Read all of a client's or a server's file. Raises `StoreError`, if it is damaged above all."""
    schema = SERVER if path == server_path(path.parent) else CLIENT
    with reading(path, schema) as connection:
        found = next(iter(connection.execute("PRAGMA integrity_check(1)")))[0]
    if found != "ok":
        what = " ".join(str(found).split())
        raise StoreCorrupt(f"{path} is damaged ({what}): keep a copy, and put back a backup or begin with a new one")


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter of the outbox, or one that left it.

    Attributes:
        message: the number of its message.
        part: which part of that, from 1.
        parts: how many parts it has.
        to: the recipient's name, as typed.
        sent_ms: when, milliseconds of Unix time.
        text: of this part.
        outcome: "delivered", "refused" or "expired"; None while it is in the outbox.
        stored: whether the server ever said that it is on its disk.
    """

    message: int
    part: int
    parts: int
    to: str
    sent_ms: int
    text: str
    outcome: str | None
    stored: bool


def sent_letters(connection: Connection, peer: str | None) -> Iterator[SentLetter]:
    """What was sent, to this name or to all, in the order of sending."""
    columns = list(connection.execute("SELECT name FROM pragma_table_info('outgoing')"))
    for *letter, stored in connection.execute(_SENT if ("stored",) in columns else _SENT_UNMARKED, (peer,)):
        yield SentLetter(*(*letter, bool(stored)))


def received_letters(connection: Connection, peer: str | None) -> Iterator[KeptLetter]:
    """What came, of those who call themselves so or of all, in the order of coming."""
    for row in connection.execute(
        "SELECT rowid, sender, ack, name,"
        " EXISTS (SELECT 1 FROM pins WHERE pins.name = inbox.name AND identity = sender),"
        " sent_ms, received_ms, part, parts, text FROM inbox WHERE ?1 IS NULL OR name = ?1 ORDER BY rowid",
        (peer,),
    ):
        yield KeptLetter(*row[:4], *(bool(row[4]), *row[5:]))


def last_names(connection: Connection, letters_max: int) -> list[tuple[str, bool]]:
    """Who was written to, or wrote under a name that is known to be theirs, in the last letters: oldest first.

    Each with whether it was written to. Looks at so many letters of each kind.
    """
    return [
        (str(name), bool(sent))
        for name, sent, _ in connection.execute(
            "SELECT * FROM (SELECT recipient_name, 1, sent_ms AS at FROM outgoing ORDER BY rowid DESC LIMIT ?1)"
            " UNION ALL SELECT * FROM (SELECT inbox.name, 0, received_ms FROM inbox"
            " JOIN pins ON pins.name = inbox.name AND identity = sender ORDER BY inbox.rowid DESC LIMIT ?1)"
            " ORDER BY at",
            (letters_max,),
        )
    ]
