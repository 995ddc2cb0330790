"""The conformance suite: what every adapter of the storage port must do, against the model, with restarts.

An adapter is two functions that make a store in an empty folder and open it; `ADAPTERS` lists them all.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.net.stores.model import ClientModel, ServerModel, sent_letter
from udpchat_core.client_requests import (
    ClientState,
    DropMailKey,
    EnterLetter,
    FindLetter,
    MarkSeen,
    MarkStored,
    PinOutgoing,
    SaveCardSeq,
    SaveIdentity,
    SaveMailKey,
    SaveOutgoing,
    SavePin,
    SaveServerKey,
    SaveVerified,
    SettleOutgoing,
)
from udpchat_core.fields import CollectedEntry, Outcome, Rotation
from udpchat_core.requests import StoreReply
from udpchat_core.server_requests import (
    BanIdentity,
    BindUser,
    CollectLetters,
    DropInvite,
    DropReceipts,
    ExpireLetters,
    KeepLetter,
    Quota,
    ReadMail,
    ReadReceipts,
    ReleaseName,
    SaveInvite,
    ServerState,
)
from udpchat_net.stores.letters import KeptLetter
from udpchat_net.stores.memory_client import ClientMemory
from udpchat_net.stores.memory_server import ServerMemory
from udpchat_net.stores.paths import server_path
from udpchat_net.stores.port import Request
from udpchat_net.stores.reading import SentLetter, reading, sent_letters
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client
from udpchat_net.stores.sqlite_server import SqliteServerStore, create_server

S = TypeVar("S", ClientState, ServerState)


@dataclass(frozen=True)
class Opened(Generic[S]):
    """A store at work, and how to end that and begin again with what is durable."""

    store: Any
    load: Callable[[], S]
    reopen: Callable[[], "Opened[S]"]

    def unseen(self, after: int, letters_max: int) -> list[KeptLetter]:
        """Of a client's store."""
        letters: list[KeptLetter] = self.store.unseen(after, letters_max)
        return letters

    def sent(self) -> list[SentLetter]:
        """The history of what a client sent."""
        if isinstance(self.store, ClientMemory):
            rows = sorted(self.store.outgoing.values(), key=lambda row: (row.saved.message, row.saved.part))
            return [replace(sent_letter(row.saved), outcome=row.outcome, stored=row.stored) for row in rows]
        with reading(self.store.path) as connection:
            return list(sent_letters(connection, None))

    def commit(self, *requests: Request) -> tuple[StoreReply, ...]:
        """One batch."""
        return tuple(asyncio.run(self.store.commit(requests)))


@dataclass(frozen=True)
class Adapter:
    """What is tested."""

    name: str
    client: Callable[[Path, ClientState], Opened[ClientState]]
    server: Callable[[Path, ServerState], Opened[ServerState]]


def _sqlite_client(folder: Path, state: ClientState) -> Opened[ClientState]:
    path = folder / "client.db"
    create_client(path, state, "localhost:10001")
    return _opened(lambda: SqliteClientStore(path))


def _sqlite_server(folder: Path, state: ServerState) -> Opened[ServerState]:
    path = server_path(folder)
    create_server(path, state)
    return _opened(lambda: SqliteServerStore(path))


def _memory_client(_folder: Path, state: ClientState) -> Opened[ClientState]:
    return _in_memory(ClientMemory(state))


def _memory_server(_folder: Path, state: ServerState) -> Opened[ServerState]:
    return _in_memory(ServerMemory(state))


def _in_memory(store: Any) -> Opened[Any]:
    def reopen() -> Opened[Any]:
        store.close()
        return _in_memory(store.snapshot())

    return Opened(store, store.load, reopen)


def _opened(open_store: Callable[[], Any]) -> Opened[Any]:
    store = open_store()

    def reopen() -> Opened[Any]:
        store.close()
        return _opened(open_store)

    return Opened(store, store.load, reopen)


ADAPTERS = (Adapter("sqlite", _sqlite_client, _sqlite_server), Adapter("memory", _memory_client, _memory_server))
each_adapter = pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.name)
OWNER, OTHER, SENDER, STRANGER = (bytes([n]) * 32 for n in (1, 2, 3, 4))
ROOM = Quota(100, 100, 100)


def keep(slot: int, attempt: int = 1, sender: bytes = SENDER, owner: bytes = OWNER, **how: Any) -> KeepLetter:
    given: dict[str, Any] = {"letter": bytes(200), "kept_ms": 0, "quota": ROOM} | how
    return KeepLetter(owner, sender, bytes([slot]) * 16, attempt, **given)


# --- what is random ---

IDENTITIES = st.sampled_from([bytes([n]) * 32 for n in range(1, 5)])
SLOTS = st.sampled_from([bytes([n]) * 16 for n in range(1, 7)])
NAMES = st.sampled_from(["alice", "bob", "carol"])
ROTATIONS = st.builds(Rotation, IDENTITIES, st.sampled_from([bytes([n]) * 64 for n in (1, 2)]))
FEW, MS = st.integers(1, 4), st.integers(0, 9)
TEXTS = st.sampled_from(["hi", "\U0001f409 \x00 ' \"; --", "é" * 400])

CLIENT_REQUESTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        lambda number, part, to, ms, text, who: SaveOutgoing(
            bytes([number, part]) * 8, number, part, 2, to, ms, text, who
        ),
        st.integers(1, 5),
        st.integers(1, 2),
        NAMES,
        MS,
        TEXTS,
        st.none() | IDENTITIES,
    ),
    st.builds(PinOutgoing, st.builds(lambda n, p: bytes([n, p]) * 8, st.integers(1, 5), st.integers(1, 2)), IDENTITIES),
    st.builds(MarkStored, st.builds(lambda n, p: bytes([n, p]) * 8, st.integers(1, 5), st.integers(1, 2))),
    st.builds(
        SettleOutgoing,
        st.builds(lambda n, p: bytes([n, p]) * 8, st.integers(1, 5), st.integers(1, 2)),
        st.sampled_from(["delivered", "refused", "expired"]),
    ),
    st.builds(EnterLetter, IDENTITIES, SLOTS, st.integers(0, 11), st.integers(1, 6), NAMES, MS, MS, FEW, FEW, TEXTS),
    st.builds(FindLetter, IDENTITIES, SLOTS),
    st.builds(MarkSeen, st.lists(st.tuples(IDENTITIES, SLOTS), max_size=3).map(tuple)),
    st.builds(SavePin, NAMES, IDENTITIES),
    st.builds(SaveVerified, NAMES, IDENTITIES, st.booleans()),
    st.builds(SaveIdentity, IDENTITIES, IDENTITIES, ROTATIONS),
    st.builds(SaveServerKey, IDENTITIES),
    st.builds(SaveCardSeq, st.integers(0, 2**48 - 1)),
    st.integers(1, 6).map(lambda n: SaveMailKey(bytes([n]) * 32, 1_000 + n)),
    st.integers(0, 6).map(lambda n: DropMailKey(bytes([n]) * 32)),
)
QUOTAS = st.builds(Quota, st.sampled_from([4, 6]), st.sampled_from([2, 3]), st.sampled_from([1, 4]))
OUTCOMES = st.sampled_from(Outcome)

SERVER_REQUESTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        BindUser,
        NAMES,
        IDENTITIES,
        st.binary(min_size=172, max_size=180),
        st.none() | ROTATIONS,
        st.none() | IDENTITIES,
    ),
    st.builds(ReleaseName, NAMES),
    st.builds(BanIdentity, IDENTITIES, st.booleans()),
    st.builds(SaveInvite, IDENTITIES, MS) | st.builds(DropInvite, IDENTITIES),
    *2 * [st.builds(KeepLetter, IDENTITIES, IDENTITIES, SLOTS, FEW, st.binary(min_size=181, max_size=190), MS, QUOTAS)],
    st.builds(ReadMail, IDENTITIES, st.integers(0, 30), FEW),
    st.builds(ReadReceipts, IDENTITIES, FEW),
    st.builds(DropReceipts, IDENTITIES, st.lists(SLOTS, max_size=3).map(tuple)),
    st.builds(ExpireLetters, MS),
)


def collected(entry: int, outcome: Outcome) -> CollectedEntry:
    """With an acknowledgement where there is to be one."""
    return CollectedEntry(entry, outcome, entry.to_bytes(16) if outcome is Outcome.ACKNOWLEDGED else None)


# --- the machines ---


class _Machine(RuleBasedStateMachine):
    """Batches against the model; now and then the store is closed and opened again."""

    def begin(self, make: Callable[[Path], Opened[Any]], model: Any) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.opened, self.model = make(Path(self._folder.name)), model

    def commit(self, requests: Sequence[Any]) -> None:
        replies = self.opened.commit(*requests)
        assert [reply.request for reply in replies] == list(requests)
        for reply in replies:
            self.model.check(reply)

    @rule()
    def reopen(self) -> None:
        self.opened = self.opened.reopen()
        self.model.check_state(self.opened.load())

    def teardown(self) -> None:
        if hasattr(self, "opened"):
            self.model.check_state(self.opened.load())
            self.opened.store.close()
            self._folder.cleanup()


def client_machine(adapter: Adapter) -> type[RuleBasedStateMachine]:
    """Random batches to a client's store."""

    class ClientMachine(_Machine):
        @initialize()
        def create(self) -> None:
            state = new_client_state()
            self.begin(lambda folder: adapter.client(folder, state), ClientModel(state))

        @rule(requests=st.lists(CLIENT_REQUESTS, max_size=8))
        def batch(self, requests: list[Any]) -> None:
            self.commit(requests)

        @rule(request=CLIENT_REQUESTS)
        def twice(self, request: Any) -> None:
            self.commit([request, request])

        @rule(first=st.integers(1, 4))
        def unseen(self, first: int) -> None:
            kept = self.opened.unseen(0, first)
            self.model.check_unseen([*kept, *self.opened.unseen(kept[-1].entry if kept else 0, 10_000)])

        @invariant()
        def history(self) -> None:
            self.model.check_sent(self.opened.sent())

    return ClientMachine


def server_machine(adapter: Adapter) -> type[RuleBasedStateMachine]:
    """Random batches to a server's store; what is collected is mostly there."""

    class ServerMachine(_Machine):
        @initialize()
        def create(self) -> None:
            state = new_server_state()
            self.begin(lambda folder: adapter.server(folder, state), ServerModel(state))

        @rule(requests=st.lists(SERVER_REQUESTS, max_size=8))
        def batch(self, requests: list[Any]) -> None:
            self.commit(requests)

        @rule(owner=IDENTITIES, picks=st.lists(st.tuples(st.integers(0, 8), OUTCOMES), max_size=5), kept=FEW)
        def collect(self, owner: bytes, picks: list[tuple[int, Outcome]], kept: int) -> None:
            there = [*self.model.mailboxes[owner].letters] if owner in self.model.mailboxes else []
            entries = [collected(there[pick] if pick < len(there) else pick, outcome) for pick, outcome in picks]
            self.commit([CollectLetters(owner, tuple(entries), kept)] * 2)

    return ServerMachine


def new_client_state() -> ClientState:
    """A client that nothing has happened to yet."""
    return ClientState("anna", b"\x01" * 32, (SaveMailKey(b"\x00" * 32, 1_000),))


def busy_client_state() -> ClientState:
    """A client in the middle of things, with something in every field."""
    first = SaveOutgoing(bytes(16), 5, 1, 1, "bob", 5, "no. 5", b"b" * 32)
    second = SaveOutgoing(b"2" * 16, 6, 1, 1, "dora", 6, "no. 6", None)
    return replace(
        new_client_state(),
        card_seq=9,
        server_key=b"\x05" * 32,
        rotation=Rotation(b"\x06" * 32, bytes(64)),
        pins=(SavePin("bob", b"\x02" * 32), SavePin("carol", b"\x03" * 32)),
        verified=("carol",),
        outbox=(first, second),
        watermarks=((b"\x02" * 32, 7, 3), (b"\x03" * 32, 1, 1), (b"\x02" * 32, 8, 2)),
        next_message=7,
    )


def new_server_state() -> ServerState:
    """A server with one user."""
    return ServerState(b"\x0f" * 32, (BindUser("dora", b"\x09" * 32, b"c" * 180),))
