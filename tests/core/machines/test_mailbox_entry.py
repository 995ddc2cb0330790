"""A stored letter's machine, by itself: pushed a few times, then done with or passed over."""

import pytest

from tests.core.machines.oracle import agrees
from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import SECOND, Instant
from udpchat_core.machines.mailbox_entry import MAILBOX_ENTRY, Do, MailboxEntry, MailboxLetter, Phase
from udpchat_core.table import step

NOW = Instant(1_000)


def letter(phase: Phase = Phase.STORED, tries: int = 0) -> MailboxLetter:
    return MailboxLetter(7, b"s" * 16, b"sealed", phase, tries, None)


def run(record: MailboxLetter, event: str, now: int = NOW) -> list[Do]:
    return list(step(MAILBOX_ENTRY, record, event, None, Instant(now)))


@pytest.mark.parametrize("tries", [0, 1, 2, 3])
def test_the_engine_does_what_the_table_does(tries: int) -> None:
    assert agrees(MailboxEntry, MAILBOX_ENTRY, lambda phase: letter(phase, tries), None, NOW) == 5


def test_a_letter_is_pushed_three_times_and_then_passed_over() -> None:
    """R-8.5-5 R-8.5-6: after 1, 2 and 4 seconds."""
    record, now, pushed = letter(), int(NOW), []
    assert run(record, MailboxEntry.offered, now) == [Do.PUSH]
    while record.due is not None:
        pushed.append((record.due - now) // SECOND)
        now = record.due
        intents = run(record, MailboxEntry.timed_out, now)
    assert (pushed, intents, record.phase) == ([1, 2, 4], [Do.PASS_OVER], Phase.STORED)


@pytest.mark.parametrize(
    ("event", "phase"),
    [
        (MailboxEntry.collected, Phase.COLLECTED),
        (MailboxEntry.returned, Phase.RETURNED),
        (MailboxEntry.expired, Phase.EXPIRED),
    ],
)
def test_what_left_the_mailbox_is_pushed_no_more(event: str, phase: Phase) -> None:
    """R-8.5-7."""
    record = letter()
    run(record, MailboxEntry.offered)
    assert run(record, event) == []
    assert (record.phase, record.due) == (phase, None)
    with pytest.raises(LocalProtocolError):
        run(record, MailboxEntry.timed_out)
