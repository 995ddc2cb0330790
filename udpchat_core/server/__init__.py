"""The server's half of the protocol, without I/O."""

from .server import Server, new_server_state

__all__ = ["Server", "new_server_state"]
