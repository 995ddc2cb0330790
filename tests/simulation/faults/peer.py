"""Faults that let in an attack of another user."""

from typing import Final

from tests.simulation.faults.fault import Planted
from udpchat_net.simulation.invariants import Invariant

_INBOX = "udpchat_core/client/inbox.py"
_OUTBOX = "udpchat_core/client/outbox.py"
_MAILBOXES = "udpchat_core/server/mailboxes.py"
_SESSIONS = "udpchat_core/server/sessions.py"
_SERVER_MEMORY = "udpchat_net/stores/memory_server.py"
_LINKS = "udpchat_core/server/links.py"
_DIRECTORY = "udpchat_core/server/directory.py"
_SERVER = "udpchat_core/server/server.py"
_CONTACTS = "udpchat_core/client/contacts.py"
_LETTER = "udpchat_core/secure/letter.py"
_LINK = "udpchat_core/secure/link.py"
_CARD = "udpchat_core/secure/card.py"

PEER: Final = (
    Planted(
        "replay window off",
        "udpchat_core/secure/replay.py",
        "        if behind >= REPLAY_WINDOW_RECORDS or (behind >= 0 and not self._missed >> behind & 1):  # R-4.4-4\n",
        "        if behind >= REPLAY_WINDOW_RECORDS:\n",
        None,
        "test_evil_peer_names.py::test_a_deregister_again_changes_nothing",
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
        "card signature not checked by a server",
        _CARD,
        "    suite.verify_untrusted(body.identity, signature, CARD_LABEL + encoded)  # R-2.3-2\n",
        "",
        Invariant.OWNERS,
        "test_evil_peer_names.py::test_a_taken_name_stays_taken",
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
)
