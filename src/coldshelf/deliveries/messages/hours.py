"""When people are not disturbed, and when digests are due: wall clocks in their zones. Pure; moments are aware."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coldshelf.deliveries.models import Pace
from coldshelf.records.errors import FieldInvalid

WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
MORNING = time(7)
"""When daily digests are due; weekly ones on Mondays."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONGEST_GAP = 180
"""Minutes that a clock jumps at most when it is put forward."""


def find_zone(name: str) -> ZoneInfo:
    """Find a time zone; raise FieldInvalid."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise FieldInvalid(f"TimeZone takes a zone such as Europe/Berlin, not {name[:60]!r}") from error


def zone_of(*names: str | None) -> ZoneInfo:
    """Find the first zone that is named and known; UTC when there is none."""
    for name in filter(None, names):
        try:
            return find_zone(name)
        except FieldInvalid:
            continue
    return ZoneInfo("UTC")


def read_wall_time(wire: str, text: str) -> time:
    """Read HH:MM; raise FieldInvalid."""
    found = WALL_TIME.fullmatch(text)
    if found is None:
        raise FieldInvalid(f"{wire} takes a time such as 22:00, not {text[:20]!r}")
    return time(int(found[1]), int(found[2]))


def quiet_until(now: datetime, zone: ZoneInfo, begin: time, end: time) -> datetime | None:
    """Say until when the clock on the wall stands between `begin` and `end`; None: it does not.

    An end in the hour that spring skips is the moment the clocks change; one in the hour that autumn repeats comes
    twice, and what the clock shows between counts as quiet again.
    """
    if not _is_quiet(now, zone, begin, end):
        return None
    day = now.astimezone(zone).date()
    moments = [_moment(day + DAY * ahead, end, zone, fold) for ahead in (0, 1) for fold in (0, 1)]
    until = min(moment for moment in moments if moment > now)
    for _ in range(LONGEST_GAP):  # the clock may have jumped over the end
        if until - MINUTE <= now or _is_quiet(until - MINUTE, zone, begin, end):
            return until
        until -= MINUTE
    return until


def slot_after(moment: datetime, pace: Pace, zone: ZoneInfo) -> datetime:
    """Give when the digest that is open at this moment is due: later than it."""
    wall = moment.astimezone(zone)
    if pace is Pace.HOURLY:
        return (
            moment.astimezone(UTC)
            - timedelta(minutes=wall.minute, seconds=wall.second, microseconds=wall.microsecond)
            + HOUR
        )
    for ahead in range(9):
        day = wall.date() + DAY * ahead
        due = _moment(day, MORNING, zone)
        if due > moment and (pace is not Pace.WEEKLY or day.weekday() == 0):
            return due
    raise AssertionError("nine days have a Monday")


def _is_quiet(moment: datetime, zone: ZoneInfo, begin: time, end: time) -> bool:
    wall = moment.astimezone(zone).time()
    return begin <= wall < end if begin < end else wall >= begin or wall < end


def _moment(day: date, wall: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.combine(day, wall, zone).replace(fold=fold).astimezone(UTC)
