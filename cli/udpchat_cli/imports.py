"""Importing what is slow to import, where it is used."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def much_imported() -> Iterator[None]:
    """Much is imported meanwhile: nothing of it is garbage, and looking for some would take a seventh of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # it stays, and is not looked at any more
        gc.enable()
