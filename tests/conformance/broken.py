"""Our implementation with one rule of the specification broken: `python -m tests.conformance.broken NAME`.

It answers the conformance kit as `spec.conformance.ours` does, but for one text of one module, which is another when
the module is imported. So it is seen that the kit can fail: by the check that is about the rule.
"""

import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Final, NamedTuple


class Broken(NamedTuple):
    """Put `new` in the place of `old`, which is in the module once: then the check `fails`, by `requirement`."""

    module: str
    old: str
    new: str
    fails: str
    requirement: str


FAULTS: Final[dict[str, Broken]] = {
    "padding": Broken(
        "udpchat_core.wire", "if any(payload[19:]):", "if False:", "datagrams refused: refused", "R-3.1-5"
    ),
    "zeros": Broken(
        "udpchat_core.messages",
        "if self.zeros.strip(",
        "if False and self.zeros.strip(",
        "messages refused: refused",
        "R-5.1-4",
    ),
    "signature": Broken(
        "udpchat_core.secure.letter",
        "suite.verify_untrusted(body.sender, signature, context + encoded)",
        "pass",
        "letters that do not hold are neither shown nor acknowledged",
        "R-6.2-2",
    ),
    "nonce": Broken(
        "udpchat_core.client.connection",
        "self._greeting = self._greeting or hello(self.shared.suite)",
        "self._greeting = hello(self.shared.suite)",
        "a client registers over a round trip of 700 ms",
        "R-9.1-11",
    ),
    "hints": Broken(
        "udpchat_core.limits",
        "HINT_US: Final = 5_000_000",
        "HINT_US: Final = 0",
        "forged hints make one handshake in five seconds beside the link",
        "R-9.1-4",
    ),
    "server key": Broken(
        "udpchat_core.client.connection",
        "if self.pinned is not None and retry.server_key != self.pinned:",
        "if False:",
        "another server key gets nothing but HELLO until the user decides",
        "R-9.1-1",
    ),
    "small records": Broken(
        "udpchat_core.client.client",
        "return Turn(now, RECORD_PLAINTEXT_BYTES_MIN)",
        "return Turn(now, 0)",
        "a client registers with a card a link and RECORDs that hold",
        "R-5.1-5",
    ),
    "epoch": Broken(
        "udpchat_core.client.client",
        "epoch = int.from_bytes(suite.random(8)) % NUMBER_LIMIT",
        "epoch = 1",
        "after a power cut a letter has its secret and another epoch",
        "R-9.2-3",
    ),
    "retries": Broken(
        "udpchat_core.limits",
        "DIRECT_RETRY_US: Final = (100_000, 150_000, 250_000)",
        "DIRECT_RETRY_US: Final = (10_000, 10_000, 10_000)",
        "what is not acknowledged comes again at 100 and 250 ms and is stored",
        "R-9.3-3",
    ),
    "receipts": Broken(
        "udpchat_core.client.outbox",
        "if self._by_ack.get(ack) is not letter:",
        "if False:",
        "only the right Receipt ends a letter and each is noted",
        "R-9.3-7",
    ),
    "history": Broken(
        "udpchat_net.stores.sqlite_client",
        "    if not rows:\n",
        "    if False:\n",
        "what was acknowledged is on disk",
        "R-9.4-1",
    ),
    "slot": Broken(
        "udpchat_core.client.inbox",
        "if slot_of(self._shared.suite, body.secret) != mail.slot:",
        "if False:",
        "mail that can never be shown is collected as what it is",
        "R-9.4-4",
    ),
    "same RESP": Broken(
        "udpchat_core.server.links",
        "if (known := here.get(payload)) is not None:",
        "if (known := here.get(payload)) is not None and False:",
        "an INIT that comes again gets the same RESP",
        "R-8.1-2",
    ),
    "token": Broken(
        "udpchat_core.secure.token",
        "if not any(",
        "if False and not any(",
        "an INIT with a token that does not hold gets no RESP",
        "R-8.1-1",
    ),
    "held back": Broken(
        "udpchat_core.server.sessions",
        "return\n        session.ordered = counter\n        binding",
        "pass\n        session.ordered = counter\n        binding",
        "a Register that was held back does not bring back who left",
        "R-8.2-7",
    ),
    "attempts": Broken(
        "udpchat_net.stores.sqlite_server",
        "if there is not None and asked.attempt <= attempt:",
        "if there is not None and asked.attempt == attempt:",
        "a higher attempt takes the place of a lower one",
        "R-8.5-2",
    ),
    "not durable": Broken(
        "udpchat_net.stores.sqlite_server",
        'connection.execute("INSERT INTO letters VALUES (?, ?, ?, ?, ?, ?, ?)", row)',
        "pass",
        "what was stored or collected is on disk after a power cut",
        "R-8.5-2",
    ),
}


class _Loader(SourceFileLoader):
    """Loads the module with the fault in it, and never from a cache."""

    fault: Broken

    def get_code(self, fullname: str) -> CodeType:
        text = self.get_data(self.path).decode()
        if text.count(self.fault.old) != 1:
            raise SystemExit(f"{self.path}: {self.fault.old!r} is in it {text.count(self.fault.old)} times, not once")
        return compile(text.replace(self.fault.old, self.fault.new), self.path, "exec")


class _Finder(MetaPathFinder):
    def __init__(self, fault: Broken) -> None:
        self._fault = fault

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._fault.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        loader = _Loader(fullname, spec.origin)
        loader.fault = self._fault
        spec.loader = loader
        return spec


if __name__ == "__main__":
    sys.meta_path.insert(0, _Finder(FAULTS[sys.argv[1]]))
    runpy.run_module("spec.conformance.ours", run_name="__main__", alter_sys=True)
