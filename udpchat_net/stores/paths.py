"""Where stores are: in the platform's folder for a user's data, unless the user says otherwise.

No text of a user is in a file's name: not every file system takes every name, and a name is nobody else's
business. The file itself says whose it is.
"""

import os
import sys
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

_FOLDER = "udpchat"
_FILE_DIGITS = 32  # 128 bits: no two identities of a user ever meet


def state_folder(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """`UDPCHAT_STATE` if set, else the platform's place for a user's data.

    That is `$XDG_DATA_HOME` (XDG Base Directory Specification: it holds keys and unsent messages, so it is
    data, and a relative path there does not count), `%LOCALAPPDATA%` or `~/Library/Application Support`.
    """
    if chosen := environ.get("UDPCHAT_STATE"):
        return Path(chosen).absolute()
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    if platform == "win32":
        local = environ.get("LOCALAPPDATA")
        return (Path(local) if local else home / "AppData" / "Local") / _FOLDER
    if platform == "darwin":
        return home / "Library" / "Application Support" / _FOLDER
    data = environ.get("XDG_DATA_HOME", "")
    return (Path(data) if data.startswith("/") else home / ".local" / "share") / _FOLDER


def state_path(folder: Path, name: str, host: str, port: int) -> Path:
    """The file of the client that is `name` at the server `host`:`port`; `host` as typed, in any case."""
    digest = sha256(f"{name}@[{host.lower()}]:{port}".encode()).hexdigest()
    return folder / f"client-{digest[:_FILE_DIGITS]}.db"


def server_path(folder: Path) -> Path:
    """The file of the server; another server on the same machine has another folder."""
    return folder / "server.db"
