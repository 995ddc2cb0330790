"""What both cores tell their application: of its store. All else is in `client_events` and `server_events`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StorageFailed:
    """The store could not do what it was asked; it is asked again until it can. Said once until it can."""


@dataclass(frozen=True, slots=True)
class StorageRecovered:
    """The store works again."""
