"""The state machines of the core, found and put into words: tables, meanings, timers and Mermaid for `spec/`."""

import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from types import ModuleType
from typing import Any, get_args

from udpchat_core import machines
from udpchat_core.table import Machine, Table


@dataclass(frozen=True)
class Found:
    """One machine: the module that defines it, its class, the table that runs, and the class of its records."""

    module: ModuleType
    machine: type[Machine]
    table: Table[Any, Any]
    record: type[Any]

    @property
    def name(self) -> str:
        """The module's name: `outgoing`."""
        return self.module.__name__.rpartition(".")[2]

    @property
    def phases(self) -> type[StrEnum]:
        """The enumeration of its phases."""
        return type(self.table.initial)


def found() -> Iterator[Found]:
    """Every machine of `udpchat_core.machines`, by the name of its module."""
    for each in sorted(pkgutil.iter_modules(machines.__path__), key=lambda each: each.name):
        module = import_module(f"{machines.__name__}.{each.name}")
        for name, kind in inspect.get_annotations(module, eval_str=True).items():
            table = getattr(module, name)
            if isinstance(table, Table):
                yield Found(module, getattr(module, table.name), table, get_args(kind)[0])
