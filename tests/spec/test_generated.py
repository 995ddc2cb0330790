"""What is generated into the specification is what is committed."""

import re

from spec.tools import generate
from udpchat_core import limits


def test_generated_regions_are_current() -> None:
    for path, text in generate.files().items():
        assert path.read_bytes() == text.encode(), f"{path.name} is not current: run `make generate`"


def test_every_region_is_used() -> None:
    text = "".join(generate.files().values())
    assert [name for name in generate.REGIONS if f"<!-- generated: {name} -->\n<!-- end -->" in text] == []
    assert {name for name in generate.REGIONS if f"<!-- generated: {name} -->" in text} == set(generate.REGIONS)


def test_no_datagram_of_the_table_of_budgets_is_longer_than_allowed() -> None:
    assert max(most for _, _, most in generate.budgets()) == 1_200  # R-3.3-2


def test_each_limit_is_in_one_of_the_two_tables_of_limits() -> None:
    listed = re.findall(r"(?m)^\| `([A-Z0-9_]+)` \|", (generate.SPEC / "07-limits.md").read_text())
    assert sorted(listed) == sorted(name for name in vars(limits) if name.isupper())
    assert listed[: len(generate.LIMITS_OF_THE_WIRE)] == generate.LIMITS_OF_THE_WIRE
