"""A user's keys: live keys in memory, mail keys on disk before they are named, and how long each opens letters."""

import pytest

from tests.core.client.incoming import texts
from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, DAY, LIMITS, START
from tests.core.client.world import World
from udpchat_core import messages as m
from udpchat_core.client import keyring, new_client_state
from udpchat_core.client.keyring import Keyring
from udpchat_core.client.shared import Shared
from udpchat_core.client_requests import ClientState, DropMailKey, SaveMailKey
from udpchat_core.errors import Reason
from udpchat_core.fields import Outcome
from udpchat_core.instant import MS, SECOND, Instant
from udpchat_core.limits import (
    CARD_JUMP_MAX,
    CARD_LIFE_S,
    CARD_SEQ_FIRST_LIMIT,
    LIVE_KEYS_MAX,
    MAIL_KEY_DAYS,
    MAIL_KEYS_MAX,
    NUMBER_LIMIT,
    OPENING_KEYS_MAX,
    TIME_S_LIMIT,
)
from udpchat_core.turn import Turn
from udpchat_net.simulation.transparent import TransparentSuite


@pytest.fixture
def bob(online: World) -> Peer:
    """Somebody who writes."""
    return online.know("bob", BOB)


def later(world: World, days: float) -> None:
    """Days pass, at the end of which the client renews its link."""
    world.sleep(days)
    world.advance(60)


def test_a_new_user_has_an_identity_a_mail_key_and_nothing_else() -> None:
    suite = TransparentSuite(1)
    state = new_client_state(suite, "alice", 5)
    assert (state.name, state.server_key, state.next_message) == ("alice", None, 1)
    assert [saved.made_ms for saved in state.mail_keys] == [5]
    assert len({state.identity, state.mail_keys[0].private}) == 2
    assert (state.pins, state.outbox, state.watermarks) == ((), (), ())


def test_the_first_seqs_of_two_identities_differ() -> None:
    # R-9.1-9
    seqs = [new_client_state(TransparentSuite(number), "alice", 5).card_seq for number in range(100)]
    assert len(set(seqs)) == 100
    assert max(seqs) < CARD_SEQ_FIRST_LIMIT <= CARD_JUMP_MAX


def test_the_card_is_the_users_own_and_lasts_90_days(either: World) -> None:
    either.register()
    card = either.server.card
    assert (card.name, card.identity, card.seq) == ("alice", either.client.identity, either.first_seq)
    assert card.expires_s == START // SECOND + CARD_LIFE_S


def test_a_card_never_expires_after_the_last_time_that_can_be_told(world: World) -> None:
    world.do(world.client.handle_clock((TIME_S_LIMIT + 5) * 1_000, world.now))
    world.register()
    assert world.server.card.expires_s == TIME_S_LIMIT - 1


def test_a_card_seq_stays_a_number() -> None:
    suite = TransparentSuite(1)
    new = new_client_state(suite, "alice", 5)
    ring = Keyring(Shared(suite), ClientState(new.name, new.identity, new.mail_keys, NUMBER_LIMIT - 1))
    ring.new_card(Turn(START))
    assert ring.card_seq == NUMBER_LIMIT - 1


# --- live keys ---


def test_letters_to_the_live_key_before_are_opened_for_an_hour_more(online: World, bob: Peer) -> None:
    # R-9.1-2
    old = online.server.card
    online.advance(3_600)
    assert online.server.card.live != old.live
    online.advance(3_599)
    online.receive(bob.letter(old, bob.body(1, "in time")), BOB)
    assert texts(online) == ["in time"]
    online.advance(1)
    online.receive(bob.letter(old, bob.body(2, "too late")), BOB)
    assert online.drops == [Reason.KEY]
    assert texts(online) == ["in time"]


def test_the_live_key_of_the_link_opens_letters_as_long_as_the_link_lasts(online: World, bob: Peer) -> None:
    online.server.silent = True
    online.advance(4 * 3_600)
    online.receive(bob.letter(online.server.card, bob.body()), BOB)
    online.advance(1)
    assert texts(online) == ["hello"]


def test_live_keys_are_not_on_disk(online: World, bob: Peer) -> None:
    card = online.server.card
    online.restart()
    online.register()
    online.receive(bob.letter(card, bob.body()), BOB)
    assert online.drops == [Reason.KEY]


def test_only_the_last_few_live_keys_are_kept(online: World, bob: Peer) -> None:
    online.advance(20)
    for _ in range(LIVE_KEYS_MAX):
        online.deregister()
        online.register()
    online.receive(bob.letter(online.server.cards[0], bob.body(1, "oldest")), BOB)
    online.receive(bob.letter(online.server.cards[1], bob.body(1, "older")), BOB)
    assert texts(online) == ["older"]
    assert online.drops == [Reason.KEY]


def test_no_more_keys_are_kept_than_letters_may_be_opened_with() -> None:
    assert LIVE_KEYS_MAX + MAIL_KEYS_MAX <= OPENING_KEYS_MAX


# --- mail keys ---


def test_a_mail_key_is_on_disk_before_a_card_names_it(online: World) -> None:
    # R-9.1-8
    first = online.server.card.mail
    later(online, 6.9)
    assert online.disk.all(SaveMailKey) == []
    online.disk.holding = True
    later(online, 0.2)
    (saved,) = online.disk.all(SaveMailKey)
    online.advance(3_600)
    assert online.server.card.mail == first
    online.disk.holding = False
    online.commit()
    online.advance(3_600)
    assert online.server.card.mail == online.suite.dh_public(saved.private)
    assert online.disk.all(SaveMailKey) == [saved]


def test_a_mail_key_is_made_once_a_week(online: World) -> None:
    for _ in range(14):
        later(online, 1)
    assert len(online.disk.all(SaveMailKey)) == 2
    assert len({card.mail for card in online.server.cards}) == 2  # the last is named by the next card


def test_a_mail_key_opens_letters_until_15_days_after_its_successor(online: World, bob: Peer) -> None:
    # R-9.1-8
    old = online.server.card
    later(online, 7.1)
    later(online, 0.1)
    assert online.server.card.mail != old.mail
    later(online, 14.8)
    online.push(bob.pushed(old, bob.body(1, "in time"), 1))
    assert texts(online) == ["in time"]
    assert online.disk.all(DropMailKey) == []
    later(online, 0.2)
    later(online, 0.2)
    assert len(online.disk.all(DropMailKey)) == 1
    online.push(bob.pushed(old, bob.body(2, "too late"), 2))
    assert [entry.outcome for entry in online.collected()] == [Outcome.ACKNOWLEDGED, Outcome.UNOPENABLE]


@pytest.mark.parametrize("wrong", ["client", "server"])
def test_a_clock_alone_drops_no_mail_key(online: World, bob: Peer, wrong: str) -> None:
    # R-9.1-8
    old = online.server.card
    later(online, MAIL_KEY_DAYS + 1)
    ahead_ms = 30 * DAY * 1_000
    if wrong == "client":
        online.do(online.client.handle_clock(online.now // MS + ahead_ms, online.now))
    else:
        online.server.answers[m.Register] = lambda asked: (
            m.Registered(asked.id, BOB, 0, LIMITS, online.now // MS + ahead_ms),
        )
    online.advance(2 * 3_600)
    online.push(bob.pushed(old, bob.body(), 1))
    assert texts(online) == ["hello"]


def test_a_mail_key_that_was_made_by_a_clock_that_ran_ahead_is_followed_by_one_in_time(online: World) -> None:
    online.do(online.client.handle_clock(online.now // MS + 400 * DAY * 1_000, online.now))
    later(online, MAIL_KEY_DAYS + 1)
    online.advance(2 * 3_600)
    assert len(online.disk.all(SaveMailKey)) == 1
    online.do(online.client.handle_clock(online.now // MS, online.now))
    online.advance(2 * 3_600)
    first, second = online.disk.all(SaveMailKey)
    assert first.made_ms > second.made_ms
    later(online, MAIL_KEY_DAYS + 1)
    assert len(online.disk.all(SaveMailKey)) == 3


def test_a_mail_key_is_kept_while_the_mailbox_is_not_empty(online: World, bob: Peer) -> None:
    # R-9.1-8
    old = online.server.card
    online.server.waiting = 1
    for _ in range(5):
        later(online, 7.1)
    assert online.disk.all(DropMailKey) == []
    online.push(bob.pushed(old, bob.body(), 1))
    assert texts(online) == ["hello"]
    online.server.waiting = 0
    later(online, 0.1)
    assert len(online.disk.all(DropMailKey)) == 1


def test_a_mail_key_is_there_until_the_disk_forgot_it(online: World, bob: Peer) -> None:
    old = online.server.card
    for _ in range(3):
        later(online, 7.1)
    online.disk.holding = True
    later(online, 7.1)
    assert online.disk.all(DropMailKey) != []
    online.push(bob.pushed(old, bob.body(), 1))
    online.commit()
    assert texts(online) == ["hello"]


def test_mail_keys_are_there_after_a_restart(online: World, bob: Peer) -> None:
    old = online.server.card
    later(online, 7.1)
    online.restart()
    online.register()
    assert online.server.card.mail != old.mail
    for number, card in enumerate((old, online.server.card), 1):
        online.push(bob.pushed(card, bob.body(number, f"{number}"), number))
    assert texts(online) == ["1", "2"]


def test_the_only_mail_key_is_never_dropped() -> None:
    suite = TransparentSuite(1)
    state = new_client_state(suite, "alice", 0)
    ring = Keyring(Shared(suite), state)
    ring.mail_key_dropped(DropMailKey(state.mail_keys[0].private))
    turn = Turn(Instant(100 * DAY * SECOND))
    ring.registered(turn, 0)
    assert [type(action.request) for action in turn.end()] == [SaveMailKey]  # type: ignore[union-attr] # it is a Store
    assert len(ring.opening_keys(turn.now)) == 1


def test_a_mail_key_saved_twice_is_one_key() -> None:
    suite = TransparentSuite(1)
    ring = Keyring(Shared(suite), new_client_state(suite, "alice", 0))
    for _ in range(2):
        ring.mail_key_saved(SaveMailKey(bytes(32), 7))
    assert len(ring.opening_keys(START)) == 2


def test_no_mail_key_is_made_beyond_those_that_can_be_kept(online: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "MAIL_KEYS_MAX", 2)
    online.server.waiting = 1
    for _ in range(4):
        later(online, 7.1)
    assert len(online.disk.all(SaveMailKey)) == 1
