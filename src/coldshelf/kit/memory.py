"""What a process remembers beside its Runtime: caches and counters that may be lost at any time."""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from coldshelf.kit.db import Database
from coldshelf.kit.runtime import Runtime

T = TypeVar("T")


class Memory(Generic[T]):
    """One value per Runtime, made when first asked for and gone with the Runtime's database."""

    def __init__(self, make: Callable[[Runtime], T]) -> None:
        self._make = make
        self._values: WeakKeyDictionary[Database, T] = WeakKeyDictionary()

    def of(self, run: Runtime) -> T:
        value = self._values.get(run.database)
        if value is None:
            value = self._values[run.database] = self._make(run)
        return value
