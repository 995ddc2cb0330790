"""Coverage-guided fuzzing of every target by atheris (libFuzzer), which `make fuzz` runs.

    python -m tests.fuzz.run --executions N [TARGET ...]
    python -m tests.fuzz.run --replay FILE TARGET

Theory of operation. The core is imported once, instrumented; then each target is forked off, as many at a time
as there are processors, because libFuzzer ends its process. What it keeps is in `.fuzz/TARGET/`: `seeds`,
written anew each time; `corpus`, which grows from run to run; `findings`, which are tried first in the next run;
and `log`. The seed of its randomness is fixed, so a run from a clean checkout is the same every time.
"""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, Never

if TYPE_CHECKING:  # importing it imports the core, which has to be instrumented first
    from tests.fuzz.target import Target

FOLDER: Final = Path(".fuzz")
UNAVAILABLE: Final = (
    "fuzzing needs atheris, which there is for Linux on x86-64 and Python before 3.14 only; "
    "`make test` runs the same targets by Hypothesis."
)
_INPUT_S_MAX = 120  # an input takes a millisecond: this one hangs; a busy machine stopped one for 32 s
_MEMORY_MB_MAX = 1_024  # 60 are used
_LOG_CHARS_MAX = 4_000
_ROW = "{:<45} {:>11} {:>8} {:>7}  {}"


def main(arguments: Sequence[str]) -> int:
    """The command; 0 if nothing was found, 1 for a finding, 2 if it cannot run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description="Fuzz the `_untrusted` functions.")
    parser.add_argument("--executions", type=int, default=1_000_000, help="of each target (1,000,000)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one input, with a traceback if it fails")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all, if none is named")
    options = parser.parse_args(arguments)
    if options.replay is None and find_spec("atheris") is None:
        print(UNAVAILABLE, file=sys.stderr)
        return 2
    if options.executions < 1:
        parser.error("--executions: at least 1")
    table = _table(instrumented=options.replay is None)
    unknown = [name for name in options.targets if name not in table]
    if unknown:
        parser.error(f"no target {unknown[0]}; there are: {' '.join(table)}")
    if options.replay is None:
        return fuzz([table[name] for name in options.targets or table], options.executions, FOLDER)
    if len(options.targets) != 1:
        parser.error("--replay needs one target")
    accepted = table[options.targets[0]].run(options.replay.read_bytes())
    print("nothing found: the function", "accepted" if accepted else "refused")
    return 0


def fuzz(targets: Sequence["Target"], executions: int, folder: Path) -> int:
    """Run the targets and print a table; 1 if one of them found something or did not run."""
    print(_ROW.format("target", "executions", "covered", "corpus", "findings"), flush=True)
    waiting, running, status = list(targets), dict[int, "Target"](), 0
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            target = waiting.pop(0)
            running[_fork(target, executions, folder / target.name)] = target
        process, ended = os.wait()
        target = running.pop(process)
        status |= _report(target, folder / target.name, os.waitstatus_to_exitcode(ended))
    return status


def _table(instrumented: bool) -> Mapping[str, "Target"]:
    if instrumented:
        with redirect_stderr(StringIO()), import_module("atheris").instrument_imports(include=["udpchat_core"]):
            import_module("tests.fuzz.targets")
    targets: Mapping[str, Target] = import_module("tests.fuzz.targets").TARGETS
    return targets


def _fork(target: "Target", executions: int, folder: Path) -> int:
    """The process that fuzzes the target."""
    shutil.rmtree(folder / "seeds", ignore_errors=True)
    for name in ("seeds", "corpus", "findings"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (folder / "seeds" / sha256(seed).hexdigest()).write_bytes(seed)
    with (folder / "log").open("wb") as log:
        process = os.fork()
        if process == 0:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            _fuzz(target, executions, folder)
    return process


def _fuzz(target: "Target", executions: int, folder: Path) -> Never:
    """Turn this process into libFuzzer's; it ends in there, or by SystemExit, on which what was found is kept."""

    def run(data: bytes) -> None:
        target.run(data)

    atheris, bytes_max = import_module("atheris"), import_module("tests.fuzz.draw").INPUT_BYTES_MAX
    slow = [f"-timeout={_INPUT_S_MAX}", f"-report_slow_units={_INPUT_S_MAX}"]
    limits = [f"-max_len={bytes_max}", *slow, f"-rss_limit_mb={_MEMORY_MB_MAX}"]
    flags = [f"-runs={executions}", "-seed=1", "-keep_seed=1", "-print_final_stats=1", *limits]
    folders = [str(folder / name) for name in ("corpus", "seeds", "findings")]
    atheris.Setup([target.name, *flags, f"-artifact_prefix={folder / 'findings'}/", *folders], run)
    atheris.Fuzz()
    raise AssertionError("libFuzzer ends its process")


def _report(target: "Target", folder: Path, status: int) -> int:
    """A row of the table; below it what was found, and how to see it again."""
    log = (folder / "log").read_text("utf-8", "replace")
    executed = re.findall(r"stat::number_of_executed_units: *(\d+)", log)
    progress = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)/", log)
    kept = re.findall(r"Test unit written to (.+)", log)
    covered, corpus = progress[-1] if progress else ("-", "-")
    print(_ROW.format(target.name, f"{int(executed[-1]):,}" if executed else "-", covered, corpus, len(kept)))
    if status != 0:
        found = log.find(" === Uncaught")
        print(log[found if found >= 0 else -_LOG_CHARS_MAX :][:_LOG_CHARS_MAX])
        python = os.path.relpath(sys.executable)
        print(*(f"to replay: {python} -m tests.fuzz.run --replay {path} {target.name}" for path in kept), sep="\n")
    sys.stdout.flush()
    return int(status != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
