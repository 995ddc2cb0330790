"""messages.json: what is said in a RECORD, as it may be said, and every way of saying it wrongly."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from udpchat_core.address import Address
from udpchat_core.errors import Reason
from udpchat_core.fields import CollectedEntry, Outcome, Refusal, RosterEntry, Scope, ServerLimits, Version
from udpchat_core.limits import RECORD_MESSAGES_MAX
from udpchat_core.messages import (
    Collected,
    Deregister,
    Deregistered,
    Found,
    Lookup,
    Mail,
    Message,
    Noted,
    Padding,
    Ping,
    Pong,
    Receipt,
    Refused,
    Register,
    Registered,
    Returned,
    Roster,
    RosterChanged,
    Store,
    Stored,
    Superseded,
    Watch,
)
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.secure.rotation import make_rotation
from udpchat_core.wire import BY_CODE, RECORD_PLAINTEXT_BYTES_MIN, encode, pack

from ..extremes import extreme
from .derived import ADDRESS, ADDRESS_V6
from .letters import STORED_LETTER, STORED_SECRET
from .making import (
    ALICE,
    BOB,
    NOW_S,
    NUMBER_LIMIT,
    SUITE,
    YEAR_10000_S,
    Vector,
    accepted,
    cbor,
    key,
    misencoded,
    refused,
)

VIEW: Final = Version(bytes.fromhex("b007b007b007b007"), 41)
SLOT: Final = slot_of(SUITE, STORED_SECRET)
ACK: Final = ack_of(SUITE, STORED_SECRET)
ROTATION: Final = make_rotation(SUITE, key("Bob, the identity before"), BOB.body.identity, "bob")
REGISTERED: Final = Registered(1, ADDRESS, 2, ServerLimits(500, 50, 256, 200, 20), NOW_S * 1_000)
USUAL: Final[Sequence[Message]] = (
    Padding(bytes(33)),
    Register(1),
    Register(1, SLOT, None),
    Register(1, None, ROTATION),
    REGISTERED,
    Deregister(9),
    Deregistered(9),
    Lookup(2, "bob"),
    Found(2, BOB.card, ADDRESS_V6, 60),
    Found(3, BOB.card, None, 60),
    Found(3, BOB.card, None, 60, ROTATION),
    Refused(4, Refusal.STALE_CARD, 0, 8),
    Refused(5, Refusal.BUSY, 30, 0),
    Watch(6, Scope.ALL, (), VIEW, "bob"),
    Watch(7, Scope.ADD, ("bob", "carol"), None, None),
    Watch(8, Scope.REMOVE, ("carol",), VIEW, None),
    Watch(9, Scope.WATCHED, (), VIEW, "bob"),
    Roster(6, VIEW, (RosterEntry("bob", True, 1), RosterEntry("carol", False, 24)), False, True),
    RosterChanged(VIEW),
    Store(10, BOB.body.identity, SLOT, 1, STORED_LETTER),
    Stored(10, False, 3),
    Mail(3, SLOT, STORED_LETTER),
    Collected((CollectedEntry(3, Outcome.ACKNOWLEDGED, ACK), CollectedEntry(4, Outcome.UNOPENABLE, None))),
    Receipt(SLOT, ACK),
    Returned(SLOT),
    Noted((SLOT,)),
    Ping(11),
    Pong(11, VIEW),
    Superseded(),
)
_HEADS: Final = (0, 23, 24, 255, 256, 65_535, 65_536, 2**32 - 1, 2**32, NUMBER_LIMIT - 1)


def messages() -> Vector:
    """The file."""
    return {
        "about": "The plaintext of RECORDs. Padding is listed where it stands; it means nothing.",
        "accepted": list(_accepted()),
        "refused": [*_misencoded(), *_wrong_items(), *_wrong_messages(), *_wrong_fields()],
    }


# --- accepted ---


def _accepted() -> Iterator[Vector]:
    seen: dict[str, int] = {}
    for message in USUAL:
        name = type(message).__name__
        seen[name] = seen.get(name, 0) + 1
        yield _said(name if seen[name] == 1 else f"{name}, another ({seen[name]})", message)
    for kind in BY_CODE.values():
        if kind is not Superseded:  # it has no fields: there is one only
            yield _said(f"{kind.__name__}, the shortest", extreme(kind, False))
            yield _said(f"{kind.__name__}, the longest", extreme(kind, True))
    for refusal in Refusal:
        yield _said(f"Refused: {refusal.name.lower().replace('_', ' ')}", Refused(1, refusal, 0, 0))
    for number in _HEADS:
        yield _said(f"a number at the end of a form of head: {number}", Ping(number))
    yield _said("an IPv6 address that only looks like one that maps IPv4", _registered(bytes(10) + b"\xff\xfe\0\0\0\1"))
    yield _said("two messages", Receipt(SLOT, ACK), Pong(1, VIEW))
    for count in (23, 24, RECORD_MESSAGES_MAX):
        yield _said(f"{count} messages", *[Ping(at) for at in range(count)])
    padded = Padding(bytes(RECORD_PLAINTEXT_BYTES_MIN - 1 - len(encode(Ping(1))) - 4))
    yield _said("a client's Ping, filled up to the length of a RETRY (R-5.1-5)", Ping(1), padded)


def _registered(host: bytes) -> Message:
    return Registered(1, Address(host, 1), 0, REGISTERED.limits, 0)


def _said(name: str, *said: Message) -> Vector:
    return accepted(name, plaintext=pack([encode(message) for message in said]), messages=said)


# --- refused ---


def _misencoded() -> Iterator[Vector]:
    for name, values in (("Lookup", [5, 7, "bob"]), ("Receipt", [15, SLOT, ACK])):
        for encoded, reason, wrong in misencoded(values):
            yield refused(f"in {name}, {wrong}", reason, plaintext=b"\x81" + encoded)


def _wrong_items() -> Iterator[Vector]:
    """What is wrong before any message is looked at."""
    items = [
        ("the plaintext is empty", "", Reason.CBOR),
        ("an array of two holds one", "82821201", Reason.CBOR),
        ("an array claims 2^64 - 1 items", "9bffffffffffffffff", Reason.CBOR),
        ("a byte string claims 2^64 - 1 bytes", "5bffffffffffffffff", Reason.CBOR),
        ("a break stands alone", "ff", Reason.CBOR),
        ("the head has the reserved form 28", "1c", Reason.CBOR),
        ("the array of messages has an indefinite length", "9f821201ff", Reason.CBOR),
        ("the array's head takes two bytes where one does", "9801821201", Reason.NOT_CANONICAL),
        ("a byte follows the array", "8182120100", Reason.NOT_CANONICAL),
        ("a second array follows the first", "8182120181821202", Reason.NOT_CANONICAL),
        ("a number stands in nine bytes where two do", "8182121b0000000000000018", Reason.NOT_CANONICAL),
        ("a number is a bignum (tag 2)", "818212c24101", Reason.CBOR),
        ("a number is a date (tag 1)", "818212c101", Reason.CBOR),
        ("a text is not UTF-8", "8183050162c328", Reason.CBOR),
        ("a text holds half of a surrogate pair", "8183050163eda080", Reason.CBOR),
        ("a text holds an overlong form", "8183050162c180", Reason.CBOR),
        ("arrays are nested five deep", "818509018248000000000000000001818381000001f4", Reason.CBOR),
        ("arrays are nested 600 deep", "81" * 600 + "00", Reason.CBOR),
        ("the plaintext is a number", "00", Reason.FIELDS),
        ("the plaintext is a text", "6161", Reason.FIELDS),
        ("the plaintext is a map", "a0", Reason.FIELDS),
        ("the plaintext is undefined", "f7", Reason.FIELDS),
    ]
    for wrong, plaintext, reason in items:
        yield refused(wrong, reason, plaintext=bytes.fromhex(plaintext))


def _wrong_messages() -> Iterator[Vector]:
    ping = [18, 1]
    unknown: list[tuple[str, list[Any]]] = [
        ("there is no message", []),
        ("there are 65 messages", [ping] * 65),
        ("code 21 is not defined", [[21, 1]]),
        ("code 255 is not defined", [[255]]),
        ("the code is negative", [[-1, 1]]),
        ("the code is true, which is no 1", [[True, 1]]),
        ("the code is the float 18.0", [[18.0, 1]]),
        ("the code is a text", [["18", 1]]),
        ("the code is null", [[None, 1]]),
        ("a message has not even a code", [[]]),
        ("a message is a number", [18]),
        ("a message is a map", [{18: 1}]),
        ("a message is null", [None]),
        ("the second of two messages is not defined: the first is refused with it", [ping, [21]]),
    ]
    for wrong, said in unknown:
        yield refused(wrong, Reason.MESSAGE, plaintext=cbor(*said))


def _wrong_fields() -> Iterator[Vector]:
    for wrong, fields in [*_numbers_and_names(), *_nested(), *_lists(), *_sizes()]:
        yield refused(wrong, Reason.FIELDS, plaintext=cbor(fields))


_Cases = list[tuple[str, list[Any]]]


def _numbers_and_names() -> _Cases:
    numbers: list[tuple[str, Any]] = [("2^48", NUMBER_LIMIT), ("2^64 - 1", 2**64 - 1), ("-1", -1), ("true", True)]
    numbers += [("the float 1.0", 1.0), ("null", None), ("a text", "1"), ("a byte string", b"\1"), ("a list", [1])]
    names: list[tuple[str, Any]] = [("empty", ""), ("of 33 characters", "a" * 33), ("with a capital", "Bob")]
    names += [("with a line feed at its end", "bob\n"), ("beginning with a hyphen", "-rf"), ("of dots", "..")]
    names += [("with a Cyrillic letter", "b\u043eb"), ("with a space", "bob s"), ("with a NUL", "bob\0")]
    names += [("beginning with an underscore", "_bob"), ("a byte string", b"bob"), ("null", None)]
    return [
        *((f"the id of a Ping is {what}", [18, value]) for what, value in numbers),
        *((f"the name of a Lookup is {what}", [5, 1, value]) for what, value in names),
        ("a Superseded has a field", [20, 1]),
        ("a Padding has no field", [0]),
        ("the name to go on after is out of its range", [8, 1, 1, [], None, "Bob"]),
        ("the wait of a Refused is 2^48", [7, 1, 2, NUMBER_LIMIT, 0]),
        ("refusal 0 is not defined", [7, 1, 0, 0, 0]),
        ("refusal 12 is not defined", [7, 1, 12, 0, 0]),
        ("the refusal is true, which is no 1", [7, 1, True, 0, 0]),
        ("the online of a Stored is 1, which is not true", [12, 1, 1]),
        ("the online of a Stored is null", [12, 1, None]),
    ]


def _nested() -> _Cases:
    limits, view = [0] * 5, [bytes(8), 1]

    def registered(host: Any, port: Any) -> list[Any]:  # noqa: ANN401
        return [2, 1, [host, port], 0, limits, 1]

    return [
        ("a host has 5 bytes", registered(bytes(5), 1)),
        ("a host has no bytes", registered(b"", 1)),
        ("a host is a text", registered("1234", 1)),
        ("an IPv6 address maps IPv4", registered(bytes(10) + b"\xff\xff" + bytes((192, 0, 2, 1)), 1)),
        ("a port is 0", registered(bytes(4), 0)),
        ("a port is 65536", registered(bytes(4), 65_536)),
        ("an invitation has 15 bytes", [1, 1, bytes(15), None]),
        ("a rotation has a signature of 63 bytes", [1, 1, None, [bytes(32), bytes(63)]]),
        ("a rotation has one field", [1, 1, None, [bytes(32)]]),
        ("a Register has no invitation and no rotation, not even null", [1, 1]),
        ("the address of a Registered is null", [2, 1, None, 0, limits, 1]),
        ("an address has a third field", [2, 1, [bytes(4), 1, 0], 0, limits, 1]),
        ("the time of a Registered is in the year 10000", [2, 1, [bytes(4), 1], 0, limits, YEAR_10000_S * 1_000]),
        ("the limits of a Registered are four", [2, 1, [bytes(4), 1], 0, [0] * 4, 1]),
        ("one of the limits is 2^48", [2, 1, [bytes(4), 1], 0, [*[0] * 4, NUMBER_LIMIT], 1]),
        ("a view's boot has 7 bytes", [10, [bytes(7), 1]]),
        ("a view has no counter", [10, [bytes(8)]]),
        ("a view is null", [10, None]),
        ("a Pong's version is a number", [19, 1, 1]),
        ("scope 0 is not defined", [8, 1, 0, [], None, None]),
        ("scope 5 is not defined", [8, 1, 5, ["bob"], None, None]),
        ("a Watch of all has names", [8, 1, 1, ["bob"], None, None]),
        ("a Watch of what is watched has names", [8, 1, 4, ["bob"], None, None]),
        ("a Watch that adds has no names", [8, 1, 2, [], None, None]),
        ("a Watch that removes has no names", [8, 1, 3, [], None, None]),
        ("the names of a Watch are a text", [8, 1, 2, "bob", None, None]),
        ("the more of a Roster is 0, which is not false", [9, 1, view, [], 0, True]),
        ("the full of a Roster is null", [9, 1, view, [], True, None]),
        ("the online of a roster's entry is 1, which is not true", [9, 1, view, [["bob", 1, 1]], True, True]),
        ("a roster's entry has two fields", [9, 1, view, [["bob", True]], True, True]),
        ("a roster's entry is a name", [9, 1, view, ["bob"], True, True]),
        ("outcome 0 is not defined", [14, [[1, 0, None]]]),
        ("outcome 4 is not defined", [14, [[1, 4, None]]]),
        ("an entry collected as acknowledged has no ack", [14, [[1, 1, None]]]),
        ("an entry collected as unopenable has an ack", [14, [[1, 2, bytes(16)]]]),
        ("an entry collected as unwanted has an ack", [14, [[1, 3, bytes(16)]]]),
    ]


def _lists() -> _Cases:
    return [
        ("a Watch has 33 names", [8, 1, 2, ["a"] * 33, None, None]),
        ("a Roster has 25 entries", [9, 1, [bytes(8), 1], [["a", True, 1]] * 25, True, True]),
        ("a Collected has no entries", [14, []]),
        ("a Collected has 39 entries", [14, [[1, 2, None]] * 39]),
        ("a Noted has no slots", [17, []]),
        ("a Noted has 65 slots", [17, [bytes(16)] * 65]),
    ]


def _sizes() -> _Cases:
    card, letter, person = ALICE.card, STORED_LETTER, bytes(32)
    return [
        ("a Padding has 65 bytes", [0, bytes(65)]),
        ("a byte of a Padding is not zero", [0, bytes(32) + b"\1"]),
        ("the card of a Found has 171 bytes", [6, 1, card[:171], None, 1]),
        ("the card of a Found has 221 bytes", [6, 1, card + bytes(221 - len(card)), None, 1]),
        ("the letter of a Store has 180 bytes", [11, 1, person, bytes(16), 1, letter[:180]]),
        ("the letter of a Store has 1,049 bytes", [11, 1, person, bytes(16), 1, letter + bytes(1_049 - len(letter))]),
        ("the letter of a Mail has 180 bytes", [13, 1, bytes(16), letter[:180]]),
        ("the letter of a Mail has 1,049 bytes", [13, 1, bytes(16), letter + bytes(1_049 - len(letter))]),
        ("the recipient of a Store has 31 bytes", [11, 1, bytes(31), bytes(16), 1, letter]),
        ("the slot of a Store has 17 bytes", [11, 1, person, bytes(17), 1, letter]),
        ("the slot of a Receipt has 15 bytes", [15, bytes(15), bytes(16)]),
        ("the ack of a Receipt has 17 bytes", [15, bytes(16), bytes(17)]),
        ("the slot of a Returned is a text", [16, "a" * 16]),
        ("a slot of a Noted has 15 bytes", [17, [bytes(16), bytes(15)]]),
    ]
