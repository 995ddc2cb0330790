"""How a client has to send: sections 9.2, 9.3, 9.5 and 6."""

import os
import time

from udpchat_core import messages as m
from udpchat_core.datagrams import Acks
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.secure.rotation import make_rotation
from udpchat_core.wire import serialize

from .checks import ClientStage, check, expect
from .friend import Friend, Got
from .network import Peer
from .suite import SUITE

QUIET_S = 1.0


def _stored(stage: ClientStage) -> list[Got]:
    """The letters in Stores, opened."""
    got = [stage.bob.open(store.letter) for store in stage.server.said(m.Store)]
    return [one for one in got if one is not None]


def _wait_for_stores(stage: ClientStage, times: int, within_s: float = 12.0) -> list[m.Store]:
    stage.until(lambda: len(stage.server.said(m.Store)) >= times, f"{times} Stores", within_s)
    return stage.server.said(m.Store)


def _send(ann: Peer, *texts: str) -> None:
    for text in texts:
        ann.do("send", to="bob", text=text)


@check("client", "R-6.1-1", "R-6.1-2", "R-6.2-1", "R-9.2-4", "R-9.2-5", "R-9.3-7")
def a_letter_goes_directly_and_its_acknowledgement_ends_it(stage: ClientStage) -> None:
    ann = stage.client()
    _send(ann, "one")
    ann.wait_for("delivered")
    (got,) = stage.bob.got
    body = got.body
    expect((body.text, body.name) == ("one", "ann"), f"the letter says {body.text!r} of {body.name}")
    expect(body.sender == stage.server.seat.card.identity, "the sender is not the identity of the card")
    expect((body.seq, body.floor) == (1, 1), f"the first letter has number and floor {body.seq}, {body.floor}")
    expect(got.key == stage.bob.live, "a direct letter was not sealed to the live key")
    expect(not stage.server.said(m.Store), "an acknowledged letter was stored as well")


@check("client", "R-9.2-4", "R-9.2-5")
def letters_are_numbered_in_their_order_and_the_floor_follows(stage: ClientStage) -> None:
    ann = stage.client()
    for number in (1, 2, 3):
        _send(ann, str(number))
        ann.wait_for("delivered", number)
    numbers = [(got.body.text, got.body.seq, got.body.floor) for got in stage.bob.got]
    expected = [(str(number), number, number) for number in (1, 2, 3)]
    expect(list(dict.fromkeys(numbers)) == expected, f"text, number and floor: {numbers}, expected {expected}")
    expect(len({got.body.epoch for got in stage.bob.got}) == 1, "more than one epoch in one life")


@check("client", "R-9.2-1", "R-9.2-2", "R-9.3-3", "R-6.3-2")
def what_is_not_acknowledged_comes_again_at_100_and_250_ms_and_is_stored(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob.acknowledges = False
    _send(ann, "hello")
    (store, *_) = _wait_for_stores(stage, 1)
    times = [got.at_s - stage.bob.got[0].at_s for got in stage.bob.got]
    shown = ", ".join(f"{1000 * at_s:.0f}" for at_s in times)
    expect(len(times) == 3, f"direct tries after {shown} ms, expected 3")
    expect(0.08 < times[1] < times[2], f"direct tries after {shown} ms, expected 0, 100 and 250")
    expect(times[2] > 0.22, f"direct tries after {shown} ms, expected 0, 100 and 250")
    stored_s = stage.server.all_heard(m.Store)[0][0].at_s - stage.bob.got[0].at_s
    expect(stored_s > 0.42, f"stored after {1000 * stored_s:.0f} ms, expected when the third wait is over, at 500 ms")
    letters = [got.body for got in (*stage.bob.got, _stored(stage)[0])]
    expect(len({(body.secret, body.seq, body.text) for body in letters}) == 1, "copies differ in secret or number")
    expect(_stored(stage)[0].key == stage.bob.mail, "a stored letter was not sealed to the mail key")
    expect(store.slot == slot_of(SUITE, letters[0].secret), "the slot does not follow from the secret")
    expect(store.recipient == stage.bob.identity, "it was stored for another identity")
    ann.wait_for("stored")
    expect(not ann.events("delivered"), "stored was told as delivered")


@check("client", "R-9.3-1", "R-9.3-7")
def an_ACK_that_is_not_the_letters_ends_nothing(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob.acknowledges = False
    _send(ann, "hello")
    stage.until(lambda: bool(stage.bob.got), "a LETTER")
    stage.bob.port.send(serialize(Acks((os.urandom(16), bytes(16)))), ann.address)
    _wait_for_stores(stage, 1)
    expect(not ann.events("delivered"), "an ACK of random bytes was taken")
    stage.bob.acknowledge(stage.bob.got[-1])  # late, when it is stored already
    ann.wait_for("delivered")


@check("client", "R-9.3-1", "R-9.3-7")
def only_the_right_Receipt_ends_a_letter_and_each_is_noted(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    _send(ann, "hello")
    (store, *_) = _wait_for_stores(stage, 1)
    ann.wait_for("stored")
    stage.server.say(m.Receipt(store.slot, os.urandom(16)))
    stage.until(lambda: bool(stage.server.said(m.Noted)), "Noted for a Receipt that is not the letter's")
    expect(not ann.events("delivered"), "a Receipt with a wrong acknowledgement was taken")
    noted = len(stage.server.said(m.Noted))
    right = m.Receipt(store.slot, ack_of(SUITE, _stored(stage)[0].body.secret))
    stage.server.say(right)
    ann.wait_for("delivered")
    stage.until(lambda: len(stage.server.said(m.Noted)) > noted, "Noted for the Receipt")
    expect(all(store.slot in said.slots for said in stage.server.said(m.Noted)), "Noted of another slot")
    noted = len(stage.server.said(m.Noted))
    stage.server.say(right)
    stage.until(lambda: len(stage.server.said(m.Noted)) > noted, "Noted again for a Receipt that comes again")
    expect(len(ann.events("delivered")) == 1, "delivered was told twice")


@check("client", "R-9.3-3")
def a_letter_to_who_is_away_is_stored_at_once(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    _send(ann, "hello")
    _wait_for_stores(stage, 1)
    lookup, store = stage.server.all_heard(m.Lookup)[0][0], stage.server.all_heard(m.Store)[0][0]
    expect(store.at_s - lookup.at_s < 0.45, "it waited before it stored for somebody who is away")
    expect(not stage.bob.got, "a LETTER was sent to somebody who is away")


@check("client", "R-9.1-5")
def a_Store_that_is_lost_comes_again_under_its_id(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.lose["Store"] = 2
    _send(ann, "hello")
    ann.wait_for("stored")
    stores = stage.server.said(m.Store)
    expect(len({store.id for store in stores}) == 1, f"ids {[store.id for store in stores]}, expected one")
    expect(len({store.letter for store in stores}) == 1, "the same request had another letter")


@check("client", "R-9.3-5")
def Stored_with_a_higher_attempt_is_followed_by_a_Store_above_it(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    held: list[int] = []

    def answer(store: m.Store) -> m.Stored:
        held.append(max([store.attempt + 6] if not held else [held[0], store.attempt]))
        return m.Stored(store.id, False, held[-1])

    stage.server.stored_answer = answer
    _send(ann, "hello")
    stores = _wait_for_stores(stage, 2)
    attempt = stores[-1].attempt
    expect(attempt > held[0], f"attempt {attempt} after Stored told {held[0]}, expected a higher one")
    ann.wait_for("stored")


@check("client", "R-9.3-6")
def a_Returned_letter_is_not_stored_again_for_the_same_card(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    stage.bob_is_away()
    _send(ann, "hello")
    (store, *_) = _wait_for_stores(stage, 1)
    ann.wait_for("stored")
    stage.server.say(m.Returned(store.slot))
    stage.until(lambda: bool(stage.server.said(m.Noted)), "Noted for Returned")
    stage.watch_for(1.5, lambda: len(stage.server.said(m.Store)) > 1, "it was stored again for the same card")
    expect(not ann.events("message refused"), "a letter that came back was given up")


@check("client", "R-9.3-6", "R-9.2-1")
def a_Returned_letter_is_sealed_again_for_a_card_of_higher_seq(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    stage.bob_is_away()
    _send(ann, "hello")
    (store, *_) = _wait_for_stores(stage, 1)
    first = _stored(stage)[0].body
    ann.wait_for("stored")
    stage.bob.mail, stage.bob.seq = os.urandom(32), stage.bob.seq + 1
    stage.bob_is_away()
    stage.watch_for(1.3, lambda: False, "")  # what the directory said before may not be believed for longer
    stage.server.say(m.Returned(store.slot))
    again = _wait_for_stores(stage, 2, 40.0)[1]
    got = stage.bob.open(again.letter)
    expect(got is not None and got.key == stage.bob.mail, "it was not sealed to the mail key of the newer card")
    expect(again.attempt > store.attempt, f"attempt {again.attempt} after {store.attempt}, expected a higher one")
    expect(again.slot == store.slot, "another slot, expected the same")
    expect(got is not None and got.body.secret == first.secret, "another secret, expected the same")


@check("client", "R-9.3-8")
def a_full_mailbox_is_tried_again_and_told(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.refuse["Store"] = [(m.Refusal.QUOTA, 0, 0), (m.Refusal.UNKNOWN, 0, 0)]
    _send(ann, "hello")
    ann.wait_for("stored", within_s=20.0)
    expect(bool(ann.events("postponed")), "its user was not told of the full mailbox")
    expect(not ann.events("message refused"), "quota was taken for an answer")
    times = [heard.at_s for heard, _ in stage.server.all_heard(m.Store)]
    expect(times[1] - times[0] > 0.4, "a full mailbox was tried again at once, expected a back-off of 0.5 s")


@check("client", "R-9.3-8")
def a_Store_that_is_refused_for_good_is_told(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.refuse["Store"] = [(m.Refusal.BANNED, 0, 0)]
    _send(ann, "hello")
    ann.wait_for("message refused")


@check("client", "R-9.3-1")
def a_message_to_a_name_that_nobody_has_is_told(stage: ClientStage) -> None:
    ann = stage.client()
    ann.do("send", to="nobody", text="hello")
    ann.wait_for("message refused")


@check("client", "R-9.3-2", "R-9.3-13")
def no_more_letters_are_under_way_than_the_windows_allow(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob.acknowledges = False
    stage.server.mute = {"Store"}
    _send(ann, *(str(number) for number in range(100)))
    stage.until(lambda: len({got.body.seq for got in stage.bob.got}) >= 16, "a window of 16 letters")
    stage.watch_for(
        0.3,
        lambda: len({got.body.seq for got in stage.bob.got if got.at_s < stage.bob.got[0].at_s + 0.1}) > 16,
        "more than 16 letters under way on a path that is not known",
    )
    stage.watch_for(
        2.0, lambda: max(got.body.seq for got in stage.bob.got) > 64, "a letter above 64 while the first is unanswered"
    )
    stage.watch_for(
        0.5,
        lambda: max((one.body.seq for one in _stored(stage)), default=1) > 32,
        "a letter above 32 was stored while the first is not",
    )


@check("client", "R-9.2-1", "R-9.2-3")
def after_a_power_cut_a_letter_has_its_secret_and_another_epoch(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob.acknowledges = False
    _send(ann, "hello")
    stage.until(lambda: bool(stage.bob.got), "a LETTER")
    before = stage.bob.got[0].body
    ann = stage.restarted(ann)
    known = len(stage.bob.got)
    stage.until(lambda: len(stage.bob.got) > known, "the LETTER of the next life")
    after = stage.bob.got[-1].body
    expect(after.secret == before.secret, "another secret after a restart: it would be shown twice")
    expect(after.epoch != before.epoch, "the same epoch after a restart")
    expect(after.seq == 1, f"number {after.seq} in a new epoch, expected 1")
    stage.bob.acknowledge(stage.bob.got[-1])
    ann.wait_for("delivered")


@check("client", "R-9.2-2")
def another_owner_of_a_name_gets_nothing_until_the_user_decides(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    _send(ann, "to bob")
    ann.wait_for("delivered")
    mallory = Friend(stage, "bob")
    stage.server.directory["bob"] = (mallory.card(), mallory.port.address, None)
    ann = stage.restarted(ann)
    _send(ann, "still to bob")
    ann.wait_for("key changed")
    stage.watch_for(
        QUIET_S,
        lambda: bool(mallory.got) or bool(stage.server.said(m.Store)),
        "a letter was sealed for another identity before the user decided",
    )
    ann.do("accept key", name="bob")
    _send(ann, "to mallory")
    stage.until(lambda: any(got.body.text == "to mallory" for got in mallory.got), "a letter to whom the user took")


@check("client", "R-9.2-2")
def a_letter_of_a_known_recipient_is_never_sealed_for_another(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob.acknowledges = False
    _send(ann, "for bob alone")
    stage.until(lambda: bool(stage.bob.got), "a LETTER")
    mallory = Friend(stage, "bob")
    stage.server.directory["bob"] = (mallory.card(), mallory.port.address, None)
    ann = stage.restarted(ann)
    ann.wait_for("key changed")
    ann.do("accept key", name="bob")
    ann.wait_for("message refused")
    expect(not mallory.got, "a letter of bob's was sealed for another")


@check("client", "R-6.2-3", "R-9.5-1")
def a_long_text_goes_in_parts_cut_at_code_points(stage: ClientStage) -> None:
    ann = stage.client()
    text = "é€" * 500
    _send(ann, text)
    ann.wait_for("delivered")
    parts = list({got.body.seq: got.body for got in stage.bob.got}.values())
    parts.sort(key=lambda body: body.seq)
    expect("".join(body.text for body in parts) == text, "the parts are not the text")
    expect(all(len(body.text.encode()) <= 800 for body in parts), "a part of more than 800 bytes")
    numbers = [(body.seq, body.part, body.parts) for body in parts]
    expect(numbers == [(at, at, len(parts)) for at in range(1, len(parts) + 1)], f"number, part and parts: {numbers}")


@check("client", "R-2.3-2", "R-2.3-3", "R-2.3-4", "R-2.3-7", "R-2.2-3", "R-9.3-12")
def a_card_that_does_not_hold_is_believed_by_nobody(stage: ClientStage) -> None:
    ann = stage.client()
    bad = stage.bob.card()
    directory = stage.server.directory
    address = stage.bob.port.address
    small = (1).to_bytes(32, "little")
    directory["bob"] = (bad[:10] + bytes([bad[10] ^ 1]) + bad[11:], address, None)
    directory["carol"] = (bad, address, None)
    directory["dave"] = (stage.bob.card(name="dave", expires_s=int(time.time()) - 90_000), address, None)
    directory["erin"] = (stage.bob.card(name="erin", live=small), address, None)
    directory["frank"] = (stage.bob.card(name="frank", mail=bytes(32)), address, None)
    directory["grace"] = (stage.bob.card(name="grace", identity=small), address, None)
    for name in directory:
        ann.do("send", to=name, text="hello")
    stage.until(
        lambda: {message.name for message in stage.server.said(m.Lookup)} >= set(directory), "a Lookup of each name"
    )
    stage.watch_for(
        QUIET_S, lambda: bool(stage.bob.got or stage.server.said(m.Store)), "a letter for a card that does not hold"
    )
    expect(not stage.malformed, "a letter for a card that does not hold")


@check("client", "R-9.3-11")
def people_who_know_each_other_talk_without_the_directory(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    _send(ann, "one")
    ann.wait_for("delivered")
    stage.watch_for(1.2, lambda: False, "")  # what the directory said may not be believed for longer
    stage.server.mute = {"Lookup", "Ping", "HELLO", "INIT"}
    began_s = time.monotonic()
    _send(ann, "two")
    ann.wait_for("delivered", 2)
    took_s = time.monotonic() - began_s
    expect(took_s < 3.0, f"it took {took_s:.1f} s, expected 250 ms of patience")


@check("client", "R-2.3-5", "R-2.3-7")
def a_stale_card_takes_no_newer_ones_place(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    _send(ann, "one")
    ann.wait_for("delivered")
    former, stage.bob.live = stage.bob.live, os.urandom(32)
    stage.server.directory["bob"] = (stage.bob.card(seq=stage.bob.seq - 5), stage.bob.port.address, None)
    stage.watch_for(1.2, lambda: False, "")
    stage.bob.live = former
    _send(ann, "two")
    stage.until(lambda: len({got.body.text for got in stage.bob.got}) > 1 or bool(stage.malformed), "a LETTER")
    expect(not stage.malformed, "sealed to the live key of a stale card")


@check("client", "R-5.2-1", "R-9.1-5")
def a_Lookup_that_is_told_busy_is_asked_again_when_it_may_be(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.refuse["Lookup"] = [(m.Refusal.BUSY, 2, 0)]
    _send(ann, "hello")
    ann.wait_for("delivered")
    first, second = (pair for pair in stage.server.all_heard(m.Lookup) if pair[1].name == "bob")
    waited_s = second[0].at_s - first[0].at_s
    expect(waited_s > 1.8, f"asked again after {waited_s:.2f} s, expected 2 s")
    expect(first[1].id == second[1].id, "asked again with another id")


@check("client", "R-9.3-17")
def where_a_recipient_is_who_came_is_asked_again(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.stored_answer = lambda store: m.Stored(store.id, True, store.attempt)
    _send(ann, "one")
    ann.wait_for("stored")
    stage.publish()
    _send(ann, "two")
    stage.until(lambda: any(got.body.text == "two" for got in stage.bob.got), "the next letter directly")


@check("client", "R-9.3-16")
def the_attempts_of_a_life_are_above_those_of_earlier_ones(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    _send(ann, "hello")
    (first, *_) = _wait_for_stores(stage, 1)
    ann.wait_for("stored")
    stage.restarted(ann)
    second = _wait_for_stores(stage, 2)[1]
    expect(second.slot == first.slot, "another slot, expected the same")
    expect(second.attempt > first.attempt, f"attempt {second.attempt} after {first.attempt} of an earlier life")


@check("client", "R-9.2-6", "R-2.4-5")
def a_rotation_does_not_decide_for_the_user(stage: ClientStage) -> None:
    ann = stage.client()
    _send(ann, "to bob")
    ann.wait_for("delivered")
    heir = Friend(stage, "bob")
    rotation = make_rotation(SUITE, stage.bob.private, heir.identity, "bob")
    stage.server.directory["bob"] = (heir.card(), heir.port.address, rotation)
    ann = stage.restarted(ann)
    _send(ann, "still to bob")
    ann.wait_for("key changed")
    stage.watch_for(QUIET_S, lambda: bool(heir.got or stage.server.said(m.Store)), "a rotation decided for the user")
