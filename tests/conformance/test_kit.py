"""The conformance kit: our implementation and the independent client pass it, and one that breaks a rule does not.

The tables of its README are what came out here. REWRITE=1 writes them anew.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from spec.conformance import __main__ as kit
from spec.conformance.checks import CHECKS, TOGETHER_MAX
from spec.conformance.door import CheckFailed, Door
from spec.conformance.report import Row, Verdict, as_json, by_requirement, counts, stated, table
from spec.conformance.vectors import FOLDER, LISTS
from tests.conformance.broken import FAULTS

ROOT = Path(__file__).parents[2]
README = ROOT / "spec" / "conformance" / "README.md"
OURS = (sys.executable, "-m", "spec.conformance.ours")
INDEPENDENT = (sys.executable, "-m", "tests.conformance.independent", "--kit")
TABLE_HEAD = "| part | check | shows | ours | the independent client |\n|---|---|---|---|---|\n"
GENERATED = re.compile(r"(?<=<!-- results -->\n).*?(?=\n<!-- end -->)", re.DOTALL)


@pytest.fixture(scope="module")
def ours() -> list[Row]:
    return kit.run(OURS)


@pytest.fixture(scope="module")
def independent() -> list[Row]:
    return kit.run(INDEPENDENT)


def failures(rows: Sequence[Row]) -> list[str]:
    return [f"{row.part}, {row.check}: {row.seen}" for row in rows if row.verdict is Verdict.FAILED]


def test_our_client_and_server_pass_all_of_it(ours: list[Row]) -> None:
    assert not failures(ours)
    assert {row.verdict for row in ours} == {Verdict.PASSED}


def test_the_independent_client_passes_what_is_about_clients(independent: list[Row]) -> None:
    assert not failures(independent)
    unsupported = [row for row in independent if row.verdict is Verdict.UNSUPPORTED]
    assert {row.part for row in independent if row.part == "client" and row.verdict is Verdict.UNSUPPORTED} == set()
    assert {row.check for row in unsupported if row.part == "vectors"} == {
        "derived tokens accepted: made",
        "derived tokens accepted: taken",
        "derived tokens refused: refused",
    }


def test_the_readme_has_both_tables_as_they_come_out(ours: list[Row], independent: list[Row]) -> None:
    text = README.read_text("utf-8")
    lines = [
        f"| {one.part} | {one.check} | {', '.join(one.requirements)} | {one.verdict} | {other.verdict} |"
        for one, other in zip(ours, independent, strict=True)
    ]
    about = sorted({id_ for row in ours for id_ in row.requirements}, key=stated().index)
    summary = (
        f"Ours: {counts(ours)}. The independent client: {counts(independent)}. "
        f"They are about {len(about)} requirements."
    )
    made = TABLE_HEAD + "\n".join(lines) + f"\n\n{summary}"
    if os.environ.get("REWRITE"):
        README.write_text(GENERATED.sub(lambda _: made, text), "utf-8")
        text = README.read_text("utf-8")
    found = GENERATED.search(text)
    assert found
    assert found[0] == made


@pytest.fixture(scope="module")
def broken() -> dict[str, list[Row]]:
    """What the check that a fault is about says of it; most of the time these wait."""

    def run(name: str) -> list[Row]:
        command = (sys.executable, "-m", "tests.conformance.broken", name)
        return kit.run(command, lambda check: check.endswith(FAULTS[name].fails))

    with ThreadPoolExecutor(TOGETHER_MAX) as pool:
        return dict(zip(FAULTS, pool.map(run, FAULTS), strict=True))


@pytest.mark.parametrize("name", FAULTS)
def test_who_breaks_a_rule_fails_the_check_that_is_about_it(broken: dict[str, list[Row]], name: str) -> None:
    fault = FAULTS[name]
    (row,) = broken[name]
    assert row.verdict is Verdict.FAILED, row
    assert "its command ended" not in row.seen, row
    assert fault.requirement in row.requirements


def test_every_check_cites_what_the_specification_states() -> None:
    known = set(stated())
    for requirements in [one.requirements for one in CHECKS] + [one[3] for one in LISTS]:
        assert set(requirements) <= known, requirements
    assert all(check.requirements for check in CHECKS)
    assert len({check.name for check in CHECKS if check.role == "client"}) == sum(c.role == "client" for c in CHECKS)


def test_every_list_of_vectors_is_asked_for() -> None:
    there = {
        (path.stem, section)
        for path in FOLDER.glob("*.json")
        if path.stem != "schema"
        for section, vectors in json.loads(path.read_text("utf-8")).items()
        if isinstance(vectors, list)
    }
    assert {(file, section) for file, section, *_ in LISTS} == there


def test_a_requirement_failed_if_one_check_of_it_did_and_passed_if_one_did() -> None:
    one, two, three = stated()[:3]
    rows = [
        Row("client", "first", (two, three), Verdict.PASSED),
        Row("client", "second", (three,), Verdict.FAILED, "a | b"),
        Row("server", "third", (one, two), Verdict.UNSUPPORTED),
    ]
    expected = {one: Verdict.UNSUPPORTED, two: Verdict.PASSED, three: Verdict.FAILED}
    assert by_requirement(rows) == expected
    assert as_json(rows)["requirements"] == expected
    printed = table(rows)
    assert f"| client | second | {three} | **failed**: a / b |" in printed
    assert "Checks: 1 passed, 1 failed, 1 unsupported." in printed
    assert f"Requirements failed: 1 ({three})." in printed


def run_kit(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "spec.conformance", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_the_status_tells_whether_something_failed_and_json_is_for_programs() -> None:
    good = run_kit("--only", "derived acks", "--json", *OURS)
    assert (good.returncode, good.stderr) == (0, "")
    (check,) = json.loads(good.stdout)["checks"]
    assert (check["check"], check["verdict"]) == ("derived acks: derived", "passed")
    bad = run_kit("--only", "datagrams refused", sys.executable, "-m", "tests.conformance.broken", "padding")
    assert bad.returncode == 1
    assert "**failed**" in bad.stdout
    missing = run_kit("no-such-command-of-anybody")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert "no-such-command-of-anybody" in missing.stderr


def test_a_reader_that_had_enough_is_no_error() -> None:
    program = f"{sys.executable} -m spec.conformance --only 'derived acks' --json {' '.join(OURS)}"
    said = subprocess.run(
        ["sh", "-c", f"{{ {program}; echo status $? >&2; }} | true"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert said.stderr == "status 0\n"


ANSWERS: dict[str, tuple[str, str]] = {
    "that ends": ("import sys; sys.exit('no')", "its command ended with status 1: no"),
    "that prints what is no JSON": ("print('hello')", "no JSON"),
    "that prints a list": ("print([1])", "no answer and no event"),
}


@pytest.mark.parametrize("program", ANSWERS)
def test_a_command_is_told_what_is_wrong_with_it(program: str) -> None:
    code, expected = ANSWERS[program]
    door = Door([sys.executable, "-c", code])
    try:
        with pytest.raises(CheckFailed, match=expected):
            door.ask({"do": "derive"})
    finally:
        door.close()


def test_a_command_that_ends_fails_each_check_and_not_the_kit() -> None:
    rows = kit.run(
        (sys.executable, "-c", "pass"), lambda name: name == "client a client registers though a HELLO is lost"
    )
    (row,) = rows
    assert row.verdict is Verdict.FAILED
    assert "ended with status 0" in row.seen


def test_an_answer_of_another_form_is_a_failure_and_no_exception() -> None:
    answer = "print(json.dumps({'id': json.loads(line)['id'], 'ok': {}}), flush=True)"
    program = f"import sys, json\nfor line in sys.stdin: {answer}"
    rows = kit.run((sys.executable, "-c", program), lambda name: name.startswith("vectors"))
    verdicts: dict[str, Any] = {row.check: row.verdict for row in rows}
    taken = {check for check, verdict in verdicts.items() if verdict is Verdict.PASSED}
    assert taken == {"derived tokens accepted: taken", "cards rotations: taken"}  # for these `ok` says it all
