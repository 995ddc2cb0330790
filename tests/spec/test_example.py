"""The worked example is the vectors: every byte of them once, each datagram among them, and no piece is left out."""

import re

import pytest

from spec.tools import example
from spec.tools.example import Piece, clear, dump, items
from spec.tools.requirements import our_sections
from tests.spec.vectors import FILES
from udpchat_core.address import Address
from udpchat_core.datagrams import Hello
from udpchat_core.fields import Refusal
from udpchat_core.messages import Refused
from udpchat_core.wire import parse_untrusted, unpack_untrusted

HANDSHAKE = FILES["link"]["handshakes"][0]
LETTER = FILES["letters"]["accepted"][0]


def shown(drawing: str) -> str:
    """The bytes of a drawing, in hexadecimal."""
    rows = (re.match(r" *\d+  ((?:[0-9a-f]{2} ?)+)", line) for line in drawing.splitlines())
    return "".join(row[1].replace(" ", "") for row in rows if row)


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ("example_hello", HANDSHAKE["hello"]),
        ("example_retry", HANDSHAKE["retry"]),
        ("example_card", HANDSHAKE["card"]),
        ("example_init", HANDSHAKE["init"]),
        ("example_resp", HANDSHAKE["resp"]),
        ("example_register", HANDSHAKE["records"][0]["plaintext"]),
        ("example_register_record", HANDSHAKE["records"][0]["record"]),
        ("example_registered", HANDSHAKE["records"][1]["plaintext"]),
        ("example_registered_record", HANDSHAKE["records"][1]["record"]),
        ("example_letter", LETTER["plaintext"]),
        ("example_letter_datagram", LETTER["letter"]),
        ("example_ack", "750107" + LETTER["ack"]),
    ],
)
def test_what_is_drawn_is_what_the_vectors_have(part: str, expected: str) -> None:
    assert shown(example.PARTS[part]()) == expected


def test_every_part_has_its_place_in_the_section() -> None:
    text = our_sections()["15-example.md"]
    assert [name for name in example.PARTS if f"<!-- generated: {name} -->" not in text] == []


def test_pieces_that_are_not_the_whole_are_an_error() -> None:
    with pytest.raises(AssertionError, match="the pieces are the whole"):
        dump(b"ab", [Piece(b"a", "a")])


def test_a_row_has_sixteen_bytes_and_what_is_said_stands_beside_the_first() -> None:
    assert dump(bytes(17), [Piece(bytes(17), "zeros")]).splitlines()[1:3] == [
        "   0  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00  zeros",
        "  16  00",
    ]


def test_what_is_said_at_length_is_wrapped() -> None:
    first, second = dump(b"a", [Piece(b"a", "word " * 20)]).splitlines()[1:3]
    assert first.startswith("   0  61 ")
    assert re.fullmatch(r" {55,}(word ?)+", second)


def test_a_layout_is_cut_at_its_fields() -> None:
    hello = bytes.fromhex(HANDSHAKE["hello"])
    assert [len(piece.data) for piece in clear(Hello, hello)] == [2, 1, 16, 48]


def test_what_is_sealed_is_named_field_by_field() -> None:
    said = [piece.said for piece in items(Refused(5, Refusal.BUSY, 3, 0))]
    assert said[:3] == ["array of 5", "code = 7", "id = 5: of the request"]
    host, *_ = [piece.said for piece in items(Address(bytes(4), 80)) if piece.said.startswith("host")]
    assert host.startswith("host: the IP address")


def test_the_ladder_of_section_4_is_the_handshake_of_the_vectors() -> None:
    rungs = re.findall(r"\|(<?)-+ ([A-Z]+): (\w+)", our_sections()["04-link.md"])
    sent = [HANDSHAKE[name] for name in ("hello", "retry", "init", "resp")]
    sent += [said["record"] for said in HANDSHAKE["records"][:2]]
    kinds = [type(parse_untrusted(bytes.fromhex(payload))).__name__.upper() for payload in sent]
    assert [kind for _, kind, _ in rungs] == kinds
    assert ["S to C" if back else "C to S" for back, _, _ in rungs] == ["C to S", "S to C"] * 3
    said = [unpack_untrusted(bytes.fromhex(each["plaintext"])) for each in HANDSHAKE["records"][:2]]
    assert [first for _, _, first in rungs[-2:]] == [type(messages[0]).__name__ for messages in said]
