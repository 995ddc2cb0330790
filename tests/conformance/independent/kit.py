"""The door of the conformance kit (`spec/conformance/README.md`), as this client answers it: `... independent --kit`.

It is a client: of what servers do it knows their end of the handshake, and refuses to be one.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import cards, datagrams, keys, letters, link
from .cbor import Refused
from .grammar import CODES, Message, message_bytes, read_record, record_bytes
from .loop import Loop
from .world import Event

Json = dict[str, Any]
HEX = bytes.fromhex
TEXTS = ("name", "rotated_name", "name_asked", "after", "text", "message", "kind", "names")


def said(value: Any) -> Any:
    """As JSON: bytes in hexadecimal."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: said(item) for key, item in value.items()}
    return [said(item) for item in value] if isinstance(value, list) else value


def heard(value: Any, name: str = "") -> Any:
    """The reverse: what is no text is bytes."""
    if isinstance(value, dict):
        return {key: heard(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [heard(item, name) for item in value]
    return HEX(value) if isinstance(value, str) and name not in TEXTS else value


# --- what is asked about bytes ---


def cut(r: Json) -> Json:
    datagram = datagrams.cut(HEX(r["bytes"]))
    fields = datagram.fields if datagram.type != datagrams.ACK else {"acks": datagram.acks}
    return {"type": datagram.type, "kind": datagram.kind, "fields": said(fields)}


def make(r: Json) -> Json:
    fields = [b"".join(f) if isinstance(f, list) else f for f in heard(r["fields"]).values()]
    return {"bytes": datagrams.make(r["type"], *fields).hex()}


def decode(r: Json) -> Json:
    messages = read_record(HEX(r["bytes"]))
    return {"messages": [{"message": m.kind, "code": CODES[m.kind], **said(m.fields)} for m in messages]}


def encode(r: Json) -> Json:
    fields = [({k: v for k, v in m.items() if k not in ("message", "code")}, m["message"]) for m in r["messages"]]
    return {"bytes": record_bytes([message_bytes(Message(kind, heard(f))) for f, kind in fields]).hex()}


def derive_key_id(r: Json) -> Json:
    public = keys.exchange_public(HEX(r["private"]))
    return {"public": public.hex(), "key_id": keys.key_id(public).hex()}


def derive_ack(r: Json) -> Json:
    secret = HEX(r["secret"])
    return {"ack": keys.ack_of(secret).hex(), "slot": keys.slot_of(secret).hex()}


def derive_safety(r: Json) -> Json:
    return {"safety_number": keys.safety_number(HEX(r["one"]), HEX(r["other"]))}


def derive_succession(r: Json) -> Json:
    return {"succession": cards.succession(r["known_seq"], r["seq"])}


def make_card(r: Json) -> Json:
    return {"card": cards.sign_card(HEX(r["I_private"]), heard(r["body"])).hex()}


def open_card(r: Json) -> Json:
    return {"body": said(cards.open_card(HEX(r["card"]), r["now_s"], r["name_asked"]))}


def make_rotation(r: Json) -> Json:
    by = HEX(r["former_private"])
    signed = keys.label("rotation") + HEX(r["identity"]) + r["rotated_name"].encode()
    return {"former": keys.sign_public(by).hex(), "signature": keys.sign(by, signed).hex()}


def open_rotation(r: Json) -> Json:
    rotation = {"former": HEX(r["former"]), "signature": HEX(r["signature"])}
    if not cards.rotation_holds(rotation, HEX(r["identity"]), r["rotated_name"]):
        raise Refused("a rotation that does not hold")
    return {}


def make_letter(r: Json) -> Json:
    """HPKE is random here: the ephemeral key that is offered is not used."""
    sender, recipient, key = HEX(r["sender_I_private"]), HEX(r["recipient"]), HEX(r["recipient_key"])
    return {"letter": letters.seal_letter(sender, recipient, key, heard(r["body"])).hex()}


def open_letter(r: Json) -> Json:
    opening = [letters.OpeningKey.of(HEX(private)) for private in r["keys"]]
    body = letters.open_letter(HEX(r["letter"]), HEX(r["recipient"]), opening)
    return {"body": said(body), **derive_ack({"secret": body["secret"].hex()})}


def client_link(r: Json) -> Json:
    retry = datagrams.cut(HEX(r["retry"]))
    own = (HEX(r["index"]), HEX(r["L_private"]), HEX(r["ephemeral_private"]), HEX(r["card"]))
    handshake = link.Handshake(retry["S"], retry["token"], *own)
    end: link.RecordEnd | None = None
    answers: list[Json] = []
    for resp in r["resps"]:
        try:
            end = handshake.finish(HEX(resp))
            answers.append({"ok": {}})
        except Refused as refused:
            answers.append({"refused": str(refused)})
    return {"init": handshake.init.hex(), "resps": answers, "records": records(end, r["records"]) if end else []}


def server_link(r: Json) -> Json:
    answer = link.Answer(HEX(r["S_private"]), HEX(r["init"]), r["now_s"])
    resp, end = answer.resp(HEX(r["ephemeral_private"]), HEX(r["index"]))
    return {"resp": resp.hex(), "card": answer.noise.payload.hex(), "records": records(end, r["records"])}


def records(end: link.RecordEnd, asked: list[Json]) -> list[Json]:
    done: list[Json] = []
    for one in asked:
        try:
            if "seal" in one:
                done.append({"record": end.seal(HEX(one["seal"])).hex()})
            else:
                done.append({"plaintext": end.open(HEX(one["open"])).hex()})
        except Refused as refused:
            done.append({"refused": str(refused)})
    return done


def sequence(r: Json) -> Json:
    end = link.RecordEnd(HEX(r["index"]), HEX(r["key"]), bytes(4), bytes(32))
    return {"records": records(end, [{"open": one} for one in r["records"]])}


OPERATIONS: dict[tuple[str, str | None], Callable[[Json], Json]] = {
    ("decode", "datagram"): cut,
    ("encode", "datagram"): make,
    ("decode", "messages"): decode,
    ("encode", "messages"): encode,
    ("derive", "key id"): derive_key_id,
    ("derive", "ack"): derive_ack,
    ("derive", "safety number"): derive_safety,
    ("derive", "succession"): derive_succession,
    ("make", "card"): make_card,
    ("open", "card"): open_card,
    ("make", "rotation"): make_rotation,
    ("open", "rotation"): open_rotation,
    ("make", "letter"): make_letter,
    ("open", "letter"): open_letter,
    ("link", "client"): client_link,
    ("link", "server"): server_link,
    ("records", None): sequence,
}


def answer(r: Json) -> Json:
    operation = OPERATIONS.get((r["do"], r.get("what") or r.get("role")))
    if operation is None:
        return {"unsupported": True}
    try:
        return {"ok": operation(r)}
    except Refused as refused:
        return {"refused": str(refused)}


# --- a peer ---

EVENTS = {  # its words, and the kit's
    "online": "registered",
    "offline": "offline",
    "rejected": "refused",
    "unreachable": "unreachable",
    "superseded": "superseded",
    "server key changed": "server key changed",
    "key changed": "key changed",
    "stored": "stored",
    "delivered": "delivered",
    "refused": "message refused",
    "mailbox full": "postponed",
}
A_DAY_S = 86_400.0


def tell(line: Json) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Peer:
    """A client in a loop, told what to do by lines."""

    def __init__(self, r: Json) -> None:
        path = str(Path(r["state"]) / "independent.sqlite")
        self.loop, self.over, self.raw = Loop(r["name"], r["server"][1], path), False, b""
        self.shown, self.told = 0, set[tuple[str, int]]()
        self.loop.wake_up_by(sys.stdin.buffer, self.read)
        about = {"port": self.loop.socket.getsockname()[1], "identity": self.loop.client.identity.hex()}
        tell({"id": r["id"], "ok": about})

    def run(self) -> None:
        """Until the input ends."""
        self.loop.run_until(self.tell_events, "the end of the input", A_DAY_S)
        self.loop.close()

    def read(self) -> None:
        data = os.read(sys.stdin.fileno(), 65_536)
        self.over = not data
        *lines, self.raw = (self.raw + data).split(b"\n")
        for line in lines:
            r = json.loads(line)
            try:
                done = self.do(r)
                tell({"id": r["id"], **({"unsupported": True} if done is None else {"ok": done})})
            except Refused as refused:
                tell({"id": r["id"], "refused": str(refused)})

    def do(self, r: Json) -> Json | None:
        """What came of a command; None for one that it does not know."""
        if r["do"] == "send":
            return {"message": self.loop.send(r["to"], r["text"])}
        if r["do"] == "register":
            self.loop.register()
        elif r["do"] == "deregister":
            self.loop.deregister()
        elif r["do"] == "accept key":
            self.loop.client.accept(self.loop.now_s(), r["name"])
        elif r["do"] == "accept server key":
            self.loop.client.session.accept_server()
        else:
            return None
        return {}

    def tell_events(self) -> bool:
        for event in self.loop.events[self.shown :]:
            self.tell_event(event)
        self.shown = len(self.loop.events)
        return self.over

    def tell_event(self, event: Event) -> None:
        if event.kind == "message":
            about = {"from": event["name"], "identity": event["sender"].hex(), "confirmed": event["confirmed"]}
            tell({"event": "received", **about, "text": event["text"]})
        elif event.kind in EVENTS and "message" not in event.about:
            tell({"event": EVENTS[event.kind], **({"name": event["name"]} if "name" in event.about else {})})
        elif event.kind in EVENTS and (event.kind, event["message"]) not in self.told:  # one is told a letter
            if event.kind == "delivered" and self.loop.client.outstanding(event["message"]):
                return
            self.told.add((event.kind, event["message"]))
            tell({"event": EVENTS[event.kind], "message": event["message"]})


def main() -> int:
    """Answer until the input ends, or until a request makes this a client."""
    for line in sys.stdin:
        r = json.loads(line)
        if r["do"] == "peer" and r["role"] == "client":
            Peer(r).run()
            return 0
        tell({"id": r["id"], **answer(r)})
    return 0
