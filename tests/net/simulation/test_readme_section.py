"""What the README shows of the simulated network is run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


def test_the_bot_on_a_bad_network_prints_what_the_readme_shows(tmp_path: Path) -> None:
    section = README.partition("## Test your own client against a bad network")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    shown = re.search(r"prints the same each time:\n\n((?:    .*\n)+)", section)
    assert code is not None
    assert shown is not None
    script = tmp_path / "bad.py"
    script.write_text(code[1], encoding="utf-8")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout == shown[1].replace("    ", "")
