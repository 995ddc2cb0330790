"""The order of a sender's letters against a model that remembers everything."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from udpchat_core.delivery.order import Epoch, SenderOrder, reached
from udpchat_core.limits import EPOCHS_PER_SENDER_MAX, HELD_LETTERS_PER_SENDER_MAX

Seqs = list[int]


@dataclass
class Reader:
    """Receives letters as a client does; a letter is named after its epoch and seq, and its copy."""

    order: SenderOrder[tuple[int, int, int]] = field(default_factory=SenderOrder)
    entered: list[tuple[int, int, int]] = field(default_factory=list)
    gone: list[tuple[int, int, int]] = field(default_factory=list)
    passed: list[tuple[int, int, int]] = field(default_factory=list)
    copies: int = 0

    def receive(self, seq: int, floor: int = 1, number: int = 7) -> None:
        self.copies += 1
        letter = (number, seq, self.copies)
        epoch, gone = self.order.use(number)
        self.gone += gone
        if seq <= epoch.watermark:
            self.passed.append(letter)
        elif seq not in epoch.held:
            is_next = seq == max(epoch.watermark + 1, floor)  # which needs no room, and must never be refused for it
            self.gone += [] if is_next else self.order.make_room()
            if is_next or self.order.held < HELD_LETTERS_PER_SENDER_MAX:
                epoch.held[seq] = letter
            else:
                self.gone.append(letter)
        for at, reached_ in reached(epoch, floor):
            assert at == epoch.watermark == reached_[1]
            self.entered.append(reached_)

    def seqs(self, number: int = 7) -> Seqs:
        return [seq for of, seq, _ in self.entered if of == number]


# --- one epoch ---


@given(st.data(), st.integers(1, HELD_LETTERS_PER_SENDER_MAX))
def test_any_order_with_any_duplicates_enters_each_letter_once_and_in_order(data: st.DataObject, letters: int) -> None:
    """R-9.4-3."""
    seqs = list(range(1, letters + 1))
    copies = data.draw(st.lists(st.sampled_from(seqs), max_size=100))
    reader = Reader()
    for seq in data.draw(st.permutations(seqs + copies)):
        reader.receive(seq)
    assert reader.seqs() == seqs
    assert reader.order.held == 0
    assert not reader.gone


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), max_size=120))
def test_the_floor_passes_gaps_and_what_is_held_below_it_is_given_in_order(arrivals: list[tuple[int, int]]) -> None:
    """R-9.4-3 R-9.4-11."""
    reader, got, watermark, expected = Reader(), set[int](), 0, Seqs()
    for seq, low in arrivals:
        floor = min(seq, low)  # R-6.2-4: not above seq
        if seq > watermark:
            got.add(seq)
        risen = max(watermark, floor - 1)
        while risen + 1 in got:
            risen += 1
        expected += sorted(seq for seq in got if watermark < seq <= risen)
        watermark = risen
        reader.receive(seq, floor)
        assert reader.seqs() == expected
        assert reader.order.epochs[7].watermark == watermark
        assert sorted(reader.order.epochs[7].held) == sorted(seq for seq in got if seq > watermark)


def test_a_letter_ahead_of_a_gap_waits_for_it() -> None:
    reader = Reader()
    for seq in (3, 2, 5):
        reader.receive(seq)
    assert reader.seqs() == []
    reader.receive(1)
    assert reader.seqs() == [1, 2, 3]
    assert list(reader.order.epochs[7].held) == [5]


def test_a_letter_below_the_watermark_is_passed_and_not_entered() -> None:
    reader = Reader()
    for seq in (1, 2, 2):
        reader.receive(seq)
    reader.receive(9, floor=9)
    reader.receive(5)
    assert reader.seqs() == [1, 2, 9]
    assert [seq for _, seq, _ in reader.passed] == [2, 5]


def test_of_two_copies_held_the_first_is_entered() -> None:
    reader = Reader()
    for seq in (2, 2, 1):
        reader.receive(seq)
    assert reader.entered == [(7, 1, 3), (7, 2, 1)]


def test_the_watermark_never_falls() -> None:
    epoch = Epoch[str](watermark=10)
    assert list(reached(epoch, 3)) == []
    assert epoch.watermark == 10


def test_a_floor_moves_the_watermark_even_if_nothing_is_held() -> None:
    epoch = Epoch[str]()
    assert list(reached(epoch, 5)) == []
    assert epoch.watermark == 4


def test_the_watermark_is_at_each_letter_when_it_is_given() -> None:
    epoch = Epoch(held={3: "three", 6: "six", 8: "eight", 7: "seven"})
    seen = [(epoch.watermark, seq, letter) for seq, letter in reached(epoch, 6)]
    assert seen == [(3, 3, "three"), (6, 6, "six"), (7, 7, "seven"), (8, 8, "eight")]


# --- several epochs ---


def test_epochs_are_ordered_apart() -> None:
    reader = Reader()
    for number, seq in ((1, 2), (2, 1), (1, 1), (2, 2), (2, 1)):
        reader.receive(seq, number=number)
    assert [letter[:2] for letter in reader.entered] == [(2, 1), (1, 1), (1, 2), (2, 2)]


def test_the_least_recently_used_epoch_goes_with_what_is_held_when_there_are_too_many() -> None:
    reader = Reader()
    for number in range(EPOCHS_PER_SENDER_MAX):
        reader.receive(2, number=number)
    reader.receive(3, number=0)  # epoch 0 is used again, so 1 is the one to go
    assert reader.gone == []
    reader.receive(2, number=99)
    assert [letter[:2] for letter in reader.gone] == [(1, 2)]
    assert list(reader.order.epochs) == [2, 3, 4, 5, 6, 7, 0, 99]


def test_an_epoch_used_again_keeps_what_it_has() -> None:
    order = SenderOrder[str]()
    epoch, _ = order.use(1)
    epoch.watermark, epoch.held[9] = 5, "nine"
    again, gone = order.use(1)
    assert again is epoch
    assert gone == []


def test_held_letters_of_older_epochs_go_first_and_no_more_than_needed() -> None:
    reader = Reader()
    for number, letters in ((1, 10), (2, 20), (3, 34)):
        for seq in range(2, 2 + letters):
            reader.receive(seq, number=number)
    assert reader.order.held == HELD_LETTERS_PER_SENDER_MAX
    assert reader.gone == []
    reader.receive(50, number=3)
    assert [letter[:2] for letter in reader.gone] == [(1, seq) for seq in range(2, 12)]
    assert reader.order.held == 55


def test_letters_of_the_epoch_in_use_are_not_forgotten_for_others_of_it_and_the_next_still_enters() -> None:
    reader = Reader()
    for seq in range(2, 2 + HELD_LETTERS_PER_SENDER_MAX):
        reader.receive(seq)
    reader.receive(100)
    assert [letter[:2] for letter in reader.gone] == [(7, 100)]
    assert reader.order.held == HELD_LETTERS_PER_SENDER_MAX
    reader.receive(1)
    assert reader.seqs() == list(range(1, 2 + HELD_LETTERS_PER_SENDER_MAX))


@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 90), st.integers(1, 90)), max_size=400))
def test_whatever_comes_the_caps_hold_and_no_letter_is_entered_twice(arrivals: list[tuple[int, int, int]]) -> None:
    """R-9.4-5."""
    reader = Reader()
    for number, seq, low in arrivals:
        reader.receive(seq, min(seq, low), number)
        assert reader.order.held <= HELD_LETTERS_PER_SENDER_MAX
        assert len(reader.order.epochs) <= EPOCHS_PER_SENDER_MAX
        assert next(reversed(reader.order.epochs)) == number
    copies = [letter[2] for letter in reader.entered + reader.gone + reader.passed]
    assert len(copies) == len(set(copies))  # each is in one place
    for epoch in reader.order.epochs.values():
        assert all(seq > epoch.watermark for seq in epoch.held)
