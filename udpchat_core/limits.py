"""Every cap of the protocol, with unit and reason; `spec/07-limits.md` is generated from this file.

Each assignment is followed by its reason. A cap that bounds bytes is asserted where the bytes are made.
"""

from typing import Final

DATAGRAM_BYTES_MAX: Final = 1_200
"""Passes every path without fragmentation, tunnels included (as QUIC, RFC 9000 section 14)."""

NUMBER_LIMIT: Final = 2**48
"""Numbers stay below it: exact in every language's floating point, and at most 9 bytes in CBOR."""

TIME_S_LIMIT: Final = 253_402_300_800
"""Seconds of Unix time, 10000-01-01T00:00:00Z: times stay below it, so every library can print them."""

NAME_CHARS_MAX: Final = 32
"""Fits a column of a terminal, and a roster page."""

TEXT_BYTES_MAX: Final = 800
"""UTF-8 bytes of text in one letter, so that it fits a datagram directly, in Store and in Mail alike."""

PARTS_MAX: Final = 83
"""Letters a text may be split into: 64 KiB at no fewer than 797 bytes each (800, cut at a code point)."""

CARD_BYTES_MAX: Final = 220
"""The longest name and the longest numbers."""

CARD_BYTES_MIN: Final = 172
"""A card with a name of one character and the smallest numbers: what is shorter is none."""

LETTER_BYTES_MAX: Final = 1_048
"""A whole LETTER with the longest name, numbers and text."""

LETTER_BYTES_MIN: Final = 181
"""A LETTER with a name and a text of one character and the smallest numbers."""

RECORD_MESSAGES_MAX: Final = 64
"""Messages in one RECORD: bounds the work that one datagram asks for."""

PADDING_BYTES_MAX: Final = 64
"""Zeros in one Padding: a client needs 33 to make its shortest RECORD as long as a RETRY."""

ACKS_MAX: Final = 74
"""Acknowledgements of 16 bytes that fill a datagram."""

ROSTER_ENTRIES_MAX: Final = 24
"""Entries of a roster page: the longest of them fill a RECORD."""

WATCH_NAMES_MAX: Final = 32
"""Names in one Watch: the longest of them fill a RECORD; interest of up to 256 names takes several."""

COLLECTED_ENTRIES_MAX: Final = 38
"""Entries of one Collected: the longest of them fill a RECORD."""

NOTED_SLOTS_MAX: Final = 64
"""Slots of one Noted: they fill a RECORD."""

CARD_JUMP_MAX: Final = 2**32
"""How far a card's seq may go ahead of the highest known at once: a restored client never needs more."""

CARD_SEQ_FIRST_LIMIT: Final = 2**30
"""The first seq of an identity is drawn below it, so that a seq also tells the cards of two owners of a name apart."""

CARD_GRACE_S: Final = 86_400
"""How long past its expiry a card is accepted: clocks are off by hours, time zones by a day."""

TOKEN_EPOCH_US: Final = 60_000_000
"""Life of a token's epoch; two are accepted, so a token lives one to two minutes."""

REPLAY_WINDOW_RECORDS: Final = 1_024
"""How far a record may fall behind the newest: more than a socket buffer of them."""

OPENING_KEYS_MAX: Final = 16
"""Keys that a client opens letters with: L, the previous L, M and those of the last 15 days, with room."""

AEAD_CACHE_KEYS: Final = 1_024
"""Keyed AEAD objects kept (2,400 bytes each); beyond it they are made again, at a microsecond each."""

KEY_CACHE_KEYS: Final = 16
"""Private keys kept in the form that OpenSSL works with (making it costs as much as using it): a process has
a few, and a handshake's own goes as others follow."""

# --- sending ---

DIRECT_RETRY_US: Final = (100_000, 150_000, 250_000)
"""Waits after each direct try where the path is not known to be slower: 500 ms in all, as the classic has it."""

DIRECT_WAIT_US_MAX: Final = 1_000_000
"""The longest wait after one direct try: three of them are the 3 s after which the mailbox takes over."""

PTO_DURABLE_US: Final = 25_000
"""What a recipient's disk may take before it acknowledges."""

PTO_GRANULARITY_US: Final = 1_000
"""The least variation counted in a path's timeout (as kGranularity, RFC 9002 section 6.1.2)."""

AMBIGUOUS_ACKS_MAX: Final = 8
"""Acknowledgements in a row that do not measure a path because they may answer a retry; then one does after all: a
path that has become slower than the retries has no others."""

DIRECT_WINDOW_LETTERS: Final = 64
"""How far direct letters may run ahead of the lowest unacknowledged one: what a recipient holds ahead of a gap."""

STORED_WINDOW_LETTERS: Final = 32
"""How far Stores may run ahead of the lowest letter neither stored nor final: later ones could jam the mailbox."""

CONGESTION_WINDOW_MIN: Final = 2
"""Direct letters in flight on a path after losses: one could wait for a timer every time."""

CONGESTION_WINDOW_START: Final = 16
"""Direct letters in flight on a path not known yet: 17 KB, close to what RFC 6928 starts with."""

CONGESTION_WINDOW_MAX: Final = 256
"""Direct letters in flight on the best of paths."""

PACING_PERCENT: Final = 125
"""Of a window a round trip, which is the rate that letters are spread to: somewhat more, so that pacing itself does
not keep a window from being used (RFC 9002 section 7.7)."""

PACED_BURST_LETTERS_MAX: Final = 4
"""Letters that may leave at once on a path that was idle; the others of a long text follow in their time."""

PACED_BURST_US: Final = 2_000
"""Letters due within it leave together: on a fast path they are microseconds apart, and a wake-up for each would cost
more than a full queue is worth. No wake-up for pacing comes sooner."""

STORE_BACKOFF_US_MIN: Final = 500_000
"""The first wait after the mailbox had no room."""

STORE_BACKOFF_US_MAX: Final = 60_000_000
"""The longest wait after the mailbox had no room: what strangers stuffed must not hold up two who are both there."""

STORED_RETRY_US_MIN: Final = 30_000_000
"""The first wait before a stored message is tried again, and every wait while its recipient is online."""

STORED_RETRY_US_MAX: Final = 300_000_000
"""The longest wait before a stored message is stored again: a mailbox may lose mail, the sender does not."""

RESEAL_RETRY_US: Final = 30_000_000
"""How often a newer card is asked for, for a letter that came back unopened."""

OUTBOX_DAYS_MAX: Final = 14
"""How long an unconfirmed message is tried: longer than a holiday, shorter than a mail key is kept."""

OUTBOX_LETTERS_MAX: Final = 8_192
"""Letters in an outbox: ten megabytes; a further message is refused, and its user told."""

TEXT_PARTS_BYTES_MAX: Final = 65_536
"""UTF-8 bytes of one message: longer is a file."""

# --- receiving ---

HELD_LETTERS_PER_SENDER_MAX: Final = 64
"""Letters of one sender held ahead of a gap: the direct window."""

HELD_LETTERS_MAX: Final = 4_096
"""Letters held ahead of gaps in all: six megabytes."""

EPOCHS_PER_SENDER_MAX: Final = 8
"""Epochs of a sender that are remembered: copies from before its last restarts may still be under way."""

SENDERS_MAX: Final = 4_096
"""Senders whose order is in memory; the least recently heard goes, and its next letter's floor says where it is."""

PINS_MAX: Final = 16_384
"""Names pinned to identities; beyond it a new contact is refused."""

STRANGER_PINS_MAX: Final = 8_192
"""Names up to which those of strangers who write are pinned too: half, so that they leave room for whom a user writes
to. Beyond it a stranger's name is confirmed each time."""

ENTERING_LETTERS_MAX: Final = 1_024
"""Letters on their way to the disk: what comes while it is slower is refused, and comes again."""

COPIES_MAX: Final = 16
"""Addresses, and entries of the mailbox, that one letter under way is acknowledged to."""

STRANGER_LETTERS_PER_S_MAX: Final = 200
"""Letters a second that are tried from addresses that are not known: at 0.1 ms, 2 % of a core. More is as if lost."""

KNOWN_SOURCES_MAX: Final = 4_096
"""Addresses that are known, of contacts and of letters that were opened: as many as contacts."""

# --- a client's session ---

SERVER_TRY_US: Final = 500_000
"""Wait for an answer of the server before the next try."""

SERVER_TRIES_MAX: Final = 5
"""Tries without an answer, after which the server counts as unreachable (the classic's)."""

UNREACHABLE_RETRY_US_MIN: Final = 1_000_000
"""The first wait before an unreachable server is greeted again; it doubles."""

UNREACHABLE_RETRY_US_MAX: Final = 30_000_000
"""The longest wait before an unreachable server is greeted again."""

PING_US: Final = 20_000_000
"""Keepalive: shorter than the 30 s after which the strictest NATs forget a UDP binding (RFC 4787 REQ-5)."""

PING_JITTER_US: Final = 4_000_000
"""How much earlier a keepalive may come, so that clients started together do not stay together."""

LIVE_KEY_US: Final = 3_600_000_000
"""Life of a live key, an hour; it is kept as long again to open what was sealed to it."""

RENEWAL_RETRY_US: Final = 30_000_000
"""Wait before the next handshake beside a good link, if the server gave a token twice and did no handshake."""

STALE_CARDS_MAX: Final = 3
"""How often in a row a client follows *stale card* with another handshake: the first tells the highest seq, and others
of its identity may come in between. Beyond it is a refusal."""

LIVE_KEYS_MAX: Final = 4
"""Live keys kept: that of the link, and the last before it."""

MAIL_KEY_DAYS: Final = 7
"""Age at which a new mail key is made."""

MAIL_KEY_KEPT_DAYS: Final = 15
"""How long a mail key is kept after its replacement: a day longer than its senders try."""

MAIL_KEYS_MAX: Final = 12
"""Mail keys kept; with live keys, no more than `OPENING_KEYS_MAX`. No new one is made beyond it."""

CARD_LIFE_S: Final = 90 * 86_400
"""Life of a card from when it was made."""

HINT_US: Final = 5_000_000
"""A client follows at most one RETRY that it did not ask for in this time: anybody on the path can forge one."""

SENT_RECORDS_REMEMBERED: Final = 64
"""Beginnings of RECORDs that a RETRY may echo: more than are under way."""

REQUESTS_IN_FLIGHT_MAX: Final = 32
"""Requests sent and not answered; further ones wait in order."""

POSTPONED_S_MAX: Final = 300
"""The longest that a busy server can make a client wait before it asks again."""

CONTACTS_MAX: Final = 4_096
"""Names that a client keeps cards and addresses of; the least recently used without messages goes."""

EXPIRY_CHECK_US_MIN: Final = 60_000_000
"""Wait after registering before anything is given up, so that receipts come first."""

EXPIRY_CHECK_US: Final = 3_600_000_000
"""How often it is looked for what is to be given up."""

CARD_CHECK_US: Final = 1_000_000
"""Wait between look-ups of contacts whose card changed: after a restart of the server all of them did."""

ROSTER_USERS_MAX: Final = 1_000
"""Users up to which a client watches the whole directory: beyond it a change of everybody costs too much."""

LOOKUP_PATIENCE_US: Final = 250_000
"""How long the directory may take before a contact is tried with the card and address that are known."""

LOOKUP_TTL_S: Final = 60
"""How long an answer to Lookup may be kept."""

LOOKUP_NEGATIVE_TTL_S: Final = 10
"""How long "unknown" may be believed."""

NAME_WAIT_US: Final = 1_000_000
"""How long a letter of an unknown sender waits, on disk already, for the directory to confirm its name."""

STRANGER_NAMES_PER_S_MAX: Final = 25
"""Names of unknown senders that the directory is asked about, a second: half of what a session may ask. A letter beyond
is told at once, its name not confirmed, so that no crowd of strangers stands in line before a user's own requests."""

STORAGE_RETRY_US: Final = 200_000
"""Wait before a failed request to the store is made again; it doubles."""

STORAGE_RETRY_US_MAX: Final = 5_000_000
"""The longest wait before a failed request to the store is made again."""

# --- the server ---

PENDING_LINKS_MAX: Final = 4_096
"""Links that no RECORD has confirmed yet, in all: four megabytes. At the cap an INIT is refused, and comes again."""

PENDING_LINKS_PER_ADDRESS_MAX: Final = 8
"""Links that no RECORD has confirmed yet, of one address: a client needs one, a few share an address and port."""

PENDING_LINK_US: Final = 10_000_000
"""How long a link waits for the RECORD that confirms it: the tries of a client, and a slow path."""

CONFIRMING_SESSIONS_MAX: Final = 4_096
"""Links confirmed but not registered: at the cap the first RECORD of a further one is refused, and comes again."""

INITS_PER_S_MAX: Final = 1_000
"""INITs a second that are answered, in all: handshakes, at 0.3 to 0.4 ms, take less than half of a core, and the rest
is for those who are there. It is the rate of hints too, so that whoever is called can come."""

INITS_PER_PREFIX_PER_S_MAX: Final = 5
"""INITs a second that are answered of one IPv4 address or IPv6 /56, which is what one subscriber has: a client needs
one an hour, and those behind one address come one after the other."""

INIT_PREFIXES_MAX: Final = 4_096
"""Prefixes whose bucket is kept while it is not full: more than `INITS_PER_S_MAX` lets through meanwhile."""

NEW_NAMES_PER_PREFIX_MAX: Final = 60
"""New identities of one IPv4 address or IPv6 /56 that are registered in `NEW_NAMES_PERIOD_US`: a class behind one
router comes in at once, and nobody takes all names."""

NEW_NAMES_PERIOD_US: Final = 3_600_000_000
"""An hour, in which `NEW_NAMES_PER_PREFIX_MAX` new identities may come, one a minute once they are used up."""

INVITES_MAX: Final = 4_096
"""Invitations that nobody used yet; at the cap a further one is not made."""

INVITE_DAYS: Final = 14
"""How long an invitation may be used: what lies about for longer is found by somebody else."""

BANS_MAX: Final = 65_536
"""Identities that are banned: six megabytes. At the cap a further ban is not made."""

HINTS_PER_S_MAX: Final = 1_000
"""RETRYs in all, a second, that answer no HELLO: 67 KB/s; after a restart 60,000 clients are called in a minute."""

ADDRESSES_CACHED_MAX: Final = 4_096
"""Addresses kept unpacked, of those that were sent to last; the others are unpacked again, at 2 microseconds."""

SILENCE_S: Final = 60
"""Without an authentic RECORD for so long, a session lapses: three keepalives."""

LINK_KEPT_S: Final = 3_600
"""How long a lapsed or left link is kept: the life of the live key behind it."""

USERS_MAX: Final = 250_000
"""Users of a directory: 150 megabytes with all of them online. At the cap a new identity is refused."""

WATCHED_NAMES_MAX: Final = 256
"""Names that one session watches: the people of one screen, many times over."""

WATCHED_NAMES_TOTAL_MAX: Final = 1_000_000
"""Names watched by all sessions together: 300 megabytes. At the cap a further Watch is told to wait."""

WATCH_ALL_USERS_MAX: Final = 1_000
"""Users up to which a session may watch all: beyond it, telling all about all takes more than it gives."""

DIRECTORY_CHANGES_MAX: Final = 4_096
"""Names whose last change is remembered: who asks about what changed before the oldest of them gets everything."""

ROSTER_PUSH_US: Final = 1_000_000
"""How often a session is told, at most, that what it watches changed: changes in between are merged."""

SESSION_REQUESTS_PER_S_MAX: Final = 50
"""Requests a second that are looked at in one session, and that its client is told: what 32 in flight
need over a path of 640 ms. Beyond it they are refused with *busy*."""

REQUESTS_WAIT_S: Final = 1
"""How long a client waits that asked too much: by then its bucket is full again."""

SESSION_BUCKETS_MAX: Final = 16_384
"""Sessions whose bucket is kept while it is not full: more than a server answers within the second that it takes."""

STORE_REQUESTS_MAX: Final = 16_384
"""Requests to the store without an answer: 20 megabytes of letters. At the cap clients are told to wait."""

BUSY_WAIT_S: Final = 2
"""How long a client waits that was told to."""

QUOTA_WAIT_S: Final = 60
"""How long a sender is told to wait for room in a mailbox: as its owner has to come back, a minute is soon."""

MAILBOX_LETTERS_MAX: Final = 4_096
"""Letters in one mailbox: five megabytes."""

MAILBOX_SENDER_LETTERS_MAX: Final = 256
"""Letters of one sender in one mailbox: nobody fills it alone."""

MAILBOX_STRANGERS_LETTERS_MAX: Final = 1_024
"""Letters in one mailbox of senders that its owner never collected from: a quarter, however many they are."""

LETTER_DAYS_MAX: Final = 15
"""How long a letter stays in a mailbox: a day longer than its sender tries, as long as its key is kept."""

EXPIRY_US: Final = 3_600_000_000
"""How often letters past their days are deleted."""

MAIL_PAGE_LETTERS: Final = 32
"""Letters of one mailbox that are under way at once: 35 KB, which a socket buffer holds."""

MAIL_PAGES_MAX: Final = 1_024
"""Mailboxes with letters under way at once: 36 megabytes. The others wait in line."""

MAIL_TRY_US: Final = 1_000_000
"""Wait for an answer to a pushed letter; it doubles."""

MAIL_TRIES_MAX: Final = 3
"""Pushes of a letter, after which it is passed over, so that what comes after it is not held up."""

MAIL_PAUSE_US_MIN: Final = 1_000_000
"""The first wait before a mailbox is gone through again for what was passed over; it doubles without progress."""

MAIL_PAUSE_US_MAX: Final = 30_000_000
"""The longest wait before a mailbox is gone through again."""

RECEIPTS_PER_PAIR_MAX: Final = 256
"""Receipts kept of one sender and owner: as many as the letters that one may have in the mailbox of the other."""

RECEIPTS_PAGE: Final = 64
"""Receipts of one session that are under way at once: as many as one Noted answers."""

RECEIPT_PAGES_MAX: Final = 4_096
"""Sessions with receipts under way at once: 60 megabytes. The others wait in line."""

RECEIPT_TRY_US: Final = 1_000_000
"""Wait for an answer to pushed receipts; it doubles."""

RECEIPT_TRY_US_MAX: Final = 30_000_000
"""The longest wait before receipts are pushed again."""
