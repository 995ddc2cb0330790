"""The measurement of floods does what it says: every kind runs, honest work is answered, and operations are counted."""

import pytest

from benchmarks import floods
from benchmarks.flood_scenes import ClientScene, ServerScene
from benchmarks.floods import KINDS, Figure, measure, table
from udpchat_core.limits import INITS_PER_PREFIX_PER_S_MAX, STRANGER_LETTERS_PER_S_MAX

HONEST, FACTOR = 20, 20
MOST = {
    "INIT under one token": INITS_PER_PREFIX_PER_S_MAX * 5,  # each X25519 and, at most, the rest of a handshake
    "LETTER of strangers": STRANGER_LETTERS_PER_S_MAX * 3 // 2,  # a full bucket, and what comes in meanwhile
}


@pytest.mark.parametrize("kind", [kind for kind, *_ in KINDS])
def test_a_flood_costs_few_curve_operations_and_leaves_honest_work_answered(kind: str) -> None:
    """R-8.1-1, R-8.8-1, R-9.4-8: of 400 datagrams within less than a second, in a socket that holds them all."""
    figure = measure(kind, honest=HONEST, rounds=1, factors=(1, FACTOR))
    assert figure.answered == (1.0, 1.0)
    assert figure.cost > 0
    assert round(figure.asymmetric * HONEST * FACTOR) <= MOST.get(kind, 0)


def test_what_a_flood_can_make_a_core_compute_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its limit, each INIT under a token takes an operation at least."""
    monkeypatch.setattr("udpchat_core.server.links.INITS_PER_PREFIX_PER_S_MAX", 1_000_000)
    monkeypatch.setattr("udpchat_core.server.links.INITS_PER_S_MAX", 1_000_000)
    assert measure("INIT under one token", honest=HONEST, rounds=1, factors=(FACTOR,)).asymmetric >= 0.9


def test_a_socket_that_is_full_loses_honest_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floods, "SOCKET_DATAGRAMS", 1)
    monkeypatch.setattr(floods, "LOAD", 3.0)
    (answered,) = measure("garbage", honest=HONEST, rounds=1, factors=(1,)).answered
    assert 0 < answered < 1


@pytest.mark.parametrize("scene", [ServerScene, ClientScene])
def test_honest_work_is_answered_where_nobody_disturbs_it(scene: type[ServerScene | ClientScene]) -> None:
    made = scene()
    before = made.answered
    for _ in range(10):
        made.receive([made.honest()])
    assert made.answered == before + 10


def test_a_table_has_a_column_for_each_factor() -> None:
    rows = table([Figure("garbage", 0.1, 0.0, (1.0, 0.5))], (1, 10)).splitlines()
    assert rows[0].split(" | ")[3:] == ["answered beside 1x", "answered beside 10x |"]
    assert rows[2] == "| garbage | 0.100 | 0.0000 | 100% | 50% |"
