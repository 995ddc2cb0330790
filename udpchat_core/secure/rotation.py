"""The rotation of an identity: the key that has a name hands it to the key that follows.

Whoever has the former key can make one, and so could be that identity anyway. It tells the server that the name may
go to the other key, and those who pinned the former one that the other was not made up by the server.
"""

from ..errors import BadDatagram, Reason
from ..fields import Rotation
from .keys import ROTATION_LABEL, check_identity_untrusted
from .suite import Suite


def make_rotation(suite: Suite, former_private: bytes, identity: bytes, name: str) -> Rotation:
    """The former identity's word that `identity`, a public key, has `name` from now on."""
    former = suite.sign_public(former_private)
    return Rotation(former, suite.sign(former_private, _signed(identity, name)))  # R-2.4-1


def check_rotation_untrusted(suite: Suite, rotation: Rotation, identity: bytes, name: str) -> None:
    """Refuse one that the former identity did not sign for this one and this name: `BadDatagram`."""
    check_identity_untrusted(rotation.former)
    if rotation.former == identity:  # R-2.4-2
        raise BadDatagram(Reason.SIGNATURE)
    suite.verify_untrusted(rotation.former, rotation.signature, _signed(identity, name))


def _signed(identity: bytes, name: str) -> bytes:
    return ROTATION_LABEL + identity + name.encode()
