#!/usr/bin/env python3
"""The original's command line, `python3 udpchat.py -s 10001`: runs the command in the checkout's .venv."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = os.path.join(HERE, ".venv", *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
COMMAND = [PYTHON, "-P", "-m", "udpchat_cli"] + sys.argv[1:]  # noqa: RUF005 - any Python 3 may run this file

if not os.path.exists(os.path.join(HERE, ".venv", "installed")):
    sys.exit(
        "udpchat.py: %s is not built yet: run `make venv` in %s (a minute, once)"
        % (os.path.dirname(os.path.dirname(PYTHON)), HERE)
    )  # noqa: E501, UP031
if os.name == "nt":  # its exec does not keep the terminal waiting
    sys.exit(subprocess.call(COMMAND))  # noqa: S603
os.execv(PYTHON, COMMAND)  # noqa: S606
