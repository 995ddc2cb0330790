"""The command says its version, and plainly what it cannot do yet."""

import pytest

from udpchat_cli import main


def test_what_is_not_built_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-s", "10001"]) == 2
    assert capsys.readouterr().err == (
        "udpchat: the server and the client are not built yet; what works today is in README.md\n"
    )


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "udpchat 0.1.0\n"
