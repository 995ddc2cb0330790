"""Long texts come together again, whatever they hold and whoever else writes meanwhile."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from udpchat_core.delivery.parts import MISSING, Assembler, Part, split
from udpchat_core.limits import PARTS_MAX, TEXT_BYTES_MAX, TEXT_PARTS_BYTES_MAX

ANN, BOB = b"a" * 32, b"b" * 32
WIDTHS = ("a", "é", "€", "😀")
"""Characters of 1, 2, 3 and 4 bytes of UTF-8."""


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Texts up to 64 KiB, made of runs of characters of each width, so that cuts fall anywhere in them."""
    runs = draw(st.lists(st.tuples(st.sampled_from(WIDTHS), st.integers(1, 20_000)), min_size=1, max_size=8))
    text = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=30)) + "".join(c * n for c, n in runs)
    return text.encode()[:TEXT_PARTS_BYTES_MAX].decode(errors="ignore")


def letters(text: str, sender: bytes = ANN, sent_ms: int = 1) -> list[Part]:
    pieces = split(text)
    return [Part(sender, sent_ms, number, len(pieces), piece) for number, piece in enumerate(pieces, 1)]


def read(parts: list[Part]) -> list[str]:
    """The texts that a reader of these letters sees, in the order in which they are complete."""
    assembler = Assembler()
    return [text for part in parts for _, text in assembler.add(part)]


# --- splitting ---


@given(texts())
def test_any_text_up_to_64_kib_comes_together_again_from_letters_that_are_allowed(text: str) -> None:
    """R-6.2-3: 1 to 800 bytes each, cut at code points, at most 83 parts."""
    pieces = split(text)
    assert "".join(pieces) == text
    assert 1 <= len(pieces) <= PARTS_MAX
    assert all(1 <= len(piece.encode()) <= TEXT_BYTES_MAX for piece in pieces)
    assert read(letters(text)) == [text]


@given(texts())
def test_a_piece_ends_only_where_the_next_character_does_not_fit(text: str) -> None:
    pieces = split(text)
    for piece, following in pairwise(pieces):
        assert len((piece + following[0]).encode()) > TEXT_BYTES_MAX


def test_the_worst_text_of_64_kib_needs_all_83_parts() -> None:
    worst = ("😀" * 199 + "a") * 83  # every cut comes before a character of 4 bytes, after 797
    pieces = split(worst.encode()[:TEXT_PARTS_BYTES_MAX].decode(errors="ignore"))
    assert {len(piece.encode()) for piece in pieces[:-1]} == {797}
    assert len(pieces) == PARTS_MAX


def test_a_short_text_is_one_letter_and_no_text_is_none() -> None:
    assert split("hi") == ["hi"]
    assert split("a" * 800) == ["a" * 800]
    assert split("a" * 801) == ["a" * 800, "a"]
    assert split("") == []


# --- putting together ---


def test_a_text_is_given_with_its_first_letter_and_only_when_it_is_complete() -> None:
    assembler = Assembler()
    one, two, three = letters("a" * 1_601)
    assert list(assembler.add(one)) == []
    assert list(assembler.add(two)) == []
    assert list(assembler.add(three)) == [(one, "a" * 1_601)]
    assert list(assembler.add(one)) == []  # nothing of the last text is left


def test_texts_of_two_senders_may_interleave() -> None:
    ann, bob = letters("a" * 1_600, ANN), letters("b" * 1_600, BOB)
    assert read([ann[0], bob[0], bob[1], ann[1]]) == ["b" * 1_600, "a" * 1_600]


def test_a_missing_part_shows_as_a_gap_once_a_run_wherever_it_is() -> None:
    """R-9.5-1."""
    whole = [Part(ANN, 1, number, 5, str(number)) for number in range(1, 6)]
    for kept, text in (
        ((2, 3, 4, 5), f"{MISSING}2345"),
        ((1, 4, 5), f"1{MISSING}45"),
        ((1, 3, 5), f"1{MISSING}3{MISSING}5"),
        ((5,), f"{MISSING}5"),
    ):
        assert read([part for part in whole if part.part in kept]) == [text]


def test_a_text_whose_end_is_missing_is_given_when_the_next_text_of_its_sender_begins() -> None:
    # R-9.5-2
    for following in (
        Part(ANN, 2, 1, 1, "next"),  # sent at another time
        Part(ANN, 1, 1, 1, "next"),  # another number of parts
        Part(ANN, 1, 1, 4, "next"),  # begins again
        Part(ANN, 2, 3, 4, "next"),  # whose own beginning is missing
        Part(ANN, 1, 3, 5, "next"),
    ):
        for missing in (4, 3):
            begun = [Part(ANN, 1, number, 4, str(number)) for number in range(1, missing)]
            assembler = Assembler()
            assert [text for part in begun for text in assembler.add(part)] == []
            first, *further = assembler.add(following)
            assert first == (begun[0], "123"[: missing - 1] + MISSING)
            assert further == ([(following, "next")] if following.parts == 1 else [])


def test_a_text_that_begins_is_not_ended_by_another_sender() -> None:
    (one, two), bob = letters("a" * 1_600), Part(BOB, 1, 1, 1, "hi")
    assert read([one, bob, two]) == ["hi", "a" * 1_600]


@given(st.lists(st.tuples(st.sampled_from((ANN, BOB)), texts()), max_size=6), st.randoms(use_true_random=False))
def test_interleaved_senders_read_as_each_of_them_alone(sent: list[tuple[bytes, str]], random: object) -> None:
    alone = {sender: [text for by, text in sent if by == sender and text] for sender in (ANN, BOB)}
    queues = {
        sender: [
            part for sent_ms, (by, text) in enumerate(sent) if by == sender for part in letters(text, sender, sent_ms)
        ]
        for sender in (ANN, BOB)
    }
    assembler, seen = Assembler(), {ANN: list[str](), BOB: list[str]()}
    while any(queues.values()):
        sender = random.choice([by for by, queue in queues.items() if queue])  # type: ignore[attr-defined]
        for first, text in assembler.add(queues[sender].pop(0)):
            seen[first.sender].append(text)
    assert seen == alone
