"""Our own implementation behind the door: `python -m spec.conformance.ours`.

A request about bytes is answered by the functions that client and server use. `peer` makes the process a client or a
server: the core, its driver and its SQLite store, in the folder that the kit gives.
"""

import json
import sys
from collections.abc import Callable
from typing import Final

from udpchat_core.errors import BadDatagram, LocalProtocolError

from .door import Json
from .ours_bytes import OPERATIONS
from .ours_peer import run_peer

Answer = Callable[[Json], Json]
FAULTS: Final = (KeyError, TypeError, ValueError)


def answer_to(request: Json) -> Json:
    """The answer to a request about bytes."""
    key = (request.get("do"), request.get("what") or request.get("role"))
    operation = OPERATIONS.get(key)
    if operation is None:
        return {"unsupported": True}
    try:
        return {"ok": operation(request)}
    except BadDatagram as refused:
        return {"refused": refused.reason.value}
    except (LocalProtocolError, *FAULTS) as refused:
        return {"refused": str(refused)}


def main() -> int:
    """Answer until the input ends, or until a request makes this process a peer."""
    for line in sys.stdin:
        request = json.loads(line)
        if request.get("do") == "peer":
            run_peer(request)
            return 0
        print(json.dumps({"id": request["id"], **answer_to(request)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
