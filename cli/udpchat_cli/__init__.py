"""The command. So far it tells its version; server and client are not built yet, and it says so."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

_NOT_BUILT = "udpchat: the server and the client are not built yet; what works today is in README.md"
_USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments`, or the process's own; the exit status."""
    parser = argparse.ArgumentParser("udpchat", description="Chat for networks where nothing else works.")
    parser.epilog = "The server and the client are not built yet."
    parser.add_argument("--version", action="version", version=f"udpchat {version('udpchat')}")
    parser.parse_known_args(arguments)
    print(_NOT_BUILT, file=sys.stderr)
    return _USAGE_ERROR
