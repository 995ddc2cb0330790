"""Datagrams that nobody of ours sends, or that somebody sent before."""

import json
import struct
from random import Random
from typing import Final

from udpchat_core.address import Address
from udpchat_core.datagrams import HEADER_BYTES, MAGIC, VERSION, Acks, Init, Letter, Record, Resp
from udpchat_core.limits import DATAGRAM_BYTES_MAX
from udpchat_net.proxy import Proxy, Weather

LARGEST_BYTES: Final = 65_507
"""What UDP over IPv4 carries at most."""
_HEADER = bytes((MAGIC, VERSION))


class Tap(Proxy):
    """A proxy that loses nothing, and keeps the newest datagram of each type that passes.

    Attributes:
        newest: payloads, by type.
    """

    def __init__(self) -> None:
        super().__init__(0, Weather())
        self.newest: dict[int, bytes] = {}

    def _pass(self, source: Address, to: Address, payload: bytes) -> None:
        self.newest[payload[HEADER_BYTES - 1]] = payload
        super()._pass(source, to, payload)


def kinds(random: Random, real: dict[int, bytes]) -> dict[str, bytes]:
    """Twenty-eight kinds, an empty datagram and the largest, by name; some are made of real ones."""
    record, letter, init = real[Record.type], real[Letter.type], real[Init.type]
    noise = random.randbytes(DATAGRAM_BYTES_MAX)
    return {
        "nothing": b"",
        "the largest": bytes(LARGEST_BYTES),
        "one byte": b"\0",
        "a line": b"hello?\n",
        "escape sequences": b"\x1b]0;owned\x07\x1b[2J",
        "zeros": bytes(DATAGRAM_BYTES_MAX),
        "ones": b"\xff" * DATAGRAM_BYTES_MAX,
        "noise": noise,
        "short noise": noise[:20],
        "JSON": json.dumps({"type": "register", "name": "ann"}).encode(),
        "HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "SSH": b"SSH-2.0-OpenSSH_9.9\r\n",
        "DNS": bytes.fromhex("beef01000001000000000000076578616d706c6503636f6d0000010001"),
        "STUN": struct.pack(">HHI", 1, 0, 0x2112A442) + noise[:12],
        "NTP": b"\x23" + bytes(47),
        "QUIC": b"\xc3\0\0\0\1\x08" + noise[:1_194],
        "DTLS": b"\x16\xfe\xfd" + bytes(60),
        "the header of nothing": _HEADER,
        "another version": bytes((MAGIC, VERSION + 1)) + record[2:],
        "no such type": _HEADER + b"\xfe" + noise[:100],
        "a header without a body": _HEADER + bytes((Record.type,)),
        "a byte too much": _HEADER + bytes((Record.type,)) + noise[: DATAGRAM_BYTES_MAX + 1 - HEADER_BYTES],
        "half an INIT": init[: len(init) // 2],
        "somebody else's INIT": init,
        "a RESP to nothing": real[Resp.type],
        "a record with a bit flipped": record[:-1] + bytes((record[-1] ^ 1,)),
        "a record again": record,
        "a letter to nobody": letter[:HEADER_BYTES] + noise[: len(letter) - HEADER_BYTES],
        "acknowledgements of nothing": _HEADER + bytes((Acks.type,)) + noise[:16],
        "two datagrams in one": record + letter,
    }
