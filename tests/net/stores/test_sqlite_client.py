"""What only a client's file can tell: texts that were being put together at the end, and what an older one holds."""

import asyncio
from dataclasses import replace
from pathlib import Path

from tests.net.stores.conformance import new_client_state
from udpchat_core.client_requests import EnterLetter, MarkSeen, MarkStored, SaveOutgoing, SavePin, SaveVerified
from udpchat_core.delivery.parts import Part
from udpchat_net.stores.reading import SentLetter, reading, sent_letters
from udpchat_net.stores.schemas import CLIENT, Schema
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client
from udpchat_net.stores.sqlite_file import Connection, create

ANNA, BERT, CLEO = (bytes([n]) * 32 for n in (1, 2, 3))


def version(number: int) -> Schema:
    """An earlier one."""
    return Schema(CLIENT.application_id, CLIENT.what, CLIENT.steps[:number])


def test_the_letters_of_texts_that_were_not_complete_are_there_after_the_end(tmp_path: Path) -> None:
    path = tmp_path / "client.db"
    create_client(path, new_client_state(), "localhost:10001")
    store = SqliteClientStore(path)
    assert store.begun() == []
    letters = [
        (ANNA, 7, 1, 2, "whole "),
        (ANNA, 7, 2, 2, "text"),
        (BERT, 8, 1, 3, "b1"),
        (ANNA, 9, 1, 3, "a1"),
        (BERT, 8, 2, 3, "b2"),
        (CLEO, 9, 1, 1, "short"),
        (ANNA, 9, 2, 3, "a2"),
    ]
    entries = [
        EnterLetter(sender, bytes([n]) * 16, 5 + n, 1, "name", sent_ms, 1, part, parts, text)  # in whatever epoch
        for n, (sender, sent_ms, part, parts, text) in enumerate(letters)
    ]
    asyncio.run(store.commit(entries))
    store.close()
    store = SqliteClientStore(path)
    assert store.begun() == [
        Part(BERT, 8, 1, 3, "b1"),
        Part(ANNA, 9, 1, 3, "a1"),
        Part(BERT, 8, 2, 3, "b2"),
        Part(ANNA, 9, 2, 3, "a2"),
    ]
    asyncio.run(store.commit([EnterLetter(ANNA, bytes([9]) * 16, 1, 1, "name", 9, 1, 3, 3, "a3")]))
    assert {part.sender for part in store.begun()} == {BERT}
    store.close()


def test_letters_of_a_file_from_before_there_was_a_mark_count_as_seen(tmp_path: Path) -> None:
    path = tmp_path / "client.db"

    def fill(made: Connection) -> None:
        made.execute("INSERT INTO me VALUES (1, 'anna', 'localhost:10001', ?, NULL, 1, 1)", (bytes(32),))
        made.execute("INSERT INTO inbox VALUES (?, ?, 1, 1, 'bert', 7, 8, 1, 1, 'old')", (BERT, bytes(16)))

    create(path, version(1), fill)
    store = SqliteClientStore(path)
    assert store.unseen(0, 10) == []
    asyncio.run(store.commit([EnterLetter(BERT, b"n" * 16, 1, 2, "bert", 7, 8, 1, 1, "new")]))
    assert [letter.text for letter in store.unseen(0, 10)] == ["new"]
    store.close()
    store = SqliteClientStore(path)
    assert [letter.text for letter in store.unseen(0, 10)] == ["new"]
    store.close()


def test_names_of_a_file_from_before_there_were_safety_numbers_are_not_verified(tmp_path: Path) -> None:
    path = tmp_path / "client.db"

    def fill(made: Connection) -> None:
        made.execute("INSERT INTO me VALUES (1, 'anna', 'localhost:10001', ?, NULL, 1, 1, NULL, NULL)", (bytes(32),))
        made.execute("INSERT INTO pins VALUES ('bert', ?)", (BERT,))

    create(path, version(3), fill)
    store = SqliteClientStore(path)
    assert (store.load().pins, store.load().verified) == ((SavePin("bert", BERT),), ())
    asyncio.run(store.commit([SaveVerified("bert", BERT, True)]))
    assert store.load().verified == ("bert",)
    store.close()


def test_a_file_from_before_there_was_a_mark_for_stored_is_read_as_it_is_and_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "client.db"
    secrets = [bytes([number]) * 16 for number in (1, 2)]

    def fill(made: Connection) -> None:
        made.execute("INSERT INTO me VALUES (1, 'anna', 'localhost:10001', ?, NULL, 1, 3, NULL, NULL)", (bytes(32),))
        row = "INSERT INTO outgoing VALUES (?, ?, 1, 1, 'bert', 7, 'hi', ?, ?)"
        made.execute(row, (secrets[0], 1, BERT, "delivered"))
        made.execute(row, (secrets[1], 2, BERT, None))

    create(path, version(4), fill)
    was = [SentLetter(1, 1, 1, "bert", 7, "hi", "delivered", False), SentLetter(2, 1, 1, "bert", 7, "hi", None, False)]
    with reading(path) as connection:
        assert list(sent_letters(connection, None)) == list(sent_letters(connection, "bert")) == was
        assert [*connection.execute("PRAGMA user_version")] == [(4,)]
    store = SqliteClientStore(path)
    assert store.load().outbox == (SaveOutgoing(secrets[1], 2, 1, 1, "bert", 7, "hi", BERT),)
    with reading(path) as connection:
        assert list(sent_letters(connection, None)) == was
        asyncio.run(store.commit([MarkStored(secrets[1])]))
        assert list(sent_letters(connection, None)) == [was[0], replace(was[1], stored=True)]
    store.close()


def test_a_mark_that_is_there_writes_nothing(tmp_path: Path) -> None:
    path, letter = tmp_path / "client.db", SaveOutgoing(bytes(16), 1, 1, 1, "bert", 7, "hi", BERT)
    create_client(path, new_client_state(), "localhost:10001")
    store = SqliteClientStore(path)
    asyncio.run(store.commit([letter, MarkStored(letter.secret)]))
    log = path.with_name(path.name + "-wal")
    before = log.read_bytes()
    (reply,) = asyncio.run(store.commit([MarkStored(letter.secret)]))
    assert reply.durable
    assert log.read_bytes() == before != b""
    store.close()


def test_of_a_begun_text_the_parts_that_were_seen_can_be_told_from_those_that_were_not(tmp_path: Path) -> None:
    path = tmp_path / "client.db"
    create_client(path, new_client_state(), "localhost:10001")
    store = SqliteClientStore(path)
    parts = [EnterLetter(ANNA, bytes([part]) * 16, 1, part, "anna", 7, 8, part, 3, f"{part}") for part in (1, 2)]
    asyncio.run(store.commit([*parts, MarkSeen(((ANNA, b"\1" * 16),))]))
    assert [part.text for part in store.begun()] == ["1", "2"]
    assert [part.text for part in store.begun(seen=True)] == ["1"]
    assert [letter.text for letter in store.unseen(0, 10)] == ["2"]
    store.close()
