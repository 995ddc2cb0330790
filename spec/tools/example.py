"""The worked example of section 15: the bytes of the vectors, each with what it means.

Nothing is written by hand: the bytes are those of `spec/vectors`, cut by the layouts of the datagrams and by the fields
of what is sealed, and what is said of a field is what its class says. Pieces that are not the whole are an error.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import zip_longest
from textwrap import wrap
from typing import Any, Final, NamedTuple

import cbor2

from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import HEADER_BYTES, LAYOUTS, Acks, Datagram, Hello, Init, Letter, Record, Resp, Retry
from udpchat_core.limits import TOKEN_EPOCH_US
from udpchat_core.messages import Padding
from udpchat_core.secure.keys import KEY_ID_LABEL, LETTER_LABEL, LINK_LABEL, SIGNATURE_BYTES, TOKEN_LABEL
from udpchat_core.wire import BY_CODE, decode_untrusted, serialize, unpack_untrusted

from .markdown import table
from .source import attributes
from .vectors.letters import letters
from .vectors.link import link
from .vectors.making import ALICE, BOB, SUITE, Vector

_ROW_BYTES: Final = 16
_SAID_CHARS: Final = 66
_TAG_BYTES: Final = 16
_KEY_BYTES: Final = 32


class Piece(NamedTuple):
    """Some bytes, and what they are; `depth` counts the arrays around them."""

    data: bytes
    said: str
    depth: int = 0


@cache
def _handshake() -> Vector:
    return dict(link()["handshakes"][0])


@cache
def _letter() -> Vector:
    return dict(letters()["accepted"][0])


def _bytes(of: Vector, *names: str | int) -> bytes:
    value: Any = of
    for name in names:
        value = value[name]
    return bytes.fromhex(value)


# --- drawing ---


def dump(whole: bytes, pieces: list[Piece]) -> str:
    """The bytes, 16 a row, each row with its offset, and the first of a piece with what it is."""
    assert b"".join(piece.data for piece in pieces) == whole, "the pieces are the whole"
    rows, at = [], 0
    for piece in pieces:
        starts = range(at, at + len(piece.data), _ROW_BYTES)
        indent = "  " * piece.depth
        said = wrap(piece.said, _SAID_CHARS, initial_indent=indent, subsequent_indent=indent + "  ")
        for start, words in zip_longest(starts, said):
            data = b"" if start is None else whole[start : min(start + _ROW_BYTES, at + len(piece.data))]
            offset = "" if start is None else start
            rows.append(f"{offset:>4}  {data.hex(' '):{3 * _ROW_BYTES - 1}}  {words or ''}".rstrip())
        at += len(piece.data)
    return "```\n" + "\n".join(rows) + "\n```\n"


def clear(kind: type[Datagram], payload: bytes, last: list[Piece] | None = None) -> list[Piece]:
    """A datagram by its layout; `last` are the pieces of its last field."""
    pieces, at = [Piece(payload[:2], "magic and version"), Piece(payload[2:HEADER_BYTES], f"type {kind.type}")], 3
    for field in LAYOUTS[kind]:
        size = field.bytes_min if field.bytes_min == field.bytes_max else len(payload) - at
        pieces.append(Piece(payload[at : at + size], f"{field.name}: {field.meaning}"))
        at += size
    return pieces if last is None else [*pieces[:-1], *last]


def items(value: Any, said: str = "", depth: int = 0) -> Iterator[Piece]:  # noqa: ANN401 - whatever is sealed
    """A value in CBOR: heads, and what stands under them."""
    if is_dataclass(value):
        kind: Any = type(value)
        inside: list[tuple[Any, str]] = [(value.code, "code")] if hasattr(value, "code") else []
        meanings = attributes(kind)
        inside += [(getattr(value, each.name), _named(each.name, meanings)) for each in fields(value)]
        yield Piece(bytes((0x80 | len(inside),)), f"array of {len(inside)}{': ' if said else ''}{said}", depth)
        for item, meaning in inside:
            yield from items(item, meaning, depth + 1)
    elif isinstance(value, bytes | str):
        encoded, content = cbor2.dumps(value), value.encode() if isinstance(value, str) else value
        what = f"{'text' if isinstance(value, str) else 'string'} of {len(content)} bytes"
        yield Piece(encoded[: len(encoded) - len(content)], what, depth)
        if content:
            yield Piece(content, _valued(said, f'"{value}"') if isinstance(value, str) else said, depth)
    else:
        yield Piece(cbor2.dumps(value), _valued(said, "null" if value is None else value), depth)


def _named(name: str, meanings: Mapping[str, str]) -> str:
    return f"{name}: {meanings[name]}" if name in meanings else name


def _valued(said: str, value: object) -> str:
    name, colon, meaning = said.partition(":")
    return f"{name} = {value}{colon}{meaning}"


def record(plaintext: bytes) -> list[Piece]:
    """The messages of a RECORD, Padding too."""
    arrays = cbor2.loads(plaintext)
    messages: list[Any] = list(unpack_untrusted(plaintext))
    messages += [Padding(array[1]) for array in arrays if BY_CODE[array[0]] is Padding]  # which is the last
    pieces = [Piece(bytes((0x80 | len(arrays),)), f"array of {len(arrays)}: the messages of the RECORD")]
    for message in messages:
        pieces += items(message, type(message).__name__, 1)
    return pieces


def _signed(whole: bytes, kind: type[Any], by: str) -> str:
    body = decode_untrusted(kind, whole[SIGNATURE_BYTES:])
    return dump(whole, [Piece(whole[:SIGNATURE_BYTES], f"signature by {by}"), *items(body, "the body")])


def _values(rows: list[tuple[str, bytes]]) -> str:
    return table(("what", "bytes"), [(what, f"`{value.hex()}`") for what, value in rows])


# --- the parts ---


def _keys() -> str:
    of = _handshake()
    return _values(
        [
            ("Alice's identity I, private", ALICE.identity),
            ("its public key", ALICE.body.identity),
            ("Alice's live key L, private", ALICE.live),
            ("its public key", ALICE.body.live),
            ("Alice's mail key M, public", ALICE.body.mail),
            ("Bob's identity I, public", BOB.body.identity),
            ("Bob's live key L, private", BOB.live),
            ("its public key", BOB.body.live),
            ("the server's key S, private", _bytes(of, "server", "S_private")),
            ("its public key", SUITE.dh_public(_bytes(of, "server", "S_private"))),
            ("the secret that it makes tokens with", _bytes(of, "token_secret")),
            ("Alice's ephemeral key for INIT, private", _bytes(of, "client", "ephemeral_private")),
            ("the server's for RESP, private", _bytes(of, "server", "ephemeral_private")),
            ("Alice's for the letter, private", _bytes(_letter(), "ephemeral_private")),
        ]
    )


def _hello() -> str:
    hello = _bytes(_handshake(), "hello")
    return dump(hello, clear(Hello, hello))


def _token() -> str:
    of = _handshake()
    epoch = (of["now_s"] * 1_000_000 // TOKEN_EPOCH_US).to_bytes(8)
    port, host = of["address"]["port"].to_bytes(2), _bytes(of, "address", "host")
    hashed = TOKEN_LABEL + epoch + port + host
    token = SUITE.mac(_bytes(of, "token_secret"), hashed)
    assert token[:16] == _bytes(of, "retry")[19:35], "this is how the token is made"
    pieces = [
        Piece(TOKEN_LABEL, "the label"),
        Piece(epoch, f"epoch: {of['now_s']} s of Unix time, divided by 60"),
        Piece(port, "port"),
        Piece(host, "address"),
    ]
    return dump(hashed, pieces)


def _retry() -> str:
    retry = _bytes(_handshake(), "retry")
    return dump(retry, clear(Retry, retry))


def _card() -> str:
    return _signed(_bytes(_handshake(), "card"), CardBody, 'I, over "udpchat/1 card" || 00 || body')


def _prologue() -> str:
    of = _handshake()
    server, head = SUITE.dh_public(_bytes(of, "server", "S_private")), _bytes(of, "init")[:23]
    return dump(
        LINK_LABEL + server + head,
        [Piece(LINK_LABEL, "the label"), Piece(server, "S"), Piece(head, "bytes 0 to 22 of the INIT")],
    )


def _noise() -> str:
    rows: list[tuple[object, ...]] = [
        (f"`{step['step']}`", *(f"`{step[name]}`" if step[name] else "none yet" for name in ("h", "ck", "k")))
        for step in _handshake()["noise"]
    ]
    return table(("step", "h", "ck", "k"), rows)


def _init() -> str:
    init = _bytes(_handshake(), "init")
    noise = init[23:]
    last = [
        Piece(noise[:_KEY_BYTES], "noise: e, the ephemeral key, clear"),
        Piece(noise[_KEY_BYTES : 2 * _KEY_BYTES], "s, the live key, sealed"),
        Piece(noise[2 * _KEY_BYTES : 2 * _KEY_BYTES + _TAG_BYTES], "and its tag"),
        Piece(noise[2 * _KEY_BYTES + _TAG_BYTES : -_TAG_BYTES], "the payload, Alice's card, sealed"),
        Piece(noise[-_TAG_BYTES:], "and its tag"),
    ]
    return dump(init, clear(Init, init, last))


def _resp() -> str:
    resp = _bytes(_handshake(), "resp")
    noise = resp[7:]
    index = _bytes(_handshake(), "server", "index").hex(" ")
    last = [
        Piece(noise[:_KEY_BYTES], "noise: e, the ephemeral key, clear"),
        Piece(noise[_KEY_BYTES:-_TAG_BYTES], f"the payload, the server's link index {index}, sealed"),
        Piece(noise[-_TAG_BYTES:], "and its tag"),
    ]
    return dump(resp, clear(Resp, resp, last))


def _split() -> str:
    of = _handshake()
    return _values([("what the client seals with", _bytes(of, "client_key")), ("the server", _bytes(of, "server_key"))])


def _plaintext(number: int) -> str:
    plaintext = _bytes(_handshake(), "records", number, "plaintext")
    return dump(plaintext, record(plaintext))


def _record(number: int) -> str:
    payload = _bytes(_handshake(), "records", number, "record")
    last = [Piece(payload[15:-_TAG_BYTES], "sealed: the plaintext"), Piece(payload[-_TAG_BYTES:], "and its tag")]
    return dump(payload, clear(Record, payload, last))


def _letter_plaintext() -> str:
    info = "info || the recipient's X25519 key || body"
    return _signed(_bytes(_letter(), "plaintext"), LetterBody, f"the sender's I, over {info}")


def _letter_info() -> str:
    recipient = _bytes(_letter(), "recipient")
    return dump(LETTER_LABEL + recipient, [Piece(LETTER_LABEL, "the label"), Piece(recipient, "the recipient's I")])


def _key_id() -> str:
    key = _bytes(_letter(), "recipient_key")
    assert SUITE.hash(KEY_ID_LABEL + key)[:4] == _bytes(_letter(), "letter")[3:7], "this is how the key id is made"
    return dump(KEY_ID_LABEL + key, [Piece(KEY_ID_LABEL, "the label"), Piece(key, "Bob's live key, public")])


def _letter_datagram() -> str:
    letter = _bytes(_letter(), "letter")
    sealed = letter[7:]
    last = [
        Piece(sealed[:_KEY_BYTES], "sealed: HPKE's encapsulated key"),
        Piece(sealed[_KEY_BYTES:-_TAG_BYTES], "the plaintext, sealed"),
        Piece(sealed[-_TAG_BYTES:], "and its tag"),
    ]
    return dump(letter, clear(Letter, letter, last))


def _ack() -> str:
    ack = _bytes(_letter(), "ack")
    payload = serialize(Acks((ack,)))
    made = Piece(ack, 'acks: the first 16 bytes of SHA-256("udpchat/1 ack" || 00 || secret)')
    return dump(payload, clear(Acks, payload, [made]))


PARTS: Final[Mapping[str, Callable[[], str]]] = {
    "example_keys": _keys,
    "example_hello": _hello,
    "example_token": _token,
    "example_retry": _retry,
    "example_card": _card,
    "example_prologue": _prologue,
    "example_noise": _noise,
    "example_init": _init,
    "example_resp": _resp,
    "example_split": _split,
    "example_register": lambda: _plaintext(0),
    "example_register_record": lambda: _record(0),
    "example_registered": lambda: _plaintext(1),
    "example_registered_record": lambda: _record(1),
    "example_letter": _letter_plaintext,
    "example_letter_info": _letter_info,
    "example_key_id": _key_id,
    "example_letter_datagram": _letter_datagram,
    "example_ack": _ack,
}
"""What each region of section 15 is made by."""
