"""The server's half of the protocol, without I/O."""

from .admission import Admission, Policy
from .server import Server, new_server_state

__all__ = ["Admission", "Policy", "Server", "new_server_state"]
