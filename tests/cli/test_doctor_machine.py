"""What `doctor` finds on the machine: the files of the state folder, the disk, the port of the settings."""

from pathlib import Path

import pytest

from tests.cli.stage import HOST, Stage, play
from udpchat_cli.doctor import machine
from udpchat_cli.doctor.finding import Finding, State, wrong
from udpchat_cli.exits import Exit
from udpchat_cli.values import Endpoint
from udpchat_net import udp


def examined(folder: Path) -> list[Finding]:
    return list(machine.examine_state(folder))


def test_the_files_of_a_state_folder_are_read_and_whether_they_are_at_work(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")
        bob = await stage.online("bob")
        findings = examined(tmp_path)
        assert {finding.state for finding in findings} == {State.GOOD}
        at = f"{HOST}:{stage.port}"
        texts = sorted(finding.text for finding in findings[1:])
        assert texts == [f"anna@{at} is whole", f"bob@{at} is whole, and at work now"]
        (served,) = examined(tmp_path / "server")[1:]
        assert served.text == "server.db is whole, and at work now"
        await bob.end()

    tmp_path.chmod(0o700)
    play(scene, tmp_path)


def test_what_is_wrong_with_a_state_folder_is_said(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        await stage.known("anna")

    play(scene, tmp_path)
    (path,) = tmp_path.glob("client-*.db")
    path.chmod(0o640)
    (_, finding) = examined(tmp_path)
    assert (finding.status, finding.advice) == (Exit.STATE, f"chmod 600 {path}")
    assert finding.text.startswith(f"others may read the file of anna@{HOST}:")
    data = bytearray(path.read_bytes())
    data[5_000:9_000] = bytes(4_000)
    path.write_bytes(data)
    (_, finding) = examined(tmp_path)
    assert "is damaged" in finding.text
    path.write_text("my diary")
    (_, finding) = examined(tmp_path)
    assert "is not a udpchat client's store" in finding.text
    tmp_path.chmod(0o777)
    (folder, *_) = examined(tmp_path)
    assert (folder.status, folder.text) == (Exit.STATE, f"others may write in {tmp_path}")
    (nothing,) = examined(tmp_path / "none")
    assert nothing.state is State.GOOD
    (no_folder,) = examined(path)
    assert no_folder.text == f"{path} is no folder"


def test_a_full_disk_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "FREE_BYTES_MIN", 1 << 62)
    tmp_path.chmod(0o700)
    (finding,) = examined(tmp_path)
    assert finding.text.endswith("MiB are left on its disk")


def test_the_port_of_the_settings_is_tried() -> None:
    assert machine.examine_port(None).state is State.GOOD
    bound, at = udp.bind(HOST, 0)
    with bound:
        taken = machine.examine_port(Endpoint(HOST, at.port))
    assert (taken.state, taken.status) == (State.WRONG, Exit.USAGE)
    assert taken.text == f"{HOST}:{at.port} is in use by another program"
    assert machine.examine_port(Endpoint(HOST, at.port)).text == f"UDP port {at.port} can be had"


def test_a_finding_is_broken_between_words_where_the_terminal_ends() -> None:
    finding = wrong("port", "nobody listens at 192.0.2.1:10009", "see whether the server runs there", Exit.UNREACHABLE)
    assert finding.lines(54).split("\n") == [
        "wrong      port           nobody listens at",
        "                          192.0.2.1:10009",
        "                          -> see whether the server",
        "                          runs there",
    ]
    assert finding.lines(40).split("\n") == [
        "wrong      port",
        "        nobody listens at",
        "        192.0.2.1:10009",
        "        -> see whether the server runs",
        "        there",
    ]
    assert finding.lines() == (
        "wrong      port           nobody listens at 192.0.2.1:10009\n"
        "                          -> see whether the server runs there"
    )
