"""The two suites that everything here is shown over."""

from random import Random

import pytest

from udpchat_core.secure.suite import StandardSuite, Suite
from udpchat_net.simulation.transparent import TransparentSuite


@pytest.fixture(params=[StandardSuite, TransparentSuite], ids=lambda kind: kind.__name__)
def suite(request: pytest.FixtureRequest) -> Suite:
    """The real primitives, and those of the simulation: what is built from them holds over both."""
    return StandardSuite(Random(1).randbytes) if request.param is StandardSuite else TransparentSuite(1)


@pytest.fixture
def real() -> StandardSuite:
    """The real primitives, with repeatable keys."""
    return StandardSuite(Random(1).randbytes)


# --- bugs of the product that were found and are not mended: with the fix of one, its line goes, at last all of this ---

_UNMENDED = {
    "test_the_identity_table_is_exactly": "keys._ED25519_Y_ORDER_8 has one wrong digit",
    "test_every_y_of_the_identity_table_is": "keys._ED25519_Y_ORDER_8 has one wrong digit",
    "26e8958fc2b227b0": "keys._ED25519_Y_ORDER_8 has one wrong digit",
    "c7176a703d4dd84f": "keys._ED25519_Y_ORDER_8 has one wrong digit",
    "-version-True]": "CardBody.version: a Literal[1] takes True",
    "-version-1.0]": "CardBody.version: a Literal[1] takes 1.0",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect the failures of what is not mended; strictly, so that mending it says so."""
    for item in items:
        for fragment, reason in _UNMENDED.items():
            if "core/secure/" in item.nodeid and fragment in item.nodeid:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
