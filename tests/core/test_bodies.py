"""Bodies of cards and letters are strict: what a field may not hold cannot be built."""

from tests.strategies import is_valid
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.limits import NUMBER_LIMIT, TEXT_BYTES_MAX, TIME_S_LIMIT
from udpchat_core.messages import Ping

KEY = bytes(32)


def letter(**changed: object) -> bool:
    values: dict[str, object] = {
        "sender": KEY,
        "name": "bob",
        "epoch": 0,
        "seq": 5,
        "floor": 5,
        "secret": bytes(16),
        "sent_ms": 0,
        "part": 2,
        "parts": 2,
        "text": "hi",
    }
    return is_valid(LetterBody, *(values | changed).values())


def test_numbers_end_below_2_to_the_48() -> None:
    assert Ping(NUMBER_LIMIT - 1).id == 2**48 - 1  # R-3.2-5
    assert not is_valid(Ping, NUMBER_LIMIT)
    assert not is_valid(Ping, -1)
    for field in ("epoch", "seq"):
        assert letter(**{field: NUMBER_LIMIT - 1})
        assert not letter(**{field: NUMBER_LIMIT})
    assert not letter(seq=0, floor=0)


def test_times_end_before_the_year_10000() -> None:
    assert letter(sent_ms=TIME_S_LIMIT * 1000 - 1)  # R-3.2-6
    assert not letter(sent_ms=TIME_S_LIMIT * 1000)
    assert is_valid(CardBody, 1, 1, TIME_S_LIMIT - 1, KEY, KEY, KEY, "bob")
    assert not is_valid(CardBody, 1, 1, TIME_S_LIMIT, KEY, KEY, KEY, "bob")
    assert not is_valid(CardBody, 2, 1, 0, KEY, KEY, KEY, "bob")


def test_a_text_is_counted_in_bytes() -> None:
    assert letter(text="é" * (TEXT_BYTES_MAX // 2))  # R-6.2-3
    assert not letter(text="é" * (TEXT_BYTES_MAX // 2) + "a")
    assert not letter(text="")
    assert not letter(text="\ud800")


def test_floor_and_part_stay_within_seq_and_parts() -> None:
    assert letter(floor=5)  # R-6.2-4
    assert not letter(floor=6)
    assert letter(part=2)
    assert not letter(part=3)
    assert not letter(part=0)
    assert not letter(parts=84)
