"""How keys, times and refusals are said."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from udpchat_core.address import Address
from udpchat_core.fields import Refusal
from udpchat_net import udp

from .values import Account

_REFUSALS = {
    Refusal.UNKNOWN: "nobody is registered under that name",
    Refusal.KEY_CHANGED: "it was meant for the key before, and that is gone",
    Refusal.TOO_LONG: "the server does not keep texts of that length",
    Refusal.BANNED: "the server does not serve this name",
    Refusal.NAME_TAKEN: (
        "somebody else has this name; choose another one, or if it was yours ask whoever runs the server"
    ),
    Refusal.TOO_MANY: "the server takes no more new names now; try again in a minute, or ask whoever runs it",
    Refusal.NOT_ADMITTED: "the server takes only users who are invited, or on its list",
    Refusal.STALE_CARD: "the server knows newer keys of this name; a backup was put back that is too old",
}


def local(at_ms: int) -> datetime:
    """Local time, of milliseconds of Unix time."""
    utc = datetime.fromtimestamp(at_ms // 1_000, UTC)
    try:
        return utc.astimezone()
    except (OverflowError, ValueError, OSError):  # the last hours of the last year that there is, east of Greenwich
        return utc


def timestamp(sent_ms: int) -> str:
    """Local time, to the second, as the sender's clock had it."""
    return f"{local(sent_ms):%Y-%m-%d %H:%M:%S}"


def fingerprint(key: bytes) -> str:
    """The whole of a key, for people to compare."""
    digits = key.hex()
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))


def made(account: Account, path: Path) -> str:
    """That there is an identity which was not here before: whoever mistyped the name sees it."""
    return f"{account} is new on this machine: its keys were made, and are in {path}"


def shown(address: Address) -> str:
    """As `127.0.0.1:10001`."""
    host, port = udp.name_of(address)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def reason(refusal: Refusal) -> str:
    """Why something was refused, to go after a colon."""
    return _REFUSALS.get(refusal, refusal.name.lower().replace("_", " "))


def postponed(to: str, refusal: Refusal) -> str:
    """Why a message to `to` waits that the server does not take now, without a full stop."""
    return f"The mailbox of {to} is full" if refusal is Refusal.QUOTA else f"The server does not know {to} any more"


def duration(us: int) -> str:
    """As `34 ms`, `12 s`, `5 min`, `3 h`."""
    for unit, unit_us in (("h", 3_600_000_000), ("min", 60_000_000), ("s", 1_000_000)):
        if us >= (10 if unit == "s" else 2) * unit_us:
            return f"{us // unit_us:,} {unit}"
    return f"{us / 1_000:,.0f} ms"


def state_line(thing: Mapping[str, Any], since: str = "") -> str:
    """How a message stands, from an object of `schema`: who says so, and how long it took; `since` of who is away."""
    number, to = thing.get("message"), thing["to"]
    match thing:
        case {"event": "delivered", "elapsed_us": int(elapsed_us), "retries": int(retries)}:
            how = [duration(elapsed_us)] + ([f"{counted(retries, 'retry', 'retries')}"] if retries else [])
            how += ["by mailbox"] if thing["by_mailbox"] else []
            return f"#{number} delivered to {to} ({', '.join(how)})"
        case {"event": "stored"}:
            return f"#{number} stored for {to}" + ("" if thing["online"] else f" (away{since})")
        case {"event": "held", "offered": str(offered)}:
            return f"{to} has another key now, {fingerprint(bytes.fromhex(offered))}: messages to it are held"
    return f"#{number} {thing['event']}: {to}"


def counted(count: int, one: str, many: str) -> str:
    """As `1 letter`, `2,000 letters`."""
    return f"{count:,} {one if count == 1 else many}"
