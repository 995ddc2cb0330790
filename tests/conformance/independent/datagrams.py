"""The clear layouts of section 3.1: two bytes of magic and version, one of type, and fields."""

from dataclasses import dataclass

from .cbor import Refused

DATAGRAM_BYTES_MAX = 1200
HEADER = b"\x75\x01"
HELLO, RETRY, INIT, RESP, RECORD, LETTER, ACK = range(1, 8)
PADDING_BYTES = 48

REST = -1
LAYOUTS: dict[int, tuple[str, dict[str, int], int, int]] = {
    HELLO: ("HELLO", {"nonce": 16, "padding": REST}, 67, 67),
    RETRY: ("RETRY", {"echo": 16, "token": 16, "S": REST}, 67, 67),
    INIT: ("INIT", {"token": 16, "index": 4, "noise": REST}, 291, 339),
    RESP: ("RESP", {"index": 4, "noise": REST}, 59, 59),
    RECORD: ("RECORD", {"index": 4, "counter": 8, "sealed": REST}, 34, 1200),
    LETTER: ("LETTER", {"key_id": 4, "sealed": REST}, 181, 1048),
    ACK: ("ACK", {"acks": REST}, 19, 1187),
}


@dataclass(frozen=True)
class Datagram:
    """A datagram that is well formed in the clear, cut into its fields."""

    type: int
    data: bytes
    fields: dict[str, bytes]

    def __getitem__(self, field: str) -> bytes:
        return self.fields[field]

    @property
    def kind(self) -> str:
        return LAYOUTS[self.type][0]

    @property
    def acks(self) -> list[bytes]:
        """The acknowledgements of an ACK, 16 bytes each."""
        return [self["acks"][at : at + 16] for at in range(0, len(self["acks"]), 16)]


def cut(data: bytes) -> Datagram:
    """`data` cut into fields, or Refused."""
    if not 3 <= len(data) <= DATAGRAM_BYTES_MAX:  # R-3.1-1
        raise Refused("no datagram is as long as this")
    if data[:2] != HEADER:  # R-3.1-2
        raise Refused("not this protocol, or another version")
    if data[2] not in LAYOUTS:  # R-3.1-3
        raise Refused("no such type")
    _, layout, least, most = LAYOUTS[data[2]]
    if not least <= len(data) <= most or (data[2] == ACK and len(data) % 16 != 3):  # R-3.1-4
        raise Refused("not as long as its type")
    fields, at = {}, 3
    for name, size in layout.items():
        end = len(data) if size == REST else at + size
        fields[name], at = data[at:end], end
    if data[2] == HELLO and any(fields["padding"]):  # R-3.1-5
        raise Refused("padding that is not zero")
    return Datagram(data[2], data, fields)


def make(type_: int, *fields: bytes) -> bytes:
    """The datagram of `type_` with `fields`; what would be refused is not made (R-3.3-2)."""
    return cut(HEADER + bytes((type_,)) + b"".join(fields)).data


def echo_of(data: bytes) -> bytes:
    """What a RETRY that answers `data` repeats of it (R-4.1-1)."""
    return data[3:19]
