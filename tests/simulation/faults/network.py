"""Faults that let in an attack of whoever sits on the path."""

from typing import Final

from tests.simulation.faults.fault import Planted
from udpchat_net.simulation.invariants import Invariant

_OUTBOX = "udpchat_core/client/outbox.py"
_SESSIONS = "udpchat_core/server/sessions.py"
_LINKS = "udpchat_core/server/links.py"
_CONNECTION = "udpchat_core/client/connection.py"

NETWORK: Final = (
    Planted(
        "token not checked",
        _LINKS,
        "            check_token_untrusted(suite, self._secret, source, turn.now, init.token)  # R-8.1-1\n",
        "            pass\n",
        Invariant.UNPROVEN,
        "test_evil_network.py::test_a_token_is_good_for_the_address_that_it_was_sent_to_and_for_no_other",
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
        "server key pin off, on the path",
        _CONNECTION,
        "        if self.pinned is not None and retry.server_key != self.pinned:  # R-9.1-1\n",
        "        if self.pinned is not None and not retry.server_key:\n",
        None,
        "test_evil_network.py::test_a_hint_with_another_key_begins_nothing",
    ),
    Planted(
        "a late Register counts",
        _SESSIONS,
        "        if counter < session.ordered:  # R-8.2-7\n",
        "        if counter < -1:\n",
        None,
        "test_evil_network.py::test_a_register_held_back_does_not_bring_back_who_left",
    ),
)
