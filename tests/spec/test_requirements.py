"""Every MUST in the specification has an id that code and a test cite; the check itself can fail."""

import pytest

from spec.tools.requirements import problems, problems_here, requirements

GOOD = "# 4\n\n## 4.2 INIT\n\nProse.\n\n- **R-4.2-1** It MUST be\n  so.\n- **R-4.2-2** It MUST NOT be so.\n"
CITED = "x = 1  # R-4.2-1\ny = 2  # R-4.2-2\n"


def test_every_must_of_this_specification_is_met_and_tested() -> None:
    assert problems_here() == []


def test_a_well_cited_specification_has_no_problems() -> None:
    assert problems({"4.md": GOOD}, {"a.py": CITED}, {"test_a.py": CITED}) == []
    assert requirements({"4.md": GOOD})[0][0].text == "It MUST be so."


@pytest.mark.parametrize(
    ("spec", "code", "tests", "says"),
    [
        (GOOD, CITED[:20], CITED, "R-4.2-2 is not cited by code"),
        (GOOD, CITED, CITED[:20], "R-4.2-2 is not cited by a test"),
        (GOOD, CITED + "# R-4.2-3\n", CITED, "a.py:3 cites R-4.2-3, which spec/ does not state"),
        (GOOD, CITED, CITED + "# R-9-1\n", "test_a.py:3 cites R-9-1, which spec/ does not state"),
        (GOOD + "\nThis MUST be.\n", CITED, CITED, "4.md:11: a MUST without an id"),
        (GOOD + "- And this MUST be.\n", CITED, CITED, "4.md:10: a MUST without an id"),
        (GOOD + "\nAnd this is REQUIRED.\n", CITED, CITED, "4.md:11: a MUST without an id"),
        (GOOD.replace("-2**", "-3**"), CITED, CITED, "4.md:9: R-4.2-3 should be R-4.2-2"),
        (GOOD.replace("R-4.2-1", "R-4.1-1"), CITED, CITED, "4.md:7: R-4.1-1 should be R-4.2-1"),
        (GOOD.replace("MUST NOT", "will not"), CITED, CITED, "4.md:9: R-4.2-2 has no MUST"),
        (GOOD.replace("-2**", "-1**"), CITED, CITED, "R-4.2-1 is stated twice"),
    ],
)
def test_what_is_wrong_is_said(spec: str, code: str, tests: str, says: str) -> None:
    found = problems({"4.md": spec}, {"a.py": code}, {"test_a.py": tests})
    assert any(problem.startswith(says) for problem in found), found


def test_words_in_quotes_and_in_code_are_no_requirements() -> None:
    text = GOOD + '\nThe words "MUST" and "MUST NOT" mean RFC 2119.\n\n```\nit MUST\n```\n'
    assert problems({"4.md": text}, {"a.py": CITED}, {"test_a.py": CITED}) == []
