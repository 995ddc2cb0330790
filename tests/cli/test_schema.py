"""What `--json` prints is what the table says, a line for each object, whatever is in it."""

import json
import os
from pathlib import Path
from typing import Any, get_args, get_type_hints

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udpchat_cli import objects, schema
from udpchat_core import client_events as e
from udpchat_core.address import Address
from udpchat_core.fields import Refusal
from udpchat_core.server_events import ServerEvent

PAGE = Path(__file__).parents[2] / "cli" / "JSON.md"
AT = Address(b"\x7f\0\0\1", 20_000)
VALUES: dict[Any, Any] = {str: "anna", int: 5, bool: True, bytes: b"k" * 32, Address: AT, Refusal: Refusal.UNKNOWN}


def valid(thing: dict[str, Any]) -> bool:
    jsonschema.validate(thing, schema.json_schema())
    return True


def example(kind: Any) -> Any:
    """An event with something in every field."""
    return kind(*(VALUES.get(hint, "anna") for hint in get_type_hints(kind).values()))


@pytest.mark.parametrize("kind", get_args(ServerEvent))
def test_every_event_of_a_server_has_an_object(kind: type) -> None:
    assert valid(objects.of_server_event(example(kind)))


@pytest.mark.parametrize("kind", get_args(e.ClientEvent))
def test_what_happens_to_messages_has_an_object_under_the_word_that_people_are_shown(kind: type) -> None:
    thing = objects.of_event(example(kind))
    word = kind.__name__.removeprefix("Message").lower()
    if kind is e.PeerKeyChanged:
        word = "held"
    if word in ("queued", "stored", "delivered", "refused", "expired", "held"):
        assert thing is not None
        assert thing["event"] == word
        assert valid(thing)
    else:
        assert thing is None


def test_an_object_that_the_table_does_not_know_is_not_made() -> None:
    with pytest.raises(KeyError):
        schema.made("telepathy")
    with pytest.raises(AssertionError, match="queued has"):
        schema.made("queued", message=1)


@given(st.text())
def test_an_object_is_one_line_that_moves_no_cursor_and_says_exactly_what_it_said(text: str) -> None:
    line = schema.line({"event": "received", "text": text})
    assert line.isprintable()
    assert json.loads(line)["text"] == text


@pytest.mark.parametrize(
    "text", ["\x1b]0;owned\x07", "\u202etxt.exe", "a\u2028b", "\x9b2J", "\ud800", "\U000e0001", "\0"]
)
def test_what_a_terminal_may_obey_is_escaped(text: str) -> None:
    line = schema.line({"text": text})
    assert line.isprintable()
    assert line.isascii()
    assert json.loads(line)["text"] == text


def test_the_page_is_what_the_table_says() -> None:
    """Written anew with REWRITE=1."""
    begin, end = "<!-- generated -->\n", "<!-- end -->\n"
    before, _, rest = PAGE.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(end)
    page = f"{before}{begin}{schema.described()}{end}{after}"
    if os.environ.get("REWRITE"):
        PAGE.write_text(page, "utf-8")
    assert PAGE.read_text("utf-8") == page


def test_the_table_can_be_read_by_people_and_by_programs() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.json_schema())
    described = schema.described()
    for name, kind in schema.EVENTS.items():
        assert f"- `{name}`: {kind.meaning}" in described
        assert all(f"  - `{key}` ({field.type}): " in described for key, field in kind.fields.items())
