"""What is sealed, as `udpchat.cddl` says: a reader for each type, structures of them, and the messages of a RECORD.

A reader takes a plain CBOR value and returns it, or raises Refused. A structure is an array on the wire and a
dictionary here, with the names of the grammar, in its order.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .cbor import Refused, decode, encode
from .keys import small_order_ed25519, small_order_x25519

Reader = Callable[[Any], Any]

NUMBER_LIMIT = 2**48
TIME_S_LIMIT = 253_402_300_800
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
TEXT_BYTES_MAX = 800
PARTS_MAX = 83
RECORD_MESSAGES_MAX = 64


def within(least: int, limit: int) -> Reader:
    def read(value: Any) -> int:
        if type(value) is not int or not least <= value < limit:  # R-3.2-3: true is no 1
            raise Refused("no number, or out of its range")
        return value

    return read


def octets(least: int, most: int | None = None, trap: Callable[[bytes], bool] | None = None) -> Reader:
    def read(value: Any) -> bytes:
        if type(value) is not bytes or not least <= len(value) <= (least if most is None else most):
            raise Refused("no bytes, or too few, or too many")
        if trap is not None and trap(value):
            raise Refused("a public key of small order")
        return value

    return read


def maybe(reader: Reader) -> Reader:
    return lambda value: None if value is None else reader(value)


def many(reader: Reader, least: int, most: int) -> Reader:
    def read(value: Any) -> list[Any]:
        if type(value) is not list or not least <= len(value) <= most:
            raise Refused("no array, or too few items, or too many")
        return [reader(item) for item in value]

    return read


def boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise Refused("no boolean")
    return value


def name(value: Any) -> str:
    if type(value) is not str or not NAME.fullmatch(value):  # R-2.1-1
        raise Refused("no name")
    return value


def letter_text(value: Any) -> str:
    if type(value) is not str or not 1 <= len(value.encode()) <= TEXT_BYTES_MAX:  # R-6.2-3
        raise Refused("no text, or an empty one, or too long")
    return value


def zeros(value: Any) -> bytes:
    data: bytes = octets(0, 64)(value)
    if any(data):  # R-5.1-4
        raise Refused("padding that is not zero")
    return data


class Struct:
    """An array of fields with names; `also` is what the grammar says in its comments."""

    def __init__(self, also: Callable[[dict[str, Any]], bool] | None = None, /, **fields: Reader) -> None:
        self.fields = fields
        self.also = also

    def __call__(self, value: Any) -> dict[str, Any]:
        if type(value) is not list or len(value) != len(self.fields):  # R-3.2-4
            raise Refused("no array, or a field is missing, or too much")
        read = {name: reader(item) for (name, reader), item in zip(self.fields.items(), value, strict=True)}
        if self.also is not None and not self.also(read):
            raise Refused("fields that do not go together")
        return read

    def plain(self, fields: dict[str, Any]) -> list[Any]:
        """The array of `fields`; what would be refused is not made."""
        value = [_plain(fields[name]) for name in self.fields]
        self(value)
        return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return [_plain(item) for item in value.values()]
    return [_plain(item) for item in value] if isinstance(value, list) else value


number, ordinal = within(0, NUMBER_LIMIT), within(1, NUMBER_LIMIT)
time_s, time_ms = within(0, TIME_S_LIMIT), within(0, TIME_S_LIMIT * 1000)
part_number = within(1, PARTS_MAX + 1)
bytes8, bytes16, bytes32, bytes64 = octets(8), octets(16), octets(32), octets(64)
identity = octets(32, trap=small_order_ed25519)
exchange_key = octets(32, trap=small_order_x25519)
card, letter = octets(172, 220), octets(181, 1048)


def host(value: Any) -> bytes:
    if type(value) is not bytes or len(value) not in (4, 16) or (len(value) == 16 and value[:12] == MAPPED):  # R-5.1-3
        raise Refused("no IPv4 or IPv6 address")
    return value


MAPPED = bytes(10) + b"\xff\xff"
address = Struct(host=host, port=within(1, 2**16))
view = Struct(boot=bytes8, counter=number)
server_limits = Struct(
    mailbox_letters_max=number,
    sender_letters_max=number,
    watched_names_max=number,
    watch_all_users_max=number,
    requests_per_s_max=number,
)
rotation = Struct(former=bytes32, signature=bytes64)  # whether it holds is asked where it is used (R-2.4-3)
roster_entry = Struct(name=name, online=boolean, card_seq=number)
collected_entry = Struct(
    lambda f: (f["outcome"] == 1) == (f["ack"] is not None), entry=number, outcome=within(1, 4), ack=maybe(bytes16)
)

card_body = Struct(
    version=within(1, 2),
    seq=ordinal,
    expires_s=time_s,
    identity=identity,
    live=exchange_key,
    mail=exchange_key,
    name=name,
)
letter_body = Struct(
    lambda f: f["floor"] <= f["seq"] and f["part"] <= f["parts"],  # R-6.2-4
    sender=identity,
    name=name,
    epoch=number,
    seq=ordinal,
    floor=ordinal,
    secret=bytes16,
    sent_ms=time_ms,
    part=part_number,
    parts=part_number,
    text=letter_text,
)


@dataclass(frozen=True)
class Message:
    """One message: its name, and its fields by theirs."""

    kind: str
    fields: dict[str, Any]

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]


def message(kind: str, **fields: Any) -> Message:
    return Message(kind, fields)


MESSAGES: dict[int, tuple[str, Struct]] = {
    0: ("Padding", Struct(zeros=zeros)),
    1: ("Register", Struct(id=number, invite=maybe(bytes16), rotation=maybe(rotation))),
    2: ("Registered", Struct(id=number, observed=address, waiting=number, limits=server_limits, time_ms=time_ms)),
    3: ("Deregister", Struct(id=number)),
    4: ("Deregistered", Struct(id=number)),
    5: ("Lookup", Struct(id=number, name=name)),
    6: ("Found", Struct(id=number, card=card, address=maybe(address), ttl_s=number, rotation=maybe(rotation))),
    7: ("Refused", Struct(id=number, refusal=within(1, 12), wait_s=number, card_seq=number)),
    8: (
        "Watch",
        Struct(
            lambda f: (f["scope"] in (2, 3)) == bool(f["names"]),
            id=number,
            scope=within(1, 5),
            names=many(name, 0, 32),
            since=maybe(view),
            after=maybe(name),
        ),
    ),
    9: ("Roster", Struct(id=number, version=view, entries=many(roster_entry, 0, 24), more=boolean, full=boolean)),
    10: ("RosterChanged", Struct(version=view)),
    11: ("Store", Struct(id=number, recipient=bytes32, slot=bytes16, attempt=number, letter=letter)),
    12: ("Stored", Struct(id=number, online=boolean, attempt=number)),
    13: ("Mail", Struct(entry=number, slot=bytes16, letter=letter)),
    14: ("Collected", Struct(entries=many(collected_entry, 1, 38))),
    15: ("Receipt", Struct(slot=bytes16, ack=bytes16)),
    16: ("Returned", Struct(slot=bytes16)),
    17: ("Noted", Struct(slots=many(bytes16, 1, 64))),
    18: ("Ping", Struct(id=number)),
    19: ("Pong", Struct(id=number, version=view)),
    20: ("Superseded", Struct()),
}
CODES = {kind: code for code, (kind, _) in MESSAGES.items()}


def message_bytes(said: Message) -> bytes:
    """The encoding of one message, as it stands in a record after the array's head."""
    code = CODES[said.kind]
    return encode([code, *MESSAGES[code][1].plain(said.fields)])


def record_bytes(parts: list[bytes]) -> bytes:
    """The plaintext of a RECORD: the array of the messages that are already encoded."""
    if not 1 <= len(parts) <= RECORD_MESSAGES_MAX:  # R-5.1-2
        raise Refused("no message, or too many")
    head = encode([0] * len(parts))
    return head[: len(head) - len(parts)] + b"".join(parts)


def read_record(plaintext: bytes) -> list[Message]:
    """The messages of a RECORD, all of them or Refused."""
    value = decode(plaintext)
    if type(value) is not list or not 1 <= len(value) <= RECORD_MESSAGES_MAX:
        raise Refused("no message, or too many")
    return [_read_message(item) for item in value]


def _read_message(item: Any) -> Message:
    if type(item) is not list or not item or type(item[0]) is not int or item[0] not in MESSAGES:  # R-5.1-1
        raise Refused("no such message")
    kind, fields = MESSAGES[item[0]]
    return Message(kind, fields(item[1:]))
