"""What the user hands in, checked: what is wrong with it is a `LocalProtocolError` of one sentence."""

from collections.abc import Sequence

from ..delivery.parts import split
from ..errors import LocalProtocolError
from ..fields import is_name
from ..limits import TEXT_PARTS_BYTES_MAX, WATCHED_NAMES_MAX
from ..secure.keys import ID_BYTES


def check_invite(invite: bytes | None) -> None:
    """The token of an invitation, if there is one."""
    if invite is not None and len(invite) != ID_BYTES:
        raise LocalProtocolError(f"an invitation has {ID_BYTES} bytes; this one has {len(invite)}")


def check_name(name: str) -> None:
    """The name of a user, whether there is one or not."""
    if not is_name(name):
        raise LocalProtocolError(f"{name!r} is no name: 1 to 32 of a-z, 0-9, _ and -, beginning with a letter or digit")


def checked_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names to watch, each once."""
    for name in names:
        check_name(name)
    each = tuple(dict.fromkeys(names))
    if len(each) > WATCHED_NAMES_MAX:
        raise LocalProtocolError(f"at most {WATCHED_NAMES_MAX} names can be watched: these are {len(names):,}")
    return each


def checked_pieces(to: str, text: str) -> list[str]:
    """The parts of a text to the user with this name."""
    check_name(to)
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise LocalProtocolError("the text is not valid Unicode: a lone surrogate cannot be sent") from None
    if not 1 <= size <= TEXT_PARTS_BYTES_MAX:
        raise LocalProtocolError(f"a message has 1 to {TEXT_PARTS_BYTES_MAX:,} bytes of UTF-8; this one has {size:,}")
    return split(text)
