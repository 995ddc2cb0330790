"""What the exit status tells; the numbers are part of the command's interface, and stay."""

from enum import IntEnum


class Exit(IntEnum):
    """How the command ended."""

    DONE = 0  # what was asked for is done; SIGINT and SIGTERM end a server or a client in order
    INTERNAL = 1  # a fault of this program
    USAGE = 2  # the arguments are wrong, or the address or port that they name cannot be had
    UNREACHABLE = 4  # the server does not answer
    REFUSED = 6  # the server does not take this client
    KEY_CHANGED = 7  # whoever answers has another key than the server had, and nobody accepted it
    STATE = 8  # the state is locked, damaged or cannot be written
    QUEUED = 9  # the input ended, and so did the wait for what was sent: it is on disk, and sent at the next start
    INTERRUPTED = 130  # by a second signal, without waiting for anything
