"""The types of fields that messages are made of; strict, and checked once, at the boundary."""

import re
from typing import Annotated

from annotated_types import Ge, Len, Lt
from pydantic import AfterValidator, ConfigDict, StringConstraints

from .limits import NAME_CHARS_MAX, NUMBER_LIMIT, TEXT_BYTES_MAX, TIME_S_LIMIT

STRICT = ConfigDict(strict=True)
"""No coercion: `True` is no number, `"1"` is none, a list is no tuple."""


def _fits_a_letter(text: str) -> str:
    if not 1 <= len(text.encode()) <= TEXT_BYTES_MAX:  # R-6.2-3
        raise ValueError(f"1 to {TEXT_BYTES_MAX} bytes of UTF-8")
    return text


# R-2.1-1: compared exactly; nothing that looks like an option, a path or another script's letter.
_NAME_PATTERN = rf"^[a-z0-9][a-z0-9_-]{{0,{NAME_CHARS_MAX - 1}}}$"
Name = Annotated[str, StringConstraints(pattern=_NAME_PATTERN)]
Number = Annotated[int, Ge(0), Lt(NUMBER_LIMIT)]  # R-3.2-5
Ordinal = Annotated[int, Ge(1), Lt(NUMBER_LIMIT)]
TimeS = Annotated[int, Ge(0), Lt(TIME_S_LIMIT)]  # R-3.2-6: seconds of Unix time
TimeMs = Annotated[int, Ge(0), Lt(TIME_S_LIMIT * 1_000)]  # milliseconds of Unix time
Text = Annotated[str, AfterValidator(_fits_a_letter)]
Bytes8 = Annotated[bytes, Len(8, 8)]
Bytes16 = Annotated[bytes, Len(16, 16)]
Bytes32 = Annotated[bytes, Len(32, 32)]
Bytes64 = Annotated[bytes, Len(64, 64)]


def is_name(text: str) -> bool:
    """Whether `text` is a name, to its very end."""
    return re.fullmatch(_NAME_PATTERN, text) is not None and not text.endswith("\n")
