"""What `--json` prints: one object a line. `event` says what it is, and `EVENTS` what else is in it.

The table is the documentation: `json_schema` makes a JSON Schema of it, and `described` a list to read. Names of
delivery states are those that people are shown. Fields may be added; none changes its meaning or goes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its type in JSON, and what it means."""

    type: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object: when it is printed, and its fields, all of which are always there."""

    meaning: str
    fields: Mapping[str, Field]


_MESSAGE = Field("integer", "number of the message; grows")
_TO = Field("string", "name of the recipient")
_NAME = Field("string", "name of a user")
_IDENTITY = Field("string", "the key that a name belongs to, in hexadecimal")
_SERVER_KEY = Field("string", "the server's own, in hexadecimal: what its users see has to be the same")
_LETTERS = {"letters": Field("integer", "how many")}
_SENT_MS = Field("integer", "when it was sent, by the sender's clock, milliseconds of Unix time")
_TEXT = Field("string", "the text, exactly as it was sent")
_SENDING = {"message": _MESSAGE, "to": _TO}

EVENTS: Final[Mapping[str, Kind]] = {
    "queued": Kind("a message is on this disk: it will not be lost", _SENDING),
    "stored": Kind(
        "a message is on the server's disk",
        _SENDING | {"online": Field("boolean", "whether the recipient is there, and it was pushed at once")},
    ),
    "delivered": Kind(
        "a message is on the recipient's disk",
        _SENDING
        | {
            "elapsed_us": Field("integer", "microseconds since it was sent"),
            "retries": Field("integer", "how many letters were sent again"),
            "by_mailbox": Field("boolean", "whether it went through the server's mailbox"),
        },
    ),
    "refused": Kind(
        "a message will not be sent",
        _SENDING | {"reason": Field("string", "as `unknown`, `key_changed`, `too_long`, `banned`")},
    ),
    "expired": Kind("a message was given up: nobody confirmed it for 14 days", _SENDING),
    "held": Kind(
        "messages to somebody wait for a decision: the name has another key now",
        {
            "to": _TO,
            "pinned": Field("string", "the key before, in hexadecimal"),
            "offered": Field("string", "the key now, in hexadecimal"),
            "vouched": Field("boolean", "whether the key before signed for the one now; else only the server says so"),
        },
    ),
    "received": Kind(
        "a message came",
        {
            "from": Field("string", "what the sender calls itself"),
            "confirmed": Field("boolean", "whether that name is known to be the sender's"),
            "identity": Field("string", "the sender's key, in hexadecimal"),
            "sent_ms": _SENT_MS,
            "text": _TEXT,
            "waited": Field("boolean", "whether it was there, or in the mailbox, before the command came"),
        },
    ),
    "sent": Kind(
        "a message of the history",
        _SENDING
        | {
            "sent_ms": _SENT_MS,
            "text": _TEXT,
            "state": Field(
                "string",
                "`queued` (here only) or `stored` (the server said that it has it) until it is `delivered`, `refused`"
                " or `expired`",
            ),
        },
    ),
    "peer": Kind(
        "the key of somebody, and how far it is to be trusted",
        {
            "name": _NAME,
            "identity": _IDENTITY,
            "safety_number": Field("string", "60 digits, the same on both sides"),
            "verified": Field("boolean", "whether it was compared, and marked so"),
            "checked": Field("boolean", "whether the server was asked just now"),
            "offered": Field("string", "another key that the name has now, until the user decides; or empty"),
            "offered_number": Field("string", "the safety number with that one; or empty"),
            "vouched": Field("boolean", "whether the key before signed for that one; else only the server says so"),
        },
    ),
    "server_key": Kind(
        "the key of the server",
        {
            "server": Field("string", "where it is, as `example.org` or `192.0.2.1:10002`"),
            "key": Field("string", "the key that is remembered, in hexadecimal"),
            "checked": Field("boolean", "whether the server answered just now"),
            "offered": Field("string", "another key that it has now, until the user decides; or empty"),
        },
    ),
    "finding": Kind(
        "something that `doctor` looked at",
        {
            "check": Field("string", "what: `name`, `port`, `server key`, `path MTU`, `registration` and so on"),
            "state": Field("string", "`good`, `wrong` or `not tested`"),
            "text": Field("string", "what was seen"),
            "advice": Field("string", "what to do; empty if nothing"),
        },
    ),
    "user": Kind("a user of the server", {"name": _NAME, "online": Field("boolean", "whether the user is there")}),
    "status": Kind(
        "what the running server has seen since its start",
        {
            "addresses": Field("array", "where it serves, as `192.0.2.1:10001`"),
            "key": _SERVER_KEY,
            "uptime_s": Field("integer", "seconds since it started"),
            "users": Field("integer", "how many have a name"),
            "online": Field("integer", "how many of them are there"),
            "letters": Field("integer", "letters that wait in mailboxes"),
            "dropped": Field("object", "how many datagrams were dropped, by reason"),
            "refused": Field("object", "how many requests were refused, by reason"),
            "unsent": Field("object", "how many datagrams the system did not take, by the name of its error"),
            "errors": Field("object", "how often receiving failed, by the name of the error"),
            "sizes": Field("object", "how much of everything with a cap is in memory"),
        },
    ),
    "invitation": Kind(
        "an invitation, good once",
        {
            "token": Field("string", "for `udpchat chat --invite`; it is not kept, and not shown again"),
            "until_ms": Field("integer", "until when it is good, milliseconds of Unix time"),
        },
    ),
    "section": Kind(
        "a section of the protocol reference",
        {
            "number": Field("string", "as `9.3`, or `grammar`"),
            "title": Field("string", "without the number"),
            "text": Field("string", "Markdown, or CDDL; empty in a list"),
        },
    ),
    "hop": Kind(
        "sim: a datagram that carried something of the message that was to be traced",
        {
            "at_us": Field("integer", "when it was sent, microseconds of virtual time"),
            "from": Field("string", "which node sent it; the server is `server`"),
            "to": Field("string", "to which node"),
            "what": Field("string", "what it carried"),
            "bytes": Field("integer", "its length"),
            "arrivals_us": Field("array", "how long it took, or each of its copies; empty if it was lost"),
        },
    ),
    "simulated": Kind(
        "sim: what came of it",
        {
            "seed": Field("integer", "of everything that chance decided"),
            "sent": Field("integer", "messages sent"),
            "direct": Field("integer", "of them delivered directly"),
            "by_mailbox": Field("integer", "delivered by mailbox"),
            "unknown": Field("integer", "not sent, as the recipient had not registered yet"),
            "late": Field("integer", "delivered only once the network was mended"),
            "retries": Field("integer", "letters sent again"),
            "p50_us": Field("integer", "microseconds until half of the messages were delivered"),
            "p99_us": Field("integer", "until 99 % were"),
            "worst_us": Field("integer", "until the last was"),
            "datagrams": Field("integer", "datagrams sent by all"),
            "bytes": Field("integer", "their length together"),
            "faults": Field("object", "what happened to datagrams, by the name of the fault"),
            "virtual_us": Field("integer", "microseconds that passed in the simulation"),
            "cpu_us": Field("integer", "microseconds of processor time that it took: the only one that differs"),
        },
    ),
    # what a server logs, each with `time` in addition
    "started": Kind(
        "log: the server serves",
        {"addresses": Field("array", "where, as `192.0.2.1:10001`"), "key": _SERVER_KEY},
    ),
    "stopped": Kind("log: the server ended in order", {}),
    "registered": Kind(
        "log: a user is there",
        {
            "name": _NAME,
            "address": Field("string", "where"),
            "new": Field("boolean", "whether the name was bound just now"),
        },
    ),
    "left": Kind("log: a user said goodbye", {"name": _NAME}),
    "lapsed": Kind("log: nothing was heard of a user for a minute", {"name": _NAME}),
    "kept": Kind("log: letters were stored", _LETTERS),
    "collected": Kind("log: letters left the mailbox of a user, who has them", {"name": _NAME} | _LETTERS),
    "deleted": Kind("log: letters were kept for as long as letters are", _LETTERS),
    "invited": Kind("log: an invitation was made", {"until_ms": Field("integer", "until when it is good")}),
    "banned": Kind(
        "log, and the answer to `server ban`: a user is not served any more",
        {"name": Field("string", "of the user; empty if it has none"), "identity": _IDENTITY},
    ),
    "unbanned": Kind("log, and the answer to `server unban`: a user is served again", {"identity": _IDENTITY}),
    "released": Kind("log, and the answer to `server release`: a name belongs to nobody any more", {"name": _NAME}),
    "rotated": Kind("log: a user has another key, signed with the one before", {"name": _NAME}),
    "storage_failed": Kind("log: the disk takes nothing; what it was asked is tried again", {}),
    "storage_recovered": Kind("log: the disk works again", {}),
    "left_out": Kind("log: nobody read the log", {"lines": Field("integer", "how many lines are not in it")}),
    "end": Kind(
        "the end, of what another udpchat was asked to do",
        {
            "status": Field("integer", "the exit status"),
            "error": Field("string", "what is wrong and what to do; empty if nothing"),
        },
    ),
}


def made(event: str, **fields: object) -> dict[str, Any]:
    """An object of a kind, checked to have the fields that the table says."""
    wanted = EVENTS[event].fields
    assert fields.keys() == wanted.keys(), f"{event} has {[*wanted]}, not {[*fields]}"
    return {"event": event, **fields}


def line(thing: Mapping[str, Any]) -> str:
    """An object as a line: controls are escaped, and everything that no reader may take for the end of a line."""
    text = json.dumps(thing, ensure_ascii=False, separators=(",", ":"))
    return "".join(char if char.isprintable() or char == " " else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return json.dumps(char)[1:-1]


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of one line."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line that udpchat --json prints",
        "oneOf": [
            {
                "type": "object",
                "description": kind.meaning,
                "properties": {"event": {"const": name}}
                | {key: {"type": field.type, "description": field.meaning} for key, field in kind.fields.items()},
                "required": ["event", *kind.fields],
            }
            for name, kind in EVENTS.items()
        ],
    }


def described() -> str:
    """The table, to read, in Markdown."""
    lines = []
    for name, kind in EVENTS.items():
        lines.append(f"- `{name}`: {kind.meaning}")
        lines += [f"  - `{key}` ({field.type}): {field.meaning}" for key, field in kind.fields.items()]
    return "\n".join(lines) + "\n"
