"""How a store refuses to begin."""


class StoreError(Exception):
    """A store cannot be opened or created: one sentence says what is wrong, with which file, and what to do."""


class StoreMissing(StoreError):
    """There is no store yet."""


class StoreExists(StoreError):
    """There is a store already, and it is not overwritten."""


class StoreLocked(StoreError):
    """Another process has it open."""


class StoreForeign(StoreError):
    """The file is something else."""


class StoreNewer(StoreError):
    """A newer version of this program made it."""


class StoreCorrupt(StoreError):
    """It is damaged."""


class StoreUnusable(StoreError):
    """The operating system refuses: no permission, no room, no such folder, a disk that fails."""
