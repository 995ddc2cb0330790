"""Fuzz targets of the Link and its Noise handshake: each side under a peer that knows the keys and says anything."""

from typing import Final

from tests.core.secure.people import (
    CLIENT_INDEX,
    DAY_S,
    EXPIRES_S,
    SERVER,
    SERVER_INDEX,
    TOKEN,
    answer,
    parsed,
    private_key,
)
from tests.fuzz.draw import Draw, edited
from tests.fuzz.letter_targets import draw_card
from tests.fuzz.primitive_targets import COUNTER_LIMIT, Seen
from tests.fuzz.target import Target, attempt
from tests.fuzz.world import World, draw_key, draw_world, in_both, prologue
from udpchat_core.datagrams import Init, Record, Resp
from udpchat_core.errors import BadDatagram
from udpchat_core.secure.link import Initiated, Link, initiate_untrusted, respond_untrusted
from udpchat_core.secure.noise import Asked, Begun, _start, begin_untrusted, read_untrusted

RECORD_HEADER: Final = b"\x75\x01\x05"
TO_CLIENT, TO_SERVER = private_key("to client"), private_key("to server")


def keys_of(link: Link) -> tuple[bytes, bytes]:
    """To the server, to the client, by which end we look at."""
    keys = link._send_key, link._receive_key
    return keys if link.index == CLIENT_INDEX else keys[::-1]


def state_of(link: Link) -> tuple[object, ...]:
    """All of a link that a datagram could change."""
    return link._sent, link._highest, link._missed, *keys_of(link), link.index, link.peer_index


# --- Noise ---


def _draw_noise(draw: Draw, true: bytes) -> bytes:
    """A Noise message: the true one, perhaps edited or with another ephemeral key, or mere bytes."""
    way = draw.byte() % 3
    if way == 0:
        return edited(draw, true)
    return draw_key(draw, true[:32]) + true[32:] if way == 1 else draw.rest()


def _symmetric(draw: Draw) -> bool:
    world = draw_world(draw)
    state = _start(world.suite, b"prologue", world.server_key).mix_key(world.suite, draw.take(32))
    data = draw.take(draw.byte())
    true, after = state.seal(world.suite, data)
    sealed = edited(draw, true) if draw.byte() % 2 == 0 else draw.rest()
    got = attempt(state.open_untrusted, world.suite, sealed)
    if isinstance(got, BadDatagram):
        assert sealed != true
        return False
    assert sealed == true
    assert got == (data, after)
    return True


def _begin(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, remote, payload = world.suite, draw_key(draw, world.server_key), draw.rest()
    got = attempt(begin_untrusted, suite, b"prologue", world.alice.live, remote, payload)
    if isinstance(got, BadDatagram):
        assert remote != world.server_key
        return False
    message, _ = got
    assert len(message) == 96 + len(payload)
    if remote == world.server_key:
        asked = read_untrusted(suite, b"prologue", SERVER, message)
        assert (asked.payload, asked.static) == (payload, world.alice.body.live)
    return True


def _read(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, payload = world.suite, draw.take(draw.byte())
    true, begun = begin_untrusted(suite, b"prologue", world.alice.live, world.server_key, payload)
    message = _draw_noise(draw, true)
    got = attempt(read_untrusted, suite, b"prologue", SERVER, message)
    if isinstance(got, BadDatagram):
        assert message != true
        return False
    assert message == true
    assert (got.payload, got.static) == (payload, world.alice.body.live)
    answered, keys = got.answer_untrusted(suite, b"back")
    assert begun.finish_untrusted(suite, answered) == (b"back", keys)
    return True


def _answer(draw: Draw) -> bool:
    """A client that knows what it does sends hostile keys, statics and ephemerals."""
    world = draw_world(draw)
    suite, payload, true = world.suite, draw.take(draw.byte()), world.asked
    static, ephemeral = draw_key(draw, true.static), draw_key(draw, true._ephemeral)
    got = attempt(Asked(b"", static, true._symmetric, ephemeral).answer_untrusted, suite, payload)
    if isinstance(got, BadDatagram):
        assert (static, ephemeral) != (true.static, true._ephemeral)
        return False
    if (static, ephemeral) == (true.static, true._ephemeral):
        answered, keys = got
        assert world.initiated._begun.finish_untrusted(suite, answered) == (payload, keys)
    return True


def _begun_finish(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, payload, begun = world.suite, draw.take(draw.byte()), world.initiated._begun
    true, _ = world.asked.answer_untrusted(suite, payload)
    answered = _draw_noise(draw, true)
    got = attempt(begun.finish_untrusted, suite, answered)
    if isinstance(got, BadDatagram):
        assert answered != true
        assert begun.finish_untrusted(suite, true)[0] == payload  # another try may still be good
        return False
    assert answered == true
    assert got[0] == payload
    return True


# --- the Link ---


def _initiate(draw: Draw) -> bool:
    """The server's key and the token came in a RETRY, which anybody can make."""
    world = draw_world(draw)
    suite, alice = world.suite, world.alice
    server_key, token = draw_key(draw, world.server_key), draw.take(16)
    got = attempt(initiate_untrusted, suite, server_key, token, CLIENT_INDEX, alice.live, alice.card)
    if isinstance(got, BadDatagram):
        assert server_key != world.server_key
        return False
    init = parsed(Init, got.init)
    assert (init.token, init.index) == (token, CLIENT_INDEX)
    if server_key == world.server_key:
        responded = answer(suite, got.init)
        link = got.finish_untrusted(suite, parsed(Resp, responded.resp))
        assert keys_of(link) == keys_of(responded.link)
    return True


def _draw_init(draw: Draw, world: World) -> tuple[Init, Begun]:
    """An INIT that alice truly made around a drawn card, then perhaps edited, or mere bytes."""
    token = draw.take(16)
    card = draw_card(draw, world)
    noise, begun = begin_untrusted(
        world.suite, prologue(world.server_key, token), world.alice.live, world.server_key, card
    )
    way = draw.byte() % 4
    if way == 0:
        return Init(token, CLIENT_INDEX, noise), begun
    if way == 1:
        return Init(token, CLIENT_INDEX, edited(draw, noise)), begun
    if way == 2:
        return Init(edited(draw, token), edited(draw, CLIENT_INDEX), noise), begun
    return Init(token, CLIENT_INDEX, draw.rest()), begun


def _respond(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, alice = world.suite, world.alice
    now_s = draw.near(EXPIRES_S, EXPIRES_S + DAY_S, 0, 2**48)
    init, begun = _draw_init(draw, world)
    got = attempt(respond_untrusted, suite, SERVER, init, SERVER_INDEX, now_s)
    if isinstance(got, BadDatagram):
        return False
    assert (got.card.identity, got.card.live) == (alice.public, alice.body.live)
    assert now_s <= got.card.expires_s + DAY_S
    link = Initiated(b"", CLIENT_INDEX, begun).finish_untrusted(suite, parsed(Resp, got.resp))
    assert keys_of(link) == keys_of(got.link)
    assert (link.peer_index, got.link.peer_index) == (SERVER_INDEX, CLIENT_INDEX)
    return True


def _finish(draw: Draw) -> bool:
    world = draw_world(draw)
    suite, payload, initiated = world.suite, draw.take(4), world.initiated
    true, _ = world.asked.answer_untrusted(suite, payload)
    noise = _draw_noise(draw, true)
    resp = Resp(edited(draw, CLIENT_INDEX), noise)
    got = attempt(initiated.finish_untrusted, suite, resp)
    if isinstance(got, BadDatagram):
        assert resp != Resp(CLIENT_INDEX, true)
        got = initiated.finish_untrusted(suite, Resp(CLIENT_INDEX, true))
        assert got.peer_index == payload
        return False
    assert resp == Resp(CLIENT_INDEX, true)
    assert (got.index, got.peer_index) == (CLIENT_INDEX, payload)
    return True


def _draw_record(draw: Draw, world: World, seen: Seen) -> tuple[Record, Record, bytes]:
    """A RECORD that the client might send, the one that is drawn, and what is in the former."""
    counter, plain = seen.draw_counter(draw), draw.take(draw.byte())
    clear, nonce = RECORD_HEADER + SERVER_INDEX + counter.to_bytes(8), bytes(4) + counter.to_bytes(8, "little")
    true = Record(SERVER_INDEX, counter, world.suite.aead_seal(TO_SERVER, nonce, plain, clear))
    way = draw.byte() % 5
    if way == 0:
        return true, true, plain
    if way == 1:
        return true, Record(SERVER_INDEX, counter, edited(draw, true.sealed)), plain
    if way == 2:
        return true, Record(edited(draw, SERVER_INDEX), counter, true.sealed), plain
    if way == 3:
        return true, Record(SERVER_INDEX, seen.draw_counter(draw), true.sealed), plain
    return true, Record(SERVER_INDEX, counter, draw.take(draw.byte())), plain


def _link_open(draw: Draw) -> bool:
    """Four records: what is accepted was truly sealed and is new; what is refused leaves the link as it was."""
    world = draw_world(draw)
    link, seen = Link(SERVER_INDEX, CLIENT_INDEX, TO_CLIENT, TO_SERVER), Seen()
    all_accepted = True
    for _ in range(4):
        true, record, plain = _draw_record(draw, world, seen)
        state = state_of(link)
        got = attempt(link.open_untrusted, world.suite, record)
        accepted = not isinstance(got, BadDatagram)
        assert accepted == (record == true and record.counter < COUNTER_LIMIT - 1 and seen.fresh(record.counter))
        if accepted:
            assert got == plain
            assert keys_of(link) == (TO_SERVER, TO_CLIENT)
            seen.counters.add(record.counter)
            state = state_of(link)
            assert isinstance(attempt(link.open_untrusted, world.suite, record), BadDatagram)
        assert state_of(link) == state
        all_accepted &= accepted
    return all_accepted


_HANDS: Final = in_both(b"", b"\4text\0\1\0\4\3\4evil", b"\4text\1\1\2", b"\4text\1\2\0", b"\0\2" + b"x" * 96)
_RECORD: Final = b"\0\0%c\4text"
_RISING: Final = b"".join(_RECORD % n + b"\0" for n in range(1, 5))
_CHANGED: Final = (
    _RECORD % 7 + b"\1\1\0\2\1\1x" + _RECORD % 7 + b"\2\1\0\0\1\1x" + _RECORD % 7 + b"\3\0\0\x08" + _RECORD % 7
)
_FAR: Final = b"\2\3\2\0\0" + b"\2\3\0\0\0" + b"\2\0\0\0\0" + b"\2\1\1\0\0"
_NOW: Final = b"\0\0"
_INITS: Final = (
    b"\1\1\0\0\0\0",  # signed by alice: her card,
    b"\1\1\1\0\0\0",  # the shortest,
    b"\1\1\0\1\1\0\1" + bytes(7) + b"\7\0\0",  # hers with another seq
    b"\1\1\0\1\4\0\2\x09" + b"L" * 32 + b"\0\0",  # with another live key
    b"\0\0\1\1\0\7\1\1x",  # another byte in message 1
    b"\0\0\2\1\0\7\1\1x\0",  # in the token
    b"\0\0\2\0\1\0\1\1\1x",  # in the index
    b"\0\0\3" + b"x" * 300,
)

TARGETS: Final = (
    Target(
        "secure.noise._Symmetric.open_untrusted",
        _symmetric,
        in_both(b"", b"k" * 32 + b"\4text\0\1", b"\0" * 33 + b"\1"),
    ),
    Target(
        "secure.noise.begin_untrusted", _begin, in_both(b"", b"\0\0card", b"\1\1", b"\1\5\x80", b"\2\0key", b"\2\1")
    ),
    Target("secure.noise.read_untrusted", _read, _HANDS),
    Target(
        "secure.noise.Asked.answer_untrusted", _answer, in_both(b"", b"\4text", b"\0\1\1\0", b"\0\0\0\1\1", b"\0\2\1")
    ),
    Target("secure.noise.Begun.finish_untrusted", _begun_finish, _HANDS),
    Target("secure.link.initiate_untrusted", _initiate, in_both(b"", b"\0\0" + TOKEN, b"\1\1", b"\2\0key")),
    Target("secure.link.respond_untrusted", _respond, in_both(b"", *(_NOW + TOKEN + way for way in _INITS), b"\1\1")),
    Target(
        "secure.link.Initiated.finish_untrusted",
        _finish,
        in_both(b"srvr", b"srvr\0\1\0\1\1\1x", b"srvr\1\1\2", b"srvr\0\0\1\0\0\1\1x"),
    ),
    Target("secure.link.Link.open_untrusted", _link_open, in_both(_RISING, _CHANGED, _FAR, b"")),
)
