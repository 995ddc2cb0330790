"""What a chat shows: events and what was typed in, lines out."""

from collections.abc import Iterable

import pytest

from udpchat_cli.chat.lines import Line, Style
from udpchat_cli.chat.model import NAMES_REMEMBERED_MAX, Chat, Standing
from udpchat_cli.mail import Text
from udpchat_cli.wording import local
from udpchat_core import client_events as e
from udpchat_core.address import Address
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.fields import Refusal

AT = Address(b"\x7f\0\0\1", 7)
NOON_MS = 1_767_268_800_000
MIN_MS, DAY_MS = 60_000, 86_400_000
REGISTERED = e.Registered(AT, 0, False)
KEY, OTHER = b"\x01" * 32, b"\x02" * 32


class Clock:
    """Stands still."""

    now_ms = NOON_MS

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def chat(clock: Clock) -> Chat:
    return Chat("anna", "lab", clock)


def shown(lines: Iterable[Line], columns: int | None = None) -> list[str]:
    return ["".join(text for _, text in row).rstrip() for line in lines for row in line.rows(columns)]


def hhmm(at_ms: int) -> str:
    return f"{local(at_ms):%H:%M}"


def text(words: str, name: str = "bob", *, waited: bool = False, confirmed: bool = True, at_ms: int = NOON_MS) -> Text:
    return Text(KEY, name, confirmed, at_ms, words, waited, ())


def letter(*, waited: bool = False) -> e.LetterReceived:
    return e.LetterReceived(KEY, "bob", True, NOON_MS, 1, 1, "", waited, waited, b"ack")


def online(chat: Chat, *names: str) -> Chat:
    chat.told(REGISTERED)
    chat.told(e.PeersChanged(tuple((name, True) for name in names)))
    return chat


# --- messages ---


def test_a_message_has_a_time_a_name_and_a_number(chat: Chat) -> None:
    assert shown(chat.sent(41, "bob", "yes, pushing now")) == [f"{hhmm(NOON_MS)} <anna> #41 yes, pushing now"]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (e.MessageDelivered(41, "bob", False, 34_000, 1), "#41 delivered to bob (34 ms, 1 retry)"),
        (e.MessageDelivered(41, "bob", False, 34_000, 0), "#41 delivered to bob (34 ms)"),
        (e.MessageDelivered(41, "bob", True, 7_260_000_000, 2), "#41 delivered to bob (2 h, 2 retries, by mailbox)"),
        (e.MessageStored(41, "bob", True), "#41 stored for bob"),
        (e.MessageStored(41, "bob", False), "#41 stored for bob (away)"),
        (e.MessageRefused(41, "bob", Refusal.UNKNOWN), "#41 not sent to bob: nobody is registered under that name"),
        (
            e.MessageRefused(41, "bob", Refusal.KEY_CHANGED),
            "#41 not sent to bob: it was meant for the key before, and that is gone; send it again, if it is for the"
            " new one too",
        ),
        (e.MessageExpired(41, "bob"), "#41 given up: bob did not confirm it in 14 days"),
        (
            e.MessagePostponed(41, "bob", Refusal.QUOTA),
            "#41 queued for bob (the mailbox of bob is full; it is tried again)",
        ),
    ],
)
def test_what_befalls_a_message_is_said_in_words_with_who_said_so(chat: Chat, event: e.ClientEvent, line: str) -> None:
    assert shown(chat.told(event)) == [f"        {line}"]


def test_a_message_is_stored_for_somebody_away_since_a_time(chat: Chat, clock: Clock) -> None:
    online(chat, "carol")
    clock.now_ms += 10 * MIN_MS
    chat.told(e.PeersChanged((("carol", False),)))
    since, clock.now_ms = clock.now_ms, clock.now_ms + 10 * MIN_MS
    line = f"        #42 stored for carol (away since {hhmm(since)})"
    assert shown(chat.told(e.MessageStored(42, "carol", False))) == [line]
    chat.told(e.PeersChanged((("carol", True),)))
    assert shown(chat.told(e.MessageStored(43, "carol", False))) == ["        #43 stored for carol (away)"]


@pytest.mark.parametrize(
    ("standing", "why"),
    [
        (Standing.CONNECTING, "not connected yet"),
        (Standing.AWAY, "you are away"),
        (Standing.SILENT, "the server does not answer"),
        (Standing.UNTRUSTED, "the server's key changed"),
        (Standing.REFUSED, "you are offline"),
    ],
)
def test_a_message_that_goes_nowhere_is_queued_and_why(chat: Chat, standing: Standing, why: str) -> None:
    chat.sent(1, "bob", "hi")
    chat.standing = standing
    assert shown(chat.told(e.MessageQueued(1, "bob"))) == [f"        #1 queued for bob ({why})"]


def test_nothing_is_said_of_a_message_that_is_on_its_way(chat: Chat) -> None:
    online(chat)
    chat.sent(1, "bob", "hi")
    assert not chat.told(e.MessageQueued(1, "bob"))
    assert not chat.told(e.MessageUnanswered(1, "bob"))


def test_a_message_of_another_command_is_told_apart(chat: Chat) -> None:
    assert shown(chat.told(e.MessageQueued(7, "bob"))) == ["        #7 to bob, from another udpchat command"]
    assert shown(chat.told(e.MessageQueued(8, "bob"), {"bob": None})) == [
        "        #8 to bob, from another udpchat command",
        "        #8 held for bob: the key changed, and /accept bob sends it",
    ]


def test_a_message_to_a_changed_key_is_held(chat: Chat) -> None:
    held = shown(chat.sent(1, "bob", "hi", is_held=True))[1]
    assert held == "        #1 held for bob: the key changed, and /accept bob sends it"


def test_what_is_neither_delivered_nor_stored_nor_refused_is_said_at_the_end(chat: Chat) -> None:
    for number in range(1, 6):
        chat.sent(number, "bob", "hi")
    chat.told(e.MessageStored(1, "bob", False))
    chat.told(e.MessageDelivered(2, "bob", False, 1, 0))
    chat.told(e.MessageRefused(3, "bob", Refusal.UNKNOWN))
    assert shown(chat.left()) == ["2 messages are not delivered yet; kept here, and sent at the next start."]
    chat.told(e.MessageExpired(4, "bob"))
    chat.told(e.MessageDelivered(5, "bob", False, 1, 0))
    assert not chat.left()


# --- mail ---


def test_a_new_day_has_a_line(chat: Chat, clock: Clock) -> None:
    clock.now_ms += DAY_MS
    day, stamp = f"{local(clock.now_ms):%A %Y-%m-%d}", hhmm(clock.now_ms)
    assert shown(chat.sent(1, "bob", "morning")) == [f"--- {day} ---", f"{stamp} <anna> #1 morning"]
    assert shown(chat.sent(2, "bob", "hi")) == [f"{stamp} <anna> #2 hi"]
    yesterday = f"{local(NOON_MS):%A %Y-%m-%d}"
    assert shown(chat.shown([text("old")]))[0] == f"--- {yesterday} ---"


def test_mail_that_waited_is_shown_together_under_its_number(chat: Chat) -> None:
    chat.told(e.Registered(AT, 3, False))
    assert not chat.arrived(letter(waited=True), [text("one", waited=True)])
    assert not chat.arrived(letter(waited=True), [])
    texts = chat.arrived(letter(waited=True), [text("two", waited=True)])
    stamp = hhmm(NOON_MS)
    assert shown(chat.shown(texts)) == ["--- 2 new ---", f"{stamp} <bob> one", f"{stamp} <bob> two"]


def test_mail_is_held_back_no_longer_than_until_somebody_writes(chat: Chat) -> None:
    chat.told(e.Registered(AT, 9, False))
    assert not chat.arrived(letter(waited=True), [text("one", waited=True)])
    assert [each.text for each in chat.arrived(letter(), [text("two")])] == ["one", "two"]


def test_mail_that_is_held_back_is_released_when_its_time_is_over(chat: Chat) -> None:
    chat.told(e.Registered(AT, 9, False))
    assert not chat.arrived(letter(waited=True), [text("one", waited=True)])
    assert [each.text for each in chat.release()] == ["one"]
    assert not chat.release()


def test_what_comes_while_one_is_there_has_no_mark(chat: Chat) -> None:
    assert shown(chat.shown(online(chat).arrived(letter(), [text("hi")]))) == [f"{hhmm(NOON_MS)} <bob> hi"]


def test_a_name_that_is_not_confirmed_is_no_name(chat: Chat) -> None:
    line = shown(chat.shown([text("hi", confirmed=False)]))[0]
    assert line == f"{hhmm(NOON_MS)} <?01010101 (calls itself bob)> hi"
    assert chat.names == []


def test_a_text_of_several_lines_has_a_bar_so_that_it_fakes_no_head(chat: Chat) -> None:
    stamp = hhmm(NOON_MS)
    assert shown(chat.shown([text("one\nbob> two\r\n12:00 <carol> three")])) == [
        f"{stamp} <bob> one",
        "          | bob> two",
        "          | 12:00 <carol> three",
    ]


def test_unread_messages_are_counted_until_the_user_does_something_with_whom_they_are_from(chat: Chat) -> None:
    chat.turn_to("bob")
    chat.shown([text("1"), text("2"), text("3", "carol"), text("4", confirmed=False)])
    assert chat.unread == {"bob": 2, "carol": 1, "?": 1}
    chat.active()
    assert chat.unread == {"carol": 1}  # nobody can turn to who is not known
    chat.turn_to("carol")
    assert chat.unread == {}


def test_whose_unread_messages_are_counted_has_a_cap(chat: Chat) -> None:
    for number in range(NAMES_REMEMBERED_MAX + 5):
        chat.shown([text("hi", f"user{number}")])
    assert len(chat.unread) == len(chat.names) == NAMES_REMEMBERED_MAX


# --- people ---


def test_names_are_those_last_written_to_then_who_wrote_and_then_who_is_there(chat: Chat) -> None:
    online(chat, "zoe", "anna", "bob", "carol", "dora", "eve")
    chat.turn_to("dora")
    chat.sent(1, "carol", "hi")
    chat.shown([text("hi", "eve"), text("hi", "bob"), text("hi", "dora")])
    assert chat.names == ["carol", "dora", "bob", "eve", "zoe"]


def test_the_last_whom_the_user_wrote_to_is_the_peer_at_the_start(chat: Chat) -> None:
    chat.remember([("bob", True), ("carol", True), ("dora", False), ("anna", False)])
    assert chat.peer == "carol"
    assert chat.names == ["carol", "bob", "dora"]


def test_turning_to_somebody_says_how_that_one_stands(chat: Chat, clock: Clock) -> None:
    assert shown(chat.turn_to("bob")) == ["You write to bob now."]
    online(chat, "bob", "carol")
    chat.told(e.PeersChanged((("carol", False),)))
    since = hhmm(clock.now_ms)
    assert shown(chat.turn_to("carol")) == [
        f"You write to carol now, who is away since {since}: what you write waits at the server."
    ]
    assert shown(chat.turn_to("dora")) == ["You write to dora now, whom the server does not show: see /who."]
    assert chat.peer == "dora"


def test_who_is_there(chat: Chat, clock: Clock) -> None:
    assert shown(chat.who()) == ["The server did not say yet who is there."]
    online(chat, "bob", "anna", "carol")
    chat.told(e.PeersChanged((("carol", False), ("dora", False))))
    assert shown(chat.who()) == ["online: anna, bob", f"away: carol since {hhmm(clock.now_ms)}, dora"]
    chat.roster({"bob": True}.items())
    assert shown(chat.who()) == ["online: bob"]
    chat.told(e.ServerUnreachable())
    late = "This is what the server said last, for the server does not answer:"
    assert shown(chat.who()) == [late, "online: bob"]


def test_that_the_peer_left_or_returned_is_said_and_of_others_not(chat: Chat) -> None:
    online(chat, "bob", "carol")
    chat.turn_to("bob")
    assert shown(chat.told(e.PeersChanged((("bob", False), ("carol", False))))) == ["bob is away."]
    assert shown(chat.told(e.PeersChanged((("bob", True), ("carol", True))))) == ["bob is online."]


# --- how the user stands ---


def test_a_lost_server_and_its_return_are_said_once(chat: Chat) -> None:
    assert shown(chat.told(REGISTERED)) == ["You are online, at lab."]
    assert not chat.told(e.Registered(AT, 0, True))
    lost = "lab does not answer. It is tried again; what you write is kept, and sent then."
    assert shown(chat.told(e.ServerUnreachable())) == [lost]
    assert not chat.told(e.ServerUnreachable())
    assert shown(chat.told(REGISTERED)) == ["You are online again, at lab."]


def test_away_and_back(chat: Chat) -> None:
    online(chat)
    assert shown(chat.told(e.Deregistered(True))) == ["You are away: mail waits at the server. /back comes back."]
    assert not chat.told(e.ServerUnreachable())
    assert chat.standing is Standing.AWAY
    chat.connecting()
    assert shown(chat.told(REGISTERED)) == ["You are online again, at lab."]


def test_a_refusal_and_another_client_are_loud(chat: Chat) -> None:
    refused = shown(chat.told(e.RegistrationRefused(Refusal.NAME_TAKEN)))
    why = "somebody else has this name; choose another one, or if it was yours ask whoever runs the server"
    assert refused == [f"*** lab refused anna: {why}."]
    assert shown(chat.told(e.Superseded()))[0].startswith("*** anna came online at another place")
    assert chat.standing is Standing.REFUSED


def test_a_changed_server_key_is_loud_and_says_what_to_do(chat: Chat) -> None:
    lines = shown(chat.told(e.ServerKeyChanged(KEY, OTHER)), 80)
    assert lines[0] == "*** WARNING: lab HAS ANOTHER KEY THAN BEFORE. Nothing is sent to it."
    assert f"*** {' '.join(['01010101'] * 8)}" in lines
    assert f"*** {' '.join(['02020202'] * 8)}" in lines
    assert lines[-1] == "*** Ask whoever runs it. If the key is right, type /accept server; else do not."
    assert not chat.told(e.ServerUnreachable())
    assert chat.standing is Standing.UNTRUSTED


@pytest.mark.parametrize(
    ("vouched", "first"),
    [
        (False, "*** WARNING: bob HAS ANOTHER KEY NOW, and nobody but the server says so."),
        (True, "*** bob HAS ANOTHER KEY NOW. The key before signed for it, so bob most likely changed it."),
    ],
)
def test_a_changed_key_of_somebody_is_loud_and_says_what_to_do(chat: Chat, vouched: bool, first: str) -> None:
    lines = shown(chat.told(e.PeerKeyChanged("bob", KEY, OTHER, vouched)))
    assert lines[0] == first
    assert lines[-2].endswith("Messages to bob are held.")
    assert lines[-1] == "*** Ask bob by another way. If the key is right, type /accept bob."


def test_a_disk_that_fails_is_said(chat: Chat) -> None:
    assert shown(chat.told(StorageFailed()))[0].startswith("*** The disk takes nothing")
    assert shown(chat.told(StorageRecovered())) == ["The disk works again."]


def test_what_is_nobodys_business_is_not_said(chat: Chat) -> None:
    assert not chat.told(e.WatchRefused(Refusal.TOO_MANY))


def test_the_toolbar(chat: Chat) -> None:
    assert chat.toolbar(0, 0, 0, []) == "anna connecting"
    online(chat)
    assert chat.toolbar(0, 0, 0, []) == "anna online"
    chat.shown([text("1"), text("2")])
    assert chat.toolbar(1, 12_300, 10_000, ["eve"]) == (
        "anna online | lab 12 ms | loss 1% | outbox 1 | eve: key changed | bob:2"
    )
    whole, narrow = "anna online | lab 12 ms | loss 1% | bob:2", "anna online | lab 12 ms | bob:2"
    assert chat.toolbar(0, 12_300, 10_000, [], len(whole) + 1) == whole
    assert chat.toolbar(0, 12_300, 10_000, [], len(whole)) == narrow
    assert chat.toolbar(0, 12_300, 10_000, [], 20) == "anna online | bob:2"  # what waits for the user stays
    chat.told(e.ServerUnreachable())
    assert chat.toolbar(0, 12_300, 0, []) == "anna no answer | bob:2"


def test_lines_are_wrapped_to_the_terminal_and_what_is_ours_has_no_bar(chat: Chat) -> None:
    lines = chat.told(e.ServerUnreachable())
    assert shown(lines, 42) == [
        "lab does not answer. It is tried again;",
        "  what you write is kept, and sent then.",
    ]
    assert {style for line in lines for row in line.rows(40) for style, _ in row} == {Style.NOTE}
