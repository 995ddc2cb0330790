"""The page of requirements says where each is met and shown, by the names of functions and not by lines."""

from spec.tools import traced
from spec.tools.requirements import our_sections, our_tests, requirements
from spec.tools.traced import places

SOURCE = '''"""A module; R-1-1."""

LIMIT = 3
"""R-1-2: so many."""

# R-1-3
OTHER = 4


class Box:
    """R-1-4: a box."""

    size = 1  # R-1-5

    @property
    def lid(self):
        # R-1-6, R-1-7
        def inner():
            return 1  # R-1-6
        return inner


@decorated("R-1-8")
def shut(
    box,
):
    return box  # R-1-7
'''


def test_a_citation_is_told_by_what_is_around_it() -> None:
    assert places({"a.py": SOURCE}) == {
        "R-1-1": ["a.py"],
        "R-1-2": ["a.py::LIMIT"],
        "R-1-3": ["a.py::OTHER"],
        "R-1-4": ["a.py::Box"],
        "R-1-5": ["a.py::Box.size"],
        "R-1-6": ["a.py::Box.lid"],
        "R-1-7": ["a.py::Box.lid", "a.py::shut"],
        "R-1-8": ["a.py::shut"],
    }


def test_the_page_has_every_requirement_once_with_its_words_in_the_order_of_the_reference() -> None:
    lines = [line for line in traced.page().splitlines() if line.startswith("- ")]
    stated, _ = requirements(our_sections())
    assert lines == [f"- **{each.id}** {each.text}" for each in stated]


def test_what_shows_a_requirement_is_a_test() -> None:
    shown = {place for found in places(our_tests()).values() for place in found}
    assert len(shown) > 300
    beside = sorted(place for place in shown if not place.rpartition("::")[2].startswith("test_"))
    assert len(beside) < 20, beside
