"""Requirement ids: every MUST in `spec/` has one, and code and a test cite it.

An item of a list that begins with `**R-4.2-1**` states a requirement of section 4.2. `problems()` lists, in
words for whoever broke it: a MUST without id, an id out of place or order, an id that code or tests do not cite, and
a citation of what is not there.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
CODE: Final = ("udpchat_core", "udpchat_net", "cli")
MADE_UP: Final = ("test_requirements.py", "test_spec.py", "test_traced.py", "test_classes.py")
"""Tests that are about ids that are none."""
_ID = re.compile(r"R-\d+(?:\.\d+)*-\d+")
_STATED = re.compile(r"[-*] \*\*(R-(\d+(?:\.\d+)*)-(\d+))\*\* ")
_HEADING = re.compile(r"#+ (\d+(?:\.\d+)*) ")
_KEYWORD = re.compile(r"(?<!\")\b(?:MUST|SHALL|REQUIRED)\b(?!\"| NOT\")")
_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Requirement:
    """A stated requirement: its id and its words."""

    id: str
    text: str


def requirements(sections: Mapping[str, str]) -> tuple[list[Requirement], list[str]]:
    """The requirements of `sections` ({file name: Markdown}) and what is wrong with how they are stated."""
    stated: list[Requirement] = []
    problems: list[str] = []
    for file, text in sections.items():
        section, last = "", 0
        for line, block in _blocks(text):
            if heading := _HEADING.match(block):
                section, last = heading[1], 0
            elif item := _STATED.match(block):
                if item[2] != section or int(item[3]) != last + 1:
                    problems.append(f"{file}:{line}: {item[1]} should be R-{section}-{last + 1}")
                if not _KEYWORD.search(block):
                    problems.append(f"{file}:{line}: {item[1]} has no MUST")
                last = int(item[3])
                stated.append(Requirement(item[1], " ".join(block[item.end() :].split())))
            elif _KEYWORD.search(block):
                problems.append(f"{file}:{line}: a MUST without an id: begin the item with **R-{section}-{last + 1}**")
    return stated, problems


def citations(files: Mapping[str, str]) -> dict[str, list[str]]:
    """Where each id occurs in `files`: {id: [file:line, ...]}."""
    found: dict[str, list[str]] = {}
    for file, text in files.items():
        for number, line in enumerate(text.splitlines(), 1):
            for id_ in _ID.findall(line):
                found.setdefault(id_, []).append(f"{file}:{number}")
    return found


def problems(sections: Mapping[str, str], code: Mapping[str, str], tests: Mapping[str, str]) -> list[str]:
    """Everything that is wrong, a sentence each; empty if each MUST is stated, met and tested."""
    stated, found = requirements(sections)
    ids = [requirement.id for requirement in stated]
    found += [f"{id_} is stated twice" for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1})]
    for where, cited in (("code", citations(code)), ("a test", citations(tests))):
        found += [f"{id_} is not cited by {where}" for id_ in ids if id_ not in cited]
        found += [
            f"{places[0]} cites {id_}, which spec/ does not state" for id_, places in cited.items() if id_ not in ids
        ]
    return found


def problems_here() -> list[str]:
    """`problems` of this repository."""
    return problems(our_sections(), our_code(), our_tests())


def our_sections() -> dict[str, str]:
    """The sections of this reference, by file name."""
    return {path.name: path.read_text("utf-8") for path in sorted((ROOT / "spec").glob("[0-9]*.md"))}


def our_code() -> dict[str, str]:
    """The code of this repository, by path."""
    return {file: text for folder in CODE for file, text in _sources(folder)}


def our_tests() -> dict[str, str]:
    """Its tests, by path; helpers beside them show nothing by themselves."""
    return {
        file: text
        for file, text in _sources("tests")
        if Path(file).name.startswith("test_") and Path(file).name not in MADE_UP
    }


def _sources(folder: str) -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text("utf-8")


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Headings, paragraphs and list items outside of fenced code, with the number of their first line."""
    block: list[str] = []
    start, fenced = 1, False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.startswith(_FENCE):
            fenced = not fenced
        if block and (not line.strip() or line.startswith(("- ", "* ", "#", "|", "<!--", _FENCE))):
            yield start, "\n".join(block)
            block = []
        if line.strip() and not fenced and not line.startswith(_FENCE):
            start = start if block else number
            block.append(line)
