"""link.json: whole handshakes step by step, and what is no INIT and no RESP."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from udpchat_core.address import Address
from udpchat_core.datagrams import Hello, Init, Resp
from udpchat_core.errors import Reason
from udpchat_core.messages import Message, Ping, Pong, Register
from udpchat_core.secure.card import make_card
from udpchat_core.secure.keys import LINK_LABEL, SMALL_ORDER_X25519
from udpchat_core.secure.link import Initiated, Link, Responded, initiate_untrusted, respond_untrusted, retry
from udpchat_core.secure.noise import PROTOCOL_NAME, begin_untrusted, read_untrusted
from udpchat_core.wire import RECORD_PLAINTEXT_BYTES_MIN, encode, header, pack, parse_untrusted, serialize

from .cards import DAY_S, signed
from .derived import ADDRESS, ADDRESS_V6, TOKEN_SECRET, token
from .making import (
    ALICE,
    EXPIRES_S,
    NOW_S,
    NUMBER_LIMIT,
    SUITE,
    TRAP,
    YEAR_10000_S,
    Person,
    Scripted,
    Vector,
    accepted,
    both_signs,
    key,
    misencoded,
    person,
    plain,
    refused,
)
from .messages import REGISTERED, VIEW

SERVER: Final = key("S")
SERVER_KEY: Final = SUITE.dh_public(SERVER)
_STEPS: Final = (
    "prologue",
    "S",
    "-> e",
    "-> es",
    "-> s",
    "-> ss",
    "-> payload",
    "<- e",
    "<- ee",
    "<- se",
    "<- payload",
)


def link() -> Vector:
    """The file."""
    return {
        "about": "The Link (section 4): whole handshakes; INITs and RESPs that are refused.",
        "handshakes": [_vector(exchange) for exchange in _EXCHANGES],
        "inits_refused": [*_changed_inits(), *_inits_of_another_card(), *_init_traps()],
        "resps_refused": list(_resps_refused()),
    }


# --- handshakes ---


class _Recording(Scripted):
    """Writes down each hash and each MAC: the state of Noise after each step follows from them."""

    def __init__(self, *random: bytes) -> None:
        super().__init__(*random)
        self.said: list[tuple[str, bytes]] = []

    def hash(self, data: bytes) -> bytes:
        """As in Suite."""
        self.said.append(("hash", super().hash(data)))
        return self.said[-1][1]

    def mac(self, key: bytes, data: bytes) -> bytes:
        """As in Suite."""
        self.said.append(("mac", super().mac(key, data)))
        return self.said[-1][1]


@dataclass(frozen=True, slots=True)
class _Exchange:
    """The inputs of a handshake; the keys that are made for it follow from its name."""

    name: str
    who: Person
    address: Address

    def key(self, purpose: str, size: int = 32) -> bytes:
        return key(f"{self.name}: {purpose}")[:size]

    @property
    def token(self) -> bytes:
        return token(self.address, NOW_S)

    @property
    def client_index(self) -> bytes:
        return self.key("client index", 4)

    def initiate(self, suite: Scripted) -> Initiated:
        return initiate_untrusted(suite, SERVER_KEY, self.token, self.client_index, self.who.live, self.who.card)

    def respond(self, init: bytes, suite: Scripted | None = None, server: bytes = SERVER) -> Responded:
        parsed = parse_untrusted(init)
        assert isinstance(parsed, Init)
        suite = suite or Scripted(self.key("server ephemeral"))
        return respond_untrusted(suite, server, parsed, self.key("server index", 4), NOW_S)


_EXCHANGES: Final = (
    _Exchange("Alice over IPv4", ALICE, ADDRESS),
    _Exchange("the longest card over IPv6", person("a" * 32, NUMBER_LIMIT - 1, YEAR_10000_S - 1), ADDRESS_V6),
)
_ALICE: Final = _EXCHANGES[0]


def _vector(of: _Exchange) -> Vector:
    recording = _Recording(of.key("client ephemeral"))
    begun = of.initiate(recording)
    responded = of.respond(begun.init)
    resp = parse_untrusted(responded.resp)
    assert isinstance(resp, Resp)
    client = begun.finish_untrusted(recording, resp)
    hello = serialize(Hello(of.key("nonce", 16)))
    steps, (client_key, server_key) = _states(recording.said)
    ephemeral = {"client": of.key("client ephemeral"), "server": of.key("server ephemeral")}
    return accepted(
        of.name,
        now_s=NOW_S,
        address=of.address,
        client={"L_private": of.who.live, "ephemeral_private": ephemeral["client"], "index": client.index},
        card=of.who.card,
        server={"S_private": SERVER, "ephemeral_private": ephemeral["server"], "index": client.peer_index},
        token_secret=TOKEN_SECRET,
        hello=hello,
        retry=retry(hello, of.token, SERVER_KEY),
        init=begun.init,
        resp=responded.resp,
        noise=steps,
        client_key=client_key,
        server_key=server_key,
        records=list(_conversation(client, responded.link)),
    )


def _states(said: list[tuple[str, bytes]]) -> tuple[list[Vector], tuple[bytes, bytes]]:
    """Noise's h, ck and k after each step (k is empty before the first), and the two keys of Split."""
    steps: list[Vector] = []
    state, left = {"h": PROTOCOL_NAME, "ck": PROTOCOL_NAME, "k": b""}, list(said)
    for step in _STEPS:
        kind, made = left.pop(0)
        # A step hashes once, or calls HKDF: three MACs, of which the first is what it extracted.
        state |= {"h": made} if kind == "hash" else {"ck": left.pop(0)[1], "k": left.pop(0)[1]}
        steps.append({"step": step} | state)
    _, (_, client_key), (_, server_key) = left
    return steps, (client_key, server_key)


def _conversation(client: Link, server: Link) -> Iterator[Vector]:
    said: list[tuple[str, Message]] = [("client", Register(1)), ("server", REGISTERED), ("client", Ping(2))]
    sent = {"client": 0, "server": 0}
    for way, message in [*said, ("server", Pong(2, VIEW)), ("client", Ping(3))]:
        sender, least = (client, RECORD_PLAINTEXT_BYTES_MIN) if way == "client" else (server, 0)
        plaintext = pack([encode(message)], least)
        counter, sent[way] = sent[way].to_bytes(8), sent[way] + 1
        record = sender.seal(SUITE, plaintext)
        yield {"from": way, **plain({"counter": counter, "plaintext": plaintext, "record": record})}


# --- INITs that are refused ---


def _no_init(wrong: str, reason: Reason, init: bytes, now_s: int = NOW_S, server: bytes = SERVER) -> Vector:
    return refused(wrong, reason, S_private=server, now_s=now_s, init=init)


def _init(**changed: Any) -> bytes:  # noqa: ANN401
    """Alice's INIT, where card, prologue or a private key may be others than they should."""
    clear = header(Init) + _ALICE.token + _ALICE.client_index
    made: dict[str, Any] = {
        "prologue": LINK_LABEL + SERVER_KEY + clear,
        "live": ALICE.live,
        "card": ALICE.card,
        "trap": None,
    }
    made |= {"ephemeral": _ALICE.key("client ephemeral")} | changed
    suite = Scripted(made["ephemeral"], trap=made["trap"])
    noise, _ = begin_untrusted(suite, made["prologue"], made["live"], SERVER_KEY, made["card"])
    return serialize(Init(_ALICE.token, _ALICE.client_index, noise))


def _flipped(payload: bytes, at: int, bit: int = 1) -> bytes:
    return payload[:at] + bytes((payload[at] ^ bit,)) + payload[at + 1 :]


def _changed_inits() -> Iterator[Vector]:
    init = _init()
    places = {3: "first byte of the token", 18: "last byte of the token", 19: "index", 23: "e", 55: "sealed static key"}
    for at, what in (places | {103: "sealed card", len(init) - 1: "card's tag"}).items():
        yield _no_init(f"a bit of the {what} is flipped", Reason.SEAL, _flipped(init, at))
    yield _no_init("the top bit of e, which X25519 ignores, is flipped", Reason.SEAL, _flipped(init, 54, 0x80))
    yield _no_init("the last byte is missing", Reason.SEAL, init[:-1])
    yield _no_init("a byte follows", Reason.SEAL, init + b"\0")
    yield _no_init("it is for another server", Reason.SEAL, init, server=key("another S"))
    label, clear = LINK_LABEL, init[:23]
    prologues = {
        "is empty": b"",
        "lacks the label": SERVER_KEY + clear,
        "lacks the server's key": label + clear,
        "lacks the header": label + SERVER_KEY + clear[3:],
        "lacks the index": label + SERVER_KEY + clear[:19],
    }
    for lack, prologue in prologues.items():
        yield _no_init(f"the prologue {lack}", Reason.SEAL, _init(prologue=prologue))


def _inits_of_another_card() -> Iterator[Vector]:
    mallory = key("mallory: L")
    yield _no_init("Mallory shows Alice's card with another live key", Reason.STATIC, _init(live=mallory))
    yield _no_init("the static key is the card's M, not its L", Reason.STATIC, _init(live=ALICE.mail))
    top = ALICE.body.live[:31] + bytes((ALICE.body.live[31] | 0x80,))
    same_point = make_card(SUITE, ALICE.identity, replace(ALICE.body, live=top))
    wrong = "the card's L is the static key but for the top bit, which X25519 ignores"
    yield _no_init(wrong, Reason.STATIC, _init(card=same_point))
    for now_s, how in ((EXPIRES_S + DAY_S + 1, "a day and a second ago"), (YEAR_10000_S - 1, "long ago")):
        yield _no_init(f"the card expired {how}", Reason.EXPIRED, _init(), now_s)
    unsigned = _flipped(ALICE.card, 0)
    yield _no_init("the card's signature does not hold", Reason.SIGNATURE, _init(card=unsigned))
    encoded = encode(ALICE.body)
    body = [getattr(ALICE.body, name) for name in ALICE.body.__dataclass_fields__]
    for encoded, reason, fault in misencoded(body):
        yield _no_init(f"in the card, {fault}", reason, _init(card=signed(ALICE.identity, encoded)))


def _init_traps() -> Iterator[Vector]:
    """Keys of small order where the rest fits: a receiver that does not look would finish the handshake."""
    for point in both_signs(SMALL_ORDER_X25519):
        init = _init(ephemeral=TRAP, trap=point)
        yield _no_init(f"e is of small order ({point.hex()})", Reason.POINT, init)
    for point in both_signs(SMALL_ORDER_X25519):
        card = make_card(SUITE, ALICE.identity, replace(ALICE.body, live=point))
        init = _init(live=TRAP, trap=point, card=card)
        yield _no_init(f"the static key, which is the card's L, is of small order ({point.hex()})", Reason.POINT, init)
    for point in both_signs(SMALL_ORDER_X25519)[:2]:
        card = make_card(SUITE, ALICE.identity, replace(ALICE.body, mail=point))
        yield _no_init(f"the card's M is of small order ({point.hex()})", Reason.POINT, _init(card=card))


# --- RESPs that are refused ---


def _resps_refused() -> Iterator[Vector]:
    begun = _ALICE.initiate(Scripted(_ALICE.key("client ephemeral")))
    good = _ALICE.respond(begun.init).resp
    yield _no_resp("the index is another", Reason.LINK, _flipped(good, 3))
    for at, what in ((7, "e"), (39, "sealed index"), (58, "tag")):
        yield _no_resp(f"a bit of the {what} is flipped", Reason.SEAL, _flipped(good, at))
    yield _no_resp("the top bit of e, which X25519 ignores, is flipped", Reason.SEAL, _flipped(good, 38, 0x80))
    other = _ALICE.respond(_ALICE.initiate(Scripted(key("another ephemeral"))).init)
    yield _no_resp("it answers another INIT of the same client", Reason.SEAL, other.resp)
    mallory = key("mallory: S")
    toward, _ = begin_untrusted(Scripted(key("e")), b"", ALICE.live, SUITE.dh_public(mallory), ALICE.card)
    forged, _ = read_untrusted(SUITE, b"", mallory, toward).answer_untrusted(Scripted(key("e 2")), b"evil")
    yield _no_resp("it is of somebody who does not have S", Reason.SEAL, serialize(Resp(_ALICE.client_index, forged)))
    for point in both_signs(SMALL_ORDER_X25519):
        resp = _ALICE.respond(begun.init, Scripted(TRAP, trap=point)).resp
        yield _no_resp(f"e is of small order ({point.hex()})", Reason.POINT, resp)


def _no_resp(wrong: str, reason: Reason, resp: bytes) -> Vector:
    return refused(wrong, reason, handshake=_ALICE.name, resp=resp)
