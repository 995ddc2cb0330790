"""Texts know which letters they are made of, so that exactly what was shown is marked as seen."""

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udpchat_cli.mail import Text, Texts, received, shown_name
from udpchat_core.client_events import LetterReceived
from udpchat_core.delivery.parts import Part
from udpchat_net.stores.letters import KeptLetter

ANNA, BERT = b"a" * 32, b"b" * 32
NUMBERS = count(1)


def letter(text: str, part: int = 1, parts: int = 1, sender: bytes = ANNA, sent_ms: int = 7) -> LetterReceived:
    ack = next(NUMBERS).to_bytes(16)
    return LetterReceived(sender, "anna", True, sent_ms, part, parts, text, stored=False, waited=False, ack=ack)


def added(texts: Texts, *letters: LetterReceived) -> list[tuple[str, list[bytes]]]:
    found = [text for each in letters for text in texts.add(each)]
    assert all(sender == text.sender for text in found for sender, _ in text.letters)
    return [(text.text, [ack for _, ack in text.letters]) for text in found]


def test_a_text_of_one_letter_is_that_letter() -> None:
    one = letter("hello")
    assert added(Texts(), one) == [("hello", [one.ack])]


def test_a_long_text_is_all_of_its_letters_and_others_come_between() -> None:
    parts = [letter(text, number, 3) for number, text in enumerate(("a", "b", "c"), 1)]
    between = letter("between", sender=BERT)
    assert added(Texts(), parts[0], between, *parts[1:]) == [
        ("between", [between.ack]),
        ("abc", [part.ack for part in parts]),
    ]


def test_a_text_that_was_given_up_half_way_has_the_letters_that_came() -> None:
    first, second = letter("a", 1, 3), letter("b", 2, 3)
    short = letter("next", sent_ms=8)
    assert added(Texts(), first, second, short) == [
        ("ab[part missing]", [first.ack, second.ack]),
        ("next", [short.ack]),
    ]
    longer = [letter("x", 1, 2, sent_ms=9), letter("y", 2, 2, sent_ms=9)]
    assert added(Texts(), first, *longer) == [
        ("a[part missing]", [first.ack]),
        ("xy", [each.ack for each in longer]),
    ]


def test_what_was_seen_before_the_last_end_is_in_the_text_but_not_marked_again() -> None:
    last = letter("c", 3, 3)
    texts = Texts([Part(ANNA, 7, 1, 3, "a"), Part(ANNA, 7, 2, 3, "b")])
    assert added(texts, last) == [("abc", [last.ack])]


@given(st.lists(st.tuples(st.sampled_from([ANNA, BERT]), st.integers(1, 3), st.integers(1, 3), st.integers(7, 8))))
def test_no_letter_is_marked_twice_and_none_before_it_is_shown(which: list[tuple[bytes, int, int, int]]) -> None:
    texts, marked, open_ = Texts(), list[bytes](), dict[bytes, bytes]()
    for sender, part, more, sent_ms in which:
        each = letter("x", part, max(part, more), sender, sent_ms)
        open_[each.ack] = sender
        for text in texts.add(each):
            for _, ack in text.letters:
                assert open_.pop(ack) == sender
                marked.append(ack)
        if each.part == each.parts:
            assert sender not in open_.values()  # whatever came of this sender is shown by now
    assert len(marked) == len(set(marked))


def test_what_was_kept_waited() -> None:
    kept = KeptLetter(1, ANNA, bytes(16), "anna", False, 5, 6, 1, 1, "hi")
    (text,) = Texts().add(kept)
    assert text == Text(ANNA, "anna", False, 5, "hi", True, ((ANNA, bytes(16)),))
    assert received(text) == {
        "event": "received",
        "from": "anna",
        "confirmed": False,
        "identity": ANNA.hex(),
        "sent_ms": 5,
        "text": "hi",
        "waited": True,
    }


@pytest.mark.parametrize("confirmed", [True, False])
def test_a_name_that_is_not_known_to_be_the_senders_does_not_look_like_one(confirmed: bool) -> None:
    text = Text(ANNA, "anna", confirmed, 5, "hi", False, ())
    assert shown_name(text) == ("anna" if confirmed else "?61616161 (calls itself anna)")
