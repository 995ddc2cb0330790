"""What others write is shown as text, whatever it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.escapes import ESCAPES
from udpchat_cli.display import MARKS_MAX, body, columns_of, escaped, tail, width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("\x1b[2J\x9b31m", r"\x1b[2J\x9b31m"),
        ("one\ntwo\r\n\tthree\x00\x7f", r"one\ntwo\r\n\tthree\x00\x7f"),
        ("abc\u202etxt.exe\u202c", r"abc\u202etxt.exe\u202c"),
        (
            "\u2066x\u2069\u200e\u200f\u061c\u2028\u2029\ufeff\u00ad",
            r"\u2066x\u2069\u200e\u200f\u061c\u2028\u2029\ufeff\xad",
        ),
        ("\U000e0041 tag", r"\U000e0041 tag"),
        ("\ud800 alone", r"\ud800 alone"),
    ],
)
def test_what_a_terminal_may_obey_is_escaped(text: str, shown: str) -> None:
    assert escaped(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "  runs   of  ",
        "żółw 亀 🐢",
        "👩‍👩‍👧 👍🏽 🇵🇱",
        "שלום مرحبا",
        "e\u0301",
        "می‌خواهم",
        r"\x1b is typed",
        "",
    ],
)
def test_what_is_to_be_read_is_left_alone(text: str) -> None:
    assert escaped(text) == text


@given(st.text(st.characters()))
def test_nothing_that_is_shown_is_a_control(text: str) -> None:
    shown = escaped(text)
    assert not {unicodedata.category(char) for char in shown if char not in "\u200c\u200d"} & {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
    }
    assert len(shown.splitlines()) <= 1


@given(st.text(max_size=30), st.integers(2, 20))
def test_the_tail_is_the_end_of_the_text_and_fits(text: str, columns: int) -> None:
    shown = tail(text, columns)
    assert sum(map(width, shown)) <= columns
    assert shown == text or (shown.startswith("<") and text.endswith(shown[1:]))


def test_the_tail_is_as_long_as_it_can_be() -> None:
    assert tail("abcdef", 6) == "abcdef"
    assert tail("abcdefg", 6) == "<cdefg"
    assert tail("亀亀亀", 6) == "亀亀亀"
    assert tail("亀亀亀亀", 6) == "<亀亀"
    assert tail("e\u0301" * 6, 6) == "e\u0301" * 6


def test_a_pile_of_marks_is_no_higher_than_any_script_needs() -> None:
    assert escaped("a" + "\u0301" * (MARKS_MAX + 2) + "b") == "a" + "\u0301" * MARKS_MAX + r"\u0301\u0301b"
    assert escaped("a" + "\u200d" * (MARKS_MAX + 1)) == "a" + "\u200d" * MARKS_MAX + r"\u200d"


@pytest.mark.parametrize("text", ESCAPES.values(), ids=ESCAPES)
@pytest.mark.parametrize("columns", [None, 20, 80])
def test_no_row_of_a_text_but_the_first_begins_at_the_edge(text: str, columns: int | None) -> None:
    first, *more = body(12, text, columns)
    assert all(row.lstrip(" ").startswith("| ") and row.startswith(" " * 6) for row in more)
    assert columns is None or all(columns_of(row) < columns for row in more)
    assert columns is None or columns_of(first) < max(columns - 12, 1)


def test_a_text_is_wrapped_between_words_and_nothing_of_it_is_lost() -> None:
    assert body(4, "one two  three fourteen", 16) == ["one two", "  | three", "  | fourteen"]
    assert body(2, "x" * 25, 13) == ["x" * 10, "| " + "x" * 10, "| " + "x" * 5]
    assert body(2, "亀" * 7, 13) == ["亀" * 5, "| 亀亀"]


def test_a_head_that_takes_half_of_the_row_has_it_alone() -> None:
    assert body(50, "hello " * 6, 80) == ["", "      | hello hello hello hello hello hello "]
    assert body(50, "hello\nyou", 80) == ["", "      | hello", "      | you"]
    assert body(50, "hello", 80) == ["hello"]  # but for what fits beside it


def test_a_link_stays_whole_to_be_followed_and_what_may_look_like_a_head_is_no_link() -> None:
    link = "https://example.org/" + "a" * 30
    assert body(2, f"see {link} now", 23) == ["see", f"| {link}", "| now"]
    assert all(columns_of(row) < 23 for row in body(2, f"{link}<bob>", 23))


@given(st.text(st.characters(), max_size=60), st.integers(0, 30), st.integers(20, 60))
def test_whatever_it_is_fits(text: str, indent: int, columns: int) -> None:
    rows = body(indent, text, columns)
    assert all(columns_of(row) <= columns for row in rows)
    assert all(row.lstrip(" ").startswith("| ") for row in rows[1:])


def test_a_tab_is_a_blank_space() -> None:
    assert body(0, "if x:\n\tpass") == ["if x:", "|     pass"]
