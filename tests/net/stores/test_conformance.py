"""Every adapter keeps the promises of the storage port."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.net.stores.conformance import (
    OWNER,
    Adapter,
    busy_client_state,
    client_machine,
    each_adapter,
    keep,
    new_client_state,
    new_server_state,
    server_machine,
)
from udpchat_core.client_requests import SettleOutgoing
from udpchat_core.server_requests import ReadMail


@each_adapter
def test_a_client_store_does_what_the_model_does(adapter: Adapter) -> None:
    run_state_machine_as_test(client_machine(adapter), settings=settings(max_examples=40, stateful_step_count=25))


@each_adapter
def test_a_server_store_does_what_the_model_does(adapter: Adapter) -> None:
    run_state_machine_as_test(server_machine(adapter), settings=settings(max_examples=60, stateful_step_count=30))


@each_adapter
def test_a_store_begins_with_the_state_that_it_was_made_with(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, busy_client_state()).reopen()
    assert client.load() == busy_client_state()
    client.store.close()
    server = adapter.server(tmp_path, new_server_state()).reopen()
    assert server.load().private == new_server_state().private
    assert tuple(server.load().users) == new_server_state().users
    server.store.close()


@each_adapter
def test_a_request_of_the_other_side_is_the_callers_error_and_changes_nothing(adapter: Adapter, tmp_path: Path) -> None:
    server = adapter.server(tmp_path, new_server_state())
    with pytest.raises((TypeError, AssertionError)):
        server.commit(keep(1), SettleOutgoing(bytes(16), "delivered"))
    (page,) = server.commit(ReadMail(OWNER, 0, 9))
    assert page.result.letters == ()  # type: ignore[union-attr]
    server.store.close()


@each_adapter
def test_an_empty_batch_has_no_replies(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, new_client_state())
    assert client.commit() == ()
    client.store.close()


@each_adapter
def test_a_closed_store_refuses_and_closes_twice(adapter: Adapter, tmp_path: Path) -> None:
    client = adapter.client(tmp_path, new_client_state())
    client.store.close()
    client.store.close()
    with pytest.raises(ValueError, match="closed"):
        asyncio.run(client.store.commit([]))
