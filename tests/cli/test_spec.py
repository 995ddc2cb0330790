"""`spec` shows the protocol reference as text: every section, each requirement once, nothing of Markdown."""

import json
import re
from pathlib import Path

import pytest

from udpchat_cli import main, reference, schema
from udpchat_cli.exits import Exit, Failed
from udpchat_cli.reference import Section, rendered, section, sections

SPEC = Path(__file__).parents[2] / "spec"


def shown(text: str, columns: int = 40) -> list[str]:
    return rendered(Section("1", "One", text), columns)


def test_every_heading_with_a_number_is_a_section_and_the_grammar_is_one() -> None:
    numbers = [each.number for each in sections(SPEC)]
    headings = [
        line.split()[1]
        for path in sorted(SPEC.glob("[0-9]*.md"))
        for line in path.read_text("utf-8").splitlines()
        if re.match(r"#+ \d", line)
    ]
    assert numbers == [*headings, "grammar"]
    assert len(numbers) == len(set(numbers)) > 40


def test_a_section_has_those_below_it_and_ends_where_the_next_begins() -> None:
    whole, part = section(SPEC, "9"), section(SPEC, "9.3")
    assert part.text in whole.text
    assert part.text.startswith("## 9.3 Sending")
    assert "### Congestion" in part.text
    assert "## 9.4" not in part.text
    assert "## 9.6" in whole.text


def test_a_requirement_is_found_in_its_section() -> None:
    assert section(SPEC, "R-2.5-1") == section(SPEC, "2.5")


@pytest.mark.parametrize("wanted", ["99", "9.99", "R-2.5" + "-99", "R-99.1" + "-1", "", "../README"])
def test_what_is_no_section_is_said(wanted: str) -> None:
    with pytest.raises(Failed, match="is no section of the reference") as failed:
        section(SPEC, wanted)
    assert failed.value.status is Exit.USAGE


@pytest.mark.parametrize("each", sections(SPEC), ids=lambda each: each.number)
def test_of_every_section_each_requirement_is_shown_once_and_no_markup(each: Section) -> None:
    lines = rendered(each, 80)
    text = "\n".join(lines)
    wanted = re.findall(r"(?m)^- \*\*(R-[\d.]+-\d+)\*\*", each.text)
    assert re.findall(r"(?m)^- (R-[\d.]+-\d+) ", text) == wanted
    for mark in ("<!--", "```", "**", "<details>", "](", "\n|--"):
        assert mark not in text, mark
    prose = [line for line in lines if not line.startswith("    ")]
    if each.number != "grammar":
        assert max(map(len, prose)) <= 80


def test_blocks_are_shown_each_in_its_way() -> None:
    assert shown("## 1.2 Two *words*") == ["1.2 Two *words*", "---------------"]
    assert shown("One **strong** and *soft* word,\n`as*it*is` and [a link](x.md#y).") == [
        "One strong and soft word, `as*it*is` and",
        "a link.",
    ]
    assert shown("- one item that is long enough to wrap here\n- two\n  more\n1. three") == [
        "- one item that is long enough to wrap",
        "  here",
        "",
        "- two more",
        "",
        "1. three",
    ]
    assert shown("```\na  |b|\n\n- c\n```\ntext") == ["    a  |b|", "    ", "    - c", "", "text"]
    assert shown("![Drawn](a.svg)") == ["(Drawn: a.svg, in the repository)"]
    assert shown("<!-- generated: x -->\ntext\n<!-- end -->\n") == ["text"]


def test_a_table_is_aligned_or_where_it_is_too_wide_a_list() -> None:
    table = "before\n| a | b |\n|---|---|\n| one \\|\\| 1 | two |\n| three | |"
    aligned = ["before", "", "a         b", "--------  ---", "one || 1  two", "three"]
    assert shown(table) == aligned
    assert shown(table, 12) == ["before", "", "one || 1", "    b: two", "three"]


def test_the_list_and_json_are_of_the_same_sections(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["spec"]) == 0
    listed = capfd.readouterr().out.splitlines()
    assert listed[:2] == ["1 Introduction", "  1.1 What it promises"]
    assert main(["spec", "--json"]) == 0
    things = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [f"{thing['number']} {thing['title']}" for thing in things] == [line.strip() for line in listed]
    for thing in things:
        schema.made(**thing)
    assert main(["spec", "show", "2.5", "--json"]) == 0
    (thing,) = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert thing["text"] == section(SPEC, "2.5").text


def test_without_a_section_all_of_it_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "show"]) == 0
    text = capfd.readouterr().out
    for each in sections(SPEC):
        if each.number != "grammar":
            assert f"{each.number} {each.title}".replace("**", "") in text
    assert "card-body" in text


def test_an_installation_without_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(reference, "FOLDERS", (tmp_path,))
    with pytest.raises(Failed, match="has no protocol reference"):
        reference.folder()
