"""Quiet hours and slots of digests over changes of the clocks."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldshelf.deliveries.messages.hours import quiet_until, slot_after
from coldshelf.deliveries.models import Pace

VIENNA, LORD_HOWE, KATHMANDU = ZoneInfo("Europe/Vienna"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kathmandu")
ZONES = ("Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "UTC")


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "begin", "end", "until"),
    [
        ("2026-11-27T23:30+01:00", "22:00", "07:00", "2026-11-28T07:00+01:00"),
        ("2026-11-27T06:59+01:00", "22:00", "07:00", "2026-11-27T07:00+01:00"),
        ("2026-11-27T07:00+01:00", "22:00", "07:00", None),
        ("2026-11-27T21:59+01:00", "22:00", "07:00", None),
        ("2026-11-27T12:30+01:00", "12:00", "13:00", "2026-11-27T13:00+01:00"),
        # spring: 02:00 to 03:00 is skipped
        ("2026-03-28T23:00+01:00", "22:00", "07:00", "2026-03-29T07:00+02:00"),
        ("2026-03-29T01:30+01:00", "22:00", "02:30", "2026-03-29T03:00+02:00"),
        # autumn: 02:00 to 03:00 comes twice
        ("2026-10-24T23:00+02:00", "22:00", "07:00", "2026-10-25T07:00+01:00"),
        ("2026-10-25T01:30+02:00", "22:00", "02:30", "2026-10-25T02:30+02:00"),
        ("2026-10-25T02:40+02:00", "22:00", "02:30", None),
        ("2026-10-25T02:10+01:00", "22:00", "02:30", "2026-10-25T02:30+01:00"),
    ],
)
def test_quiet_hours_end_when_the_clock_on_the_wall_says_so(now: str, begin: str, end: str, until: str | None) -> None:
    found = quiet_until(moment(now), VIENNA, time.fromisoformat(begin), time.fromisoformat(end))

    assert found == (moment(until) if until else None)


MOMENTS = st.integers(0, 4 * 366 * 86_400).map(lambda second: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(0, second))
WALLS = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@given(MOMENTS, st.sampled_from(ZONES), WALLS, WALLS)
def test_the_first_moment_that_is_not_quiet_is_found(now: datetime, zone: str, begin: time, end: time) -> None:
    """Looking minute by minute finds the same."""
    place = ZoneInfo(zone)
    if begin == end:
        return

    until = quiet_until(now, place, begin, end)

    def is_quiet(when: datetime) -> bool:
        wall = when.astimezone(place).time()
        return begin <= wall < end if begin < end else wall >= begin or wall < end

    if until is None:
        assert not is_quiet(now)
        return
    assert now < until <= now + timedelta(hours=26)
    assert not is_quiet(until)
    between = now
    while between < until:
        assert is_quiet(between)
        between += timedelta(minutes=7)


@pytest.mark.parametrize(
    ("now", "pace", "zone", "due"),
    [
        ("2026-11-27T09:10:11+01:00", Pace.HOURLY, VIENNA, "2026-11-27T10:00+01:00"),
        ("2026-11-27T10:00+01:00", Pace.HOURLY, VIENNA, "2026-11-27T11:00+01:00"),
        ("2026-11-27T09:10+05:45", Pace.HOURLY, KATHMANDU, "2026-11-27T10:00+05:45"),
        ("2026-11-27T06:59:59+01:00", Pace.DAILY, VIENNA, "2026-11-27T07:00+01:00"),
        ("2026-11-27T07:00+01:00", Pace.DAILY, VIENNA, "2026-11-28T07:00+01:00"),
        ("2026-03-28T07:30+01:00", Pace.DAILY, VIENNA, "2026-03-29T07:00+02:00"),
        ("2026-10-24T07:30+02:00", Pace.DAILY, VIENNA, "2026-10-25T07:00+01:00"),
        ("2026-11-27T09:00+01:00", Pace.WEEKLY, VIENNA, "2026-11-30T07:00+01:00"),
        ("2026-11-30T07:00+01:00", Pace.WEEKLY, VIENNA, "2026-12-07T07:00+01:00"),
    ],
)
def test_digests_are_due_by_the_clock_of_their_reader(now: str, pace: Pace, zone: ZoneInfo, due: str) -> None:
    assert slot_after(moment(now), pace, zone) == moment(due)


@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from([Pace.HOURLY, Pace.DAILY, Pace.WEEKLY]))
def test_a_slot_is_the_same_for_all_that_happens_before_it(now: datetime, zone: str, pace: Pace) -> None:
    place = ZoneInfo(zone)
    slot = slot_after(now, pace, place)

    assert slot > now
    assert slot_after(now + (slot - now) / 2, pace, place) == slot
    assert slot_after(slot, pace, place) > slot
