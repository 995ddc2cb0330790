"""What is said of keys: the server's at the first contact, and whatever changed. Loudly, and with what to do."""

from udpchat_core import client_events as e

from ..wording import fingerprint
from .lines import Line, alarm, note


def server_met(host: str, key: bytes) -> list[Line]:
    """The server's key was not known before."""
    return [
        note(f"{host} is new to you, and its key is remembered; whoever runs it can tell if it is right:"),
        note(f"  {fingerprint(key)}"),
    ]


def server_changed(host: str, changed: e.ServerKeyChanged) -> list[Line]:
    """Another server answers, or the server has another key."""
    return [
        alarm(f"WARNING: {host} HAS ANOTHER KEY THAN BEFORE. Nothing is sent to it."),
        *_both(changed.pinned, changed.offered),
        alarm("The server may have been set up anew; or somebody stands in between, who could see who talks to whom."),
        alarm("Ask whoever runs it. If the key is right, type /accept server; else do not."),
    ]


def peer_changed(changed: e.PeerKeyChanged) -> list[Line]:
    """A name belongs to another key."""
    name = changed.name
    if changed.vouched:
        first = f"{name} HAS ANOTHER KEY NOW. The key before signed for it, so {name} most likely changed it."
        why = "Whoever had the key before can do that: if it may have been stolen, ask."
    else:
        first = f"WARNING: {name} HAS ANOTHER KEY NOW, and nobody but the server says so."
        why = f"{name} may have a new machine; or somebody wants to read what you write."
    return [
        alarm(first),
        *_both(changed.pinned, changed.offered),
        alarm(f"{why} Messages to {name} are held."),
        alarm(f"Ask {name} by another way. If the key is right, type /accept {name}."),
    ]


def _both(before: bytes, now: bytes) -> list[Line]:
    return [alarm("The key before, and the one now:"), alarm(fingerprint(before)), alarm(fingerprint(now))]


def rotated(key: bytes) -> list[Line]:
    """The user's own key changed."""
    return [note("You have a new key, and those who know you are told:"), note(f"  {fingerprint(key)}")]


ROTATE = (
    "A new key is made, and your present one signs for it. Who knows you is told, and has to accept it; "
    "mail that waits for you at the server now, and was not collected, is lost.",
    "Do it if somebody may have copied your key, or your machine. To go on, type /rotate yes.",
)
