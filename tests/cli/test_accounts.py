"""Who speaks, and where the state is: what the user says counts most, and a guess is never made."""

import os
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.stage import opened
from udpchat_cli import accounts, settings
from udpchat_cli.exits import Exit, Failed
from udpchat_cli.settings import Settings
from udpchat_cli.values import Account, Endpoint
from udpchat_net.stores.errors import StoreLocked

ANNA, BERT = Account("anna", "example.org", 10001), Account("bert", "::1", 7)


def given(**words: Any) -> Namespace:
    return Namespace(**{"speaker": None, "state": None} | words)


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}


def write(environ: dict[str, str], text: str) -> Path:
    path = settings.settings_path(environ, "linux")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def make(folder: Path, *them: Account) -> None:
    for account in them:
        who = accounts.speaker(given(speaker=account, state=str(folder)), {})
        opened(who).close()


def test_the_argument_counts_more_than_the_environment_and_that_more_than_the_settings(
    environ: dict[str, str],
) -> None:
    write(environ, 'as = "carl@settings"')
    assert accounts.speaker(given(), environ).account.name == "carl"
    environ["UDPCHAT_AS"] = "bert@[::1]:7"
    assert accounts.speaker(given(), environ).account == BERT
    assert accounts.speaker(given(speaker=ANNA), environ).account == ANNA
    assert accounts.speaker(given(speaker=ANNA, account=BERT), environ).account == BERT


def test_the_state_is_where_the_argument_says_else_the_environment_else_the_settings(
    environ: dict[str, str], tmp_path: Path
) -> None:
    assert accounts.speaker(given(speaker=ANNA), environ).path.is_relative_to(tmp_path / ".local" / "share" / "udpchat")
    write(environ, 'state = "/from/settings"')
    assert accounts.speaker(given(speaker=ANNA), environ).path.parent == Path("/from/settings")
    environ["UDPCHAT_STATE"] = "/from/environment"
    assert accounts.speaker(given(speaker=ANNA), environ).path.parent == Path("/from/environment")
    assert accounts.speaker(given(speaker=ANNA, state="/said"), environ).path.parent == Path("/said")


def test_the_one_identity_that_there_is_speaks(environ: dict[str, str], tmp_path: Path) -> None:
    make(tmp_path, BERT)
    assert accounts.speaker(given(state=str(tmp_path)), environ).account == BERT
    assert accounts.speaker(given(state=str(tmp_path)), environ).is_known


def test_of_several_identities_none_is_guessed(environ: dict[str, str], tmp_path: Path) -> None:
    make(tmp_path, BERT, ANNA)
    with pytest.raises(Failed, match=r"there are 2 in .*: anna@example\.org, bert@\[::1\]:7$") as failed:
        accounts.speaker(given(state=str(tmp_path)), environ)
    assert failed.value.status is Exit.USAGE


def test_without_any_identity_it_is_said_how_to_make_one(environ: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Failed, match="`udpchat chat NAME@HOST` makes you somebody") as failed:
        accounts.speaker(given(state=str(tmp_path)), environ)
    assert failed.value.status is Exit.USAGE
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(Failed, match=r"there is no anna@example\.org in .*: `udpchat chat anna@example\.org` makes it"):
        accounts.need_known(accounts.speaker(given(state=str(tmp_path), speaker=ANNA), environ))


def test_an_identity_that_is_at_work_can_be_looked_at_but_not_opened(tmp_path: Path) -> None:
    who = accounts.speaker(given(speaker=ANNA, state=str(tmp_path)), {})
    store = opened(who)
    assert accounts.known(tmp_path) == [ANNA]
    with pytest.raises(StoreLocked, match=r"anna@example\.org is at work already"):
        opened(who)
    store.close()


def test_what_is_no_client_of_ours_in_the_folder_is_said(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "client-0.db").write_text("my diary")
    with pytest.raises(Failed, match="is not a udpchat client's store") as failed:
        accounts.speaker(given(state=str(tmp_path)), environ)
    assert failed.value.status is Exit.STATE


def test_an_environment_that_says_nothing_valid_is_said(environ: dict[str, str]) -> None:
    with pytest.raises(Failed, match="UDPCHAT_AS: 'anna' does not say where"):
        accounts.speaker(given(), environ | {"UDPCHAT_AS": "anna"})


# --- the settings file ---


def test_a_file_with_everything_is_understood(environ: dict[str, str]) -> None:
    path = write(environ, 'as = "anna@example.org"\nstate = "~/chat"\nbind = 20001\nbell = true\nui = "plain"\n')
    expected = Settings(ANNA, os.path.expanduser("~/chat"), Endpoint(None, 20001), bell=True, ui="plain")
    assert settings.load(path) == expected


def test_no_file_is_no_settings(environ: dict[str, str]) -> None:
    assert settings.load(settings.settings_path(environ)) == Settings()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("as = ", "is no TOML file"),
        ("bel = true", r"'bel' is no setting \(did you mean bell\?\): there are as, state, bind, bell, ui"),
        ('bell = "yes"', "bell: 'yes' is neither true nor false"),
        ('as = "anna"', "as: 'anna' does not say where"),
        ("as = 5", "as: 5 is no text"),
        ('bind = "localhost"', "bind: 'localhost' is no address to receive at"),
        ("bind = true", "bind: True is no text"),
        ('ui = "full"', "ui: 'full' is neither of line and plain"),
        ('state = ""', "state: '' is no text"),
    ],
)
def test_what_cannot_be_understood_is_said_with_the_file(text: str, says: str, environ: dict[str, str]) -> None:
    path = write(environ, text)
    with pytest.raises(Failed, match=says) as failed:
        settings.load(path)
    assert str(failed.value).startswith(str(path))
    assert failed.value.status is Exit.USAGE


@pytest.mark.parametrize(
    ("environ", "platform", "path"),
    [
        ({"HOME": "/h"}, "linux", "/h/.config/udpchat/config.toml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "/x"}, "linux", "/x/udpchat/config.toml"),
        ({"HOME": "/h", "XDG_CONFIG_HOME": "x"}, "linux", "/h/.config/udpchat/config.toml"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Application Support/udpchat/config.toml"),
        ({"HOME": "/h", "APPDATA": "/r"}, "win32", "/r/udpchat/config.toml"),
        ({"HOME": "/h"}, "win32", "/h/AppData/Roaming/udpchat/config.toml"),
    ],
)
def test_the_settings_are_where_the_platform_has_them(environ: dict[str, str], platform: str, path: str) -> None:
    assert settings.settings_path(environ, platform) == Path(path)
