"""`python -m benchmarks`: chooses, measures, prints, keeps."""

import json
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks.__main__ import main
from benchmarks.harness import Pair, same


def test_the_command_prints_the_pairs_that_were_asked_for_and_keeps_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept.json"
    assert main(["record-seal", "card-make", "--rounds", "2", "--json", str(kept)]) == 0
    printed = [line.split(" | ")[0] for line in capsys.readouterr().out.splitlines()[2:]]
    chosen = ["card-make", "record-seal-lookup", "record-seal-found", "record-seal-store"]
    assert printed == [f"| {name}" for name in chosen]
    written = json.loads(kept.read_text())
    assert [each["name"] for each in written["results"]] == chosen
    assert set(written["machine"]) == {"python", "machine", "system", "cryptography", "cbor2", "pydantic"}


def test_the_command_lists_every_pair(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.split() == [pair.name for subject in command.SUBJECTS for pair in subject.pairs()]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["letter", "nothing"], "no pair begins with 'nothing'"), (["--rounds", "1"], "--rounds is 1: at least 2")],
)
def test_the_command_refuses_what_it_cannot_measure(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_what_a_subject_needs_for_a_pair_is_there_while_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    said = []

    def subject() -> Generator[Pair, None, None]:
        for name in ("one", "two"):
            said.append(f"start {name}")
            try:
                yield Pair(name, "nothing", same(int), same(said.append, name))
            finally:
                said.append(f"stop {name}")

    monkeypatch.setattr(command, "SUBJECTS", (SimpleNamespace(pairs=subject),))
    assert main(["--rounds", "2"]) == 0
    assert list(dict.fromkeys(said)) == ["start one", "one", "stop one", "start two", "two", "stop two"]
