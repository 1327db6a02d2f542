"""When was the picture taken: the camera's word if it can be believed, else the time of receipt."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

EARLIEST_YEAR = 2000
"""A camera that says less has lost its clock."""

LATEST_YEAR = 9998
"""Python's last year leaves no room for a change of zone."""

FUTURE_TOLERANCE = timedelta(minutes=10)
"""Clocks of phones are off by seconds, of devices by minutes."""

# Exif 2.32 writes "2026:11:21 08:30:00"; dashes and T come from software that edited the file
_DATE_TIME = re.compile(r"([0-9]{4})[:-]([0-9]{2})[:-]([0-9]{2})[ T]([0-9]{2}):([0-9]{2}):([0-9]{2})")
_OFFSET = re.compile(r"([+-])([0-9]{2}):([0-9]{2})")
_FURTHEST_OFFSET = timedelta(hours=14)


class CaptureTimeSource(StrEnum):
    """Where the time of capture comes from."""

    EXIF_OFFSET = "exif_offset"
    EXIF_ZONE = "exif_zone"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class ExifTime:
    """DateTimeOriginal and OffsetTimeOriginal as the file has them, believed or not."""

    date_time: str
    offset: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureTime:
    """A time of capture. `event_time` is aware and shows the wall clock of the outlet."""

    event_time_utc: datetime
    event_time: datetime
    source: CaptureTimeSource
    is_future: bool


def capture_time(
    exif: ExifTime | None, *, zone: str, received: datetime, tolerance: timedelta = FUTURE_TOLERANCE
) -> CaptureTime:
    """Choose the time of capture; `zone` is the outlet's IANA key, `received` an aware time.

    A wall-clock time that exists twice (clocks set back) is taken as the first of the two; one that never was (clocks
    set forward) as if the clock had not been set yet, so 02:30 becomes 03:30.
    """
    outlet = ZoneInfo(zone)
    at, source = _believed(exif, outlet) or (received.astimezone(UTC), CaptureTimeSource.RECEIVED)
    return CaptureTime(
        event_time_utc=at,
        event_time=at.astimezone(outlet),
        source=source,
        is_future=at > received + tolerance,
    )


def retold(at: datetime, local: datetime, source: CaptureTimeSource, *, zone: str) -> tuple[datetime, datetime]:
    """Tell a known time of capture anew for another outlet's zone: the aware moment and the naive wall clock.

    A camera that told no offset showed the wall clock; anything else is a moment.
    """
    outlet = ZoneInfo(zone)
    if source is CaptureTimeSource.EXIF_ZONE:
        return local.replace(tzinfo=outlet).astimezone(UTC), local
    return at, at.astimezone(outlet).replace(tzinfo=None)


def _believed(exif: ExifTime | None, outlet: ZoneInfo) -> tuple[datetime, CaptureTimeSource] | None:
    if exif is None:
        return None
    offset = _offset(exif.offset)
    at = _moment(exif.date_time, offset or outlet)
    if at is None:
        return None
    return at, CaptureTimeSource.EXIF_OFFSET if offset else CaptureTimeSource.EXIF_ZONE


def _moment(text: str, zone: tzinfo) -> datetime | None:
    match = _DATE_TIME.fullmatch(text.strip("\0 "))
    if match is None:
        return None
    year, month, day, hour, minute, second = map(int, match.groups())
    if not EARLIEST_YEAR <= year <= LATEST_YEAR:
        return None
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone).astimezone(UTC)
    except ValueError:  # 31 February, 24:00
        return None


def _offset(text: str | None) -> timezone | None:
    match = _OFFSET.fullmatch((text or "").strip("\0 "))
    if match is None:
        return None
    sign, hours, minutes = match.groups()
    distance = timedelta(hours=int(hours), minutes=int(minutes))
    if int(minutes) > 59 or distance > _FURTHEST_OFFSET:
        return None
    return timezone(-distance if sign == "-" else distance)
