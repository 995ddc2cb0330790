"""Stores are where the platform keeps a user's data, under names that tell nothing."""

from pathlib import Path

import pytest

from udpchat_net.stores.paths import server_path, state_folder, state_path


def test_no_text_of_a_user_is_in_a_path_and_each_identity_has_its_own() -> None:
    folder = Path("/state")
    who = [("anna", "lab", 1), ("anna", "lab", 2), ("anna", "lab2", 1), ("bob", "lab", 1), ("anna", "::1", 1)]
    paths = [state_path(folder, *each) for each in who]
    assert len({*paths, server_path(folder)}) == len(who) + 1
    assert all(path.parent == folder and set(path.stem) <= set("client-0123456789abcdef") for path in paths)
    assert state_path(folder, "anna", "LAB", 1) == paths[0]


@pytest.mark.parametrize(
    ("environ", "platform", "folder"),
    [
        ({"HOME": "/h"}, "linux", "/h/.local/share/udpchat"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/d"}, "linux", "/d/udpchat"),
        ({"HOME": "/h", "XDG_DATA_HOME": "relative"}, "linux", "/h/.local/share/udpchat"),
        ({"HOME": "/h", "XDG_DATA_HOME": "/d", "UDPCHAT_STATE": "/u"}, "linux", "/u"),
        ({"HOME": "/h"}, "darwin", "/h/Library/Application Support/udpchat"),
        ({"HOME": "/h", "LOCALAPPDATA": "/l"}, "win32", "/l/udpchat"),
        ({"HOME": "/h"}, "win32", "/h/AppData/Local/udpchat"),
    ],
)
def test_the_state_folder_is_where_the_platform_keeps_data(environ: dict[str, str], platform: str, folder: str) -> None:
    assert state_folder(environ, platform) == Path(folder)
