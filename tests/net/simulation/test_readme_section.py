"""What the README shows of the simulated network is run as it stands."""

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")


SECTION = README.partition("## Test your own client against a bad network")[2]


def test_the_bot_on_a_bad_network_prints_what_the_readme_shows(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", SECTION, re.DOTALL)
    shown = re.search(r"prints the same each time:\n\n((?:    .*\n)+)", SECTION)
    assert code is not None
    assert shown is not None
    script = tmp_path / "bad.py"
    script.write_text(code[1], encoding="utf-8")
    run = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout == shown[1].replace("    ", "")


def test_the_enemies_of_the_readme_do_what_it_says(tmp_path: Path) -> None:
    bad, evil = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)[:2]
    seen = 'print([(e.name, e.confirmed) for _, e in world.events("bot") if "it is me" in str(e)])'
    (tmp_path / "bad.py").write_text(f"{bad}\n{evil}\n{seen}\n", encoding="utf-8")
    command = [sys.executable, str(tmp_path / "bad.py")]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert run.stdout.splitlines()[-1] == "[('ann', False)]"
