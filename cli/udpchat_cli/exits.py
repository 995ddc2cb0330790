"""What the exit status tells; the numbers are part of the command's interface, and stay."""

from enum import IntEnum


class Exit(IntEnum):
    """How the command ended."""

    DONE = 0  # what was asked for is done, or the level waited for is reached; a signal ended what has no other end
    INTERNAL = 1  # a fault of this program
    USAGE = 2  # the arguments are wrong, or the address or port that they name cannot be had
    UNKNOWN = 3  # nobody has that name
    UNREACHABLE = 4  # the server does not answer
    STORED = 5  # the message is on the server's disk, and not delivered yet
    REFUSED = 6  # the server does not take this client, or this message
    KEY_CHANGED = 7  # somebody, or the server, has another key than before, and nobody accepted it
    STATE = 8  # the state is locked, damaged or cannot be written; or standard output cannot
    QUEUED = 9  # the time is over: what was sent is on this disk, and sent once the server takes it
    INTERRUPTED = 130  # by a signal, before what was asked for was done


class Failed(Exception):
    """A command ends here: with this status, after one sentence that says what is wrong and what to do."""

    def __init__(self, status: Exit, why: str) -> None:
        super().__init__(why)
        self.status = status


class ReaderGone(Exception):
    """What is printed gets nowhere any more: a command ends, as there is nothing left to do.

    `failed` is None if whoever read it had enough, and the trouble if it is one.
    """

    def __init__(self, failed: Failed | None) -> None:
        super().__init__()
        self.failed = failed


def fault(error: Exception) -> str:
    """One line about a fault of this program, with what a report needs."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at is not None else "?"
    what = " ".join(str(error).split())
    return f"this is a fault of udpchat, please report it: {type(error).__name__} at {where}: {what}"
