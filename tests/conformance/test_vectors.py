"""The independent client's bytes against `spec/vectors`: all that is accepted, and all that is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from .independent import cards, datagrams, keys, letters, link
from .independent.cbor import Refused
from .independent.grammar import Message, message_bytes, read_record, record_bytes
from .independent.noise import Initiator, Responder

VECTORS = Path(__file__).parents[2] / "spec" / "vectors"
TEXTS = (
    "rotated_name",
    "safety_number",
    "name",
    "names",
    "name_asked",
    "after",
    "text",
    "message",
    "kind",
    "step",
    "from",
    "wrong",
    "reason",
    "handshake",
)
LISTS = [  # the tokens are a server's own affair: clients do not look into them (R-4.1-2)
    ("datagrams", "accepted"),
    ("datagrams", "refused"),
    ("messages", "accepted"),
    ("messages", "refused"),
    ("derived", "key_ids"),
    ("derived", "acks"),
    ("derived", "safety_numbers"),
    ("derived", "tokens_accepted"),
    ("derived", "tokens_refused"),
    ("cards", "accepted"),
    ("cards", "refused"),
    ("cards", "successions"),
    ("cards", "rotations"),
    ("cards", "rotations_refused"),
    ("letters", "accepted"),
    ("letters", "refused"),
    ("link", "handshakes"),
    ("link", "inits_refused"),
    ("link", "resps_refused"),
    ("records", "sequences"),
]


def read(value: Any, name: str = "") -> Any:
    """JSON as vectors/README.md says to read it: what is no text is bytes in hexadecimal."""
    if isinstance(value, dict):
        return {key: read(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [read(item, name) for item in value]
    return bytes.fromhex(value) if isinstance(value, str) and name not in TEXTS else value


FILES = {path.stem: json.loads(path.read_text("utf-8")) for path in VECTORS.glob("*.json") if path.stem != "schema"}


def vectors(file: str, section: str) -> list[Any]:
    found = [pytest.param(read(v), id=v.get("name") or v["wrong"]) for v in FILES[file][section]]
    assert found
    return found


def test_every_list_of_vectors_is_looked_at() -> None:
    there = {(file, section) for file, data in FILES.items() for section in data if isinstance(data[section], list)}
    assert there == set(LISTS)


@pytest.mark.parametrize("v", vectors("datagrams", "accepted"))
def test_a_datagram_is_cut_and_made(v: dict[str, Any]) -> None:
    datagram = datagrams.cut(v["datagram"])
    fields = {name: b"".join(f) if isinstance(f, list) else f for name, f in v["fields"].items()}
    assert (datagram.type, datagram.kind, datagram.fields) == (v["type"], v["kind"], fields)
    assert datagrams.make(v["type"], *fields.values()) == v["datagram"]


@pytest.mark.parametrize("v", vectors("datagrams", "refused"))
def test_a_datagram_is_refused(v: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        datagrams.cut(v["datagram"])


@pytest.mark.parametrize("v", vectors("messages", "accepted"))
def test_messages_are_read_and_written(v: dict[str, Any]) -> None:
    said = [Message(m["message"], {k: f for k, f in m.items() if k not in ("message", "code")}) for m in v["messages"]]
    assert read_record(v["plaintext"]) == said
    assert record_bytes([message_bytes(one) for one in said]) == v["plaintext"]


@pytest.mark.parametrize("v", vectors("messages", "refused"))
def test_a_plaintext_is_refused(v: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read_record(v["plaintext"])


@pytest.mark.parametrize("v", vectors("derived", "key_ids"))
def test_a_key_id_is_derived(v: dict[str, Any]) -> None:
    assert keys.exchange_public(v["private"]) == v["public"]
    assert keys.key_id(v["public"]) == v["key_id"]


@pytest.mark.parametrize("v", vectors("derived", "acks"))
def test_acknowledgement_and_slot_are_derived(v: dict[str, Any]) -> None:
    assert (keys.ack_of(v["secret"]), keys.slot_of(v["secret"])) == (v["ack"], v["slot"])


@pytest.mark.parametrize("v", vectors("cards", "accepted"))
def test_a_card_is_made_and_holds(v: dict[str, Any]) -> None:
    assert cards.sign_card(v["I_private"], v["body"]) == v["card"]
    assert cards.open_card(v["card"], v["now_s"], v["name_asked"]) == v["body"]


@pytest.mark.parametrize("v", vectors("cards", "refused"))
def test_a_card_is_refused(v: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        cards.open_card(v["card"], v["now_s"], v["name_asked"])


@pytest.mark.parametrize("v", FILES["cards"]["successions"], ids=lambda v: v["name"])
def test_a_card_succeeds_another_or_not(v: dict[str, Any]) -> None:
    assert cards.succession(v["known_seq"], v["seq"]) == v["succession"]


@pytest.mark.parametrize("v", vectors("letters", "accepted"))
def test_a_letter_is_opened_and_would_be_sealed_from_the_same_plaintext(v: dict[str, Any]) -> None:
    opening = [letters.OpeningKey.of(private) for private in v["keys"]]
    assert letters.open_letter(v["letter"], v["recipient"], opening) == v["body"]
    made = letters.plaintext_of(v["sender_I_private"], v["recipient"], v["recipient_key"], v["body"])
    assert made == v["plaintext"]
    sealed = letters.seal_letter(v["sender_I_private"], v["recipient"], v["recipient_key"], v["body"])  # HPKE is random
    assert len(sealed) == len(v["letter"])
    assert letters.open_letter(sealed, v["recipient"], opening) == v["body"]
    assert (keys.ack_of(v["body"]["secret"]), keys.slot_of(v["body"]["secret"])) == (v["ack"], v["slot"])


@pytest.mark.parametrize("v", vectors("letters", "refused"))
def test_a_letter_is_refused_and_said_to_be_unopenable_only_where_no_key_opens_it(v: dict[str, Any]) -> None:
    opening = [letters.OpeningKey.of(private) for private in v["keys"]]
    with pytest.raises(Refused) as refused:
        letters.open_letter(v["letter"], v["recipient"], opening)
    assert isinstance(refused.value, letters.NoKey) == (v["reason"] in ("key", "seal"))


@pytest.mark.parametrize("v", vectors("link", "handshakes"))
def test_a_handshake_is_made_from_both_ends(v: dict[str, Any]) -> None:
    client, server = v["client"], v["server"]
    retry = datagrams.cut(v["retry"])
    assert link.hello(retry["echo"]) == v["hello"]
    assert datagrams.echo_of(v["hello"]) == retry["echo"]
    keys_of_client = (client["L_private"], client["ephemeral_private"], v["card"])
    handshake = link.Handshake(retry["S"], retry["token"], client["index"], *keys_of_client)
    assert handshake.init == v["init"]
    answer = link.Answer(server["S_private"], v["init"], v["now_s"])
    resp, server_end = answer.resp(server["ephemeral_private"], server["index"])
    assert resp == v["resp"]
    ends = {"client": handshake.finish(resp), "server": server_end}
    for record in v["records"]:
        sender, receiver = ends.pop(record["from"]), next(iter(ends.values()))
        ends[record["from"]] = sender
        sender.counter = int.from_bytes(record["counter"], "big")
        assert sender.seal(record["plaintext"]) == record["record"]
        assert receiver.open(record["record"]) == record["plaintext"]


@pytest.mark.parametrize("v", vectors("link", "handshakes"))
def test_noise_ends_in_the_state_of_the_vectors(v: dict[str, Any]) -> None:
    client, server, init = v["client"], v["server"], v["init"]
    prologue = link.prologue(keys.exchange_public(server["S_private"]), init[:23])
    initiator = Initiator(prologue, v["retry"][35:], client["L_private"], client["ephemeral_private"], v["card"])
    state = initiator.state
    assert (state.h, state.ck, state.k) in [(step["h"], step["ck"], step["k"]) for step in v["noise"]]
    responder = Responder(prologue, server["S_private"], init[23:])
    responder.answer(server["ephemeral_private"], server["index"])
    last = v["noise"][-1]
    assert (responder.state.h, responder.state.ck, responder.state.k) == (last["h"], last["ck"], last["k"])
    assert initiator.read(v["resp"][7:]) == (server["index"], v["client_key"], v["server_key"])


@pytest.mark.parametrize("v", vectors("link", "inits_refused"))
def test_an_init_is_refused(v: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        link.Answer(v["S_private"], v["init"], v["now_s"])


@pytest.mark.parametrize("v", vectors("link", "resps_refused"))
def test_a_resp_is_refused_and_the_good_one_taken_after_it(v: dict[str, Any]) -> None:
    good = read(next(h for h in FILES["link"]["handshakes"] if h["name"] == v["handshake"]))
    retry, client = datagrams.cut(good["retry"]), good["client"]
    keys_of_client = (client["L_private"], client["ephemeral_private"], good["card"])
    handshake = link.Handshake(retry["S"], retry["token"], client["index"], *keys_of_client)
    with pytest.raises(Refused):
        handshake.finish(v["resp"])
    handshake.finish(good["resp"])


@pytest.mark.parametrize("v", vectors("records", "sequences"))
def test_a_sequence_of_records_is_taken_and_refused(v: dict[str, Any]) -> None:
    end = link.RecordEnd(v["index"], v["key"], bytes(4), bytes(32))
    for record in v["records"]:
        if "plaintext" in record:
            assert end.open(record["record"]) == record["plaintext"]
        else:
            with pytest.raises(Refused):
                end.open(record["record"])


@pytest.mark.parametrize("v", vectors("cards", "rotations"))
def test_a_rotation_is_made_and_holds(v: dict[str, Any]) -> None:
    signed = keys.label("rotation") + v["identity"] + v["rotated_name"].encode()
    by = v["former_private"]
    assert (v["former"], v["signature"]) == (keys.sign_public(by), keys.sign(by, signed))
    assert cards.rotation_holds({key: v[key] for key in ("former", "signature")}, v["identity"], v["rotated_name"])


@pytest.mark.parametrize("v", vectors("cards", "rotations_refused"))
def test_a_rotation_does_not_hold(v: dict[str, Any]) -> None:
    assert not cards.rotation_holds({key: v[key] for key in ("former", "signature")}, v["identity"], v["rotated_name"])


@pytest.mark.parametrize("v", vectors("derived", "safety_numbers"))
def test_a_safety_number_is_made(v: dict[str, Any]) -> None:
    assert keys.safety_number(v["one"], v["other"]) == keys.safety_number(v["other"], v["one"]) == v["safety_number"]
