"""The commands and lines of the classic form: what is typed, what happens, and what is printed; no sockets."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udpchat_cli.classic import AcceptKey, Classic, Leave, Misuse, Return, Send, Standing
from udpchat_cli.exits import Exit
from udpchat_cli.wording import timestamp
from udpchat_core import client_events as e
from udpchat_core.address import Address
from udpchat_core.delivery.parts import Part, split
from udpchat_core.events import StorageFailed, StorageRecovered
from udpchat_core.fields import Refusal
from udpchat_core.limits import TIME_S_LIMIT

AT = Address(b"\x7f\0\0\1", 20_000)
HERE, THERE = bytes(32), bytes(31) + b"\1"


def online() -> Classic:
    classic = Classic("alice")
    assert say(classic, e.Registered(AT, 0, renewed=False)) == ["[Welcome, You are registered.]"]
    return classic


def say(classic: Classic, *events: e.ClientEvent) -> list[str]:
    return [line for event in events for line in classic.told(event)]


def letter(text: str, part: int = 1, parts: int = 1, **changes: object) -> e.LetterReceived:
    fields = {
        "confirmed": True,
        "stored": False,
        "waited": False,
        "sent_ms": 0,
        "sender": THERE,
        "ack": bytes(16),
    } | changes
    return e.LetterReceived(name="bob", part=part, parts=parts, text=text, **fields)  # type: ignore[arg-type]


# --- what is typed ---


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("send bob hi", Send("bob", "hi")),
        ("send BOB hi", Send("bob", "hi")),
        ("  send \t bob hi", Send("bob", "hi")),
        ("send bob   two  spaces ", Send("bob", "  two  spaces ")),
        ('send bob "it\'s" \\n', Send("bob", '"it\'s" \\n')),
        ("send bob a\nb", Send("bob", "a\nb")),
        ("send bob  ", Send("bob", " ")),
        ("send bo\u0301b hi", Send("bo\u0301b", "hi")),  # no name: the core says so
        ("dereg alice", Leave()),
        ("dereg Alice ", Leave()),
        ("accept", AcceptKey(None)),
        ("accept Bob", AcceptKey("bob")),
        ("", None),
        (" \t ", None),
    ],
)
def test_a_line_is_read_as_the_command_that_it_is(line: str, command: object) -> None:
    assert online().commanded(line) == command


@given(st.text(min_size=1))
def test_a_text_survives_as_it_was_typed(text: str) -> None:
    assert online().commanded(f"send bob {text}") == Send("bob", text)


@given(st.text())
def test_whatever_is_typed_is_a_command_or_gets_one_line(line: str) -> None:
    said = ""
    try:
        online().commanded(line)
    except Misuse as misuse:
        said = str(misuse)
    assert len(said.splitlines()) <= 1
    assert "\x1b" not in said


@pytest.mark.parametrize("line", ["send", "send ", "hello", "SEND bob hi", "send-all hi", "accept bob now"])
def test_what_is_no_command_gets_the_commands(line: str) -> None:
    with pytest.raises(Misuse, match="Commands: send NAME TEXT, dereg NAME, reg NAME"):
        online().commanded(line)


def test_an_empty_message_is_refused() -> None:
    for line in ("send bob", "send bob "):
        with pytest.raises(Misuse, match="empty message"):
            online().commanded(line)


@pytest.mark.parametrize("command", ["dereg", "reg"])
def test_nobody_comes_or_goes_for_others(command: str) -> None:
    with pytest.raises(Misuse, match=f"You are alice: type {command} alice"):
        online().commanded(f"{command} bob")


def test_what_makes_no_sense_now_is_said() -> None:
    classic = online()
    with pytest.raises(Misuse, match="registered already"):
        classic.commanded("reg alice")
    say(classic, e.Deregistered(confirmed=True))
    assert classic.commanded("reg alice") == Return()
    for line, says in (("send bob hi", "You are offline, nothing is sent"), ("dereg alice", "offline already")):
        with pytest.raises(Misuse, match=says):
            classic.commanded(line)


# --- what becomes of a message ---


def sent(classic: Classic) -> Classic:
    classic.sent(1)
    assert classic.unsaved
    assert say(classic, e.MessageQueued(1, "bob")) == []
    assert not classic.unsaved
    assert classic.unsettled
    return classic


DELIVERED = e.MessageDelivered(1, "bob", stored=False, elapsed_us=1, retries=0)
LATER = e.MessageDelivered(1, "bob", stored=True, elapsed_us=1, retries=0)
UNANSWERED = e.MessageUnanswered(1, "bob")
RECEIVED, NO_ACK = "[Message received by bob.]", "[No ACK from bob, message sent to server.]"
SAVED, EXISTS = "[Messages received by the server and saved]", "[Client bob exists!!]"


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([DELIVERED], [RECEIVED]),
        ([UNANSWERED, e.MessageStored(1, "bob", online=False), LATER], [NO_ACK, SAVED]),
        ([UNANSWERED, e.MessageStored(1, "bob", online=True), LATER], [NO_ACK, EXISTS]),
        ([e.MessageStored(1, "bob", online=False), LATER], [SAVED]),
        ([UNANSWERED, DELIVERED], [NO_ACK, RECEIVED]),  # its ACK came late, and before the server's answer
        ([UNANSWERED, LATER], [NO_ACK, RECEIVED]),  # some of its letters were stored, and never all
        ([e.MessageStored(1, "bob", online=False), e.MessageStored(1, "bob", online=False)], [SAVED]),
        ([e.MessageRefused(1, "bob", Refusal.UNKNOWN)], ["[Not sent to bob: nobody is registered under that name]"]),
        (
            [e.MessageStored(1, "bob", online=False), e.MessageExpired(1, "bob")],
            [SAVED, "[A message to bob is given up: nobody confirmed it for 14 days.]"],
        ),
    ],
)
def test_each_way_of_a_message_prints_its_lines(events: list[e.ClientEvent], lines: list[str]) -> None:
    classic = sent(online())
    assert say(classic, *events) == lines
    assert not classic.unsettled


def test_of_messages_of_an_earlier_run_only_failures_are_told() -> None:
    classic = online()
    assert say(classic, UNANSWERED, e.MessageStored(1, "bob", online=False), LATER, DELIVERED) == []
    assert say(classic, e.MessageExpired(2, "bob")) != []


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_a_reason_in_words(refusal: Refusal) -> None:
    (line,) = say(sent(online()), e.MessageRefused(1, "bob", refusal))
    assert refusal.name not in line


# --- what comes in ---


def test_what_comes_is_shown_with_its_sender() -> None:
    assert say(online(), letter("hi  there")) == ["bob: hi  there"]


def test_what_waited_is_shown_with_its_time_under_one_heading_a_registration() -> None:
    classic = online()
    mail = [
        letter("one", stored=True, waited=True, sent_ms=1_000),
        letter("two", stored=True, waited=True, sent_ms=2_000),
    ]
    assert say(classic, *mail) == [
        "[You have messages]",
        f"bob: {timestamp(1_000)} one",
        f"bob: {timestamp(2_000)} two",
    ]
    assert say(classic, letter("relayed", stored=True)) == ["bob: relayed"]
    say(classic, e.Deregistered(confirmed=True), e.Registered(AT, 1, renewed=False))
    assert say(classic, mail[0]) == ["[You have messages]", f"bob: {timestamp(1_000)} one"]


def test_what_comes_before_the_answer_of_the_server_is_shown_after_it() -> None:
    classic = Classic("alice")
    assert say(classic, letter("mail", stored=True, waited=True), letter("directly")) == []
    assert say(classic, e.Registered(AT, 0, renewed=False)) == [
        "[Welcome, You are registered.]",
        "[You have messages]",
        f"bob: {timestamp(0)} mail",
        "bob: directly",
    ]
    silent = Classic("alice")
    assert say(silent, letter("directly"), e.ServerUnreachable()) == [
        "[Server not responding]",
        "[Exiting]",
        "bob: directly",
    ]


def test_a_name_that_is_not_confirmed_is_not_shown_as_one() -> None:
    (line,) = say(online(), letter("trust me", confirmed=False, sender=b"\xab" * 32))
    assert line == "?abababab (calls itself bob): trust me"


def test_a_long_text_is_shown_once_it_is_whole() -> None:
    text = "żółw " * 400
    pieces = split(text)
    lines = [
        say(classic, letter(piece, part, len(pieces))) for classic in [online()] for part, piece in enumerate(pieces, 1)
    ]
    assert lines == [[]] * (len(pieces) - 1) + [[f"bob: {text}"]]


def test_a_long_text_that_began_before_the_last_end_is_shown_whole() -> None:
    classic = Classic("alice", [Part(THERE, 5, 1, 3, "one "), Part(THERE, 5, 2, 3, "two ")])
    say(classic, e.Registered(AT, 0, renewed=False))
    assert say(classic, letter("three", 3, 3, sent_ms=5)) == ["bob: one two three"]


def test_a_part_that_was_given_up_is_marked() -> None:
    assert say(online(), letter("one", 1, 3), letter("three", 3, 3)) == ["bob: one[part missing]three"]


@given(st.text(min_size=1))
def test_whatever_comes_is_one_line_that_no_terminal_obeys(text: str) -> None:
    (line,) = say(online(), letter(text))
    assert len(line.splitlines()) == 1
    assert "\x1b" not in line


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/New_York"])
def test_any_time_that_the_protocol_knows_can_be_shown(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert [len(timestamp(ms)) for ms in (0, TIME_S_LIMIT * 1_000 - 1)] == [19, 19]
    finally:
        monkeypatch.undo()
        time.tzset()


# --- the session ---


def test_a_change_of_the_table_is_one_line() -> None:
    assert say(online(), e.PeersChanged((("a", True), ("b", False)))) == ["[Client table updated.]"]


def test_new_keys_are_not_told() -> None:
    assert say(online(), e.Registered(AT, 3, renewed=True)) == []


def test_a_server_that_does_not_answer_ends_the_program() -> None:
    for event in (e.ServerUnreachable(), e.Deregistered(confirmed=False)):
        classic = online()
        assert say(classic, event) == ["[Server not responding]", "[Exiting]"]
        assert classic.ended is Exit.UNREACHABLE


@pytest.mark.parametrize("refusal", list(Refusal))
def test_a_refusal_to_register_is_said_and_ends_the_program(refusal: Refusal) -> None:
    classic = Classic("alice")
    reason, exiting = say(classic, e.RegistrationRefused(refusal))
    assert reason.startswith("[The server refused alice: ")
    assert exiting == "[Exiting]"
    assert classic.ended is Exit.REFUSED


def test_who_took_over_is_said_and_reg_comes_back() -> None:
    classic = online()
    assert say(classic, e.Superseded()) == ["[alice came online at another place, so you are offline here.]"]
    assert classic.standing is Standing.OFFLINE
    assert classic.commanded("reg alice") == Return()


def test_another_key_of_the_server_is_the_users_to_accept() -> None:
    classic = Classic("alice")
    (line,) = say(classic, e.ServerKeyChanged(HERE, THERE))
    assert THERE.hex() in line.replace(" ", "")
    assert "type accept]" in line
    assert say(classic, e.ServerUnreachable(), e.Deregistered(confirmed=False)) == []
    assert classic.ended is None
    for typed in ("send bob hi", "reg alice"):
        with pytest.raises(Misuse, match="not accepted yet"):
            classic.commanded(typed)


def test_a_server_that_comes_back_with_another_key_ends_nothing() -> None:
    classic = online()
    say(classic, e.ServerKeyChanged(HERE, THERE))
    assert classic.standing is Standing.ONLINE  # until it turns out that the old one is gone
    assert say(classic, e.ServerUnreachable()) == []
    assert (classic.standing, classic.ended) == (Standing.OFFLINE, None)


def test_another_key_of_a_peer_is_the_users_to_accept() -> None:
    (line,) = say(online(), e.PeerKeyChanged("bob", HERE, THERE, vouched=False))
    assert THERE.hex() in line.replace(" ", "")
    assert "type accept bob]" in line
    assert "signed" not in line
    (line,) = say(online(), e.PeerKeyChanged("bob", HERE, THERE, vouched=True))
    assert "another key now, signed with the one before, " in line


def test_a_mailbox_without_room_is_said() -> None:
    assert say(online(), e.MessagePostponed(1, "bob", Refusal.QUOTA)) == [
        "[The mailbox of bob is full; the message is kept here and tried again.]"
    ]


def test_a_disk_that_fails_is_said_once_and_that_it_works_again() -> None:
    failed, recovered = say(online(), StorageFailed(), StorageRecovered())
    assert "nothing is lost" in failed
    assert "works again" in recovered


def test_a_table_that_is_too_large_is_said_once() -> None:
    assert len(say(online(), *[e.WatchRefused(Refusal.TOO_MANY)] * 3)) == 1


def every_event() -> Iterator[type]:
    yield from e.ClientEvent.__args__


def test_every_event_of_the_client_is_named_above() -> None:
    """A new event needs a decision here.

    `IdentityRotated`, `KeyChecked` and `PeerVerified` never come, for nobody asks for them in this form.
    """
    assert len(list(every_event())) == 22
