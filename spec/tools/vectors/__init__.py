"""Makes the test vectors of `spec/vectors/`; `make generate` writes them, and a test compares byte for byte.

Theory of operation. Every private key, nonce and secret follows from what it is for (`making.key`), HPKE's
ephemeral keys too, so the same code makes the same files. What is accepted is made by udpchat's own code, and
checked by `spec/vectors/check.py`, which shares none of it. What is refused has one fault each, and everything
else in it is good: signatures hold, seals open.
"""

import json
from pathlib import Path
from typing import Final

from .cards import cards
from .datagrams import datagrams
from .derived import derived
from .letters import letters
from .link import link
from .messages import messages
from .records import records

FOLDER: Final = Path(__file__).parents[2] / "vectors"
MAKERS: Final = {made.__name__: made for made in (datagrams, messages, derived, cards, letters, link, records)}


def files() -> dict[Path, str]:
    """Every file of vectors, made anew."""
    return {
        FOLDER / f"{name}.json": json.dumps({"protocol": "udpchat/1", "holds": name} | make(), indent=1) + "\n"
        for name, make in MAKERS.items()
    }
