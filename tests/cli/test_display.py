"""What others write is shown as text, whatever it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udpchat_cli.display import escaped, tail, width


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
