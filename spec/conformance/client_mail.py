"""How a client has to receive from its mailbox, and what comes on its link: sections 9.4, 4.4 and 5."""

import os
from dataclasses import replace

from udpchat_core import messages as m
from udpchat_core.datagrams import Record
from udpchat_core.fields import CollectedEntry, Outcome
from udpchat_core.secure.letter import OpeningKey
from udpchat_core.wire import encode, pack, serialize

from .checks import ClientStage, check, expect
from .client_receiving import QUIET_S, card_of, direct, wait_for_acks, wait_shown
from .friend import Friend, Sealed
from .suite import SUITE


def mail(stage: ClientStage, entry: int, letter: Sealed, slot: bytes | None = None) -> None:
    stage.server.say(m.Mail(entry, slot or letter.slot, letter.data))


def mailed(stage: ClientStage, **fields: object) -> Sealed:
    return stage.bob.letter(card_of(stage), card_of(stage).mail, **fields)


def collected(stage: ClientStage, entry: int) -> list[CollectedEntry]:
    return [one for said in stage.server.said(m.Collected) for one in said.entries if one.entry == entry]


def wait_collected(stage: ClientStage, entry: int, outcome: Outcome, times: int = 1) -> CollectedEntry:
    stage.until(lambda: len(collected(stage, entry)) >= times, f"Collected of entry {entry}")
    one = collected(stage, entry)[-1]
    expect(one.outcome is outcome, f"entry {entry} was collected as {one.outcome.name}, expected {outcome.name}")
    return one


@check("client", "R-9.4-1", "R-9.4-2", "R-9.4-6")
def mail_is_shown_once_and_collected_by_its_entry(stage: ClientStage) -> None:
    ann = stage.client()
    letter = mailed(stage, text="one")
    mail(stage, 7, letter)
    one = wait_collected(stage, 7, Outcome.ACKNOWLEDGED)
    expect(one.ack == letter.ack, "collected with another acknowledgement")
    mail(stage, 7, letter)
    wait_collected(stage, 7, Outcome.ACKNOWLEDGED, times=2)
    mail(stage, 9, letter)
    wait_collected(stage, 9, Outcome.ACKNOWLEDGED)
    wait_shown(stage, ann, "one")
    entries = {entry.entry for said in stage.server.said(m.Collected) for entry in said.entries}
    expect(entries == {7, 9}, f"entries {sorted(entries)} were collected, expected 7 and 9")


@check("client", "R-9.4-1", "R-9.4-3")
def mail_ahead_of_a_gap_is_not_collected(stage: ClientStage) -> None:
    ann = stage.client()
    first, second = mailed(stage, text="one"), mailed(stage, text="two")
    mail(stage, 2, second)
    stage.watch_for(QUIET_S, lambda: bool(stage.server.said(m.Collected)), "mail ahead of a gap was collected")
    mail(stage, 3, first)
    wait_collected(stage, 2, Outcome.ACKNOWLEDGED)
    wait_collected(stage, 3, Outcome.ACKNOWLEDGED)
    wait_shown(stage, ann, "one", "two")


@check("client", "R-9.4-1", "R-9.4-2")
def a_letter_that_came_both_ways_is_shown_once_and_answered_both_ways(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(card_of(stage), text="one")
    mailed = stage.bob.seal(card_of(stage), letter.body, card_of(stage).mail)
    mail(stage, 4, mailed)
    direct(stage, ann, letter)
    wait_for_acks(stage, letter)
    wait_collected(stage, 4, Outcome.ACKNOWLEDGED)
    wait_shown(stage, ann, "one")
    stage.watch_for(QUIET_S, lambda: len(ann.texts()) > 1, "shown twice")


@check("client", "R-9.4-4")
def mail_that_can_never_be_shown_is_collected_as_what_it_is(stage: ClientStage) -> None:
    ann = stage.client()
    card, bob = card_of(stage), stage.bob
    good = mailed(stage, text="good")
    mail(stage, 1, good, slot=os.urandom(16))
    wait_collected(stage, 1, Outcome.UNWANTED)
    other = OpeningKey.of(SUITE, os.urandom(32))
    mail(stage, 2, bob.letter(card, other.public, seq=1, text="to a key that is not here"))
    wait_collected(stage, 2, Outcome.UNOPENABLE)
    mail(stage, 3, bob.seal(card, replace(good.body, sender=Friend(stage).identity), card.mail))
    wait_collected(stage, 3, Outcome.UNWANTED)
    stage.server.say(m.Mail(4, os.urandom(16), os.urandom(300)))
    stage.until(lambda: bool(collected(stage, 4)), "Collected of mail that is no letter")
    expect(collected(stage, 4)[0].outcome is Outcome.UNWANTED, "mail that is no letter was not collected as unwanted")
    late = bob.letter(card, card.mail, seq=4, floor=4, text="four")
    mail(stage, 5, late)
    wait_collected(stage, 5, Outcome.ACKNOWLEDGED)
    mail(stage, 6, bob.letter(card, card.mail, seq=2, text="passed"))
    wait_collected(stage, 6, Outcome.UNWANTED)
    wait_shown(stage, ann, "four")


@check("client", "R-9.4-10", "R-9.4-2")
def mail_that_was_entered_in_another_epoch_is_collected_ahead_of_a_gap(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(card_of(stage), text="one")
    direct(stage, ann, letter)
    wait_for_acks(stage, letter)
    ahead = replace(letter.body, epoch=letter.body.epoch + 1, seq=5)
    mail(stage, 4, stage.bob.seal(card_of(stage), ahead, card_of(stage).mail))
    one = wait_collected(stage, 4, Outcome.ACKNOWLEDGED)
    expect(one.ack == letter.ack, "collected with another acknowledgement")
    stage.watch_for(QUIET_S, lambda: len(ann.texts()) > 1, "a copy was shown again")


@check("client", "R-4.4-4", "R-4.4-5", "R-3.1-6")
def a_RECORD_is_taken_once_and_a_forged_one_leaves_the_link_as_it_was(stage: ClientStage) -> None:
    ann = stage.client()
    seat, server = stage.server.seat, stage.server
    forged = Record(seat.link.peer_index, 1_000_000, os.urandom(60))
    server.port.send(serialize(forged), seat.source)
    letter = mailed(stage, text="one")
    record = server.say(m.Mail(7, letter.slot, letter.data))
    wait_collected(stage, 7, Outcome.ACKNOWLEDGED)
    for _ in range(3):
        server.port.send(record, seat.source)
    stage.watch_for(QUIET_S, lambda: len(collected(stage, 7)) > 1, "a RECORD that was seen before was taken again")
    mail(stage, 7, letter)
    wait_collected(stage, 7, Outcome.ACKNOWLEDGED, times=2)
    wait_shown(stage, ann, "one")


@check("client", "R-5.1-1", "R-5.1-2", "R-3.1-6", "R-3.2-2")
def a_RECORD_with_a_message_that_is_refused_is_refused_whole(stage: ClientStage) -> None:
    ann = stage.client()
    seat, letter = stage.server.seat, mailed(stage, text="one")
    mail = encode(m.Mail(7, letter.slot, letter.data))
    for plaintext in (b"\x82" + mail + b"\x81\x18\x63", b"\x80", b"\x98\x01" + mail, b"\x81" + mail + b"\0"):
        stage.server.port.send(seat.link.seal(SUITE, plaintext), seat.source)
    stage.watch_for(
        QUIET_S, lambda: bool(stage.server.said(m.Collected)), "a part of a RECORD that is refused was used"
    )
    stage.server.port.send(seat.link.seal(SUITE, pack([mail])), seat.source)
    wait_collected(stage, 7, Outcome.ACKNOWLEDGED)
    wait_shown(stage, ann, "one")
