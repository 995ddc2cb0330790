"""Faults of the delivery: random bad networks find them."""

from typing import Final

from tests.simulation.faults.fault import Planted
from udpchat_net.simulation.invariants import Invariant

_INBOX = "udpchat_core/client/inbox.py"
_OUTBOX = "udpchat_core/client/outbox.py"
_DISPATCH = "udpchat_core/client/dispatch.py"
_CLIENT = "udpchat_core/client/client.py"
_OUTGOING = "udpchat_core/machines/outgoing.py"
_INCOMING = "udpchat_core/machines/incoming.py"
_MAILBOXES = "udpchat_core/server/mailboxes.py"
_SESSIONS = "udpchat_core/server/sessions.py"
_CLIENT_MEMORY = "udpchat_net/stores/memory_client.py"
_SERVER_MEMORY = "udpchat_net/stores/memory_server.py"
_ENTER = "                    turn.store(self._entry(letter, turn))\n"

DELIVERY: Final = (
    Planted(
        "acknowledge before commit",
        _INBOX,
        _ENTER,
        _ENTER
        + "                    for each in letter.sources:\n"
        + "                        turn.acknowledge(each, letter.ack)\n",
        Invariant.DURABLE,
    ),
    Planted(
        "collect before commit",
        _INBOX,
        _ENTER,
        _ENTER + "                    self._collect(letter, Outcome.ACKNOWLEDGED, letter.ack)\n",
        Invariant.DURABLE,
    ),
    Planted(
        "acknowledge a held letter",
        _INBOX,
        "            epoch.held[letter.body.seq] = letter\n",
        "            epoch.held[letter.body.seq] = letter\n"
        "            for each in letter.sources:\n"
        "                turn.acknowledge(each, letter.ack)\n",
        Invariant.DURABLE,
    ),
    Planted(
        "stored before commit",
        _MAILBOXES,
        "        self._keeping[key] = (session, asked.id)\n",
        "        self._keeping[key] = (session, asked.id)\n"
        "        context.say(turn, session, Stored(asked.id, False, asked.attempt))\n",
        Invariant.DURABLE,
    ),
    Planted(
        "registered before commit",
        _SESSIONS,
        "            self._names_binding[user.name] = None\n",
        "            self._names_binding[user.name] = None\n"
        "            early = Registered(asked.id, unpacked(session.address), 0, _LIMITS, 0)\n"
        "            parts.context.say(turn, session, early)\n",
        Invariant.DURABLE,
    ),
    Planted(
        "noted before commit",
        "udpchat_core/client/receipts.py",
        "        if slot in self._settling:\n"
        "            self._settling[slot] = True\n"
        "        else:\n"
        "            self._note",
        "        if True:\n            self._note",
        Invariant.DURABLE,
    ),
    Planted(
        "marked before stored",
        _OUTBOX,
        "                if letter.phase is Phase.STORED:",
        "                if letter.phase is Phase.STORING:",
        Invariant.DURABLE,
    ),
    Planted(
        "queued before commit",
        _CLIENT,
        "            turn.store(saved)\n",
        "            turn.store(saved)\n"
        "            from ..client_events import MessageQueued\n\n"
        "            turn.emit(MessageQueued(message, to))\n",
        Invariant.DURABLE,
    ),
    Planted(
        "volatile dedupe",
        _CLIENT_MEMORY,
        "        return Entered(of_this_request)\n",
        "        return Entered(True)\n",
        Invariant.ONCE,
    ),
    Planted(
        "a repeated letter is told again",
        _INCOMING,
        "p.CHECKING.to(p.SHOWN, on=acknowledge)",
        "p.CHECKING.to(p.SHOWN, on=show)",
        Invariant.ONCE,
    ),
    Planted(
        "no order",
        _INBOX,
        "            self._hold_untrusted(IncomingLetter(body, ack), epoch, source, entry, turn)\n",
        "            self._begin(IncomingLetter(body, ack), Incoming.reached, source, entry, turn)\n",
        Invariant.IN_ORDER,
    ),
    Planted(
        "no order after a restart",
        _CLIENT,
        "        for saved in state.outbox:\n",
        "        for saved in reversed(state.outbox):\n",
        Invariant.IN_ORDER,
    ),
    Planted(
        "no recipient check",
        _MAILBOXES,
        "        key = (asked.recipient, sender, asked.slot, asked.attempt)\n",
        "        key = (sender, sender, asked.slot, asked.attempt)\n",
        Invariant.RIGHT_PERSON,
    ),
    Planted(
        "outbox deleted on stored",
        _OUTGOING,
        "p.STORING.to(p.STORED, on=settle_down)",
        "p.STORING.to(p.DELIVERED, on=finish)",
        Invariant.DURABLE,
    ),
    Planted(
        "dedupe by too short a key",
        _CLIENT_MEMORY,
        "        there = self.inbox.setdefault((letter.sender, letter.ack), letter)\n",
        "        there = self.inbox.setdefault((letter.sender, letter.ack[:1]), letter)\n",
        Invariant.NOTHING_LOST,
    ),
    Planted(
        "mailbox deletes up to",
        _SERVER_MEMORY,
        "            letters += 1\n            box.delete(letter)\n",
        "            letters += 1\n"
        "            for each in [each for each in box.letters.values() if each.entry <= letter.entry]:\n"
        "                box.delete(each)\n",
        Invariant.MAILBOX,
    ),
    Planted(
        "mail returned by who has the key",
        _INBOX,
        "            body = open_letter_untrusted(self._shared.suite, self._keyring.identity, keys, letter)\n"
        "            if",
        "            body = open_letter_untrusted(self._shared.suite, self._keyring.identity, keys[:1], letter)\n"
        "            if",
        Invariant.MAILBOX,
    ),
    Planted(
        "floor ahead of the truth",
        _DISPATCH,
        "            floor=conversation.floor,\n",
        "            floor=letter.seq,\n",
        Invariant.NUMBERING,
    ),
    Planted(
        "epoch kept across a start",
        _CLIENT,
        "        epoch = int.from_bytes(suite.random(8)) % NUMBER_LIMIT\n",
        "        epoch = int.from_bytes(state.identity[:5])\n",
        Invariant.NUMBERING,
    ),
    Planted(
        "secret drawn anew on reseal",
        _DISPATCH,
        "            secret=letter.secret,\n            sent_ms",
        "            secret=letter.secret if not letter.sent else self._shared.suite.random(16),\n            sent_ms",
        Invariant.ONE_LETTER,
    ),
    Planted(
        "token not bound to the address",
        "udpchat_core/secure/token.py",
        "    place = epoch.to_bytes(8, signed=True) + source.port.to_bytes(2) + source.host\n",
        "    place = epoch.to_bytes(8, signed=True)\n",
        Invariant.UNPROVEN,
    ),
    Planted(
        "answers go to where a record came from",
        "udpchat_core/server/server.py",
        "        if packed(source) != session.address:  # R-8.1-6\n",
        "        if packed(source) != session.address:  # R-8.1-6\n"
        "            session._packed = session._packed[: -len(session.place)] + packed(source)\n",
        Invariant.UNPROVEN,
    ),
    Planted(
        "an empty datagram",
        "udpchat_core/wire.py",
        "    if len(payload) < HEADER_BYTES or len(payload) > DATAGRAM_BYTES_MAX:",
        "    if len(payload) > DATAGRAM_BYTES_MAX:",
        Invariant.NO_ERROR,
    ),
    Planted(
        "requests forgotten on a new link",
        "udpchat_core/client/requester.py",
        "        self._waiting = dict.fromkeys(self._asked)\n",
        "        self._waiting = {}\n",
        Invariant.DRAINED,
    ),
    Planted(
        "mail not pushed to who returns",
        _SESSIONS,
        "        parts.mailboxes.start(turn, user)\n",
        "",
        Invariant.DRAINED,
    ),
    Planted(
        "datagrams too long",
        "udpchat_core/limits.py",
        "DATAGRAM_BYTES_MAX: Final = 1_200\n",
        "DATAGRAM_BYTES_MAX: Final = 1_300\n",
        Invariant.SIZE,
    ),
)
