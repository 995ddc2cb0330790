"""What was typed comes back in the next session, and nobody else reads it."""

import os
from pathlib import Path

from udpchat_cli.chat.recall import LINE_CHARS_MAX, LINES_MAX, Recall


def test_what_was_typed_comes_back_newest_first_also_if_it_has_several_lines(tmp_path: Path) -> None:
    path = tmp_path / "typed"
    for line in ("one", "two\nlines", "\u2028 three"):
        Recall(path).store_string(line)
    assert list(Recall(path).load_history_strings()) == ["\u2028 three", "two\nlines", "one"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_cut_to_the_newest_lines(tmp_path: Path) -> None:
    path = tmp_path / "typed"
    path.write_text("".join(f'"{number}"\n' for number in range(LINES_MAX + 10)))
    os.chmod(path, 0o644)
    newest = [str(number) for number in reversed(range(10, LINES_MAX + 10))]
    assert list(Recall(path).load_history_strings()) == newest
    assert len(path.read_text().splitlines()) == LINES_MAX
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_too_long_was_pasted_and_is_not_kept(tmp_path: Path) -> None:
    recall = Recall(tmp_path / "typed")
    recall.store_string("x" * (LINE_CHARS_MAX + 1))
    assert list(recall.load_history_strings()) == []


def test_what_a_crash_left_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "typed"
    path.write_bytes(b'"one"\n"tw\xff\n{}\n')
    assert list(Recall(path).load_history_strings()) == ["one"]


def test_a_file_that_cannot_be_had_costs_the_history_and_is_told(tmp_path: Path) -> None:
    recall = Recall(tmp_path)  # a folder
    assert list(recall.load_history_strings()) == []
    recall.store_string("one")
    assert recall.trouble is not None
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    linked = Recall(tmp_path / "link")
    linked.store_string("one")
    assert linked.trouble is not None
    assert not (tmp_path / "elsewhere").exists()
