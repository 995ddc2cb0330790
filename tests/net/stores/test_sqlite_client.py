"""What only a client's file can tell: the texts that were being put together when the program ended."""

import asyncio
from pathlib import Path

from tests.net.stores.conformance import new_client_state
from udpchat_core.delivery.parts import Part
from udpchat_core.requests import EnterLetter
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client

ANNA, BERT, CLEO = (bytes([n]) * 32 for n in (1, 2, 3))


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
