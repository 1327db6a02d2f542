"""How a file on a remote server gets its final name: whole, once, and never over another."""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Protocol

from coldshelf.publishing.errors import AlreadyPublished, DestinationFailed

TRIES = 4


class RemoteNames(Protocol):
    """What a server does to names. After a ConnectionError nobody knows whether it was done."""

    def size_of(self, path: str) -> int | None: ...
    def rename(self, path: str, new: str) -> None: ...
    def delete(self, path: str) -> None: ...


def hidden_beside(path: str) -> str:
    """Name a hidden file in the same folder; nobody else has the name."""
    pure = PurePosixPath(path)
    return str(pure.with_name(f".{pure.name}.{secrets.token_hex(4)}.tmp"))


@contextmanager
def named(place: str) -> Iterator[None]:
    """Translate what a server or its connection did, with the place where it did it."""
    try:
        yield
    except OSError as error:
        raise DestinationFailed(f"{place}: {error}") from error


def exists_already(place: str) -> AlreadyPublished:
    return AlreadyPublished(f"{place} exists already, and nothing published is ever overwritten")


def give_final_name(names: RemoteNames, hidden: str, path: str, *, size: int, place: str) -> None:
    """Rename a hidden file of this size; look again after a lost connection, as the rename may have been done."""
    for tried in range(TRIES):
        try:
            _rename_once(names, hidden, path, size=size, place=place)
        except ConnectionError:
            if tried + 1 == TRIES:
                raise
            time.sleep(tried / 2)
        else:
            return


def _rename_once(names: RemoteNames, hidden: str, path: str, *, size: int, place: str) -> None:
    arrived = names.size_of(hidden)
    if arrived is None and names.size_of(path) == size:
        return  # renamed by the try before, whose answer was lost
    if arrived != size:
        raise DestinationFailed(f"{place}: {size} bytes were sent, and the server holds {arrived or 0}")
    if names.size_of(path) is None:
        try:
            names.rename(hidden, path)
        except ConnectionError:
            raise
        except OSError:
            if names.size_of(path) is None:
                raise
        else:
            return
    names.delete(hidden)
    raise exists_already(place)
