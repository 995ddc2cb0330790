"""Enemies as public test doubles: a peer, a server and a network that do what they should not.

They plug into any `World`: `EvilNetwork(world)` sits on the path, `EvilPeer(world, "eve")` is an outsider with real
keys, `World(..., cores=EvilCores())` has a server that lies as it is told to. Make the `Oracle` first: what they write
and open is told to its ledger, so that it knows which letters nobody honest wrote.

None of them cheats: they have the keys that they made, what they saw, and what the protocol lets anybody send. Under
the transparent sealing as well they sign and open with their own keys only.
"""

from .network import Captured, EvilNetwork
from .peer import EvilPeer
from .server import EvilCores, EvilServer

__all__ = ["Captured", "EvilCores", "EvilNetwork", "EvilPeer", "EvilServer"]
