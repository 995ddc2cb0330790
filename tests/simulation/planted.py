"""Plants faults in a copy of the tree, one at a time, and sees each caught by the promise that it breaks.

`python -m tests.simulation.planted [NAME ...]`. Those of the delivery are looked for by random bad networks, those of
security by the test of the attack that they let through. A fault that another promise catches, or none, counts as
missed: it means that a layer is not watched. The copy is thrown away. `FAULTS` is checked in CI to be about the code
as it is.
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
_PYTEST: Final = ("-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")
_EVIL: Final = "tests/simulation/evil"
_TESTS_FAILED: Final = 1


class Planted(NamedTuple):
    """Put `new` in the place of `old`, which is in the file once: then `invariant` is broken.

    Attributes:
        invariant: that is broken; None: what the test asserts besides.
        attack: the test that must fail, in `tests/simulation/evil`; none: a random bad network finds it.
        also: a second text in the file, and what comes in its place.
    """

    name: str
    file: str
    old: str
    new: str
    invariant: Invariant | None
    attack: str = ""
    also: tuple[str, str] = ("", "")


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
_LINKS = "udpchat_core/server/links.py"
_DIRECTORY = "udpchat_core/server/directory.py"
_SERVER = "udpchat_core/server/server.py"
_CONTACTS = "udpchat_core/client/contacts.py"
_CONNECTION = "udpchat_core/client/connection.py"
_LETTER = "udpchat_core/secure/letter.py"
_LINK = "udpchat_core/secure/link.py"
_CARD = "udpchat_core/secure/card.py"
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
    Planted(
        "token not checked",
        _LINKS,
        "            check_token_untrusted(suite, self._secret, source, turn.now, init.token)  # R-8.1-1\n",
        "            pass\n",
        Invariant.UNPROVEN,
        "test_evil_network.py::test_a_token_is_good_for_the_address_that_it_was_sent_to_and_for_no_other",
    ),
    Planted(
        "replay window off",
        "udpchat_core/secure/replay.py",
        "        if behind >= REPLAY_WINDOW_RECORDS or (behind >= 0 and not self._missed >> behind & 1):  # R-4.4-4\n",
        "        if behind >= REPLAY_WINDOW_RECORDS:\n",
        None,
        "test_evil_peer_names.py::test_a_deregister_again_changes_nothing",
    ),
    Planted(
        "any acknowledgement is good",
        _OUTBOX,
        "        letter = self._by_ack.get(ack)\n        if letter is None:\n",
        "        letter = next(iter(self._letters.values()), None)\n        if letter is None:\n",
        Invariant.DURABLE,
        "test_evil_network.py::test_forged_answers_end_nothing",
    ),
    Planted(
        "receipt accepted for the slot of another letter",
        _OUTBOX,
        "            if self._by_ack.get(ack) is not letter:  # R-9.3-7\n",
        "            if ack not in self._by_ack:\n",
        Invariant.DURABLE,
        "test_evil_server_letters.py::test_a_receipt_of_another_letter_delivers_nothing",
    ),
    Planted(
        "receipt accepted without an acknowledgement",
        _OUTBOX,
        "            if self._by_ack.get(ack) is not letter:  # R-9.3-7\n",
        "            if not ack:\n",
        Invariant.DURABLE,
        "test_evil_server_letters.py::test_forged_receipts_deliver_nothing",
    ),
    Planted(
        "wrong receipt kept for ever",
        _OUTBOX,
        "                self.receipts.note(slot)  # else it would take the place of others for ever\n",
        "",
        Invariant.DRAINED,
        "test_evil_peer_mail.py::test_a_letter_collected_with_a_wrong_acknowledgement_is_not_delivered",
    ),
    Planted(
        "hint longer than its cause",
        _LINKS,
        "        if len(answered) >= RETRY_BYTES and self._hints < HINTS_PER_S_MAX:  # R-8.1-5\n",
        '        answered = answered.ljust(RETRY_BYTES, b"\\0")\n        if self._hints < HINTS_PER_S_MAX:\n',
        Invariant.UNPROVEN,
        "test_evil_network.py::test_what_is_shorter_than_a_hint_gets_none",
    ),
    Planted(
        "hints followed without limit",
        _CONNECTION,
        "        if self._hinted_at is not None and now < after(self._hinted_at, HINT_US):  # R-9.1-4\n",
        "        if self._hinted_at is not None and now < self._hinted_at:\n",
        None,
        "test_evil_network.py::test_forged_hints_cost_a_handshake_in_five_seconds_and_hold_up_nobody",
    ),
    Planted(
        "server key pin off",
        _CONNECTION,
        "        if self.pinned is not None and retry.server_key != self.pinned:  # R-9.1-1\n",
        "        if self.pinned is not None and not retry.server_key:\n",
        Invariant.SERVER_KEY,
        "test_evil_server_sessions.py::test_a_server_with_another_key_gets_nothing_but_hello",
    ),
    Planted(
        "server key pin off, on the path",
        _CONNECTION,
        "        if self.pinned is not None and retry.server_key != self.pinned:  # R-9.1-1\n",
        "        if self.pinned is not None and not retry.server_key:\n",
        None,
        "test_evil_network.py::test_a_hint_with_another_key_begins_nothing",
    ),
    Planted(
        "card signature not checked by a server",
        _CARD,
        "    suite.verify_untrusted(body.identity, signature, CARD_LABEL + encoded)  # R-2.3-2\n",
        "",
        Invariant.OWNERS,
        "test_evil_peer_names.py::test_a_taken_name_stays_taken",
    ),
    Planted(
        "card signature not checked by a client",
        _CARD,
        "    suite.verify_untrusted(body.identity, signature, CARD_LABEL + encoded)  # R-2.3-2\n",
        "",
        Invariant.SEALED_FOR,
        "test_evil_server_cards.py::test_a_card_that_its_owner_did_not_sign_is_believed_by_nobody",
    ),
    Planted(
        "name of a card not checked",
        _CONTACTS,
        "        check_name_untrusted(card, name)\n",
        "",
        None,
        "test_evil_server_cards.py::test_a_card_for_another_name_is_believed_by_nobody",
    ),
    Planted(
        "stale card accepted by a client",
        _CONTACTS,
        "        if contact.card is not None and succession(contact.card.seq, card) is Succession.STALE:\n",
        "        if contact.card is not None and succession(contact.card.seq, card) is None:\n",
        None,
        "test_evil_server_cards.py::test_a_card_older_than_the_one_known_is_believed_by_nobody",
    ),
    Planted(
        "stale card accepted by a server",
        _DIRECTORY,
        "        return None if succession(seq, body) is Succession.SAME_OR_NEWER else",
        "        return None if succession(seq, body) else",
        Invariant.OWNERS,
        "test_evil_peer_names.py::test_a_card_behind_or_too_far_ahead_is_refused",
    ),
    Planted(
        "changed key not asked about",
        _CONTACTS,
        "        if pinned is not None and pinned != card.identity:\n",
        "        if pinned is not None and not card.identity:\n",
        None,
        "test_evil_server_cards.py::test_swapped_keys_of_a_known_name_are_asked_about_and_nothing_is_sealed_for_them",
    ),
    Planted(
        "name taken not checked",
        _DIRECTORY,
        "        if holder is not None and holder is not known and holder.identity != former:  # R-8.2-2\n",
        "        if holder is not None and holder is self:\n",
        Invariant.OWNERS,
        "test_evil_peer_names.py::test_a_taken_name_stays_taken",
    ),
    Planted(
        "live key of a card not proved",
        _LINK,
        "    if card.live != asked.static:  # R-4.2-3\n",
        "    if not card.live:\n",
        None,
        "test_evil_peer_names.py::test_a_card_for_a_live_key_that_is_not_its_own_is_refused",
    ),
    Planted(
        "hostile keys taken",
        "udpchat_core/secure/keys.py",
        "    if len(public) != KEY_BYTES or _unsigned(public) in SMALL_ORDER_X25519:  # R-2.2-3\n",
        "    if len(public) != KEY_BYTES:\n",
        None,
        "test_evil_peer_names.py::test_a_card_with_a_hostile_key_is_refused",
    ),
    Planted(
        "recipient left out of the signature",
        _LETTER,
        "    signature = suite.sign(sender_private, info + recipient_key + encoded)  # R-6.2-1\n",
        "    signature = suite.sign(sender_private, LETTER_LABEL + encoded)\n",
        Invariant.RIGHT_PERSON,
        "test_evil_peer_letters.py::test_a_letter_passed_on_is_not_shown",
        also=("signature, context + encoded)  # R-6.2-2\n", "signature, LETTER_LABEL + encoded)\n"),
    ),
    Planted(
        "signature of a letter not checked",
        _LETTER,
        "    suite.verify_untrusted(body.sender, signature, context + encoded)  # R-6.2-2\n",
        "",
        Invariant.RIGHT_PERSON,
        "test_evil_peer_letters.py::test_a_letter_in_anothers_name_is_not_confirmed",
    ),
    Planted(
        "every name confirmed",
        _CONTACTS,
        "            return contact.card.identity == identity\n        return None\n",
        "            return True\n        return None\n",
        Invariant.RIGHT_PERSON,
        "test_evil_peer_letters.py::test_a_letter_in_anothers_name_is_not_confirmed",
    ),
    Planted(
        "slot of mail not checked",
        _INBOX,
        "            if slot_of(self._shared.suite, body.secret) != mail.slot:  # R-9.4-4\n",
        "            if not mail.slot:\n",
        None,
        "test_evil_peer_mail.py::test_mail_under_a_wrong_slot_is_not_shown",
    ),
    Planted(
        "held letters of a sender without a cap",
        _INBOX,
        "        self._evict(order.make_room(), turn)\n",
        "",
        None,
        "test_evil_peer_letters.py::test_one_sender_holds_no_more_than_its_share",
        also=("        return order.held < HELD_LETTERS_PER_SENDER_MAX and self._held", "        return self._held"),
    ),
    Planted(
        "held letters without a cap",
        _INBOX,
        "        return order.held < HELD_LETTERS_PER_SENDER_MAX and self._held < HELD_LETTERS_MAX  # R-9.4-5\n",
        "        return order.held < HELD_LETTERS_PER_SENDER_MAX\n",
        Invariant.CAPS,
        "test_evil_peer_letters.py::test_letters_with_gaps_of_many_identities_hold_up_nobody",
    ),
    Planted(
        "names of strangers asked about without limit",
        "udpchat_core/client/display.py",
        "        elif confirmed is None and self._names.take(turn.now):  # R-9.4-9\n",
        "        elif confirmed is None:\n",
        None,
        "test_evil_peer_letters.py::test_ever_new_strangers_do_not_stand_in_line_before_a_users_own_requests",
    ),
    Planted(
        "pins for strangers without limit",
        _CONTACTS,
        "(contact.letters or len(self._pins) < STRANGER_PINS_MAX)",
        "(contact.letters or len(self._pins) < 2 * STRANGER_PINS_MAX)",
        None,
        "test_evil_peer_letters.py::test_strangers_with_names_leave_room_for_contacts",
    ),
    Planted(
        "letters of strangers opened without limit",
        "udpchat_core/client/sources.py",
        "        if source not in self._known and not self._strangers.take(now):  # R-9.4-8\n",
        "        if source not in self._known and not now:\n",
        None,
        "test_evil_peer_letters.py::test_letters_that_open_nothing_hold_up_nobody",
    ),
    Planted(
        "quota of strangers off",
        _SERVER_MEMORY,
        "    return keep.sender not in box.known and strangers >= quota.strangers_letters_max\n",
        "    return keep.sender not in box.known and strangers > len(senders)\n",
        Invariant.CAPS,
        "test_evil_peer_mail.py::test_strangers_do_not_fill_a_mailbox",
    ),
    Planted(
        "slots are everybody's",
        _SERVER_MEMORY,
        "        box, key = self._box(keep.owner), (keep.sender, keep.slot)\n        if key in box.slots:\n",
        "        box = self._box(keep.owner)\n"
        "        key = next((each for each in box.slots if each[1] == keep.slot), (keep.sender, keep.slot))\n"
        "        if key in box.slots:\n",
        Invariant.MAILBOX,
        "test_evil_peer_mail.py::test_a_slot_taken_by_a_stranger_takes_nothing",
    ),
    Planted(
        "anybody collects",
        _MAILBOXES,
        "CollectLetters(session.user.identity, asked.entries, RECEIPTS_PER_PAIR_MAX))\n",
        "CollectLetters(session.user.identity, asked.entries, RECEIPTS_PER_PAIR_MAX))\n"
        "        for user in filter(None, map(self._directory.holder, ('ann', 'bob'))):\n"
        "            self._storage.ask(turn, CollectLetters(user.identity, asked.entries, RECEIPTS_PER_PAIR_MAX))\n",
        Invariant.MAILBOX,
        "test_evil_peer_mail.py::test_nobody_collects_or_notes_for_another",
    ),
    Planted(
        "anybody notes",
        "udpchat_core/server/receipts.py",
        "        self._storage.ask(turn, DropReceipts(session.user.identity, asked.slots))\n",
        "        for user in filter(None, map(self._directory.holder, ('ann', 'bob'))):\n"
        "            self._storage.ask(turn, DropReceipts(user.identity, asked.slots))\n",
        Invariant.OWNERS,
        "test_evil_peer_mail.py::test_nobody_collects_or_notes_for_another",
    ),
    Planted(
        "a late Register counts",
        _SESSIONS,
        "        if counter < session.ordered:  # R-8.2-7\n",
        "        if counter < -1:\n",
        None,
        "test_evil_network.py::test_a_register_held_back_does_not_bring_back_who_left",
    ),
    Planted(
        "a late Deregister counts",
        _SESSIONS,
        "        if counter < session.ordered:\n            return\n        session.ordered = counter\n        if (b",
        "        session.ordered = counter\n        if (b",
        None,
        "test_evil_peer_names.py::test_an_own_deregister_that_comes_late_is_ignored",
    ),
    Planted(
        "pending links of an address without a cap",
        _LINKS,
        "        if len(here) >= PENDING_LINKS_PER_ADDRESS_MAX or",
        "        if",
        None,
        "test_evil_peer_floods.py::test_a_flood_of_inits_under_one_token_is_bounded_and_holds_up_nobody",
    ),
    Planted(
        "INITs of a host without limit",
        _LINKS,
        "        if of is not None and not self._inits_of_prefix.take(of, turn.now):  # R-8.8-1\n",
        "        if of is not None and not of:\n",
        None,
        "test_evil_peer_floods.py::test_a_flood_of_inits_from_many_ports_is_bounded_by_the_host",
    ),
    Planted(
        "half-open links kept",
        "udpchat_core/limits.py",
        "PENDING_LINK_US: Final = 10_000_000\n",
        "PENDING_LINK_US: Final = 10_000_000_000\n",
        None,
        "test_evil_peer_floods.py::test_half_open_links_are_dropped_and_change_nothing",
    ),
    Planted(
        "requests of a session without limit",
        _SERVER,
        "            if self._requests.take(record.index, turn.now):  # R-8.8-3\n",
        "            if record.index:\n",
        None,
        "test_evil_peer_floods.py::test_a_flood_of_requests_holds_up_nobody",
    ),
    Planted(
        "older links kept",
        _SESSIONS,
        "        if older is not None and older is not session:\n",
        "        if older is not None and older is session:\n",
        None,
        "test_evil_peer_floods.py::test_many_links_of_one_identity_leave_one",
    ),
    Planted(
        "sealed again without a newer card",
        _OUTGOING,
        "    return record.came_back and peer.card_seq > record.card_seq  # R-9.3-6\n",
        "    return record.came_back\n",
        None,
        "test_evil_server_letters.py::test_returned_at_will_loses_nothing_and_is_no_loop",
    ),
    Planted(
        "waits without a cap",
        "udpchat_core/client/requester.py",
        "min(max(wait_s, 1), POSTPONED_S_MAX) * SECOND",
        "max(wait_s, 1) * SECOND",
        None,
        "test_evil_server_sessions.py::test_waits_of_an_age_are_cut_to_minutes",
    ),
    Planted(
        "letters given up by the server's clock",
        "udpchat_core/client/ages.py",
        "        return min(self._shared.wall_ms(now) - sent_ms, now // MS + server_offset_ms - server_ms)\n",
        "        return now // MS + server_offset_ms - server_ms\n",
        Invariant.NOTHING_LOST,
        "test_evil_server_sessions.py::test_a_wrong_registered_changes_nothing_that_matters",
    ),
    Planted(
        "rosters without a cap",
        "udpchat_core/client/roster.py",
        "            if seq and name not in self.online and len(self.online) >= ROSTER_USERS_MAX:\n",
        "            if not name:\n",
        Invariant.CAPS,
        "test_evil_server_sessions.py::test_rosters_without_end_stop_growing_and_are_pulled_a_page_an_answer",
    ),
)


def plant(fault: Planted, copy: Path) -> None:
    """Put the fault into a copy of the tree."""
    path = copy / fault.file
    text = path.read_text(encoding="utf-8")
    for old, new in ((fault.old, fault.new), fault.also):
        if old:
            assert text.count(old) == 1, f"{fault.name}: the old text is {text.count(old)} times in {fault.file}"
            text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def caught_by(fault: Planted) -> tuple[str, str]:
    """The name of the invariant that caught it, and what it said; empty names if none did."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "udpchat"
        for part in ("udpchat_core", "udpchat_net", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        plant(fault, copy)
        command = (*_PYTEST, f"{_EVIL}/{fault.attack}") if fault.attack else _SOAK
        run = subprocess.run([sys.executable, *command], cwd=copy, capture_output=True, text=True, check=False)
    if fault.attack:
        return caught_by_attack(run.returncode, run.stdout)
    said = re.match(r"([A-Z_]+): .*", run.stdout)
    if said is None:
        return "", run.stdout.partition("\n")[0] or run.stderr.strip().rpartition("\n")[2]
    good = re.search(r"after (\d+) scenarios", run.stdout)
    assert good is not None
    return said[1], f"in scenario {int(good[1]) + 1}: {said[0][:200]}"


def caught_by_attack(status: int, said: str) -> tuple[str, str]:
    """The same, of a test: `assert` where that caught it."""
    if status != _TESTS_FAILED:
        return "", f"pytest ended with {status}"
    violation = re.search(r"^E .*Violation: ([A-Z_]+): (.*)", said, re.MULTILINE)
    if violation is not None:
        return violation[1], violation[0][:200]
    failed = re.search(r"^E +(Assertion.*|assert.*|Failed.*)", said, re.MULTILINE)
    return ("assert", failed[1][:200]) if failed is not None else ("", "the test broke in another way")


def main(names: list[str]) -> int:
    missed = 0
    for fault in FAULTS:
        if names and fault.name not in names:
            continue
        name, said = caught_by(fault)
        wanted = fault.invariant.name if fault.invariant is not None else "assert"
        word = "caught" if name == wanted else "MISSED"
        missed += word == "MISSED"
        sys.stdout.write(f"{word} {fault.name} by {name or 'nothing'} (must be {wanted})\n    {said}\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
