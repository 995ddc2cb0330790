"""The primitives that the kit seals, opens and derives with."""

import os
from typing import Final

from udpchat_core.secure.suite import StandardSuite

SUITE: Final = StandardSuite(os.urandom)
