"""How a client has to receive letters directly: sections 9.4, 9.5, 3 and 6."""

import os
from dataclasses import replace
from random import Random

from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Acks, Hello, Letter, Record
from udpchat_core.wire import serialize

from .checks import ClientStage, check, expect
from .client_sending import letters_stored
from .friend import Friend, Got, Sealed
from .network import Peer
from .vectors import vectors_of

QUIET_S = 0.7


def card_of(stage: ClientStage) -> CardBody:
    return stage.server.seat.card


def direct(stage: ClientStage, ann: Peer, *letters: Sealed) -> None:
    for letter in letters:
        stage.bob.port.send(letter.data, ann.address)


def wait_for_acks(stage: ClientStage, *letters: Sealed, times: int = 1) -> None:
    acks = stage.bob.acks
    stage.until(lambda: all(acks.count(letter.ack) >= times for letter in letters), f"ACK of {len(letters)} letters")


def wait_shown(stage: ClientStage, ann: Peer, *texts: str) -> None:
    stage.until(lambda: len(ann.texts()) >= len(texts), f"the texts {texts} shown")
    expect(ann.texts() == list(texts), f"shown were {ann.texts()}, expected {list(texts)}")


@check("client", "R-9.4-1", "R-9.4-2", "R-6.2-2", "R-6.3-1")
def a_letter_is_shown_once_and_every_copy_acknowledged(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(card_of(stage), text="one")
    direct(stage, ann, letter)
    wait_for_acks(stage, letter)
    for times in (2, 3):
        direct(stage, ann, letter)
        wait_for_acks(stage, letter, times=times)
    again = stage.bob.seal(card_of(stage), letter.body)  # the same letter, sealed anew
    direct(stage, ann, again)
    wait_for_acks(stage, letter, times=4)
    wait_shown(stage, ann, "one")
    stage.watch_for(QUIET_S, lambda: len(ann.texts()) > 1, "a copy was shown again")
    event = ann.events("received")[0]
    expect(event["identity"] == stage.bob.identity.hex(), "shown under another identity than its sender's")


@check("client", "R-9.4-1", "R-9.4-3")
def what_is_ahead_of_a_gap_is_held_unanswered_and_shown_in_order(stage: ClientStage) -> None:
    ann = stage.client()
    letters = [stage.bob.letter(card_of(stage), text=text) for text in ("one", "two", "three")]
    direct(stage, ann, letters[2], letters[1])
    stage.watch_for(
        QUIET_S, lambda: bool(stage.bob.acks or ann.texts()), "a letter ahead of a gap was answered or shown"
    )
    direct(stage, ann, letters[0])
    wait_for_acks(stage, *letters)
    wait_shown(stage, ann, "one", "two", "three")


@check("client", "R-9.4-3", "R-9.4-11")
def a_floor_passes_over_what_was_given_up(stage: ClientStage) -> None:
    ann = stage.client()
    fifth = stage.bob.letter(card_of(stage), seq=5, floor=5, text="five")
    seventh = stage.bob.letter(card_of(stage), seq=7, floor=5, text="seven")
    direct(stage, ann, fifth)
    wait_for_acks(stage, fifth)
    direct(stage, ann, seventh)
    stage.watch_for(QUIET_S, lambda: seventh.ack in stage.bob.acks, "a number was passed that no floor is above")
    eighth = stage.bob.letter(card_of(stage), seq=8, floor=7, text="eight")
    direct(stage, ann, eighth)
    wait_for_acks(stage, fifth, seventh, eighth)
    wait_shown(stage, ann, "five", "seven", "eight")


@check("client", "R-9.4-2")
def a_copy_of_another_epoch_is_acknowledged_and_not_shown(stage: ClientStage) -> None:
    ann = stage.client()
    first = stage.bob.letter(card_of(stage), text="one")
    direct(stage, ann, first)
    wait_for_acks(stage, first)
    copy = stage.bob.seal(card_of(stage), replace(first.body, epoch=first.body.epoch + 1))
    second = stage.bob.letter(card_of(stage), epoch=first.body.epoch + 1, seq=2, text="two")
    direct(stage, ann, copy)
    wait_for_acks(stage, first, times=2)
    direct(stage, ann, second)
    wait_for_acks(stage, second)
    wait_shown(stage, ann, "one", "two")


@check("client", "R-9.4-10", "R-9.4-1")
def a_copy_of_another_epoch_ahead_of_a_gap_is_not_answered(stage: ClientStage) -> None:
    ann = stage.client()
    first = stage.bob.letter(card_of(stage), text="one")
    direct(stage, ann, first)
    wait_for_acks(stage, first)
    epoch = first.body.epoch + 1
    copy = stage.bob.seal(card_of(stage), replace(first.body, epoch=epoch, seq=2))
    direct(stage, ann, copy)
    stage.watch_for(QUIET_S, lambda: stage.bob.acks.count(first.ack) > 1, "a letter ahead of a gap was answered")
    direct(stage, ann, stage.bob.letter(card_of(stage), epoch=epoch, seq=1, text="two"))
    wait_for_acks(stage, first, times=2)
    wait_shown(stage, ann, "one", "two")


@check("client", "R-9.4-5")
def no_more_than_64_letters_are_held_ahead_of_a_gap(stage: ClientStage) -> None:
    ann = stage.client()
    letters = [stage.bob.letter(card_of(stage), text=str(number)) for number in range(1, 91)]
    for letter in letters[1:]:
        direct(stage, ann, letter)
        stage.watch_for(0.003, lambda: False, "")
    stage.watch_for(QUIET_S, lambda: bool(stage.bob.acks), "a letter ahead of a gap was answered")
    direct(stage, ann, letters[0])
    wait_for_acks(stage, letters[0])
    stage.watch_for(
        QUIET_S,
        lambda: any(letter.ack in stage.bob.acks for letter in letters[65:]),
        "a letter more than 64 ahead of a gap was held",
    )


@check("client", "R-9.4-1", "R-9.4-2", "R-9.4-3")
def what_was_acknowledged_is_on_disk(stage: ClientStage) -> None:
    ann = stage.client()
    letter = stage.bob.letter(card_of(stage), text="kept")
    direct(stage, ann, letter)
    wait_for_acks(stage, letter)
    former = ann
    ann = stage.restarted(former)
    in_either_life = "the text of an acknowledged letter, in one life or the other"
    stage.until(lambda: bool(former.texts() + ann.texts()), in_either_life)
    told = len(ann.texts())  # again, if it was killed between telling a text and writing down that it did
    copy = stage.bob.seal(card_of(stage), letter.body)
    direct(stage, ann, copy)
    wait_for_acks(stage, letter, times=2)
    second = stage.bob.letter(card_of(stage), text="next")
    direct(stage, ann, second)
    wait_for_acks(stage, second)
    stage.until(lambda: "next" in ann.texts(), "the next letter shown")
    expect(ann.texts()[told:] == ["next"], f"a copy was entered again after a power cut: {ann.texts()}")


@check("client", "R-6.1-2", "R-6.2-1", "R-6.2-2", "R-3.1-6")
def letters_that_do_not_hold_are_neither_shown_nor_acknowledged(stage: ClientStage) -> None:
    ann = stage.client()
    card, bob = card_of(stage), stage.bob
    good = bob.letter(card, text="good")
    other = Friend(stage, "other")
    elsewhere = replace(card, identity=other.identity)
    forged = replace(good.body, sender=other.identity)
    bad = [
        bob.letter(elsewhere, seq=1, text="for another").data,
        _flipped(bob.letter(card, card.mail, seq=1, text="flipped").data, -1),
        bob.seal(card, forged).data,
        bob.seal(card, replace(good.body, sender=(1).to_bytes(32, "little"))).data,
        _flipped(good.data, 60),
    ]
    for data in bad:
        bob.port.send(data, ann.address)
    stage.watch_for(QUIET_S, lambda: bool(bob.acks or ann.texts()), "a letter that does not hold was taken")
    direct(stage, ann, good)
    wait_for_acks(stage, good)
    wait_shown(stage, ann, "good")


def _flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


@check("client", "R-9.4-7")
def a_name_that_belongs_to_another_is_not_shown_as_confirmed(stage: ClientStage) -> None:
    ann = stage.client()
    mallory = Friend(stage, "bob")
    letter = mallory.letter(card_of(stage), text="I am bob")
    mallory.port.send(letter.data, ann.address)
    true = stage.bob.letter(card_of(stage), text="I am")
    direct(stage, ann, true)
    stage.until(lambda: len(ann.texts()) == 2, "both letters shown")
    confirmed = {event["identity"]: event["confirmed"] for event in ann.events("received")}
    expected = {mallory.identity.hex(): False, stage.bob.identity.hex(): True}
    expect(confirmed == expected, f"confirmed: {confirmed}, expected {expected}")


@check("client", "R-9.1-5", "R-9.3-1", "R-9.4-1", "R-9.4-2", "R-9.4-3")
def over_a_network_that_loses_doubles_and_reorders_all_is_shown_once_and_in_order(stage: ClientStage) -> None:
    stage.bad = Random(1)
    ann = stage.client()
    letters = [stage.bob.letter(card_of(stage), text=f"to ann {number}") for number in range(10)]
    for number in range(10):
        ann.do("send", to="bob", text=f"to bob {number}")
    for _ in range(40):
        missing = [letter for letter in letters if letter.ack not in stage.bob.acks]
        direct(stage, ann, *missing)
        stage.watch_for(0.25, lambda: False, "")
        if not missing:
            break
    wait_for_acks(stage, *letters)
    wait_shown(stage, ann, *(f"to ann {number}" for number in range(10)))
    numbers = set(range(1, 11))
    stage.until(lambda: {one.body.seq for one in _written(stage)} == numbers, "ten letters, directly or stored", 30.0)
    texts = {one.body.seq: one.body.text for one in _written(stage)}
    expect(texts == {at: f"to bob {at - 1}" for at in numbers}, f"numbered out of their order: {texts}")
    expect(len({one.body.secret for one in _written(stage)}) == 10, "copies of one letter have different secrets")


def _written(stage: ClientStage) -> list[Got]:
    return [*stage.bob.got, *letters_stored(stage)]


@check("client", "R-9.4-12")
def a_letter_of_somebody_unknown_is_acknowledged_at_once_and_shown_without_a_directory(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.mute = {"Lookup"}
    stranger = Friend(stage, "stranger")
    letter = stranger.letter(card_of(stage), text="hello")
    stranger.port.send(letter.data, ann.address)
    stage.until(lambda: letter.ack in stranger.acks, "ACK of a stranger's letter", 2.0)
    stage.until(lambda: ann.texts() == ["hello"], "the letter shown after a second", 4.0)
    expect(not ann.events("received")[0]["confirmed"], "the name of a stranger was shown as confirmed")


@check("client", "R-9.5-1", "R-9.5-2")
def parts_are_put_together_and_one_that_was_given_up_is_missing(stage: ClientStage) -> None:
    ann = stage.client()
    whole = [stage.bob.letter(card_of(stage), part=part, parts=3, text=f"<{part}>", sent_ms=5) for part in (1, 2, 3)]
    direct(stage, ann, *reversed(whole))
    wait_shown(stage, ann, "<1><2><3>")
    first = stage.bob.letter(card_of(stage), seq=4, floor=4, part=1, parts=3, text="<a>", sent_ms=6)
    third = stage.bob.letter(card_of(stage), seq=6, floor=6, part=3, parts=3, text="<c>", sent_ms=6)
    direct(stage, ann, first)
    wait_for_acks(stage, first)
    direct(stage, ann, third)
    stage.until(lambda: len(ann.texts()) == 2, "the text with a part that is missing")
    text = ann.texts()[1]
    expect(text.startswith("<a>") and text.endswith("<c>"), f"shown as {text!r}")
    expect(len(text) > len("<a><c>"), "a part that was given up is not shown as missing")


@check("client", "R-3.1-1", "R-3.1-2", "R-3.1-3", "R-3.1-4", "R-3.1-6")
def garbage_from_anywhere_changes_nothing(stage: ClientStage) -> None:
    ann = stage.client()
    garbage = [bytes.fromhex(vector["datagram"]) for vector in vectors_of("datagrams", "refused")]
    garbage += [serialize(Hello(os.urandom(16))), serialize(Acks((os.urandom(16),)))]
    garbage += [serialize(Letter(os.urandom(4), os.urandom(200))), serialize(Record(os.urandom(4), 1, os.urandom(99)))]
    for port in (stage.server.port, stage.bob.port):
        for data in garbage:
            port.send(data, ann.address)
    letter = stage.bob.letter(card_of(stage), text="after it")
    direct(stage, ann, letter)
    wait_for_acks(stage, letter)
    wait_shown(stage, ann, "after it")
    ann.do("send", to="bob", text="and back")
    ann.wait_for("delivered")
    expect(len(stage.server.seats) == 1, "it began another link")
