"""The independent client with the real server and the real client, as processes on loopback, also where a fifth is lost."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .independent.scene import LONG, Scene

SOURCES = sorted((Path(__file__).parent / "independent").glob("*.py"))
REFUSED_UNKNOWN = 3


@pytest.fixture(params=[0.0, 0.2], ids=["nothing lost", "a fifth lost each way"])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    with Scene(tmp_path, loss=request.param, seed=7) as made:
        made.register()
        yield made
        refused = made.second.client.world.refused
        assert not refused, f"nothing that the real ones say is refused: {refused}"


def test_the_independent_client_imports_nothing_of_udpchat() -> None:
    assert len(SOURCES) > 10
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level < 2, f"{path.name} leaves its package"
                names = [node.module or ""] if node.level == 0 else []
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in ("__import__", "importlib.import_module", "exec", "eval"), path.name
            assert not [name for name in names if name.split(".")[0] in OURS], path.name


OURS = ("udpchat", "udpchat_core", "udpchat_net", "udpchat_cli", "cli", "spec", "benchmarks", "tests")


def test_it_registers_and_chats_both_ways_in_order(scene: Scene) -> None:
    messages = [scene.say(f"question {number}") for number in range(5)]
    for number in range(5):
        scene.real.type(f"send second answer {number}")
    scene.wait_shown(*(f"answer {number}" for number in range(5)))
    for message in messages:
        scene.wait_delivered(message)
    scene.real.wait_for("[Message received by second.]", 5) if scene.loss == 0 else None
    shown = [line.split("second: ")[1] for line in scene.real.printed.splitlines() if "second: " in line]
    assert shown == [f"question {number}" for number in range(5)]


def test_what_came_while_it_was_away_is_collected_and_receipts_come_from_the_absent(scene: Scene) -> None:
    scene.leave()
    scene.real.type("send second one")
    scene.real.type("send second two")
    scene.real.wait_for("received by the server and saved", 2)
    scene.real.type("dereg real")
    scene.real.wait_for("You are Offline")
    scene.register()
    scene.wait_shown("one", "two")
    messages = [scene.say("three"), scene.say("four")]
    scene.second.run_until(lambda: scene.second.happened("stored") == 2, "both stored")
    assert all(scene.second.client.outstanding(message) for message in messages)
    scene.real.type("reg real")
    for message in messages:
        scene.wait_delivered(message)
    printed = scene.real.printed
    assert printed.count("three") == printed.count("four") == 1
    assert printed.index("three") < printed.index("four")


def test_a_long_text_goes_in_parts_both_ways(scene: Scene) -> None:
    scene.real.type("send second " + LONG)
    message = scene.say("é" * 1500)
    scene.wait_shown(LONG)
    scene.wait_delivered(message)
    scene.real.wait_for("second: " + "é" * 1500)


def test_after_a_crash_it_goes_on_from_its_disk_and_nothing_is_lost_or_shown_twice(scene: Scene) -> None:
    scene.real.type("send second before")
    scene.wait_shown("before")
    scene.real.type("dereg real")
    scene.real.wait_for("You are Offline")
    message = scene.say("kept")
    scene.wait_for_event("stored")
    scene.restart_second()
    scene.real.type("reg real")
    scene.real.wait_for("second: ")
    scene.real.type("send second meanwhile")
    scene.register()
    scene.wait_shown("meanwhile")
    scene.wait_delivered(message)
    scene.wait_delivered(scene.say("after"))
    assert [scene.real.printed.count(text) for text in ("kept", "after")] == [1, 1]


def test_a_restarted_server_is_noticed_by_a_hint(scene: Scene) -> None:
    scene.restart_server()
    scene.second.send("nobody", "is there anybody?")  # the Lookup is answered by a RETRY
    scene.second.run_until(lambda: scene.second.happened("refused") == 1, "refused")
    assert [event["refusal"] for event in scene.second.events if event.kind == "refused"] == [REFUSED_UNKNOWN]
    assert scene.second.happened("online") >= 2
    if scene.loss == 0:
        assert not scene.second.happened("unreachable")


def test_a_new_address_is_noticed_by_a_hint_and_told_to_others(scene: Scene) -> None:
    scene.second.rebind()
    scene.second.send("nobody", "is there anybody?")  # goes out from the new address
    scene.second.run_until(lambda: scene.second.happened("online") >= 2, "online at the new address")
    scene.real.type("send second found you")
    scene.wait_shown("found you")


def test_of_two_clients_of_one_identity_the_newer_one_stays(scene: Scene, tmp_path: Path) -> None:
    former = scene.second
    scene.second = newer = scene.independent()
    try:
        newer.register()
        newer.run_until(lambda: newer.happened("online") > 0, "online")
    finally:
        scene.second = former
        newer.close()
    scene.wait_for_event("superseded")
    assert former.client.session.phase == "superseded"
