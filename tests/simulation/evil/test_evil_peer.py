"""What somebody can do who has keys, an identity, a name, and as many of each as it likes.

- letters with gaps, of many identities: caps of what is held; the next letter needs no room:
  `test_letters_with_gaps_of_many_identities_hold_up_nobody`
- letters with gaps, of one identity in many epochs: 64 places:
  `test_one_sender_holds_no_more_than_its_share`
- letters of ever new identities and names: a bounded rate of names asked about:
  `test_ever_new_strangers_do_not_stand_in_line_before_a_users_own_requests`
- letters of ever new registered names, to fill the pins: half of them is for whom the user writes to:
  `test_strangers_with_names_leave_room_for_contacts`
- letters that nobody can open, from strangers: a bounded rate of openings:
  `test_letters_that_open_nothing_hold_up_nobody`
- a letter passed on to another: the signature covers the recipient:
  `test_a_letter_passed_on_is_not_shown`
- a letter as if from somebody else: the signature, pins and Lookup:
  `test_a_letter_in_anothers_name_is_not_confirmed`
- a slot that is not its letter's: it follows from the secret:
  `test_mail_under_a_wrong_slot_is_not_shown`
- somebody's slot, taken first: slots are of a sender:
  `test_a_slot_taken_by_a_stranger_takes_nothing`
- acknowledgements without reading: only the secret makes one:
  `test_an_acknowledgement_without_the_secret_delivers_nothing`
- Collected with wrong acknowledgements: the sender checks it:
  `test_a_letter_collected_with_a_wrong_acknowledgement_is_not_delivered`
- Collected, Noted of others': each is of its own session:
  `test_nobody_collects_or_notes_for_another`
- a mailbox stuffed: quotas by sender and for strangers:
  `test_strangers_do_not_fill_a_mailbox`
- a mailbox stuffed, and a friend whom it does not know: tried again every minute, directly too:
  `test_who_is_a_stranger_to_a_stuffed_mailbox_gets_through_when_both_are_there`
- INITs from many ports of one host: 5 a second a host:
  `test_a_flood_of_inits_from_many_ports_is_bounded_by_the_host`
- INITs under one token: 8 pending, 5 a second, RESP shorter than INIT:
  `test_a_flood_of_inits_under_one_token_is_bounded_and_holds_up_nobody`
- half-open links: they are dropped after 10 s:
  `test_half_open_links_are_dropped_and_change_nothing`
- requests without end: 50 a second a session:
  `test_a_flood_of_requests_holds_up_nobody`
- a victim's name: names belong to the first:
  `test_a_taken_name_stays_taken`
- a card behind or far ahead of the last: succession:
  `test_a_card_behind_or_too_far_ahead_is_refused`
- a card with another's live key: the handshake proves the key:
  `test_a_card_for_a_live_key_that_is_not_its_own_is_refused`
- hostile points in a card: refused before anything:
  `test_a_card_with_a_hostile_key_is_refused`
- a Deregister sent before a Register, arriving after it: counters:
  `test_an_own_deregister_that_comes_late_is_ignored`
- a Deregister again: replay window:
  `test_a_deregister_again_changes_nothing`
- a claimed source address for a letter: an ACK is shorter than its letter:
  `test_a_letter_from_a_claimed_address_makes_no_more_than_one_shorter_datagram`
- a crowd of links in its own name: the newest wins, one each:
  `test_many_links_of_one_identity_leave_one`
"""

from collections.abc import Callable

import pytest

from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.client import contacts
from udpchat_core.datagrams import Acks, Init, Record, Resp
from udpchat_core.errors import Reason
from udpchat_core.events import LetterReceived, UserLeft
from udpchat_core.limits import (
    CARD_JUMP_MAX,
    HELD_LETTERS_MAX,
    HELD_LETTERS_PER_SENDER_MAX,
    INITS_PER_PREFIX_PER_S_MAX,
    MAILBOX_STRANGERS_LETTERS_MAX,
    PENDING_LINKS_PER_ADDRESS_MAX,
)
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_net.simulation.evil import EvilPeer
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.world import SECOND

# --- letters ---


def test_letters_with_gaps_of_many_identities_hold_up_nobody() -> None:
    """R-9.4-5: what is held ahead of gaps is capped, by sender and in all; the letter that is next needs no room."""
    scene = Scene()
    crowd = scene.crowd(HELD_LETTERS_MAX // HELD_LETTERS_PER_SENDER_MAX + 6, connected=False)
    bob, place = scene.peer("asker").look_up("bob"), scene.world.network.address("bob")
    for each in crowd:
        for seq in range(2, 2 + HELD_LETTERS_PER_SENDER_MAX + 6):
            each.send(place, each.letter(bob, each.body("never shown", seq=seq)), after_us=seq * 20_000)
    scene.chat(5)
    assert scene.sizes("bob")["held"] == HELD_LETTERS_MAX
    for _ in range(70):
        scene.world.send("ann", "bob", "one of a burst")
    scene.chat(3)
    assert scene.texts("bob").count("one of a burst") == 70
    assert "never shown" not in scene.texts("bob")
    scene.end()


def test_one_sender_holds_no_more_than_its_share() -> None:
    """R-9.4-5: whatever its epochs, numbers and copies, a sender has 64 places."""
    scene = Scene()
    eve, place = scene.peer(), scene.world.network.address("bob")
    bob = eve.look_up("bob")
    for epoch in range(12):
        for seq in (*range(2, 80), 2**40):
            eve.send(place, eve.letter(bob, eve.body("never shown", epoch=epoch, seq=seq)), after_us=seq % 100 * 1_000)
        scene.run(0.2)
    assert scene.sizes("bob")["held"] <= HELD_LETTERS_PER_SENDER_MAX
    scene.chat()
    scene.end()


def test_ever_new_strangers_do_not_stand_in_line_before_a_users_own_requests() -> None:
    """R-9.4-9: a stranger a letter, each with a name that the directory has to be asked about."""
    scene = Scene(clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    place = scene.world.network.address("bob")
    bob = scene.peer("asker").look_up("bob")
    for second in range(20):
        for number, each in enumerate(scene.crowd(150, connected=False)):
            each.name = f"stranger{second}-{number}"
            each.send(place, each.letter(bob, each.body("hello, stranger")), after_us=number * 5_000)
        scene.run(0.6)
    assert scene.sizes("bob")["requests"] <= 30
    scene.world.send("bob", "cyd", "to whom nobody spoke yet")
    scene.chat(2)
    assert "to whom nobody spoke yet" in scene.texts("cyd")
    assert scene.texts("bob").count("hello, stranger") == 20 * 150
    assert not any(event.confirmed for event in scene.told("bob", LetterReceived) if "stranger" in event.name)
    scene.end()


def test_strangers_with_names_leave_room_for_contacts(monkeypatch: pytest.MonkeyPatch) -> None:
    """R-9.4-7: who writes is pinned, once the directory said who it is, but in half of the places only."""
    monkeypatch.setattr(contacts, "PINS_MAX", 8)
    monkeypatch.setattr(contacts, "STRANGER_PINS_MAX", 4)
    scene = Scene(clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    place = scene.world.network.address("bob")
    for each in scene.crowd(10):
        each.send(place, each.letter(each.look_up("bob"), each.body("hello, stranger")))
        scene.run(0.1)
    assert len(scene.client("bob").load().pins) == 4
    scene.world.send("bob", "cyd", "to whom nobody spoke yet")
    scene.chat()
    assert "to whom nobody spoke yet" in scene.texts("cyd")
    scene.end()


def test_letters_that_open_nothing_hold_up_nobody() -> None:
    """R-9.4-8: to be tried costs a Diffie-Hellman, so it is done at a bounded rate for those who are not known."""
    scene = Scene()
    crowd, place = scene.crowd(20, connected=False), scene.world.network.address("bob")
    bob = scene.peer("asker").look_up("bob")
    letters = [each.letter(bob, each.body("never shown")) for each in crowd]
    for number in range(20_000):
        sealed = letters[number % 20]
        crowd[number % 20].send(place, sealed[:-1] + bytes((sealed[-1] ^ 1,)), after_us=number * 250)
    scene.chat(12)
    dropped = scene.world.nodes["bob"].dropped
    assert dropped[Reason.SEAL] <= 200 * 7
    assert dropped[Reason.STRANGER_RATE] > 10_000
    assert "never shown" not in scene.texts("bob")
    scene.end()


@pytest.mark.parametrize("stored", [False, True])
def test_a_letter_passed_on_is_not_shown(stored: bool) -> None:
    """R-6.2-1: what ann signed for eve, eve cannot seal again for bob: the signature covers recipient and key."""
    scene = Scene(real=True)
    eve = scene.peer()
    seen: list[bytes] = []
    bob = eve.look_up("bob")
    opened = eve.suite.hpke_open_untrusted

    def open_and_keep(private: bytes, info: bytes, sealed: bytes) -> bytes:
        seen.append(opened(private, info, sealed))
        return seen[-1]

    eve.suite.hpke_open_untrusted = open_and_keep  # type: ignore[method-assign]
    numbers = range(1, 6)  # bob had two of ann's: the others carry the numbers that he waits for
    for number in numbers:
        scene.world.send("ann", "eve", f"for eve alone {number}")
        scene.run(1)
    passed_on = {body.text: (body, plain) for body, plain in zip(eve.letters, seen, strict=True)}
    assert passed_on.keys() == {f"for eve alone {number}" for number in numbers}
    for body, plain in passed_on.values():
        sealed = scene.reseal(eve, bob, plain, stored=stored)
        if stored:
            eve.say(m.Store(eve.new_id(), bob.identity, slot_of(eve.suite, body.secret), 1, sealed))
        else:
            eve.send(scene.world.network.address("bob"), sealed)
    scene.run(2)
    assert not [text for text in scene.texts("bob") if "eve" in text]
    assert scene.world.nodes["bob"].dropped[Reason.SIGNATURE] == len(numbers)
    scene.chat()
    scene.end()


def test_a_letter_in_anothers_name_is_not_confirmed() -> None:
    """R-9.4-7, R-6.2-2: a name is whose key the directory and the pin say; an identity is whose signature it is."""
    scene = Scene(real=True)
    eve, place = scene.peer(), scene.world.network.address("bob")
    bob = eve.look_up("bob")
    eve.send(place, eve.letter(bob, eve.body("as ann", name="ann")))
    eve.send(place, eve.letter(bob, eve.body("as ann herself", name="ann", sender=scene.identity("ann"))))
    eve.say(eve.store(bob, eve.body("as ann in the mail", name="ann", seq=2, floor=2)))
    eve.say(eve.store(bob, eve.body("as ann herself in the mail", sender=scene.identity("ann"))))
    scene.run(3)
    shown = {event.text: event for event in scene.told("bob", LetterReceived) if event.text.startswith("as ")}
    assert shown.keys() == {"as ann", "as ann in the mail"}
    assert not any(event.confirmed or event.sender == scene.identity("ann") for event in shown.values())
    scene.chat()
    scene.end()


def test_mail_under_a_wrong_slot_is_not_shown() -> None:
    """R-9.4-4: else whoever stores a letter could have its receipt go for another one."""
    scene = Scene()
    eve = scene.peer()
    bob = eve.look_up("bob")
    eve.say(eve.store(bob, eve.body("under a wrong slot"), slot=b"w" * 16))
    scene.run(2)
    assert "under a wrong slot" not in scene.texts("bob")
    assert not scene.directory.mailboxes[bob.identity].letters, "it is collected as unwanted"
    assert not eve.said(m.Receipt)
    scene.chat()
    scene.end()


def test_a_slot_taken_by_a_stranger_takes_nothing() -> None:
    """R-8.5-2: a slot is a sender's: who sees another's cannot take its place in the mailbox, nor its receipt."""
    scene = Scene()
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "to the mailbox")
    scene.run(1)
    eve = scene.peer()
    bob = eve.look_up("bob")
    [kept] = scene.directory.mailboxes[bob.identity].letters.values()
    for attempt in (0, 1, 2**47):
        eve.say(eve.store(bob, eve.body("instead"), slot=kept.slot, attempt=attempt))
        scene.run(0.2)
    scene.world.register("bob")
    scene.run(3)
    assert "to the mailbox" in scene.texts("bob")
    assert not eve.said(m.Receipt)
    assert scene.delivered("ann")
    scene.end()


# --- acknowledgements ---


def test_an_acknowledgement_without_the_secret_delivers_nothing() -> None:
    """R-9.3-7: eve has everything but the secret: the slot, the sealed letter, the number, other acknowledgements."""
    scene = Scene(real=True)
    eve = scene.peer()
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "not for eve")
    scene.run(1)
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    past = [each.payload[3:19] for each in scene.network.of(Acks)]
    guesses = [
        kept.slot,
        bytes(16),
        *past,
        *(ack_of(eve.suite, each) for each in (kept.slot, bytes(16), kept.letter[:16])),
    ]
    guesses += [kept.letter[at : at + 16] for at in range(0, len(kept.letter) - 16, 16)]
    eve.acknowledge(scene.world.network.address("ann"), guesses[:74])
    eve.say(m.Collected((m.CollectedEntry(kept.entry, m.Outcome.ACKNOWLEDGED, kept.slot),)))
    eve.say(m.Collected((m.CollectedEntry(kept.entry, m.Outcome.UNOPENABLE, None),)))
    scene.run(1)
    assert list(scene.client("ann").outgoing.values())[-1].outcome is None
    scene.world.register("bob")
    scene.run(2)
    assert "not for eve" in scene.texts("bob")
    scene.end()


def test_a_letter_collected_with_a_wrong_acknowledgement_is_not_delivered() -> None:
    """R-9.3-7: an owner may throw its mail away, but can say that it read it only if it did."""
    scene = Scene()
    eve = scene.peer()
    eve.live = eve.mail  # what comes directly, it does not open
    scene.world.send("ann", "eve", "read me")
    eve.letters.clear()
    scene.run(2)
    [mail, *_] = eve.said(m.Mail)
    eve.say(m.Collected((m.CollectedEntry(mail.entry, m.Outcome.ACKNOWLEDGED, b"w" * 16),)))
    scene.run(2)
    row = list(scene.client("ann").outgoing.values())[-1]
    assert (row.saved.text, row.outcome) == ("read me", None)
    assert scene.world.nodes["ann"].dropped[Reason.SEAL] >= 1
    scene.chat()
    scene.end()


def test_nobody_collects_or_notes_for_another() -> None:
    """R-8.5-7: Collected and Noted are about the mailbox and the receipts of the session that they come on."""
    scene = Scene()
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "to the mailbox")
    scene.run(1)
    scene.world.deregister("ann")
    eve = scene.peer()
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    for outcome in m.Outcome:
        ack = b"w" * 16 if outcome is m.Outcome.ACKNOWLEDGED else None
        eve.say(
            m.Collected(
                tuple(
                    m.CollectedEntry(kept.entry + step, outcome, ack) for step in range(-3, 4) if kept.entry + step >= 0
                )
            )
        )
    scene.run(1)
    assert len(scene.directory.mailboxes[scene.identity("bob")].letters) == 1
    scene.world.register("bob")
    scene.run(2)
    eve.say(m.Noted((kept.slot,)))
    scene.run(1)
    assert scene.directory.receipts[scene.identity("ann")]
    scene.world.register("ann")
    scene.end()


# --- the server ---


def test_strangers_do_not_fill_a_mailbox() -> None:
    """R-8.5-4: all strangers together have a quarter of a mailbox, and each of them no more than anybody."""
    scene = Scene(delay_us_max=MAIL_DELAY_US_MAX)
    scene.exchange_mail()
    crowd = scene.stuff_mailbox()
    box = scene.directory.mailboxes[scene.identity("bob")].letters
    assert len(box) == MAILBOX_STRANGERS_LETTERS_MAX
    assert m.Refusal.QUOTA in [each.refusal for eve in crowd for each in eve.said(m.Refused)]
    scene.world.send("ann", "bob", "there is room for friends")
    scene.run(2)
    assert len(box) == MAILBOX_STRANGERS_LETTERS_MAX + 1
    scene.world.register("bob")
    scene.run(MAIL_DELAY_US_MAX / SECOND)
    assert "there is room for friends" in scene.texts("bob")
    scene.chat()
    scene.end()


def test_who_is_a_stranger_to_a_stuffed_mailbox_gets_through_when_both_are_there() -> None:
    """R-9.3-8: *quota* is tried again, so a friend of whom the mailbox never had a letter waits, and loses nothing."""
    scene = Scene(delay_us_max=MAIL_DELAY_US_MAX)
    scene.stuff_mailbox()
    scene.world.send("ann", "bob", "there is no room for me")
    scene.run(3_600)
    assert "there is no room for me" not in str(scene.directory.mailboxes[scene.identity("bob")])
    scene.world.register("bob")
    scene.run(MAIL_DELAY_US_MAX / SECOND)
    assert "there is no room for me" in scene.texts("bob")
    scene.chat()
    scene.end()


MAIL_DELAY_US_MAX = 240 * SECOND
"""Longest that a mailbox stuffed by strangers holds up what a friend wrote meanwhile, once both are there. What was
stored behind them comes after 1,024 letters with gaps, 32 at a time, each pushed for 7 seconds, then passed over; what
was refused is tried again every minute, and sent directly by the second try."""


def test_a_flood_of_inits_under_one_token_is_bounded_and_holds_up_nobody() -> None:
    """R-8.1-3, R-8.8-1: an address has eight pending links, a prefix five new ones a second; RESP is short."""
    scene = Scene()
    eve = scene.peer(connected=False)
    eve.greet()
    scene.run(0.1)
    assert eve.token is not None
    key = scene.oracle.ledger.server_key()
    for _ in range(400):
        for _ in range(3):
            eve.send(eve.server, eve.initiate(eve.token, key))
        scene.run(0.01)
        assert scene.sizes(SERVER)["pending links"] <= PENDING_LINKS_PER_ADDRESS_MAX
    resps = [each for each in eve.datagrams if each.payload[2] == Resp.type]
    assert 1 <= len(resps) <= PENDING_LINKS_PER_ADDRESS_MAX
    assert not {eve.identity} & set(scene.directory.mailboxes)
    scene.world.restart("ann")
    scene.run(1)
    scene.chat()
    scene.end()


def test_a_flood_of_inits_from_many_ports_is_bounded_by_the_host() -> None:
    """R-8.8-1: ports are for free, so the host counts."""
    scene = Scene()
    eve, key = scene.peer(connected=False), scene.oracle.ledger.server_key()
    places = [type(eve.address)(eve.address.host, 1_000 + port) for port in range(200)]
    begun_us = scene.world.now_us
    for place in places:
        eve.greet(place)
        scene.run(0.01)
        assert eve.token is not None
        eve.send(eve.server, eve.initiate(eve.token, key), source=place)
        scene.run(0.01)
    resps = [each for each in eve.datagrams if each.payload[2] == Resp.type]
    seconds = (scene.world.now_us - begun_us) / SECOND
    assert len(resps) <= INITS_PER_PREFIX_PER_S_MAX * (seconds + 1)
    scene.chat()
    scene.end()


def test_half_open_links_are_dropped_and_change_nothing() -> None:
    """R-8.1-3, R-8.1-4: who never confirms a link has none, and is in no directory, as has who replays an INIT."""
    scene = Scene()
    key = scene.oracle.ledger.server_key()
    before = scene.state()
    for each in scene.crowd(60, connected=False):
        each.greet()
        scene.run(0.002)
        assert each.token is not None
        each.send(each.server, each.initiate(each.token, key))
    for init in scene.network.of(Init):
        scene.network.replay(init)
    scene.run(0.1)
    assert scene.sizes(SERVER)["pending links"] >= 60
    scene.run(12)
    assert scene.sizes(SERVER)["pending links"] == 0
    assert scene.state() == before
    scene.chat()
    scene.end()


@pytest.mark.parametrize("kind", [m.Register, m.Lookup, m.Watch, m.Ping, m.Store, m.Collected])
def test_a_flood_of_requests_holds_up_nobody(kind: type[m.Message]) -> None:
    """R-8.8-3: a session has its fifty requests a second, and takes them of nobody else."""
    scene = Scene()
    crowd = scene.crowd(8)
    bob = crowd[0].look_up("bob")
    made: Callable[[EvilPeer], m.Message] = {
        m.Register: lambda eve: m.Register(eve.new_id()),
        m.Lookup: lambda eve: m.Lookup(eve.new_id(), f"nobody{eve.new_id()}"),
        m.Watch: lambda eve: m.Watch(
            eve.new_id(), m.Scope.ADD, tuple(f"n{eve.new_id()}" for _ in range(32)), None, None
        ),
        m.Ping: lambda eve: m.Ping(eve.new_id()),
        m.Store: lambda eve: eve.store(bob, eve.body("hello", seq=9)),
        m.Collected: lambda eve: m.Collected((m.CollectedEntry(eve.new_id(), m.Outcome.UNWANTED, None),)),
    }[kind]
    for _ in range(6):
        for eve in crowd:
            for _ in range(25):
                many = 1 if kind in (m.Store, m.Watch) else 15
                eve.say(*(made(eve) for _ in range(many)))
        scene.chat(1, 0.1)
    scene.run(2)
    assert scene.friends.longest_us < SECOND
    if kind is not m.Store:
        assert scene.world.nodes[SERVER].dropped[Reason.SESSION_RATE] > 0
    scene.chat()
    scene.end()


# --- names, cards, sessions ---


def test_a_taken_name_stays_taken() -> None:
    """R-8.2-2, R-2.3-2: neither under its own key nor under the owner's does anybody else register a name."""
    scene = Scene(real=True)
    before = scene.state()
    for away in (False, True):
        if away:
            scene.world.deregister("ann")
            scene.run(1)
        eve = scene.peer("ann", connected=False)
        eve.connect()
        scene.run(1)
        assert [each.refusal for each in eve.said(m.Refused)] == [m.Refusal.NAME_TAKEN]
        other = scene.peer("ann", connected=False)
        other.connect(identity=scene.identity("ann"), seq=CARD_JUMP_MAX)
        scene.run(1)
        assert other.link is None
        assert scene.world.nodes[SERVER].dropped[Reason.SIGNATURE] >= 1
    assert scene.state() == before
    scene.world.register("ann")
    scene.run(1)
    scene.chat()
    scene.end()


def test_a_card_behind_or_too_far_ahead_is_refused() -> None:
    """R-8.2-3: so that nobody goes back to keys that leaked, and nobody burns all numbers."""
    scene = Scene()
    eve = scene.peer(seq=1_000)
    for seq in (999, 1, 1_001 + CARD_JUMP_MAX, 2**48 - 1):
        eve.heard.clear()
        eve.connect(seq=seq)
        scene.run(1)
        assert [(each.refusal, each.card_seq) for each in eve.said(m.Refused)] == [(m.Refusal.STALE_CARD, 1_000)]
    eve.heard.clear()
    eve.connect(seq=1_000 + CARD_JUMP_MAX)
    scene.run(1)
    assert eve.said(m.Registered)
    scene.end()


@pytest.mark.parametrize("field", ["live", "mail"])
def test_a_card_with_a_hostile_key_is_refused(field: str) -> None:
    """R-2.2-3: a key of small order would make a secret that everybody knows."""
    scene = Scene(real=True)
    eve = scene.peer(connected=False)
    eve.connect(**{field: bytes(32)})
    scene.run(1)
    assert eve.link is None
    assert scene.world.nodes[SERVER].dropped[Reason.POINT] == 1
    scene.end()


def test_a_card_for_a_live_key_that_is_not_its_own_is_refused() -> None:
    """R-4.2-3: the L of the card is the key that the handshake proved, so nobody borrows another's."""
    scene = Scene(real=True)
    eve = scene.peer()
    bob = eve.look_up("bob")
    other = scene.peer("mallory", connected=False)
    other.connect(live=bob.live)
    scene.run(1)
    assert other.link is None
    assert scene.world.nodes[SERVER].dropped[Reason.STATIC] == 1
    scene.end()


def test_an_own_deregister_that_comes_late_is_ignored() -> None:
    """R-8.2-7: a Deregister that was overtaken by a Register is of before it."""
    scene = Scene()
    eve = scene.peer()
    late = eve.record(m.Deregister(eve.new_id()))
    eve.say(m.Register(eve.new_id()))
    scene.run(0.2)
    eve.send(eve.server, late)
    scene.run(0.2)
    assert not scene.told(SERVER, UserLeft)
    assert not eve.said(m.Deregistered)
    scene.end()


def test_a_deregister_again_changes_nothing() -> None:
    """R-4.4-4: a RECORD counts once; and of a link that is over it counts never."""
    scene = Scene()
    eve = scene.peer()
    goodbye = eve.record(m.Deregister(eve.new_id()))
    eve.send(eve.server, goodbye)
    eve.say(m.Register(eve.new_id()))
    scene.run(0.2)
    for _ in range(5):
        eve.send(eve.server, goodbye)
    scene.run(0.2)
    assert len(scene.told(SERVER, UserLeft)) == 1
    assert scene.world.nodes[SERVER].dropped[Reason.REPLAY] == 5
    scene.world.deregister("ann")
    scene.run(0.2)
    scene.world.register("ann")
    scene.run(0.5)
    for each in scene.network.of(Record, "ann"):
        scene.network.replay(each)
    scene.run(0.2)
    assert [event.name for event in scene.told(SERVER, UserLeft)] == ["eve", "ann"]
    scene.chat()
    scene.end()


def test_a_letter_from_a_claimed_address_makes_no_more_than_one_shorter_datagram() -> None:
    """R-9.4-1: an ACK goes to where the copy came from: it is shorter than the letter, and there is one a copy."""
    scene = Scene()
    eve, victim = scene.peer(), scene.peer("victim", connected=False)
    bob, place = eve.look_up("bob"), scene.world.network.address("bob")
    letter = eve.letter(bob, eve.body("from elsewhere"))
    for number in range(200):
        eve.send(place, letter, source=victim.address, after_us=number * 5_000)
    scene.run(2)
    assert 1 <= len(victim.datagrams) <= 200
    assert sum(len(each.payload) for each in victim.datagrams) * 5 < 200 * len(letter)
    scene.chat()
    scene.end()


def test_many_links_of_one_identity_leave_one() -> None:
    """R-8.2-8: who connects again and again supersedes itself, and has one link."""
    scene = Scene()
    eve = scene.peer()
    for _ in range(20):
        eve.connect()
        scene.run(0.3)
    assert scene.sizes(SERVER)["links"] == 3
    scene.chat()
    scene.end()
