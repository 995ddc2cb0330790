"""The settings file: what the user would otherwise say each time.

It is `config.toml` in the platform's folder for a user's configuration, and need not be there. `grammar.SETTINGS` is
an example with everything in it.
"""

import os
import sys
import tomllib
from argparse import ArgumentTypeError
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from . import values
from .exits import Exit, Failed

UIS: Final = ("line", "plain")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the file says; None is what it does not."""

    speaker: values.Account | None = None
    state: str | None = None
    bind: values.Endpoint | None = None
    bell: bool = False
    ui: str | None = None


def settings_path(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Where the file is: `$XDG_CONFIG_HOME`, `%APPDATA%` or `~/Library/Application Support`, and `udpchat` in it."""
    home = Path(environ["HOME"]) if environ.get("HOME") else Path.home()
    if platform == "win32":
        folder = Path(environ["APPDATA"]) if environ.get("APPDATA") else home / "AppData" / "Roaming"
    elif platform == "darwin":
        folder = home / "Library" / "Application Support"
    else:
        configured = environ.get("XDG_CONFIG_HOME", "")  # a relative path does not count (XDG Base Directory)
        folder = Path(configured) if configured.startswith("/") else home / ".config"
    return folder / "udpchat" / "config.toml"


def load(path: Path | None = None) -> Settings:
    """The settings of this file, or of the usual one. Raises `Failed` for what cannot be understood."""
    path = path or settings_path()
    try:
        with path.open("rb") as file:
            said = tomllib.load(file)
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise Failed(Exit.USAGE, f"{path} cannot be read ({error.strerror}): see its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Failed(Exit.USAGE, f"{path} is no TOML file ({error}): mend it, or move it away") from error
    checked: dict[str, Any] = {}
    for key, value in said.items():
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, 1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise Failed(Exit.USAGE, f"{path}: {key!r} is no setting{hint}: there are {', '.join(_KEYS)}")
        field, check = _KEYS[key]
        try:
            checked[field] = check(value)
        except ArgumentTypeError as error:
            raise Failed(Exit.USAGE, f"{path}: {key}: {error}") from error
    return Settings(**checked)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ArgumentTypeError(f'{value!r} is no text: write it in quotes, as "this"')
    return value


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ArgumentTypeError(f"{value!r} is neither true nor false: write one of them, without quotes")
    return value


def _ui(value: object) -> str:
    if value not in UIS:
        raise ArgumentTypeError(f"{value!r} is neither of {' and '.join(UIS)}")
    return str(value)


_KEYS: Final[dict[str, tuple[str, Callable[[object], object]]]] = {
    "as": ("speaker", lambda value: values.account(_text(value))),
    "state": ("state", lambda value: os.path.expanduser(_text(value))),
    "bind": ("bind", lambda value: values.bind(str(value) if type(value) is int else _text(value))),
    "bell": ("bell", _switch),
    "ui": ("ui", _ui),
}
