"""What a server can do that lies to its users: it has directory, mailboxes and every link, and no key of theirs.

It may refuse, delay and drop, and its users are told. It may not read, write, reorder, or claim that somebody read.

- another's keys for a name that is known: the pin; the user is asked:
  `test_swapped_keys_of_a_known_name_are_asked_about_and_nothing_is_sealed_for_them`
- another's keys for a name at first sight: not prevented, told as soon as it lies no more:
  `test_swapped_keys_at_first_sight_are_told_once_the_server_is_honest`
- a card with keys that its identity did not sign: the signature:
  `test_a_card_that_its_owner_did_not_sign_is_believed_by_nobody`
- somebody's card under another name: the name is in the card:
  `test_a_card_for_another_name_is_believed_by_nobody`
- an old card: the seq:
  `test_a_card_older_than_the_one_known_is_believed_by_nobody`
- a victim's address as a contact's: no acknowledgement comes from there, so little is sent there:
  `test_letters_to_a_claimed_address_are_few`
- Receipts that it makes up: only the reader of a letter can make its acknowledgement:
  `test_forged_receipts_deliver_nothing`
- the true Receipt of one letter for another: it is compared with that letter's own:
  `test_a_receipt_of_another_letter_delivers_nothing`
- Stored without storing: the sender keeps every letter:
  `test_stored_without_storing_loses_nothing`
- Returned at will: a letter is sealed again only for a newer card:
  `test_returned_at_will_loses_nothing_and_is_no_loop`
- Mail again, out of order, changed, for others, under other slots: order, once-ness, keys and signatures of letters:
  `test_mail_in_any_order_again_changed_and_for_others_is_shown_once_and_in_order`
- Superseded at will: the user is told, and decides:
  `test_superseded_at_will_takes_a_user_offline_who_is_told_and_nothing_else`
- Registered with anything in it: believed of nothing that matters:
  `test_a_wrong_registered_changes_nothing_that_matters`
- answers to what was not asked: ids of requests:
  `test_answers_to_what_nobody_asked_mean_nothing`
- another key after a restart: the pin:
  `test_a_server_with_another_key_gets_nothing_but_hello`
- waits of an age: a cap of what a client waits:
  `test_waits_of_an_age_are_cut_to_minutes`
- stale card at will, to burn the numbers of cards: seqs below its own are refused, the last one is an end:
  `test_stale_card_at_will_does_not_stop_a_client_for_good`
- rosters without end: a thousand users, a page an answer:
  `test_rosters_without_end_stop_growing_and_are_pulled_a_page_an_answer`
- hints that the roster changed, in thousands: one pull at a time:
  `test_a_flood_of_roster_hints_makes_one_pull_at_a_time`
"""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.simulation.evil.scene import Scene
from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.client import Client
from udpchat_core.datagrams import Hello, Letter
from udpchat_core.errors import Reason
from udpchat_core.events import (
    LetterReceived,
    MessageDelivered,
    MessageRefused,
    MessageStored,
    PeerKeyChanged,
    RegistrationRefused,
    ServerKeyChanged,
    ServerUnreachable,
    Superseded,
)
from udpchat_core.instant import Instant
from udpchat_core.limits import (
    CONGESTION_WINDOW_START,
    DIRECT_RETRY_US,
    POSTPONED_S_MAX,
    ROSTER_USERS_MAX,
    STORED_RETRY_US_MIN,
)
from udpchat_core.messages import CardBody
from udpchat_core.requests import ClientState
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.secure.suite import Suite
from udpchat_core.wire import decode_untrusted, encode
from udpchat_net.simulation.evil import EvilCores
from udpchat_net.simulation.faults import SERVER
from udpchat_net.simulation.world import SECOND

Said = Sequence[m.Message] | None


def seq_of(card: bytes) -> int:
    return decode_untrusted(CardBody, card[SIGNATURE_BYTES:]).seq


# --- Lookup ---


def test_swapped_keys_of_a_known_name_are_asked_about_and_nothing_is_sealed_for_them() -> None:
    """R-9.2-2: ann knows bob's key: whatever the directory says, what she writes is for him, or waits."""
    scene = Scene(real=True, lies={})
    mallory = scene.peer("mallory")
    false = mallory.card(name="bob")
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, false, mallory.address, 60)] if asked.name == "bob" and user.name == "ann" else None
    )
    scene.run(61)  # what ann knows of bob is stale
    scene.world.send("ann", "bob", "for bob alone")
    scene.run(30)
    assert scene.told("ann", PeerKeyChanged) == [
        PeerKeyChanged("bob", scene.identity("bob"), mallory.identity, vouched=False)
    ]
    assert not [each for each in mallory.datagrams if each.payload[2] == Letter.type]
    assert not mallory.letters
    scene.cores_lies.clear()
    scene.run(30)
    assert "for bob alone" in scene.texts("bob")
    scene.finish()


def test_swapped_keys_at_first_sight_are_told_once_the_server_is_honest() -> None:
    """Not promised: who never spoke to bob believes the directory, until it is honest again."""
    scene = Scene(real=True, lies={}, clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    mallory = scene.peer("mallory")
    false = mallory.card(name="bob")
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, false, mallory.address, 60)] if asked.name == "bob" and user.name == "cyd" else None
    )
    scene.world.send("cyd", "bob", "at first sight")
    scene.run(1)
    assert [body.text for body in mallory.letters[:1]] == ["at first sight"]
    scene.cores_lies.clear()
    scene.run(61)
    scene.world.send("cyd", "bob", "again")
    scene.run(11)
    assert scene.told("cyd", PeerKeyChanged) == [
        PeerKeyChanged("bob", mallory.identity, scene.identity("bob"), vouched=False)
    ]
    assert "again" not in scene.texts("bob")
    scene.finish()


@pytest.mark.parametrize("field", ["live", "mail", "seq"])
def test_a_card_that_its_owner_did_not_sign_is_believed_by_nobody(field: str) -> None:
    """R-2.3-2: bob's identity with a key of mallory's is no card of bob's."""
    scene = Scene(real=True, lies={})
    mallory = scene.peer("mallory")

    def lie(server: Any, user: Any, asked: m.Lookup) -> Said:
        if asked.name != "bob":
            return None
        card = server.card_of("bob")
        body = decode_untrusted(CardBody, card[SIGNATURE_BYTES:])
        changed = {"live": mallory.live.public, "mail": mallory.mail.public, "seq": body.seq + 1}
        forged = card[:SIGNATURE_BYTES] + encode(_with(body, **{field: changed[field]}))
        return [m.Found(asked.id, forged, None if field == "mail" else mallory.address, 60)]

    scene.cores_lies[m.Lookup] = lie
    scene.run(61)
    for number in range(10):
        scene.world.send("ann", "bob", f"for bob alone {number}")
        scene.run(7)
    assert not mallory.letters
    assert not [each for each in mallory.datagrams if each.payload[2] == Letter.type]
    assert scene.world.nodes["ann"].dropped[Reason.SIGNATURE] >= 1
    scene.cores_lies.clear()
    scene.run(60)
    assert "for bob alone 9" in scene.texts("bob")
    scene.finish()


def test_a_card_for_another_name_is_believed_by_nobody() -> None:
    """R-2.3-4: mallory's own card, well signed, in answer to a question about somebody new."""
    scene = Scene(real=True, lies={}, clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    mallory = scene.peer("mallory")
    scene.cores_lies[m.Lookup] = lambda server, user, asked: [
        m.Found(asked.id, server.card_of("mallory"), mallory.address, 60)
    ]
    scene.world.send("ann", "cyd", "for cyd alone")
    scene.run(15)
    assert scene.world.nodes["ann"].dropped[Reason.NAME] >= 1
    assert not mallory.letters
    scene.cores_lies.clear()
    scene.run(30)
    assert "for cyd alone" in scene.texts("cyd")
    scene.finish()


def test_a_card_older_than_the_one_known_is_believed_by_nobody() -> None:
    """R-2.3-5: else letters would be sealed to keys that are given up, or that somebody got hold of."""
    scene = Scene(real=True, lies={})
    old = scene.server.card_of("bob")
    scene.world.restart("bob")
    scene.run(61)
    scene.chat(1)
    assert seq_of(scene.server.card_of("bob")) > seq_of(old)
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, old, None, 60)] if asked.name == "bob" else None
    )
    scene.run(61)
    scene.world.send("ann", "bob", "sealed to a key of today")
    scene.run(5)
    assert scene.world.nodes["ann"].dropped[Reason.EXPIRED] >= 1
    live = decode_untrusted(CardBody, old[SIGNATURE_BYTES:]).live
    sealed = [public for public, _ in list(scene.world.nodes["ann"].suite.addressees.values())[-1:]]
    assert live not in sealed
    assert "sealed to a key of today" in scene.texts("bob")
    scene.cores_lies.clear()
    scene.finish()


def test_letters_to_a_claimed_address_are_few() -> None:
    """R-9.3-3: nothing there acknowledges, so a victim gets what users write, and each letter a few times.

    Three times within half a second, then once every 30 seconds; at once no more than the path's window, which
    nothing that a victim does makes grow: 16, and what the friend's true address had earned, up to 256.
    """
    scene = Scene(lies={})
    victim = scene.peer("victim", connected=False)
    scene.cores_lies[m.Lookup] = lambda server, user, asked: (
        [m.Found(asked.id, server.card_of(asked.name), victim.address, 60)] if asked.name == "bob" else None
    )
    scene.run(61)
    letters = 300
    for number in range(letters):
        scene.world.send("ann", "bob", f"{number} " + "x" * 600)
    scene.run(0.05)
    assert len(victim.datagrams) <= CONGESTION_WINDOW_START + 2, "bob acknowledged two before"
    minutes = 10
    scene.run(60 * minutes)
    assert {each.payload[2] for each in victim.datagrams} == {Letter.type}
    copies = len(DIRECT_RETRY_US) + 60 * minutes * SECOND // STORED_RETRY_US_MIN + 1
    assert len(victim.datagrams) <= letters * copies
    assert scene.texts("bob")[-1].startswith(f"{letters - 1} ")  # by way of the mailbox meanwhile
    scene.cores_lies.clear()
    scene.finish()


# --- what became of letters ---


def test_forged_receipts_deliver_nothing() -> None:
    """R-9.3-7: the server has the slot, and everything but the secret."""
    scene = Scene(real=True, lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "unread")
    scene.run(2)
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    suite = scene.world.new_suite("operator", 0)
    guesses = (kept.slot, bytes(16), ack_of(suite, kept.slot), kept.letter[-16:], slot_of(suite, kept.slot))
    scene.push("ann", *(m.Receipt(kept.slot, guess) for guess in guesses))
    scene.run(1)
    assert len(scene.told("ann", MessageDelivered)) == 2, "those of before"
    assert scene.world.nodes["ann"].dropped[Reason.SEAL] == len(guesses)
    scene.world.register("bob")
    scene.run(3)
    assert "unread" in scene.texts("bob")
    scene.finish()


def test_a_receipt_of_another_letter_delivers_nothing() -> None:
    """R-9.3-7: an acknowledgement that bob did make, for a letter that he did not get."""
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    for text in ("one", "two"):
        scene.world.send("ann", "bob", text)
    scene.run(2)
    one, two = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    letters = scene.oracle.ledger.by_slot
    scene.push("ann", m.Receipt(two.slot, letters[one.slot].ack), m.Receipt(one.slot, letters[two.slot].ack))
    scene.run(1)
    assert len(scene.told("ann", MessageDelivered)) == 2, "those of before"
    scene.world.register("bob")
    scene.run(3)
    assert scene.texts("bob")[-2:] == ["one", "two"]
    scene.finish()


def test_stored_without_storing_loses_nothing() -> None:
    """R-9.3-1: a sender keeps a letter until its reader acknowledged it, whatever the server says."""
    scene = Scene(lies={m.Store: lambda server, user, asked: [m.Stored(asked.id, False, asked.attempt)]})
    scene.world.deregister("bob")
    scene.run(1)
    for number in range(40):
        scene.world.send("ann", "bob", f"{number}")
    scene.run(120)
    assert len(scene.told("ann", MessageStored)) == 40
    assert len(scene.told("ann", MessageDelivered)) == 2, "those of before"
    scene.cores_lies.clear()
    scene.world.register("bob")
    scene.run(400)
    assert scene.texts("bob")[-40:] == [f"{number}" for number in range(40)]
    scene.finish()


def test_returned_at_will_loses_nothing_and_is_no_loop() -> None:
    """R-9.3-6: a letter that came back is sealed again only for a newer card, so nothing goes around."""
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "back and forth")
    scene.run(2)
    [kept] = scene.directory.mailboxes[scene.identity("bob")].letters.values()
    before = scene.asked(m.Store, "ann")
    returns = 40
    for _ in range(returns):
        scene.push("ann", m.Returned(kept.slot), m.Returned(kept.slot), run_s=0.7)
    assert scene.asked(m.Store, "ann") == before
    assert scene.asked(m.Lookup, "ann") <= 2 * returns + 3
    scene.world.register("bob")
    scene.run(60)
    assert "back and forth" in scene.texts("bob")
    scene.finish()


def test_mail_in_any_order_again_changed_and_for_others_is_shown_once_and_in_order() -> None:
    """R-9.4-2, R-9.4-3, R-9.4-4: what is in a letter says whose it is, for whom, and which number it has."""
    scene = Scene(real=True, lies={}, clients=("ann", "bob", "cyd"))
    scene.world.register("cyd")
    scene.world.deregister("bob")
    scene.run(1)
    for number in range(8):
        scene.world.send("ann", "bob", f"{number}")
    scene.run(2)
    kept = list(scene.directory.mailboxes[scene.identity("bob")].letters.values())
    mails = [m.Mail(each.entry, each.slot, each.letter) for each in kept]
    scene.world.register("bob")
    scene.run(0.01)
    mixed = [*reversed(mails), *mails, *mails[3:], *(_with(each, entry=each.entry + 1_000) for each in mails)]
    mixed += [_with(each, slot=mails[0].slot) for each in mails]
    mixed += [_with(each, letter=each.letter[:-1] + bytes((each.letter[-1] ^ 1,))) for each in mails]
    mixed += [_with(each, letter=bytes(200)) for each in mails]
    for name in ("bob", "cyd", "ann"):
        for each in mixed:
            scene.push(name, each, run_s=0)
        scene.run(1)
    scene.run(60)
    assert scene.texts("bob")[2:] == [f"{number}" for number in range(8)]
    assert scene.texts("cyd") == []
    assert len(scene.told("ann", LetterReceived)) == 2
    scene.finish()


# --- the session ---


def test_superseded_at_will_takes_a_user_offline_who_is_told_and_nothing_else() -> None:
    """R-9.1-6: a server may send anybody away; what waits is kept, and goes on when the user says so."""
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "kept")
    scene.run(2)
    scene.push("ann", m.Superseded(), m.Superseded())
    assert scene.told("ann", Superseded)
    scene.world.send("ann", "bob", "kept as well")
    scene.run(60)
    assert scene.world.nodes["ann"].core is not None
    for name in ("bob", "ann"):
        scene.world.register(name)
    scene.run(60)
    assert scene.texts("bob")[-2:] == ["kept", "kept as well"]
    scene.finish()


def test_a_wrong_registered_changes_nothing_that_matters() -> None:
    """Address, counts, limits and clock are the server's word: it cannot make letters old, nor lost."""
    limits = m.ServerLimits(0, 0, 0, 0, 0)
    nowhere = Address(b"\0\0\0\0", 1)

    def lie(server: Any, user: Any, asked: m.Register) -> Said:
        return [
            m.Registered(asked.id + 1, nowhere, 9, limits, 0),
            m.Registered(asked.id, nowhere, 2**48 - 1, limits, 253_402_300_799_000),
            m.Registered(asked.id, nowhere, 0, limits, 0),
        ]

    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(1)
    scene.world.send("ann", "bob", "not old")
    scene.run(1)
    scene.cores_lies[m.Register] = lie
    scene.world.restart("ann")
    scene.run(7_300)  # letters are looked at for their age every hour
    row = list(scene.client("ann").outgoing.values())[-1]
    assert (row.saved.text, row.outcome) == ("not old", None)
    scene.cores_lies.clear()
    for name in ("ann", "bob"):
        scene.world.restart(name)
        scene.world.register(name)
    scene.run(330)
    assert "not old" in scene.texts("bob")
    scene.finish()


def test_answers_to_what_nobody_asked_mean_nothing() -> None:
    """R-9.1-5: an answer is to the request with its id, and of the kind that was asked for."""
    scene = Scene(lies={})
    scene.run(1)
    mallory = scene.peer("mallory")
    card = mallory.card(name="bob")
    for id_ in range(40):
        scene.push(
            "ann",
            m.Found(id_, card, mallory.address, 60),
            m.Stored(id_, True, 2**48 - 1),
            m.Deregistered(id_),
            m.Refused(id_, m.Refusal.BANNED, 0, 0),
            m.Roster(id_, m.Version(bytes(8), 1), (m.RosterEntry("bob", False, 9),), more=True, full=True),
        )
    assert not scene.told("ann", PeerKeyChanged)
    assert scene.world.nodes["ann"].dropped[Reason.MESSAGE] >= 150
    scene.world.send("ann", "bob", "undisturbed")
    scene.run(2)
    assert "undisturbed" in scene.texts("bob")
    scene.finish()


def test_a_server_with_another_key_gets_nothing_but_hello() -> None:
    """R-9.1-1: the key is pinned; the user is told, and nothing but HELLO is for the new one."""
    scene = Scene(real=True, lies={})
    scene.evil_cores.private = b"another key of the server's only".ljust(32)[:32]
    scene.world.restart(SERVER)
    scene.world.send("ann", "bob", "to a friend")
    scene.run(180)
    since = scene.world.now_us - 120 * SECOND
    late = [each for each in scene.network.captured if each.at_us > since and each.node != SERVER]
    assert {each.payload[2] for each in late if each.to == scene.world.network.address(SERVER)} == {Hello.type}
    for name in ("ann", "bob"):
        assert scene.told(name, ServerKeyChanged)
        assert scene.told(name, ServerUnreachable)
    assert scene.texts("bob")[-1] == "to a friend", "friends who know each other need no server"
    scene.evil_cores.private = None
    scene.world.restart(SERVER)
    scene.run(60)
    scene.finish()


@pytest.mark.parametrize("refusal", [m.Refusal.BUSY, m.Refusal.QUOTA, m.Refusal.UNKNOWN])
def test_waits_of_an_age_are_cut_to_minutes(refusal: m.Refusal) -> None:
    """R-9.3-8: whoever says *wait a thousand years* is asked again within five minutes."""
    ever = 2**48 - 1
    scene = Scene(lies={})
    scene.world.deregister("bob")
    scene.run(61)
    scene.cores_lies[m.Store] = lambda server, user, asked: [m.Refused(asked.id, refusal, ever, 0)]
    scene.world.send("ann", "bob", "in the end")
    scene.run(400)
    assert scene.asked(m.Store, "ann") >= 2
    scene.cores_lies.clear()
    scene.run(POSTPONED_S_MAX + 1)
    assert len(scene.directory.mailboxes[scene.identity("bob")].letters) == 1
    scene.world.register("bob")
    scene.run(5)
    assert "in the end" in scene.texts("bob")
    scene.finish()


def test_stale_card_at_will_does_not_stop_a_client_for_good() -> None:
    """R-9.1-3: a server can drive the seq up, to the last one; it is a refusal then, and no loop."""
    told = iter((5, 2**40, 2**48 - 3, 2**48 - 2, 2**48 - 1, *[2**48 - 1] * 1_000))
    scene = Scene(lies={})
    scene.cores_lies[m.Register] = lambda server, user, asked: [
        m.Refused(asked.id, m.Refusal.STALE_CARD, 0, next(told))
    ]
    scene.world.restart("ann")
    scene.run(60)
    assert [event.refusal for event in scene.told("ann", RegistrationRefused)] == [m.Refusal.STALE_CARD]
    assert scene.asked(m.Register, "ann") <= 8
    scene.world.send("ann", "bob", "by the way of friends")
    scene.run(5)
    assert not scene.told("ann", MessageRefused)
    scene.cores_lies.clear()


# --- rosters ---


class _Watching(EvilCores):
    def client(self, suite: Suite, state: ClientState, server: Address, now: Instant) -> Client:
        return Client(suite, state, server, now, watch_all=True)


def test_rosters_without_end_stop_growing_and_are_pulled_a_page_an_answer() -> None:
    """R-8.4-4: names without end are kept up to a thousand; a page is asked for when the one before it came."""
    pages = iter(range(10**9))

    def lie(server: Any, user: Any, asked: m.Watch) -> Said:
        page = next(pages)
        entries = tuple(m.RosterEntry(f"n{page * 24 + at:09}", True, 1) for at in range(24))
        return [m.Roster(asked.id, m.Version(bytes(8), page), entries, more=True, full=True)] * 3

    scene = Scene(cores=_Watching({m.Watch: lie}))
    scene.run(20)
    core = scene.world.nodes["ann"].core
    assert isinstance(core, Client)
    assert len(core.roster) <= ROSTER_USERS_MAX
    assert scene.sizes("ann")["requests"] <= 2
    scene.chat()
    scene.cores_lies.clear()
    scene.finish()


def test_a_flood_of_roster_hints_makes_one_pull_at_a_time() -> None:
    """R-8.4-5: a hint is no more than that: what is asked already is not asked again."""
    scene = Scene(cores=_Watching())
    before = scene.asked(m.Watch, "ann")
    for round_ in range(20):
        scene.push("ann", *(m.RosterChanged(m.Version(b"elsewher", round_ * 50 + each)) for each in range(50)))
    assert scene.asked(m.Watch, "ann") - before <= 3 * 20
    scene.chat()
    scene.finish()


def _with(value: Any, **changed: Any) -> Any:
    """`dataclasses.replace`, which pydantic's validate again."""
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
    return type(value)(**fields | changed)
