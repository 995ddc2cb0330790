"""The two errors: one for remote bytes, one for the caller."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a datagram was refused: a closed list, counted by the driver, never logged one by one."""

    SIZE = "size"  # longer than a datagram may be, or not as long as its type is
    MAGIC = "magic"  # not this protocol
    VERSION = "version"  # this protocol, another version
    TYPE = "type"  # no such datagram type, or one that is not for this side
    PADDING = "padding"  # padding that is not zero
    CBOR = "cbor"  # not one well-formed data item, or deeper, or with tags or indefinite lengths
    NOT_CANONICAL = "not canonical"  # not the deterministic encoding
    MESSAGE = "message"  # no such message, or none at all, or too many
    FIELDS = "fields"  # a field is missing, too much, of another type or out of its range
    TOKEN = "token"  # noqa: S105 - a reason, not a secret: no token of this server for this address and minute
    KEY = "key"  # no key here has this id
    SEAL = "seal"  # not sealed for this key, or changed on the way
    POINT = "point"  # a public key of small order
    SIGNATURE = "signature"  # not signed by the identity that it names, or that is no point
    EXPIRED = "expired"  # a card past its day
    NAME = "name"  # a card for another name than the one asked for
    STATIC = "static"  # a card whose live key is not the one that the handshake proved
    LINK = "link"  # no link with this index, or not the handshake that was begun
    REPLAY = "replay"  # a record seen before, or too old to tell
    COUNTER = "counter"  # a record counter that Noise reserves
    BUSY = "busy"  # more than is kept ahead of a gap, a disk or a cap: as if it were lost
    PREFIX_RATE = "prefix rate"  # more handshakes than one network may ask for in a second
    TOTAL_RATE = "total rate"  # more handshakes than are done in a second
    SESSION_RATE = "session rate"  # more requests than one session may make in a second
    STRANGER_RATE = "stranger rate"  # more letters of strangers than are opened in a second


class BadDatagram(Exception):
    """The one error that remote bytes may raise, out of functions that end in `_untrusted` only.

    `reason` says why, from the closed list.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class LocalProtocolError(Exception):
    """The caller, or this program, did what the protocol does not allow."""
