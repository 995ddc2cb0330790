"""The way to a server, without an account there: name, port, key, length of datagrams, and a handshake.

The handshake is made with an identity of the moment: it proves that the server has the private half of its key, and
ends before anything is registered.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from udpchat_core.address import Address
from udpchat_core.bodies import CARD_VERSION, CardBody
from udpchat_core.datagrams import HEADER_BYTES, Hello, Record, Resp, Retry
from udpchat_core.errors import BadDatagram
from udpchat_core.limits import CARD_LIFE_S, DATAGRAM_BYTES_MAX
from udpchat_core.secure.card import make_card
from udpchat_core.secure.link import INDEX_BYTES, initiate_untrusted
from udpchat_core.secure.suite import KEY_BYTES, StandardSuite
from udpchat_core.wire import parse_untrusted, serialize
from udpchat_net import udp

from ..exits import Exit, Failed
from ..session import addresses_of
from ..values import PORT_DEFAULT
from ..wording import fingerprint, shown
from .asking import TRIES, WAIT_S, Asking, Trouble
from .finding import Finding, failure, good, untested, wrong

NAME_S_MAX: Final = 5.0
"""How long name servers may take."""
_ECHO = slice(HEADER_BYTES, HEADER_BYTES + 16)
_V4_BYTES = 4
_SEALED_BYTES = DATAGRAM_BYTES_MAX - HEADER_BYTES - INDEX_BYTES - 8


async def examine(host: str, port: int, pinned: bytes | None) -> AsyncIterator[Finding]:
    """Look at everything on the way to the server; `pinned` is its key, if one is remembered."""
    try:
        async with asyncio.timeout(NAME_S_MAX):
            addresses = await addresses_of(host, port)
    except TimeoutError:
        yield wrong("name", f"no name server says what {host} is", "give an IP address, or try again", Exit.UNREACHABLE)
        return
    except Failed as failed:
        yield failure("name", failed, failed.status)
        return
    yield _named(host, addresses)
    silent: list[Finding] = []
    for address in addresses:
        finding, retry, asking = await _greet(address)
        if retry is not None and asking is not None:
            break
        silent.append(finding)
        if asking is not None:
            asking.close()
    else:
        for finding in silent:
            yield finding
        return
    try:
        for other in silent:  # a client takes the address that answers
            yield untested("port", other.text, "another address answers, and is used: see why this one does not")
        yield finding
        yield _key(retry.server_key, pinned)
        yield await _length(asking)
        yield await _handshake(asking, retry)
    finally:
        asking.close()


def _named(host: str, addresses: Sequence[Address]) -> Finding:
    said = ", ".join(f"{udp.name_of(each)[0]} (IPv{4 if len(each.host) == _V4_BYTES else 6})" for each in addresses)
    return good("name", said if host == udp.name_of(addresses[0])[0] else f"{host} is {said}")


async def _greet(address: Address) -> tuple[Finding, Retry | None, Asking | None]:
    """Whether a server answers there: a HELLO, which it answers with a RETRY."""
    try:
        asking = Asking(address)
    except udp.DriverError as error:
        advice = "this machine has no network of that kind: use another address of the server"
        return wrong("port", str(error), advice, Exit.UNREACHABLE), None, None
    nonce = os.urandom(16)

    def answer(payload: bytes) -> Retry | None:
        try:
            retry = parse_untrusted(payload)
        except BadDatagram:
            return None
        return retry if isinstance(retry, Retry) and retry.echo == nonce else None

    got = await asking.ask(serialize(Hello(nonce)), answer)
    where = shown(address)
    if isinstance(got, Retry):
        return good("port", f"a server answers at {where}, in {asking.rtt_s * 1_000:.1f} ms"), got, asking
    return _no_server(where, address.port, got), None, asking


def _no_server(where: str, port: int, trouble: Trouble) -> Finding:
    usual = "" if port == PORT_DEFAULT else f" (the usual port is {PORT_DEFAULT})"
    says = {
        Trouble.REFUSED: (
            f"nobody listens at UDP port {where}: the machine is there and refuses",
            f"see whether the server runs, and at which port{usual}; a firewall may refuse as well",
        ),
        Trouble.SILENT: (
            f"no answer from {where} within {TRIES * WAIT_S:.0f} s",
            f"see whether the server runs there, at that port{usual}, and whether a firewall between here and there "
            f"lets UDP port {port} through",
        ),
        Trouble.FORBIDDEN: (
            f"this machine does not let datagrams to {where} out",
            f"see its firewall: it has to let UDP port {port} out, and answers in",
        ),
    }
    text, advice = says.get(
        trouble, (f"{where} cannot be reached: {trouble.value}", "see this machine's network, its routes and its VPN")
    )
    return wrong("port", text, advice, Exit.UNREACHABLE)


def _key(key: bytes, pinned: bytes | None) -> Finding:
    if pinned is None:
        return good("server key", fingerprint(key), "it is not remembered yet: whoever runs the server can compare it")
    if pinned == key:
        return good("server key", "the one that is remembered")
    return wrong(
        "server key",
        f"another one than before, {fingerprint(key)}",
        "ask whoever runs the server; if it is right, `udpchat verify --server --accept` takes it",
        Exit.KEY_CHANGED,
    )


async def _length(asking: Asking) -> Finding:
    """A datagram of full length: a RECORD of no link, which a server answers with a hint (R-8.1-5)."""
    record = serialize(Record(os.urandom(INDEX_BYTES), int.from_bytes(os.urandom(7)), os.urandom(_SEALED_BYTES)))

    def answer(payload: bytes) -> bool | None:
        try:
            retry = parse_untrusted(payload)
        except BadDatagram:
            return None
        return True if isinstance(retry, Retry) and retry.echo == record[_ECHO] else None

    got = await asking.ask(record, answer)
    if got is True:
        return good("path MTU", f"{len(record):,} bytes arrive at the server; the way back only mail can try")
    return wrong(
        "path MTU",
        f"short datagrams arrive, and one of {len(record):,} bytes does not ({got})",
        "a VPN or a tunnel on the way takes less: set its MTU to 1,280 or more",
        Exit.UNREACHABLE,
    )


async def _handshake(asking: Asking, retry: Retry) -> Finding:
    suite = StandardSuite(os.urandom)
    identity, live, mail = (os.urandom(KEY_BYTES) for _ in range(3))
    body = CardBody(
        version=CARD_VERSION,
        seq=1,
        expires_s=int(time.time()) + CARD_LIFE_S,
        identity=suite.sign_public(identity),
        live=suite.dh_public(live),
        mail=suite.dh_public(mail),
        name="doctor",
    )
    card = make_card(suite, identity, body)
    try:
        begun = initiate_untrusted(suite, retry.server_key, retry.token, os.urandom(INDEX_BYTES), live, card)
    except BadDatagram:
        return wrong("handshake", "the server has no proper key", "ask whoever runs it", Exit.UNREACHABLE)

    def answer(payload: bytes) -> bool | None:
        try:
            resp = parse_untrusted(payload)
            if isinstance(resp, Resp):
                begun.finish_untrusted(suite, resp)
                return True
        except BadDatagram:
            pass
        return None

    got = await asking.ask(begun.init, answer)
    if got is True:
        return good("handshake", "the server proved that the key is its own")
    return wrong(
        "handshake",
        f"the server greets, and does not answer a handshake ({got})",
        "it may be busy: try again; if this clock is wrong by months, set it",
        Exit.UNREACHABLE,
    )


def without_account() -> list[Finding]:
    """What cannot be known without one."""
    why = "it takes an account: give --as NAME@HOST[:PORT]"
    return [untested("registration", why), untested("clock", why)]
