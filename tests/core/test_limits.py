"""Every cap is named with its unit and reason, and no two of them contradict."""

from spec.tools.extremes import extreme
from spec.tools.source import described
from udpchat_core import limits
from udpchat_core.bodies import CardBody, LetterBody
from udpchat_core.datagrams import HEADER_BYTES, LAYOUTS
from udpchat_core.secure.keys import SIGNATURE_BYTES
from udpchat_core.wire import RETRY_BYTES, encode

HPKE_BYTES = 32 + 16


def test_every_limit_has_a_reason() -> None:
    named = {name for name in vars(limits) if name.isupper()}
    assert {name for name, _, why in described(limits) if len(why) > 20} == named


def test_the_bounds_of_cards_and_letters_are_what_the_codec_makes() -> None:
    cards = [SIGNATURE_BYTES + len(encode(extreme(CardBody, longest))) for longest in (False, True)]
    letters = [
        HEADER_BYTES + 4 + HPKE_BYTES + SIGNATURE_BYTES + len(encode(extreme(LetterBody, longest)))
        for longest in (False, True)
    ]
    assert cards == [limits.CARD_BYTES_MIN, limits.CARD_BYTES_MAX]
    assert letters == [limits.LETTER_BYTES_MIN, limits.LETTER_BYTES_MAX]


def test_no_layout_is_longer_than_a_datagram() -> None:
    for layout in LAYOUTS.values():
        assert HEADER_BYTES + sum(field.bytes_max for field in layout) <= limits.DATAGRAM_BYTES_MAX


def test_a_hello_is_as_long_as_its_retry() -> None:
    lengths = {
        kind.__name__: HEADER_BYTES + sum(field.bytes_min for field in fields) for kind, fields in LAYOUTS.items()
    }
    assert lengths["Hello"] == RETRY_BYTES  # R-3.3-1
    assert lengths["Init"] > RETRY_BYTES


def test_64_kib_fit_the_parts_however_they_are_cut() -> None:
    assert limits.PARTS_MAX * (limits.TEXT_BYTES_MAX - 3) >= 65_536
