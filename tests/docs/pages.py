"""Pages whose code is run. Each Python block but the first goes on where the one before it ended.

With the environment variable REWRITE set, what is printed is written into the page: read the difference before you
believe it.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PYTHON: Final = ".venv/bin/"
BLOCK: Final = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
MARK: Final = "\x1e"
"""Printed between blocks, to tell whose output is whose."""


class Page:
    """A page of `docs/`, run.

    Attributes:
        blocks: language and text of each.
        outputs: what is printed by each block that has its output below it.
        replay: the command that a block printed, if one did.
    """

    def __init__(self, name: str, folder: Path) -> None:
        path = ROOT / "docs" / name
        text = path.read_text(encoding="utf-8")
        code = [block for language, block in BLOCK.findall(text) if language == "python"]
        script = folder / "script.py"
        script.write_text(f"\nprint({MARK!r}, end='')\n".join(code), encoding="utf-8")
        self.outputs = _printed(folder, str(script)).split(MARK)
        self.replay = next((line for each in self.outputs for line in each.splitlines() if "python -m" in line), "")
        if self.replay:
            at = next(number for number, each in enumerate(self.outputs) if self.replay in each)
            self.outputs.insert(at + 1, _printed(folder, *shlex.split(self.replay)[1:]))
        if os.environ.get("REWRITE"):
            text = self._rewritten(text)
            path.write_text(text, encoding="utf-8")
        self.blocks: list[tuple[str, str]] = BLOCK.findall(text)

    def of(self, language: str) -> list[str]:
        """The text of each block of a language."""
        return [text for each, text in self.blocks if each == language]

    def _rewritten(self, text: str) -> str:
        rest = iter(self.outputs)

        def new(block: re.Match[str]) -> str:
            if block[1] == "text":
                return f"```text\n{next(rest)}```"
            return f"```sh\n{PYTHON}{self.replay}\n```" if block[2].startswith(PYTHON) else block[0]

        return BLOCK.sub(new, text)


def _printed(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=folder, env=environment, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout
