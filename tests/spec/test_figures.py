"""The figures in the words of requirements are those of `limits.py`: change the one, and the other is wrong.

What vectors hold fast (sizes of fields, labels, offsets: sections 2.2, 2.4, 2.5, 3.2, 4.1, 4.2 and 6) is not looked at.
"""

import re
from collections.abc import Mapping

import pytest

from spec.tools.requirements import our_sections, requirements
from udpchat_core import limits as of
from udpchat_core.wire import RETRY_BYTES

TEXTS = {each.id: each.text for each in requirements(our_sections())[0]}
ELSEWHERE = re.compile(r"R-(2\.2|2\.4|2\.5|3\.2|4\.1|4\.2|4\.4-[1235]|5\.1-3|6\.1|6\.3)")
REFERENCES = re.compile(r"R-[\d.]+-\d+|[Ss]ections? [\d.]+|RFC \d+|`[^`]*`|IPv[46]|X25519|Ed25519|UTF-8")
MS, S = 1_000, 1_000_000
FIRST, SECOND = of.DIRECT_RETRY_US[0], sum(of.DIRECT_RETRY_US[:2])

FIGURES: Mapping[str, tuple[str, ...]] = {
    "R-2.3-3": (
        f"more than {of.CARD_GRACE_S:,} seconds",
        f"+ {of.CARD_GRACE_S:,} it is",
        f"{of.CARD_LIFE_S // 86_400} days",
    ),
    "R-2.3-6": (f"2^{of.CARD_JUMP_MAX.bit_length() - 1} above",),
    "R-2.3-7": (f"here after {of.LOOKUP_NEGATIVE_TTL_S} seconds",),
    "R-3.1-1": (f"fewer than 3 or more than {of.DATAGRAM_BYTES_MAX:,} bytes",),
    "R-3.3-2": (f"more than {of.DATAGRAM_BYTES_MAX:,} bytes",),
    "R-4.4-4": (f"{of.REPLAY_WINDOW_RECORDS:,} or more below",),
    "R-5.1-2": (f"1 to {of.RECORD_MESSAGES_MAX} messages",),
    "R-5.1-5": (f"{RETRY_BYTES} bytes",),
    "R-5.2-1": (f"at least 1 and at most {of.POSTPONED_S_MAX}",),
    "R-6.2-3": (f"1 to {of.TEXT_BYTES_MAX} bytes", f"at most {of.PARTS_MAX} parts"),
    "R-8.1-3": (f"{of.PENDING_LINKS_MAX:,}, {of.PENDING_LINKS_PER_ADDRESS_MAX} and {of.PENDING_LINK_US // S} seconds",),
    "R-8.1-5": (f"{of.HINTS_PER_S_MAX:,} a second",),
    "R-8.2-9": (f"{of.SILENCE_S} seconds",),
    "R-8.4-1": (f"more than {of.WATCH_ALL_USERS_MAX:,} users",),
    "R-8.4-2": (f"more than {of.WATCHED_NAMES_MAX} names",),
    "R-8.5-4": (
        f"{of.MAILBOX_LETTERS_MAX:,}, {of.MAILBOX_SENDER_LETTERS_MAX} and {of.MAILBOX_STRANGERS_LETTERS_MAX:,}.",
    ),
    "R-8.5-5": (
        f"after {of.MAIL_TRY_US // S} and {2 * of.MAIL_TRY_US // S} seconds",
        f"{4 * of.MAIL_TRY_US // S} seconds later",
        f"a pause of {of.MAIL_PAUSE_US_MIN // S} to {of.MAIL_PAUSE_US_MAX // S} seconds",
    ),
    "R-8.5-6": (f"At most {of.MAIL_PAGE_LETTERS} letters",),
    "R-8.5-7": (f"{of.LETTER_DAYS_MAX} days",),
    "R-8.5-8": (f"those of {of.MAIL_PAGES_MAX:,} mailboxes",),
    "R-8.6-2": (
        f"after {of.RECEIPT_TRY_US // S} second, doubling to {of.RECEIPT_TRY_US_MAX // S},",
        f"At most {of.RECEIPTS_PAGE} are",
    ),
    "R-8.8-1": ("IPv6 /56", f"here to {of.INITS_PER_PREFIX_PER_S_MAX} a second"),
    "R-8.8-2": (f"here to {of.INITS_PER_S_MAX:,} a second",),
    "R-8.8-3": (f"here to {of.SESSION_REQUESTS_PER_S_MAX} a second", f"*busy* and {of.REQUESTS_WAIT_S} second"),
    "R-8.9-4": (f"here {of.INVITE_DAYS} days",),
    "R-8.9-5": (f"here {of.NEW_NAMES_PER_PREFIX_MAX} at once and one a minute",),
    "R-9.1-2": (f"the last {of.LIVE_KEYS_MAX} at most",),
    "R-9.1-4": (f"in {of.HINT_US // S} seconds",),
    "R-9.1-5": (
        f"{of.SERVER_TRIES_MAX} tries, {of.SERVER_TRY_US // MS} ms apart",
        f"after {of.UNREACHABLE_RETRY_US_MIN // S} s, then {2 * of.UNREACHABLE_RETRY_US_MIN // S}",
        f"up to {of.UNREACHABLE_RETRY_US_MAX // S} s",
        f"(1, 2, 4, 8, 16, {of.UNREACHABLE_RETRY_US_MAX // S}, {of.UNREACHABLE_RETRY_US_MAX // S} ...",
    ),
    "R-9.1-8": (f"until {of.MAIL_KEY_KEPT_DAYS} days after", f"those {of.MAIL_KEY_KEPT_DAYS} days"),
    "R-9.1-9": (f"from 1 to 2^{of.CARD_SEQ_FIRST_LIMIT.bit_length() - 1}",),
    "R-9.1-10": (f"1 second to {of.POSTPONED_S_MAX // 60} minutes",),
    "R-9.1-12": (f"here after {of.RENEWAL_RETRY_US // S} seconds",),
    "R-9.2-6": (f"fewer than {of.STRANGER_PINS_MAX:,} names",),
    "R-9.3-2": (f"plus {of.DIRECT_WINDOW_LETTERS}, ", f"plus {of.STORED_WINDOW_LETTERS}."),
    "R-9.3-3": (f"again {FIRST // MS} and {SECOND // MS} ms later", f"at most {of.DIRECT_WAIT_US_MAX // S} s apart"),
    "R-9.3-4": (
        f"after {of.STORED_RETRY_US_MIN // S} s, doubling up to {of.STORED_RETRY_US_MAX // S} s",
        f"every {of.STORED_RETRY_US_MIN // S} s",
    ),
    "R-9.3-8": (f"from {of.STORE_BACKOFF_US_MIN // MS} ms to {of.STORE_BACKOFF_US_MAX // S} s",),
    "R-9.3-9": (f"{of.OUTBOX_DAYS_MAX} days",),
    "R-9.3-11": (f"within {of.LOOKUP_PATIENCE_US // MS} ms",),
    "R-9.3-13": (
        f"{of.CONGESTION_WINDOW_START} to start",
        f"in {of.DIRECT_RETRY_US[0] // MS} ms if that is longer",
        f"{of.CONGESTION_WINDOW_MIN} to {of.CONGESTION_WINDOW_MAX}.",
    ),
    "R-9.3-14": (f"up to {of.PACED_BURST_LETTERS_MAX} letters", f"within {of.PACED_BURST_US // MS} ms"),
    "R-9.3-16": ("2^16 times", "16 random bits", f"2^{of.NUMBER_LIMIT.bit_length() - 1} - 1"),
    "R-9.3-17": (f"1 to {of.LOOKUP_TTL_S} seconds",),
    "R-9.4-5": (
        f"at most {of.HELD_LETTERS_PER_SENDER_MAX} letters",
        f"{of.HELD_LETTERS_MAX:,} in all",
        f"{of.EPOCHS_PER_SENDER_MAX} epochs",
        f"{of.HELD_LETTERS_PER_SENDER_MAX} is a count",
    ),
    "R-9.4-8": (f"here {of.STRANGER_LETTERS_PER_S_MAX} a second", f"the last {of.KNOWN_SOURCES_MAX:,} of"),
    "R-9.4-9": (f"here {of.STRANGER_NAMES_PER_S_MAX} a second",),
    "R-9.4-12": (f"the {of.HELD_LETTERS_PER_SENDER_MAX}th",),
}

PROSE: tuple[tuple[str, str], ...] = (
    ("01-introduction.md", f"over {of.DATAGRAM_BYTES_MAX:,} bytes"),
    ("01-introduction.md", f"Ping every {of.PING_US // S} seconds"),
    ("01-introduction.md", f"after {FIRST // MS} and {SECOND // MS} ms"),
    ("01-introduction.md", f"After {of.OUTBOX_DAYS_MAX} days"),
    ("05-messages.md", f"is taken as 1 to {of.LOOKUP_NEGATIVE_TTL_S} seconds"),
    ("06-letters.md", f"1 to {of.ACKS_MAX} acknowledgements"),
    ("08-directory-and-mailboxes.md", f"the newest {of.RECEIPTS_PER_PAIR_MAX} of a"),
    ("09-delivery.md", f"given up after {of.OUTBOX_DAYS_MAX} days"),
    ("09-delivery.md", f"It is tried {of.SERVER_TRIES_MAX} times, {of.SERVER_TRY_US // MS} ms apart"),
    ("09-delivery.md", f"every {(of.PING_US - of.PING_JITTER_US) // S} to {of.PING_US // S} s"),
    ("09-delivery.md", f"max(4 rttvar, {of.PTO_GRANULARITY_US // MS} ms) + {of.PTO_DURABLE_US // MS} ms"),
    ("09-delivery.md", f"or if the {of.AMBIGUOUS_ACKS_MAX} before it did"),
    ("09-delivery.md", f"up to {len(of.DIRECT_RETRY_US) * of.DIRECT_WAIT_US_MAX // S} s after the first copy"),
    ("09-delivery.md", f"has at most {of.TEXT_PARTS_BYTES_MAX:,} bytes of UTF-8, in at most {of.PARTS_MAX} parts"),
    ("09-delivery.md", f"at most {of.WATCHED_NAMES_MAX}, and besides"),
    ("09-delivery.md", f"names to add, {of.WATCH_NAMES_MAX} at a time"),
    ("12-privacy.md", f"collected, or {of.LETTER_DAYS_MAX} days"),
    ("12-privacy.md", f"the newest {of.RECEIPTS_PER_PAIR_MAX} of each pair"),
    ("12-privacy.md", f"used, or {of.INVITE_DAYS} days"),
    ("12-privacy.md", f"{of.LETTER_BYTES_MIN - 1} to {of.LETTER_BYTES_MAX - of.TEXT_BYTES_MAX} bytes"),
)
"""Those in the text between requirements: (file, phrase)."""


@pytest.mark.parametrize(("file", "phrase"), PROSE)
def test_the_figures_of_the_prose_are_those_of_the_limits(file: str, phrase: str) -> None:
    assert phrase in " ".join(our_sections()[file].split())


@pytest.mark.parametrize("id_", FIGURES)
def test_the_figures_of_a_requirement_are_those_of_the_limits(id_: str) -> None:
    for phrase in FIGURES[id_]:
        assert phrase in TEXTS[id_]


@pytest.mark.parametrize("id_", [id_ for id_ in TEXTS if not ELSEWHERE.match(id_)])
def test_no_figure_is_left_that_nothing_is_held_against(id_: str) -> None:
    text = TEXTS[id_]
    for phrase in sorted(FIGURES.get(id_, ()), key=len, reverse=True):
        text = text.replace(phrase, "")
    left = [
        figure for figure in re.findall(r"\d[\d,^]*", REFERENCES.sub("", text)) if figure.strip(",") not in ("0", "1")
    ]
    assert left == []
