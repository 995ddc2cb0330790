"""What the files of a client and of a server look like, in each of their versions."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Schema:
    """What kind of file it is.

    Attributes:
        application_id: SQLite's mark of the program that a file belongs to.
        what: for messages: "a client's store".
        steps: step n is the statements that make version n + 1 of version n.
    """

    application_id: int
    what: str
    steps: tuple[tuple[str, ...], ...]

    @property
    def version(self) -> int:
        """The newest."""
        return len(self.steps)


CLIENT: Final = Schema(
    application_id=0x75644301,
    what="a udpchat client's store",
    steps=(
        (
            """CREATE TABLE me (
                only INTEGER PRIMARY KEY CHECK (only = 1), name TEXT NOT NULL, server TEXT NOT NULL,
                identity BLOB NOT NULL, server_key BLOB, card_seq INTEGER NOT NULL, next_message INTEGER NOT NULL)""",
            "CREATE TABLE mail_keys (private BLOB PRIMARY KEY, made_ms INTEGER NOT NULL)",
            "CREATE TABLE pins (name TEXT PRIMARY KEY, identity BLOB NOT NULL)",
            """CREATE TABLE outgoing (
                secret BLOB PRIMARY KEY, message INTEGER NOT NULL, part INTEGER NOT NULL, parts INTEGER NOT NULL,
                recipient_name TEXT NOT NULL, sent_ms INTEGER NOT NULL, text TEXT NOT NULL,
                recipient BLOB, outcome TEXT)""",
            "CREATE INDEX outbox ON outgoing (message, part) WHERE outcome IS NULL",
            """CREATE TABLE inbox (
                sender BLOB NOT NULL, ack BLOB NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL,
                name TEXT NOT NULL, sent_ms INTEGER NOT NULL, received_ms INTEGER NOT NULL,
                part INTEGER NOT NULL, parts INTEGER NOT NULL, text TEXT NOT NULL,
                PRIMARY KEY (sender, ack))""",
            # `changed` grows with every change, and is never used twice: the order of the watermarks.
            """CREATE TABLE watermarks (
                changed INTEGER PRIMARY KEY AUTOINCREMENT, sender BLOB NOT NULL, epoch INTEGER NOT NULL,
                seq INTEGER NOT NULL, UNIQUE (sender, epoch))""",
            "CREATE INDEX watermarks_of_a_sender ON watermarks (sender)",
        ),
        (  # the identity before, and its signature for this one
            "ALTER TABLE me ADD COLUMN former BLOB",
            "ALTER TABLE me ADD COLUMN signature BLOB",
        ),
        (  # what was there before was seen when it came
            """CREATE TABLE unseen (
                entry INTEGER PRIMARY KEY AUTOINCREMENT, sender BLOB NOT NULL, ack BLOB NOT NULL,
                UNIQUE (sender, ack))""",
        ),
        ("ALTER TABLE pins ADD COLUMN verified INTEGER NOT NULL DEFAULT 0",),
        ("ALTER TABLE outgoing ADD COLUMN stored INTEGER NOT NULL DEFAULT 0",),  # on the server's disk, as it said
    ),
)

SERVER: Final = Schema(
    application_id=0x75645301,
    what="a udpchat server's store",
    steps=(
        (
            "CREATE TABLE me (only INTEGER PRIMARY KEY CHECK (only = 1), private BLOB NOT NULL)",
            "CREATE TABLE users (name TEXT PRIMARY KEY, identity BLOB NOT NULL UNIQUE, card BLOB NOT NULL)",
            """CREATE TABLE mailboxes (
                id INTEGER PRIMARY KEY, owner BLOB NOT NULL UNIQUE, last_entry INTEGER NOT NULL,
                letters INTEGER NOT NULL, of_strangers INTEGER NOT NULL)""",
            """CREATE TABLE senders (
                id INTEGER PRIMARY KEY, mailbox INTEGER NOT NULL, sender BLOB NOT NULL,
                letters INTEGER NOT NULL, known INTEGER NOT NULL, UNIQUE (mailbox, sender))""",
            # `sender` is the row of `senders`, which is of one mailbox.
            """CREATE TABLE letters (
                mailbox INTEGER NOT NULL, entry INTEGER NOT NULL, sender INTEGER NOT NULL, slot BLOB NOT NULL,
                attempt INTEGER NOT NULL, kept_ms INTEGER NOT NULL, letter BLOB NOT NULL,
                UNIQUE (mailbox, entry), UNIQUE (sender, slot))""",
            "CREATE INDEX letters_by_age ON letters (kept_ms)",
            """CREATE TABLE receipts (
                made INTEGER PRIMARY KEY AUTOINCREMENT, sender BLOB NOT NULL, owner BLOB NOT NULL,
                entry INTEGER NOT NULL, slot BLOB NOT NULL, ack BLOB)""",
            "CREATE UNIQUE INDEX receipt_of_an_entry ON receipts (owner, entry)",
            "CREATE UNIQUE INDEX receipt_of_a_slot ON receipts (sender, slot, owner)",
            "CREATE INDEX receipts_of_a_sender ON receipts (sender)",
            "CREATE INDEX receipts_of_a_pair ON receipts (sender, owner)",
        ),
        (
            # An earlier identity of the name that handed it to this one, and its signature.
            "ALTER TABLE users ADD COLUMN former BLOB",
            "ALTER TABLE users ADD COLUMN signature BLOB",
            "CREATE TABLE bans (identity BLOB PRIMARY KEY) WITHOUT ROWID",
            "CREATE TABLE invites (hash BLOB PRIMARY KEY, until_ms INTEGER NOT NULL) WITHOUT ROWID",
        ),
    ),
)
