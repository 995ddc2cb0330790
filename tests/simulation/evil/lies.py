"""What the lies of an evil server are made of."""

from collections.abc import Sequence
from typing import Any

from udpchat_core import messages as m

Said = Sequence[m.Message] | None


def with_changed(value: Any, **changed: Any) -> Any:
    """`dataclasses.replace`, which pydantic's validate again."""
    fields = {name: getattr(value, name) for name in value.__dataclass_fields__}
    return type(value)(**fields | changed)
