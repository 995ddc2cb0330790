"""A server goes on, whoever reads its lines, and however slowly."""

import json
import os
import re
from threading import Thread

from udpchat_cli.log import LINES_WAITING_MAX, Log


def read_all(descriptor: int) -> list[str]:
    """Lines without their times, to the end."""
    with os.fdopen(descriptor) as opened:
        return [line[20:] for line in opened.read().splitlines()]


def test_lines_are_printed_with_their_time() -> None:
    read, write = os.pipe()
    log = Log(write)
    log.write("started", {})
    log.write("stopped", {})
    log.close()
    os.close(write)
    with os.fdopen(read) as opened:
        printed = opened.read()
    assert re.fullmatch(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d (started|stopped)\n){2}", printed)


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_what_is_left_out_is_counted() -> None:
    read, write = os.pipe()
    log = Log(write)
    written = 20_000  # lines: more than a pipe and the queue take
    for number in range(written):
        log.write(f"line {number}", {})
    lines = list[str]()
    reader = Thread(target=lambda: lines.extend(read_all(read)))
    reader.start()
    while not log._lines.empty():
        os.sched_yield()
    log.write("the next one", {})
    log.close()
    os.close(write)
    reader.join()
    shown = [line for line in lines if line.startswith("line ")]
    left_out = [int(line.split()[0].replace(",", "")) for line in lines if "left out: nobody read them" in line]
    assert 0 < len(shown) == written - sum(left_out)
    assert left_out[-1] > 0
    assert lines[-1] == "the next one"


def test_a_reader_that_goes_away_harms_nothing() -> None:
    read, write = os.pipe()
    os.close(read)
    log = Log(write)
    for _ in range(2 * LINES_WAITING_MAX):
        log.write("to nobody", {})
    log.close()
    os.close(write)


def test_without_any_output_nothing_is_printed() -> None:
    log = Log(None)
    log.write("to nobody", {})
    log.close()


def test_as_json_a_line_is_the_object_with_its_time() -> None:
    read, write = os.pipe()
    log = Log(write, as_json=True)
    log.write("bob left", {"event": "left", "name": "bob\x1b"})
    log.close()
    os.close(write)
    with os.fdopen(read) as opened:
        (line,) = opened.read().splitlines()
    assert line.isprintable()
    logged = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", logged.pop("time"))
    assert logged == {"event": "left", "name": "bob\x1b"}


def test_no_line_moves_a_cursor() -> None:
    read, write = os.pipe()
    log = Log(write)
    log.write("a\x1b[2Jb", {})
    log.close()
    os.close(write)
    assert read_all(read) == [r"a\x1b[2Jb"]
