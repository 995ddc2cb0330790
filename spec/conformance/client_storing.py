"""How a client has to hand letters to a mailbox: sections 9.3 and 8.5."""

import os

from udpchat_core import messages as m
from udpchat_core.fields import Refusal
from udpchat_core.secure.letter import ack_of

from .checks import ClientStage, check, expect
from .client_sending import letters_stored, send, wait_for_stores
from .suite import SUITE

QUIET_S = 1.0


@check("client", "R-9.3-1", "R-9.3-7")
def only_the_right_Receipt_ends_a_letter_and_each_is_noted(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    send(ann, "hello")
    (store, *_) = wait_for_stores(stage, 1)
    ann.wait_for("stored")
    stage.server.say(m.Receipt(store.slot, os.urandom(16)))
    stage.until(lambda: bool(stage.server.said(m.Noted)), "Noted for a Receipt that is not the letter's")
    expect(not ann.events("delivered"), "a Receipt with a wrong acknowledgement was taken")
    noted = len(stage.server.said(m.Noted))
    right = m.Receipt(store.slot, ack_of(SUITE, letters_stored(stage)[0].body.secret))
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
    send(ann, "hello")
    wait_for_stores(stage, 1)
    lookup, store = stage.server.all_heard(m.Lookup)[0][0], stage.server.all_heard(m.Store)[0][0]
    expect(store.at_s - lookup.at_s < 0.45, "it waited before it stored for somebody who is away")
    expect(not stage.bob.got, "a LETTER was sent to somebody who is away")


@check("client", "R-9.1-5")
def a_Store_that_is_lost_comes_again_under_its_id(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.lose["Store"] = 2
    send(ann, "hello")
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
    send(ann, "hello")
    stores = wait_for_stores(stage, 2)
    attempt = stores[-1].attempt
    expect(attempt > held[0], f"attempt {attempt} after Stored told {held[0]}, expected a higher one")
    ann.wait_for("stored")


@check("client", "R-9.3-6")
def a_Returned_letter_is_not_stored_again_for_the_same_card(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    stage.bob_is_away()
    send(ann, "hello")
    (store, *_) = wait_for_stores(stage, 1)
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
    send(ann, "hello")
    (store, *_) = wait_for_stores(stage, 1)
    first = letters_stored(stage)[0].body
    ann.wait_for("stored")
    stage.bob.mail, stage.bob.seq = os.urandom(32), stage.bob.seq + 1
    stage.bob_is_away()
    stage.watch_for(1.3, lambda: False, "")  # what the directory said before may not be believed for longer
    stage.server.say(m.Returned(store.slot))
    again = wait_for_stores(stage, 2, 40.0)[1]
    got = stage.bob.open(again.letter)
    expect(got is not None and got.key == stage.bob.mail, "it was not sealed to the mail key of the newer card")
    expect(again.attempt > store.attempt, f"attempt {again.attempt} after {store.attempt}, expected a higher one")
    expect(again.slot == store.slot, "another slot, expected the same")
    expect(got is not None and got.body.secret == first.secret, "another secret, expected the same")


@check("client", "R-9.3-8")
def a_full_mailbox_is_tried_again_and_told(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.refuse["Store"] = [(Refusal.QUOTA, 0, 0), (Refusal.UNKNOWN, 0, 0)]
    send(ann, "hello")
    ann.wait_for("stored", within_s=20.0)
    expect(bool(ann.events("postponed")), "its user was not told of the full mailbox")
    expect(not ann.events("message refused"), "quota was taken for an answer")
    times = [heard.at_s for heard, _ in stage.server.all_heard(m.Store)]
    expect(times[1] - times[0] > 0.4, "a full mailbox was tried again at once, expected a back-off of 0.5 s")


@check("client", "R-9.3-8")
def a_Store_that_is_refused_for_good_is_told(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.refuse["Store"] = [(Refusal.BANNED, 0, 0)]
    send(ann, "hello")
    ann.wait_for("message refused")


@check("client", "R-9.3-17")
def where_a_recipient_is_who_came_is_asked_again(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    stage.server.stored_answer = lambda store: m.Stored(store.id, True, store.attempt)
    send(ann, "one")
    ann.wait_for("stored")
    stage.publish()
    send(ann, "two")
    stage.until(lambda: any(got.body.text == "two" for got in stage.bob.got), "the next letter directly")


@check("client", "R-9.3-16")
def the_attempts_of_a_life_are_above_those_of_earlier_ones(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob_is_away()
    send(ann, "hello")
    (first, *_) = wait_for_stores(stage, 1)
    ann.wait_for("stored")
    stage.restarted(ann)
    second = wait_for_stores(stage, 2)[1]
    expect(second.slot == first.slot, "another slot, expected the same")
    expect(second.attempt > first.attempt, f"attempt {second.attempt} after {first.attempt} of an earlier life")
