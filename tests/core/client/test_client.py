"""The client as a whole: a message's way in and out, misuse, and bytes that are nobody's."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, DAY, HOME, SERVER, START, TOKEN
from tests.core.client.world import World
from tests.strategies import messages
from udpchat_core import client_events as e
from udpchat_core import messages as m
from udpchat_core.actions import Dropped, Received, SendDatagram
from udpchat_core.address import Address
from udpchat_core.datagrams import Resp
from udpchat_core.errors import LocalProtocolError, Reason
from udpchat_core.fields import CollectedEntry, Outcome, Refusal, RosterEntry, Scope, ServerLimits, Version
from udpchat_core.instant import MS, Instant
from udpchat_core.limits import SERVER_TRY_US
from udpchat_core.secure.card import make_card
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.secure.link import retry
from udpchat_core.wire import serialize
from udpchat_net.simulation.transparent import TransparentSuite


def test_a_message_goes_out_directly_and_is_acknowledged(either: World) -> None:
    bob = either.know("bob", BOB)
    either.register()
    number = either.send("bob", "good morning")
    assert [type(event) for event in either.events] == [e.Registered, e.MessageQueued, e.MessageDelivered]
    assert either.told(e.MessageDelivered)[0].message == number
    assert [letter.text for letter in bob.letters] == ["good morning"]
    assert either.client.sizes()["outbox"] == 0


def test_a_letter_comes_in_directly_and_is_acknowledged(either: World) -> None:
    bob = either.know("bob", BOB)
    either.register()
    body = bob.body(text="good evening")
    either.receive(bob.letter(either.server.card, body), BOB)
    assert either.told(e.LetterReceived)[0].text == "good evening"
    assert either.sent[-1].payload == bob.ack(body)


def test_mail_comes_in_and_is_collected(either: World) -> None:
    bob = either.know("bob")
    either.register()
    either.push(bob.pushed(either.server.card, bob.body(), 3))
    assert [event.stored for event in either.told(e.LetterReceived)] == [True]
    assert [(entry.entry, entry.outcome) for entry in either.collected()] == [(3, Outcome.ACKNOWLEDGED)]


def test_what_the_user_has_seen_is_marked_in_the_store_and_only_that(online: World) -> None:
    bob = online.know("bob", BOB)
    for seq, text in enumerate(("one", "two"), 1):
        online.receive(bob.letter(online.server.card, bob.body(seq, text)), BOB)
    first, _ = online.told(e.LetterReceived)
    assert [letter.text for letter in online.disk.memory.unseen(0, 9)] == ["one", "two"]
    online.do(online.client.mark_seen([(first.sender, first.ack)], online.now))
    assert [letter.text for letter in online.disk.memory.unseen(0, 9)] == ["two"]


# --- time ---


def test_nothing_is_due_for_a_client_that_was_never_asked_for_anything(world: World) -> None:
    world.do(world.client.start(world.now))
    assert world.client.next_timeout() is None
    assert world.client.handle_timeout(world.now) == ()


def test_what_is_due_is_done_at_its_time_and_not_before(world: World) -> None:
    world.server.silent = True
    world.register()
    due = world.client.next_timeout()
    assert due == world.now + SERVER_TRY_US
    assert world.client.handle_timeout(Instant(due - 1)) == ()
    assert len(world.client.handle_timeout(due)) == 1


def test_writing_to_oneself_works(online: World) -> None:
    # The driver gives the client what it sends to its own address.
    def loop(sent: SendDatagram) -> bool:
        if sent.to == HOME:
            online.receive(sent.payload, HOME)
        return sent.to == HOME

    online.lost = loop
    online.server.users["alice"] = (b"", HOME)
    online.server.answers[m.Lookup] = lambda asked: (m.Found(asked.id, own_card(online), HOME, 60),)
    online.send("alice", "note to self")
    assert [event.text for event in online.told(e.LetterReceived)] == ["note to self"]
    assert len(online.told(e.MessageDelivered)) == 1


def own_card(world: World) -> bytes:
    """The client's newest card as the directory has it."""
    return make_card(world.suite, world.disk.memory.load().identity, world.server.card)


def test_the_number_of_a_message_is_known_before_it_is_sent(online: World) -> None:
    online.know("bob", BOB)
    assert [online.send("bob"), online.send("bob")] == [1, 2]
    online.restart()
    assert online.client.next_message == 3


# --- garbage ---


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", Reason.SIZE),
        (bytes(1_201), Reason.SIZE),
        (b"DNS or whatever", Reason.MAGIC),
        (b"u\x02\x05" + bytes(40), Reason.VERSION),
        (b"u\x01\x08" + bytes(40), Reason.TYPE),
        (b"u\x01\x06" + bytes(10), Reason.SIZE),
        (b"u\x01\x06" + bytes(200), Reason.KEY),
        (b"u\x01\x07" + bytes(20), Reason.SIZE),
        (b"u\x01\x07" + bytes(16), Reason.LINK),
        (b"u\x01\x02" + bytes(64), Reason.LINK),
        (b"u\x01\x04" + bytes(56), Reason.LINK),
        (b"u\x01\x05" + bytes(40), Reason.LINK),
        (b"u\x01\x01" + bytes(64), Reason.TYPE),
        (b"u\x01\x03" + bytes(300), Reason.TYPE),
    ],
)
def test_a_datagram_that_is_nobodys_is_counted_and_changes_nothing(
    online: World, payload: bytes, reason: Reason
) -> None:
    # R-3.1-7
    sizes, due = online.client.sizes(), online.client.next_timeout()
    actions = online.client.receive_datagrams([Received(SERVER, payload)], online.now)
    assert actions == (Dropped(SERVER, reason),)
    assert (online.client.sizes(), online.client.next_timeout()) == (sizes, due)


NOTHING = [b"\x80", b"\x81\x80", b"\x81\x81\x18\x63", b"\x82\x82\x00\x40\xff", b"\x81\x82\x13\x00"]


@pytest.mark.parametrize("plaintext", NOTHING)
def test_a_record_that_says_nothing_valid_is_counted(online: World, plaintext: bytes) -> None:
    online.receive(online.server.link.seal(online.suite, plaintext))
    assert len(online.drops) == 1
    assert (online.events, online.disk.asked) == ([], [])


def test_one_bad_message_does_not_hide_the_others_of_its_record(online: World) -> None:
    # R-5.1-6
    bob = online.know("bob")
    good = bob.pushed(online.server.card, bob.body(), 2)
    online.push(m.Register(1), m.Pong(5, online.server.version), good, m.Deregistered(7))
    assert online.drops == [Reason.MESSAGE] * 3
    assert len(online.told(e.LetterReceived)) == 1


def test_one_bad_datagram_does_not_hide_the_others_of_its_batch(online: World) -> None:
    bob = online.know("bob", BOB)
    payloads = [b"", bob.letter(online.server.card, bob.body()), bytes(30)]
    batch = [Received(BOB, payload) for payload in payloads]
    online.do(online.client.receive_datagrams(batch, online.now))
    assert online.drops == [Reason.SIZE, Reason.MAGIC]
    assert len(online.told(e.LetterReceived)) == 1


CLIENT_ONLY: list[m.Message] = [
    m.Register(1),
    m.Deregister(1),
    m.Lookup(1, "bob"),
    m.Watch(1, Scope.ALL, (), None, None),
    m.Store(1, bytes(32), bytes(16), 1, bytes(181)),
    m.Collected((CollectedEntry(1, Outcome.UNWANTED, None),)),
    m.Noted((bytes(16),)),
    m.Ping(1),
]


@pytest.mark.parametrize("message", CLIENT_ONLY, ids=lambda message: type(message).__name__)
def test_what_only_a_client_says_is_refused_from_the_server(online: World, message: m.Message) -> None:
    # R-5.1-6
    online.push(message)
    assert online.drops == [Reason.MESSAGE]


# --- whatever comes, nothing is raised ---


def busy_world() -> World:
    """A client in the middle of everything: letters going out in each way, some held, a watched directory."""
    world = World(TransparentSuite(1), watch_all=True).register()
    bob, carol = world.know("bob", BOB), world.know("carol")
    bob.answers = False
    world.send("bob", "directly")
    world.send("carol", "x" * 900)
    world.send("nobody")
    world.server.answers |= {m.Lookup: lambda _: (), m.Store: lambda _: (), m.Ping: lambda _: (), m.Watch: lambda _: ()}
    world.send("carol", "is asked to be stored")
    world.send("dave", "is looked up")
    world.advance(20)
    world.receive(bob.letter(world.server.card, bob.body(3)), BOB)
    world.receive(carol.letter(world.server.card, carol.body(1)), CAROL)
    return world


def seen() -> list[bytes]:
    """Datagrams that a client could get, each of them good."""
    world = busy_world()
    bob = world.know("bob", BOB)
    return [
        *world.server.datagrams,
        *(sent.payload for sent in world.sent),
        world.server.record(m.RosterChanged(world.server.version)),
        bob.letter(world.server.card, bob.body(9)),
        retry(world.server.datagrams[-1], TOKEN, world.server.public),
        serialize(Resp(bytes(4), bytes(52))),
    ]


SEEN = seen()
SOURCES = st.sampled_from([SERVER, BOB, CAROL, HOME])


def mutated() -> st.SearchStrategy[bytes]:
    """Good datagrams with a byte changed, cut, or joined."""
    good = st.sampled_from(SEEN)
    changed = st.tuples(good, st.integers(0, 1_199), st.integers(1, 255)).map(
        lambda it: bytes(byte ^ it[2] if at == it[1] % len(it[0]) else byte for at, byte in enumerate(it[0]))
    )
    cut = st.tuples(good, st.integers(0, 1_199)).map(lambda it: it[0][: it[1]])
    joined = st.tuples(good, good).map(lambda it: it[0] + it[1])
    return st.one_of(good, changed, cut, joined)


def check(world: World) -> None:
    """What always holds: caps, and a client that goes on working."""
    sizes = world.client.sizes()
    assert sizes["held"] <= 4_096
    assert sizes["outbox"] <= 8_192
    assert sizes["entering"] == 0
    due = world.client.next_timeout()
    assert due is None or due > world.now


@given(st.lists(st.tuples(SOURCES, st.one_of(st.binary(max_size=1_300), mutated())), max_size=12))
def test_no_datagram_raises(batch: list[tuple[Address, bytes]]) -> None:
    world = busy_world()
    world.do(world.client.receive_datagrams([Received(*each) for each in batch], world.now))
    world.advance(1)
    check(world)


IDS = st.integers(0, 24)
ANSWERS = (m.Registered, m.Deregistered, m.Found, m.Refused, m.Roster, m.Stored, m.Pong)


@given(st.lists(st.tuples(messages(), IDS, st.sampled_from([0.0, 0.3, 7.0, 70.0])), max_size=12))
@settings(max_examples=60)
def test_no_message_of_an_authentic_server_raises_whatever_its_order(
    said: list[tuple[m.Message, int, float]],
) -> None:
    world = busy_world()
    for message, id_, seconds in said:
        aimed = replace(message, id=id_) if isinstance(message, ANSWERS) else message
        for each in (message, aimed):
            world.push(each)
        world.advance(seconds)
        check(world)


@st.composite
def aimed(draw: st.DrawFn) -> Callable[[World], m.Message]:
    """A message about something that there is: right ids, slots and cards, wrong times and numbers."""
    id_, number = draw(IDS), draw(st.sampled_from([0, 1, 2, 59, 2**32, 2**48 - 1]))
    refusal, flag = draw(st.sampled_from(Refusal)), draw(st.booleans())
    name, which = draw(st.sampled_from(["bob", "carol", "dave"])), draw(st.integers(0, 30))

    def make(world: World) -> m.Message:
        peer = Peer(world.suite, name, max(number, 1), draw_person)
        body = peer.body(1 + which % 5, str(which), epoch=which % 10, floor=1 + min(which % 3, which % 5))
        stores = world.server.all(m.Store)
        secrets = [letter.secret for letter in world.disk.memory.load().outbox]
        secret = secrets[which % len(secrets)] if secrets else bytes(16)
        slot = slot_of(world.suite, secret)
        choices: list[m.Message] = [
            m.Found(id_, peer.card, BOB if flag else None, number),
            m.Stored(stores[which % len(stores)].id if stores else id_, flag, number),
            m.Refused(id_, refusal, number, number),
            m.Refused(stores[which % len(stores)].id if stores else id_, refusal, number, number),
            m.Receipt(slot, ack_of(world.suite, secret)),
            m.Returned(slot),
            peer.pushed(world.server.card, body, number),
            m.Roster(id_, Version(b"boot one", number), (RosterEntry(name, flag, number),), flag, not flag),
            m.RosterChanged(Version(b"boot two", number)),
            m.Registered(id_, HOME, number, ServerLimits(1, 1, 1, 1, 1), number % 2**40),
            m.Superseded(),
        ]
        return choices[which % 11]

    draw_person = draw(st.sampled_from([None, "mallory"]))
    return make


COMMANDS: list[Callable[[World], None]] = [
    lambda world: None,
    lambda world: world.restart(),
    lambda world: world.do(world.client.register(world.now)),
    lambda world: world.deregister(),
    lambda world: world.sleep(15),
    lambda world: world.server.answers.clear(),
    lambda world: setattr(world.disk, "failing", not world.disk.failing),
    lambda world: world.do(world.client.handle_clock(START // MS + 40 * DAY * MS, world.now)),
    lambda world: accept(world, "bob"),
    lambda world: accept(world, "carol"),
]


def accept(world: World, name: str) -> None:
    """The user accepts a key, if it changed."""
    with suppress(LocalProtocolError):
        world.do(world.client.accept_key(name, world.now))


STEPS = st.tuples(aimed(), st.sampled_from(range(len(COMMANDS))), st.sampled_from([0.0, 0.6, 31.0]))


@given(st.lists(STEPS, max_size=16))
@settings(max_examples=60)
def test_nothing_that_a_server_answers_at_any_time_raises(
    said: list[tuple[Callable[[World], m.Message], int, float]],
) -> None:
    world = busy_world()
    for make, command, seconds in said:
        world.push(make(world))
        COMMANDS[command](world)
        world.advance(seconds)
    world.disk.failing = False
    world.advance(10)
    check(world)
