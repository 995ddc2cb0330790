"""Whom a client may believe that it writes to: sections 2.3, 8.3, 9.2 and 9.3."""

import os
import time

from udpchat_core import messages as m
from udpchat_core.fields import Refusal
from udpchat_core.secure.rotation import make_rotation

from .checks import ClientStage, check, expect
from .client_sending import send
from .friend import Friend
from .suite import SUITE

QUIET_S = 1.0


@check("client", "R-9.3-1")
def a_message_to_a_name_that_nobody_has_is_told(stage: ClientStage) -> None:
    ann = stage.client()
    ann.do("send", to="nobody", text="hello")
    ann.wait_for("message refused")


@check("client", "R-9.2-2")
def another_owner_of_a_name_gets_nothing_until_the_user_decides(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    send(ann, "to bob")
    ann.wait_for("delivered")
    mallory = Friend(stage, "bob")
    stage.server.directory["bob"] = (mallory.card(), mallory.port.address, None)
    ann = stage.restarted(ann)
    send(ann, "still to bob")
    ann.wait_for("key changed")
    stage.watch_for(
        QUIET_S,
        lambda: bool(mallory.got) or bool(stage.server.said(m.Store)),
        "a letter was sealed for another identity before the user decided",
    )
    ann.do("accept key", name="bob")
    send(ann, "to mallory")
    stage.until(lambda: any(got.body.text == "to mallory" for got in mallory.got), "a letter to whom the user took")


@check("client", "R-9.2-2")
def a_letter_of_a_known_recipient_is_never_sealed_for_another(stage: ClientStage) -> None:
    ann = stage.client()
    stage.bob.acknowledges = False
    send(ann, "for bob alone")
    stage.until(lambda: bool(stage.bob.got), "a LETTER")
    mallory = Friend(stage, "bob")
    stage.server.directory["bob"] = (mallory.card(), mallory.port.address, None)
    ann = stage.restarted(ann)
    ann.wait_for("key changed")
    ann.do("accept key", name="bob")
    ann.wait_for("message refused")
    expect(not mallory.got, "a letter of bob's was sealed for another")


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


@check("client", "R-9.2-7")
def a_message_to_a_pinned_name_is_not_refused_though_the_directory_lost_it(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    send(ann, "one")
    ann.wait_for("delivered")
    del stage.server.directory["bob"]
    ann = stage.restarted(ann)
    send(ann, "two")
    stage.watch_for(1.5, lambda: bool(ann.events("message refused")), "refused, as a name that nobody ever had")
    stage.publish()
    ann.wait_for("delivered", within_s=30.0)


@check("client", "R-9.3-11")
def people_who_know_each_other_talk_without_the_directory(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    send(ann, "one")
    ann.wait_for("delivered")
    stage.watch_for(1.2, lambda: False, "")  # what the directory said may not be believed for longer
    stage.server.mute = {"Lookup", "Ping", "HELLO", "INIT"}
    began_s = time.monotonic()
    send(ann, "two")
    ann.wait_for("delivered", 2)
    took_s = time.monotonic() - began_s
    expect(took_s < 3.0, f"it took {took_s:.1f} s, expected 250 ms of patience")


@check("client", "R-2.3-5", "R-2.3-7")
def a_stale_card_takes_no_newer_ones_place(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.ttl_s = 1
    send(ann, "one")
    ann.wait_for("delivered")
    former, stage.bob.live = stage.bob.live, os.urandom(32)
    stage.server.directory["bob"] = (stage.bob.card(seq=stage.bob.seq - 5), stage.bob.port.address, None)
    stage.watch_for(1.2, lambda: False, "")
    stage.bob.live = former
    send(ann, "two")
    stage.until(lambda: len({got.body.text for got in stage.bob.got}) > 1 or bool(stage.malformed), "a LETTER")
    expect(not stage.malformed, "sealed to the live key of a stale card")


@check("client", "R-5.2-1", "R-9.1-5")
def a_Lookup_that_is_told_busy_is_asked_again_when_it_may_be(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.refuse["Lookup"] = [(Refusal.BUSY, 2, 0)]
    send(ann, "hello")
    ann.wait_for("delivered")
    first, second = (pair for pair in stage.server.all_heard(m.Lookup) if pair[1].name == "bob")
    waited_s = second[0].at_s - first[0].at_s
    expect(waited_s > 1.8, f"asked again after {waited_s:.2f} s, expected 2 s")
    expect(first[1].id == second[1].id, "asked again with another id")


@check("client", "R-9.2-6", "R-2.4-5")
def a_rotation_does_not_decide_for_the_user(stage: ClientStage) -> None:
    ann = stage.client()
    send(ann, "to bob")
    ann.wait_for("delivered")
    heir = Friend(stage, "bob")
    rotation = make_rotation(SUITE, stage.bob.private, heir.identity, "bob")
    stage.server.directory["bob"] = (heir.card(), heir.port.address, rotation)
    ann = stage.restarted(ann)
    send(ann, "still to bob")
    ann.wait_for("key changed")
    stage.watch_for(QUIET_S, lambda: bool(heir.got or stage.server.said(m.Store)), "a rotation decided for the user")
