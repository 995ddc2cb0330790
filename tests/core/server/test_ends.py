"""Ends by link index: each is found under its own index and no other, however many come and go."""

from dataclasses import dataclass
from functools import partial
from random import Random

from udpchat_core.server.ends import Ends


@dataclass(frozen=True, slots=True)
class End:
    """Something with an index."""

    index: bytes


def test_ends_that_come_and_go_are_found_under_their_indexes_and_no_others() -> None:
    random = Random(1)
    ends: Ends[End] = Ends()
    there: dict[bytes, End] = {}
    gone: list[bytes] = []
    for number in range(4_000):
        end = End(ends.free(partial(random.randbytes, 4)))
        assert end.index not in there
        ends.put(end)
        there[end.index] = end
        if number % 3 == 2:
            gone.append(random.choice(list(there)))
            ends.drop(gone[-1])
            del there[gone[-1]]
        assert len(ends) == len(there)
    assert all(ends.get(index) is end for index, end in there.items())
    assert all(ends.get(index) is None for index in gone)


def test_an_index_that_shares_its_place_with_an_end_is_not_given_and_finds_nobody() -> None:
    ends: Ends[End] = Ends()
    draws = iter([b"\0\0\0\5", b"\1\0\0\5", b"\1\0\0\6"])
    ends.put(End(ends.free(lambda: next(draws))))
    assert ends.free(lambda: next(draws)) == b"\1\0\0\6"
    assert ends.get(b"\1\0\0\5") is None
    assert ends.get(b"\1\0\0\6") is None


def test_a_list_as_full_as_it_gets_still_has_places_for_most_draws() -> None:
    random = Random(1)
    ends: Ends[End] = Ends()
    drawn = 0

    def draw() -> bytes:
        nonlocal drawn
        drawn += 1
        return random.randbytes(4)

    for _ in range(10_000):
        ends.put(End(ends.free(draw)))
    assert drawn < 4 * 10_000
