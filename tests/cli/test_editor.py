"""Lines are what stands between line feeds; on a terminal they are edited at their end, whatever keys come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udpchat_cli.display import width
from udpchat_cli.editor import LINE_CHARS_MAX, Editor, Lines


@given(st.lists(st.text(st.sampled_from("ab \n\r\x1b\x00é"))))
def test_lines_are_the_same_in_whatever_pieces_they_come(pieces: list[str]) -> None:
    lines = Lines()
    got = [line for piece in pieces for line in lines.feed(piece)]
    *whole, rest = "".join(pieces).split("\n")
    assert got == [line.removesuffix("\r") for line in whole]
    assert lines.end() == (rest.removesuffix("\r") if rest else None)


def test_a_line_without_end_is_cut() -> None:
    lines = Lines()
    for _ in range(5):
        assert list(lines.feed("x" * LINE_CHARS_MAX)) == []
    assert list(lines.feed("x\nnext\n")) == ["x" * LINE_CHARS_MAX, "next"]


@pytest.mark.parametrize(
    ("keys", "lines", "left"),
    [
        ("hello\n", ["hello"], ""),
        ("hello\rworld", ["hello"], "world"),
        ("helo\x7flo", [], "hello"),
        ("\x7f\x7fx", [], "x"),
        ("x\b", [], ""),
        ("caf\u0065\u0301\x7f", [], "caf"),
        ("亀🐢\x7f", [], "亀"),
        ("send bob hi  \x17", [], "send bob "),
        ("send\x17\x17", [], ""),
        ("all of it\x15new", [], "new"),
        ("a\x1b[Db\x1b[1;5Cc\x1bOAd\x1b[200~e", [], "abcde"),
        ("a\x1bxb", [], "ab"),
        ("a\x1b\x1b[Ab", [], "ab"),
        ("a\tb\x01\x0c", [], "a\tb"),
        ("\x04", [None], ""),
        ("a\x04b\n\x04", ["ab", None], ""),
    ],
)
def test_keys_do_what_a_terminal_would_do(keys: str, lines: list[str | None], left: str) -> None:
    for size in (1, len(keys)):  # however the keys come in
        editor = Editor()
        got = [line for at in range(0, len(keys), size) for line in editor.feed(keys[at : at + size])]
        assert (got, editor.line) == (lines, left)


@given(st.text(), st.integers(4, 200))
def test_the_row_being_typed_fits_and_has_no_controls(keys: str, columns: int) -> None:
    editor = Editor()
    list(editor.feed(keys))
    shown = editor.shown(columns)
    assert shown.startswith(">>> ")
    assert sum(map(width, shown)) < max(columns, 8)
    assert "\x1b" not in shown
    assert "\n" not in shown


def test_a_line_being_typed_is_bounded() -> None:
    editor = Editor()
    list(editor.feed("x" * (LINE_CHARS_MAX + 10)))
    assert len(editor.line) == LINE_CHARS_MAX
