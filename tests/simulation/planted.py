"""Plants faults in a copy of the tree, one at a time, and sees the oracle catch each by the promise that it breaks.

`python -m tests.simulation.planted [NAME ...]`. A fault that another promise catches, or none, counts as missed: it
means that a layer is not watched. The copy is thrown away. `FAULTS` is checked in CI to be about the code as it is.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final, NamedTuple

from udpchat_net.simulation.invariants import Invariant

ROOT: Final = Path(__file__).parents[2]
HOURS: Final = 60
_SOAK: Final = ("-m", "tests.simulation.soak", "--no-shrink", "--hours", str(HOURS))


class Planted(NamedTuple):
    """Put `new` in the place of `old`, which is in the file once: then `invariant` is broken."""

    name: str
    file: str
    old: str
    new: str
    invariant: Invariant


_INBOX = "udpchat_core/client/inbox.py"
_OUTBOX = "udpchat_core/client/outbox.py"
_CLIENT = "udpchat_core/client/client.py"
_OUTGOING = "udpchat_core/machines/outgoing.py"
_INCOMING = "udpchat_core/machines/incoming.py"
_MAILBOXES = "udpchat_core/server/mailboxes.py"
_SESSIONS = "udpchat_core/server/sessions.py"
_MEMORY = "udpchat_net/stores/memory.py"
_ENTER = "                    turn.store(self._entry(letter, turn))\n"

FAULTS: Final = (
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
        "            early = Registered(id_, unpacked(session.address), 0, _LIMITS, 0)\n"
        "            parts.context.say(turn, session, early)\n",
        Invariant.DURABLE,
    ),
    Planted(
        "noted before commit",
        _OUTBOX,
        "        if slot in self._settling:\n"
        "            self._settling[slot] = True\n"
        "        else:\n"
        "            self._note",
        "        if True:\n            self._note",
        Invariant.DURABLE,
    ),
    Planted(
        "queued before commit",
        _CLIENT,
        "            turn.store(saved)\n",
        "            turn.store(saved)\n"
        "            from ..events import MessageQueued\n\n"
        "            turn.emit(MessageQueued(message, to))\n",
        Invariant.DURABLE,
    ),
    Planted(
        "volatile dedupe",
        _MEMORY,
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
        _MEMORY,
        "        there = self.inbox.setdefault((letter.sender, letter.ack), letter)\n",
        "        there = self.inbox.setdefault((letter.sender, letter.ack[:1]), letter)\n",
        Invariant.NOTHING_LOST,
    ),
    Planted(
        "mailbox deletes up to",
        _MEMORY,
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
        _OUTBOX,
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
        _OUTBOX,
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


def plant(fault: Planted, copy: Path) -> None:
    """Put the fault into a copy of the tree."""
    path = copy / fault.file
    text = path.read_text(encoding="utf-8")
    assert text.count(fault.old) == 1, f"{fault.name}: the old text is {text.count(fault.old)} times in {fault.file}"
    path.write_text(text.replace(fault.old, fault.new), encoding="utf-8")


def caught_by(fault: Planted) -> tuple[str, str]:
    """The name of the invariant that caught it, and what it said; empty names if none did."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "udpchat"
        for part in ("udpchat_core", "udpchat_net", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        plant(fault, copy)
        run = subprocess.run([sys.executable, *_SOAK], cwd=copy, capture_output=True, text=True, check=False)
    said = re.match(r"([A-Z_]+): .*", run.stdout)
    if said is None:
        return "", run.stdout.partition("\n")[0] or run.stderr.strip().rpartition("\n")[2]
    good = re.search(r"after (\d+) scenarios", run.stdout)
    assert good is not None
    return said[1], f"in scenario {int(good[1]) + 1}: {said[0][:200]}"


def main(names: list[str]) -> int:
    missed = 0
    for fault in FAULTS:
        if names and fault.name not in names:
            continue
        name, said = caught_by(fault)
        word = "caught" if name == fault.invariant.name else "MISSED"
        missed += word == "MISSED"
        sys.stdout.write(f"{word} {fault.name} by {name or 'nothing'} (must be {fault.invariant.name})\n    {said}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
