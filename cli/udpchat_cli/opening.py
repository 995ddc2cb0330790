"""The store of whoever speaks: opened, or made with new keys."""

import os
import time
from pathlib import Path

from udpchat_core.client import new_client_state
from udpchat_core.secure.suite import StandardSuite
from udpchat_net.stores.errors import StoreLocked, StoreMissing
from udpchat_net.stores.sqlite_client import SqliteClientStore, create_client

from .values import Account


def open_store(account: Account, path: Path) -> SqliteClientStore:
    """The store of this account at this path. Raises `StoreError`: `StoreLocked` if it is at work already."""
    try:
        return SqliteClientStore(path)
    except StoreMissing:
        state = new_client_state(StandardSuite(os.urandom), account.name, time.time_ns() // 1_000_000)
        create_client(path, state, f"{account.host}:{account.port}")
        return SqliteClientStore(path)
    except StoreLocked as error:
        raise StoreLocked(
            f"{account} is at work already, from the same state folder: stop that udpchat, "
            "or choose another name, or another folder with --state"
        ) from error
