"""The vectors for other implementations: their form, that they are complete, and those of what is not sealed."""

import re

import pytest
from jsonschema import Draft202012Validator

from spec.tools.vectors import FOLDER, MAKERS
from spec.tools.vectors.making import plain
from tests.spec.vectors import FILES, HEX, REAL, SCHEMA, Vector, address, each, objects, refused
from udpchat_core.datagrams import LAYOUTS
from udpchat_core.errors import Reason
from udpchat_core.instant import SECOND, Instant
from udpchat_core.messages import Padding
from udpchat_core.secure.keys import key_id
from udpchat_core.secure.letter import ack_of, slot_of
from udpchat_core.secure.safety import safety_number
from udpchat_core.secure.token import check_token_untrusted, make_token
from udpchat_core.wire import BY_CODE, encode, pack, parse_untrusted, serialize, unpack_untrusted

# --- form and completeness ---


@pytest.mark.parametrize("file", FILES)
def test_every_file_has_the_form_of_the_schema(file: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    one = Draft202012Validator({"$ref": f"#/$defs/{file}", "$defs": SCHEMA["$defs"]})
    assert [error.message for error in one.iter_errors(FILES[file])] == []
    assert Draft202012Validator(SCHEMA).is_valid(FILES[file])
    assert FILES[file]["holds"] == file


def test_the_readme_lists_the_fields_that_are_text() -> None:
    listed = re.search(r"These are text: (.*?)\.\n", (FOLDER / "README.md").read_text(), re.DOTALL)
    assert listed
    texts = {"safety_number"}  # digits, which could be taken for bytes
    for found in (found for content in FILES.values() for found in objects(content)):
        for name, value in found.items():
            strings = value if isinstance(value, list) else [value]
            if any(isinstance(each, str) and not re.fullmatch("([0-9a-f]{2})*", each) for each in strings):
                texts.add(name)
    assert re.findall("`(.*?)`", listed[1]) == sorted(texts)


def test_the_schema_allows_no_field_that_it_does_not_name() -> None:
    for file, content in FILES.items():
        one = Draft202012Validator({"$ref": f"#/$defs/{file}", "$defs": SCHEMA["$defs"]})
        shapes = {tuple(found): found for found in objects(content)}
        assert len(shapes) > 2
        for found in shapes.values():
            found["surplus"] = 1
            taken = one.is_valid(content)
            del found["surplus"]
            assert not taken, found


def test_the_folder_holds_what_is_made_and_nothing_else() -> None:
    assert set(FILES) == set(MAKERS)
    readme = (FOLDER / "README.md").read_text("utf-8")
    assert [file for file in FILES if f"`{file}.json`" not in readme] == []
    assert {path.name for path in FOLDER.iterdir() if path.suffix != ".json"} <= {
        "README.md",
        "check.py",
        "__pycache__",
    }


def test_every_number_is_below_2_to_the_53() -> None:
    for found in objects(FILES):
        assert all(abs(value) < 2**53 for value in found.values() if isinstance(value, int))


def test_every_vector_of_a_list_says_something_else() -> None:
    for content in FILES.values():
        for vectors in content.values():
            if isinstance(vectors, list):
                said = [v.get("name") or v["wrong"] for v in vectors]
                assert len(set(said)) == len(said)


def test_every_kind_of_datagram_every_message_and_every_reason_occurs() -> None:
    """Each reason can be caused by bytes alone, given keys, clock and what came before; what is too much is not."""
    assert {v["type"] for v in FILES["datagrams"]["accepted"]} == {kind.type for kind in LAYOUTS}
    assert {m["code"] for v in FILES["messages"]["accepted"] for m in v["messages"]} == set(BY_CODE)
    refused = [found for found in objects(FILES) if "reason" in found]
    too_much = {Reason.BUSY, Reason.PREFIX_RATE, Reason.TOTAL_RATE, Reason.SESSION_RATE, Reason.STRANGER_RATE}
    reasons = {reason.value for reason in Reason if reason not in too_much}
    assert {v["reason"] for v in refused} == reasons == set(SCHEMA["$defs"]["reason"]["enum"])


# --- datagrams and messages ---


@each("datagrams", "accepted")
def test_a_datagram_is_cut_into_its_fields_and_made_of_them(v: Vector) -> None:
    datagram = parse_untrusted(HEX(v["datagram"]))
    assert (datagram.type, datagram.__class__.__name__.upper()) == (v["type"], v["kind"].replace("ACK", "ACKS"))
    assert serialize(datagram).hex() == v["datagram"]
    said = {name: value for name, value in v["fields"].items() if name != "padding"}
    assert list(plain(datagram).values()) == [
        int(value, 16) if name == "counter" else value for name, value in said.items()
    ]


@each("datagrams", "refused")
def test_what_is_no_datagram_is_refused(v: Vector) -> None:
    with refused(v):
        parse_untrusted(HEX(v["datagram"]))


@each("messages", "accepted")
def test_messages_are_read_and_written(v: Vector) -> None:
    said = unpack_untrusted(HEX(v["plaintext"]))
    assert [plain(message) for message in said] == [m for m in v["messages"] if m["message"] != "Padding"]
    left = iter(said)
    all_of_them = [Padding(HEX(m["zeros"])) if m["message"] == "Padding" else next(left) for m in v["messages"]]
    assert pack([encode(message) for message in all_of_them]).hex() == v["plaintext"]


@each("messages", "refused")
def test_what_is_no_plaintext_of_a_record_is_refused(v: Vector) -> None:
    with refused(v):
        unpack_untrusted(HEX(v["plaintext"]))


# --- what is derived ---


@each("derived", "key_ids")
def test_a_key_id_follows_from_the_key(v: Vector) -> None:
    """R-6.1-1."""
    public = REAL.dh_public(HEX(v["private"]))
    assert (public.hex(), key_id(REAL, public).hex()) == (v["public"], v["key_id"])


@each("derived", "acks")
def test_acknowledgement_and_slot_follow_from_the_secret(v: Vector) -> None:
    """R-6.3-1 R-6.3-2."""
    secret = HEX(v["secret"])
    assert (ack_of(REAL, secret).hex(), slot_of(REAL, secret).hex()) == (v["ack"], v["slot"])


@each("derived", "safety_numbers")
def test_a_safety_number_follows_from_two_identities(v: Vector) -> None:
    """R-2.5-1 R-2.5-2."""
    assert safety_number(REAL, HEX(v["one"]), HEX(v["other"])) == v["safety_number"]


@each("derived", "tokens_accepted")
def test_a_token_is_made_and_taken(v: Vector) -> None:
    """R-4.1-2 R-4.1-3."""
    secret, source = HEX(v["secret"]), address(v["address"])
    assert make_token(REAL, secret, source, Instant(v["made_s"] * SECOND)).hex() == v["token"]
    check_token_untrusted(REAL, secret, source, Instant(v["now_s"] * SECOND), HEX(v["token"]))


@each("derived", "tokens_refused")
def test_another_token_is_refused(v: Vector) -> None:
    """R-4.1-2 R-4.1-3."""
    with refused(v):
        check_token_untrusted(
            REAL, HEX(v["secret"]), address(v["address"]), Instant(v["now_s"] * SECOND), HEX(v["token"])
        )
