"""The Link between a client and the server: handshake and records.

Theory of operation. HELLO and RETRY prove the address, INIT and RESP are one Noise IK exchange whose
initiator's static key is the L of the card in it, and RECORDs carry the messages. The prologue binds version,
server key and the clear part of the INIT, so that no bit of a handshake can change unnoticed. Nothing here
changes a server's directory: that waits for the first RECORD from the client, which no replay can make.
"""

from dataclasses import dataclass

from ..bodies import CardBody
from ..datagrams import Hello, Init, Record, Resp, Retry
from ..errors import BadDatagram, LocalProtocolError, Reason
from ..wire import RECORD_PLAINTEXT_BYTES_MAX, header, serialize
from .card import check_expiry_untrusted, open_card_untrusted
from .keys import LINK_LABEL
from .noise import COUNTER_LIMIT, Begun, begin_untrusted, read_untrusted
from .replay import ReplayWindow
from .suite import KEY_BYTES, Suite

INDEX_BYTES = 4
_RECORD_HEADER = header(Record)
_KEYS_AT = 2 * INDEX_BYTES
_PLACE_AT = _KEYS_AT + 2 * KEY_BYTES


class Link(ReplayWindow):
    """One end of a confirmed or confirming link: two keys, counters and, being one, the replay window.

    A server has one for each client, so all that does not change is packed into one object.

    Attributes:
        index: by which the peer addresses this end.
        peer_index: by which this end addresses the peer.
        place: where the peer proved to be, as whoever made the link writes it; none at a client.
    """

    __slots__ = ("_packed", "_sent")

    def __init__(
        self, index: bytes, peer_index: bytes, send_key: bytes, receive_key: bytes, place: bytes = b""
    ) -> None:
        super().__init__()
        self._packed = index + peer_index + send_key + receive_key + place
        self._sent = 0

    def take_over(self, other: "Link") -> None:
        """Be `other` from where it is now: that is not used any more."""
        self._packed, self._sent = other._packed, other._sent  # noqa: SLF001 - another of this class
        self._highest, self._missed = other._highest, other._missed  # noqa: SLF001

    @property
    def index(self) -> bytes:  # noqa: D102 - said above
        return self._packed[:INDEX_BYTES]

    @property
    def peer_index(self) -> bytes:  # noqa: D102
        return self._packed[INDEX_BYTES:_KEYS_AT]

    @property
    def place(self) -> bytes:  # noqa: D102
        return self._packed[_PLACE_AT:]

    @property
    def _send_key(self) -> bytes:
        return self._packed[_KEYS_AT : _KEYS_AT + KEY_BYTES]

    @property
    def _receive_key(self) -> bytes:
        return self._packed[_KEYS_AT + KEY_BYTES : _PLACE_AT]

    def seal(self, suite: Suite, plaintext: bytes) -> bytes:
        """A RECORD datagram; `plaintext` is from `wire.pack`.

        Raises `LocalProtocolError` for a plaintext that no datagram holds, and when counters ran out.
        """
        if len(plaintext) > RECORD_PLAINTEXT_BYTES_MAX:  # R-3.3-2
            raise LocalProtocolError(f"{len(plaintext)} bytes in a RECORD: {RECORD_PLAINTEXT_BYTES_MAX} are allowed")
        if self._sent >= COUNTER_LIMIT:  # R-4.4-3
            raise LocalProtocolError("this link sent all the records it may: begin another")
        counter, self._sent = self._sent, self._sent + 1  # R-4.4-2
        clear = _record_header(self.peer_index, counter)
        return clear + suite.aead_seal(self._send_key, _nonce(counter), plaintext, clear)  # R-4.4-1

    def open_untrusted(self, suite: Suite, record: Record) -> bytes:
        """The plaintext of a RECORD, or `BadDatagram`, which leaves the link as it was."""
        index = self.index
        if record.index != index:  # R-3.1-6: nothing changes before the last check passed
            raise BadDatagram(Reason.LINK)
        if record.counter >= COUNTER_LIMIT:
            raise BadDatagram(Reason.COUNTER)
        self.check_untrusted(record.counter)
        clear = _record_header(index, record.counter)
        plaintext = suite.aead_open_untrusted(self._receive_key, _nonce(record.counter), record.sealed, clear)
        self.mark(record.counter)
        return plaintext


@dataclass(frozen=True, slots=True)
class Initiated:
    """A client between INIT and RESP; `init` is the datagram, sent again as it is until RESP comes."""

    init: bytes
    index: bytes
    _begun: Begun

    def finish_untrusted(self, suite: Suite, resp: Resp) -> Link:
        """The link, once the server's RESP is there; after `BadDatagram` another RESP may still be good."""
        if resp.index != self.index:
            raise BadDatagram(Reason.LINK)
        peer_index, keys = self._begun.finish_untrusted(suite, resp.noise)
        return Link(self.index, peer_index, keys.initiator, keys.responder)


@dataclass(frozen=True, slots=True)
class Responded:
    """A server's answer to an INIT: RESP to send, the link it would be, and whom the INIT claims to be from."""

    resp: bytes
    link: Link
    card: CardBody
    card_bytes: bytes


def hello(suite: Suite) -> bytes:
    """A HELLO datagram with a fresh nonce."""
    return serialize(Hello(suite.random(16)))


def retry(answered: bytes, token: bytes, server_key: bytes) -> bytes:
    """The RETRY datagram that answers `answered`, a datagram of a HELLO's length or more.

    Raises `LocalProtocolError` if it would be longer than what it answers.
    """
    payload = serialize(Retry(answered[3:19], token, server_key))  # R-4.1-1
    if len(payload) > len(answered):  # R-3.3-1
        raise LocalProtocolError(f"a RETRY of {len(payload)} bytes to a datagram of {len(answered)}")
    return payload


def initiate_untrusted(
    suite: Suite, server_key: bytes, token: bytes, index: bytes, live_private: bytes, card: bytes
) -> Initiated:
    """Begin a link to the server with public key `server_key`; the card's L is `live_private`'s public key.

    Raises `BadDatagram(POINT)` if the server's key is hostile: it came in a RETRY.
    """
    noise, begun = begin_untrusted(suite, _prologue(server_key, token, index), live_private, server_key, card)
    return Initiated(serialize(Init(token, index, noise)), index, begun)


def respond_untrusted(
    suite: Suite, server_private: bytes, init: Init, index: bytes, now_s: int, place: bytes = b""
) -> Responded:
    """Answer an INIT whose token was found good.

    `index` is the server's new link index, `place` where the client is, for whoever looks at the link.
    Raises `BadDatagram` for a handshake that does not hold, a card that is none or past its day, and a card
    whose L is not the key that the handshake proved.
    """
    prologue = _prologue(suite.dh_public(server_private), init.token, init.index)
    asked = read_untrusted(suite, prologue, server_private, init.noise)
    card = open_card_untrusted(suite, asked.payload)
    if card.live != asked.static:  # R-4.2-3
        raise BadDatagram(Reason.STATIC)
    check_expiry_untrusted(card, now_s)
    noise, keys = asked.answer_untrusted(suite, index)  # R-4.2-4
    link = Link(index, init.index, keys.responder, keys.initiator, place)
    return Responded(serialize(Resp(init.index, noise)), link, card, asked.payload)


def _prologue(server_key: bytes, token: bytes, index: bytes) -> bytes:
    return LINK_LABEL + server_key + header(Init) + token + index  # R-4.2-2


def _record_header(index: bytes, counter: int) -> bytes:
    return _RECORD_HEADER + index + counter.to_bytes(8)


def _nonce(counter: int) -> bytes:
    return bytes(4) + counter.to_bytes(8, "little")
