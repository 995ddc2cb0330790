"""A server's store: its key, the directory, the mailboxes and the receipts.

Mailboxes stay on the disk: what is in memory of them is SQLite's page cache of two megabytes. What quotas
count stands in the rows of mailboxes and senders, changed with each letter, so no request depends on how many
letters there are. The row of a mailbox stays when the mailbox is forgotten: it has the last entry number, and none
is used twice. The row of a sender stays while the owner knows the sender, or letters of it are there.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from udpchat_core.fields import CollectedEntry, Outcome, Rotation
from udpchat_core.server_requests import (
    BanIdentity,
    BindUser,
    Bound,
    CollectLetters,
    DropInvite,
    DropReceipts,
    Expired,
    ExpireLetters,
    Full,
    KeepLetter,
    Kept,
    KeptReceipt,
    MailPage,
    ReadMail,
    ReadReceipts,
    Receipts,
    ReleaseName,
    SaveInvite,
    ServerState,
    StoredLetter,
)

from . import sqlite_file
from .errors import StoreCorrupt
from .schemas import SERVER
from .sqlite import SqliteStore
from .sqlite_file import Connect, Connection, connect

_USERS_PAGE = 1_000  # users read at once at the start
_PLACE = """SELECT mailboxes.id, last_entry, mailboxes.letters, of_strangers,
        senders.id, coalesce(senders.letters, 0), known, letters.rowid, entry, attempt
    FROM mailboxes LEFT JOIN senders ON senders.mailbox = mailboxes.id AND senders.sender = ?
        LEFT JOIN letters ON letters.sender = senders.id AND slot = ?
    WHERE owner = ?"""
_ENTRY = """SELECT letters.rowid, slot, letters.mailbox, senders.id, senders.sender
    FROM mailboxes JOIN letters ON letters.mailbox = mailboxes.id JOIN senders ON senders.id = letters.sender
    WHERE owner = ? AND entry = ?"""


def create_server(path: Path, state: ServerState, connect: Connect = connect) -> None:
    """Make the store of a new server, for its owner only. Raises `StoreError`, if it is there above all."""

    def fill(connection: Connection) -> None:
        connection.execute("INSERT INTO me VALUES (1, ?)", (state.private,))
        for user in state.users:
            _bind_user(connection, user)
        for identity in state.bans:
            _ban_identity(connection, BanIdentity(identity, True))
        for invite in state.invites:
            _save_invite(connection, invite)

    sqlite_file.create(path, SERVER, fill, connect)


def _bind_user(connection: Connection, user: BindUser) -> Bound:
    other = "SELECT identity FROM users WHERE name = ? AND identity <> ?"
    for (identity,) in list(connection.execute(other, (user.name, user.identity))):
        _forget(connection, identity)
    connection.execute("DELETE FROM users WHERE name = ? OR identity = ?", (user.name, user.identity))
    rotation = (user.rotation.former, user.rotation.signature) if user.rotation is not None else (None, None)
    connection.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?)", (user.name, user.identity, user.card, *rotation))
    if user.invite is not None:
        _drop_invite(connection, DropInvite(user.invite))
    mailbox, waiting = _first(connection, "SELECT id, letters FROM mailboxes WHERE owner = ?", (user.identity,), (0, 0))
    (last,) = _first(connection, "SELECT max(entry) FROM letters WHERE mailbox = ?", (mailbox,), ())
    return Bound(waiting, last or 0)


def _forget(connection: Connection, owner: bytes) -> None:
    """Nobody has this identity any more: its mailbox, and what it was to be told of others', go."""
    connection.execute("DELETE FROM receipts WHERE sender = ?", (owner,))
    for (mailbox,) in list(connection.execute("SELECT id FROM mailboxes WHERE owner = ?", (owner,))):
        connection.execute("DELETE FROM letters WHERE mailbox = ?", (mailbox,))
        connection.execute("DELETE FROM senders WHERE mailbox = ?", (mailbox,))
        connection.execute("UPDATE mailboxes SET letters = 0, of_strangers = 0 WHERE id = ?", (mailbox,))


def _release_name(connection: Connection, asked: ReleaseName) -> None:
    for (identity,) in list(connection.execute("SELECT identity FROM users WHERE name = ?", (asked.name,))):
        _forget(connection, identity)
    connection.execute("DELETE FROM users WHERE name = ?", (asked.name,))


def _ban_identity(connection: Connection, asked: BanIdentity) -> None:
    if asked.banned:
        connection.execute("INSERT INTO bans VALUES (?) ON CONFLICT DO NOTHING", (asked.identity,))
    else:
        connection.execute("DELETE FROM bans WHERE identity = ?", (asked.identity,))


def _save_invite(connection: Connection, invite: SaveInvite) -> None:
    connection.execute("INSERT INTO invites VALUES (?, ?) ON CONFLICT DO NOTHING", (invite.hash, invite.until_ms))


def _drop_invite(connection: Connection, invite: DropInvite) -> None:
    connection.execute("DELETE FROM invites WHERE hash = ?", (invite.hash,))


def _keep_letter(connection: Connection, asked: KeepLetter) -> Kept | Full:
    mailbox, last_entry, letters, of_strangers, sender, of_sender, known, there, entry, attempt = _first(
        connection, _PLACE, (asked.sender, asked.slot, asked.owner), (None, 0, 0, 0, None, 0, 0, None, 0, 0)
    )
    if there is not None and asked.attempt <= attempt:
        return Kept(entry, attempt)
    if there is not None:
        connection.execute("DELETE FROM letters WHERE rowid = ?", (there,))
    else:
        quota = asked.quota
        if (
            letters >= quota.mailbox_letters_max
            or of_sender >= quota.sender_letters_max
            or (not known and of_strangers >= quota.strangers_letters_max)
        ):
            return Full()
        mailbox = mailbox or _insert(connection, "INSERT INTO mailboxes VALUES (NULL, ?, 0, 0, 0)", asked.owner)
        sender = sender or _insert(connection, "INSERT INTO senders VALUES (NULL, ?, ?, 0, 0)", mailbox, asked.sender)
        _count_letters(connection, mailbox, sender, 1)
    connection.execute("UPDATE mailboxes SET last_entry = ? WHERE id = ?", (last_entry + 1, mailbox))
    row = (mailbox, last_entry + 1, sender, asked.slot, asked.attempt, asked.kept_ms, asked.letter)
    connection.execute("INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return Kept(last_entry + 1, asked.attempt)


def _count_letters(connection: Connection, mailbox: int, sender: int, more: int) -> None:
    """So many letters more of this sender are in the mailbox, or fewer."""
    connection.execute("UPDATE senders SET letters = letters + ? WHERE id = ?", (more, sender))
    connection.execute(
        "UPDATE mailboxes SET letters = letters + ?, of_strangers = of_strangers"
        " + ? * (SELECT NOT known FROM senders WHERE id = ?) WHERE id = ?",
        (more, more, sender, mailbox),
    )
    if more < 0:
        connection.execute("DELETE FROM senders WHERE id = ? AND letters = 0 AND NOT known", (sender,))


def _read_mail(connection: Connection, asked: ReadMail) -> MailPage:
    rows = connection.execute(
        "SELECT entry, senders.sender, slot, letter FROM mailboxes"
        " JOIN letters ON letters.mailbox = mailboxes.id JOIN senders ON senders.id = letters.sender"
        " WHERE owner = ? AND entry > ? ORDER BY entry LIMIT ?",
        (asked.owner, asked.after, asked.letters_max),
    )
    return MailPage(tuple(StoredLetter(*row) for row in rows))


def _collect_letters(connection: Connection, asked: CollectLetters) -> Receipts:
    letters, senders = 0, dict[bytes, None]()
    for collected in asked.entries:
        for row, slot, mailbox, sender, identity in list(connection.execute(_ENTRY, (asked.owner, collected.entry))):
            letters += 1
            if collected.outcome is Outcome.ACKNOWLEDGED:
                _make_known(connection, mailbox, sender)
            connection.execute("DELETE FROM letters WHERE rowid = ?", (row,))
            _count_letters(connection, mailbox, sender, -1)
            if collected.outcome is not Outcome.UNWANTED:
                _keep_receipt(connection, asked.owner, identity, slot, collected)
                senders[identity] = None
    for identity in senders:
        _trim_receipts(connection, asked.owner, identity, asked.receipts_max)
    left = "SELECT sender, slot, ack FROM receipts WHERE owner = ? AND entry = ?"
    entries = dict.fromkeys(collected.entry for collected in asked.entries)
    rows = (row for entry in entries for row in connection.execute(left, (asked.owner, entry)))
    return Receipts(tuple(KeptReceipt(*row) for row in rows), letters)


def _make_known(connection: Connection, mailbox: int, sender: int) -> None:
    (letters,) = _first(connection, "SELECT letters FROM senders WHERE id = ? AND NOT known", (sender,), (0,))
    if letters:
        connection.execute("UPDATE senders SET known = 1 WHERE id = ?", (sender,))
        connection.execute("UPDATE mailboxes SET of_strangers = of_strangers - ? WHERE id = ?", (letters, mailbox))


def _keep_receipt(connection: Connection, owner: bytes, sender: bytes, slot: bytes, collected: CollectedEntry) -> None:
    """As the newest; it takes the place of one for an earlier attempt."""
    connection.execute("DELETE FROM receipts WHERE sender = ? AND slot = ? AND owner = ?", (sender, slot, owner))
    connection.execute(
        "INSERT INTO receipts (sender, owner, entry, slot, ack) VALUES (?, ?, ?, ?, ?)",
        (sender, owner, collected.entry, slot, collected.ack),
    )


def _trim_receipts(connection: Connection, owner: bytes, sender: bytes, receipts_max: int) -> None:
    connection.execute(
        "DELETE FROM receipts WHERE made IN (SELECT made FROM receipts WHERE sender = ? AND owner = ?"
        " ORDER BY made DESC LIMIT -1 OFFSET ?)",  # -1: all that follow
        (sender, owner, receipts_max),
    )


def _read_receipts(connection: Connection, asked: ReadReceipts) -> Receipts:
    oldest = "SELECT sender, slot, ack FROM receipts WHERE sender = ? ORDER BY made LIMIT ?"
    rows = connection.execute(oldest, (asked.sender, asked.receipts_max))
    return Receipts(tuple(KeptReceipt(*row) for row in rows))


def _drop_receipts(connection: Connection, asked: DropReceipts) -> None:
    for slot in asked.slots:
        connection.execute("DELETE FROM receipts WHERE sender = ? AND slot = ?", (asked.sender, slot))


def _expire_letters(connection: Connection, asked: ExpireLetters) -> Expired:
    letters = 0
    # Left to itself the planner would read the whole table, to find it sorted.
    old = "SELECT DISTINCT mailbox, sender FROM letters INDEXED BY letters_by_age WHERE kept_ms < ?"
    for mailbox, sender in list(connection.execute(old, (asked.before_ms,))):
        young = "SELECT max(entry) FROM letters WHERE sender = ? AND kept_ms >= ?"
        (last,) = _first(connection, young, (sender, asked.before_ms), ())
        connection.execute(
            "DELETE FROM letters WHERE sender = ? AND kept_ms < ? AND entry > ?", (sender, asked.before_ms, last or 0)
        )
        (gone,) = _first(connection, "SELECT changes()", (), ())
        if gone:
            _count_letters(connection, mailbox, sender, -gone)
            letters += gone
    return Expired(letters)


def _insert(connection: Connection, sql: str, *values: int | bytes) -> int:
    """Insert a row; its id."""
    connection.execute(sql, values)
    (row,) = _first(connection, "SELECT last_insert_rowid()", (), ())
    return int(row)


def _first(connection: Connection, sql: str, parameters: tuple[Any, ...], default: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first row, or the default where there is none."""
    row: tuple[Any, ...] = next(iter(list(connection.execute(sql, parameters))), default)
    return row


class _Users(Iterable[BindUser]):
    """The directory, read a page at a time, as it lies in the file: at the start it need not be in memory twice."""

    def __init__(self, page: Callable[[int], list[tuple[Any, ...]]]) -> None:
        self._page = page

    def __iter__(self) -> Iterator[BindUser]:
        after = 0
        while rows := self._page(after):
            yield from (_user(*user) for _, *user in rows)
            after = rows[-1][0]


class SqliteServerStore(SqliteStore):
    """The store of one server; made by `create_server`."""

    schema = SERVER
    handlers = MappingProxyType(
        {
            BindUser: _bind_user,
            ReleaseName: _release_name,
            BanIdentity: _ban_identity,
            SaveInvite: _save_invite,
            DropInvite: _drop_invite,
            KeepLetter: _keep_letter,
            ReadMail: _read_mail,
            CollectLetters: _collect_letters,
            ReadReceipts: _read_receipts,
            DropReceipts: _drop_receipts,
            ExpireLetters: _expire_letters,
        }
    )

    async def letters(self) -> int:
        """How many letters are in mailboxes. Raises `StoreError`."""
        if self._writer is None:
            raise ValueError(f"{self.path} is closed")
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._answer, _letters)

    def load(self) -> ServerState:
        """What the core is to begin with; the users are read as they are asked for. Raises `StoreError`, as they do."""
        for (private,) in self._ask(lambda connection: list(connection.execute("SELECT private FROM me"))):
            users = _Users(lambda after: self._ask(partial(_users, after)))
            bans = self._ask(lambda connection: [row[0] for row in connection.execute("SELECT identity FROM bans")])
            invites = self._ask(lambda connection: list(connection.execute("SELECT hash, until_ms FROM invites")))
            return ServerState(private, users, tuple(bans), tuple(SaveInvite(*row) for row in invites))
        raise StoreCorrupt(f"{self.path} is damaged (it has no key): put back a backup, or begin with a new one")


def _letters(connection: Connection) -> int:
    (letters,) = _first(connection, "SELECT sum(letters) FROM mailboxes", (), (0,))
    return letters or 0


def _users(after: int, connection: Connection) -> list[tuple[Any, ...]]:
    page = "SELECT rowid, name, identity, card, former, signature FROM users WHERE rowid > ? ORDER BY rowid LIMIT ?"
    return list(connection.execute(page, (after, _USERS_PAGE)))


def _user(name: str, identity: bytes, card: bytes, former: bytes | None, signature: bytes | None) -> BindUser:
    rotation = None if former is None or signature is None else Rotation(former, signature)
    return BindUser(name, identity, card, rotation)
