"""What the independent client does with letters that come, in virtual time: sections 9.4 and 9.5, rule by rule."""

from pathlib import Path
from typing import Any

import pytest

from .independent import inbox, keys
from .independent.cbor import Refused
from .staged import Stage, sealed_by


def test_a_letter_is_acknowledged_only_with_all_before_it_and_shown_once_and_in_order() -> None:
    # R-9.4-1, R-9.4-2, R-9.4-3
    stage = Stage()
    third, acks = stage.direct(seq=3, text="c", secret=b"3" * 16)
    assert acks == []
    second, acks = stage.direct(seq=2, text="b")
    assert acks == []
    first, acks = stage.direct(seq=1, text="a")
    assert acks == [first, second, third]
    again, acks = stage.direct(seq=3, text="c", secret=b"3" * 16)
    assert acks == [again] == [third]
    assert stage.shown == ["a", "b", "c"]


def test_a_number_is_passed_over_only_if_a_floor_is_above_it() -> None:
    # R-9.4-3, R-9.4-4
    stage = Stage()
    third, acks = stage.direct(seq=3, text="c")
    assert acks == []
    fifth, acks = stage.direct(seq=5, floor=3, text="e")
    assert acks == [third]
    fourth, acks = stage.direct(seq=4, floor=3, text="d")
    assert acks == [fourth, fifth]
    _, acks = stage.direct(seq=2, text="too late")
    assert acks == []
    late, _ = sealed_by(stage.ann, stage.world, "bob", seq=1, secret=b"1" * 16, key="mail")
    assert stage.mail(7, late, keys.slot_of(b"1" * 16)) == [(7, 3)]
    assert stage.shown == ["c", "d", "e"]


def test_what_is_held_below_a_floor_is_shown_before_its_number_is_passed() -> None:
    # R-9.4-3
    stage = Stage()
    third, _ = stage.direct(seq=3, text="c")
    second, _ = stage.direct(seq=2, text="b")
    sixth, acks = stage.direct(seq=6, floor=5, text="f")
    assert acks == [second, third]
    fifth, acks = stage.direct(seq=5, floor=5, text="e")
    assert acks == [fifth, sixth]
    assert stage.shown == ["b", "c", "e", "f"]


def test_a_copy_in_another_epoch_is_acknowledged_again_and_takes_its_number() -> None:
    # R-9.4-2: its sender restarted, and numbered it afresh
    stage = Stage()
    stage.direct(epoch=1, seq=1, text="a", secret=b"a" * 16)
    ack, acks = stage.direct(epoch=2, seq=1, text="a", secret=b"a" * 16)
    assert acks == [ack]
    ack, acks = stage.direct(epoch=2, seq=2, text="b")
    assert acks == [ack]
    assert stage.shown == ["a", "b"]


def test_a_copy_in_another_epoch_ahead_of_a_gap_is_not_answered_unless_it_came_by_mail() -> None:
    # R-9.4-10: its sender goes on with the numbers before it, or passes them by its floor
    stage = Stage()
    stage.direct(epoch=1, seq=1, text="a", secret=b"a" * 16)
    ack, acks = stage.direct(epoch=2, seq=2, text="a", secret=b"a" * 16)
    assert acks == []
    first, acks = stage.direct(epoch=2, seq=1, text="b")
    assert acks == [first, ack]
    assert stage.shown == ["a", "b"]


def test_what_is_beyond_64_ahead_of_a_gap_is_ignored_unanswered() -> None:
    # R-9.4-5
    stage = Stage()
    for seq in range(2, 70):
        stage.direct(seq=seq, text=str(seq))
    assert sum(len(order.held) for order in stage.bob.inbox.orders.values()) == 63
    _, acks = stage.direct(seq=1, text="1")
    assert len(acks) == 64
    assert stage.shown == [str(seq) for seq in range(1, 65)]


def test_mail_that_can_never_be_shown_is_collected_with_the_reason() -> None:
    # R-9.4-4, R-9.4-6
    stage = Stage()
    secret = b"s" * 16
    letter, _ = sealed_by(stage.ann, stage.world, "bob", key="mail", secret=secret)
    assert stage.mail(1, letter, b"x" * 16) == [(1, 3)]  # another slot
    assert stage.mail(2, bytes(300), b"x" * 16) == [(2, 3)]  # no letter
    flipped = letter[:-1] + bytes((letter[-1] ^ 1,))
    assert stage.mail(3, flipped, keys.slot_of(secret)) == [(3, 2)]  # no key opens it
    assert stage.mail(4, letter, keys.slot_of(secret)) == [(4, 1)]
    assert stage.mail(9, letter, keys.slot_of(secret)) == [(9, 1)]  # pushed again, under another number
    ahead, _ = sealed_by(stage.ann, stage.world, "bob", key="mail", secret=b"t" * 16, seq=3)
    assert stage.mail(10, ahead, keys.slot_of(b"t" * 16)) == []
    assert stage.shown == ["?"]


def test_a_crash_loses_what_was_held_and_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    # R-9.4-1, R-9.4-3
    stage = Stage()
    stage.bob = stage.world.start("bob", str(tmp_path / "bob"))
    stage.world.register("bob")
    stage.direct(seq=1, text="a")
    stage.direct(seq=3, text="c", secret=b"c" * 16)
    stage.world.run(1.1)
    stage.bob = stage.world.start("bob", str(tmp_path / "bob"))
    stage.world.register("bob")
    ack, acks = stage.direct(seq=2, text="b")
    assert acks == [ack]
    ack, acks = stage.direct(seq=3, text="c", secret=b"c" * 16)
    assert acks == [ack]
    assert stage.shown == ["a", "b", "c"]


def test_a_name_is_confirmed_only_by_pin_or_directory() -> None:
    # R-9.4-7
    stage = Stage()
    stage.direct(seq=1, name="ann", text="it is me")
    stage.direct(seq=2, name="bob", text="it is you")
    stage.direct(seq=3, name="nobody", text="who?")
    assert stage.shown == ["it is me", "it is you", "who?"]
    assert [event["confirmed"] for event in stage.world.happened("bob", "message")] == [True, False, False]


def test_letters_of_strangers_are_opened_at_a_bounded_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    # R-9.4-8
    stage = Stage()
    letter, _ = sealed_by(stage.ann, stage.world, "bob", seq=2)
    forged = letter[:-1] + bytes((letter[-1] ^ 1,))
    opened = []

    def refuse(letter: bytes, *_: Any) -> None:
        opened.append(letter)
        raise Refused("not opened in this test")

    monkeypatch.setattr(inbox, "open_letter", refuse)
    for port in range(300):
        stage.bob.receive(stage.world.now_s, (bytes((203, 0, 113, 9)), 1 + port), forged)
    assert len(opened) == 200
    unknown = letter[:3] + bytes(4) + letter[7:]
    assert not any(key.key_id == bytes(4) for key in stage.bob.inbox._opening())
    stage.bob.receive(stage.world.now_s + 0.01, (bytes((203, 0, 113, 9)), 1), unknown)  # of no key: takes nothing
    stage.bob.receive(stage.world.now_s + 0.01, (bytes((203, 0, 113, 9)), 1), forged)
    assert len(opened) == 201


def test_a_part_that_was_given_up_is_shown_as_missing() -> None:
    # R-9.5-1
    stage = Stage()
    stage.direct(seq=1, part=1, parts=3, text="one ")
    stage.direct(seq=3, floor=3, part=3, parts=3, text=" three")
    stage.direct(seq=4, part=1, parts=2, text="begun ")
    stage.direct(seq=6, floor=6, text="after")
    missing = ["one [part 2 of 3 is missing] three", "begun [part 2 of 2 is missing]", "after"]
    assert stage.shown == missing
