"""One user's endpoint, without I/O."""

from .client import Client
from .keyring import new_client_state

__all__ = ["Client", "new_client_state"]
