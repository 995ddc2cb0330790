"""`python -m tests.conformance.independent`: plays a scene with the real thing, and prints the ladder of it.

The scene is `play` in `scene`; the command's status is not 0 if something in it did not happen.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from . import kit
from .scene import Scene, Stage, play

LINE_CHARS_MAX = 118
HEAD = """# A transcript

The independent client, called `second`, with the real server and the real client `real` (`peer`), on loopback; its
socket layer loses {percent} % of the datagrams each way. Every datagram to or from it is a line: the time in seconds,
the way (`x` where it was lost), whom it is to or from, its bytes, and what was in it. Written by

    python -m tests.conformance.independent --loss {loss} --seed {seed} > tests/conformance/TRANSCRIPT.md

In order: `second` registers; both say hello; `second` leaves, and `real` writes to it and leaves; `second` returns,
collects its mail, and writes to `real`; `real` returns; each sends the other 3,000 bytes, at the same time.
"""


def transcript(scene: Scene) -> str:
    head = HEAD.format(percent=round(100 * scene.loss), loss=scene.loss, seed=scene.seed)
    printed = "\n".join(shortened(line) for line in scene.printed.strip().splitlines())
    return f"{head}\n```text\n{scene.second.drawn()}\n```\n\nWhat `real` printed:\n\n```text\n{printed}\n```\n"


def shortened(line: str) -> str:
    return line if len(line) <= LINE_CHARS_MAX else line[: LINE_CHARS_MAX - 3] + "..."


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.independent", description=__doc__)
    parser.add_argument("--loss", type=float, default=0.2, help="probability, each way")
    parser.add_argument("--seed", type=int, default=1, help="of the loss")
    parser.add_argument("--kit", action="store_true", help="answer the conformance kit instead, as its README says")
    arguments = parser.parse_args()
    if arguments.kit:
        return kit.main()
    with tempfile.TemporaryDirectory() as directory:
        stage = Stage(Path(directory))
        try:
            scene = Scene(stage, Path(directory), loss=arguments.loss, seed=arguments.seed)
            play(scene)
            sys.stdout.write(transcript(scene))
            scene.close()
        finally:
            stage.stop()
    return 0


sys.exit(main())
