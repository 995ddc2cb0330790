"""Who may be here: admission of new identities, invitations, bans.

Three policies: everybody, those with an invitation, or those on a list. Whoever has a name keeps it under the first
two. An invitation is a token of 16 random bytes that is shown once; what is kept is its hash, and it is used up in
the same commit that binds the name of whoever used it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ..buckets import Buckets
from ..errors import LocalProtocolError
from ..fields import Refusal
from ..limits import (
    BANS_MAX,
    INIT_PREFIXES_MAX,
    INVITE_DAYS,
    INVITES_MAX,
    NEW_NAMES_PER_PREFIX_MAX,
    NEW_NAMES_PERIOD_US,
)
from ..secure.keys import INVITE_LABEL
from ..secure.suite import Suite
from ..server_events import InviteMade
from ..server_requests import BanIdentity, DropInvite, SaveInvite
from ..turn import Turn
from .context import Context
from .session import User, prefix, unpacked
from .storage import Storage

TOKEN_BYTES = 16
_DAY_MS = 86_400_000


class Policy(StrEnum):
    """Which identities may register that have no name yet."""

    OPEN = "open"
    INVITE = "invite"
    LISTED = "listed"  # which holds for those that have a name too


@dataclass(frozen=True, slots=True)
class Admission:
    """What the operator decided: the policy, and the identities of the list that `LISTED` goes by."""

    policy: Policy = Policy.OPEN
    listed: frozenset[bytes] = field(default=frozenset())


OPEN: Final = Admission()


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who wants to register.

    Attributes:
        user: whom its card names.
        place: where it is, packed.
        is_known: whether the identity has a name.
        former: the identity that handed the name to it, or None.
        invite: the hash of its invitation, or None.
    """

    user: User
    place: bytes
    is_known: bool
    former: bytes | None
    invite: bytes | None


class Gate:
    """Invitations and bans, as they are durable, and how many new names each network had lately."""

    __slots__ = ("_admission", "_bans", "_context", "_invites", "_making", "_new_names", "_storage")

    def __init__(
        self,
        context: Context,
        storage: Storage,
        admission: Admission,
        bans: Iterable[bytes],
        invites: Iterable[SaveInvite],
    ) -> None:
        self._context = context
        self._storage = storage
        self._admission = admission
        self._bans = dict.fromkeys(bans)
        self._invites = {invite.hash: invite.until_ms for invite in invites}
        self._making: dict[bytes, bytes] = {}  # tokens by hash, until they are durable
        self._new_names: Buckets[bytes] = Buckets(NEW_NAMES_PER_PREFIX_MAX, INIT_PREFIXES_MAX, NEW_NAMES_PERIOD_US)

    def sizes(self) -> dict[str, int]:
        """How many there are of what has a cap."""
        return {
            "bans": len(self._bans),
            "invites": len(self._invites) + len(self._making),
            "new name prefixes": len(self._new_names),
        }

    def is_banned(self, identity: bytes) -> bool:
        """Whether this identity is not served here."""
        return identity in self._bans

    def refusal(self, turn: Turn, who: Applicant) -> Refusal | None:
        """Why `who` may not register, if so."""
        identity, policy = who.user.identity, self._admission.policy
        if self.is_banned(identity) or (who.former is not None and self.is_banned(who.former)):  # R-8.9-1
            return Refusal.BANNED
        if policy is Policy.LISTED and identity not in self._admission.listed:  # R-8.9-2
            return Refusal.NOT_ADMITTED
        if who.is_known or who.former is not None:
            return None
        if policy is Policy.INVITE and not self._is_valid(turn, who.invite):  # R-8.9-3
            return Refusal.NOT_ADMITTED
        of = prefix(unpacked(who.place))
        if of is not None and not self._new_names.take(of, turn.now):  # R-8.9-5
            return Refusal.TOO_MANY
        return None

    def spend(self, invite: bytes | None) -> bytes | None:
        """The invitation, if there is such a one; from now on there is not."""
        return None if invite is None or self._invites.pop(invite, None) is None else invite  # R-8.9-4

    def _is_valid(self, turn: Turn, invite: bytes | None) -> bool:
        return invite is not None and self._invites.get(invite, 0) > self._context.wall_ms(turn.now)

    # --- what the operator wants ---

    def invite(self, turn: Turn) -> None:
        """Make an invitation; it is told when it is durable. Raises `LocalProtocolError` if there are too many."""
        if len(self._invites) + len(self._making) >= INVITES_MAX:
            raise LocalProtocolError(f"{INVITES_MAX:,} invitations are not used yet: no more are made until some are")
        token = self._context.suite.random(TOKEN_BYTES)
        hashed = invite_hash(self._context.suite, token)
        until_ms = self._context.wall_ms(turn.now) + INVITE_DAYS * _DAY_MS
        self._ask(turn, SaveInvite(hashed, until_ms))
        self._making[hashed] = token

    def invited(self, turn: Turn, saved: SaveInvite) -> None:
        """An invitation is durable: it may be told, and used."""
        self._invites[saved.hash] = saved.until_ms
        turn.emit(InviteMade(self._making.pop(saved.hash), saved.until_ms))

    def ban(self, turn: Turn, identity: bytes, banned: bool) -> None:
        """Serve this identity no more, or again. Raises `LocalProtocolError` if there are too many bans."""
        if banned and len(self._bans) >= BANS_MAX:
            raise LocalProtocolError(f"{BANS_MAX:,} identities are banned: no more can be until some are not")
        if not banned and identity not in self._bans:
            raise LocalProtocolError("this identity is not banned")
        self._ask(turn, BanIdentity(identity, banned))

    def banned(self, request: BanIdentity) -> None:
        """A ban, or its end, is durable."""
        if request.banned:
            self._bans[request.identity] = None
        else:
            self._bans.pop(request.identity, None)

    def expire(self, turn: Turn) -> None:
        """Forget the invitations past their days."""
        now_ms = self._context.wall_ms(turn.now)
        for old in [each for each, until_ms in self._invites.items() if until_ms <= now_ms]:
            if self._storage.ask(turn, DropInvite(old)):
                del self._invites[old]

    def _ask(self, turn: Turn, request: SaveInvite | BanIdentity) -> None:
        if not self._storage.ask(turn, request):
            raise LocalProtocolError("the server's disk is far behind: try again in a minute")


def invite_hash(suite: Suite, token: bytes) -> bytes:
    """What is kept of an invitation: nobody who reads the server's disk can use it."""
    return suite.hash(INVITE_LABEL + token)
