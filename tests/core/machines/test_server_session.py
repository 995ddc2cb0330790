"""A session's machine, by itself: who is there, who lapsed, who left, and what is over."""

from dataclasses import dataclass
from typing import NamedTuple

import pytest

from tests.core.machines.oracle import agrees
from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import Instant
from udpchat_core.machines.server_session import SERVER_SESSION, Do, Phase, ServerSession
from udpchat_core.table import step

NOW = Instant(0)
HOUR_S = 3_600


class At(NamedTuple):
    """A clock that stands."""

    second: int


@dataclass(slots=True)
class Record:
    """As much of a session as the machine asks for."""

    heard_s: int
    phase: Phase


def run(phase: Phase, event: str, second: int = 100, heard_s: int = 100) -> tuple[Phase, list[Do], int]:
    record = Record(heard_s, phase)
    intents = list(step(SERVER_SESSION, record, event, At(second), NOW))
    return record.phase, intents, record.heard_s


@pytest.mark.parametrize("silent_s", [0, 60, HOUR_S - 1, HOUR_S])
def test_the_engine_does_what_the_table_does(silent_s: int) -> None:
    assert agrees(ServerSession, SERVER_SESSION, lambda phase: Record(100, phase), At(100 + silent_s), NOW) == 6


def test_a_record_is_noted_and_mends_a_lapse_and_nothing_else() -> None:
    """R-8.2-9 R-8.2-10."""
    assert run(Phase.CONFIRMING, ServerSession.heard, 120) == (Phase.CONFIRMING, [], 120)
    assert run(Phase.ONLINE, ServerSession.heard, 120) == (Phase.ONLINE, [], 120)
    assert run(Phase.LAPSED, ServerSession.heard, 120) == (Phase.ONLINE, [Do.COME_ONLINE], 120)
    assert run(Phase.LEFT, ServerSession.heard, 120) == (Phase.LEFT, [], 100)


def test_registering_brings_online_what_is_confirming_or_left() -> None:
    """R-8.2-5 R-8.2-10."""
    for phase in (Phase.CONFIRMING, Phase.LEFT):
        assert run(phase, ServerSession.registered, 120) == (Phase.ONLINE, [Do.COME_ONLINE], 120)
    for phase in (Phase.ONLINE, Phase.LAPSED):
        assert run(phase, ServerSession.registered, 120) == (phase, [], 100)


def test_leaving_is_told_once() -> None:
    """R-8.2-10."""
    assert run(Phase.ONLINE, ServerSession.deregistered) == (Phase.LEFT, [Do.LEAVE], 100)
    assert run(Phase.LEFT, ServerSession.deregistered) == (Phase.LEFT, [], 100)
    assert run(Phase.CONFIRMING, ServerSession.deregistered) == (Phase.CONFIRMING, [], 100)
    with pytest.raises(LocalProtocolError):
        run(Phase.LAPSED, ServerSession.deregistered)


def test_silence_ends_what_never_registered_and_lapses_what_did() -> None:
    """R-8.2-9."""
    assert run(Phase.CONFIRMING, ServerSession.quiet, 160) == (Phase.ENDED, [Do.FORGET], 100)
    assert run(Phase.ONLINE, ServerSession.quiet, 160) == (Phase.LAPSED, [Do.LAPSE], 100)


@pytest.mark.parametrize("phase", [Phase.LAPSED, Phase.LEFT])
def test_a_lapsed_or_left_link_is_kept_for_an_hour(phase: Phase) -> None:
    assert run(phase, ServerSession.quiet, 100 + HOUR_S - 1) == (phase, [], 100)
    assert run(phase, ServerSession.quiet, 100 + HOUR_S) == (Phase.ENDED, [Do.FORGET], 100)


def test_whoever_may_be_at_a_superseded_link_is_told() -> None:
    """R-8.2-8."""
    for phase in (Phase.CONFIRMING, Phase.ONLINE, Phase.LAPSED):
        assert run(phase, ServerSession.superseded) == (Phase.ENDED, [Do.SAY_SUPERSEDED, Do.FORGET], 100)
    assert run(Phase.LEFT, ServerSession.superseded) == (Phase.ENDED, [Do.FORGET], 100)


def test_nothing_happens_after_the_end() -> None:
    for event in (
        ServerSession.heard,
        ServerSession.registered,
        ServerSession.quiet,
        ServerSession.superseded,
        ServerSession.expelled,
    ):
        with pytest.raises(LocalProtocolError):
            run(Phase.ENDED, event)
