"""Who speaks: found in what the user said, in the settings, or in the state folder.

An identity is made only by `chat`, `send` and `listen`, and only where the user said NAME@HOST: as an argument, with
`--as`, in `UDPCHAT_AS` or in the settings. What only looks makes none: a name that was mistyped is not to be taken.
"""

import os
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from udpchat_net.stores.errors import StoreError
from udpchat_net.stores.paths import state_folder, state_path
from udpchat_net.stores.reading import whose

from . import settings, values
from .exits import Exit, Failed
from .values import Account


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, and where its state is, or will be.

    Attributes:
        account: the name at the server.
        path: of the state file, which need not be there.
        settings: of the user.
    """

    account: Account
    path: Path
    settings: settings.Settings

    @property
    def is_known(self) -> bool:
        """Whether there is such an identity on this machine."""
        return self.path.exists()


def chosen_folder(given: Namespace, said: settings.Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """The state folder: `--state`, else `UDPCHAT_STATE`, else the settings, else the platform's."""
    if given.state is not None:
        return Path(given.state).absolute()
    if not environ.get("UDPCHAT_STATE") and said.state is not None:
        return Path(said.state).absolute()
    return state_folder(environ)


def speaker(given: Namespace, environ: Mapping[str, str] = os.environ) -> Speaker:
    """Who speaks: chat's argument, `--as`, `UDPCHAT_AS`, the settings, or the one there is. Raises `Failed`."""
    said = settings.load(settings.settings_path(environ))
    folder = chosen_folder(given, said, environ)
    account = getattr(given, "account", None) or given.speaker or _of_environment(environ) or said.speaker
    account = account or _only_one(folder)
    return Speaker(account, state_path(folder, account.name, account.host, account.port), said)


def known(folder: Path) -> list[Account]:
    """The identities in a state folder, by name. Raises `StoreError` for one that cannot be read."""
    found = [each for path in folder.glob("client-*.db") if (each := account_of(path)) is not None]
    return sorted(found, key=lambda each: (each.name, each.host, each.port))


def account_of(path: Path) -> Account | None:
    """Whose a state file is; None if it does not say at which server. Raises `StoreError`."""
    name, server = whose(path)
    host, _, port = server.rpartition(":")
    return Account(name, host, int(port)) if host and port.isdigit() else None


def need_known(who: Speaker) -> None:
    """Raise `Failed` unless there is such an identity here."""
    if not who.is_known:
        raise Failed(
            Exit.USAGE,
            f"there is no {who.account} in {who.path.parent}: `udpchat chat {who.account}` makes it, "
            "and --state names another folder",
        )


def _of_environment(environ: Mapping[str, str]) -> Account | None:
    said = environ.get("UDPCHAT_AS")
    try:
        return values.account(said) if said else None
    except ArgumentTypeError as error:
        raise Failed(Exit.USAGE, f"UDPCHAT_AS: {error}") from error


def _only_one(folder: Path) -> Account:
    try:
        accounts = known(folder)
    except StoreError as error:
        raise Failed(Exit.STATE, str(error)) from error
    if not accounts:
        raise Failed(Exit.USAGE, f"nobody is known in {folder} yet: `udpchat chat NAME@HOST` makes you somebody there")
    if len(accounts) > 1:
        names = ", ".join(map(str, accounts))
        raise Failed(Exit.USAGE, f"say who speaks with --as NAME@HOST, there are {len(accounts)} in {folder}: {names}")
    return accounts[0]
