"""The independent client with the real server and client, on loopback, also where a fifth is lost."""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from .independent.scene import LONG, Scene, Stage

SOURCES = sorted((Path(__file__).parent / "independent").glob("*.py"))
REFUSED_UNKNOWN = 3


NAMES = (f"second{number}" for number in count(1))


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    made.stop()


@contextmanager
def on_stage(stage: Stage, directory: Path, loss: float) -> Iterator[Scene]:
    scene = Scene(stage, directory, next(NAMES), loss, seed=int(loss * 100))
    try:
        scene.register()
        yield scene
        refused = scene.second.client.world.refused
        assert not refused, f"nothing that the real ones say is refused: {refused}"
    finally:
        scene.close()


@pytest.fixture
def calm(stage: Stage, tmp_path: Path) -> Iterator[Scene]:
    with on_stage(stage, tmp_path, 0.0) as scene:
        yield scene


@pytest.fixture(params=[0.0, 0.2], ids=["nothing lost", "a fifth lost each way"])
def scene(request: pytest.FixtureRequest, stage: Stage, tmp_path: Path) -> Iterator[Scene]:
    with on_stage(stage, tmp_path, request.param) as made:
        yield made


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
        scene.real_says(f"answer {number}")
    scene.wait_shown(*(f"answer {number}" for number in range(5)))
    for message in messages:
        scene.wait_delivered(message)
    said_by = f"{scene.name}: "
    shown = [line.split(said_by)[1] for line in scene.printed.splitlines() if said_by in line]
    assert shown == [f"question {number}" for number in range(5)]


def test_what_came_while_it_was_away_is_collected_and_receipts_come_from_the_absent(scene: Scene) -> None:
    scene.leave()
    scene.real_says("one")
    scene.real_says("two")
    scene.wait_printed("received by the server and saved", 2)
    scene.real_leaves()
    scene.register()
    scene.wait_shown("one", "two")
    messages = [scene.say("three"), scene.say("four")]
    scene.wait_for_event("stored", 2)
    assert all(scene.second.client.outstanding(message) for message in messages)
    scene.real_returns()
    for message in messages:
        scene.wait_delivered(message)
    scene.wait_printed("four")
    assert scene.printed.count("three") == scene.printed.count("four") == 1
    assert scene.printed.index("three") < scene.printed.index("four")


def test_a_long_text_goes_in_parts_both_ways(scene: Scene) -> None:
    scene.real_says(LONG)
    message = scene.say("é" * 1500)
    scene.wait_shown(LONG)
    scene.wait_delivered(message)
    scene.wait_printed(f"{scene.name}: {'é' * 1500}")


def test_after_a_crash_it_goes_on_from_its_disk_and_nothing_is_lost_or_shown_twice(scene: Scene) -> None:
    scene.real_says("before")
    scene.wait_shown("before")
    scene.real_leaves()
    message = scene.say("kept")
    scene.wait_for_event("stored")
    scene.restart_second()
    scene.real_returns()
    scene.wait_printed("kept")
    scene.real_says("meanwhile")
    scene.register()
    scene.wait_shown("meanwhile")
    scene.wait_delivered(message)
    scene.wait_delivered(scene.say("after"))
    scene.wait_printed("after")
    assert [scene.printed.count(text) for text in ("kept", "after")] == [1, 1]


def test_a_new_address_is_noticed_by_a_hint_and_told_to_others(calm: Scene) -> None:
    calm.second.rebind()
    calm.second.send("nobody", "is there anybody?")  # goes out from the new address
    calm.wait_for_event("online", 2)
    calm.real_says("found you")
    calm.wait_shown("found you")


def test_a_restarted_server_is_noticed_by_a_hint(tmp_path: Path) -> None:
    stage = Stage(tmp_path, real=False)
    try:
        with on_stage(stage, tmp_path, 0.0) as scene:
            stage.restart_server()
            scene.wait_for_stage()
            scene.second.send("nobody", "is there anybody?")  # the Lookup is answered by a RETRY
            scene.wait_for_event("refused")
            (refused,) = (event["refusal"] for event in scene.second.events if event.kind == "refused")
            assert refused == REFUSED_UNKNOWN
            assert scene.second.happened("online") == 2
            assert not scene.second.happened("unreachable")
    finally:
        stage.stop()


def test_of_two_clients_of_one_identity_the_newer_one_stays(calm: Scene) -> None:
    newer = calm.independent()
    try:
        newer.register()
        newer.run_until(lambda: newer.happened("online") > 0, "online")
        calm.wait_for_event("superseded")
        assert calm.second.client.session.phase == "superseded"
        newer.deregister()
        newer.run_until(lambda: newer.happened("offline") > 0, "offline")
    finally:
        newer.close()
