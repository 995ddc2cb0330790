"""The README claims what works: its tour is run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_tour_prints_what_the_readme_shows(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    shown = re.search(r"tour.py`:\n\n((?:    .*\n)+)", README)
    assert code is not None
    assert shown is not None
    tour = tmp_path / "tour.py"
    tour.write_text(code[1], encoding="utf-8")
    run = subprocess.run([sys.executable, str(tour)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout == shown[1].replace("    ", "")


def test_every_file_that_the_readme_names_is_there() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
