"""Letters, as a store gives them to who reads in it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptLetter:
    """A letter in a client's inbox, as `EnterLetter` put it there.

    Attributes:
        entry: grows from letter to letter.
        sender: I of the sender.
        ack: with `sender`, which letter it is.
        name: what the sender calls itself.
        confirmed: whether that name is pinned to the sender.
        sent_ms: by the sender's clock, milliseconds of Unix time.
        received_ms: by this one's.
        part: which part of a text, from 1.
        parts: how many parts the text has.
        text: of this part.
    """

    entry: int
    sender: bytes
    ack: bytes
    name: str
    confirmed: bool
    sent_ms: int
    received_ms: int
    part: int
    parts: int
    text: str
