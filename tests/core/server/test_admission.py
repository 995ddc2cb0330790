"""Who may be here: invitations, the list, bans, names that are released or handed over."""

from itertools import count

import pytest

from tests.core.server.letters import slot, store
from tests.core.server.world import LETTER, Client, World, private_key
from udpchat_core import limits
from udpchat_core.address import Address
from udpchat_core.errors import LocalProtocolError
from udpchat_core.events import (
    InviteMade,
    MailCollected,
    NameReleased,
    NameRotated,
    UserBanned,
    UserLeft,
    UserUnbanned,
)
from udpchat_core.messages import (
    Collected,
    CollectedEntry,
    Found,
    Lookup,
    Mail,
    Message,
    Outcome,
    Ping,
    Refusal,
    Refused,
    Register,
    Registered,
    Roster,
    RosterChanged,
    RosterEntry,
    Rotation,
    Scope,
    Stored,
    Watch,
)
from udpchat_core.messages import Store as StoreMessage
from udpchat_core.requests import KeepLetter, ReleaseName, SaveInvite
from udpchat_core.secure.rotation import make_rotation
from udpchat_core.server import Admission, Policy

DAY_S = 86_400
INVITED = Admission(Policy.INVITE)
_hosts = count(1)


def register(client: Client, invite: bytes | None = None, rotation: Rotation | None = None) -> Message:
    """The answer to a Register on a new link."""
    return client.connect().ask(Register(client.next_id(), invite, rotation))


def refusal(answer: Message) -> Refusal:
    assert isinstance(answer, Refused)
    return answer.refusal


def invite(world: World) -> bytes:
    """The token of a new invitation."""
    world.carry_out(world.server.invite(world.now))
    return world.told(InviteMade)[-1].token


def rotated(world: World, name: str) -> tuple[Client, Rotation]:
    """A client with the next identity of `name`, and the word of the identity before for it."""
    client = world.client(name, who=f"{name} the second")
    return client, make_rotation(world.suite, private_key(f"{name} identity"), client.identity, name)


# --- invitations ---


def test_where_invitations_are_asked_for_nobody_new_comes_without_one() -> None:
    """R-8.9-3."""
    world = World(admission=INVITED)
    assert refusal(register(world.client("alice"))) is Refusal.NOT_ADMITTED
    assert refusal(register(world.client("alice"), bytes(16))) is Refusal.NOT_ADMITTED
    assert not world.store.users
    assert isinstance(register(world.client("alice"), invite(world)), Registered)
    assert world.server.refused == {Refusal.NOT_ADMITTED: 2}


def test_who_has_a_name_needs_no_invitation() -> None:
    """R-8.9-3."""
    world = World(admission=INVITED)
    register(world.client("alice"), invite(world))
    assert isinstance(register(world.client("alice", seq=6)), Registered)
    world.restart()
    assert isinstance(register(world.client("alice", seq=7)), Registered)


def test_an_invitation_is_used_once() -> None:
    """R-8.9-4: also by two who come while the first of them is on the way to the disk, and after a restart."""
    world = World(admission=INVITED)
    token = invite(world)
    world.store.is_slow = True
    alice, bob = world.client("alice").connect(), world.client("bob").connect()
    alice.say(Register(1, token))
    assert refusal(bob.ask(Register(1, token))) is Refusal.NOT_ADMITTED
    world.settle()
    assert isinstance(alice.hear()[0], Registered)
    world.restart()
    assert refusal(register(world.client("carol"), token)) is Refusal.NOT_ADMITTED


def test_an_invitation_that_was_not_used_is_good_after_a_restart() -> None:
    """R-8.9-4: that is, where its use did not become durable."""
    world = World(admission=INVITED)
    token = invite(world)
    world.store.is_slow = True
    world.client("alice").connect().say(Register(1, token))
    world.restart()
    world.store.is_slow = False
    assert isinstance(register(world.client("bob"), token), Registered)


def test_an_invitation_is_not_good_for_ever() -> None:
    """R-8.9-4."""
    world = World(admission=INVITED)
    token = invite(world)
    assert world.told(InviteMade) == [InviteMade(token, world.now // 1_000 + limits.INVITE_DAYS * DAY_S * 1_000)]
    world.server._context.set_clock(world.now // 1_000 + limits.INVITE_DAYS * DAY_S * 1_000, world.now)
    late = world.client("alice", life_s=2 * limits.INVITE_DAYS * DAY_S)
    assert refusal(register(late, token)) is Refusal.NOT_ADMITTED
    world.advance(2 * 3_600)
    assert world.store.invites == {}
    assert world.server.sizes()["invites"] == 0


def test_no_more_than_a_hash_of_an_invitation_is_kept() -> None:
    """R-8.9-4."""
    world = World(admission=INVITED)
    token = invite(world)
    (kept,) = [request for request in world.store.log if isinstance(request, SaveInvite)]
    assert token not in kept.hash
    assert kept.hash == world.suite.hash(b"udpchat/1 invite\0" + token)


def test_an_invitation_is_told_when_it_is_durable_and_no_earlier(world: World) -> None:
    world.store.is_slow = True
    world.carry_out(world.server.invite(world.now))
    assert world.told(InviteMade) == []
    world.settle()
    assert len(world.told(InviteMade)) == 1


def test_there_is_an_end_to_invitations(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udpchat_core.server.admission.INVITES_MAX", 2)
    world.store.is_slow = True
    world.carry_out(world.server.invite(world.now))
    world.carry_out(world.server.invite(world.now))
    with pytest.raises(LocalProtocolError, match="2 invitations are not used yet"):
        world.server.invite(world.now)


# --- the list ---


def test_where_there_is_a_list_it_holds_for_everybody() -> None:
    """R-8.9-2."""
    alice = World().client("alice").identity
    world = World(admission=Admission(Policy.LISTED, frozenset({alice})))
    assert isinstance(register(world.client("alice")), Registered)
    assert refusal(register(world.client("bob"))) is Refusal.NOT_ADMITTED
    world.admission = Admission(Policy.LISTED)
    world.restart()
    assert refusal(register(world.client("alice", seq=6))) is Refusal.NOT_ADMITTED


# --- bans ---


def test_who_is_banned_is_gone_at_once_and_does_not_come_back(world: World) -> None:
    """R-8.9-1."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.carry_out(world.server.ban(alice.identity, world.now))
    assert world.told(UserBanned) == [UserBanned(alice.identity, "alice")]
    assert world.told(UserLeft) == [UserLeft("alice")]
    alice.say(Ping(1))
    assert alice.hear() == []
    found = bob.ask(Lookup(1, "alice"))
    assert isinstance(found, Found)
    assert found.address is None
    assert refusal(register(world.client("alice", seq=6))) is Refusal.BANNED
    world.restart()
    assert refusal(register(world.client("alice", seq=7))) is Refusal.BANNED


def test_letters_for_who_is_banned_are_refused(world: World) -> None:
    """R-8.9-1."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.carry_out(world.server.ban(alice.identity, world.now))
    assert refusal(bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER))) is Refusal.BANNED


def test_the_name_of_who_is_banned_stays_with_it(world: World) -> None:
    """R-8.9-1."""
    world.client("alice").online()
    world.carry_out(world.server.ban(world.client("alice").identity, world.now))
    assert refusal(register(world.client("alice", who="mallory"))) is Refusal.NAME_TAKEN


def test_who_is_banned_while_it_registers_is_told_so(world: World) -> None:
    """R-8.9-1."""
    world.store.is_slow = True
    alice = world.client("alice").connect()
    world.carry_out(world.server.ban(alice.identity, world.now))
    alice.say(Register(3))
    world.settle()
    assert alice.hear() == [Refused(3, Refusal.BANNED, 0, 0)]
    assert world.told(UserBanned) == [UserBanned(alice.identity, None)]


def test_a_ban_ends(world: World) -> None:
    alice = world.client("alice").online()
    with pytest.raises(LocalProtocolError, match="not banned"):
        world.server.unban(alice.identity, world.now)
    world.carry_out(world.server.ban(alice.identity, world.now))
    world.carry_out(world.server.ban(alice.identity, world.now))
    world.carry_out(world.server.unban(alice.identity, world.now))
    assert world.told(UserUnbanned) == [UserUnbanned(alice.identity)]
    assert isinstance(register(world.client("alice", seq=6)), Registered)
    world.restart()
    assert isinstance(register(world.client("alice", seq=7)), Registered)


def test_there_is_an_end_to_bans(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udpchat_core.server.admission.BANS_MAX", 1)
    world.carry_out(world.server.ban(bytes(32), world.now))
    with pytest.raises(LocalProtocolError, match="1 identities are banned"):
        world.server.ban(bytes([1]) * 32, world.now)


def test_what_the_operator_wants_waits_for_a_disk_that_is_behind(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.client("alice").online()
    world.store.is_slow = True
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 0)
    with pytest.raises(LocalProtocolError, match="far behind"):
        world.server.invite(world.now)
    with pytest.raises(LocalProtocolError, match="far behind"):
        world.server.ban(bytes(32), world.now)
    with pytest.raises(LocalProtocolError, match="far behind"):
        world.server.release("alice", world.now)
    assert world.server.sizes()["invites"] == 0


def test_an_old_invitation_stays_until_the_disk_has_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    invite(world)
    monkeypatch.setattr("udpchat_core.server.storage.STORE_REQUESTS_MAX", 0)
    world.advance((limits.INVITE_DAYS + 1) * DAY_S)
    assert world.server.sizes()["invites"] == 1
    monkeypatch.undo()
    world.advance(3_600)
    assert world.server.sizes()["invites"] == 0


# --- new names ---


def newcomers(world: World, host: bytes, number: int) -> list[Message]:
    """The answers to so many new identities from one host, each at a port of its own."""
    answers = []
    for _ in range(number):
        client = world.client(f"n{next(_hosts)}")
        client.address = Address(host, 1_024 + next(_hosts))
        answers.append(register(client))
        world.advance(0.5)
    return answers


def test_new_names_of_one_network_are_bounded_and_others_are_not(world: World) -> None:
    """R-8.9-5."""
    few, host = limits.NEW_NAMES_PER_PREFIX_MAX, bytes((192, 0, 2, 1))
    assert all(isinstance(answer, Registered) for answer in newcomers(world, host, few))
    assert refusal(newcomers(world, host, 1)[0]) is Refusal.TOO_MANY
    assert isinstance(newcomers(world, bytes((192, 0, 2, 2)), 1)[0], Registered)
    known = world.client("n1", seq=9)
    known.address = Address(host, 1_023)
    assert isinstance(register(known), Registered)
    world.advance(60)
    assert isinstance(newcomers(world, host, 1)[0], Registered)


def test_new_names_of_the_servers_own_machine_are_not_bounded(world: World) -> None:
    """R-8.9-5."""
    answers = newcomers(world, bytes((127, 0, 0, 1)), limits.NEW_NAMES_PER_PREFIX_MAX + 5)
    assert all(isinstance(answer, Registered) for answer in answers)


# --- a name that is released ---


def test_a_name_that_is_released_is_free_and_its_mailbox_gone(world: World) -> None:
    """R-8.9-6."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    alice.connect()  # she does not say goodbye
    assert isinstance(bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER)), Stored)
    world.carry_out(world.server.release("alice", world.now))
    assert world.told(NameReleased) == [NameReleased("alice")]
    assert refusal(bob.ask(Lookup(2, "alice"))) is Refusal.UNKNOWN
    assert alice.identity not in world.store.mail
    assert refusal(bob.ask(StoreMessage(3, alice.identity, slot(2), 0, LETTER))) is Refusal.UNKNOWN
    other = register(world.client("alice", who="somebody else"))
    assert isinstance(other, Registered)
    assert other.waiting == 0


def test_who_watches_a_name_hears_that_it_is_released_and_that_somebody_else_has_it(world: World) -> None:
    """R-8.9-6."""
    world.client("alice").online()
    bob = world.client("bob").online()
    page = bob.ask(Watch(1, Scope.ADD, ("alice",), None, None))
    assert isinstance(page, Roster)
    world.carry_out(world.server.release("alice", world.now))
    assert len(bob.heard(RosterChanged)) == 1
    gone = bob.ask(Watch(2, Scope.ADD, ("alice",), page.version, None))
    assert isinstance(gone, Roster)
    assert gone.entries == (RosterEntry("alice", False, 0),)
    world.advance(2)
    bob.hear()
    register(world.client("alice", who="somebody else", seq=8))
    assert len(bob.heard(RosterChanged)) == 1
    back = bob.ask(Watch(3, Scope.ADD, ("alice",), gone.version, None))
    assert isinstance(back, Roster)
    assert back.entries == (RosterEntry("alice", True, 8),)


def test_only_a_name_that_somebody_has_is_released(world: World) -> None:
    with pytest.raises(LocalProtocolError, match="nobody has the name alice"):
        world.server.release("alice", world.now)
    assert world.server.identity_of("alice") is None
    alice = world.client("alice").online()
    assert world.server.identity_of("alice") == alice.identity


def test_a_name_that_is_released_twice_at_once_is_free_once(world: World) -> None:
    """R-8.9-6: somebody may have it again before the second is durable."""
    world.client("alice").online()
    world.store.is_slow = True
    world.carry_out(world.server.release("alice", world.now))
    world.settle()
    world.store.asked.append(ReleaseName("alice"))
    world.server._storage._outstanding[ReleaseName("alice")] = None
    world.settle()
    assert world.told(NameReleased) == [NameReleased("alice")] * 2


def test_what_was_collected_when_the_name_went_is_told_to_nobody(world: World) -> None:
    """R-8.9-6."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER))
    (mail,) = alice.heard(Mail)
    world.store.is_slow = True
    world.carry_out(world.server.release("alice", world.now))
    alice.say(Collected((CollectedEntry(mail.entry, Outcome.UNWANTED, None),)))
    world.settle()
    assert world.told(MailCollected) == []


# --- an identity that hands over its name ---


def test_a_name_is_handed_over_with_nothing_of_the_former(world: World) -> None:
    """R-8.2-11."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    bob.ask(StoreMessage(1, alice.identity, slot(1), 0, LETTER))
    alice.ask(StoreMessage(1, bob.identity, slot(2), 0, LETTER))
    second, rotation = rotated(world, "alice")
    answer = register(second, rotation=rotation)
    assert isinstance(answer, Registered)
    assert answer.waiting == 0
    assert world.told(NameRotated) == [NameRotated("alice")]
    found = bob.ask(Lookup(2, "alice"))
    assert isinstance(found, Found)
    assert (found.card, found.rotation) == (second.card, rotation)
    assert alice.identity not in world.store.mail
    alice.say(Ping(1))
    assert alice.hear() == []
    assert refusal(register(world.client("alice", seq=99))) is Refusal.NAME_TAKEN


def test_a_rotation_is_told_for_ever_also_after_a_restart_and_a_renewal(world: World) -> None:
    """R-8.2-11."""
    world.client("alice").online()
    second, rotation = rotated(world, "alice")
    register(second, rotation=rotation)
    world.restart()
    renewed = world.client("alice", who="alice the second", seq=6)
    assert isinstance(register(renewed), Registered)
    found = world.client("bob").online().ask(Lookup(2, "alice"))
    assert isinstance(found, Found)
    assert (found.card, found.rotation) == (renewed.card, rotation)


def test_a_rotation_that_holds_is_taken_by_a_server_that_does_not_know_the_former(world: World) -> None:
    """R-8.2-11: it may have lost its disk, and those who pinned the former will ask."""
    first = world.client("alice", who="alice the second")
    rotation = make_rotation(world.suite, private_key("alice identity"), first.identity, "alice")
    assert isinstance(register(first), Registered)
    assert isinstance(register(world.client("alice", who="alice the second", seq=6), rotation=rotation), Registered)
    found = world.client("bob").online().ask(Lookup(2, "alice"))
    assert isinstance(found, Found)
    assert found.rotation == rotation


@pytest.mark.parametrize("wrong", ["another name", "another identity", "nobody's signature"])
def test_a_rotation_that_does_not_hold_is_as_if_there_were_none(world: World, wrong: str) -> None:
    """R-2.4-3."""
    alice = world.client("alice").online()
    second, rotation = rotated(world, "alice")
    alice_private = private_key("alice identity")
    given = {
        "another name": make_rotation(world.suite, alice_private, second.identity, "alicia"),
        "another identity": make_rotation(world.suite, alice_private, bytes([7]) * 32, "alice"),
        "nobody's signature": Rotation(rotation.former, bytes(64)),
    }[wrong]
    assert refusal(register(second, rotation=given)) is Refusal.NAME_TAKEN
    assert world.server.identity_of("alice") == alice.identity


def test_who_is_banned_hands_its_name_to_nobody(world: World) -> None:
    """R-8.9-1."""
    alice = world.client("alice").online()
    world.carry_out(world.server.ban(alice.identity, world.now))
    second, rotation = rotated(world, "alice")
    assert refusal(register(second, rotation=rotation)) is Refusal.BANNED


def test_who_is_handed_a_name_needs_no_invitation_but_has_to_be_on_the_list() -> None:
    """R-8.9-2 R-8.9-3."""
    world = World(admission=INVITED)
    register(world.client("alice"), invite(world))
    second, rotation = rotated(world, "alice")
    assert isinstance(register(second, rotation=rotation), Registered)
    listed = World(admission=Admission(Policy.LISTED, frozenset({World().client("alice").identity})))
    register(listed.client("alice"))
    second, rotation = rotated(listed, "alice")
    assert refusal(register(second, rotation=rotation)) is Refusal.NOT_ADMITTED


def test_who_has_another_name_gives_it_up_for_the_one_it_is_handed(world: World) -> None:
    """R-8.2-4 R-8.2-11."""
    world.client("alice").online()
    other = world.client("alison", who="alice the second").online()
    rotation = make_rotation(world.suite, private_key("alice identity"), other.identity, "alice")
    register(world.client("alice", who="alice the second", seq=6), rotation=rotation)
    assert world.server.identity_of("alice") == other.identity
    assert world.server.identity_of("alison") is None


def test_the_order_of_what_the_store_is_asked_is_the_order_of_what_is_told(world: World) -> None:
    """R-8.9-6: a letter for somebody whose name is on its way out is kept for nobody, and its sender keeps it."""
    alice, bob = world.client("alice").online(), world.client("bob").online()
    world.store.is_slow = True
    world.carry_out(world.server.release("alice", world.now))
    store(bob, alice, (1,))
    assert [type(request) for request in world.store.asked] == [ReleaseName, KeepLetter]
    world.settle()
    assert isinstance(bob.hear()[0], Stored)
    assert world.told(NameReleased) == [NameReleased("alice")]
    world.restart()
    assert world.server.identity_of("alice") is None
