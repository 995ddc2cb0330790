"""The Link: HELLO, INIT and RESP, and the RECORDs after them (section 4)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from . import datagrams, keys
from .cards import open_card
from .cbor import Refused
from .grammar import Message, message, message_bytes, read_record, record_bytes
from .noise import Initiator, Responder

REPLAY_WINDOW_RECORDS = 1024
COUNTER_RESERVED = 2**64 - 1
RECORD_CLEAR_BYTES, TAG_BYTES = 15, 16
RETRY_BYTES = 67
PLAINTEXT_BYTES_MAX = datagrams.DATAGRAM_BYTES_MAX - RECORD_CLEAR_BYTES - TAG_BYTES
MESSAGES_BYTES_MAX = PLAINTEXT_BYTES_MAX - 2  # without the array's head


class Replays:
    """Which counters were accepted: the highest, and which of the 1,023 below it."""

    def __init__(self) -> None:
        self.highest = -1
        self.seen: set[int] = set()

    def refuse_old(self, counter: int) -> None:
        if counter == COUNTER_RESERVED:  # R-4.4-3
            raise Refused("the counter that Noise reserves")
        if counter in self.seen or counter <= self.highest - REPLAY_WINDOW_RECORDS:  # R-4.4-4
            raise Refused("seen before, or too old to tell")

    def accept(self, counter: int) -> None:
        self.seen.add(counter)
        if counter > self.highest:
            self.highest = counter
            if len(self.seen) > 2 * REPLAY_WINDOW_RECORDS:
                self.seen = {seen for seen in self.seen if seen > counter - REPLAY_WINDOW_RECORDS}


class RecordEnd:
    """One end of a link: it receives under `index` with one key, and sends under `remote_index` with another."""

    def __init__(self, index: bytes, receiving: bytes, remote_index: bytes, sending: bytes) -> None:
        self.index, self.remote_index = index, remote_index
        self.receiving, self.sending = ChaCha20Poly1305(receiving), ChaCha20Poly1305(sending)
        self.replays = Replays()
        self.counter = 0

    def seal(self, plaintext: bytes) -> bytes:
        counter = self.counter.to_bytes(8, "big")
        self.counter += 1  # R-4.4-2; 2^64 of them are never reached
        clear = datagrams.HEADER + bytes((datagrams.RECORD,)) + self.remote_index + counter
        return clear + self.sending.encrypt(bytes(4) + counter[::-1], plaintext, clear)  # R-4.4-1

    def open(self, data: bytes) -> bytes:
        record = datagrams.cut(data)
        if record.type != datagrams.RECORD or record["index"] != self.index:
            raise Refused("no record, or for another link")
        counter = int.from_bytes(record["counter"], "big")
        self.replays.refuse_old(counter)
        try:
            nonce = bytes(4) + record["counter"][::-1]
            plaintext = self.receiving.decrypt(nonce, record["sealed"], data[:RECORD_CLEAR_BYTES])
        except InvalidTag as error:
            raise Refused("not sealed for this link") from error
        self.replays.accept(counter)  # R-4.4-5
        return plaintext

    def read(self, data: bytes) -> list[Message]:
        return read_record(self.open(data))


def pack(said: list[Message]) -> list[tuple[list[Message], bytes]]:
    """As few plaintexts of RECORDs as hold all of `said`, in order, padded for a client (R-5.1-2, R-5.1-5)."""
    packed: list[tuple[list[Message], list[bytes]]] = []
    for one in said:
        encoded = message_bytes(one)
        if not packed or len(packed[-1][1]) == 63 or sum(map(len, packed[-1][1])) + len(encoded) > MESSAGES_BYTES_MAX:
            packed.append(([], []))
        packed[-1][0].append(one)
        packed[-1][1].append(encoded)
    return [(messages, _padded(parts)) for messages, parts in packed]


def _padded(parts: list[bytes]) -> bytes:
    short = RETRY_BYTES - RECORD_CLEAR_BYTES - TAG_BYTES - len(record_bytes(parts))
    if short > 0:
        overhead = 4 if short >= 28 else 3  # the array's head, the code 0, and the head of the bytes
        parts = [*parts, message_bytes(message("Padding", zeros=bytes(max(0, short - overhead))))]
    return record_bytes(parts)


def hello(nonce: bytes) -> bytes:
    return datagrams.make(datagrams.HELLO, nonce, bytes(datagrams.PADDING_BYTES))


def prologue(server: bytes, clear: bytes) -> bytes:
    return keys.label("link") + server + clear  # R-4.2-2


class Handshake:
    """A client's handshake with the server that has the key `server`, from its INIT on (R-4.2-1)."""

    def __init__(
        self, server: bytes, token: bytes, index: bytes, live_private: bytes, ephemeral: bytes, card: bytes
    ) -> None:
        self.server, self.index = server, index
        clear = datagrams.HEADER + bytes((datagrams.INIT,)) + token + index
        self.noise = Initiator(prologue(server, clear), server, live_private, ephemeral, card)
        self.init = datagrams.make(datagrams.INIT, token, index, self.noise.message)

    def finish(self, resp: bytes) -> RecordEnd:
        """The client's end of the link; a RESP that does not hold is Refused, and changes nothing."""
        datagram = datagrams.cut(resp)
        if datagram.type != datagrams.RESP or datagram["index"] != self.index:
            raise Refused("no answer to this handshake")
        remote_index, client_key, server_key = self.noise.read(datagram["noise"])
        return RecordEnd(self.index, server_key, remote_index, client_key)  # R-4.2-4


class Answer:
    """A server's reading of an INIT whose token holds: the card, and what RESP and link follow (R-4.2-3)."""

    def __init__(self, server_private: bytes, init: bytes, now_s: int) -> None:
        datagram = datagrams.cut(init)
        if datagram.type != datagrams.INIT:
            raise Refused("no INIT")
        self.client_index = datagram["index"]
        server = keys.exchange_public(server_private)
        self.noise = Responder(prologue(server, init[:23]), server_private, datagram["noise"])
        self.card = open_card(self.noise.payload, now_s, None)
        if self.card["live"] != self.noise.static:
            raise Refused("a card whose live key is another one")

    def resp(self, ephemeral: bytes, index: bytes) -> tuple[bytes, RecordEnd]:
        noise, client_key, server_key = self.noise.answer(ephemeral, index)
        end = RecordEnd(index, client_key, self.client_index, server_key)
        return datagrams.make(datagrams.RESP, self.client_index, noise), end
