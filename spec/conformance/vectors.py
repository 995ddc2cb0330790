"""The vectors of `spec/vectors`, asked for one by one through the door: a row for each list and use of it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from udpchat_core.bodies import LetterBody
from udpchat_core.datagrams import Letter
from udpchat_core.errors import BadDatagram
from udpchat_core.secure.letter import OpeningKey, open_letter_untrusted
from udpchat_core.wire import parse_untrusted

from .door import Ask, CheckFailed, Json, NotSupported, must_refuse, result_of
from .report import Row, Verdict
from .suite import SUITE

FOLDER: Final = Path(__file__).parents[1] / "vectors"
NAMES_OF_FAILURES_MAX: Final = 3
Look = Callable[[Ask, Json], None]


def _chosen(vector: Json, *names: str) -> Json:
    return {name: vector[name] for name in names}


def _expect(seen: Json, **expected: Any) -> None:  # noqa: ANN401 - any JSON
    for name, value in expected.items():
        if seen.get(name) != value:
            raise CheckFailed(f"{name} is {str(seen.get(name))[:80]}, expected {str(value)[:80]}")


def _cut_datagram(ask: Ask, v: Json) -> None:
    _expect(result_of(ask({"do": "decode", "what": "datagram", "bytes": v["datagram"]})), **_datagram(v))


def _make_datagram(ask: Ask, v: Json) -> None:
    _expect(result_of(ask({"do": "encode", "what": "datagram", **_datagram(v)})), bytes=v["datagram"])


def _datagram(v: Json) -> Json:
    return _chosen(v, "type", "kind", "fields")


def _refuse_datagram(ask: Ask, v: Json) -> None:
    must_refuse(ask({"do": "decode", "what": "datagram", "bytes": v["datagram"]}))


def _read_messages(ask: Ask, v: Json) -> None:
    answer = result_of(ask({"do": "decode", "what": "messages", "bytes": v["plaintext"]}))
    _expect(answer, messages=v["messages"])


def _write_messages(ask: Ask, v: Json) -> None:
    _expect(result_of(ask({"do": "encode", "what": "messages", "messages": v["messages"]})), bytes=v["plaintext"])


def _refuse_messages(ask: Ask, v: Json) -> None:
    must_refuse(ask({"do": "decode", "what": "messages", "bytes": v["plaintext"]}))


def _derive(what: str, given: tuple[str, ...], made: tuple[str, ...]) -> Look:
    def look(ask: Ask, v: Json) -> None:
        _expect(result_of(ask({"do": "derive", "what": what, **_chosen(v, *given)})), **_chosen(v, *made))

    return look


def _make_token(ask: Ask, v: Json) -> None:
    given = {**_chosen(v, "secret", "address"), "now_s": v["made_s"]}
    _expect(result_of(ask({"do": "make", "what": "token", **given})), token=v["token"])


def _check(what: str, *given: str) -> Look:
    def look(ask: Ask, v: Json) -> None:
        result_of(ask({"do": "open", "what": what, **_chosen(v, *given)}))

    return look


def _refuse(what: str, *given: str) -> Look:
    def look(ask: Ask, v: Json) -> None:
        must_refuse(ask({"do": "open", "what": what, **_chosen(v, *given)}))

    return look


def _make_card(ask: Ask, v: Json) -> None:
    _expect(result_of(ask({"do": "make", "what": "card", **_chosen(v, "I_private", "body")})), card=v["card"])


def _open_card(ask: Ask, v: Json) -> None:
    _expect(result_of(ask({"do": "open", "what": "card", **_chosen(v, *_CARD)})), body=v["body"])


def _make_rotation(ask: Ask, v: Json) -> None:
    given = _chosen(v, "former_private", "identity", "rotated_name")
    _expect(result_of(ask({"do": "make", "what": "rotation", **given})), **_chosen(v, "former", "signature"))


def _seal_letter(ask: Ask, v: Json) -> None:
    """The same bytes by who can be handed an ephemeral key, and of others a letter that this kit opens."""
    given = ("sender_I_private", "recipient", "recipient_key", "ephemeral_private", "body")
    made = bytes.fromhex(result_of(ask({"do": "make", "what": "letter", **_chosen(v, *given)}))["letter"])
    wanted = bytes.fromhex(v["letter"])
    if made == wanted:
        return
    keys = [OpeningKey.of(SUITE, bytes.fromhex(private)) for private in v["keys"]]
    try:
        letters = [parse_untrusted(data) for data in (made, wanted)]
        bodies: list[LetterBody] = [
            open_letter_untrusted(SUITE, bytes.fromhex(v["recipient"]), keys, letter)
            for letter in letters
            if isinstance(letter, Letter)
        ]
    except BadDatagram as refused:
        raise CheckFailed(f"the letter that it made is refused: {refused.reason.value}") from None
    if len(bodies) != len(letters) or bodies[0] != bodies[1]:
        raise CheckFailed("the letter that it made says something else")


def _open_letter(ask: Ask, v: Json) -> None:
    answer = result_of(ask({"do": "open", "what": "letter", **_chosen(v, *_LETTER)}))
    _expect(answer, **_chosen(v, "body", "ack", "slot"))


def _client_link(ask: Ask, v: Json) -> None:
    answer = result_of(ask(_client_of(v, [v["resp"]], v["records"])))
    _expect(answer, init=v["init"])
    _compare_records(answer, v["records"], "client")


def _client_of(v: Json, resps: list[str], records: list[Json]) -> Json:
    client = _chosen(v["client"], "L_private", "ephemeral_private", "index")
    given = {"card": v["card"], "retry": v["retry"], "resps": resps}
    return {"do": "link", "role": "client", **client, **given, "records": _asked(records, "client")}


def _server_link(ask: Ask, v: Json) -> None:
    server = _chosen(v["server"], "S_private", "ephemeral_private", "index")
    given = {**_chosen(v, "now_s", "init"), "records": _asked(v["records"], "server")}
    answer = result_of(ask({"do": "link", "role": "server", **server, **given}))
    _expect(answer, resp=v["resp"], card=v["card"])
    _compare_records(answer, v["records"], "server")


def _asked(records: list[Json], side: str) -> list[Json]:
    """What one side of a link does with its records, in their order: it seals its own and opens the other's."""
    return [{"seal": r["plaintext"]} if r["from"] == side else {"open": r["record"]} for r in records]


def _compare_records(answer: Json, records: list[Json], side: str) -> None:
    for number, (seen, record) in enumerate(zip(answer.get("records", []), records, strict=True)):
        expected = _chosen(record, "record" if record["from"] == side else "plaintext")
        if seen != expected:
            raise CheckFailed(f"record {number} is {str(seen)[:80]}, expected {str(expected)[:80]}")


def _refuse_init(ask: Ask, v: Json) -> None:
    given = {"ephemeral_private": "01" * 32, "index": "00000000", "records": []}
    must_refuse(ask({"do": "link", "role": "server", **_chosen(v, "S_private", "now_s", "init"), **given}))


def _refuse_resp(ask: Ask, v: Json) -> None:
    (good,) = [h for h in vectors_of("link", "handshakes") if h["name"] == v["handshake"]]
    answer = result_of(ask(_client_of(good, [v["resp"], good["resp"]], [])))
    if "refused" not in answer["resps"][0] or "ok" not in answer["resps"][1]:
        raise CheckFailed(f"the bad RESP, then the good one: {answer['resps']}")


def _sequence(ask: Ask, v: Json) -> None:
    records = [record["record"] for record in v["records"]]
    seen = result_of(ask({"do": "records", **_chosen(v, "index", "key"), "records": records}))["records"]
    for number, (one, record) in enumerate(zip(seen, v["records"], strict=True)):
        if ("refused" in one) == ("plaintext" in record) or one.get("plaintext") != record.get("plaintext"):
            raise CheckFailed(f"record {number} is {str(one)[:80]}, expected {record.get('wrong') or record}"[:300])


_CARD: Final = ("card", "now_s", "name_asked")
_LETTER: Final = ("recipient", "keys", "letter")
_ROTATION: Final = ("former", "signature", "identity", "rotated_name")
_TOKEN: Final = ("secret", "address", "now_s", "token")
_PARSING: Final = ("R-3.1-1", "R-3.1-2", "R-3.1-3", "R-3.1-4", "R-3.1-5")
_VALUES: Final = ("R-3.2-1", "R-3.2-2", "R-3.2-3", "R-3.2-4", "R-3.2-5", "R-3.2-6")
_MESSAGES: Final = (*_VALUES, "R-2.1-1", "R-5.1-1", "R-5.1-2", "R-5.1-3", "R-5.1-4")
_CARDS: Final = ("R-2.1-1", "R-2.2-2", "R-2.2-3", "R-2.3-2", "R-2.3-3", "R-2.3-4", "R-2.3-8")
_LETTERS: Final = ("R-2.2-2", "R-2.2-3", "R-6.2-2", "R-6.2-3", "R-6.2-4")
_HANDSHAKE: Final = ("R-4.2-1", "R-4.2-2", "R-4.2-4", "R-4.4-1", "R-4.4-2")

LISTS: Final[tuple[tuple[str, str, str, tuple[str, ...], Look], ...]] = (
    ("datagrams", "accepted", "cut", (), _cut_datagram),
    ("datagrams", "accepted", "made", ("R-3.3-2",), _make_datagram),
    ("datagrams", "refused", "refused", _PARSING, _refuse_datagram),
    ("messages", "accepted", "read", (), _read_messages),
    ("messages", "accepted", "written", ("R-3.2-2",), _write_messages),
    ("messages", "refused", "refused", _MESSAGES, _refuse_messages),
    ("derived", "key_ids", "derived", ("R-2.2-1", "R-6.1-1"), _derive("key id", ("private",), ("public", "key_id"))),
    ("derived", "acks", "derived", ("R-2.2-1", "R-6.3-1", "R-6.3-2"), _derive("ack", ("secret",), ("ack", "slot"))),
    (
        "derived",
        "safety_numbers",
        "derived",
        ("R-2.5-1", "R-2.5-2"),
        _derive("safety number", ("one", "other"), ("safety_number",)),
    ),
    ("derived", "tokens_accepted", "made", ("R-4.1-2",), _make_token),
    ("derived", "tokens_accepted", "taken", ("R-4.1-3",), _check("token", *_TOKEN)),
    ("derived", "tokens_refused", "refused", ("R-4.1-2", "R-4.1-3"), _refuse("token", *_TOKEN)),
    ("cards", "accepted", "made", ("R-2.3-1",), _make_card),
    ("cards", "accepted", "opened", ("R-2.3-2",), _open_card),
    ("cards", "refused", "refused", _CARDS, _refuse("card", *_CARD)),
    (
        "cards",
        "successions",
        "told",
        ("R-2.3-5", "R-2.3-6"),
        _derive("succession", ("known_seq", "seq"), ("succession",)),
    ),
    ("cards", "rotations", "made", ("R-2.4-1",), _make_rotation),
    ("cards", "rotations", "taken", ("R-2.4-1",), _check("rotation", *_ROTATION)),
    ("cards", "rotations_refused", "refused", ("R-2.4-1", "R-2.4-2"), _refuse("rotation", *_ROTATION)),
    ("letters", "accepted", "sealed", ("R-6.1-1", "R-6.1-2", "R-6.2-1"), _seal_letter),
    ("letters", "accepted", "opened", ("R-6.1-2", "R-6.1-3", "R-6.3-1", "R-6.3-2"), _open_letter),
    ("letters", "refused", "refused", _LETTERS, _refuse("letter", *_LETTER)),
    ("link", "handshakes", "made by a client", _HANDSHAKE, _client_link),
    ("link", "handshakes", "answered by a server", _HANDSHAKE, _server_link),
    ("link", "inits_refused", "refused", ("R-2.2-3", "R-4.2-2", "R-4.2-3"), _refuse_init),
    ("link", "resps_refused", "refused, and the good one taken after it", ("R-2.2-3", "R-3.1-6"), _refuse_resp),
    ("records", "sequences", "taken and refused", ("R-4.4-1", "R-4.4-3", "R-4.4-4", "R-4.4-5"), _sequence),
)
"""File, list, what is done with each vector of it, what that shows, and how it is looked at."""


def names() -> list[str]:
    """Part and name of each row."""
    return [f"vectors {file} {section}: {done}".replace("_", " ") for file, section, done, *_ in LISTS]


def rows(ask: Ask, wanted: Callable[[str], bool]) -> Iterator[Row]:
    """A row for each list and what is done with it."""
    for name, (file, section, _, requirements, look) in zip(names(), LISTS, strict=True):
        if wanted(name):
            verdict, seen = _look_at(ask, vectors_of(file, section), look)
            yield Row("vectors", name.removeprefix("vectors "), requirements, verdict, seen)


def _look_at(ask: Ask, vectors: list[Json], look: Look) -> tuple[Verdict, str]:
    failed = []
    for vector in vectors:
        try:
            look(ask, vector)
        except NotSupported:
            return Verdict.UNSUPPORTED, ""
        except (CheckFailed, KeyError, TypeError, ValueError, AttributeError) as failure:  # answers of any form
            failed.append(f"{vector.get('name') or vector['wrong']}: {failure}")
    if not failed:
        return Verdict.PASSED, f"{len(vectors)} vectors"
    named = "; ".join(failed[:NAMES_OF_FAILURES_MAX])
    return Verdict.FAILED, f"{len(failed)} of {len(vectors)}: {named}"


def vectors_of(file: str, section: str) -> list[Json]:
    """The vectors of a list."""
    found: list[Json] = json.loads((FOLDER / f"{file}.json").read_text("utf-8"))[section]
    return found
