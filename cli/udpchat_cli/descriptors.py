"""Standard input and output below what Python makes of them: no buffer to flush at the end, no error at exit."""

import os
import select
from typing import TextIO

_READ_BYTES = 1 << 16


def descriptor(stream: TextIO | None) -> int | None:
    """The stream's file descriptor; None if it has none, as when it was closed before the program began."""
    try:
        return stream.fileno() if stream is not None else None
    except (OSError, ValueError):
        return None


def read_some(at: int | None) -> bytes:
    """What there is, waiting for it; nothing at the end."""
    while at is not None:
        try:
            return os.read(at, _READ_BYTES)
        except BlockingIOError:  # somebody who shares it made it so
            select.select([at], [], [])
        except OSError:  # the terminal is gone
            break
    return b""


def write_all(at: int, text: str, encoding: str = "utf-8") -> None:
    """All of it, waiting for whoever reads it. Raises `OSError` if nobody does any more."""
    left = memoryview(text.encode(encoding, "backslashreplace"))
    while left:
        try:
            left = left[os.write(at, left) :]
        except BlockingIOError:  # somebody who shares it made it so
            select.select([], [at], [])
