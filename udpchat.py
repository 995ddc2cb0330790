#!/usr/bin/env python3
"""The original's command line, `python3 udpchat.py -s 10001`: runs the command in the checkout's .venv."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
PYTHON = os.path.join(VENV, "Scripts", "python.exe") if os.name == "nt" else os.path.join(VENV, "bin", "python")
COMMAND = [PYTHON, "-P", "-m", "udpchat_cli", *sys.argv[1:]]

if not os.path.exists(os.path.join(VENV, "installed")):
    sys.exit("udpchat.py: " + VENV + " is not built yet: run `make venv` in " + HERE + " (it takes a minute, once)")
if os.name == "nt":  # its exec would give the terminal back at once
    sys.exit(subprocess.call(COMMAND))  # noqa: S603 - what the user typed
os.execv(PYTHON, COMMAND)  # noqa: S606 - what the user typed
