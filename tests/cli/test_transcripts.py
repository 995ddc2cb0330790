"""What everybody sees, from the first line to the last: see `transcript`."""

from pathlib import Path

import pytest

from tests.cli.transcript import check, text_of

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_everybody_sees_what_the_transcript_says(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path)


def test_there_are_transcripts() -> None:
    assert len(TRANSCRIPTS) > 10


def test_the_texts_are_as_long_as_they_say() -> None:
    assert [len(text_of(size).encode()) for size in (1, 800, 2_000, 60_000)] == [1, 800, 2_000, 60_000]
