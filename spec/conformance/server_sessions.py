"""What a server has to do for sessions: sections 8.2, 8.3 and 8.8."""

import os

from udpchat_core import messages as m
from udpchat_core.fields import Refusal, Rotation, Scope
from udpchat_core.secure.rotation import make_rotation

from .checks import ServerStage, check, expect
from .server_links import QUIET_S, address_of, refusal_of
from .suite import SUITE


@check("server", "R-8.2-1")
def before_Register_everything_is_refused(stage: ServerStage) -> None:
    ann = stage.user("ann", registered=False)
    ann.connect()
    for request in (
        m.Lookup(1, "ann"),
        m.Ping(2),
        m.Watch(3, Scope.ALL, (), None, None),
        m.Store(4, ann.identity, bytes(16), 1, b"\x75\x01\x06" + bytes(200)),
        m.Deregister(5),
    ):
        refusal_of(ann.ask_again(request), Refusal.NOT_REGISTERED)
    answer = ann.ask(m.Register, None, None)
    expect(isinstance(answer, m.Registered), f"Register was answered by {answer}")


@check("server", "R-5.1-7")
def two_requests_with_one_id_are_two(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    one, other = ann.ask_again(m.Lookup(500, "bob")), ann.ask_again(m.Lookup(500, "ann"))
    expect(isinstance(one, m.Found) and isinstance(other, m.Found), f"answered by {one} and {other}")
    expect(one.address == bob.port.address, "a Lookup of bob found somebody else")
    expect(other.address == ann.port.address, "two requests were taken for one because their ids are equal")


@check("server", "R-8.2-2")
def a_name_belongs_to_who_registered_it_first(stage: ServerStage) -> None:
    ann, other = stage.user("ann"), stage.user("ann", registered=False)
    refusal_of(other.try_to_register(), Refusal.NAME_TAKEN)
    found = stage.user("bob").ask(m.Lookup, "ann")
    expect(isinstance(found, m.Found) and found.address == ann.port.address, "the name moved")
    expect(not ann.got(m.Superseded), "its owner was superseded by another identity")


@check("server", "R-8.2-3", "R-2.3-5", "R-2.3-6")
def a_card_that_is_stale_or_too_far_ahead_is_refused_with_the_highest_seq(stage: ServerStage) -> None:
    ann = stage.user("ann")
    highest = ann.seq
    for seq in (highest - 1, highest + 2**32 + 1):
        refused = refusal_of(ann.try_to_register(ann.card(seq=seq)), Refusal.STALE_CARD)
        expect(refused.card_seq == highest, f"told {refused.card_seq}, expected {highest}, for seq {seq}")
    answer = ann.try_to_register(ann.card(seq=highest + 2**32))
    expect(isinstance(answer, m.Registered), f"a card 2^32 ahead was answered by {answer}")


@check("server", "R-8.2-6", "R-8.2-10", "R-8.2-1")
def Register_and_Deregister_that_come_again_are_answered_again(stage: ServerStage) -> None:
    ann, bob = stage.user("ann", registered=False), stage.user("bob")
    ann.connect()
    register = m.Register(90, None, None)
    for _ in range(3):
        answer = ann.ask_again(register)
        expect(isinstance(answer, m.Registered), f"Register was answered by {answer}")
    for _ in range(2):
        answer = ann.ask_again(m.Deregister(91))
        expect(isinstance(answer, m.Deregistered), f"Deregister was answered by {answer}")
    expect(address_of(bob, "ann") is None, "who left is shown online")
    refusal_of(ann.ask(m.Ping), Refusal.NOT_REGISTERED)
    answer = ann.ask(m.Register, None, None)
    expect(isinstance(answer, m.Registered), f"Register of who left was answered by {answer}")
    expect(address_of(bob, "ann") == ann.port.address, "who came back is not shown online")


@check("server", "R-8.2-7")
def a_Register_that_was_held_back_does_not_bring_back_who_left(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    held = ann.record(m.Register(95, None, None))
    expect(isinstance(ann.ask(m.Deregister), m.Deregistered), "Deregister was not answered")
    ann.send(held)
    stage.watch_for(QUIET_S, lambda: any(one.id == 95 for one in ann.got(m.Registered)), "an older Register was taken")
    expect(address_of(bob, "ann") is None, "who left is shown online again by an older Register")


@check("server", "R-8.2-8", "R-8.1-5")
def a_newer_link_of_an_identity_supersedes_the_older_one(stage: ServerStage) -> None:
    ann = stage.user("ann")
    older = ann.link
    ann.register()
    stage.until(lambda: bool(ann.got(m.Superseded)), "Superseded on the older link")
    on = [heard.link for heard in ann.heard if isinstance(heard.message, m.Superseded)]
    expect(on == [older], "Superseded was not said on the older link alone")
    record = ann.say(m.Ping(77), link=older)
    stage.until(lambda: ann.hint_to(record) is not None, "a hint to a RECORD on the link that ended")
    expect(isinstance(ann.ask(m.Ping), m.Pong), "the newer link does not work")


@check("server", "R-8.2-4")
def an_identity_has_one_name(stage: ServerStage) -> None:
    ann, bob = stage.user("ann"), stage.user("bob")
    ann.name = "ann2"
    ann.register()
    refusal_of(bob.ask(m.Lookup, "ann"), Refusal.UNKNOWN)
    expect(address_of(bob, "ann2") == ann.port.address, "the new name is not found")
    stage.user("ann")


@check("server", "R-8.2-11", "R-2.4-1", "R-2.4-3")
def a_name_that_is_handed_over_goes_to_the_other_identity(stage: ServerStage) -> None:
    ann, heir, bob = stage.user("ann"), stage.user("ann", registered=False), stage.user("bob")
    wrong = make_rotation(SUITE, os.urandom(32), heir.identity, "ann")
    refusal_of(heir.try_to_register(rotation=wrong), Refusal.NAME_TAKEN)
    forged = Rotation(ann.identity, os.urandom(64))
    refusal_of(heir.try_to_register(rotation=forged), Refusal.NAME_TAKEN)
    rotation = make_rotation(SUITE, ann.private, heir.identity, "ann")
    heir.register(rotation=rotation)
    found = bob.ask(m.Lookup, "ann")
    expect(isinstance(found, m.Found) and found.address == heir.port.address, "the name did not move")
    expect(found.rotation == rotation, "Found does not tell the rotation")
    record = ann.say(m.Ping(77))
    stage.until(lambda: ann.hint_to(record) is not None, "the session of the former to have ended")


@check("server", "R-8.2-5", "R-8.3-1")
def who_was_registered_is_in_the_directory_after_a_power_cut(stage: ServerStage) -> None:
    ann = stage.user("ann")
    before = stage.peer.about.get("S")
    record_link = ann.link
    stage.restart()
    expect(stage.peer.about.get("S") == before, "the server's key is another one after a restart")
    ann.server = stage.peer
    record = ann.say(m.Ping(77), link=record_link)
    stage.until(lambda: ann.hint_to(record) is not None, "a hint after a restart")
    bob = stage.user("bob")
    expect(address_of(bob, "ann") is None, "shown online after a restart, with no link")
    refusal_of(stage.user("ann", registered=False).try_to_register(), Refusal.NAME_TAKEN)
    ann.register()


@check("server", "R-8.8-3")
def a_session_that_asks_too_much_is_told_busy_and_no_other(stage: ServerStage) -> None:
    ann, bob = stage.user("ann", registered=False), stage.user("bob")
    limit = ann.register().limits.requests_per_s_max
    for _ in range(10):
        ann.say(*(m.Ping(ann.next_id()) for _ in range(-(-limit // 5))))
    stage.until(lambda: bool(ann.got(m.Refused)), f"busy for twice the {limit} requests a second that are allowed")
    refusal_of(ann.got(m.Refused)[0], Refusal.BUSY)
    expect(isinstance(bob.ask(m.Ping), m.Pong), "another session was refused as well")
