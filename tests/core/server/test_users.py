"""Users by name and by identity: each is found by its own and no other, however many come, change and go."""

from functools import cache
from random import Random

import pytest

from tests.core.server.world import World
from udpchat_core.server.session import User
from udpchat_core.server.users import Users


@cache
def user(number: int) -> User:
    return User(World().client(f"person-{number}").card)


@pytest.mark.parametrize("there_first", [0, 500])
def test_users_that_come_and_go_are_found_by_their_keys_and_no_others(there_first: int) -> None:
    random = Random(1)
    there = {user(number).name: user(number) for number in range(there_first)}
    users = Users[str](lambda each: each.name, list(there.values()))
    for number in range(there_first, 1_000):
        users.add(user(number))
        there[user(number).name] = user(number)
        if number % 3 == 0:
            name = random.choice(list(there))
            users.remove(name)
            del there[name]
    assert len(users) == len(there)
    assert sorted(each.name for each in users) == sorted(there)
    assert all(users.get(user(number).name) is there.get(user(number).name) for number in range(1_000))


class OneHash(bytes):
    """A key whose hash is that of all others, the last place of a list."""

    def __hash__(self) -> int:
        return 63


@pytest.mark.parametrize("removed", range(5))
def test_who_lies_behind_one_that_went_is_still_found(removed: int) -> None:
    users = Users[bytes](lambda each: OneHash(each.identity), [])
    for number in range(5):
        users.add(user(number))
    users.remove(OneHash(user(removed).identity))
    for number in range(5):
        found = users.get(OneHash(user(number).identity))
        assert found is (None if number == removed else user(number))


def test_a_second_user_of_the_same_name_is_a_bug() -> None:
    users = Users[str](lambda each: each.name, [user(1)])
    with pytest.raises(AssertionError):
        users.add(User(user(1).card))
