"""The demonstration shows what it says, and ends by itself."""

import asyncio
import re

import pytest

from tests.cli.virtual_time import VirtualTimeLoop
from udpchat_cli import demo


def test_the_demonstration_shows_chat_absence_mail_and_return(capsys: pytest.CaptureFixture[str]) -> None:
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualTimeLoop)
        runner.run(demo.play(loop.clock()))
    shown = capsys.readouterr().out
    notes = re.findall(r"~ (\d+) datagrams, (\d+) of them lost\.", shown)
    assert len(notes) == 1 + len(demo._SCENES)
    assert sum(int(lost) for _, lost in notes) > 10
    bert = [
        re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", line[10:]) for line in shown.splitlines() if "  bert " in line
    ]
    back = bert.index(">>> reg bert")
    assert ">>> anna: hello bert,   how  are you?" in bert[:back]
    assert ">>> [You have messages]" in bert[back:]
    mail = [line for line in bert[back:] if "TIME" in line]
    assert sorted(mail) == [
        ">>> anna: TIME are you away?",
        ">>> anna: TIME at the harbour",
        ">>> cleo: TIME we meet at nine",
    ]
    assert "python3 udpchat.py -s 10001" in shown


def test_a_demonstration_that_hangs_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "LOSS", 1.0)
    monkeypatch.setattr(demo, "PATIENCE_S", 0.1)
    assert demo.main() == 1
    assert "did not come within" in capsys.readouterr().err
