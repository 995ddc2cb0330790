"""The session of a client with its server: sections 4, 9.1 and 10.3.

HELLO and RETRY give a token, INIT and RESP a link, Register on it makes the client online; the same path renews
the live key and follows hints, beside the link that is in use.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from . import datagrams, link
from .cards import make_card
from .cbor import Refused
from .grammar import Message, message
from .ladder import describe
from .letters import OpeningKey
from .requests import BUSY, POSTPONED_S_MAX, TRIES_MAX, TRY_S, Requests
from .world import NEVER, Address, World

OFFLINE, GREETING, INITIATING, REGISTERING = "offline", "greeting", "initiating", "registering"
ONLINE, LEAVING, SUPERSEDED, UNREACHABLE = "online", "leaving", "superseded", "unreachable"
FROM_SERVER = {"Padding", "Registered", "Deregistered", "Found", "Refused", "Roster", "RosterChanged", "Stored", "Mail"}
FROM_SERVER |= {"Receipt", "Returned", "Pong", "Superseded"}
BESIDE = (GREETING, INITIATING, REGISTERING)  # the phases in which a link may be in use besides

KNOCK_S_MIN, KNOCK_S_MAX = 1.0, 30.0
PING_S, PING_JITTER_S = 20.0, 4.0
LIVE_KEY_S, LIVE_KEYS_MAX = 3600.0, 4
HINT_S, SENT_RECORDS_REMEMBERED = 5.0, 64
STALE_CARD = 5
STALE_CARDS_MAX = 3  # in a row


@dataclass
class Live:
    """A live key; when another one takes its place it opens letters for an hour more."""

    key: OpeningKey
    until_s: float = NEVER


class Session:
    """See the module. `pushed` takes what the server says unasked, `online` is called when a link was registered."""

    def __init__(self, world: World, server: Address, name: str) -> None:
        self.world, self.server, self.name = world, server, name
        self.phase, self.wanted, self.timer_s, self.tries = OFFLINE, False, NEVER, 0
        self.link: link.RecordEnd | None = None  # in use
        self.new: link.RecordEnd | None = None  # being registered
        self.handshake: link.Handshake | None = None
        self.nonce = self.token = b""
        self.offered_key: bytes | None = None  # the server's, that is not the pinned one
        self.told_key: bytes | None = None  # of those, the one that the user was told of
        self.live: list[Live] = []
        self.current_live: Live | None = None
        self.echoes: deque[bytes] = deque(maxlen=SENT_RECORDS_REMEMBERED)
        self.hinted_s = -HINT_S
        self.knock_s, self.stale = 0.0, 0
        self.requests = Requests(world)
        self.own: Message | None = None  # the Register or Deregister under way
        self.queue: list[Message] = []
        self.ping_s = NEVER
        self.server_ahead_ms = 0
        self.online_since_s = NEVER
        self.pushed: Callable[[Message], None] = lambda _: None
        self.online: Callable[[], None] = lambda: None

    # --- what the user and the other parts want ---

    @property
    def listening(self) -> bool:
        """Whether letters are taken (R-9.1-7)."""
        return self.wanted and self.phase not in (OFFLINE, SUPERSEDED, LEAVING)

    @property
    def usable(self) -> link.RecordEnd | None:
        """The link that requests go over now, if there is one."""
        return self.link if self.phase == ONLINE or self.phase in BESIDE else None

    def register(self) -> None:
        self.wanted = True
        if self.phase in (OFFLINE, LEAVING, SUPERSEDED):
            self._greet()
        elif self.phase == UNREACHABLE:
            self._knock(KNOCK_S_MIN)

    def deregister(self) -> None:
        self.wanted = False
        if self.phase in (REGISTERING, ONLINE) or (self.phase in (GREETING, INITIATING) and self.link):
            self._leave()
        elif self.phase != LEAVING:
            self._end("offline")

    def accept_server(self) -> None:
        """The user takes the key that the server has now (R-9.1-1)."""
        if self.offered_key is not None:
            self.world.store.put("server", self.offered_key)
            self.offered_key = None

    def say(self, said: Message) -> None:
        """Say what needs no answer; without a link it is dropped, as what it answers comes again."""
        if self.usable:
            self.queue.append(said)

    # --- the phases ---

    def _enter(self, phase: str, timer_s: float, tries: int = 0) -> None:
        self.phase, self.timer_s, self.tries = phase, self.world.now_s + timer_s, tries

    def _greet(self) -> None:
        self.nonce = self.world.random(16)
        self._enter(GREETING, TRY_S, 1)
        self._hello()

    def _hello(self) -> None:
        self.world.send(self.server, link.hello(self.nonce), "HELLO")

    def _begin(self, server_key: bytes) -> None:
        """A handshake with a new live key and card, beside the link that there is (R-9.1-2, R-9.1-3)."""
        world = self.world
        live = OpeningKey.of(world.random(32))
        self._keep_live(live)
        mail = OpeningKey.of(world.store.mail_key(world.unix_s))
        identity = world.store.get("identity")
        card = make_card(identity, world.store.next_seq(), world.unix_s, live.public, mail.public, self.name)
        index = world.random(4)
        while self.link and index == self.link.index:
            index = world.random(4)
        self.new = None
        self.handshake = link.Handshake(server_key, self.token, index, live.private, world.random(32), card)
        self._enter(INITIATING, TRY_S, 1)
        self._init()

    def _init(self) -> None:
        assert self.handshake
        self.world.send(self.server, self.handshake.init, f"INIT: card {self.world.store.get('seq')}")

    def _keep_live(self, key: OpeningKey) -> None:
        """The live key of the link, the one before, and of handshakes that may have come to something (R-9.1-2)."""
        self.live = [live for live in self.live if live.until_s > self.world.now_s]
        if len(self.live) == LIVE_KEYS_MAX:
            others = [live for live in self.live if live is not self.current_live]
            self.live.remove(next((live for live in others if live.until_s == NEVER), others[0]))
        self.live.append(Live(key))

    def _register_link(self) -> None:
        self.own = message("Register", id=self.requests.new_id(), invite=None, rotation=None)
        self._enter(REGISTERING, TRY_S, 1)
        self._say_own()

    def _leave(self) -> None:
        self.own = message("Deregister", id=self.requests.new_id())
        self._enter(LEAVING, TRY_S, 1)
        self._say_own()

    def _say_own(self) -> None:
        newest = self.new or self.link
        assert newest
        assert self.own
        self._seal(newest, [self.own])

    def _go_online(self, registered: Message) -> None:
        world = self.world
        self.link, self.new, self.handshake, self.own = self.new, None, None, None
        self.stale, self.offered_key, self.told_key = 0, None, None
        self.server_ahead_ms = registered["time_ms"] - world.unix_ms
        if not self.wanted:
            self._leave()
            return
        self._enter(ONLINE, LIVE_KEY_S)
        self.current_live = self.live[-1]
        for live in self.live[:-1]:
            live.until_s = min(live.until_s, world.now_s + LIVE_KEY_S)
        self._plan_ping()
        if registered["waiting"] == 0:  # R-9.1-8
            world.store.drop_old_mail_keys(world.unix_s)
        self.requests.ask_again()
        if self.online_since_s == NEVER:
            self.online_since_s = world.now_s
        world.tell("online", waiting=registered["waiting"])
        self.online()

    def _give_up(self) -> None:
        self.world.tell("unreachable")
        if self.offered_key and self.offered_key != self.told_key:  # R-9.1-13: now that the pinned one did not answer
            self.told_key = self.offered_key
            self.world.tell("server key changed")
        self.online_since_s = NEVER
        self.nonce = self.world.random(16)
        self.knock_s = 2 * KNOCK_S_MIN
        self._enter(UNREACHABLE, KNOCK_S_MIN)

    def _knock(self, wait_s: float) -> None:
        self._hello()
        self.knock_s = min(2 * wait_s, KNOCK_S_MAX)
        self._enter(UNREACHABLE, wait_s)

    def _end(self, kind: str, phase: str = OFFLINE, **about: object) -> None:
        self.wanted = False
        self.link = self.new = self.handshake = self.own = None
        self.stale = 0
        self.ping_s = self.online_since_s = NEVER
        self._enter(phase, NEVER)
        self.world.tell(kind, **about)

    # --- what comes ---

    def retry(self, datagram: datagrams.Datagram) -> None:
        """An answer to a HELLO, or a hint (R-9.1-4)."""
        pinned, echo = self.world.store.get("server"), datagram["echo"]
        greeted = self.phase in (GREETING, UNREACHABLE) and echo == self.nonce
        hinted = self.phase not in (OFFLINE, GREETING, SUPERSEDED) and echo in self._echoes()
        if not greeted and not hinted:
            raise Refused("a RETRY to nothing that was sent")
        if pinned is not None and pinned != datagram["S"]:  # R-9.1-1
            self.offered_key = datagram["S"]
            return
        if not greeted:
            if self.world.now_s - self.hinted_s < HINT_S:
                return
            self.hinted_s = self.world.now_s
        self.token = datagram["token"]
        self._begin(datagram["S"])

    def _echoes(self) -> list[bytes]:
        return [*self.echoes, datagrams.echo_of(self.handshake.init)] if self.handshake else list(self.echoes)

    def resp(self, datagram: datagrams.Datagram) -> None:
        if self.phase != INITIATING or not self.handshake:
            raise Refused("a RESP to nothing that was sent")
        self.new = self.handshake.finish(datagram.data)
        self.world.store.put("server", self.handshake.server)  # R-9.1-1; the same, if one is pinned
        self._register_link()

    def record(self, datagram: datagrams.Datagram) -> None:
        end = next((end for end in (self.new, self.link) if end and end.index == datagram["index"]), None)
        if end is None:
            raise Refused("no such link")
        said = end.read(datagram.data)
        self.world.notes.append(", ".join(describe(one) for one in said if one.kind != "Padding"))
        if any(one.kind not in FROM_SERVER for one in said):
            raise Refused("a message that is not for clients")
        for one in said:
            self._hear(end, one)

    def _hear(self, end: link.RecordEnd, said: Message) -> None:
        if said.kind == "Superseded":
            if end is (self.new or self.link):  # R-9.1-6
                self._superseded()
        elif "id" not in said.fields:
            self.pushed(said)
        elif self.own and said["id"] == self.own["id"]:
            self._own_answered(said)
        else:
            self.requests.answered(said)

    def _superseded(self) -> None:
        if self.phase == LEAVING:
            self._end("offline")
        else:
            self._end("superseded", SUPERSEDED)

    def _own_answered(self, said: Message) -> None:
        if self.phase == LEAVING and said.kind in ("Deregistered", "Refused"):
            self._end("offline")
        elif self.phase == REGISTERING and said.kind == "Registered":
            self._go_online(said)
        elif self.phase == REGISTERING and said.kind == "Refused":
            own_seq = self.world.store.get("seq")
            if said["refusal"] == BUSY:
                self._enter(REGISTERING, min(max(said["wait_s"], TRY_S), POSTPONED_S_MAX))
            elif said["refusal"] == STALE_CARD and said["card_seq"] >= own_seq and self.stale < STALE_CARDS_MAX:
                assert self.handshake  # R-9.1-3
                self.stale += 1
                self.world.store.put("seq", said["card_seq"])
                self._begin(self.handshake.server)
            else:
                self._end("rejected", refusal=said["refusal"])

    # --- time ---

    def due_s(self) -> float:
        """When `tick` has something to do."""
        return min(self.timer_s, self.ping_s, self.requests.due_s()) if self.usable else self.timer_s

    def tick(self) -> None:
        if self.world.now_s >= self.timer_s:
            self._timed_out()
        if self.usable and self.world.now_s >= self.ping_s:
            self.requests.ask("Ping", lambda said: said.kind == "Pong")
            self._plan_ping()
        if self.usable:
            self.queue += self.requests.take_due()
            if self.requests.silent and self.phase == ONLINE:
                self._give_up()

    def _plan_ping(self) -> None:
        jitter = int.from_bytes(self.world.random(2), "big") / 2**16 * PING_JITTER_S
        self.ping_s = self.world.now_s + PING_S - jitter

    def _timed_out(self) -> None:
        again = self.tries < TRIES_MAX
        if self.phase == UNREACHABLE:
            self._knock(self.knock_s)
        elif self.phase == ONLINE:
            self._greet()  # an hour is over
        elif again:
            self._enter(self.phase, TRY_S, self.tries + 1)
            {GREETING: self._hello, INITIATING: self._init}.get(self.phase, self._say_own)()
        elif self.phase == INITIATING and self.link:
            self._greet()  # the hint may have been forged
        elif self.phase == LEAVING or not self.wanted:
            self._end("offline")
        else:
            self._give_up()

    def flush(self) -> None:
        """Send what was said in this turn, in as few RECORDs as hold it."""
        if self.usable and self.queue:
            self._seal(self.usable, self.queue)
        self.queue = []

    def _seal(self, end: link.RecordEnd, said: list[Message]) -> None:
        for messages, plaintext in link.pack(said):
            data = end.seal(plaintext)
            self.echoes.append(datagrams.echo_of(data))
            self.world.send(self.server, data, "RECORD: " + ", ".join(describe(one) for one in messages))
