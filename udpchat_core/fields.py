"""The types of fields that messages and bodies are made of; strict, and checked once, at the boundary.

Some are plain values within bounds, some are codes, and some have fields of their own: a CBOR array in an array.
"""

import re
from enum import IntEnum
from typing import Annotated

from annotated_types import Ge, Len, Lt
from pydantic import AfterValidator, ConfigDict, StringConstraints
from pydantic.dataclasses import dataclass

from .limits import NAME_CHARS_MAX, NUMBER_LIMIT, TEXT_BYTES_MAX, TIME_S_LIMIT

STRICT = ConfigDict(strict=True)
"""No coercion: `True` is no number, `"1"` is none, a list is no tuple."""


def _fits_a_letter(text: str) -> str:
    if not 1 <= len(text.encode()) <= TEXT_BYTES_MAX:  # R-6.2-3
        raise ValueError(f"1 to {TEXT_BYTES_MAX} bytes of UTF-8")
    return text


# R-2.1-1: compared exactly; nothing that looks like an option, a path or another script's letter.
_NAME_PATTERN = rf"^[a-z0-9][a-z0-9_-]{{0,{NAME_CHARS_MAX - 1}}}$"
Name = Annotated[str, StringConstraints(pattern=_NAME_PATTERN)]
Number = Annotated[int, Ge(0), Lt(NUMBER_LIMIT)]  # R-3.2-5
Ordinal = Annotated[int, Ge(1), Lt(NUMBER_LIMIT)]
TimeS = Annotated[int, Ge(0), Lt(TIME_S_LIMIT)]  # R-3.2-6: seconds of Unix time
TimeMs = Annotated[int, Ge(0), Lt(TIME_S_LIMIT * 1_000)]  # milliseconds of Unix time
Text = Annotated[str, AfterValidator(_fits_a_letter)]
Bytes8 = Annotated[bytes, Len(8, 8)]
Bytes16 = Annotated[bytes, Len(16, 16)]
Bytes32 = Annotated[bytes, Len(32, 32)]
Bytes64 = Annotated[bytes, Len(64, 64)]


def is_name(text: str) -> bool:
    """Whether `text` is a name, to its very end."""
    return re.fullmatch(_NAME_PATTERN, text) is not None and not text.endswith("\n")


# --- codes ---


class Outcome(IntEnum):
    """What became of a stored letter at its recipient."""

    ACKNOWLEDGED = 1  # its owner has it on disk
    UNOPENABLE = 2  # no key of its owner opens it: its sender may seal it anew
    UNWANTED = 3  # no letter, or one that was given up and passed over


class Refusal(IntEnum):
    """Why a request was refused. The first two ask for patience, the others are answers."""

    QUOTA = 1  # the mailbox has no room for this sender
    BUSY = 2  # the server asks for patience
    UNKNOWN = 3  # nobody has this name or identity
    KEY_CHANGED = 4  # the name belongs to another identity now
    STALE_CARD = 5  # a card with a lower seq than the highest known, or one too far ahead of it
    TOO_LONG = 6  # more than this server keeps
    BANNED = 7  # this identity or name is not served here
    NAME_TAKEN = 8  # the name belongs to another identity
    TOO_MANY = 9  # more names watched, users, or new users from one network, than this server allows
    NOT_ADMITTED = 10  # this server takes invited or listed identities only
    NOT_REGISTERED = 11  # Register comes first on a link


class Scope(IntEnum):
    """What a Watch is about."""

    ALL = 1  # every user of the directory
    ADD = 2  # these names, besides those already watched
    REMOVE = 3  # these names no longer
    WATCHED = 4  # the names already watched


# --- arrays ---


@dataclass(frozen=True, slots=True, config=STRICT)
class Version:
    """How new a view of the directory is: `counter` grows within one `boot` of the server."""

    boot: Bytes8
    counter: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class ServerLimits:
    """What this server allows.

    Attributes:
        mailbox_letters_max: letters in one mailbox.
        sender_letters_max: letters of one sender in one mailbox.
        watched_names_max: names that one client watches.
        watch_all_users_max: users of the directory up to which all may be watched.
        requests_per_s_max: requests a second on one link.
    """

    mailbox_letters_max: Number
    sender_letters_max: Number
    watched_names_max: Number
    watch_all_users_max: Number
    requests_per_s_max: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class Rotation:
    """An identity hands its name to another: `signature`, by `former`, is over the one that follows and the name."""

    former: Bytes32
    signature: Bytes64


@dataclass(frozen=True, slots=True, config=STRICT)
class RosterEntry:
    """One user of the directory: whether online, and the seq of the card that the server holds."""

    name: Name
    online: bool
    card_seq: Number


@dataclass(frozen=True, slots=True, config=STRICT)
class CollectedEntry:
    """One stored letter the server may delete; `ack` is there exactly if it was acknowledged."""

    entry: Number
    outcome: Outcome
    ack: Bytes16 | None

    def __post_init__(self) -> None:
        if (self.ack is not None) != (self.outcome is Outcome.ACKNOWLEDGED):
            raise ValueError("an acknowledged letter has an ack, no other has")
