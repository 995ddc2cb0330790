"""The planted faults are about the code as it is. That each is caught is for `python -m tests.simulation.planted`."""

import pytest

from tests.simulation.faults.fault import Planted
from tests.simulation.planted import FAULTS, ROOT


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_the_text_that_a_fault_replaces_is_there_once(fault: Planted) -> None:
    text = (ROOT / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.old) == 1
    assert not fault.also[0] or text.count(fault.also[0]) == 1


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.attack], ids=lambda fault: fault.name)
def test_the_test_that_must_catch_a_fault_is_there(fault: Planted) -> None:
    file, _, name = fault.attack.partition("::")
    assert f"\ndef {name}(" in (ROOT / "tests" / "simulation" / "evil" / file).read_text(encoding="utf-8")


def test_there_are_enough_and_every_one_has_a_name_of_its_own() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 15
