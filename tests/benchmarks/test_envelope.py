"""Every benchmark runs, on real datagrams of every type, and is held against as many bytes."""

from collections.abc import Callable
from typing import get_args

import pytest

from benchmarks.envelope import BODY, CARD, SOURCE, pairs
from benchmarks.harness import Pair, Work, paired
from udpchat_core.bodies import LetterBody
from udpchat_core.datagrams import Acks, Datagram
from udpchat_core.messages import Found, Lookup, Store
from udpchat_core.secure.link import Initiated, Link, Responded
from udpchat_core.wire import parse_untrusted

PAIRS = {pair.name: pair for pair in pairs()}


def result(work: Work) -> object:
    (arguments, *_) = work.inputs(1)
    return work.run(*arguments)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_every_pair_runs(pair: Pair) -> None:
    got = paired(pair, 2, 1)
    assert (got.name, got.against) == (pair.name, pair.against)
    assert got.ratio > 0


def test_every_datagram_type_is_made() -> None:
    made = [result(PAIRS[name].ours) for name in ("hello-make", "hello-answer", "letter-seal", "ack-make-74")]
    made += [result(PAIRS[f"record-seal-{name}"].ours) for name in ("lookup", "found", "store")]
    begun, answered = result(PAIRS["init-make"].ours), result(PAIRS["init-answer"].ours)
    assert isinstance(begun, Initiated)
    assert isinstance(answered, Responded)
    made += [begun.init, answered.resp]
    assert all(isinstance(payload, bytes) for payload in made)
    assert {type(parse_untrusted(payload)) for payload in made if isinstance(payload, bytes)} == set(get_args(Datagram))


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("card-make", lambda got: got == CARD),
        ("card-open", lambda got: got == BODY),
        ("token-check", lambda got: got is None),
        ("init-answer", lambda got: got.card == BODY),
        ("resp-read", lambda got: type(got) is Link and got.peer_index == b"srvr"),
        ("record-open-lookup", lambda got: got == (Lookup(41, "bob"),)),
        ("record-open-found", lambda got: got == (Found(41, CARD, SOURCE, 60),)),
        ("record-open-store", lambda got: [type(message) for message in got] == [Store]),
        ("letter-open", lambda got: type(got) is LetterBody and got.text == "is the build green?"),
        ("ack-parse-1", lambda got: type(got) is Acks and len(got.acks) == 1),
        ("ack-parse-74", lambda got: type(got) is Acks and len(got.acks) == 74),
    ],
)
def test_ours_does_the_whole_work(name: str, holds: Callable[[object], bool]) -> None:
    assert holds(result(PAIRS[name].ours))


@pytest.mark.parametrize(("name", "clear"), [*((f"record-seal-{of}", 15) for of in ("lookup", "found", "store"))])
def test_bare_seals_as_many_bytes_as_ours(name: str, clear: int) -> None:
    bare, ours = result(PAIRS[name].bare), result(PAIRS[name].ours)
    assert isinstance(bare, bytes)
    assert isinstance(ours, bytes)
    assert len(bare) == len(ours) - clear
