"""The fuzz target of the server core: a server with users, and datagrams, answers of its store and time as drawn."""

from typing import Final

from tests.core.secure.people import signed_card
from tests.fuzz.draw import Draw, aimed, canonical, edited, plaintext
from tests.fuzz.server_scene import ServerScene
from tests.fuzz.steps import Play
from tests.fuzz.target import Target
from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody
from udpchat_core.datagrams import Retry
from udpchat_core.errors import LocalProtocolError
from udpchat_core.instant import MS, SECOND
from udpchat_core.secure.link import hello, initiate_untrusted
from udpchat_core.wire import parse_untrusted

KINDS: Final[tuple[type[m.Message], ...]] = (
    *(m.Register, m.Deregister, m.Lookup, m.Watch, m.Store, m.Collected, m.Noted, m.Ping),
    *(m.Padding, m.Registered, m.Mail, m.Superseded),
)
"""What a client says, and some of what it does not."""
_DATAGRAM_BYTES_DRAWN_MAX: Final = 1_300
_DAY_S: Final = 86_400
_WAITS_US: Final = (SECOND, 2 * SECOND, 11 * SECOND, 30 * SECOND, 61 * SECOND, 3_700 * SECOND, 16 * _DAY_S * SECOND)


def _draw_source(scene: ServerScene, draw: Draw, first: Address) -> Address:
    """An address: the one that is sensible, those of others, or ones where nobody ever was."""
    others = (client.address for client in scene.clients)
    return draw.pick((first, *others, Address(b"\x0a\xff\0\1", 9), Address(b"\xfe\x80" + bytes(13) + b"\1", 4_000)))


def _raw(scene: ServerScene, draw: Draw) -> None:
    """Mere bytes."""
    source = _draw_source(scene, draw, scene.clients[0].address)
    scene.send(source, draw.take(draw.number(2) % _DATAGRAM_BYTES_DRAWN_MAX))


def _again(scene: ServerScene, draw: Draw) -> None:
    """A datagram that came before, perhaps edited."""
    source = _draw_source(scene, draw, scene.clients[0].address)
    scene.send(source, edited(draw, draw.pick(scene.seen[::-1])))


def _record(scene: ServerScene, draw: Draw) -> None:
    """An authentic RECORD: messages that mean something, or almost, on one of the links."""
    end = draw.pick(scene.ends)
    source = _draw_source(scene, draw, end.address)
    kinds = [draw.pick(KINDS) for _ in range(1 + draw.byte() % 4)]
    scene.seal(end, canonical(tuple(aimed(draw, kind, scene.known()) for kind in kinds)), source)


def _plain(scene: ServerScene, draw: Draw) -> None:
    """An authentic RECORD around anything."""
    end = draw.pick(scene.ends)
    scene.seal(end, plaintext(draw), end.address)


def _hello(scene: ServerScene, draw: Draw) -> None:
    """A HELLO, perhaps edited, of any source."""
    scene.send(_draw_source(scene, draw, scene.clients[-1].address), edited(draw, hello(scene.suite)))


def _init(scene: ServerScene, draw: Draw) -> None:
    """An INIT that its client truly made, with a good token or another's, around a card that may say anything."""
    client = draw.pick(scene.clients[::-1])
    source = _draw_source(scene, draw, client.address)
    scene.take(source)
    scene.send(source, hello(scene.suite))
    greeted = parse_untrusted(scene.take(source)[-1])
    assert isinstance(greeted, Retry)
    card = signed_card(scene.suite, client.private, canonical(aimed(draw, CardBody, scene.known_of_card(client))))
    token = edited(draw, greeted.token)
    try:
        begun = initiate_untrusted(
            scene.suite, greeted.server_key, token, scene.suite.random(4), client.live, edited(draw, card)
        )
    except LocalProtocolError:
        return  # no card: too long or too short for an INIT, or no token
    scene.send(_draw_source(scene, draw, source), edited(draw, begun.init))
    scene.finish(begun, client, card, source)


def _store(scene: ServerScene, draw: Draw) -> None:
    """The store answers, or fails."""
    way = draw.byte() % 4
    if way == 1:
        scene.settle()
    else:
        scene.commit(durable=way == 0, applied=way != 3)


def _time(scene: ServerScene, draw: Draw) -> None:
    """Time passes."""
    way = draw.byte() % 4
    if way == 0:
        scene.sleep_to_timeout()
    elif way == 3:
        wall_ms = scene.now // MS + draw.pick((0, _DAY_S, -_DAY_S, 16 * _DAY_S)) * 1_000
        scene.carry_out(scene.server.handle_clock(wall_ms, scene.now))
    else:
        scene.sleep(draw.pick(_WAITS_US))


def _restart(scene: ServerScene, draw: Draw) -> None:
    """The server crashes and starts again."""
    scene.restart()


PLAY: Final = Play(
    ServerScene(),
    {
        "raw": _raw,
        "again": _again,
        "record": _record,
        "plain": _plain,
        "hello": _hello,
        "init": _init,
        "store": _store,
        "time": _time,
        "restart": _restart,
    },
)
METHODS: Final = (
    "server.server.Server._receive_untrusted",
    "server.server.Server._record_untrusted",
    "server.sessions.Sessions.confirm_untrusted",
    "server.links.Links._admit_untrusted",
    "server.links.Links.respond_untrusted",
)
_ALL: Final = ("store", 1)
_ALICE, _BOB, _CAROL, _DAVE, _ERIN = range(5)
_SEEDS: Final = (
    PLAY.seed(("raw", 0, 0, 40, b"u\1\5")),
    PLAY.seed(("again", 3)),
    PLAY.seed(("again", 0, 0, 1, 0, 3, 1, 1, b"x")),
    *(PLAY.seed(("record", _ALICE, 0, 0, kind), _ALL, ("time",), _ALL) for kind in range(len(KINDS))),
    *(PLAY.seed(("record", _BOB, 0, 0, 5, entries), ("store",), ("time",)) for entries in range(14)),
    PLAY.seed(("record", _BOB, 0, 0, 3, 0, 1, 4), ("record", _BOB, 0, 0, 3, 0, 2, 1), _ALL),
    PLAY.seed(("record", _ALICE, 0, 3, 4, 4, 4, 4, 0, 0, 4, 0, 0, 0, 0, 5, 0, 0, 0, 0, 6), _ALL, ("time", 1, 2)),
    PLAY.seed(("record", _DAVE, 0, 0, 0), ("store", 2), ("time", 1, 0), _ALL, ("record", _DAVE, 0, 0, 2)),
    PLAY.seed(("record", _CAROL, 0, 0, 0), _ALL, ("record", _CAROL, 0, 0, 5, 3), _ALL, ("time", 1, 4), _ALL),
    PLAY.seed(("record", _ALICE, 2, 0, 7), ("time", 1, 4), ("record", _ALICE, 0, 0, 7), ("time", 1, 5)),
    PLAY.seed(("hello",), ("hello", 6), ("init",), ("record", _ERIN), _ALL),
    PLAY.seed(("init", bytes(12), 6)),
    PLAY.seed(("init", 4), ("record", 4), _ALL, ("record", 0), ("time", 1, 5)),
    PLAY.seed(("init", 0, 0, 0, 0, 0, 0, 0, 0, 2), ("record", _ERIN), _ALL, ("init", 1), ("record", _ERIN), _ALL),
    PLAY.seed(("restart",), ("record", _ALICE, 0, 0, 7), ("init", 4), ("record", 4), _ALL, ("time", 1, 6), _ALL),
    PLAY.seed(("time", 3, 3), ("time", 1, 5), ("record", _BOB, 0, 0, 7), _ALL, ("time",)),
    PLAY.seed(*[("init",)] * 9),
    PLAY.seed(("plain", _ALICE, 0, b"\x81\x82\x12\0")),
    PLAY.seed(("again",), ("time", 3, 3), *[("time",), _ALL] * 8),
)

TARGETS: Final = (Target("server.server.Server", PLAY, _SEEDS, METHODS),)
