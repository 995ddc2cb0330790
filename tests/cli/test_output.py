"""What is printed is safe to show, and written before it counts as printed."""

import asyncio
import os
import pty
from pathlib import Path

import pytest

from tests.tools import FULL, needs_full
from udpchat_cli.display import block
from udpchat_cli.exits import Exit, Failed, ReaderGone
from udpchat_cli.output import Output, complain


def printed(path: Path, as_json: bool, line: str, thing: dict[str, object] | None = None) -> str:
    with path.open("wb") as file:
        Output(as_json, file.fileno()).say(line, thing)
    return path.read_text()


def test_people_get_the_line_and_programs_the_object(tmp_path: Path) -> None:
    assert printed(tmp_path / "out", False, "a line", {"event": "x"}) == "a line\n"
    assert printed(tmp_path / "out", True, "a line", {"event": "x"}) == '{"event":"x"}\n'
    assert printed(tmp_path / "out", True, "a line") == ""


def test_no_line_moves_a_cursor(tmp_path: Path) -> None:
    assert printed(tmp_path / "out", False, "a\x1b]0;owned\x07b\rc") == "a\\x1b]0;owned\\x07b\\rc\n"


def test_a_text_of_several_lines_fakes_no_other_speaker() -> None:
    assert block("14:02 <anna> ", "one\r\n14:03 <bert> two\n") == (
        "14:02 <anna> one\n"
        "           | 14:03 <bert> two\n"
        "           | "
    )  # fmt: skip
    assert block("", "a\nb") == "a\n| b"
    assert block("14:02 <anna> ", "one") == "14:02 <anna> one"


def test_a_reader_that_went_away_is_noticed() -> None:
    read, write = os.pipe()
    os.close(read)
    output = Output(False, write)
    with pytest.raises(ReaderGone) as gone:
        output.say("to nobody")
    assert gone.value.failed is None
    output.check()
    os.close(write)


def test_a_terminal_that_was_closed_is_a_reader_that_went() -> None:
    terminal, write = pty.openpty()
    os.close(terminal)
    with pytest.raises(ReaderGone) as gone:
        Output(False, write).say("to nobody")
    assert gone.value.failed is None
    os.close(write)


@needs_full
def test_a_disk_that_takes_nothing_is_a_trouble_also_for_who_went_on() -> None:
    with FULL.open("wb") as full:
        output = Output(False, full.fileno())
        with pytest.raises(ReaderGone) as gone:
            output.say("lost")
        with pytest.raises(Failed, match="standard output cannot be written: No space left on device") as failed:
            output.check()
    assert failed.value is gone.value.failed
    assert failed.value.status is Exit.STATE


def test_an_error_is_one_line_that_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    complain("no \x1b[2J\nsuch")
    assert capsys.readouterr().err == "udpchat: no \\x1b[2J\\nsuch\n"


def test_that_nobody_reads_a_pipe_any_more_is_noticed_without_writing() -> None:
    async def scene() -> None:
        read, write = os.pipe()
        gone = asyncio.Event()
        Output(False, write).when_gone(gone.set)
        await asyncio.sleep(0)
        assert not gone.is_set()
        os.close(read)
        await gone.wait()
        os.close(write)

    asyncio.run(scene())


def test_a_file_has_no_reader_that_could_go(tmp_path: Path) -> None:
    async def scene() -> None:
        with (tmp_path / "out").open("wb") as file:
            Output(False, file.fileno()).when_gone(lambda: pytest.fail("gone"))
            await asyncio.sleep(0)

    asyncio.run(scene())
