"""Time is aware UTC. Rooms take a Clock, so tests can set it."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def wire_time(moment: datetime) -> str:
    """Write a moment as the contract does: UTC, microseconds, no zone."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
