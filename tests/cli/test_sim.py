"""`sim` prints the same table for the same seed, the ladder of a message, and how to see a fault again."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest

from udpchat_cli import main, schema
from udpchat_cli.arguments import Given, parse
from udpchat_cli.commands import sim
from udpchat_net.simulation.invariants import Invariant, Violation

SMALL = ("--clients", "3", "--messages", "12", "--loss", "0.3", "--dup", "0.1", "--reorder", "0.1")
Run = Callable[..., str]


@pytest.fixture
def printed(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run `sim` with these words, as it is in a process of its own; what it prints."""

    def run(*words: str) -> str:
        assert main(["sim", *words]) == 0
        said = capfd.readouterr()
        assert said.err == ""
        return said.out

    return run


def without_processor(text: str) -> str:
    return re.sub(r"(?m)^processor.*$|\"cpu_us\":\d+", "", text)


def test_the_same_seed_prints_the_same_and_another_does_not(printed: Run) -> None:
    words = (*SMALL, "--trace", "4")
    one, two = printed(*words), printed(*words)
    assert without_processor(one) == without_processor(two)
    assert without_processor(one) != without_processor(printed(*words, "--seed", "2"))


def test_the_table_says_what_came_of_it(printed: Run) -> None:
    rows = dict(line.split(maxsplit=1) for line in printed("--clients", "3", "--messages", "12").splitlines())
    assert rows["seed"] == "1: the same options give the same table"
    assert rows["sent"] == "12 messages"
    assert rows["delivered"] == "12, each once and in order"
    assert re.fullmatch(r"p50 [\d,]+ ms, p99 [\d,]+ ms, worst [\d,]+ ms", rows["time"])
    assert re.fullmatch(r"[\d,]+, [\d,]+ bytes", rows["datagrams"])
    assert {"directly", "retries", "lost", "delayed", "duplicated", "overtaken", "processor"} <= rows.keys()


def test_a_trace_is_a_ladder_before_the_table(printed: Run) -> None:
    lines = printed(*SMALL, "--trace", "4").splitlines()
    assert lines[0] == "message 4, milliseconds of virtual time"
    assert "server" in lines[1]
    ladder = lines[2 : lines.index("")]
    assert "* queued: on disk" in ladder[0]
    assert any("LETTER" in line for line in ladder)


def test_json_is_what_the_schema_says(printed: Run) -> None:
    things = [json.loads(line) for line in printed(*SMALL, "--trace", "4", "--json").splitlines()]
    assert {thing["event"] for thing in things[:-1]} == {"hop"}
    for thing in things:
        schema.made(thing.pop("event"), **thing)
    assert things[-1]["sent"] == 12
    assert things[-1]["direct"] + things[-1]["by_mailbox"] + things[-1]["unknown"] == 12


def test_a_broken_promise_is_said_with_the_seed_and_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise Violation(Invariant.ONCE, "bob was told twice")

    monkeypatch.setattr(sim, "run_scenario", broken)
    assert main(["sim", *SMALL, "--seed", "77"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "bob was told twice" in line
    command = line.split("`")[1]
    assert "--seed=77" in command
    again, before = parse(shlex.split(command)[1:]), parse(["sim", *SMALL, "--seed", "77"])
    assert isinstance(again, Given)
    assert isinstance(before, Given)
    assert again.arguments == before.arguments


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--clients 1", "--clients: '1' is no such number: give one from 2 to 1,000"),
        ("--messages 0", "--messages: '0' is no such number: give one from 1 to 100,000"),
        ("--minutes x", "--minutes: 'x' is no such number: give one from 1 to 1,440"),
        ("--loss 1.5", "--loss: '1.5' is no part of all: give a number from 0 to 1, as 0.2 for every fifth"),
        ("--dup nan", "--dup: 'nan' is no part of all"),
        ("--reorder 20%", "--reorder: '20%' is no part of all"),
        ("--delay -1", "--delay: '-1' is no such number: give one from 0 to 60,000"),
        ("--seed 9223372036854775808", "is no such number: give one from 0 to 9,223,372,036,854,775,807"),
        ("--trace 6 --messages 5", "--trace: there is no message 6, 5 are sent"),
    ],
)
def test_a_bad_value_gets_one_clear_line(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: object = main(["sim", *words.split()])
    except SystemExit as ended:
        status = ended.code
    assert status == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert says in line


def test_the_bar_is_for_terminals_only() -> None:
    command = [sys.executable, "-m", "udpchat_cli", "sim", *SMALL]
    master, slave = pty.openpty()
    run = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=slave, env=os.environ | {"TERM": "xterm"}, text=True, check=True
    )
    os.close(slave)
    bar = os.read(master, 1 << 16).decode()
    os.close(master)
    assert run.stdout.startswith("seed ")
    assert bar.startswith(f"\r[{'.' * 40}] 0 %")
    assert bar.endswith("] 97 %\r\x1b[K")
    assert subprocess.run(command, capture_output=True, text=True, check=True).stderr == ""
