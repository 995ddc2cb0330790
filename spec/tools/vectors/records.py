"""records.json: RECORDs as they arrive at one end of a link, one after the other."""

from collections.abc import Iterator
from typing import Final

from udpchat_core.datagrams import Record
from udpchat_core.errors import Reason
from udpchat_core.messages import Ping
from udpchat_core.wire import encode, header, pack

from .making import SUITE, Vector, accepted, key, plain, refused

INDEX: Final = bytes.fromhex("1dc0ffee")
KEY: Final = key("receive key")
LAST: Final = 2**64 - 1
_WINDOW: Final = 1_024


def records() -> Vector:
    """The file."""
    return {
        "about": "RECORDs in the order of their arrival at a new link's end, which receives under index with key.",
        "sequences": [accepted(name, index=INDEX, key=KEY) | {"records": list(of)} for name, of in _SEQUENCES.items()],
    }


def _plaintext(counter: int) -> bytes:
    return pack([encode(Ping(counter % 2**32))])


def _nonce(counter: int) -> bytes:
    return bytes(4) + counter.to_bytes(8, "little")


def _sealed(counter: int) -> bytes:
    """A RECORD as it should be."""
    clear = header(Record) + INDEX + counter.to_bytes(8)
    return clear + SUITE.aead_seal(KEY, _nonce(counter), _plaintext(counter), clear)


def _good(*counters: int) -> Iterator[Vector]:
    for counter in counters:
        yield plain({"record": _sealed(counter), "plaintext": _plaintext(counter)})


def _no(wrong: str, reason: Reason, record: bytes) -> Vector:
    return refused(wrong, reason, record=record)


def _replayed(counter: int, wrong: str = "this counter was accepted before") -> Vector:
    return _no(wrong, Reason.REPLAY, _sealed(counter))


def _window() -> Iterator[Vector]:
    yield from _good(5_000, 5_000 - _WINDOW + 1)
    yield _replayed(5_000 - _WINDOW, "the counter is 1,024 below the highest accepted")
    yield _replayed(0, "the counter is 5,000 below the highest accepted")
    yield from _good(4_500, 5_001)
    yield _replayed(4_500)
    yield _replayed(5_001 - _WINDOW, "the window moved on: the counter is now 1,024 below the highest accepted")


def _jump() -> Iterator[Vector]:
    yield from _good(0, 1, 2**63, 2**63 - 1, 2**63 - _WINDOW + 1)
    for counter in (0, 1, 2, 2**63 - _WINDOW):
        yield _replayed(counter, f"the counter is {2**63 - counter:,} below the highest accepted")
    yield _replayed(2**63)


def _last() -> Iterator[Vector]:
    yield _no("the counter is 2^64 - 1, though truly sealed", Reason.COUNTER, _sealed(LAST))
    yield from _good(LAST - 1)
    yield _no("the counter is 2^64 - 1, though truly sealed, again", Reason.COUNTER, _sealed(LAST))
    yield from _good(LAST - 2)
    yield _replayed(LAST - 1)


def _forged() -> Iterator[Vector]:
    """What fails moves no window and uses up no counter."""
    for counter in (1, 2, 2**32, LAST - 1):
        forged = header(Record) + INDEX + counter.to_bytes(8) + _sealed(0)[15:]
        yield _no(f"the seal of counter 0 stands behind counter {counter:,}", Reason.SEAL, forged)
    yield from _good(1, 0, 2)


def _wrongly_sealed() -> Iterator[Vector]:
    good, plaintext, counter = _sealed(1), _plaintext(1), 1
    clear, sealed = good[:15], good[15:]
    yield _no("the index is another end's", Reason.LINK, good[:3] + b"othr" + good[7:])
    moved = header(Record) + b"othr" + counter.to_bytes(8)
    cases = [
        ("the seal is over another index", SUITE.aead_seal(KEY, _nonce(counter), plaintext, moved)),
        ("the seal has no additional data", SUITE.aead_seal(KEY, _nonce(counter), plaintext, b"")),
        ("the additional data lacks the header", SUITE.aead_seal(KEY, _nonce(counter), plaintext, clear[3:])),
        ("the additional data lacks the counter", SUITE.aead_seal(KEY, _nonce(counter), plaintext, clear[:7])),
        ("the nonce is big-endian", SUITE.aead_seal(KEY, bytes(4) + counter.to_bytes(8), plaintext, clear)),
        (
            "the nonce ends in the zeros",
            SUITE.aead_seal(KEY, counter.to_bytes(8, "little") + bytes(4), plaintext, clear),
        ),
        (
            "the seal is by another key, such as that of the other way",
            SUITE.aead_seal(key("k"), _nonce(1), plaintext, clear),
        ),
        ("a bit of what is sealed is flipped", bytes((sealed[0] ^ 1,)) + sealed[1:]),
        ("a bit of the tag is flipped", sealed[:-1] + bytes((sealed[-1] ^ 1,))),
        ("the last byte is missing", sealed[:-1]),
        ("a byte follows", sealed + b"\0"),
    ]
    for wrong, changed in cases:
        yield _no(wrong, Reason.SEAL, clear + changed)
    yield from _good(1)


_SEQUENCES: Final = {
    "in order": [*_good(0, 1, 2)],
    "each once": [*_good(0), _replayed(0), *_good(2, 1), _replayed(0), _replayed(1), _replayed(2), *_good(3)],
    "a window of 1,024": [*_window()],
    "a jump beyond the window": [*_jump()],
    "the last counters": [*_last()],
    "what fails changes nothing": [*_forged()],
    "wrongly sealed, then truly": [*_wrongly_sealed()],
}
