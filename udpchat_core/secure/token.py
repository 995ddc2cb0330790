"""The stateless token: proof that whoever sends from an address also receives there.

The server keeps nothing for it but one secret: the token is a MAC over the address and the minute.
"""

from ..address import Address
from ..errors import BadDatagram, Reason
from ..instant import Instant
from ..limits import TOKEN_EPOCH_US
from .keys import ID_BYTES, TOKEN_LABEL
from .suite import Suite


def make_token(suite: Suite, secret: bytes, source: Address, now: Instant) -> bytes:
    """The token of 16 bytes for `source` in this epoch; `secret` is the server's, 32 bytes."""
    return _token(suite, secret, source, now // TOKEN_EPOCH_US)


def check_token_untrusted(suite: Suite, secret: bytes, source: Address, now: Instant, token: bytes) -> None:
    """Refuse what is not the token for `source` in this epoch or the one before: `BadDatagram(TOKEN)`."""
    epoch = now // TOKEN_EPOCH_US
    if not any(suite.equal(token, _token(suite, secret, source, of)) for of in (epoch, epoch - 1)):  # R-4.1-3
        raise BadDatagram(Reason.TOKEN)


def _token(suite: Suite, secret: bytes, source: Address, epoch: int) -> bytes:
    # R-4.1-2: the address comes last, so that its length, 4 or 16, needs no mark.
    place = epoch.to_bytes(8, signed=True) + source.port.to_bytes(2) + source.host
    return suite.mac(secret, TOKEN_LABEL + place)[:ID_BYTES]
