"""Every requirement is for some class of implementations; numbers in registries have no holes; the checks can fail."""

import pytest

from spec.tools import conformance
from spec.tools.requirements import our_sections, requirements

IDS = [each.id for each in requirements(our_sections())[0]]


def test_every_requirement_is_for_a_class() -> None:
    assert list(conformance.problems(IDS)) == []


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        ([*IDS, "R-99.1-1"], "R-99.1-1 is for no class"),
        ([id_ for id_ in IDS if id_ != "R-2.3-6"], "R-2.3-6 is an exception, and not stated"),
        ([id_ for id_ in IDS if not id_.startswith("R-8.9-")], "section 8.9 has classes, and no requirements"),
    ],
)
def test_what_is_wrong_is_said(ids: list[str], says: str) -> None:
    (found,) = conformance.problems(ids)
    assert found.startswith(says)


def test_a_client_has_to_meet_what_a_minimal_one_has_to() -> None:
    for id_ in IDS:
        of = conformance.of(id_)
        assert "client" in of or "minimal client" not in of


def test_each_class_is_told_in_the_prose() -> None:
    text = our_sections()["16-conformance.md"]
    for name in conformance.CLASSES:
        assert f"\n| {name} | " in text


def test_runs_of_requirements_are_one_row_and_together_all_of_them() -> None:
    first = {row.split(" ")[1] for row in conformance.rows().splitlines()[2:]}
    last = {row.split(" | ")[0].split(" ")[-1] for row in conformance.rows().splitlines()[2:]}
    assert first <= set(IDS)
    assert last <= set(IDS)
    assert IDS[0] in first
    assert IDS[-1] in last
