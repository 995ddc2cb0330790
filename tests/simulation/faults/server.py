"""Faults that let in an attack of a server."""

from typing import Final

from tests.simulation.faults.fault import Planted
from udpchat_net.simulation.invariants import Invariant

_OUTBOX = "udpchat_core/client/outbox.py"
_OUTGOING = "udpchat_core/machines/outgoing.py"
_CONTACTS = "udpchat_core/client/contacts.py"
_CONNECTION = "udpchat_core/client/connection.py"
_CARD = "udpchat_core/secure/card.py"

SERVER: Final = (
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
        "server key pin off",
        _CONNECTION,
        "        if self.pinned is not None and retry.server_key != self.pinned:  # R-9.1-1\n",
        "        if self.pinned is not None and not retry.server_key:\n",
        Invariant.SERVER_KEY,
        "test_evil_server_sessions.py::test_a_server_with_another_key_gets_nothing_but_hello",
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
        "changed key not asked about",
        _CONTACTS,
        "        if pinned is not None and pinned != card.identity:\n",
        "        if pinned is not None and not card.identity:\n",
        None,
        "test_evil_server_cards.py::test_swapped_keys_of_a_known_name_are_asked_about_and_nothing_is_sealed_for_them",
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
