"""The kit's side of the door: a process that answers JSON, one object a line. README.md says what is said."""

import json
import os
import selectors
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

Json = dict[str, Any]
ANSWER_S: Final = 20.0
"""For one answer: a slow machine that starts an interpreter, not a protocol."""
GOODBYE_S: Final = 5.0
READ_BYTES: Final = 65_536


class CheckFailed(Exception):
    """The implementation did something else than is expected; the text says what was seen, and what was expected."""


class NotSupported(Exception):
    """The implementation says that it does not do this."""


LAST_READS_MAX: Final = 1_000
"""Reads of what a process left behind."""


class Door:
    """One run of an implementation's command."""

    def __init__(self, command: Sequence[str]) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, bufsize=0
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._stdin, self.stdout = self._process.stdin, self._process.stdout
        os.set_blocking(self.stdout.fileno(), False)
        self._raw = b""
        self._asked = 0
        self._answers: dict[int, Json] = {}
        self.events: list[Json] = []

    def write(self, request: Json) -> int:
        """Ask, without waiting: the number of the request."""
        self._asked += 1
        line = json.dumps({"id": self._asked, **request}) + "\n"
        try:
            self._stdin.write(line.encode())
        except BrokenPipeError:
            raise CheckFailed(self._obituary()) from None
        return self._asked

    def answer(self, asked: int) -> Json | None:
        """The answer to a request, if it is there by now."""
        return self._answers.pop(asked, None)

    def read(self) -> None:
        """Take what it said since; `CheckFailed` if it ended."""
        try:
            data = os.read(self.stdout.fileno(), READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise CheckFailed(self._obituary())
        *lines, self._raw = (self._raw + data).split(b"\n")
        for line in lines:
            try:
                said = json.loads(line)
            except ValueError:
                raise CheckFailed(f"its command printed a line that is no JSON: {line[:200]!r}") from None
            if isinstance(said, dict) and "event" in said:
                self.events.append(said)
            elif isinstance(said, dict) and isinstance(said.get("id"), int):
                self._answers[said["id"]] = said
            else:
                raise CheckFailed(f"its command printed what is no answer and no event: {line[:200]!r}")

    def ask(self, request: Json) -> Json:
        """Ask, and wait for the answer."""
        asked = self.write(request)
        end_s = time.monotonic() + ANSWER_S
        with selectors.DefaultSelector() as selector:
            selector.register(self.stdout, selectors.EVENT_READ)
            while (answer := self.answer(asked)) is None:
                left_s = end_s - time.monotonic()
                if left_s <= 0:
                    raise CheckFailed(f"no answer within {ANSWER_S:.0f} s to {request}")
                if selector.select(left_s):
                    self.read()
        return answer

    def close(self, *, kill: bool = False) -> None:
        """End it: by the end of its input, or at once as by a power cut."""
        if kill:
            self._process.kill()
        self._stdin.close()
        try:
            self._process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(CheckFailed):  # what it said before it was killed counts; then it has ended, as it was to
            for _ in range(LAST_READS_MAX):  # no more, should a process of its own hold the pipe open
                self.read()
        self.stdout.close()
        self._errors.close()

    def _obituary(self) -> str:
        status = self._process.wait(GOODBYE_S)
        self._errors.seek(0)
        last = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"its command ended with status {status}" + "".join(f": {line[:200]}" for line in last)


def result_of(answer: Json) -> Json:
    """What an answer is in the end: its result; `NotSupported`, or `CheckFailed` for what was refused."""
    if answer.get("unsupported"):
        raise NotSupported
    if "refused" in answer:
        raise CheckFailed(f"it refused: {answer['refused'] or 'no reason given'}")
    ok = answer.get("ok")
    if not isinstance(ok, dict):
        raise CheckFailed(f"an answer without ok, refused or unsupported: {str(answer)[:200]}")
    return ok


def must_refuse(answer: Json) -> None:
    """`CheckFailed` unless it was refused."""
    if answer.get("unsupported"):
        raise NotSupported
    if "refused" not in answer:
        raise CheckFailed(f"it should have been refused; it was taken: {str(answer.get('ok'))[:120]}")


Ask = Callable[[Json], Json]
