"""Our answers to what is asked about bytes: JSON as in vectors/README.md goes in and comes out."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import IntEnum
from types import NoneType
from typing import Annotated, Any, Final, get_args, get_origin, get_type_hints

from spec.tools.vectors.making import Scripted, plain
from udpchat_core.address import Address
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import LAYOUTS, Datagram, Init, Letter, Record, Resp, Retry
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.fields import Rotation
from udpchat_core.instant import SECOND, Instant
from udpchat_core.messages import Message, Padding
from udpchat_core.secure.card import (
    check_expiry_untrusted,
    check_name_untrusted,
    make_card,
    open_card_untrusted,
    succession,
)
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import OpeningKey, ack_of, open_letter_untrusted, seal_letter_untrusted, slot_of
from udpchat_core.secure.link import Link, initiate_untrusted, respond_untrusted
from udpchat_core.secure.rotation import check_rotation_untrusted, make_rotation
from udpchat_core.secure.safety import safety_number
from udpchat_core.secure.token import check_token_untrusted, make_token
from udpchat_core.wire import BY_CODE, encode, pack, parse_untrusted, serialize, unpack_untrusted

from .door import Json
from .suite import SUITE

HEX: Final = bytes.fromhex
_BY_TYPE: Final = {kind.type: kind for kind in LAYOUTS}
_NAMES: Final = {"Letter": "LETTER", "Acks": "ACK"}


def _value(hint: Any, given: Any) -> Any:  # noqa: ANN401, PLR0911 - a type, in any of its forms, and JSON
    """What JSON says, as the class of a field wants it."""
    if get_origin(hint) is Annotated:
        return _value(get_args(hint)[0], given)
    if given is None and NoneType in get_args(hint):
        return None
    if NoneType in get_args(hint):
        return _value(get_args(hint)[0], given)
    if get_origin(hint) is tuple:
        return tuple(_value(get_args(hint)[0], item) for item in given)
    if hint is bytes:
        return HEX(given)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint(given)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint, include_extras=True)
        return hint(**{field.name: _value(hints[field.name], given[field.name]) for field in fields(hint)})
    return given


# --- the clear, and messages ---


def _cut(request: Json) -> Json:
    data = HEX(request["bytes"])
    datagram = parse_untrusted(data)
    cut, at = {}, 3
    for field in LAYOUTS[type(datagram)]:
        end = at + field.bytes_max if field.bytes_min == field.bytes_max else len(data)
        cut[field.name.replace(" ", "_")], at = data[at:end].hex(), end
    acks = {"acks": [ack.hex() for ack in datagram.acks]} if hasattr(datagram, "acks") else {}
    return {"type": datagram.type, "kind": _kind(type(datagram)), "fields": cut | acks}


def _kind(kind: type[Datagram]) -> str:
    return _NAMES.get(kind.__name__, kind.__name__.upper())


def _make(request: Json) -> Json:
    """By `serialize`, which pads a HELLO itself."""
    kind, given = _BY_TYPE[request["type"]], request["fields"]
    names = [field.name.replace(" ", "_") for field in LAYOUTS[kind] if field.name != "padding"]
    values = [[HEX(ack) for ack in given[name]] if name == "acks" else HEX(given[name]) for name in names]
    arguments: list[Any] = [tuple(value) if isinstance(value, list) else value for value in values]
    if kind is Record:
        arguments[1] = int.from_bytes(arguments[1])
    return {"bytes": serialize(kind(*arguments)).hex()}


def _read_messages(request: Json) -> Json:
    """What was said; `unpack_untrusted` leaves Padding out, as it means nothing, so it is told by writing it anew."""
    plaintext = HEX(request["bytes"])
    messages = unpack_untrusted(plaintext)
    return {"messages": [plain(message) for message in _with_padding(plaintext, messages)]}


def _with_padding(plaintext: bytes, messages: tuple[Message, ...]) -> list[Message]:
    at, left, said = (2 if plaintext[0] == 0x98 else 1), list(messages), []
    while at < len(plaintext):
        if left and plaintext.startswith(encoded := encode(left[0]), at):
            said.append(left.pop(0))
        else:
            size, head = (plaintext[at + 3], 4) if plaintext[at + 2] == 0x58 else (plaintext[at + 2] - 0x40, 3)
            said.append(Padding(bytes(size)))
            encoded = plaintext[at : at + head + size]
        at += len(encoded)
    return said


def _write_messages(request: Json) -> Json:
    encoded = [encode(_value(BY_CODE[message["code"]], message)) for message in request["messages"]]
    return {"bytes": pack(encoded).hex()}


# --- derived ---


def _derive_key_id(request: Json) -> Json:
    public = SUITE.dh_public(HEX(request["private"]))
    return {"public": public.hex(), "key_id": key_id(SUITE, public).hex()}


def _derive_ack(request: Json) -> Json:
    secret = HEX(request["secret"])
    return {"ack": ack_of(SUITE, secret).hex(), "slot": slot_of(SUITE, secret).hex()}


def _derive_safety(request: Json) -> Json:
    return {"safety_number": safety_number(SUITE, HEX(request["one"]), HEX(request["other"]))}


def _derive_succession(request: Json) -> Json:
    body = CardBody(1, request["seq"], 0, bytes(32), bytes(32), bytes(32), "a")
    return {"succession": succession(request["known_seq"], body).value}


def _token(request: Json) -> tuple[bytes, Address, Instant]:
    return HEX(request["secret"]), _value(Address, request["address"]), Instant(request["now_s"] * SECOND)


def _make_token(request: Json) -> Json:
    return {"token": make_token(SUITE, *_token(request)).hex()}


def _check_token(request: Json) -> Json:
    check_token_untrusted(SUITE, *_token(request), HEX(request["token"]))
    return {}


# --- cards, rotations, letters ---


def _make_card(request: Json) -> Json:
    return {"card": make_card(SUITE, HEX(request["I_private"]), _value(CardBody, request["body"])).hex()}


def _open_card(request: Json) -> Json:
    body = open_card_untrusted(SUITE, HEX(request["card"]))
    check_expiry_untrusted(body, request["now_s"])
    if request["name_asked"] is not None:
        check_name_untrusted(body, request["name_asked"])
    return {"body": plain(body)}


def _make_rotation(request: Json) -> Json:
    former, identity = HEX(request["former_private"]), HEX(request["identity"])
    made: Json = plain(make_rotation(SUITE, former, identity, request["rotated_name"]))
    return made


def _open_rotation(request: Json) -> Json:
    rotation = Rotation(HEX(request["former"]), HEX(request["signature"]))
    check_rotation_untrusted(SUITE, rotation, HEX(request["identity"]), request["rotated_name"])
    return {}


def _make_letter(request: Json) -> Json:
    suite = Scripted(HEX(request["ephemeral_private"]))
    sender, recipient, key = (HEX(request[name]) for name in ("sender_I_private", "recipient", "recipient_key"))
    return {"letter": seal_letter_untrusted(suite, sender, recipient, key, _value(LetterBody, request["body"])).hex()}


def _open_letter(request: Json) -> Json:
    keys = [OpeningKey.of(SUITE, HEX(private)) for private in request["keys"]]
    body = open_letter_untrusted(SUITE, HEX(request["recipient"]), keys, _parsed(Letter, request["letter"]))
    return {"body": plain(body), **_derive_ack({"secret": body.secret.hex()})}


def _parsed(kind: type[Any], data: str) -> Any:  # noqa: ANN401 - of that kind
    datagram = parse_untrusted(HEX(data))
    if not isinstance(datagram, kind):
        raise BadDatagram(Reason.TYPE)
    return datagram


# --- the Link ---


def _client_link(request: Json) -> Json:
    retry: Retry = _parsed(Retry, request["retry"])
    begun = initiate_untrusted(
        Scripted(HEX(request["ephemeral_private"])),
        retry.server_key,
        retry.token,
        HEX(request["index"]),
        HEX(request["L_private"]),
        HEX(request["card"]),
    )
    link: Link | None = None
    resps: list[Json] = []
    for resp in request["resps"]:
        try:
            link = begun.finish_untrusted(SUITE, _parsed(Resp, resp))
            resps.append({"ok": {}})
        except BadDatagram as refused:
            resps.append({"refused": refused.reason.value})
    return {"init": begun.init.hex(), "resps": resps, "records": _records(link, request["records"]) if link else []}


def _server_link(request: Json) -> Json:
    suite, init = Scripted(HEX(request["ephemeral_private"])), _parsed(Init, request["init"])
    private, index = HEX(request["S_private"]), HEX(request["index"])
    answer = respond_untrusted(suite, private, init, index, request["now_s"])
    records = _records(answer.link, request["records"])
    return {"resp": answer.resp.hex(), "card": answer.card_bytes.hex(), "records": records}


def _records(link: Link, asked: list[Json]) -> list[Json]:
    done: list[Json] = []
    for record in asked:
        try:
            if "seal" in record:
                done.append({"record": link.seal(SUITE, HEX(record["seal"])).hex()})
            else:
                done.append({"plaintext": link.open_untrusted(SUITE, _parsed(Record, record["open"])).hex()})
        except BadDatagram as refused:
            done.append({"refused": refused.reason.value})
    return done


def _sequence(request: Json) -> Json:
    link = Link(HEX(request["index"]), bytes(4), bytes(32), HEX(request["key"]))
    return {"records": _records(link, [{"open": record} for record in request["records"]])}


OPERATIONS: Final[Mapping[tuple[Any, Any], Callable[[Json], Json]]] = {
    ("decode", "datagram"): _cut,
    ("encode", "datagram"): _make,
    ("decode", "messages"): _read_messages,
    ("encode", "messages"): _write_messages,
    ("derive", "key id"): _derive_key_id,
    ("derive", "ack"): _derive_ack,
    ("derive", "safety number"): _derive_safety,
    ("derive", "succession"): _derive_succession,
    ("make", "token"): _make_token,
    ("open", "token"): _check_token,
    ("make", "card"): _make_card,
    ("open", "card"): _open_card,
    ("make", "rotation"): _make_rotation,
    ("open", "rotation"): _open_rotation,
    ("make", "letter"): _make_letter,
    ("open", "letter"): _open_letter,
    ("link", "client"): _client_link,
    ("link", "server"): _server_link,
    ("records", None): _sequence,
}
