"""The contract of a destination: where the files of a run go. One small file each in `destinations/`.

All calls block and are made off the event loop, from one thread. A path is relative, with `/` between its parts. A
destination never overwrites: `begin` takes a folder that nobody had, and a part that exists is an error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, ClassVar, Literal, Protocol, runtime_checkable

SUCCESS = "_SUCCESS"
"""The marker of a finished folder, an empty file; a folder without it is to be ignored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a destination can do. `schemes` are those of its addresses; the empty one is a plain path.

    `appears`: a part is seen whole (`rename`), or while it grows (`marker`: only the marker tells that it is whole).
    """

    schemes: tuple[str, ...]
    appears: Literal["rename", "marker"]


Secret = Mapping[str, str]
"""What signs in to a destination, such as `password` or `sas`; its address never holds it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A committed file below a destination. `modified_on` is the destination's own time, in UTC."""

    path: str
    bytes: int
    modified_on: datetime


class PartWriter(Protocol):
    """A file on its way in. `commit` makes it durable, and visible under its path; `discard` leaves nothing behind."""

    def write(self, chunk: bytes | memoryview) -> None: ...
    def commit(self) -> None: ...
    def discard(self) -> None: ...


class Destination(Protocol):
    """Raises AlreadyPublished, or DestinationFailed for what a later run may get through."""

    capabilities: ClassVar[Capabilities]

    @classmethod
    def at(cls, address: str, secret: Secret) -> "Destination":
        """Open the destination at an address of one of its schemes; raise SettingsInvalid for what it lacks."""
        ...

    def begin(self, folder: str) -> None:
        """Take a folder for this run alone."""
        ...

    def part(self, path: str) -> PartWriter:
        """Open a new file, in a folder that was begun or in one that several runs share; missing folders are made."""
        ...

    def copy(self, source: str, path: str) -> None:
        """Make a new file of a committed one without reading it here, where the destination can."""
        ...

    def can_copy(self) -> bool:
        """Say whether `copy` does without reading the file here."""
        ...

    def open(self, path: str) -> BinaryIO:
        """Read a committed file back; the reader can seek."""
        ...

    def size(self, path: str) -> int | None:
        """Give the bytes of a committed file; None when there is none."""
        ...

    def entries(self, folder: str) -> Iterator[Entry]:
        """Give every file below a folder, at any depth, also what a killed run left; nothing where there is none."""
        ...

    def finish(self, folder: str) -> None:
        """Say that the folder is whole, durably: what is in it was committed before."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, or a folder with all below it; of a finished folder the marker goes first."""
        ...

    def close(self) -> None:
        """Let go of connections; the destination is not used afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class TablePlace:
    """Where a library of open tables finds a folder by itself. `options` may hold secrets."""

    uri: str
    options: Mapping[str, str] = field(default_factory=dict, repr=False)


@runtime_checkable
class HoldsTables(Protocol):
    """A destination in which open tables can be kept, because its files can be replaced one commit at a time."""

    def table(self, path: str) -> TablePlace: ...


@runtime_checkable
class Replaces(Protocol):
    """A destination whose committed files can be replaced: nothing but a legal erasure does so."""

    def replacement(self, path: str) -> PartWriter:
        """Open a file that takes the place of the committed one, if any, at once when it is committed."""
        ...
