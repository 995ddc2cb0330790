"""What is generated into the specification is what is committed."""

from spec.tools import generate


def test_generated_regions_are_current() -> None:
    for path, text in generate.files().items():
        assert path.read_bytes() == text.encode(), f"{path.name} is not current: run `make generate`"


def test_every_region_is_used() -> None:
    text = "".join(generate.files().values())
    assert [name for name in generate.REGIONS if f"<!-- generated: {name} -->\n<!-- end -->" in text] == []
    assert {name for name in generate.REGIONS if f"<!-- generated: {name} -->" in text} == set(generate.REGIONS)


def test_no_datagram_of_the_table_of_budgets_is_longer_than_allowed() -> None:
    assert max(most for _, _, most in generate.budgets()) == 1_200  # R-3.3-2
