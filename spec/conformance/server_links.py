"""What a server has to do before and about links: sections 3, 4 and 8.1."""

import os
import time
from dataclasses import replace

from udpchat_core import messages as m
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Record
from udpchat_core.fields import Refusal, Version
from udpchat_core.secure.card import make_card
from udpchat_core.wire import encode, serialize

from .checks import ServerStage, check, expect
from .suite import SUITE
from .user import User
from .vectors import vectors_of

QUIET_S = 0.6


def refusal_of(answer: m.Message, refusal: Refusal) -> m.Refused:
    """What was refused, for this reason."""
    if not isinstance(answer, m.Refused):
        expect(False, f"answered by {answer}, expected Refused: {refusal.name}")
    assert isinstance(answer, m.Refused)
    expect(answer.refusal is refusal, f"refused with {answer.refusal.name}, expected {refusal.name}")
    return answer


def address_of(asker: User, name: str) -> object:
    found = asker.ask(m.Lookup, name)
    expect(isinstance(found, m.Found), f"Lookup of {name} was answered by {found}, expected Found")
    return found.address


def _still_there(stage: ServerStage) -> None:
    stage.user(f"last{len(stage.peers)}-{os.urandom(4).hex()}")


@check("server", "R-3.3-1", "R-4.1-1")
def a_HELLO_is_answered_by_a_RETRY_that_is_no_longer(stage: ServerStage) -> None:
    user = stage.user("ann", registered=False)
    one, two = user.greet(), user.greet()
    expect(one.server_key == two.server_key, "two RETRYs name two keys")
    expect(stage.peer.about.get("S") in (None, one.server_key.hex()), "the RETRY names another key than the server's")
    expect(all(len(came.data) == 67 for came in user.retries), "a RETRY that is not 67 bytes long")


@check("server", "R-4.2-1", "R-4.2-2", "R-4.2-4", "R-4.4-1", "R-4.4-2", "R-8.2-5", "R-8.3-1", "R-8.3-2")
def a_user_is_registered_and_found(stage: ServerStage) -> None:
    ann = stage.user("ann", registered=False)
    card = ann.card()
    registered = ann.register(card)
    expect(registered.observed == ann.port.address, f"observed at {registered.observed}, expected where it is")
    expect(registered.waiting == 0, f"{registered.waiting} letters wait for somebody new")
    expect(abs(registered.time_ms / 1000 - time.time()) < 60, "the server's clock is off by more than a minute")
    bob = stage.user("bob")
    found = bob.ask(m.Lookup, "ann")
    expect(isinstance(found, m.Found), f"Lookup of ann was answered by {found}, expected Found")
    expect(found.card == card, "Found has another card than the one that was signed")
    expect(found.address == ann.port.address, f"found at {found.address}, expected where it is")
    refusal_of(bob.ask(m.Lookup, "nobody"), Refusal.UNKNOWN)
    counters = [came.datagram.counter for came in bob.records if isinstance(came.datagram, Record)]
    expect(counters == list(range(len(counters))), f"RECORDs counted {counters}, expected 0, 1, ...")


@check("server", "R-4.1-2", "R-8.1-1", "R-8.1-5", "R-3.3-1")
def an_INIT_with_a_token_that_does_not_hold_gets_no_RESP(stage: ServerStage) -> None:
    ann, mallory = stage.user("ann", registered=False), stage.user("mallory", registered=False)
    retry = ann.greet()
    wrong = [mallory.initiate(retry).init, ann.initiate(replace(retry, token=os.urandom(16))).init]
    mallory.send(wrong[0])  # a token for another address
    ann.send(wrong[1])
    stage.watch_for(QUIET_S, lambda: bool(ann.resps or mallory.resps), "a RESP without a token that holds")
    for user, init in ((mallory, wrong[0]), (ann, wrong[1])):
        hint = user.hint_to(init)
        expect(hint is None or len(hint.data) <= len(init), "a hint longer than its cause")
    ann.register()


@check("server", "R-8.1-2", "R-8.1-4")
def an_INIT_that_comes_again_gets_the_same_RESP(stage: ServerStage) -> None:
    ann = stage.user("ann", registered=False)
    begun = ann.initiate(ann.greet())
    for times in (1, 2, 3):
        ann.send(begun.init)
        stage.until(lambda times=times: len(ann.resps) >= times, f"{times} RESPs")  # type: ignore[misc]
    expect(len({came.data for came in ann.resps}) == 1, "the same INIT had different RESPs")
    ann.finish(begun, ann.resps[0])
    answer = ann.ask(m.Register, None, None)
    expect(isinstance(answer, m.Registered), f"Register was answered by {answer}")


@check("server", "R-8.1-4", "R-8.2-5")
def nothing_changes_before_the_first_RECORD_of_a_link(stage: ServerStage) -> None:
    bob, ann = stage.user("bob"), stage.user("ann", registered=False)
    ann.connect()
    refusal_of(bob.ask(m.Lookup, "ann"), Refusal.UNKNOWN)
    ann.register()
    card = ann.seq
    ann.connect()  # another link, of which nothing is said: a replay could be that
    found = bob.ask(m.Lookup, "ann")
    expect(isinstance(found, m.Found), f"Lookup of ann was answered by {found}")
    expect(not ann.got(m.Superseded), "an INIT superseded a session")
    expect(isinstance(ann.ask(m.Ping, link=ann.links[-2]), m.Pong), f"the link of card {card} is gone")


@check("server", "R-8.1-3")
def pending_links_of_one_address_are_capped(stage: ServerStage) -> None:
    ann = stage.user("ann", registered=False)
    retry = ann.greet()
    for _ in range(40):
        ann.send(ann.initiate(retry).init)
    stage.watch_for(QUIET_S, lambda: len(ann.resps) >= 40, "40 links pending of one address")
    _still_there(stage)


@check("server", "R-4.2-3", "R-2.2-3", "R-2.3-2", "R-2.3-3")
def an_INIT_whose_card_does_not_hold_gets_no_RESP(stage: ServerStage) -> None:
    ann = stage.user("ann", registered=False)
    retry = ann.greet()
    small = (1).to_bytes(32, "little")
    good = ann.card()
    bad = [
        good[:10] + bytes([good[10] ^ 1]) + good[11:],
        ann.card(expires_s=int(time.time()) - 90_000),
        ann.card(live=SUITE.dh_public(os.urandom(32))),  # not the static key of the handshake
        ann.card(identity=small),
        ann.card(mail=small),
        ann.card(mail=bytes(32)),
        make_card(SUITE, os.urandom(32), _body(ann)),
    ]
    for card in bad:
        ann.send(ann.initiate(retry, card).init)
        stage.watch_for(0.1, lambda: bool(ann.resps), "a RESP to an INIT whose card does not hold")
    begun = ann.initiate(retry)
    ann.send(begun.init[:-1] + bytes([begun.init[-1] ^ 1]))
    stage.watch_for(QUIET_S, lambda: bool(ann.resps), "a RESP to an INIT whose card does not hold")
    ann.register()


def _body(user: User) -> CardBody:
    keys = (user.identity, SUITE.dh_public(user.live), SUITE.dh_public(user.mail))
    return CardBody(1, 1, int(time.time()) + 1_000, *keys, user.name)


@check("server", "R-8.1-5", "R-3.3-1", "R-4.1-1")
def a_RECORD_of_an_unknown_link_gets_a_hint_no_longer_than_itself(stage: ServerStage) -> None:
    ann = stage.user("ann", registered=False)
    long, short = (serialize(Record(os.urandom(4), 0, os.urandom(size))) for size in (52, 30))
    ann.send(short)
    ann.send(long)
    stage.until(lambda: ann.hint_to(long) is not None, "a RETRY to a RECORD of an unknown link")
    hint = ann.hint_to(long)
    expect(hint is not None and len(hint.data) <= len(long), "a hint longer than its cause")
    expect(ann.hint_to(short) is None, "a RECORD shorter than a RETRY was answered by one")


@check("server", "R-8.1-6", "R-8.1-5")
def a_RECORD_from_another_address_is_answered_where_the_link_was_proved(stage: ServerStage) -> None:
    ann, elsewhere = stage.user("ann"), stage.user("elsewhere", registered=False)
    record = ann.record(m.Ping(77))
    elsewhere.send(record)
    stage.until(lambda: any(pong.id == 77 for pong in ann.got(m.Pong)), "Pong at the proven address")
    stage.until(lambda: elsewhere.hint_to(record) is not None, "a hint to where the RECORD came from")
    expect(not elsewhere.records, "a RECORD went to an address that was not proven")
    address = address_of(stage.user("bob"), "ann")
    expect(address == ann.port.address, f"found at {address}: an address that was not proven")


@check("server", "R-4.4-4", "R-4.4-5", "R-3.1-6")
def a_RECORD_is_taken_once_and_a_forged_one_leaves_the_link_as_it_was(stage: ServerStage) -> None:
    ann = stage.user("ann")
    ann.send(serialize(Record(ann.link.peer_index, 1_000_000, os.urandom(60))))
    ann.send(serialize(Record(ann.link.peer_index, 2**64 - 1, os.urandom(60))))
    record = ann.say(m.Ping(77))
    stage.until(lambda: bool(ann.got(m.Pong)), "Pong after a forged RECORD of a high counter")
    for _ in range(3):
        ann.send(record)
    stage.watch_for(QUIET_S, lambda: len(ann.got(m.Pong)) > 1, "a RECORD that was seen before was taken again")


@check("server", "R-5.1-1", "R-5.1-2", "R-5.1-6", "R-3.2-2", "R-3.1-6")
def a_RECORD_with_a_message_that_is_refused_is_refused_whole(stage: ServerStage) -> None:
    ann = stage.user("ann")
    ping = encode(m.Ping(77))
    padding = encode(m.Padding(bytes(40)))
    pong = encode(m.Pong(1, Version(bytes(8), 0)))
    bad = (
        b"\x83" + ping + padding + b"\x81\x18\x63",
        b"\x82" + ping + padding + b"\0",
        b"\x83" + ping + padding + pong,
    )
    for plaintext in bad:
        ann.send(ann.link.seal(SUITE, plaintext))
    stage.watch_for(QUIET_S, lambda: bool(ann.got(m.Pong)), "a part of a RECORD that is refused was used")
    expect(isinstance(ann.ask(m.Ping), m.Pong), "the link is gone")


@check("server", "R-3.1-1", "R-3.1-2", "R-3.1-3", "R-3.1-4", "R-3.1-5", "R-3.1-6", "R-3.1-7", "R-3.3-1")
def garbage_changes_nothing_and_is_answered_by_no_more_than_it_has(stage: ServerStage) -> None:
    ann = stage.user("ann")
    mallory = stage.user("mallory", registered=False)
    garbage = [bytes.fromhex(vector["datagram"]) for vector in vectors_of("datagrams", "refused")]
    garbage += [bytes.fromhex(v["datagram"]) for v in vectors_of("datagrams", "accepted") if v["type"] in (2, 4, 6, 7)]
    garbage += [bytes.fromhex(vector["init"]) for vector in vectors_of("link", "inits_refused")]
    for data in garbage:
        mallory.send(data)
    stage.watch_for(QUIET_S, lambda: bool(mallory.resps), "a RESP to garbage")
    bytes_in, bytes_out = sum(map(len, garbage)), sum(len(came.data) for came in mallory.retries)
    expect(bytes_out <= bytes_in, f"{bytes_out} bytes to an address that sent {bytes_in}")
    expect(isinstance(ann.ask(m.Ping), m.Pong), "the link is gone")
    _still_there(stage)
