"""What the words of a command line may be: each function checks one kind, and says in one line what is wrong.

They raise `argparse.ArgumentTypeError`, which a parser turns into a line with the word's name before it.
"""

import math
import re
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from udpchat_core.limits import NAME_CHARS_MAX

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

PORT_DEFAULT = 10_001
PORT_MIN, PORT_MAX = 1_024, 65_535
SECONDS_MAX = 30 * 86_400
_COUNT_DIGITS_MAX = 9
_PORT_DIGITS_MAX = 5
_IPV4 = 4
_NAME = re.compile(rf"[a-z0-9][a-z0-9_-]{{0,{NAME_CHARS_MAX - 1}}}")
_HOST = re.compile(
    r"(?=.{1,253}\.?\Z)[a-z0-9_]([a-z0-9_-]{0,62})(\.[a-z0-9_]([a-z0-9_-]{0,62}))*\.?", re.IGNORECASE | re.ASCII
)
_KEY = re.compile(r"[0-9a-fA-F]{64}")
_INVITE = re.compile(r"[A-Za-z2-7]{26}")
_LOOKS_LIKE_IPV4 = re.compile(r"[0-9.]+")
_ENDPOINT = re.compile(r"(?:\[(?P<v6>[^\[\]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[^:]*))?")


class Account(NamedTuple):
    """Who speaks, through which server: `name` at `host`, as typed (an IPv6 address without brackets), and `port`."""

    name: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}@{endpoint_text(self.host, self.port)}"


class Endpoint(NamedTuple):
    """Where something is, or may be: None is what was not said."""

    host: str | None
    port: int | None


def endpoint_text(host: str, port: int) -> str:
    """As `example.org`, `[::1]:10002`: without the default port."""
    host = f"[{host}]" if ":" in host else host
    return host if port == PORT_DEFAULT else f"{host}:{port}"


def account(text: str) -> Account:
    """`NAME@HOST[:PORT]`."""
    name_, at, where = text.partition("@")
    if not at:
        raise ArgumentTypeError(f"{text!r} does not say where: give NAME@HOST[:PORT], as anna@example.org")
    found = server(where)
    assert found.host is not None
    return Account(name(name_), found.host, found.port or PORT_DEFAULT)


def server(text: str) -> Endpoint:
    """`HOST[:PORT]` of a server: a name or an IP address, IPv6 in brackets."""
    if (address := _address(text)) is not None and address.version != _IPV4:
        raise ArgumentTypeError(f"{text!r} may end in a port or not: put an IPv6 address in brackets, [{text}]")
    match = _ENDPOINT.fullmatch(text)
    if match is None or not (match["host"] or match["v6"]):
        raise ArgumentTypeError(f"{text!r} is no HOST[:PORT]: give one, as example.org, 192.0.2.1:10002 or [::1]:10002")
    return Endpoint(ip(match["v6"]) if match["v6"] else _host(match["host"]), _any_port(match["port"]))


def bind(text: str) -> Endpoint:
    """`ADDR[:PORT]`, `[ADDR:]PORT`: where to receive; port 0 is any that is free."""
    if text.isascii() and text.isdigit():
        return Endpoint(None, _any_port(text, 0))
    match = _ENDPOINT.fullmatch(text)
    address = (match["v6"] or match["host"]) if match else text  # IPv6 without brackets has no port
    checked = _address(address) if address else None
    if address and checked is None:
        raise ArgumentTypeError(
            f"{text!r} is no address to receive at: give an IP address, a port or both, as 192.0.2.1:7000 or [::]:7000"
        )
    return Endpoint(str(checked) if checked else None, _any_port(match["port"], 0) if match else None)


def _host(text: str) -> str:
    if _LOOKS_LIKE_IPV4.fullmatch(text):
        return ip(text)
    if not _HOST.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is no name of a host: give one, as example.org, or an IP address")
    return text.lower()


def _any_port(text: str | None, least: int = 1) -> int | None:
    if text is None:
        return None
    if not _is_digits(text) or not least <= int(text) <= PORT_MAX:
        raise ArgumentTypeError(f"{text!r} is no port: give a number from {least} to {PORT_MAX}")
    return int(text)


def port(text: str) -> int:
    """Of the classic forms: 1024 to 65535."""
    if not _is_digits(text) or not PORT_MIN <= int(text) <= PORT_MAX:
        raise ArgumentTypeError(f"{text!r} is no port for this: give a number from {PORT_MIN} to {PORT_MAX}")
    return int(text)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _PORT_DIGITS_MAX


def name(text: str) -> str:
    """Of a user; upper case is folded."""
    folded = text.lower() if text.isascii() else text
    if not _NAME.fullmatch(folded):
        raise ArgumentTypeError(
            f"{text!r} is no name: 1 to {NAME_CHARS_MAX} of a-z, 0-9, _ and -, beginning with a letter or digit"
        )
    return folded


def user(text: str) -> str | bytes:
    """The name of a user, or its identity key in hexadecimal."""
    return bytes.fromhex(text) if _KEY.fullmatch(text) else name(text)


def invite(text: str) -> bytes:
    """The token of an invitation, as `udpchat server invite` prints it: 26 letters and digits of Base32 (RFC 4648)."""
    from base64 import b32decode  # noqa: PLC0415 - for few

    if not _INVITE.fullmatch(text):
        raise ArgumentTypeError(f"{text!r} is no invitation: give the 26 letters and digits that you got")
    return b32decode(f"{text.upper()}======")


def invite_text(token: bytes) -> str:
    """What `invite` reads."""
    from base64 import b32encode  # noqa: PLC0415 - for few

    return b32encode(token).decode().rstrip("=")


def ip(text: str) -> str:
    """Of one server."""
    address = _address(text)
    if address is None:
        raise ArgumentTypeError(f"{text!r} is no IP address: give one, as 127.0.0.1 or ::1")
    if address.is_unspecified or address.is_multicast or "%" in text:
        raise ArgumentTypeError(f"{text!r} is no address of one server: give that, as 127.0.0.1 or ::1")
    if (plain := getattr(address, "ipv4_mapped", None)) is not None:
        raise ArgumentTypeError(f"{text!r} is an IPv4 address in disguise: give {plain}")
    return str(address)


def _address(text: str) -> "IPv4Address | IPv6Address | None":
    from ipaddress import ip_address  # noqa: PLC0415 - takes as long as all the rest here

    try:
        return ip_address(text)
    except ValueError:
        return None


def seconds(text: str) -> float:
    """How long: 0 to a month."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= SECONDS_MAX:
        raise ArgumentTypeError(f"{text!r} is no time: give seconds, 0 to {SECONDS_MAX}, as 30 or 0.5")
    return value


def count(text: str) -> int:
    """How many: 1 or more."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _COUNT_DIGITS_MAX
    if not is_number or not int(text):
        raise ArgumentTypeError(f"{text!r} is no count: give a number, 1 or more")
    return int(text)


def part(text: str) -> float:
    """What part of all: 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 1:
        raise ArgumentTypeError(f"{text!r} is no part of all: give a number from 0 to 1, as 0.2 for every fifth")
    return value


def whole(least: int, most: int) -> Callable[[str], int]:
    """What checks a whole number between these."""

    def checked(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
        if not is_number or not least <= int(text) <= most:
            raise ArgumentTypeError(f"{text!r} is no such number: give one from {least:,} to {most:,}")
        return int(text)

    return checked
