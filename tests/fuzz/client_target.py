"""The fuzz target of the client core: a client online, and datagrams, answers of its store and time as drawn."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.core.client.peer import Peer
from tests.core.client.scenery import BOB, CAROL, DAY, HOME, SERVER, STRANGER
from tests.core.secure.people import LETTER_LABEL
from tests.fuzz.client_scene import NUMBER_MAX, SERVERS, ClientScene
from tests.fuzz.draw import Draw, aimed, canonical, changed, edited, plaintext
from tests.fuzz.steps import Play
from tests.fuzz.target import Target
from tests.fuzz.world import HOSTILE
from udpchat_core import messages as m
from udpchat_core.address import Address
from udpchat_core.datagrams import Acks, Letter, Resp, Retry
from udpchat_core.errors import LocalProtocolError
from udpchat_core.fields import Refusal
from udpchat_core.instant import MS, SECOND
from udpchat_core.limits import LETTER_BYTES_MAX, LETTER_BYTES_MIN
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import slot_of
from udpchat_core.wire import header, serialize

SOURCES: Final = (SERVER, BOB, CAROL, STRANGER, HOME, Address(b"\xfe\x80" + bytes(13) + b"\1", 4_000))
KINDS: Final[tuple[type[m.Message], ...]] = (
    *(m.Found, m.Refused, m.Stored, m.Roster, m.Pong, m.Registered, m.Deregistered, m.Superseded),
    *(m.Receipt, m.Returned, m.RosterChanged, m.Mail, m.Padding, m.Register, m.Store, m.Collected),
)
"""What a server says, and some of what it does not."""
_DATAGRAM_BYTES_DRAWN_MAX: Final = 1_300
_SEQS: Final = (2, 3, 1, 4, 5, 6, 7, 64, 65, 66, 67, 68, 130, NUMBER_MAX, 0)
_WAITS_US: Final = (100 * MS, SECOND, 5 * SECOND, 25 * SECOND, 61 * SECOND, 3_601 * SECOND, 8 * DAY * SECOND)


# --- datagrams ---


def _raw(scene: ClientScene, draw: Draw) -> None:
    """Mere bytes."""
    scene.receive(draw.pick(SOURCES), draw.take(draw.number(2) % _DATAGRAM_BYTES_DRAWN_MAX))


def _again(scene: ClientScene, draw: Draw) -> None:
    """A datagram that was seen, in either direction, perhaps edited."""
    scene.receive(draw.pick(SOURCES), edited(draw, draw.pick(scene.seen[::-1])))


def _record(scene: ClientScene, draw: Draw) -> None:
    """An authentic RECORD: messages that mean something, or almost, on one of the links."""
    link, source = -1 - draw.byte() % len(scene.links), draw.pick(SOURCES)
    kinds = [draw.pick(KINDS) for _ in range(1 + draw.byte() % 4)]
    scene.seal(canonical(tuple(aimed(draw, kind, scene.known(kind)) for kind in kinds)), link, source)


def _plain(scene: ClientScene, draw: Draw) -> None:
    """An authentic RECORD around anything."""
    scene.seal(plaintext(draw), len(scene.links) - 1, SERVER)


def _retry(scene: ClientScene, draw: Draw) -> None:
    """A RETRY that echoes something that was seen, with a key that may be another server's or none."""
    source, answered = draw.pick(SOURCES), draw.pick(scene.seen[::-1])
    keys = (*map(scene.suite.dh_public, SERVERS), *HOSTILE[:2])
    made = serialize(Retry(answered[3:19].ljust(16, b"\0"), draw.take(16), draw.pick(keys)))
    scene.receive(source, edited(draw, made))


def _resp(scene: ClientScene, draw: Draw) -> None:
    """The RESP to the newest INIT, or one to its index that proves nothing."""
    if draw.byte() % 4 == 3:
        scene.receive(SERVER, header(Resp) + scene.inits[-1].index + draw.take(52))
    else:
        scene.answer()


def _acks(scene: ClientScene, draw: Draw) -> None:
    """Acknowledgements of what was sent, or of nothing."""
    known = (*scene.acks(), draw.take(16))
    scene.receive(draw.pick(SOURCES), header(Acks) + b"".join(draw.pick(known) for _ in range(1 + draw.byte() % 4)))


# --- letters ---


def _draw_body(draw: Draw, sender: Peer) -> tuple[Any, ...]:
    """The body of a letter: gaps, floors, epochs and parts of any kind, few secrets, any name."""
    seq = draw.pick(_SEQS)
    floor = draw.pick((1, seq, max(1, seq - 1), seq + 1, 3, NUMBER_MAX))
    name, epoch = draw.pick((sender.name, "bob", "alice", "erin")), draw.pick((7, *range(8, 20), NUMBER_MAX))
    secret, sent_ms = bytes((draw.byte() % 8,)) * 16, draw.pick((0, 2**47))
    part, text = draw.pick(((1, 1), (1, 2), (2, 2), (83, 83), (2, 1))), draw.pick(("hi", "", "x" * 800))
    return changed(draw, (sender.identity, name, epoch, seq, floor, secret, sent_ms, *part, text))


def _sealed_letter(scene: ClientScene, draw: Draw) -> tuple[bytes, bytes]:
    """A letter that its sender truly signed and sealed, and the slot that would be right."""
    sender, suite, to = draw.pick(scene.peers), scene.suite, scene.cards[-1 - draw.byte() % len(scene.cards)]
    body = _draw_body(draw, sender)
    secret = body[5] if len(body) > 5 and isinstance(body[5], bytes) else b""
    key, info, encoded = draw.pick((to.live, to.mail)), LETTER_LABEL + to.identity, canonical(body)
    plain = suite.sign(sender.private, info + key + encoded) + encoded
    letter = key_id(suite, key) + suite.hpke_seal_untrusted(key, info, edited(draw, plain))
    return header(Letter) + letter, slot_of(suite, secret)


def _letter(scene: ClientScene, draw: Draw) -> None:
    """A letter comes directly."""
    letter, _ = _sealed_letter(scene, draw)
    scene.receive(draw.pick(SOURCES[1:]), letter)


def _mail(scene: ClientScene, draw: Draw) -> None:
    """Letters are pushed out of the mailbox, perhaps as the same entry or under another's slot."""
    letter, slot = _sealed_letter(scene, draw)
    if draw.byte() % 8 == 7:
        letter = edited(draw, letter)
    letter = letter[:LETTER_BYTES_MAX].ljust(LETTER_BYTES_MIN, b"\0")
    entry = draw.pick((1, 2, 3, 4, 5, 6, 7, NUMBER_MAX))
    copies = 1 + draw.byte() % 2
    slot = draw.pick((slot, slot, slot, bytes(16)))
    for _ in range(copies):
        scene.seal(canonical(((m.Mail.code, entry, slot, letter),)), len(scene.links) - 1, SERVER)


# --- what is no datagram ---


def _store(scene: ClientScene, draw: Draw) -> None:
    """The store answers, or fails."""
    way = draw.byte() % 4
    if way == 1:
        scene.commit_all()
    else:
        scene.commit(durable=way == 0, applied=way != 3)


def _time(scene: ClientScene, draw: Draw) -> None:
    """Time passes."""
    way = draw.byte() % 2
    if way == 0:
        scene.advance_to_timeout()
    else:
        scene.advance(draw.pick(_WAITS_US))


def _user(scene: ClientScene, draw: Draw) -> None:
    """The user, or the wall clock, wants something; what cannot be now is refused."""
    client, now, to = scene.client, scene.now, draw.pick(("bob", "carol", "dave", "erin", "alice"))
    wants: Mapping[int, Callable[[], Any]] = {
        0: lambda: client.send(to, "a text", now),
        1: lambda: client.deregister(now),
        2: lambda: client.register(now),
        3: lambda: client.accept_key(to, now),
        4: lambda: client.accept_server_key(now),
        5: lambda: client.handle_clock(now // MS + draw.pick((0, DAY, -DAY, 100 * DAY)) * 1_000, now),
        6: lambda: client.send(to, "long " * 200, now),
    }
    try:
        actions = wants[draw.byte() % len(wants)]()
    except LocalProtocolError:
        return
    scene.do(actions)


PLAY: Final = Play(
    ClientScene(),
    {
        "raw": _raw,
        "again": _again,
        "record": _record,
        "plain": _plain,
        "retry": _retry,
        "resp": _resp,
        "acks": _acks,
        "letter": _letter,
        "mail": _mail,
        "store": _store,
        "time": _time,
        "user": _user,
    },
)

METHODS: Final = tuple(
    f"client.{name}"
    for name in (
        "reception.Reception._receive_untrusted",
        "reception.Reception._message_untrusted",
        "reception.Reception._answered_untrusted",
        "reception.Reception._found_untrusted",
        "reception.Reception._refused_untrusted",
        "requester.Requester.answered_untrusted",
        "requester.Requester.refused_untrusted",
        "requester.Requester.postpone_untrusted",
        "requester.Requester._key_untrusted",
        "inbox.Inbox.letter_untrusted",
        "inbox.Inbox.mail_untrusted",
        "inbox.Inbox._arrived_untrusted",
        "inbox.Inbox._hold_untrusted",
        "sources.Sources.check_untrusted",
        "connection.Connection.retry_untrusted",
        "connection.Connection.resp_untrusted",
        "connection.Connection.record_untrusted",
        "contacts.Contacts.found_untrusted",
        "outbox.Outbox.acknowledged_untrusted",
        "outbox.Outbox.receipt_untrusted",
    )
)
_STORE: Final = ("store", 1)
_ONE: Final = (0, 0, 0)
"""On the newest link, from the server, one message."""
_SEEDS: Final = (
    PLAY.seed(("raw", 0, 0, 40, b"u\1\5")),
    PLAY.seed(("again", 0, 0)),
    *(PLAY.seed(("record", *_ONE, kind)) for kind in range(len(KINDS))),
    *(PLAY.seed(("record", *_ONE, 1, 0, refusal), ("time",)) for refusal in range(len(Refusal))),
    PLAY.seed(("record", 0, 0, 3, 0, 2, 3, 8), _STORE, ("record", 0, 0, 3, 9, 10, 11, 4)),
    PLAY.seed(("plain", 0, b"\x81\x82\x12\0")),
    PLAY.seed(("acks", 1, 3, 0, 1, 2, 3), _STORE),
    PLAY.seed(("letter",), _STORE, ("letter",), _STORE),
    PLAY.seed(("letter", 3, 0, 0, 0, 0, 7), ("letter", 3, 0, 0, 0, 0, 1), _STORE, _STORE),
    PLAY.seed(("letter",), ("store", 2), ("time",), ("letter", 0, 0, 2), ("time",), _STORE),
    PLAY.seed(("mail",), _STORE, ("mail", 0, 0, 4), _STORE, ("mail", 1), ("store", 3), ("time",), _STORE),
    PLAY.seed(("user", 0, 5), ("time", 1, 2), ("retry", 0, 0), _STORE, ("resp",), ("record", *_ONE, 5), _STORE),
    PLAY.seed(("user", 0, 1), ("record", *_ONE, 6), ("user", 0, 2), ("retry",), ("resp",), ("record", *_ONE, 5)),
    PLAY.seed(("retry", 0, 0, b"\0" * 16, 1), ("user", 0, 4), _STORE, ("retry", 0, 1, b"\0" * 16, 1), ("resp",)),
    PLAY.seed(("time", 1, 5), ("retry",), ("resp",), ("record", *_ONE, 1, 0, 4, 0, 1), ("resp",), _STORE),
    PLAY.seed(*[("time",)] * 4, ("record", *_ONE, 0, 0, 3), ("user", 0, 3), _STORE, ("record", *_ONE), _STORE),
    PLAY.seed(*[("time",)] * 4, ("record", *_ONE, 1, 0, 2), ("time",), ("record", *_ONE, 1, 0, 4), ("time",)),
    PLAY.seed(("time", 1, 3), ("record", *_ONE, 4, 0, 1), ("record", *_ONE, 3), ("time", 1, 2)),
    *(PLAY.seed(("record", *_ONE, 1, of, refusal), _STORE) for of in (1, 2) for refusal in (0, 1, 5)),
    PLAY.seed(("record", *_ONE, 2, 1), ("record", *_ONE, 9, 1), ("time",), ("record", *_ONE, 8, 1, 1), _STORE),
    PLAY.seed(("record", *_ONE, 10, 1), ("record", *_ONE, 3, 0, 1, 2, 1), ("record", *_ONE, 3), ("time",)),
    PLAY.seed(("mail", 0, 0, 0, 0, 0, 4, 0), _STORE, ("letter", 0, 0, 0, 0, 1, 0), _STORE, _STORE),
    PLAY.seed(("record", *_ONE, 10), *[("time",), _STORE] * 12),
)

TARGETS: Final = (Target("client.client.Client", PLAY, _SEEDS, METHODS),)
