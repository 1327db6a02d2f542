"""When a publication is due: cron in a time zone. Pure; times are aware."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from coldshelf.publishing.models import CatchUp
from coldshelf.records.errors import FieldInvalid

FIELDS = 5
MOST_SLOTS = 1_000
"""Slots that are looked at in one go; of more, the rest waits for the next look."""


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone; raise FieldInvalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FieldInvalid(f"TimeZone takes a zone such as Europe/Berlin, not {name[:60]!r}") from error


def check_schedule(schedule: str) -> None:
    """Raise FieldInvalid unless it is cron of five fields that is due some day."""
    cure = "it takes minute, hour, day, month and weekday, such as 0 2 * * * for two o'clock every night"
    if len(schedule.split()) != FIELDS:
        raise FieldInvalid(f"Schedule {schedule!r} has not five fields; {cure}")
    try:
        next(CronSim(schedule, datetime(2024, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise FieldInvalid(f"Schedule {schedule!r}: {error}; {cure}") from error


def slots(schedule: str, zone: ZoneInfo, *, after: datetime) -> Iterator[datetime]:
    """Give the slots after a moment, in UTC, without end.

    A slot in the hour that spring skips falls on the moment the clocks change; one in the hour that autumn repeats
    comes once. What recurs each hour or oftener recurs in real time (Debian's rule).
    """
    for slot in CronSim(schedule, after.astimezone(zone)):
        yield slot.astimezone(UTC)


def due_slots(schedule: str, zone: ZoneInfo, *, after: datetime, until: datetime) -> list[datetime]:
    """Give the slots after one moment and not after another, at most MOST_SLOTS."""
    due = takewhile(lambda slot: slot <= until, slots(schedule, zone, after=after))
    return [slot for slot, _ in zip(due, range(MOST_SLOTS), strict=False)]


def wanted(due: list[datetime], rule: CatchUp, *, now_from: datetime) -> set[datetime]:
    """Choose those of the due slots that are run; the others are noted as skipped.

    `now_from`: slots from then on are not missed, only looked at a little later.
    """
    match rule:
        case CatchUp.ALL:
            return set(due)
        case CatchUp.LATEST:
            return set(due[-1:])
        case CatchUp.NONE:
            return {slot for slot in due if slot >= now_from}
