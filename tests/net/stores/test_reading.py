"""A client's file, read while a client may be at work with it."""

import sqlite3
from pathlib import Path

from udpchat_core.client_requests import ClientState, SaveMailKey, SaveOutgoing, SavePin
from udpchat_net.stores.reading import last_names, reading
from udpchat_net.stores.sqlite_client import create_client

BOB, CAROL = b"b" * 32, b"c" * 32


def test_whom_the_last_letters_were_for_or_from_oldest_first_and_only_names_that_are_known(tmp_path: Path) -> None:
    path = tmp_path / "client.db"
    outbox = tuple(
        SaveOutgoing(bytes((number,)) * 16, number, 1, 1, to, number * 10, "hi", None)
        for number, to in enumerate(["bob", "carol", "bob"], 1)
    )
    pins = (SavePin("bob", BOB), SavePin("carol", CAROL))
    create_client(path, ClientState("anna", bytes(32), (SaveMailKey(bytes(32), 1),), pins=pins, outbox=outbox), "here")
    with reading(path) as connection:
        assert last_names(connection, 10) == [("bob", True), ("carol", True), ("bob", True)]
        assert last_names(connection, 1) == [("bob", True)]


def test_names_of_those_who_wrote_are_in_it_if_they_are_pinned_to_them(tmp_path: Path) -> None:
    path = tmp_path / "client.db"
    pins = (SavePin("bob", BOB), SavePin("carol", CAROL))
    create_client(path, ClientState("anna", bytes(32), (SaveMailKey(bytes(32), 1),), pins=pins), "here")
    with sqlite3.connect(path) as filled:
        for received_ms, (sender, name) in enumerate([(CAROL, "carol"), (BOB, "bob"), (BOB, "carol"), (b"x", "eve")]):
            letter = (sender, bytes((received_ms,)), 1, 1, name, 0, received_ms, 1, 1, "hi")
            filled.execute("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", letter)
    filled.close()
    with reading(path) as connection:
        assert last_names(connection, 10) == [("carol", False), ("bob", False)]
