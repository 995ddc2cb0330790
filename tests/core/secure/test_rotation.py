"""A rotation holds for one identity and one name, by the former identity's key, and for nothing else."""

from dataclasses import replace

import pytest

from tests.core.secure.people import private_key
from udpchat_core.errors import BadDatagram, Reason
from udpchat_core.fields import Rotation
from udpchat_core.secure.keys import SMALL_ORDER_ED25519
from udpchat_core.secure.rotation import check_rotation_untrusted, make_rotation
from udpchat_core.secure.suite import Suite

FORMER, NEXT = private_key("former"), private_key("next")


def refusal(suite: Suite, rotation: Rotation, identity: bytes, name: str = "bob") -> Reason:
    with pytest.raises(BadDatagram) as refused:
        check_rotation_untrusted(suite, rotation, identity, name)
    return refused.value.reason


def test_a_rotation_holds_for_its_identity_and_name_alone(suite: Suite) -> None:
    """R-2.4-1."""
    identity = suite.sign_public(NEXT)
    rotation = make_rotation(suite, FORMER, identity, "bob")
    assert rotation.former == suite.sign_public(FORMER)
    check_rotation_untrusted(suite, rotation, identity, "bob")
    assert refusal(suite, rotation, identity, "rob") is Reason.SIGNATURE
    assert refusal(suite, rotation, suite.sign_public(private_key("third"))) is Reason.SIGNATURE
    assert refusal(suite, replace(rotation, signature=bytes(64)), identity) is Reason.SIGNATURE
    by_another = make_rotation(suite, private_key("third"), identity, "bob")
    assert refusal(suite, replace(rotation, signature=by_another.signature), identity) is Reason.SIGNATURE


def test_what_is_signed_begins_with_its_label(suite: Suite) -> None:
    """R-2.4-1."""
    identity = suite.sign_public(NEXT)
    signature = suite.sign(FORMER, b"udpchat/1 rotation\0" + identity + b"bob")
    check_rotation_untrusted(suite, Rotation(suite.sign_public(FORMER), signature), identity, "bob")


@pytest.mark.parametrize("point", sorted(SMALL_ORDER_ED25519), ids=bytes.hex)
def test_a_former_identity_of_small_order_is_refused(suite: Suite, point: bytes) -> None:
    """R-2.4-2: under such a key anything is signed."""
    assert refusal(suite, Rotation(point, bytes(64)), suite.sign_public(NEXT)) is Reason.POINT


def test_an_identity_hands_nothing_to_itself(suite: Suite) -> None:
    """R-2.4-2."""
    identity = suite.sign_public(FORMER)
    assert refusal(suite, make_rotation(suite, FORMER, identity, "bob"), identity) is Reason.SIGNATURE
