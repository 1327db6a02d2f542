"""Sources: who submits pictures, and what is particular to them (contract 2.1)."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Source:
    """A submitting system. Bytes sent again within `duplicate_window` get the first answer; None switches that off."""

    number: int
    name: str
    stitches: bool = True
    duplicate_window: timedelta | None = timedelta(minutes=1440)


SOURCES = (Source(1, "StoreAware"), Source(2, "StoreBuddy"))
DEFAULT_SOURCE = SOURCES[0]


def source_numbered(number: int) -> Source | None:
    return next((source for source in SOURCES if source.number == number), None)
