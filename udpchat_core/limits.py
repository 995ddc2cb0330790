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
