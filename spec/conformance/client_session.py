"""What a client's session has to do: sections 4 and 9.1."""

import os
import time

from udpchat_core import messages as m
from udpchat_core.datagrams import Init, Retry
from udpchat_core.fields import Refusal
from udpchat_core.limits import CARD_SEQ_FIRST_LIMIT
from udpchat_core.secure.link import retry
from udpchat_core.wire import encode, pack, serialize

from .checks import ClientStage, check, expect
from .network import Came
from .server import LIMITS
from .suite import SUITE

HINT_S = 5.0
QUIET_S = 1.0


def _inits(stage: ClientStage) -> list[bytes]:
    """The INITs that differ."""
    return list(dict.fromkeys(came.data for came in stage.server.inits))


@check("client", "R-4.2-1", "R-4.2-2", "R-4.4-1", "R-4.4-2", "R-5.1-5", "R-9.1-9", "R-2.3-1", "R-3.3-2")
def a_client_registers_with_a_card_a_link_and_RECORDs_that_hold(stage: ClientStage) -> None:
    stage.client()
    seat = stage.server.seat
    expect(seat.card.name == "ann", f"the card is for {seat.card.name}, expected ann")
    expect(seat.card.seq < CARD_SEQ_FIRST_LIMIT, f"the first card has seq {seat.card.seq}, expected below 2^30")
    expect(seat.counters == list(range(len(seat.counters))), f"RECORDs counted {seat.counters}, expected 0, 1, ...")
    expect(isinstance(stage.server.heard[0].message, m.Register), "the first message of the link is no Register")


def _loses(kind: str) -> None:
    """Whichever datagram of the registration is lost, it comes again, and the client registers."""

    def play(stage: ClientStage) -> None:
        stage.server.lose[kind] = 1
        stage.client()
        ids = {message.id for message in stage.server.said(m.Register)}
        expect(len(ids) == 1, f"Register had the ids {sorted(ids)}, expected one for all tries")
        expect(len(_inits(stage)) == 1, f"{len(_inits(stage))} different INITs, expected the same one again")

    play.__name__ = f"a_client_registers_though_a_{kind}_is_lost"
    check("client", "R-9.1-5")(play)


for _kind in ("HELLO", "RETRY", "INIT", "RESP", "Register", "Registered"):
    _loses(_kind)


@check("client", "R-9.1-11")
def a_client_registers_over_a_round_trip_of_700_ms(stage: ClientStage) -> None:
    stage.delay_s = 0.7
    ann = stage.client()
    expect(not ann.events("unreachable"), "a server that answers after 700 ms was given up before it registered")


@check("client", "R-9.1-5", "R-9.1-11")
def a_silent_server_is_unreachable_after_five_tries_and_greeted_again(stage: ClientStage) -> None:
    stage.server.mute = {"HELLO"}
    ann = stage.client(registered=False)
    ann.do("register")
    ann.wait_for("unreachable")
    tries = len(stage.server.hellos)
    expect(tries == 5, f"{tries} HELLOs before it gave up, expected 5")
    expect(len({came.data for came in stage.server.hellos}) == 1, "the HELLOs of one greeting have different nonces")
    took_s = stage.server.hellos[-1].at_s - stage.server.hellos[0].at_s
    expect(took_s > 1.6, f"five HELLOs in {took_s:.2f} s, expected 0.5 s apart")
    stage.server.mute = set()
    ann.wait_for("registered")


@check("client", "R-9.1-10", "R-9.1-5")
def a_Register_that_is_told_busy_waits_as_long_as_it_is_told(stage: ClientStage) -> None:
    stage.server.refuse["Register"] = [(Refusal.BUSY, 2, 0)]
    ann = stage.client(registered=False)
    ann.do("register")
    ann.wait_for("registered")
    times = [heard.at_s for heard, _ in stage.server.all_heard(m.Register)]
    waited_s = times[1] - times[0]
    expect(waited_s > 1.8, f"asked again after {waited_s:.2f} s, expected 2 s")
    expect(not ann.events("unreachable"), "a server that asks for patience was given up")


@check("client", "R-9.1-2", "R-9.1-3", "R-9.1-4", "R-9.1-5")
def a_restarted_server_is_found_by_a_hint_with_a_new_live_key_and_a_newer_card(stage: ClientStage) -> None:
    ann = stage.client()
    first = stage.server.seat
    stage.server.forget_links()
    ann.do("send", to="bob", text="hello")
    ann.wait_for("delivered")
    second = stage.server.seat
    expect(second is not first, "no new link")
    expect(second.card.live != first.card.live, "the live key was used in two handshakes")
    expect(second.card.seq > first.card.seq, f"card {second.card.seq} after {first.card.seq}, expected a higher seq")
    registers = {message.id for message in stage.server.said(m.Register)}
    expect(len(registers) <= 2, f"Register had the ids {sorted(registers)}")
    expect(not ann.events("offline"), "it told its user that it is offline")


@check("client", "R-9.1-5")
def a_request_keeps_its_id_through_retries_and_on_a_new_link(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.lose["Lookup"] = 1
    ann.do("send", to="bob", text="hello")
    stage.until(lambda: bool(stage.server.said(m.Lookup)), "a Lookup")
    stage.server.forget_links()
    ann.wait_for("delivered")
    ids = {message.id for message in stage.server.said(m.Lookup) if message.name == "bob"}
    expect(len(ids) == 1, f"Lookup of bob had the ids {sorted(ids)}, expected one")


@check("client", "R-9.1-4")
def forged_hints_make_one_handshake_in_five_seconds_beside_the_link(stage: ClientStage) -> None:
    ann = stage.client()
    record, source = stage.server.records[0].data, stage.server.seat.source
    link = stage.server.seat
    stage.server.mute = {"HELLO", "INIT"}
    for _ in range(20):
        stage.server.hint(record, source, token=os.urandom(16))
    stage.until(lambda: len(_inits(stage)) > 1, "an INIT that follows a hint")
    ann.do("send", to="bob", text="meanwhile")  # the link that there is goes on being used
    ann.wait_for("delivered")
    lookups = [heard for heard, _ in stage.server.all_heard(m.Lookup)]
    expect(all(heard.seat is link for heard in lookups), "the Lookup did not go over the link that there was")
    began_s = time.monotonic()
    while time.monotonic() - began_s < 1.5:
        stage.server.hint(record, source, token=os.urandom(16))
        stage.watch_for(0.1, lambda: len(_inits(stage)) > 2, "a second hint within 5 s was followed")
    expect(len(_inits(stage)) == 2, f"{len(_inits(stage)) - 1} handshakes followed hints, expected one")


@check("client", "R-9.1-4")
def a_hint_whose_INIT_is_not_answered_is_followed_by_a_HELLO(stage: ClientStage) -> None:
    ann = stage.client()
    greeted = len(stage.server.hellos)
    stage.server.mute = {"INIT"}
    stage.server.hint(stage.server.records[0].data, stage.server.seat.source, token=os.urandom(16))
    stage.until(lambda: len(stage.server.hellos) > greeted, "a HELLO after an INIT that was not answered")
    stage.server.mute = set()
    ann.wait_for("registered")
    stage.until(lambda: len(stage.server.seats) > 1 and stage.server.seats[-1].registered, "another registration")


@check("client", "R-4.1-1", "R-9.1-4", "R-3.1-6")
def a_RETRY_to_nothing_that_was_sent_begins_nothing(stage: ClientStage) -> None:
    ann = stage.client()
    retry = serialize(Retry(os.urandom(16), os.urandom(16), stage.server.public))
    for _ in range(5):
        stage.server.port.send(retry, ann.address)
    stage.watch_for(QUIET_S, lambda: len(_inits(stage)) > 1, "an INIT followed a RETRY whose echo is of nothing sent")


@check("client", "R-9.1-3")
def a_stale_card_is_followed_by_one_of_a_higher_seq(stage: ClientStage) -> None:
    stage.server.refuse["Register"] = [(Refusal.STALE_CARD, 0, 2**31)]
    stage.client()
    first, second = (seat.card.seq for seat in stage.server.seats)
    expect(second > 2**31, f"told 2^31 after card {first}, it came with {second}, expected above 2^31")


@check("client", "R-9.1-3")
def a_stale_card_told_with_a_seq_below_its_own_is_a_refusal(stage: ClientStage) -> None:
    stage.server.refuse["Register"] = [(Refusal.STALE_CARD, 0, 0)]
    ann = stage.client(registered=False)
    ann.do("register")
    ann.wait_for("refused")
    inits = len(_inits(stage))
    stage.watch_for(QUIET_S, lambda: len(_inits(stage)) > inits, "another INIT after a refusal")


@check("client", "R-9.1-3")
def stale_cards_without_end_are_a_refusal(stage: ClientStage) -> None:
    stage.server.refuse["Register"] = [(Refusal.STALE_CARD, 0, seq) for seq in range(2**31, 2**31 + 30_000, 1_000)]
    ann = stage.client(registered=False)
    ann.do("register")
    ann.wait_for("refused")
    expect(len(_inits(stage)) <= 4, f"{len(_inits(stage))} handshakes, expected a refusal at the fourth stale card")


@check("client", "R-3.1-8")
def what_a_server_says_is_taken_from_its_address_only(stage: ClientStage) -> None:
    ann = stage.client()
    seat, inits = stage.server.seat, len(_inits(stage))
    stage.bob.port.send(retry(stage.server.records[0].data, os.urandom(16), stage.server.public), ann.address)
    stage.bob.port.send(seat.link.seal(SUITE, pack([encode(m.Superseded())])), ann.address)
    stage.watch_for(
        QUIET_S,
        lambda: len(_inits(stage)) > inits or bool(ann.events("superseded")),
        "a RETRY or a RECORD from another address was taken",
    )


@check("client", "R-5.1-6", "R-3.1-7")
def what_is_for_the_other_side_and_what_answers_nothing_is_refused(stage: ClientStage) -> None:
    ann = stage.client()
    seat = stage.server.seat
    for data in (stage.server.hellos[0].data, stage.server.inits[0].data):
        stage.server.port.send(data, ann.address)
    said = [encode(message) for message in (m.Register(1), m.Ping(1), m.Registered(9_999, ann.udp, 0, LIMITS, 0))]
    for plaintext in (pack(said), *(pack([one]) for one in said)):
        stage.server.port.send(seat.link.seal(SUITE, plaintext), seat.source)
    ann.do("send", to="bob", text="the link is good")
    ann.wait_for("delivered")
    expect(len(stage.server.seats) == 1, "it began another link")
    expect(len(ann.events("registered")) == 1, "an answer to nothing that was asked was taken")


@check("client", "R-9.1-7")
def who_is_refused_is_told_and_stays_silent(stage: ClientStage) -> None:
    stage.server.refuse["Register"] = [(Refusal.NAME_TAKEN, 0, 0)]
    ann = stage.client(registered=False)
    ann.do("register")
    ann.wait_for("refused")
    server = stage.server
    sent = len(server.records) + len(server.inits) + len(server.hellos)
    stage.bob.port.send(stage.bob.letter(server.seats[0].card).data, ann.address)
    stage.watch_for(
        QUIET_S,
        lambda: len(server.records) + len(server.inits) + len(server.hellos) > sent,
        "it went on after a refusal",
    )
    expect(not stage.bob.acks, "it acknowledged a letter after it was refused")


@check("client", "R-9.1-1")
def another_server_key_gets_nothing_but_HELLO_until_the_user_decides(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.forget_links()
    stage.server.private = os.urandom(32)
    inits, records = len(stage.server.inits), len(stage.server.records)
    ann.close()
    ann = stage.client(registered=False)
    ann.do("register")
    ann.wait_for("server key changed")
    stage.watch_for(
        2.0,
        lambda: (len(stage.server.inits), len(stage.server.records)) != (inits, records),
        "it sent an INIT or a RECORD to a server with another key",
    )
    ann.do("accept server key")
    ann.wait_for("registered", within_s=30.0)


@check("client", "R-9.1-13")
def a_RETRY_with_another_key_stops_no_greeting_and_is_not_told_while_the_server_answers(stage: ClientStage) -> None:
    ann = stage.client()
    ann.close()
    stage.server.forget_links()
    stage.server.mute = {"HELLO"}
    greeted = len(stage.server.hellos)
    ann = stage.client(registered=False)
    ann.do("register")
    stage.until(lambda: len(stage.server.hellos) > greeted, "a HELLO")
    hello = stage.server.hellos[-1]
    stage.server.hint(hello.data, hello.source, key=os.urandom(32))
    stage.server.mute = set()
    stage.server.hint(hello.data, hello.source)
    ann.wait_for("registered")
    expect(not ann.events("server key changed"), "a forged RETRY was told, though the server answered")


@check("client", "R-9.1-1", "R-4.2-1")
def a_key_that_no_RESP_proved_is_not_pinned(stage: ClientStage) -> None:
    stage.server.mute, stage.server.other_keys = {"HELLO"}, True
    ann = stage.client(registered=False)
    ann.do("register")
    stage.until(lambda: bool(stage.server.hellos), "a HELLO")
    hello = stage.server.hellos[-1]
    stage.server.hint(hello.data, hello.source, key=os.urandom(32))
    stage.server.mute = set()
    ann.wait_for("registered", within_s=30.0)


@check("client", "R-2.2-3", "R-3.1-6")
def a_server_key_of_small_order_ends_nothing(stage: ClientStage) -> None:
    stage.server.mute = {"HELLO"}
    ann = stage.client(registered=False)
    ann.do("register")
    for key in (bytes(32), (1).to_bytes(32, "little"), (2**255 - 20).to_bytes(32, "little")):
        tries = len(stage.server.hellos)
        stage.until(lambda tries=tries: len(stage.server.hellos) > tries, "a HELLO")  # type: ignore[misc]
        stage.server.hint(stage.server.hellos[-1].data, stage.server.hellos[-1].source, key=key)
    stage.server.mute = set()
    ann.wait_for("registered", within_s=30.0)


@check("client", "R-3.1-6", "R-4.2-2")
def a_forged_RESP_leaves_the_handshake_as_it_was(stage: ClientStage) -> None:
    stage.server.mute = {"RESP"}
    ann = stage.client(registered=False)
    ann.do("register")
    stage.until(lambda: bool(stage.server.inits), "an INIT")
    came: Came = stage.server.inits[0]
    assert isinstance(came.datagram, Init)
    stage.server.port.send(b"\x75\x01\x04" + came.datagram.index + os.urandom(52), came.source)
    stage.server.mute = set()
    ann.wait_for("registered")
    expect(len(_inits(stage)) == 1, "it began another handshake")


@check("client", "R-9.1-6")
def Superseded_on_the_newest_link_ends_it_and_it_stays_away(stage: ClientStage) -> None:
    ann = stage.client()
    stage.server.say(m.Superseded())
    ann.wait_for("superseded")
    server = stage.server
    sent = len(server.records) + len(server.inits) + len(server.hellos)
    ann.do("send", to="bob", text="hello")
    stage.watch_for(
        QUIET_S,
        lambda: len(server.records) + len(server.inits) + len(server.hellos) > sent,
        "it went on after Superseded",
    )
    ann.do("register")
    ann.wait_for("registered", 2)


@check("client", "R-9.1-6")
def Superseded_on_an_older_link_means_nothing(stage: ClientStage) -> None:
    ann = stage.client()
    older = stage.server.seat
    stage.server.hint(stage.server.records[0].data, older.source)
    stage.until(lambda: stage.server.seat is not older, "a new link")
    stage.server.say(m.Superseded(), older)
    ann.do("send", to="bob", text="hello")
    ann.wait_for("delivered")
    expect(not ann.events("superseded"), "it took Superseded of the older link for its own")


@check("client", "R-9.1-7", "R-9.1-5")
def who_leaves_says_so_until_it_is_answered_and_then_ignores_letters(stage: ClientStage) -> None:
    ann = stage.client()
    card = stage.server.seat.card
    stage.server.lose["Deregister"] = 1
    ann.do("deregister")
    ann.wait_for("offline")
    ids = {message.id for message in stage.server.said(m.Deregister)}
    expect(len(stage.server.said(m.Deregister)) == 2, "Deregister did not come again")
    expect(len(ids) == 1, f"Deregister had the ids {sorted(ids)}, expected one")
    stage.bob.port.send(stage.bob.letter(card).data, ann.address)
    stage.watch_for(QUIET_S, lambda: bool(stage.bob.acks), "it acknowledged a letter after it left")
