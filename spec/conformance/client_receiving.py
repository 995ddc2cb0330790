"""How a client has to receive: sections 9.4 and 9.5, 3 and 6."""

import os
from dataclasses import replace

from udpchat_core import messages as m
from udpchat_core.datagrams import Acks, Hello, Letter, Record
from udpchat_core.messages import CardBody, Outcome
from udpchat_core.secure.letter import OpeningKey
from udpchat_core.wire import encode, pack, serialize

from .checks import ClientStage, check, expect
from .friend import Friend, Sealed
from .network import Peer
from .suite import SUITE
from .vectors import vectors_of

QUIET_S = 0.7


def _card(stage: ClientStage) -> CardBody:
    return stage.server.seat.card


def _direct(stage: ClientStage, ann: Peer, *letters: Sealed) -> None:
    for letter in letters:
        stage.bob.port.send(letter.data, ann.address)


def _wait_for_acks(stage: ClientStage, *letters: Sealed, times: int = 1) -> None:
    acks = stage.bob.acks
    stage.until(lambda: all(acks.count(letter.ack) >= times for letter in letters), f"ACK of {len(letters)} letters")


def _mail(stage: ClientStage, entry: int, letter: Sealed, slot: bytes | None = None) -> None:
    stage.server.say(m.Mail(entry, slot or letter.slot, letter.data))


def _mailed(stage: ClientStage, **fields: object) -> Sealed:
    return stage.bob.letter(_card(stage), _card(stage).mail, **fields)


def _collected(stage: ClientStage, entry: int) -> list[m.CollectedEntry]:
    return [one for said in stage.server.said(m.Collected) for one in said.entries if one.entry == entry]


def _wait_collected(stage: ClientStage, entry: int, outcome: Outcome, times: int = 1) -> m.CollectedEntry:
    stage.until(lambda: len(_collected(stage, entry)) >= times, f"Collected of entry {entry}")
    one = _collected(stage, entry)[-1]
    expect(one.outcome is outcome, f"entry {entry} was collected as {one.outcome.name}, expected {outcome.name}")
    return one


def _wait_shown(stage: ClientStage, ann: Peer, *texts: str) -> None:
    stage.until(lambda: len(ann.texts()) >= len(texts), f"the texts {texts} shown")
    expect(ann.texts() == list(texts), f"shown were {ann.texts()}, expected {list(texts)}")


@check("client", "R-9.4-1", "R-9.4-2", "R-6.2-2", "R-6.3-1")
def a_letter_is_shown_once_and_every_copy_acknowledged(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(_card(stage), text="one")
    _direct(stage, ann, letter)
    _wait_for_acks(stage, letter)
    for times in (2, 3):
        _direct(stage, ann, letter)
        _wait_for_acks(stage, letter, times=times)
    again = stage.bob.seal(_card(stage), letter.body)  # the same letter, sealed anew
    _direct(stage, ann, again)
    _wait_for_acks(stage, letter, times=4)
    _wait_shown(stage, ann, "one")
    stage.watch_for(QUIET_S, lambda: len(ann.texts()) > 1, "a copy was shown again")
    event = ann.events("received")[0]
    expect(event["identity"] == stage.bob.identity.hex(), "shown under another identity than its sender's")


@check("client", "R-9.4-1", "R-9.4-3")
def what_is_ahead_of_a_gap_is_held_unanswered_and_shown_in_order(stage: ClientStage) -> None:
    ann = stage.client()
    letters = [stage.bob.letter(_card(stage), text=text) for text in ("one", "two", "three")]
    _direct(stage, ann, letters[2], letters[1])
    stage.watch_for(
        QUIET_S, lambda: bool(stage.bob.acks or ann.texts()), "a letter ahead of a gap was answered or shown"
    )
    _direct(stage, ann, letters[0])
    _wait_for_acks(stage, *letters)
    _wait_shown(stage, ann, "one", "two", "three")


@check("client", "R-9.4-3", "R-9.4-11")
def a_floor_passes_over_what_was_given_up(stage: ClientStage) -> None:
    ann = stage.client()
    fifth = stage.bob.letter(_card(stage), seq=5, floor=5, text="five")
    seventh = stage.bob.letter(_card(stage), seq=7, floor=5, text="seven")
    _direct(stage, ann, fifth)
    _wait_for_acks(stage, fifth)
    _direct(stage, ann, seventh)
    stage.watch_for(QUIET_S, lambda: seventh.ack in stage.bob.acks, "a number was passed that no floor is above")
    eighth = stage.bob.letter(_card(stage), seq=8, floor=7, text="eight")
    _direct(stage, ann, eighth)
    _wait_for_acks(stage, fifth, seventh, eighth)
    _wait_shown(stage, ann, "five", "seven", "eight")


@check("client", "R-9.4-2")
def a_copy_of_another_epoch_is_acknowledged_and_not_shown(stage: ClientStage) -> None:
    ann = stage.client()
    first = stage.bob.letter(_card(stage), text="one")
    _direct(stage, ann, first)
    _wait_for_acks(stage, first)
    copy = stage.bob.seal(_card(stage), replace(first.body, epoch=first.body.epoch + 1))
    second = stage.bob.letter(_card(stage), epoch=first.body.epoch + 1, seq=2, text="two")
    _direct(stage, ann, copy)
    _wait_for_acks(stage, first, times=2)
    _direct(stage, ann, second)
    _wait_for_acks(stage, second)
    _wait_shown(stage, ann, "one", "two")


@check("client", "R-9.4-5")
def no_more_than_64_letters_are_held_ahead_of_a_gap(stage: ClientStage) -> None:
    ann = stage.client()
    letters = [stage.bob.letter(_card(stage), text=str(number)) for number in range(1, 91)]
    for letter in letters[1:]:
        _direct(stage, ann, letter)
        stage.watch_for(0.003, lambda: False, "")
    stage.watch_for(QUIET_S, lambda: bool(stage.bob.acks), "a letter ahead of a gap was answered")
    _direct(stage, ann, letters[0])
    _wait_for_acks(stage, letters[0])
    stage.watch_for(
        QUIET_S,
        lambda: any(letter.ack in stage.bob.acks for letter in letters[65:]),
        "a letter more than 64 ahead of a gap was held",
    )


@check("client", "R-9.4-1", "R-9.4-2", "R-9.4-3")
def what_was_acknowledged_is_on_disk(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(_card(stage), text="kept")
    _direct(stage, ann, letter)
    _wait_for_acks(stage, letter)
    texts = list(ann.texts())
    ann.close(kill=True)
    ann = stage.client()
    copy = stage.bob.seal(_card(stage), letter.body)
    _direct(stage, ann, copy)
    _wait_for_acks(stage, letter, times=2)
    stage.watch_for(QUIET_S, lambda: len(texts + ann.texts()) > 1, "it was shown again after a power cut")
    second = stage.bob.letter(_card(stage), text="next")
    _direct(stage, ann, second)
    _wait_for_acks(stage, second)
    stage.until(lambda: "next" in ann.texts(), "the next letter shown")
    texts += ann.texts()
    expect(texts == ["kept", "next"], f"shown over both lives: {texts}, expected each once")


@check("client", "R-6.1-2", "R-6.2-1", "R-6.2-2", "R-3.1-6")
def letters_that_do_not_hold_are_neither_shown_nor_acknowledged(stage: ClientStage) -> None:
    ann = stage.client()
    card, bob = _card(stage), stage.bob
    good = bob.letter(card, text="good")
    other = Friend(stage, "other")
    elsewhere = replace(card, identity=other.identity)
    forged = replace(good.body, sender=other.identity)
    bad = [
        bob.letter(elsewhere, seq=1, text="for another").data,
        bob.letter(card, card.mail, seq=1, text="flipped").data[:-1] + b"\0",
        bob.seal(card, forged).data,
        bob.seal(card, replace(good.body, sender=(1).to_bytes(32, "little"))).data,
        good.data[:60] + bytes([good.data[60] ^ 1]) + good.data[61:],
    ]
    for data in bad:
        bob.port.send(data, ann.address)
    stage.watch_for(QUIET_S, lambda: bool(bob.acks or ann.texts()), "a letter that does not hold was taken")
    _direct(stage, ann, good)
    _wait_for_acks(stage, good)
    _wait_shown(stage, ann, "good")


@check("client", "R-9.4-1", "R-9.4-2", "R-9.4-6")
def mail_is_shown_once_and_collected_by_its_entry(stage: ClientStage) -> None:
    ann = stage.client()
    letter = _mailed(stage, text="one")
    _mail(stage, 7, letter)
    one = _wait_collected(stage, 7, Outcome.ACKNOWLEDGED)
    expect(one.ack == letter.ack, "collected with another acknowledgement")
    _mail(stage, 7, letter)
    _wait_collected(stage, 7, Outcome.ACKNOWLEDGED, times=2)
    _mail(stage, 9, letter)
    _wait_collected(stage, 9, Outcome.ACKNOWLEDGED)
    _wait_shown(stage, ann, "one")
    entries = {entry.entry for said in stage.server.said(m.Collected) for entry in said.entries}
    expect(entries == {7, 9}, f"entries {sorted(entries)} were collected, expected 7 and 9")


@check("client", "R-9.4-1", "R-9.4-3")
def mail_ahead_of_a_gap_is_not_collected(stage: ClientStage) -> None:
    ann = stage.client()
    first, second = _mailed(stage, text="one"), _mailed(stage, text="two")
    _mail(stage, 2, second)
    stage.watch_for(QUIET_S, lambda: bool(stage.server.said(m.Collected)), "mail ahead of a gap was collected")
    _mail(stage, 3, first)
    _wait_collected(stage, 2, Outcome.ACKNOWLEDGED)
    _wait_collected(stage, 3, Outcome.ACKNOWLEDGED)
    _wait_shown(stage, ann, "one", "two")


@check("client", "R-9.4-1", "R-9.4-2")
def a_letter_that_came_both_ways_is_shown_once_and_answered_both_ways(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(_card(stage), text="one")
    mailed = stage.bob.seal(_card(stage), letter.body, _card(stage).mail)
    _mail(stage, 4, mailed)
    _direct(stage, ann, letter)
    _wait_for_acks(stage, letter)
    _wait_collected(stage, 4, Outcome.ACKNOWLEDGED)
    _wait_shown(stage, ann, "one")
    stage.watch_for(QUIET_S, lambda: len(ann.texts()) > 1, "shown twice")


@check("client", "R-9.4-4")
def mail_that_can_never_be_shown_is_collected_as_what_it_is(stage: ClientStage) -> None:
    ann = stage.client()
    card, bob = _card(stage), stage.bob
    good = _mailed(stage, text="good")
    _mail(stage, 1, good, slot=os.urandom(16))
    _wait_collected(stage, 1, Outcome.UNWANTED)
    other = OpeningKey.of(SUITE, os.urandom(32))
    _mail(stage, 2, bob.letter(card, other.public, seq=1, text="to a key that is not here"))
    _wait_collected(stage, 2, Outcome.UNOPENABLE)
    _mail(stage, 3, bob.seal(card, replace(good.body, sender=Friend(stage).identity), card.mail))
    _wait_collected(stage, 3, Outcome.UNWANTED)
    stage.server.say(m.Mail(4, os.urandom(16), os.urandom(300)))
    stage.until(lambda: bool(_collected(stage, 4)), "Collected of mail that is no letter")
    expect(_collected(stage, 4)[0].outcome is Outcome.UNWANTED, "mail that is no letter was not collected as unwanted")
    late = bob.letter(card, card.mail, seq=4, floor=4, text="four")
    _mail(stage, 5, late)
    _wait_collected(stage, 5, Outcome.ACKNOWLEDGED)
    _mail(stage, 6, bob.letter(card, card.mail, seq=2, text="passed"))
    _wait_collected(stage, 6, Outcome.UNWANTED)
    _wait_shown(stage, ann, "four")


@check("client", "R-9.4-7")
def a_name_that_belongs_to_another_is_not_shown_as_confirmed(stage: ClientStage) -> None:
    ann = stage.client()
    mallory = Friend(stage, "bob")
    letter = mallory.letter(_card(stage), text="I am bob")
    mallory.port.send(letter.data, ann.address)
    true = stage.bob.letter(_card(stage), text="I am")
    _direct(stage, ann, true)
    stage.until(lambda: len(ann.texts()) == 2, "both letters shown")
    confirmed = {event["identity"]: event["confirmed"] for event in ann.events("received")}
    expected = {mallory.identity.hex(): False, stage.bob.identity.hex(): True}
    expect(confirmed == expected, f"confirmed: {confirmed}, expected {expected}")


@check("client", "R-9.4-10", "R-9.4-2")
def mail_that_was_entered_in_another_epoch_is_collected_ahead_of_a_gap(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(_card(stage), text="one")
    _direct(stage, ann, letter)
    _wait_for_acks(stage, letter)
    ahead = replace(letter.body, epoch=letter.body.epoch + 1, seq=5)
    _mail(stage, 4, stage.bob.seal(_card(stage), ahead, _card(stage).mail))
    one = _wait_collected(stage, 4, Outcome.ACKNOWLEDGED)
    expect(one.ack == letter.ack, "collected with another acknowledgement")
    stage.watch_for(QUIET_S, lambda: len(ann.texts()) > 1, "a copy was shown again")


@check("client", "R-9.4-12")
def a_letter_of_somebody_unknown_is_acknowledged_at_once_and_shown_without_a_directory(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.mute = {"Lookup"}
    stranger = Friend(stage, "stranger")
    letter = stranger.letter(_card(stage), text="hello")
    stranger.port.send(letter.data, ann.address)
    stage.until(lambda: letter.ack in stranger.acks, "ACK of a stranger's letter", 2.0)
    stage.until(lambda: ann.texts() == ["hello"], "the letter shown after a second", 4.0)
    expect(not ann.events("received")[0]["confirmed"], "the name of a stranger was shown as confirmed")


@check("client", "R-9.5-1", "R-9.5-2")
def parts_are_put_together_and_one_that_was_given_up_is_missing(stage: ClientStage) -> None:
    ann = stage.client()
    whole = [stage.bob.letter(_card(stage), part=part, parts=3, text=f"<{part}>", sent_ms=5) for part in (1, 2, 3)]
    _direct(stage, ann, *reversed(whole))
    _wait_shown(stage, ann, "<1><2><3>")
    first = stage.bob.letter(_card(stage), seq=4, floor=4, part=1, parts=3, text="<a>", sent_ms=6)
    third = stage.bob.letter(_card(stage), seq=6, floor=6, part=3, parts=3, text="<c>", sent_ms=6)
    _direct(stage, ann, first)
    _wait_for_acks(stage, first)
    _direct(stage, ann, third)
    stage.until(lambda: len(ann.texts()) == 2, "the text with a part that is missing")
    text = ann.texts()[1]
    expect(text.startswith("<a>") and text.endswith("<c>"), f"shown as {text!r}")
    expect(len(text) > len("<a><c>"), "a part that was given up is not shown as missing")


@check("client", "R-4.4-4", "R-4.4-5", "R-3.1-6")
def a_RECORD_is_taken_once_and_a_forged_one_leaves_the_link_as_it_was(stage: ClientStage) -> None:
    ann = stage.client()
    seat, server = stage.server.seat, stage.server
    forged = Record(seat.link.peer_index, 1_000_000, os.urandom(60))
    server.port.send(serialize(forged), seat.source)
    letter = _mailed(stage, text="one")
    record = server.say(m.Mail(7, letter.slot, letter.data))
    _wait_collected(stage, 7, Outcome.ACKNOWLEDGED)
    for _ in range(3):
        server.port.send(record, seat.source)
    stage.watch_for(QUIET_S, lambda: len(_collected(stage, 7)) > 1, "a RECORD that was seen before was taken again")
    _mail(stage, 7, letter)
    _wait_collected(stage, 7, Outcome.ACKNOWLEDGED, times=2)
    _wait_shown(stage, ann, "one")


@check("client", "R-5.1-1", "R-5.1-2", "R-3.1-6", "R-3.2-2")
def a_RECORD_with_a_message_that_is_refused_is_refused_whole(stage: ClientStage) -> None:
    ann = stage.client()
    seat, letter = stage.server.seat, _mailed(stage, text="one")
    mail = encode(m.Mail(7, letter.slot, letter.data))
    for plaintext in (b"\x82" + mail + b"\x81\x18\x63", b"\x80", b"\x98\x01" + mail, b"\x81" + mail + b"\0"):
        stage.server.port.send(seat.link.seal(SUITE, plaintext), seat.source)
    stage.watch_for(
        QUIET_S, lambda: bool(stage.server.said(m.Collected)), "a part of a RECORD that is refused was used"
    )
    stage.server.port.send(seat.link.seal(SUITE, pack([mail])), seat.source)
    _wait_collected(stage, 7, Outcome.ACKNOWLEDGED)
    _wait_shown(stage, ann, "one")


@check("client", "R-3.1-1", "R-3.1-2", "R-3.1-3", "R-3.1-4", "R-3.1-6")
def garbage_from_anywhere_changes_nothing(stage: ClientStage) -> None:
    ann = stage.client()
    garbage = [bytes.fromhex(vector["datagram"]) for vector in vectors_of("datagrams", "refused")]
    garbage += [serialize(Hello(os.urandom(16))), serialize(Acks((os.urandom(16),)))]
    garbage += [serialize(Letter(os.urandom(4), os.urandom(200))), serialize(Record(os.urandom(4), 1, os.urandom(99)))]
    for port in (stage.server.port, stage.bob.port):
        for data in garbage:
            port.send(data, ann.address)
    letter = stage.bob.letter(_card(stage), text="after it")
    _direct(stage, ann, letter)
    _wait_for_acks(stage, letter)
    _wait_shown(stage, ann, "after it")
    ann.do("send", to="bob", text="and back")
    ann.wait_for("delivered")
    expect(len(stage.server.seats) == 1, "it began another link")
